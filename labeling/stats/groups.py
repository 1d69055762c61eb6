"""Whether two groups of people answer the same pairs differently."""

from __future__ import annotations

from dataclasses import dataclass
from math import erfc, sqrt

import numpy as np

from labeling.stats.counts import Floats, Ints

MANY_PAIRS = 1000


@dataclass(frozen=True, slots=True)
class Difference:
    """Mean over `pairs` judged by both groups of (mean of the group - mean of the others), and its permutation p."""

    difference: float
    p: float
    pairs: int


def difference(
    pair: Ints, member: Ints, value: Floats, *, draws: int = 2000, seed: int = 0, exact: int = MANY_PAIRS
) -> Difference:
    """By shuffling who is a member within each pair, which keeps how hard the pair is and how many judged it.

    One (pair, member 0 or 1, value) a judgment. p counts the observed order itself, so it is never 0. Above `exact`
    pairs the shuffles' distribution is its normal limit, with the variance that all shuffles together have.
    """
    order = np.argsort(pair, kind="stable")
    pair, member, value = pair[order], member[order], value[order].astype(np.float64)
    size, members = np.bincount(pair), np.bincount(pair, member)
    both = (members > 0) & (members < size)
    kept = both[pair]
    if not kept.any():
        return Difference(float("nan"), float("nan"), 0)
    pair, member, value = pair[kept], member[kept], value[kept]
    weight = np.where(member == 1, 1 / members[pair], -1 / (size - members)[pair])
    pairs = int(both.sum())
    observed = float((weight * value).sum()) / pairs
    if pairs > exact:
        error = _error(pair, member, value, pairs)
        return Difference(observed, erfc(abs(observed) / error / sqrt(2)) if error else 1.0, pairs)
    rng = np.random.default_rng(seed)
    at_least = 1
    for _ in range(draws):
        shuffled = np.argsort(pair + rng.random(len(value)))
        at_least += abs(float((weight * value[shuffled]).sum()) / pairs) >= abs(observed) - 1e-12
    return Difference(observed, at_least / (draws + 1), pairs)


def _error(pair: Ints, member: Ints, value: Floats, pairs: int) -> float:
    """The deviation of the difference over all shuffles: of drawing a group from each pair, nobody twice."""
    size, members = np.bincount(pair).astype(np.float64), np.bincount(pair, member)
    some = size > 0
    mean = np.bincount(pair, value)[some] / size[some]
    squares = np.bincount(pair, value**2)[some] / size[some] - mean**2
    n, g = size[some], members[some]
    variance = squares * n / (n - 1) * n / (g * (n - g))
    return float(np.sqrt(variance.sum())) / pairs


def benjamini_hochberg(p: Floats) -> Floats:
    """The p values of several questions, raised so that a bound on them bounds the share of false discoveries."""
    order = np.argsort(p)
    raised = np.asarray(p, dtype=np.float64)[order] * len(p) / np.arange(1, len(p) + 1)
    adjusted = np.empty(len(p))
    adjusted[order] = np.minimum.accumulate(raised[::-1])[::-1].clip(max=1)
    return adjusted
