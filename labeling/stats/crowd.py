"""A simulated crowd: what a study would find, before it begins, under one rule of how many raters a pair gets.

Pairs have a better side and an easiness b, log-normal, and raters an ability a; a rater finds the better side with
P = 1 / (1 + exp(-a b)) (Whitehill et al. 2009), so that everybody errs more on hard pairs. Some pairs are split: no
side is better. Some raters answer anything. Volumes are uneven, and each rater has thresholds of their own for saying
“clearly” and “much”. What the rules see are votes and who gave them; the model by which an adapting rule believes is
`one_coin`, which is not the model that the votes come from.

Who would judge a pair, in which order and what they would say is drawn first. A rule then only decides how much of it
is asked for, so that two rules are compared on the same people and pairs.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise

import numpy as np

from labeling.stats.counts import Floats, Ints
from labeling.stats.one_coin import KINDS, USUAL, one_coin, weights

SPREAD_OF_EASE, EASE_OF_SPLIT = 0.75, 0.08
HARDEST, STEEPEST, STEPS = 800, 14.0, 400
TAIL, LEAST_SHARE, MOST_TIMES = 1.6, 0.3, 6  # of volumes: a few raters do much
CLEARLY, MUCH = 1.2, 3.0
WAVES = 8  # pairs come to their end in so many parts, each with what was learned of raters from those before
TRUSTED = 0.75  # the lower end of what is known of a rater, from which one clear answer may settle a pair
NORMAL_5 = 1.645
PRIOR = 6.0  # pseudo-votes behind what is believed of an unknown rater


@dataclass(frozen=True, slots=True)
class Crowd:
    """Raters of mean accuracies between `low` and `high` on pairs that have a better side, or just those `accuracies`;
    `spam` is the part of raters who answer anything, `split` the part of pairs without a better side."""

    low: float = 0.60
    high: float = 0.95
    spam: float = 0.05
    split: float = 0.10
    accuracies: tuple[float, ...] = ()


@dataclass(frozen=True, slots=True)
class Rule:
    """How many raters a pair gets: `overlap` of all, or two and a `third` when they differ, or, `sure` above 0, as many
    from `least` to `most` as it takes to believe that one side is better; then one clear answer of a `trusted` rater
    may be enough."""

    overlap: int = 0
    third: bool = False
    sure: float = 0.0
    least: int = 2
    most: int = 5
    trusted: bool = False


@dataclass(frozen=True, slots=True)
class Drawn:
    """Who would judge each pair, in order (pairs, places), whether they would choose the better side, and how clearly
    (0 to 2). `decidable`: pairs that have one."""

    rater: Ints
    right: Ints
    grade: Ints
    decidable: Ints
    raters: int


@dataclass(frozen=True, slots=True)
class Found:
    """What came of it: the share of decidable pairs whose label is right, and judgments a pair."""

    accuracy: float
    judgments: float


def draw(crowd: Crowd, *, pairs: int, raters: int, places: int, seed: int) -> Drawn:
    """A crowd and its answers; the same for the same numbers. `places` is how many raters a pair may get at most."""
    random = np.random.default_rng(seed)
    ease = random.lognormal(0.0, SPREAD_OF_EASE, pairs)
    split = random.random(pairs) < crowd.split
    ease[split] = EASE_OF_SPLIT * random.random(int(split.sum()))
    ability, anything = _people(random, crowd, ease[~split], raters)
    volume = np.minimum(random.pareto(TAIL, raters) + LEAST_SHARE, 1e9)
    volume = np.minimum(volume, MOST_TIMES * np.median(volume))
    # Without replacement, each next rater in proportion to their volume: the places of the largest of these (Gumbel).
    keys = np.log(volume)[None, :] + random.gumbel(size=(pairs, raters))
    rater = np.argsort(-keys, axis=1)[:, : min(places, raters)]
    style = random.lognormal(0, 0.45, raters)
    seen = ability[rater] * ease[:, None] + random.logistic(size=rater.shape)
    right = np.where(anything[rater], random.integers(0, 2, rater.shape), seen > 0).astype(np.int64)
    size = np.abs(seen) * style[rater]
    grade = np.where(anything[rater], random.integers(0, 3, rater.shape), (size > CLEARLY) + (size > MUCH) * 1)
    return Drawn(rater, right, grade.astype(np.int64), np.flatnonzero(~split), raters)


def run(drawn: Drawn, rule: Rule, seed: int = 0) -> Found:
    """What the rule asks for of what was drawn, and how often its labels are right."""
    if rule.sure:
        return _adapting(drawn, rule)
    pairs = len(drawn.rater)
    overlap = 3 if rule.third else rule.overlap
    votes = drawn.right[:, :overlap]
    score = 2 * votes.sum(1) - votes.shape[1]
    coin = np.random.default_rng(seed).integers(0, 2, pairs)
    label = np.where(score == 0, coin, score > 0)
    asked = 2 + float((votes[:, 0] != votes[:, 1]).mean()) if rule.third else float(votes.shape[1])
    return Found(float(label[drawn.decidable].mean()), asked)


def _people(random: np.random.Generator, crowd: Crowd, ease: Floats, raters: int) -> tuple[Floats, Ints]:
    """Abilities that give the mean accuracies, and who answers anything."""
    if crowd.accuracies:
        target = random.choice(np.array(crowd.accuracies), raters)
    else:
        target = random.uniform(crowd.low, crowd.high, raters)
    grid = np.linspace(0, STEEPEST, STEPS)
    mean = (1 / (1 + np.exp(-np.outer(grid, ease[:HARDEST])))).mean(1)
    ability = np.interp(target, mean, grid)
    anything = np.zeros(raters, dtype=bool)
    anything[random.permutation(raters)[: round(crowd.spam * raters)]] = True
    return ability, anything


class _Asked:
    """The votes that were asked for so far, flat; 1 is for the better side."""

    def __init__(self, drawn: Drawn) -> None:
        self.drawn = drawn
        self.count = np.zeros(len(drawn.rater), dtype=np.int64)

    def votes(self) -> tuple[Ints, Ints, Ints]:
        places = np.arange(self.drawn.rater.shape[1])[None, :] < self.count[:, None]
        pair, place = np.nonzero(places)
        return pair, self.drawn.rater[pair, place], self.drawn.right[pair, place]

    def learn(self) -> tuple[Floats, Floats]:
        """How reliable each rater seems, and the lower end of that."""
        pair, rater, vote = self.votes()
        if not len(pair):
            return np.full(self.drawn.raters, USUAL), np.zeros(self.drawn.raters)
        share = one_coin(pair, rater, vote, pairs=len(self.count), raters=self.drawn.raters).share
        known = np.bincount(rater, minlength=self.drawn.raters) + PRIOR
        return share, share - NORMAL_5 * np.sqrt(share * (1 - share) / known)

    def belief(self, share: Floats, among: Ints) -> Floats:
        """P(the better side is the better one | votes) of some pairs."""
        told = np.array([_told(round(float(one), 3)) for one in share])  # (raters, 2, kinds)
        places = np.arange(self.drawn.rater.shape[1])[None, :] < self.count[among][:, None]
        each = told[self.drawn.rater[among]]  # (pairs, places, 2, kinds)
        right = self.drawn.right[among].astype(bool)[:, :, None]
        stands, falls = np.where(right, each[:, :, 0], each[:, :, 1]), np.where(right, each[:, :, 1], each[:, :, 0])
        better, other = ((which * places[:, :, None]).sum(1) + np.log(np.array(KINDS)) for which in (stands, falls))
        top = np.maximum(better.max(1), other.max(1))[:, None]
        one, two = np.exp(better - top).sum(1), np.exp(other - top).sum(1)
        belief: Floats = one / (one + two)
        return belief


def _told(share: float) -> tuple[tuple[float, ...], tuple[float, ...]]:
    stands, falls = weights(share)
    return tuple(np.log(stands)), tuple(np.log(falls))


def _adapting(drawn: Drawn, rule: Rule) -> Found:
    asked = _Asked(drawn)
    most = min(rule.most, drawn.rater.shape[1])
    for wave in np.array_split(np.arange(len(drawn.rater)), WAVES):
        share, low = asked.learn()
        waiting, number = wave, 1 if rule.trusted else rule.least
        while len(waiting):
            asked.count[waiting] = number
            if number >= most:
                break
            belief = asked.belief(share, waiting)
            done = np.maximum(belief, 1 - belief) >= rule.sure
            if number < rule.least:
                first = drawn.rater[waiting, 0]
                done &= (low[first] > TRUSTED) & (drawn.grade[waiting, 0] > 0)
            waiting, number = waiting[~done], number + 1
    share, _ = asked.learn()
    belief = asked.belief(share, np.arange(len(drawn.rater)))
    right = np.where(belief == 0.5, 0.5, belief > 0.5)
    return Found(float(right[drawn.decidable].mean()), float(asked.count.mean()))


def cost_at(points: Sequence[tuple[float, float]], accuracy: float) -> float | None:
    """The judgments a pair at which a sweep of (judgments, accuracy) reaches an accuracy, between points, or None."""
    ordered = sorted(points)
    crossed = [
        low + (accuracy - less) / (more - less) * (high - low)
        for (low, less), (high, more) in pairwise(ordered)
        if less <= accuracy <= more and more > less
    ]
    if crossed:
        return min(crossed)
    return ordered[0][0] if ordered and ordered[0][1] >= accuracy else None
