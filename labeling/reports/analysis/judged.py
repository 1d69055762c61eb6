"""All that was judged in a project, as arrays: what every report is computed from. Nothing here asks the database."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from labeling.models import Criterion
from labeling.stats.counts import Floats, Ints, count_table

Bools = NDArray[np.bool_]
Small = NDArray[np.int16]
Kind = Criterion.Kind
BOTH_BAD = 32767  # among the values of a preference; no grade is so strong
MODEL_MISSING = -1
FIRST, TIE, SECOND, NEITHER = 0, 1, 2, 3


class Named(NamedTuple):
    """A property of each row, by number: `names[number[row]]`; -1 where a row has none."""

    names: list[str]
    number: Ints


@dataclass(slots=True)
class Pairs:
    """One row a judged pair, in the order of their ids. `item` numbers the prompts from 0."""

    ids: Ints
    item: Ints
    first: Ints
    second: Ints
    first_model: Ints
    second_model: Ints
    models: list[str]
    audit: Bools

    def __len__(self) -> int:
        return len(self.ids)


@dataclass(slots=True)
class Items:
    """One row an item with a judged pair; `tags` are (item, tag) rows, for an item may have several."""

    ids: Ints
    language: Named
    batch: Named
    category: Named
    tag_names: list[str]
    tagged_item: Ints
    tagged: Ints


@dataclass(slots=True)
class Given:
    """One row an annotation that counts, in the order of time. `at`: seconds since 1970; `active_ms`: -1 if unknown.

    `gold`: it was given to a known answer that was mixed in. `adaptive`: in a queue that decides by what it got.
    """

    ids: Ints
    pair: Ints
    rater: Ints
    guideline: Ints
    at: Floats
    active_ms: NDArray[np.int32]
    swapped: Bools
    gold: Bools
    adaptive: Bools

    def __len__(self) -> int:
        return len(self.ids)


@dataclass(slots=True)
class Votes:
    """The answers to one criterion. `unit` numbers what was judged (a pair, or one of its responses), `answer` the
    category; `given` is the row of the annotation, `pair` of the pair. In the order of time."""

    criterion: Criterion
    categories: list[str]
    unit: Ints
    answer: Ints
    value: Small
    given: Ints
    pair: Ints
    rater: Ints
    units: int
    unit_pair: Ints
    unit_side: NDArray[np.int8]

    def __len__(self) -> int:
        return len(self.unit)

    def counts(self, kept: Bools | None = None) -> Ints:
        """How many raters gave each answer, shape (units, categories); of the kept judgments only."""
        unit, answer = (self.unit, self.answer) if kept is None else (self.unit[kept], self.answer[kept])
        return count_table(unit, answer, self.units, len(self.categories))

    def only(self, kept: Bools) -> Votes:
        """The same without the other judgments; units keep their numbers."""
        return Votes(
            self.criterion, self.categories, self.unit[kept], self.answer[kept], self.value[kept], self.given[kept],
            self.pair[kept], self.rater[kept], self.units, self.unit_pair, self.unit_side,
        )  # fmt: skip


@dataclass(slots=True)
class Judged:
    """`value` and `severity` (answers,) of `criterion` (its number in `criteria`) on `side` (0 the pair, 1, 2)."""

    criteria: list[Criterion]
    pairs: Pairs
    items: Items
    given: Given
    raters: Ints
    pseudonyms: list[str]
    guidelines: list[str]
    answer_given: Ints
    answer_criterion: NDArray[np.int8]
    answer_side: NDArray[np.int8]
    answer_value: Small
    answer_severity: NDArray[np.int8]
    up_to: int
    now: float

    def __len__(self) -> int:
        """Judgments: single answers."""
        return len(self.answer_given)

    @property
    def moment(self) -> datetime:
        return datetime.fromtimestamp(self.now, UTC)

    @property
    def preferences(self) -> list[Criterion]:
        return [one for one in self.criteria if one.kind == Kind.PREFERENCE]

    def votes(self, criterion: Criterion, *, gold: bool = True) -> Votes:
        """Every answer to the criterion; without `gold`, those to known answers that were mixed in are left out."""
        mine = self.answer_criterion == self.criteria.index(criterion)
        if not gold:
            mine &= ~self.given.gold[self.answer_given]
        given, side, value = self.answer_given[mine], self.answer_side[mine], self.answer_value[mine]
        pair = self.given.pair[given]
        place = pair if criterion.kind == Kind.PREFERENCE else pair * 2 + np.maximum(side, 1) - 1
        found, unit = np.unique(place, return_inverse=True)
        whole = criterion.kind == Kind.PREFERENCE
        unit_pair, unit_side = (found, np.zeros(len(found), np.int8)) if whole else (found // 2, found % 2 + 1)
        categories, answer = _answers(criterion, value)
        return Votes(
            criterion, categories, unit.astype(np.int64), answer, value, given, pair, self.given.rater[given],
            len(found), unit_pair, unit_side.astype(np.int8),
        )  # fmt: skip

    def severity(self, criterion: Criterion) -> NDArray[np.int8]:
        """Of each answer of `votes(criterion)`."""
        severity: NDArray[np.int8] = self.answer_severity[self.answer_criterion == self.criteria.index(criterion)]
        return severity

    def of_item(self, which: Named, pair: Ints) -> Ints:
        """The number of the pair's item's property, -1 where it has none."""
        return which.number[self.pairs.item[pair]]


def _answers(criterion: Criterion, value: Small) -> tuple[list[str], Ints]:
    """What categories there are, in their order, and which one each value is."""
    if criterion.kind == Kind.SAFETY:
        return ["safe", "unsafe"], (1 - value).astype(np.int64)
    if criterion.kind == Kind.RATING:
        return [str(n) for n in range(criterion.minimum, criterion.maximum + 1)], value.astype(np.int64) - (
            criterion.minimum
        )
    neither = value == BOTH_BAD
    side = np.where(neither, NEITHER, np.where(value < 0, FIRST, np.where(value > 0, SECOND, TIE))).astype(np.int64)
    names = ["first", "tie", "second"] + ["neither"] * bool(criterion.allow_both_bad or neither.any())
    if not criterion.allow_tie and not (side == TIE).any():
        names.remove("tie")
        side -= side > TIE
    return names, side


def grades(votes: Votes) -> tuple[int, Ints, Bools]:
    """How many ordered grades there are, each answer's, and which answers have one (not “neither”).

    Of a preference from “first, most strongly” to “second, most strongly”; without ties there is no middle one.
    """
    criterion = votes.criterion
    if criterion.kind != Kind.PREFERENCE:
        return len(votes.categories), votes.answer, np.ones(len(votes), np.bool_)
    graded = votes.value != BOTH_BAD
    grade = np.where(graded, votes.value, 0).astype(np.int64) + criterion.strengths
    number = 2 * criterion.strengths + 1
    if "tie" not in votes.categories:
        grade, number = grade - (grade > criterion.strengths), number - 1
    return number, grade, graded


def majority(counts: Ints) -> Ints:
    """The answer that most gave, of each unit; -1 where two share the first place or nobody answered."""
    most = counts.max(1, initial=0)
    alone = ((counts == most[:, None]).sum(1) == 1) & (most > 0)
    return np.where(alone, counts.argmax(1), -1)


def most_frequent(which: Named, rows: Ints, most: int) -> Sequence[int]:
    """Numbers of the names that most rows have, the most frequent first."""
    present = which.number[rows]
    counts = np.bincount(present[present >= 0], minlength=len(which.names))
    order = np.argsort(-counts, kind="stable")[:most]
    return [int(number) for number in order if counts[number]]
