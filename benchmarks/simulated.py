"""A crowd whose answers are drawn, and whose truth is known: what the stopping of a queue is measured by.

Nothing in it knows the model by which the product learns. A pair has a better side and an easiness, a rater an ability;
a rater perceives ability times easiness and some noise. The sign of that is the vote, and its size, against the rater's
own habit of strong words, the grade. Some pairs are split: nobody sees a difference there. Some raters click at random.
"""

from __future__ import annotations

from dataclasses import dataclass
from itertools import pairwise

import numpy as np
import numpy.typing as npt

Floats = npt.NDArray[np.float64]
Ints = npt.NDArray[np.int64]
Flags = npt.NDArray[np.bool_]

SPLIT, SPAM = 0.10, 0.05
MOST_ABLE, STEPS, EASY_SEEN = 14.0, 400, 800
CLEAR, MUCH = 1.2, 3.0  # what is perceived, from which a rater says clearly, and much better
GOOD = 0.65


@dataclass(frozen=True, slots=True)
class Crowd:
    """`better` is 1 where the first response is the better one. `accuracy`: a rater's mean over decidable pairs."""

    easiness: Floats
    better: Ints
    split: Flags
    ability: Floats
    spams: Flags
    volume: Floats
    accuracy: Floats
    words: Floats

    @property
    def pairs(self) -> int:
        return len(self.better)

    @property
    def raters(self) -> int:
        return len(self.ability)

    def right(self, labels: Ints) -> float:
        """The share of decidable pairs whose label is the better side."""
        return float((labels == self.better)[~self.split].mean())


def make_crowd(
    chance: np.random.Generator, *, pairs: int, raters: int = 40, lowest: float = 0.60, highest: float = 0.95
) -> Crowd:
    easiness = chance.lognormal(0.0, 0.75, pairs)
    split = chance.random(pairs) < SPLIT
    easiness[split] = 0.08 * chance.random(int(split.sum()))
    better = chance.integers(0, 2, pairs)
    accuracy = chance.uniform(lowest, highest, raters)
    abilities = np.linspace(0, MOST_ABLE, STEPS)
    seen = easiness[~split][:EASY_SEEN]
    ability = np.interp(accuracy, [float(_sigmoid(one * seen).mean()) for one in abilities], abilities)
    spams = np.zeros(raters, dtype=bool)
    spams[chance.permutation(raters)[: round(SPAM * raters)]] = True
    volume = chance.pareto(1.6, raters) + 0.3
    volume = np.minimum(volume, 6 * np.median(volume))
    return Crowd(
        easiness=easiness,
        better=better,
        split=split,
        ability=ability,
        spams=spams,
        volume=volume / volume.sum(),
        accuracy=np.where(spams, 0.5, accuracy),
        words=chance.lognormal(0.0, 0.45, raters),
    )


def vote(chance: np.random.Generator, crowd: Crowd, pair: int, rater: int) -> int:
    """A preference from -3 to 3: negative is for the first response. Whoever spams draws all of it."""
    if crowd.spams[rater]:
        first, grade = chance.random() < 0.5, int(chance.integers(1, 4))
    else:
        noise = chance.logistic()
        perceived = crowd.ability[rater] * crowd.easiness[pair] + noise
        first = (perceived > 0) == bool(crowd.better[pair])
        strength = abs(perceived) * crowd.words[rater]
        grade = 1 + int(strength > CLEAR) + int(strength > MUCH)
    return -grade if first else grade


def fixed(chance: np.random.Generator, crowd: Crowd, overlap: int) -> float:
    """How often the majority of `overlap` raters of each pair is right; no majority, a coin."""
    labels = np.empty(crowd.pairs, dtype=int)
    for pair in range(crowd.pairs):
        raters = chance.choice(crowd.raters, overlap, replace=False, p=crowd.volume)
        lead = sum(1 if vote(chance, crowd, pair, int(rater)) < 0 else -1 for rater in raters)
        labels[pair] = int(lead > 0) if lead else int(chance.integers(0, 2))
    return crowd.right(labels)


def calibration_error(sure: Floats, right: Flags) -> float:
    """Expected calibration error over ten bins from 0.5 to 1."""
    bins = np.clip(((sure - 0.5) * 20).astype(int), 0, 9)
    parts = [(bins == one) for one in range(10) if (bins == one).any()]
    return float(sum(abs(right[one].mean() - sure[one].mean()) * one.mean() for one in parts))


def overconfident(sure: Floats, right: Flags, above: float = 0.8, least: int = 50) -> float:
    """The most by which what was believed exceeds what was right, in a bin above `above` with enough pairs."""
    edges = [(low, low + 0.05) for low in np.arange(above, 0.999, 0.05)]
    inside = [(sure >= low) & (sure < high + (high > 0.999)) for low, high in edges]
    gaps = [float(sure[one].mean() - right[one].mean()) for one in inside if one.sum() >= least]
    return max(gaps, default=0.0)


def alpha(votes: Ints, pairs: Ints) -> float:
    """Krippendorff's, nominal, of votes 0 and 1."""
    ones, all_ = np.bincount(pairs, votes), np.bincount(pairs)
    ones, all_ = ones[all_ > 1], all_[all_ > 1]
    total, chosen = all_.sum(), ones.sum()
    observed = (2 * ones * (all_ - ones) / (all_ - 1)).sum() / total
    expected = 2 * chosen * (total - chosen) / (total * (total - 1))
    return float(1 - observed / expected)


def cost_at(points: list[tuple[float, float]], accuracy: float) -> float | None:
    """The least cost at which an accuracy is reached, between (cost, accuracy) points; its cheapest if that has it."""
    points = sorted(points)
    if points[0][1] >= accuracy:
        return points[0][0]
    between = [
        low + (accuracy - worse) / (better - worse) * (high - low)
        for (low, worse), (high, better) in pairwise(points)
        if worse <= accuracy <= better and better > worse
    ]
    return min(between, default=None)


def _sigmoid(value: Floats) -> Floats:
    return 1 / (1 + np.exp(-value))
