"""How each rater works, whatever they say: pace, keys pressed, sides favoured, change over time, their own repeats."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime

import numpy as np
from django.db import connection

from labeling.models import Criterion
from labeling.reports.analysis.judged import BOTH_BAD, Judged
from labeling.reports.analysis.shape import Table
from labeling.reports.analysis.source import Source, share_of
from labeling.stats.biases import wilson
from labeling.stats.coefficients import cohen_kappa, partial_agreement
from labeling.stats.counts import Floats, Ints
from labeling.stats.drift import Drift, agreed, drift
from labeling.stats.groups import benjamini_hochberg
from labeling.stats.pace import WORDS_A_SECOND, last_of_each, pace
from labeling.stats.patterns import Pattern, pattern

LEAST_TIMED, LEAST_KEYS, LEAST_DRIFT, LEAST_SIDED = 20, 20, 60, 20
POINTS = 40
_BELIEF = 5.0  # left and right choices that count as seen before the first: nobody is biased after three answers
_SECOND_LOOKS = """
SELECT rater_id, preference, before FROM labeling_secondlook
WHERE project_id = %s AND criterion_id = %s ORDER BY id
"""


@dataclass(frozen=True, slots=True)
class Sides:
    """Of each rater: preferences that took a side, those for the left; P(the true share is not within 40 to 60 %), and
    what is left of it when so many raters are looked at (false discoveries)."""

    decided: Ints
    left: Ints
    biased: Floats
    adjusted: Floats


def sides(judged: Judged) -> Sides:
    raters = len(judged.raters)
    decided, left = np.zeros(raters, dtype=np.int64), np.zeros(raters, dtype=np.int64)
    for criterion in judged.preferences:
        votes = judged.votes(criterion)
        sided = (votes.value != 0) & (votes.value != BOTH_BAD)
        on_left = sided & ((votes.value < 0) != judged.given.swapped[votes.given])
        decided += np.bincount(votes.rater[sided], minlength=raters)
        left += np.bincount(votes.rater[on_left], minlength=raters)
    share = np.linspace(0.0005, 0.9995, 1000)
    likely = np.outer(left + _BELIEF - 1, np.log(share)) + np.outer(decided - left + _BELIEF - 1, np.log1p(-share))
    weight = np.exp(likely - likely.max(1, keepdims=True, initial=-np.inf))
    biased = weight[:, np.abs(share - 0.5) > 0.1].sum(1) / weight.sum(1)
    return Sides(decided, left, biased, benjamini_hochberg(1 - biased) if raters else biased)


@dataclass(frozen=True, slots=True)
class Paces:
    """Of each rater, in milliseconds: what the last answers took, what the crowd takes for as much text, and what it
    takes to read it; `too_fast` is the share of those answers. NaN under LEAST_TIMED answers."""

    median: Floats
    taken: Floats
    usual: Floats
    reading: Floats
    too_fast: Floats
    slope: float


def paces(source: Source) -> Paces:
    given, raters = source.judged.given, len(source.judged.raters)
    timed = np.flatnonzero(given.active_ms > 0)
    nothing = np.full(raters, np.nan)
    if not len(timed):
        return Paces(nothing, nothing, nothing, nothing, nothing, float("nan"))
    first, second = source.texts.words
    words = (first + second)[given.pair[timed]]
    seconds, rater = given.active_ms[timed] / 1000, given.rater[timed]
    found = pace(seconds, words, rater, raters)
    last = last_of_each(rater, raters)
    enough = np.bincount(rater, minlength=raters) >= LEAST_TIMED
    number = np.maximum(np.bincount(rater[last], minlength=raters), 1)
    too_fast = np.bincount(rater[last], found.too_fast[last], raters) / number
    taken, usual, reading = (
        medians(values[last], rater[last], raters) * 1000 for values in (seconds, found.usual, words / WORDS_A_SECOND)
    )
    shown = [np.where(enough, each, np.nan) for each in (taken, usual, reading, too_fast)]
    return Paces(medians(seconds, rater, raters) * 1000, shown[0], shown[1], shown[2], shown[3], found.slope)


def medians(values: Floats, group: Ints, groups: int) -> Floats:
    """Of each group; NaN of an empty one."""
    order = np.lexsort((values, group))
    number = np.bincount(group, minlength=groups)
    begin = np.cumsum(number) - number
    found = np.full(groups, np.nan)
    some = np.flatnonzero(number)
    low, high = begin[some] + (number[some] - 1) // 2, begin[some] + number[some] // 2
    found[some] = (values[order][low] + values[order][high]) / 2
    return found


def patterns(judged: Judged, criterion: Criterion) -> dict[int, Pattern]:
    """Of each rater's keys on one preference as they were shown, by the rater's row."""
    votes = judged.votes(criterion)
    shown = votes.value.astype(np.int64)
    shown = np.where(judged.given.swapped[votes.given] & (shown != BOTH_BAD), -shown, shown)
    return {
        rater: pattern(shown[mine])
        for rater, mine in by_rater(votes.rater, len(judged.raters)).items()
        if len(mine) >= LEAST_KEYS
    }


@dataclass(frozen=True, slots=True)
class Course:
    """How a rater's agreement with others went: the chart, and the days of its points."""

    drift: Drift
    at: Floats

    @property
    def since(self) -> str | None:
        """The day on which it changed."""
        return None if self.drift.change is None else day_of(self.at[self.drift.change])


