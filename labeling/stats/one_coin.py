"""How often each rater finds the better response, and how sure the crowd is of a pair, learned from each other.

One number a rater: the chance that a vote is for the better side, whichever that is (one coin). A belief about raters
before any vote keeps a crowd that never overlaps from being read upside down, and a rater's own vote never counts as
evidence for that rater.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from math import exp, log

import numpy as np

from labeling.stats.counts import Floats, Ints

# Beta(4.4, 1.6), mean 0.73: what is believed of a rater before the first vote.
RIGHT, WRONG = 4.4, 1.6
LEAST, MOST = 0.05, 0.98
CERTAIN = 700.0  # evidence beyond which a number has no room for doubt
# How far votes tell the sides apart, by kind of pair (easy, plain, hard, split), and how frequent the kinds are.
PULL, KINDS = (1.25, 0.85, 0.40, 0.05), (0.30, 0.34, 0.22, 0.14)


@dataclass(frozen=True, slots=True)
class Reliability:
    """`share` (raters): P(a vote is for the better side). `right` and `wrong`: its Beta distribution. `steps` taken."""

    share: Floats
    right: Floats
    wrong: Floats
    steps: int


def one_coin(
    pair: Ints, rater: Ints, vote: Ints, *, pairs: int, raters: int, steps: int = 30, tolerance: float = 1e-4
) -> Reliability:
    """Fit by expectation and maximisation until no rater moves by more than `tolerance`.

    One (pair, rater, vote) a judgment that took a side; `vote` is 1 for the first response and 0 for the second.
    """
    share = np.full(raters, RIGHT / (RIGHT + WRONG))
    sign = 2 * vote - 1
    shared = np.bincount(pair, minlength=pairs)[pair] > 1
    right, wrong, taken = np.full(raters, RIGHT), np.full(raters, WRONG), 0
    for _ in range(steps):
        told = sign * np.log(share / (1 - share))[rater]
        others = np.bincount(pair, told, pairs)[pair] - told
        agreed = 1 / (1 + np.exp(-sign * others))
        right = RIGHT + np.bincount(rater, np.where(shared, agreed, 0), raters)
        wrong = WRONG + np.bincount(rater, np.where(shared, 1 - agreed, 0), raters)
        moved = np.clip(right / (right + wrong), LEAST, MOST)
        change, share, taken = float(np.abs(moved - share).max(initial=0)), moved, taken + 1
        if change < tolerance:
            break
    return Reliability(share, right, wrong, taken)


def first_is_better(votes: Iterable[tuple[float, int]]) -> float:
    """P(the first response is the better one), from (the rater's share, 1 or 0) a vote; without votes 0.5."""
    evidence = sum(log(share / (1 - share)) * (1 if vote else -1) for share, vote in votes)
    return 1 / (1 + exp(-max(-CERTAIN, min(CERTAIN, evidence))))


def chosen_by(votes: Iterable[tuple[float, int]], mean: float) -> float:
    """The share of raters as good as `mean` that would choose the first response.

    Over which side is better and what kind of pair it is: in a split pair even good raters differ, however many
    agreed so far.
    """
    first, second = [kind / 2 for kind in KINDS], [kind / 2 for kind in KINDS]
    for share, vote in votes:
        for k, pull in enumerate(PULL):
            found = min(0.98, max(0.02, 0.5 + (share - 0.5) * pull))
            first[k] *= found if vote else 1 - found
            second[k] *= 1 - found if vote else found
        whole = sum(first) + sum(second)  # kept at 1, so that hundreds of votes do not end in nothing
        first, second = [one / whole for one in first], [one / whole for one in second]
    drawn = [min(0.98, max(0.02, 0.5 + (mean - 0.5) * pull)) for pull in PULL]
    return sum(a * q + b * (1 - q) for a, b, q in zip(first, second, drawn, strict=True))
