"""How often each rater finds the better response, and how sure the crowd is of a pair, learned from each other.

One number a rater: the chance that a vote is for the better side, whichever that is (one coin). How far a vote tells
the sides apart also depends on what kind of pair it is. A belief about raters before any vote keeps a crowd that never
overlaps from being read upside down, and a rater's own vote never counts as evidence for that rater.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from functools import lru_cache
from math import exp, log, sqrt

import numpy as np

from labeling.stats.counts import Floats, Ints

# Beta(4.44, 1.56), mean 0.74: what is believed of a rater before the first vote.
RIGHT, WRONG = 4.44, 1.56
USUAL = RIGHT / (RIGHT + WRONG)
GRID = np.linspace(0.44, 0.97, 22)
# How far votes tell the sides apart, by kind of pair (easy, plain, hard, split), how frequent the kinds are believed to
# be, and how many votes it takes to think otherwise.
PULL, KINDS, FIRMNESS = (1.25, 0.85, 0.40, 0.05), (0.30, 0.34, 0.22, 0.14), 4000
LEAST, MOST = 0.02, 0.98
LEAST_TOLD = 0.02  # in nats: a vote never counts against itself, however bad the rater
STEPS, AT_ONCE = 6, 20_000


@dataclass(frozen=True, slots=True)
class Reliability:
    """`share` (raters): P(a vote is for the better side) in a pair between easy and plain. `kinds`: how frequent each
    kind of pair turned out."""

    share: Floats
    kinds: Floats


@dataclass(frozen=True, slots=True)
class Belief:
    """P(a response is the better one and the pair is of a kind), by kind; the two add up to 1."""

    first: Sequence[float]
    second: Sequence[float]

    @property
    def first_is_better(self) -> float:
        return sum(self.first)

    def chosen_by(self, share: float) -> float:
        """The part of raters as good as `share` who would choose the first response: in a split pair even good raters
        differ, however many agreed so far."""
        found = _drawn(share)
        return sum(a * q + b * (1 - q) for a, b, q in zip(self.first, self.second, found, strict=True))


def one_coin(pair: Ints, rater: Ints, vote: Ints, *, pairs: int, raters: int, steps: int = STEPS) -> Reliability:
    """Fit by expectation and maximisation, on a grid of reliabilities.

    One (pair, rater, vote) a judgment that took a side; `vote` is 1 for the first response and 0 for the second.
    """
    before = (RIGHT - 1) * np.log(GRID) + (WRONG - 1) * np.log1p(-GRID)
    found = np.clip(0.5 + (GRID[:, None] - 0.5) * np.array(PULL), LEAST, MOST)
    likely = np.tile(before, (raters, 1))
    share, kinds = _mean(likely), np.array(KINDS)
    for _ in range(steps if len(pair) else 0):
        votes_for, votes_against = _told(share)
        joint = _joint(pair, rater, vote, pairs, votes_for, votes_against, kinds)
        likely, seen = np.tile(before, (raters, 1)), np.zeros(len(KINDS))
        for part in _parts(len(pair)):
            i, j, v = pair[part], rater[part], vote[part]
            mine, other = _without_own(joint[i], v, votes_for[j], votes_against[j])
            told = np.log(mine @ found.T + other @ (1 - found).T)
            for g in range(len(GRID)):
                likely[:, g] += np.bincount(j, told[:, g], raters)
            whole = mine * np.exp(votes_for[j]) + other * np.exp(votes_against[j])
            seen += (whole / whole.sum(1, keepdims=True)).sum(0)
        share = _mean(likely)
        kinds = (FIRMNESS * np.array(KINDS) + seen) / (FIRMNESS + len(pair))
    return Reliability(share, kinds)


def believe(votes: Iterable[tuple[float, int]], kinds: Sequence[float]) -> Belief:
    """What (the rater's share, 1 for the first response or 0) a vote says of a pair."""
    first = second = [kind / 2 for kind in kinds]
    for number, (share, vote) in enumerate(votes):
        stands, falls = weights(share)
        mine, other = (stands, falls) if vote else (falls, stands)
        first = [one * told for one, told in zip(first, mine, strict=True)]
        second = [one * told for one, told in zip(second, other, strict=True)]
        if number % 50 == 49:  # so that hundreds of votes do not end in nothing
            first, second = _whole(first, second)
    return Belief(*_whole(first, second))


@lru_cache(maxsize=10_000)
def weights(share: float) -> tuple[tuple[float, ...], tuple[float, ...]]:
    """The likelihoods, by kind of pair, of a vote if it is for the better side, and if it is not."""
    found = [_clipped(0.5 + (share - 0.5) * pull) for pull in PULL]
    both = [(p, 1 - p) if log(p / (1 - p)) >= LEAST_TOLD else _hardly(p) for p in found]
    return tuple(stands for stands, _ in both), tuple(falls for _, falls in both)


def _hardly(found: float) -> tuple[float, float]:
    middle = sqrt(found * (1 - found))
    return middle * exp(LEAST_TOLD / 2), middle * exp(-LEAST_TOLD / 2)


def _whole(first: list[float], second: list[float]) -> tuple[list[float], list[float]]:
    whole = sum(first) + sum(second)
    return [one / whole for one in first], [one / whole for one in second]


@lru_cache(maxsize=100)
def _drawn(share: float) -> tuple[float, ...]:
    return tuple(_clipped(0.5 + (share - 0.5) * pull) for pull in PULL)


def _told(share: Floats) -> tuple[Floats, Floats]:
    """Log-likelihoods (raters, kinds) of a vote that is for the better side, and of one that is not."""
    found = np.clip(0.5 + (share[:, None] - 0.5) * np.array(PULL), LEAST, MOST)
    stands, falls = np.log(found), np.log1p(-found)
    middle, gap = (stands + falls) / 2, np.maximum(stands - falls, LEAST_TOLD)
    return middle + gap / 2, middle - gap / 2


def _joint(
    pair: Ints, rater: Ints, vote: Ints, pairs: int, votes_for: Floats, votes_against: Floats, kinds: Floats
) -> Floats:
    """log P(better side, kind | votes), shape (pairs, 2, kinds); side 1 is the first response."""
    joint = np.empty((pairs, 2, len(kinds)))
    joint[:] = np.log(kinds / 2)
    for side in (0, 1):
        for k in range(len(kinds)):
            told = np.where(vote == side, votes_for[rater, k], votes_against[rater, k])
            joint[:, side, k] += np.bincount(pair, told, pairs)
    return joint


def _without_own(joint: Floats, vote: Ints, votes_for: Floats, votes_against: Floats) -> tuple[Floats, Floats]:
    """P(kind, and the side voted for is the better one) by all other votes, and the same of the other side."""
    agrees = vote[:, None] == np.array([0, 1])
    others = joint - np.where(agrees[:, :, None], votes_for[:, None, :], votes_against[:, None, :])
    others -= others.max((1, 2), keepdims=True)
    belief = np.exp(others)
    belief /= belief.sum((1, 2), keepdims=True)
    number = np.arange(len(vote))
    return belief[number, vote], belief[number, 1 - vote]


def _mean(likely: Floats) -> Floats:
    weight = np.exp(likely - likely.max(1, keepdims=True, initial=-np.inf))
    mean: Floats = (weight @ GRID) / weight.sum(1)
    return mean


def _parts(size: int) -> Iterator[slice]:
    """Slices of so many votes as fit into a little memory."""
    return (slice(start, start + AT_ONCE) for start in range(0, size, AT_ONCE))


def _clipped(share: float) -> float:
    return min(MOST, max(LEAST, share))
