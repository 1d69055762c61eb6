"""How far each rater is to be trusted, and what that makes of the answers to one comparison.

Learned once a build from the judgments themselves (`learn_one_coin`, `learn_dawid_skene`), in the order of the
stream, and rounded: the same judgments teach the same on every machine.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from math import exp, log
from typing import Protocol

import numpy as np

from labeling.stats.counts import Ints
from labeling.stats.dawid_skene import dawid_skene
from labeling.stats.one_coin import KINDS, USUAL, believe, one_coin

PLACES = 6
STEPS, TOLERANCE = 60, 1e-4
DIAGONAL = 4.0  # of the prior on a rater's confusions: a firm belief that raters are mostly right
FIRST, NOWHERE, SECOND = 0, 1, 2


class Trust(Protocol):
    def of(self, answers: Iterable[tuple[str, float | None]]) -> tuple[float, float] | None:
        """P(the first is the better one) and the share of raters who would choose it; None if that is no question."""


@dataclass(frozen=True, slots=True)
class Votes:
    """The answers to learn from: one (comparison, rater, where it points) each, the first two numbered from 0."""

    comparison: Ints
    rater: Ints
    points: Ints
    comparisons: int
    raters: Sequence[str]


@dataclass(frozen=True, slots=True)
class OneCoin:
    """`shares`: P(a vote is for the better side) by rater; `mean` of all; `kinds`: how frequent each kind of pair is.
    Ties and “neither” tell nothing."""

    shares: Mapping[str, float]
    mean: float
    kinds: Sequence[float] = KINDS

    def of(self, answers: Iterable[tuple[str, float | None]]) -> tuple[float, float] | None:
        votes = [(self.shares.get(rater, USUAL), int(grade < 0)) for rater, grade in answers if grade]
        if not votes:
            return None
        belief = believe(votes, self.kinds)
        return round(belief.first_is_better, PLACES), round(belief.chosen_by(self.mean), PLACES)


@dataclass(frozen=True, slots=True)
class Confused:
    """`told`: by rater, log P(answer | truth), the truth first; `usual` is the mean rater's. `prior`: log P(truth)."""

    told: Mapping[str, Sequence[Sequence[float]]]
    usual: Sequence[Sequence[float]]
    prior: Sequence[float]

    def of(self, answers: Iterable[tuple[str, float | None]]) -> tuple[float, float] | None:
        joint = list(self.prior)
        for rater, grade in answers:
            told, answer = self.told.get(rater, self.usual), points(grade)
            for truth in (FIRST, NOWHERE, SECOND):
                joint[truth] += told[truth][answer]
        top = max(joint)
        if joint[NOWHERE] == top:
            return None
        belief = [exp(each - top) for each in joint]
        first = belief[FIRST] / (belief[FIRST] + belief[SECOND])
        drawn = [sum(b * exp(self.usual[truth][side]) for truth, b in enumerate(belief)) for side in (FIRST, SECOND)]
        return round(first, PLACES), round(drawn[0] / sum(drawn), PLACES)


def points(grade: float | None) -> int:
    """Where an answer points, as a class."""
    return NOWHERE if not grade else FIRST if grade < 0 else SECOND


def learn_one_coin(votes: Votes) -> OneCoin:
    decided = votes.points != NOWHERE
    found = one_coin(
        votes.comparison[decided],
        votes.rater[decided],
        (votes.points[decided] == FIRST).astype(np.int64),
        pairs=votes.comparisons,
        raters=len(votes.raters),
    )
    shares = [round(float(share), PLACES) for share in found.share]
    mean = sum(shares) / len(shares) if shares else USUAL
    kinds = [round(float(kind), PLACES) for kind in found.kinds]
    return OneCoin(dict(zip(votes.raters, shares, strict=True)), round(mean, PLACES), kinds)


def learn_dawid_skene(votes: Votes) -> Confused:
    """Three answers: the first, no side, the second. “Neither is acceptable” takes no side."""
    if not len(votes.points):
        return Confused({}, _usual(), [_log(1 / 3)] * 3)
    crowd = dawid_skene(
        votes.comparison, votes.rater, votes.points, classes=3, steps=STEPS, tolerance=TOLERANCE, smoothing=DIAGONAL
    )
    told = {rater: [[_log(p) for p in row] for row in crowd.confusion[k]] for k, rater in enumerate(votes.raters)}
    usual = [[_log(p) for p in row] for row in crowd.confusion.mean(0)]
    return Confused(told, usual, [_log(p) for p in crowd.prior])


def _usual() -> list[list[float]]:
    return [[_log(USUAL if truth == answer else (1 - USUAL) / 2) for answer in range(3)] for truth in range(3)]


def _log(p: float) -> float:
    return round(log(max(float(p), 1e-12)), PLACES)
