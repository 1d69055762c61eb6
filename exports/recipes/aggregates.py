"""From what raters answered to one lean: which response, how sure, and by which of the answers.

Each rule is a function of the answers alone. An answer is (rater, grade): the grade is signed in the order of the
comparison, below 0 for the first response, above 0 for the second, 0 for a tie, and None for “neither is acceptable”.
docs/recipes.md has the formula and the source of each.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from itertools import pairwise

from exports.recipes.majority import BOTH_BAD, TIE, Answer
from exports.recipes.recipe import DAWID_SKENE, MAJORITY, ONE_COIN
from exports.recipes.trust import Trust

Answers = Sequence[Answer]
WEAKEST = 1
ALIKE, SPREAD = 3, 2
SPREAD_REASON, WEAK, UNCERTAIN = "spread", "weak", "uncertain"


@dataclass(frozen=True, slots=True)
class Lean:
    """`side` is -1 for the first response and 1 for the second. `p_chosen` is how likely that is the better one,
    `share` how many of all raters would choose it; `counted` are the grades that were listened to, without None.
    `strength` overrides the mean strength on the chosen side.
    """

    side: int
    p_chosen: float
    share: float
    counted: list[float]
    strength: int | None = None

    @property
    def margin(self) -> float:
        """The mean grade towards the chosen side, at least 0."""
        return max(0.0, self.side * sum(self.counted) / len(self.counted))

    @property
    def grade(self) -> int:
        """The mean strength on the chosen side, rounded half up."""
        if self.strength is not None:
            return self.strength
        mine = [abs(grade) for grade in self.counted if grade * self.side > 0]
        return int(sum(mine) / len(mine) + 0.5) if mine else 0


Rule = Callable[[Answers, Trust | None, float], Lean | str]


def majority(answers: Answers, trust: Trust | None = None, certainty: float = 0) -> Lean | str:
    """The side of more raters. `p_chosen` and `share` are its part of the raters who took a side."""
    first = sum(1 for _, grade in answers if grade is not None and grade < 0)
    second = sum(1 for _, grade in answers if grade is not None and grade > 0)
    if first == second:
        return TIE
    part = max(first, second) / (first + second)
    return Lean(1 if second > first else -1, part, part, _graded(answers))


def mean(answers: Answers, trust: Trust | None = None, certainty: float = 0) -> Lean | str:
    """The side of the mean grade, in which one who is sure outweighs one who is not."""
    grades = _graded(answers)
    total = sum(grades)
    if not total:
        return TIE
    side = 1 if total > 0 else -1
    part = sum(abs(grade) for grade in grades if grade * side > 0) / sum(map(abs, grades))
    return Lean(side, part, part, grades)


def helpsteer(answers: Answers, trust: Trust | None = None, certainty: float = 0) -> Lean | str:
    """The rounded mean of the three most similar grades, if those lie at most two apart.

    Of threes as similar, the one nearest to the mean of all is taken, then the one nearest to a tie.
    """
    grades = sorted(grade for _, grade in answers if grade is not None)
    if len(grades) < ALIKE:
        return "too_few"
    middle = sum(grades) / len(grades)
    threes = [grades[k : k + ALIKE] for k in range(len(grades) - ALIKE + 1)]

    def likeness(three: list[float]) -> tuple[float, float, float]:
        of_three = sum(three) / ALIKE
        return three[-1] - three[0], round(abs(of_three - middle), 9), round(abs(of_three), 9)

    threes.sort(key=likeness)
    three = threes[0]
    if three[-1] - three[0] > SPREAD:
        return SPREAD_REASON
    overall = sum(three) / ALIKE
    rival = sum(threes[1]) / ALIKE if len(threes) > 1 and likeness(threes[1]) == likeness(three) else overall
    strength = int(abs(overall) + 0.5)
    if not strength or rival * overall < 0:
        return TIE
    side = 1 if overall > 0 else -1
    part = sum(1 for grade in three if grade * side > 0) / max(1, sum(1 for grade in three if grade))
    return Lean(side, part, part, three, strength)


def without_weakest(answers: Answers, trust: Trust | None = None, certainty: float = 0) -> Lean | str:
    """The majority of the judgments that are stronger than the weakest grade."""
    firm = [(rater, grade) for rater, grade in answers if grade is not None and abs(grade) > WEAKEST]
    return majority(firm) if firm else WEAK


def posterior(answers: Answers, trust: Trust | None, certainty: float = 0) -> Lean | str:
    """The side that is more likely the better one, given how reliable each rater is."""
    if trust is None:
        raise ValueError("how far raters are to be trusted was not learned")
    belief = trust.of(answers)
    if belief is None:
        return TIE
    first, share = belief
    if first == 0.5:
        return TIE
    side = -1 if first > 0.5 else 1
    sure = first if side < 0 else 1 - first
    if sure < certainty:
        return UNCERTAIN
    return Lean(side, sure, share if side < 0 else 1 - share, _graded(answers))


RULES: dict[str, Rule] = {
    MAJORITY: majority, "mean": mean, "helpsteer": helpsteer, "hh": without_weakest, ONE_COIN: posterior,
    DAWID_SKENE: posterior,
}  # fmt: skip


def lean(rule: Rule, answers: Answers, least: int, trust: Trust | None, certainty: float, asked: int = 0) -> Lean | str:
    """What `rule` says, or why the answers say nothing, in the order of `DROPPED`. `asked` is how many answered
    something else at least, where that is of use."""
    if 0 < max(asked, len(answers)) < least:
        return "too_few"
    if not answers:
        return "unjudged"
    if 2 * sum(1 for _, grade in answers if grade is None) > len(answers):
        return BOTH_BAD
    return rule(answers, trust, certainty)


def decided(grade: float | None, voted: Lean | str) -> Lean | str:
    """What an adjudicator's decision gives. `share` still tells of the raters: how many would choose that side."""
    if grade is None:
        return BOTH_BAD
    if not grade:
        return TIE
    side = 1 if grade > 0 else -1
    if isinstance(voted, Lean):
        share = voted.share if voted.side == side else 1 - voted.share
    else:
        share = 0.5 if voted == TIE else 1.0
    return Lean(side, 1.0, share, [grade])


def llama2_margin(grade: int, strengths: int, *, small: bool = False) -> float:
    """3, 2, 1, 0 (or 1, ⅔, ⅓, 0) for the grades from the strongest of the scale downwards, as Llama 2's margins."""
    step = max(0, min(3, 3 - (strengths - grade)))
    return round(step / 3, 4) if small else float(step)


def copies(p_chosen: float, number: int) -> int:
    """How many of `number` copies stand as they are; the others are turned around."""
    return int(number * p_chosen + 0.5)


def _graded(answers: Answers) -> list[float]:
    """What counts towards a margin: “neither” leans to no side."""
    return [grade or 0.0 for _, grade in answers]


def differ(leans: Sequence[int]) -> bool:
    """Whether two of the sides point different ways; 0 points nowhere."""
    return any(one != other for one, other in pairwise(side for side in leans if side))
