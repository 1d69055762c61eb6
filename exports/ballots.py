"""From the votes of a pair, as the database sends them, to `Vote`s, and from those to the sums."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from operator import attrgetter, itemgetter
from typing import Any

import orjson

from exports.recipes.majority import Comparison, Side
from exports.recipes.votes import Safety, Vote
from labeling.models import Criterion, Guideline, Project
from labeling.reports.pseudonyms import pseudonym

Kind = Criterion.Kind
_NONE: frozenset[str] = frozenset()
_BARE = {safe: Safety(safe) for safe in (True, False)}
_by_criterion, _by_rater = itemgetter(0), attrgetter("rater")


class Pseudonyms:
    """The names of a project's raters, each made once."""

    def __init__(self, project: Project) -> None:
        self._project = project
        self._names: dict[int, str] = {}

    def of(self, rater: int) -> str:
        if rater not in self._names:
            self._names[rater] = pseudonym(self._project, rater)
        return self._names[rater]


class Ballots:
    """Reads votes for one recipe's criterion, with or without the raters' words. Needs no query after its first."""

    def __init__(self, project: Project, criteria: Sequence[Criterion], chosen: Criterion, words: bool = True) -> None:
        self._chosen, self._names, self._words = chosen.key, Pseudonyms(project), words
        self._criteria = {criterion.pk: (criterion.key, _READERS[criterion.kind]) for criterion in criteria}
        always = [c.key for c in criteria if c.kind == Kind.PREFERENCE and c.asked == Criterion.Asked.ALWAYS]
        self._pointing = always if chosen.asked == Criterion.Asked.ON_CONFLICT else []
        published = Guideline.objects.filter(project=project, version__isnull=False)
        self._guidelines: dict[int | None, tuple[int | None, dict[int, str]]] = {
            pk: (version, {each["number"]: each["text"] for each in principles})
            for pk, version, principles in published.values_list("pk", "version", "principles")
        }

    def votes(self, data: str, first_id: int, straight: bool, language: str) -> list[Vote]:
        """The votes of one pair, by pseudonym. `straight` says that the pair's first response is the comparison's."""
        votes = [self._vote(plain, first_id, straight, language) for plain in orjson.loads(data)]
        return in_order(votes)

    def count(self, comparison: Comparison) -> None:
        """Add up the votes of a fresh comparison, by the same rules as the SQL that only brings sums."""
        first, second = comparison.first, comparison.second
        for vote in comparison.votes:
            value = vote.value
            if vote.neither:
                comparison.both_bad += 1
            elif value == 0:
                comparison.ties += 1
            elif value is not None:
                side = first if value < 0 else second
                side.raters += 1
                side.strength += abs(value)
                if said := vote.texts.get(self._chosen):
                    side.rationales.append(said)
            for found in vote.safety.values():
                for side, safety in zip((first, second), found, strict=True):
                    _count_safety(side, safety)

    def _vote(self, plain: Any, first_id: int, straight: bool, language: str) -> Vote:
        # fmt: off
        rater, guideline, revision, principle, instrument, kept, swapped, active_ms, day, answers = plain
        version, principles = self._guidelines.get(guideline, (None, {}))
        vote = Vote(
            self._names.of(rater), {}, _NONE, {}, {}, {}, (),
            principles.get(principle, ""), version, instrument, revision, tuple(kept),
            None if swapped is None else swapped == straight, active_ms, day, language, self._chosen,
        )
        # fmt: on
        if len(answers) > 1:
            answers.sort(key=_by_criterion)
        for answer in answers:
            key, take = self._criteria[answer[0]]
            take(vote, key, (answer[1] == first_id) == straight, straight, answer)
        if not self._words:
            vote.texts.clear()
        self._choose(vote)
        return vote

    def _choose(self, vote: Vote) -> None:
        """The answer that counts. One that was not asked for is the side to which the other preferences point."""
        chosen, given = self._chosen, vote.preferences
        vote.value, vote.neither = given.get(chosen), chosen in vote.both_bad
        if vote.value is not None or vote.neither or not self._pointing:
            return
        values = [given[key] for key in self._pointing if key in given]
        pointed = [value for value in values if value]
        bad = any(key in vote.both_bad for key in self._pointing)
        if not pointed:
            vote.value, vote.neither = (0 if values and not bad else None), bad
        elif (min(pointed) > 0) == (max(pointed) > 0):
            vote.value = sum(pointed) / len(pointed)


def in_order(votes: list[Vote]) -> list[Vote]:
    """By pseudonym; what one rater said of the same texts in two places, by all that was said."""
    votes.sort(key=_by_rater)
    if len(votes) > 1 and len({vote.rater for vote in votes}) < len(votes):
        votes.sort(key=lambda vote: (vote.rater, vote.created_day, orjson.dumps(vote, default=sorted)))
    return votes


def _count_safety(side: Side, safety: Safety | None) -> None:
    if safety is not None:
        side.safe += safety.safe
        side.unsafe += not safety.safe


# A reader a kind, of [criterion, response, preference, both_bad, safe, text, rating, categories, severity], where the
# last may be missing: nothing of them was said.


def _preference(vote: Vote, key: str, is_first: bool, straight: bool, answer: list[Any]) -> None:
    value = answer[2]
    if answer[3]:
        vote.both_bad |= {key}
    elif value is not None:
        vote.preferences[key] = value if straight else -value
    if len(answer) > 5 and answer[5]:
        vote.texts[key] = answer[5]


def _rating(vote: Vote, key: str, is_first: bool, straight: bool, answer: list[Any]) -> None:
    first, second = vote.ratings.get(key, (None, None))
    vote.ratings[key] = (answer[6], second) if is_first else (first, answer[6])
    _said_of(vote, key, is_first, answer)


def _safety(vote: Vote, key: str, is_first: bool, straight: bool, answer: list[Any]) -> None:
    found = Safety(answer[4], tuple(answer[7]), answer[8]) if len(answer) > 5 else _BARE[answer[4]]
    first, second = vote.safety.get(key, (None, None))
    vote.safety[key] = (found, second) if is_first else (first, found)
    _said_of(vote, key, is_first, answer)


def _said_of(vote: Vote, key: str, is_first: bool, answer: list[Any]) -> None:
    if len(answer) > 5 and answer[5]:
        vote.texts[f"{key}.first" if is_first else f"{key}.second"] = answer[5]


def _text(vote: Vote, key: str, is_first: bool, straight: bool, answer: list[Any]) -> None:
    vote.texts[key] = answer[5]


def _reasons(vote: Vote, key: str, is_first: bool, straight: bool, answer: list[Any]) -> None:
    vote.reasons += tuple(answer[7])


_READERS: dict[str, Callable[[Vote, str, bool, bool, list[Any]], None]] = {
    Kind.PREFERENCE: _preference,
    Kind.RATING: _rating,
    Kind.SAFETY: _safety,
    Kind.TEXT: _text,
    Kind.REASONS: _reasons,
}
