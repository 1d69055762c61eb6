"""What sways raters besides the answers: the side it stands on, its length."""

from __future__ import annotations

from dataclasses import dataclass
from math import erfc, sqrt

import numpy as np

from labeling.stats.counts import Floats, Ints
from labeling.stats.logistic import logistic


@dataclass(frozen=True, slots=True)
class Share:
    """A share of 1, its standard error, z against one half, and the two-sided p of that."""

    share: float
    error: float
    z: float
    p: float


def position(left_chosen: Floats, cluster: Ints) -> Share:
    """How often the side shown on the left is chosen, of judgments that take a side.

    `left_chosen` is 1 or 0 a judgment; `cluster` its rater: judgments of one person go together, so the error is the
    cluster-robust one, with the usual G/(G-1).
    """
    _, group = np.unique(cluster, return_inverse=True)
    return position_by_rater(np.bincount(group, left_chosen).astype(np.float64), np.bincount(group).astype(np.float64))


def position_by_rater(lefts: Floats, sided: Floats) -> Share:
    """The same from what each rater did: of `sided` judgments that take a side, `lefts` chose the left one."""
    judgments, clusters = float(sided.sum()), len(sided)
    share = float(lefts.sum()) / judgments
    if clusters < 2:
        return Share(share, float("nan"), float("nan"), float("nan"))
    error = sqrt(float(((lefts - share * sided) ** 2).sum()) * clusters / (clusters - 1)) / judgments
    z = (share - 0.5) / error if error else float("nan")
    return Share(share, error, z, erfc(abs(z) / sqrt(2)))


@dataclass(frozen=True, slots=True)
class Slope:
    """By how much the log-odds of being chosen grow with being longer, its error, and how often the longer one wins."""

    slope: float
    error: float
    longer_wins: float


def length(ratio: Floats, won: Floats, cluster: Ints, more: Floats | None = None) -> Slope:
    """Logistic regression of winning on tanh(ratio / its deviation), cluster-robust (by prompt).

    `ratio` is ln(words of the first) - ln(words of the second), `won` 1 where the first was chosen; `more` are further
    columns to control for, shape (judgments, columns).
    """
    scale = float(ratio.std()) or 1.0
    columns = [np.ones(len(won)), np.tanh(ratio / scale)] + ([] if more is None else [more])
    found = logistic(np.column_stack(columns), won, cluster)
    different = ratio != 0
    longer = np.where(ratio > 0, won, 1 - won)[different]
    wins = float(longer.mean()) if len(longer) else float("nan")
    return Slope(float(found.weights[1]), float(found.error[1]), wins)


def wilson(part: float, whole: float, z: float = 1.959963984540054) -> tuple[float, float]:
    """Wilson's interval (1927) of a share; (0, 1) of nothing."""
    if not whole:
        return 0.0, 1.0
    share = part / whole
    middle = share + z * z / (2 * whole)
    around = z * sqrt(share * (1 - share) / whole + z * z / (4 * whole * whole))
    return (middle - around) / (1 + z * z / whole), (middle + around) / (1 + z * z / whole)


def even_odds(part: int, whole: int) -> float:
    """Exact two-sided p of `part` of `whole` where both outcomes are as likely (binomial); 1 of nothing."""
    if not whole:
        return 1.0
    logs = np.concatenate([[0.0], np.cumsum(np.log(np.arange(1, whole + 1, dtype=np.float64)))])
    fewer = np.arange(min(part, whole - part) + 1)
    tail = np.exp(logs[whole] - logs[fewer] - logs[whole - fewer] - whole * np.log(2.0)).sum()
    return min(1.0, 2 * float(tail))
