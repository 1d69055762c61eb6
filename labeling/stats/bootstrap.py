"""Intervals of agreement by drawing units again, a thousand draws at once.

Every coefficient here is a function of sums over units, so a draw is one row of weights and all draws together are one
matrix product. Units with the same counts are pooled first: it costs what there are different rows, not units.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from labeling.stats.coefficients import Metric, distances
from labeling.stats.counts import Floats, Ints

Interval = tuple[float, float]
NOTHING: Interval = (float("nan"), float("nan"))
_AT_ONCE = 2_000_000  # drawn weights that are held at a time


@dataclass(frozen=True, slots=True)
class Pooled:
    """Different rows of counts with two answers or more, and how many units have each."""

    counts: Ints
    times: Ints

    @property
    def units(self) -> int:
        return int(self.times.sum())


def pool(counts: Ints) -> Pooled:
    """The rows that were answered at least twice, each different one once."""
    twice = counts[counts.sum(1) >= 2]
    if not len(twice):
        return Pooled(twice, np.zeros(0, dtype=np.int64))
    key, base = np.zeros(len(twice), dtype=np.float64), float(int(twice.max()) + 1)
    if base ** twice.shape[1] < 2**53:  # each row is one whole number, which sorts faster than rows do
        for column in range(twice.shape[1]):
            key = key * base + twice[:, column]
        _, where, times = np.unique(key, return_index=True, return_counts=True)
        return Pooled(twice[where], times)
    rows, times = np.unique(twice, axis=0, return_counts=True)
    return Pooled(rows, times)


def percent_interval(pooled: Pooled, *, draws: int = 1000, seed: int = 0) -> Interval:
    """Of the mean over units of the share of pairs of raters that agree."""
    table, answers = pooled.counts.astype(np.float64), pooled.counts.sum(1)
    same = (table * (table - 1)).sum(1) / (answers * (answers - 1))
    return _interval([weights @ same / pooled.units for weights in _drawn(pooled, draws, seed)])


def alpha_interval(pooled: Pooled, metric: Metric = "nominal", *, draws: int = 1000, seed: int = 0) -> Interval:
    """Of Krippendorff's alpha."""
    table, answers = pooled.counts.astype(np.float64), pooled.counts.sum(1).astype(np.float64)
    share = table / np.maximum(answers - 1, 1)[:, None]
    size = table.shape[1]
    each = np.einsum("uc,uk->uck", share, table)
    each[:, np.arange(size), np.arange(size)] -= share
    flat = each.reshape(len(table), size * size)
    return _interval(
        [_alphas((weights @ flat).reshape(-1, size, size), metric) for weights in _drawn(pooled, draws, seed)]
    )


def _alphas(coincidences: Floats, metric: Metric) -> Floats:
    """Of each draw's table of coincidences, shape (draws, categories, categories)."""
    totals = coincidences.sum(2)
    total = totals.sum(1)
    apart = distances(metric, totals)
    expected = np.einsum("dc,dk,dck->d", totals, totals, apart)
    observed = (coincidences * apart).sum((1, 2)) * (total - 1)
    with np.errstate(divide="ignore", invalid="ignore"):
        return np.where(expected > 0, 1 - observed / expected, np.nan)


def _drawn(pooled: Pooled, draws: int, seed: int) -> list[Floats]:
    """Weights of the different rows, some draws at a time, shape (some, rows)."""
    if pooled.units < 2:
        return []
    rng = np.random.default_rng(seed)
    part, step = pooled.times / pooled.units, max(1, _AT_ONCE // len(pooled.times))
    sizes = [min(step, draws - done) for done in range(0, draws, step)]
    return [rng.multinomial(pooled.units, part, size=size).astype(np.float64) for size in sizes]


def _interval(values: list[Floats]) -> Interval:
    told = np.concatenate(values) if values else np.empty(0)
    told = told[~np.isnan(told)]
    if not len(told):
        return NOTHING
    low, high = np.quantile(told, [0.025, 0.975])
    return float(low), float(high)
