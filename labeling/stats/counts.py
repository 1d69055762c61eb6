"""Answers as a table: one row a unit, one column a category, how many raters gave it."""

from __future__ import annotations

from collections.abc import Callable
from typing import TypeAlias

import numpy as np
from numpy.typing import NDArray

Floats: TypeAlias = NDArray[np.float64]
Ints: TypeAlias = NDArray[np.int64]


def count_table(unit: Ints, category: Ints, units: int, categories: int) -> Ints:
    """Counts, shape (units, categories), from one (unit, category) a judgment; both are numbered from 0."""
    return np.bincount(unit * categories + category, minlength=units * categories).reshape(units, categories)


def numbered(names: NDArray[np.object_] | list[object]) -> tuple[list[object], Ints]:
    """The different names in sorted order, and the number of each given one among them."""
    found, number = np.unique(np.asarray(names), return_inverse=True)
    return list(found), number.astype(np.int64).reshape(-1)


def interval(
    counts: Ints,
    statistic: Callable[[Ints, Floats], float],
    *,
    times: Ints | None = None,
    draws: int = 1000,
    seed: int = 0,
    level: float = 0.95,
) -> tuple[float, float]:
    """Percentile interval of `statistic(counts, weights)` by drawing units again (bootstrap).

    Units with the same counts are pooled first, so a draw costs the number of different rows, not of units; `times`
    says that they are pooled already, and how many each row stands for. A draw in which the statistic is not defined
    (NaN) is left out.
    """
    different = counts
    if times is None:
        different, times = np.unique(counts, axis=0, return_counts=True)
    rng = np.random.default_rng(seed)
    total = int(times.sum())
    drawn = rng.multinomial(total, times / total, size=draws).astype(np.float64)
    values = np.array([statistic(different, weights) for weights in drawn])
    rest = (1 - level) / 2
    low, high = np.nanquantile(values, [rest, 1 - rest])
    return float(low), float(high)
