"""Whether a rater begins to answer otherwise than before: a control chart of agreement with what others say."""

from __future__ import annotations

from dataclasses import dataclass
from math import sqrt

import numpy as np

from labeling.stats.counts import Floats, Ints

LAMBDA, SIGMAS = 0.1, 3.0
CLEAR = 3.3  # deviations between before and after, below which the chart went out by chance


@dataclass(frozen=True, slots=True)
class Agreed:
    """Of each vote: whether it is for the side that the others' votes favour, and how probable that was for this rater.
    `told` is False where there are no others, or they are even."""

    agrees: Floats
    expected: Floats
    told: np.ndarray[tuple[int], np.dtype[np.bool_]]


def agreed(pair: Ints, rater: Ints, vote: Ints, share: Floats, pairs: int) -> Agreed:
    """Leaves the own vote out. One (pair, rater, vote 1 or 0) a judgment that took a side; `share` of each rater."""
    weight = np.log(share / (1 - share))[rater]
    sign = 2.0 * vote - 1
    others = np.bincount(pair, sign * weight, pairs)[pair] - sign * weight
    agrees = (sign * others > 0).astype(np.float64)
    sure = 1 / (1 + np.exp(-np.abs(others)))
    mine = share[rater]
    alone = np.bincount(pair, minlength=pairs)[pair] < 2
    return Agreed(agrees, sure * mine + (1 - sure) * (1 - mine), ~alone & (np.abs(others) > 1e-9))


@dataclass(frozen=True, slots=True)
class Drift:
    """`chart` (votes,): the moving mean, in its own deviations; below -SIGMAS it is out of control. `change`: the vote
    at which the answers most probably changed, None while the chart is in control; `before`, `after`: the share that
    agrees up to it and from it on."""

    chart: Floats
    change: int | None
    before: float
    after: float


def drift(agrees: Floats, expected: Floats) -> Drift:
    """EWMA of (agrees - expected) / deviation, of one rater's votes in the order of time.

    The rater's own mean over the first half is what the chart is about: who is always bad does not drift. The date of
    change is where the sum of what is below the mean turns (CUSUM).
    """
    residual = (agrees - expected) / np.sqrt(np.maximum(expected * (1 - expected), 0.05))
    own = float(residual[: max(1, len(residual) // 2)].mean())
    spread = float(residual[: max(2, len(residual) // 2)].std()) or 1.0
    chart = np.empty(len(residual))
    level = 0.0
    for place, value in enumerate(((residual - own) / spread).tolist()):
        level += LAMBDA * (value - level)
        chart[place] = level / np.sqrt(LAMBDA / (2 - LAMBDA) * (1 - (1 - LAMBDA) ** (2 * (place + 1))))
    mean = float(agrees.mean()) if len(agrees) else float("nan")
    out = np.flatnonzero(chart < -SIGMAS)
    if not len(out):
        return Drift(chart, None, mean, mean)
    signed = np.cumsum(residual - residual.mean())
    change = int(signed[: out[-1] + 1].argmax()) + 1
    before, after = float(agrees[:change].mean()), float(agrees[change:].mean()) if change < len(agrees) else mean
    error = sqrt(mean * (1 - mean) * (1 / change + 1 / max(1, len(agrees) - change)))
    if not error or (before - after) / error < CLEAR:
        return Drift(chart, None, mean, mean)
    return Drift(chart, change, before, after)
