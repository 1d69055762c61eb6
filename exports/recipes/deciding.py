"""From a comparison to what a recipe makes of it: outcomes for the format, or the reason why there is none."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Set
from dataclasses import dataclass, field, replace

from exports.recipes.aggregates import RULES, Lean, lean
from exports.recipes.majority import SIDE, Comparison, Outcome, decide, prompt_of
from exports.recipes.recipe import COPIES, EACH, SAFER_WINS, Recipe
from exports.recipes.trust import Trust
from exports.recipes.votes import Vote

LARGEST_LOG_ODDS = 3.0
FEWEST = 5  # raters that a group needs; fewer could be told apart
NO_TRUST: Mapping[str, Trust] = {}


@dataclass(frozen=True, slots=True)
class Known:
    """What a recipe needs to know beside the comparison: the strengths of each preference that is always asked, how
    far raters are to be trusted by criterion, and the group of each rater who told one."""

    strengths: Mapping[str, int] = field(default_factory=dict)
    trust: Mapping[str, Trust] = field(default_factory=lambda: NO_TRUST)
    groups: Mapping[str, str] = field(default_factory=dict)


class Deciding:
    """A recipe as a function of one comparison, for a format that takes some kinds of outcome."""

    def __init__(self, recipe: Recipe, takes: Set[str], known: Known | None = None) -> None:
        self.recipe, self.takes, self.known = recipe, takes, known or Known()
        self.least, self.excluded = recipe.filters.min_judgments, recipe.filters.exclude

    def __call__(self, comparison: Comparison) -> list[Outcome] | str:
        """The outcomes, or a key of `DROPPED`."""
        if self.recipe.plain:
            made = decide(
                comparison, takes=self.takes, min_judgments=self.least, rationales=self.recipe.rationales
            )
            return made if isinstance(made, str) else self._kept([made])
        found, reason = [], ""
        for group, votes in self._parts(comparison):
            some = self._each(comparison, votes) if self.recipe.aggregate == EACH else self._one(comparison, votes)
            if isinstance(some, str):
                reason = reason or some
            else:
                found += [replace(outcome, group=group) for outcome in some] if group else some
        return found or reason or ("small_group" if comparison.votes else "unjudged")

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

    def _one(self, comparison: Comparison, votes: list[Vote]) -> list[Outcome] | str:
        answers = self._answers(votes, self.recipe.criterion)
        found = self._lean(comparison, votes)
        if isinstance(found, str):
            return self._nowhere(comparison, votes, found)
        if "conflict" in self.excluded and self._conflict(votes):
            return "conflict"
        prompt = prompt_of(comparison)
        if isinstance(prompt, str):
            return prompt
        first, second = self._sides(comparison, votes)
        chosen, rejected = (first, second) if found.side < 0 else (second, first)
        chosen.rationales = self._said(votes, found.side)
        outcome = Outcome(
            SIDE, comparison.item, comparison.language, prompt, chosen, rejected, self._margin(found), found.grade,
            "\n\n".join(sorted(set(chosen.rationales))), p_chosen=found.p_chosen, share=found.share,
            answers=len(answers),
        )  # fmt: skip
        kept = self._kept([outcome])
        return kept if isinstance(kept, str) or self.recipe.labels != COPIES else _repeated(outcome)

    def _each(self, comparison: Comparison, votes: list[Vote]) -> list[Outcome] | str:
        """Every vote for itself; those that point nowhere give a row where the format has a use for them."""
        if len(votes) < self.least:
            return "too_few"
        found: list[Outcome] = []
        reason = ""
        for vote in votes:
            some = self._one_vote(comparison, vote)
            if isinstance(some, str):
                reason = reason or some
            else:
                found += some
        return found or reason or "unjudged"

    def _one_vote(self, comparison: Comparison, vote: Vote) -> list[Outcome] | str:
        return Deciding(self.single, self.takes, self.known)._one(comparison, [vote])

    @property
    def single(self) -> Recipe:
        return replace(self.recipe, aggregate="majority", filters=replace(self.recipe.filters, min_judgments=1))

    def _lean(self, comparison: Comparison, votes: list[Vote]) -> Lean | str:
        combine = self.recipe.combine
        if combine is None or combine.how != SAFER_WINS:
            return self._lean_of(votes, self.recipe.criterion)
        harmless = self._lean_of(votes, combine.harmless)
        if isinstance(harmless, Lean):
            return harmless
        helpful = self._lean_of(votes, combine.helpful)
        first, second = self._sides(comparison, votes)
        if {first.is_safe, second.is_safe} == {True, False}:
            side = -1 if first.is_safe else 1
            agrees = isinstance(helpful, Lean) and helpful.side == side
            return helpful if agrees and isinstance(helpful, Lean) else Lean(side, 1.0, 1.0, [float(side)])
        return helpful

    def _lean_of(self, votes: list[Vote], key: str) -> Lean | str:
        rule = RULES[self.recipe.aggregate]
        trust = self.known.trust.get(key)
        return lean(rule, self._answers(votes, key), self.least, trust, self.recipe.certainty)
