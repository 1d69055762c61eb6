"""Every two raters on what both judged: how often they agree, and Cohen's kappa."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from labeling.stats.coefficients import cohen_kappa, partial_agreement
from labeling.stats.counts import Ints

MOST_A_UNIT = 200  # raters of one unit that are held against each other


@dataclass(frozen=True, slots=True)
class TwoRaters:
    rater: int
    other: int
    units: int
    percent: float
    kappa: float
    weighted: float


def pairs_of_raters(
    unit: Ints, rater: Ints, answer: Ints, categories: int, *, least: int, most: int
) -> Iterator[TwoRaters]:
    """The `most` pairs of raters who share most units, at least `least`. One (unit, rater, answer) a judgment."""
    order = np.lexsort((rater, unit))
    unit, rater, answer = unit[order], rater[order], answer[order]
    raters = int(rater.max(initial=0)) + 1
    key, told = _shared(unit, rater, answer, raters, categories)
    known, place, shared = np.unique(key, return_inverse=True, return_counts=True)
    wanted = np.argsort(-shared, kind="stable")[:most]
    wanted = wanted[shared[wanted] >= least]
    near, rank = partial_agreement(categories, 2), np.full(len(known), -1, dtype=np.int64)
    rank[wanted] = np.arange(len(wanted))
    mine = rank[place]
    mine, told = mine[mine >= 0], told[mine >= 0]
    by_pair = np.argsort(mine, kind="stable")
    ends = np.cumsum(np.bincount(mine, minlength=len(wanted)))
    for number, (begin, end) in enumerate(zip(ends - shared[wanted], ends, strict=True)):
        answers = told[by_pair[begin:end]]
        one, other = answers // categories, answers % categories
        pair = int(known[wanted[number]])
        yield TwoRaters(
            pair // raters, pair % raters, int(end - begin), float((one == other).mean()),
            cohen_kappa(one, other, categories), cohen_kappa(one, other, categories, near),
        )  # fmt: skip


def _shared(unit: Ints, rater: Ints, answer: Ints, raters: int, categories: int) -> tuple[Ints, Ints]:
    """Of each two judgments of one unit, sorted by unit and rater: which two raters, and which two answers."""
    place = np.arange(len(unit)) - np.searchsorted(unit, unit)
    keys, told = [np.zeros(0, dtype=np.int64)], [np.zeros(0, dtype=np.int64)]
    for apart in range(1, int(min(place.max(initial=0), MOST_A_UNIT)) + 1):
        later = np.flatnonzero(place >= apart)
        keys.append(rater[later - apart] * raters + rater[later])
        told.append(answer[later - apart] * categories + answer[later])
    return np.concatenate(keys), np.concatenate(told)