def courses(source: Source, criterion: Criterion) -> dict[int, Course]:
    """Of raters with LEAST_DRIFT votes that others' votes say something of."""
    votes, learned = source.judged.votes(criterion, gold=False), source.learned(criterion)
    sided = (votes.value != 0) & (votes.value != BOTH_BAD)
    unit, rater, given = votes.unit[sided], votes.rater[sided], votes.given[sided]
    found = agreed(unit, rater, (votes.value[sided] < 0).astype(np.int64), share_of(learned.crowd), votes.units)
    told = np.flatnonzero(found.told)
    made: dict[int, Course] = {}
    for one, mine in by_rater(rater[told], len(source.judged.raters)).items():
        if len(mine) >= LEAST_DRIFT:
            rows = told[mine]
            made[one] = Course(drift(found.agrees[rows], found.expected[rows]), source.judged.given.at[given[rows]])
    return made


def chart_points(table: Table, pseudonym: str, course: Course) -> None:
    """At most POINTS of the chart, the last always."""
    size = len(course.at)
    for place in np.unique(np.linspace(0, size - 1, min(POINTS, size)).astype(int)).tolist():
        level = round(float(course.drift.chart[place]), 3)
        table.add(rater=pseudonym, place=place + 1, day=day_of(course.at[place]), level=level)


def repeats(source: Source, table: Table) -> dict[int, tuple[int, int]]:
    """How often each rater answered a pair that came back as before: (the same side, all), by the rater's row.

    A row a rater and criterion, and one without a rater for all of them: the ceiling of every other agreement.
    """
    row = {int(pk): place for place, pk in enumerate(source.judged.raters.tolist())}
    found: dict[int, tuple[int, int]] = {}
    for criterion in source.judged.preferences:
        with connection.cursor() as cursor:
            cursor.execute(_SECOND_LOOKS, [source.project.pk, criterion.pk])
            looks = [(row[who], now, before) for who, now, before in cursor.fetchall() if who in row]
        if not looks:
            continue
        who = np.array([look[0] for look in looks])
        now, before = (np.array([_grade(look[place], criterion) for look in looks]) for place in (1, 2))
        _repeated(table, criterion, "", now, before)
        for one in np.unique(who).tolist():
            same = _repeated(table, criterion, source.judged.pseudonyms[one], now[who == one], before[who == one])
            known = found.get(one, (0, 0))
            found[one] = (known[0] + same, known[1] + int((who == one).sum()))
    return found


def _grade(preference: int | None, criterion: Criterion) -> int:
    """0 to 2 * strengths, and one more for “neither”."""
    return 2 * criterion.strengths + 1 if preference is None else preference + criterion.strengths


def _repeated(table: Table, criterion: Criterion, rater: str, now: Ints, before: Ints) -> int:
    strengths = criterion.strengths
    side, was = (np.where(each > 2 * strengths, 2, np.sign(each - strengths)) + 1 for each in (now, before))
    graded = (now <= 2 * strengths) & (before <= 2 * strengths)
    same, number = int((side == was).sum()), len(side)
    low, high = wilson(same, number)
    size = 2 * strengths + 1
    weighted = cohen_kappa(before[graded], now[graded], size, partial_agreement(size, 2))
    table.add(
        criterion=criterion.key, rater=rater, repeats=number, same=same, share=same / number, low=low, high=high,
        kappa=cohen_kappa(was, side, 4), weighted_kappa=weighted,
    )  # fmt: skip
    return same


def by_rater(rater: Ints, raters: int) -> dict[int, Ints]:
    """The places of each rater's entries, in their order; raters without any are left out."""
    order = np.argsort(rater, kind="stable")
    ends = np.cumsum(np.bincount(rater, minlength=raters))
    parts = np.split(order, ends[:-1])
    return {number: part for number, part in enumerate(parts) if len(part)}


def day_of(at: float) -> str:
    return datetime.fromtimestamp(float(at), UTC).date().isoformat()
