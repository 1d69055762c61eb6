"""From a comparison to what a recipe makes of it: outcomes for the format, or the reason why there is none."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Set
from dataclasses import dataclass, field, replace
from math import log

from exports.recipes.aggregates import RULES, Answers, Lean, copies, decided, differ, lean, llama2_margin
from exports.recipes.majority import SIDE, Comparison, Outcome, Side, decide, nowhere, worded
from exports.recipes.recipe import COPIES, COPIES_A_PAIR, EACH, MAJORITY, SAFER_WINS, WEIGHTED, Recipe
from exports.recipes.trust import Trust
from exports.recipes.votes import Vote

LARGEST_LOG_ODDS = 3.0
FEWEST = 5  # raters that a group needs; of fewer, one could be told apart
PLACES = 4


@dataclass(frozen=True, slots=True)
class Known:
    """What a recipe must know beside the comparison: the strengths of each preference, which preferences may point
    different ways, how far raters are to be trusted by criterion, and the group of each rater who told one."""

    strengths: Mapping[str, int] = field(default_factory=dict)
    pointing: tuple[str, ...] = ()
    trust: Mapping[str, Trust] = field(default_factory=dict)
    groups: Mapping[str, str] = field(default_factory=dict)


@dataclass(slots=True)
class Judged:
    """What some of the votes on a comparison come to: a lean, or why there is none. `answers` are those that count, to
    the criterion `key`; `decided_by` is who decided instead of them, if anybody did."""

    found: Lean | str
    key: str
    answers: Answers
    votes: list[Vote]
    group: str = ""
    decided_by: tuple[str, ...] = ()


class Deciding:
    """A recipe as a function of one comparison, for a format that takes some kinds of outcome."""

    def __init__(self, recipe: Recipe, takes: Set[str], known: Known | None = None) -> None:
        self.recipe, self.takes, self.known = recipe, takes, known or Known()
        self.plain = recipe.plain
        self.least, self.excluded = recipe.filters.min_judgments, recipe.filters.exclude
        each = recipe.aggregate == EACH
        self.rule, self.whole = RULES[MAJORITY if each else recipe.aggregate], not each

    def __call__(self, comparison: Comparison) -> list[Outcome] | str:
        """The outcomes, or a key of `DROPPED`."""
        if self.plain:
            takes, least, words = self.takes, self.least, self.recipe.rationales
            made = decide(comparison, takes=takes, min_judgments=least, rationales=words)
            if isinstance(made, str):
                return made
            return self._unfit(made.chosen, made.rejected) or [made] if made.kind == SIDE else [made]
        reason, found = "", []
        for judged in self.judged(comparison):
            made_of = self._outcome(comparison, judged)
            if isinstance(made_of, Outcome):
                found += self._copies(made_of)
            else:
                reason = reason or made_of
        return found or reason or ("small_group" if comparison.votes else "unjudged")

    def judged(self, comparison: Comparison) -> Iterator[Judged]:
        """What the votes come to, before anybody looks at the texts: once, or once a group or a vote."""
        for group, votes in self._parts(comparison):
            judged = self._judged(comparison, votes, group)
            if self.whole or judged.found == "too_few":
                yield judged
            else:
                yield from (self._judged(comparison, [vote], group, least=1) for vote in votes)

    def _parts(self, comparison: Comparison) -> Iterator[tuple[str, list[Vote]]]:
        """The votes, those of each group for themselves if the recipe keeps groups apart."""
        if self.recipe.apart is None:
            yield "", comparison.votes
            return
        parts: dict[str, list[Vote]] = {}
        for vote in comparison.votes:
            group = vote.language if self.recipe.apart == "language" else self.known.groups.get(vote.rater, "")
            parts.setdefault(group, []).append(vote)
        yield from ((group, parts[group]) for group in sorted(parts) if group)

    def _judged(self, comparison: Comparison, votes: list[Vote], group: str, least: int = 0) -> Judged:
        least, combine, key = least or self.least, self.recipe.combine, self.recipe.criterion
        answers = self._answers(comparison, votes, key)
        asked = len(votes) if "unjudged" in self.takes else 0
        found, by = self._lean(comparison, key, answers, least, asked)
        if combine is not None and combine.how == SAFER_WINS:
            harmless = self._answers(comparison, votes, combine.harmless)
            safer, who = self._lean(comparison, combine.harmless, harmless, least)
            if isinstance(safer, Lean):
                found, by, answers, key = safer, who, harmless, combine.harmless
            else:
                sides, before = self._sides(comparison, votes), found
                found, answers = _marked(found, answers, sides)
                by = by if found is before else _who_marked(comparison)
        judged = Judged(found, key, answers, votes, group, by)
        if isinstance(found, Lean):
            judged.found = self._excluded(comparison, judged, found) or found
        return judged

    def _lean(
        self, comparison: Comparison, key: str, answers: Answers, least: int, asked: int = 0
    ) -> tuple[Lean | str, tuple[str, ...]]:
        """What was decided on a criterion and by whom, if decisions go first; else what the answers come to."""
        voted = lean(self.rule, answers, least, self.known.trust.get(key), self.recipe.certainty, asked)
        grade, by = self._decision(comparison, key)
        return (decided(grade, voted), by) if by else (voted, ())

    def _decision(self, comparison: Comparison, key: str) -> tuple[float | None, tuple[str, ...]]:
        """The grade that was decided on, and by whom; on several criteria, if each of them was decided."""
        combine = self.recipe.combine
        if combine is None or combine.how != WEIGHTED or key != self.recipe.criterion:
            found = comparison.decision(key)
            return (found.grade, (found.by,)) if found else (None, ())
        weighed = [(comparison.decision(each), weight) for each, weight in combine.weights]
        every = [(found, weight) for found, weight in weighed if found is not None]
        if len(every) < len(weighed):
            return None, ()
        graded = [(found.grade, weight) for found, weight in every if found.grade is not None]
        total = sum(weight for _, weight in graded)
        grade = round(sum(grade * weight for grade, weight in graded) / total, 9) if graded else None
        return grade, tuple(sorted({found.by for found, _ in every}))

    def _excluded(self, comparison: Comparison, judged: Judged, found: Lean) -> str:
        """Why a label that was found is left out, or the empty string."""
        if "conflict" in self.excluded and self._conflict(comparison, judged.votes):
            return "conflict"
        first, second = self._sides(comparison, judged.votes)
        return self._unfit(*(first, second) if found.side < 0 else (second, first))

    def _unfit(self, chosen: Side, rejected: Side) -> str:
        if "preferred_unsafe" in self.excluded and chosen.is_safe is False and rejected.is_safe:
            return "preferred_unsafe"
        return "unsafe" if "unsafe" in self.excluded and chosen.is_safe is False else ""

    def _conflict(self, comparison: Comparison, votes: list[Vote]) -> bool:
        """Whether two of the preferences point different ways, each by its majority."""
        keys = self.recipe.combine.keys if self.recipe.combine else self.known.pointing
        sides = []
        for key in keys:
            answers = [(vote.rater, _grade(vote, key)) for vote in votes if _answered(vote, key)]
            decision = comparison.decision(key)
            found = lean(RULES[MAJORITY], answers, 1, None, 0)
            found = found if decision is None else decided(decision.grade, found)
            sides.append(found.side if isinstance(found, Lean) else 0)
        return differ(sides)

    def _answers(self, comparison: Comparison, votes: list[Vote], key: str) -> Answers:
        """Who answered what on a criterion, or on the weighted mean of several; by pseudonym."""
        combine = self.recipe.combine
        if not votes and key == self.recipe.criterion:
            return comparison.answers
        if combine is not None and combine.how == WEIGHTED:
            found = ((vote.rater, _weighted(vote, combine.weights)) for vote in votes)
            return [(rater, grade[0]) for rater, grade in found if grade]
        if key != self.recipe.criterion:
            return [(vote.rater, _grade(vote, key)) for vote in votes if _answered(vote, key)]
        return [(v.rater, None if v.neither else v.value) for v in votes if v.neither or v.value is not None]

    def _sides(self, comparison: Comparison, votes: list[Vote]) -> tuple[Side, Side]:
        """The two responses; where only some of the votes count, with what those said of their safety."""
        first, second = comparison.first, comparison.second
        if len(votes) == len(comparison.votes):
            return first, second
        first, second = replace(first, safe=0, unsafe=0), replace(second, safe=0, unsafe=0)
        for said in (safety for vote in votes for safety in vote.safety.values()):
            for side, safety in zip((first, second), said, strict=True):
                if safety is not None:
                    side.safe += safety.safe
                    side.unsafe += not safety.safe
        return first, second

    def _outcome(self, comparison: Comparison, judged: Judged) -> Outcome | str:
        found, reason = judged.found, judged.found if isinstance(judged.found, str) else ""
        if reason and reason not in self.takes:
            return reason
        prompt = worded(comparison, self.takes)
        if isinstance(prompt, str):
            return prompt
        if isinstance(found, str):
            return replace(nowhere(comparison, prompt, reason), group=judged.group, decided_by=judged.decided_by)
        first, second = (
            self._counted(side, judged, sign)
            for side, sign in zip(self._sides(comparison, judged.votes), (-1, 1), strict=True)
        )
        chosen, rejected = (first, second) if found.side < 0 else (second, first)
        said = "\n\n".join(sorted(set(chosen.rationales))) if self.recipe.rationales else ""
        return Outcome(
            SIDE, comparison.item, comparison.language, prompt, chosen, rejected, round(self._margin(found), PLACES),
            found.grade, said, comparison, round(found.p_chosen, PLACES), round(found.share, PLACES), judged.group,
            judged.decided_by,
        )  # fmt: skip

    def _counted(self, side: Side, judged: Judged, sign: int) -> Side:
        """A response with those answers that count for it."""
        mine = [abs(grade) for _, grade in judged.answers if grade and grade * sign > 0]
        said = side.rationales
        if judged.votes:
            keys = self.recipe.criteria
            raters = {rater for rater, grade in judged.answers if grade and grade * sign > 0}
            said = [
                vote.texts[key] for vote in judged.votes if vote.rater in raters for key in keys if key in vote.texts
            ]
        return Side(side.fingerprint, side.text, len(mine), sum(mine), side.safe, side.unsafe, said, side.decided)

    def _margin(self, found: Lean) -> float:
        kind, strengths = self.recipe.margin, self.known.strengths.get(self.recipe.criterion, 3)
        if kind == "none":
            return 0.0
        if kind == "log_odds":
            sure = min(found.p_chosen, 1 - 1e-9)
            return max(0.0, min(LARGEST_LOG_ODDS, log(sure / (1 - sure))))
        if kind == "mean":
            return found.margin
        return llama2_margin(found.grade, strengths, small=kind == "llama2_small")

    def _copies(self, outcome: Outcome) -> list[Outcome]:
        """Itself; or ten of it, of which as many are turned around as the label is uncertain."""
        if self.recipe.labels != COPIES or outcome.kind != SIDE:
            return [outcome]
        kept = copies(outcome.p_chosen, COPIES_A_PAIR)
        turned = replace(outcome, chosen=outcome.rejected, rejected=outcome.chosen, margin=0.0, rationale="")
        return [outcome] * kept + [turned] * (COPIES_A_PAIR - kept)


def _marked(helpful: Lean | str, answers: Answers, sides: tuple[Side, Side]) -> tuple[Lean | str, Answers]:
    """The one response marked safe, else the helpful side; with the answers it rests on."""
    first, second = (side.is_safe for side in sides)
    if first is None or second is None or first == second:
        return helpful, answers
    side = -1 if first else 1
    if isinstance(helpful, Lean) and helpful.side == side:
        return helpful, answers
    return Lean(side, 1.0, 1.0, [float(side)]), [("", float(side))]


def _who_marked(comparison: Comparison) -> tuple[str, ...]:
    """Whose decisions on safety there are."""
    return tuple(sorted({each.by for each in comparison.decisions if each.side is not None}))


def _answered(vote: Vote, key: str) -> bool:
    return key in vote.preferences or key in vote.both_bad


def _grade(vote: Vote, key: str) -> float | None:
    return None if key in vote.both_bad else vote.preferences[key]


def _weighted(vote: Vote, weights: tuple[tuple[str, float], ...]) -> tuple[float | None] | None:
    """A rater's weighted mean over what they answered; (None,) if all they said is “neither”, None if nothing."""
    given = [(vote.preferences[key], weight) for key, weight in weights if key in vote.preferences]
    if given:
        return (round(sum(grade * weight for grade, weight in given) / sum(weight for _, weight in given), 9),)
    return (None,) if any(key in vote.both_bad for key, _ in weights) else None
