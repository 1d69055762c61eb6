"""What votes say of a pair, when it is being asked who else should judge it, and what they say of those who gave them.

The model is that of one_coin.py, with three things more: known answers count directly, a strength may be evidence
(who sees a clear difference chooses a stronger grade, and is right more often; measured by what the rater usually says,
so that nobody is taken for a poor rater for modest words), and a vote for neither side counts as half a vote for each.
Such a vote leaves open which side is better, and makes it likelier that the pair is one on which people differ; of the
rater it says nothing.

Everything is computed from nothing each time, in a fixed number of steps, so the same votes give the same results
however they came in.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from labeling.stats.counts import Floats, Ints
from labeling.stats.one_coin import (
    AT_ONCE,
    FIRMNESS,
    GRID,
    KINDS,
    LEAST,
    LEAST_TOLD,
    MOST,
    PULL,
    RIGHT,
    STEPS,
    USUAL,
    WRONG,
)
from labeling.stats.votes import FIRST, GRADES, NEITHER, SECOND, Flags, Votes

# How frequent the grades are believed to be, by kind of pair: of votes for the worse side, and of those for the better.
WORSE = ((0.52, 0.34, 0.14),) * 4
BETTER = ((0.20, 0.37, 0.43), (0.30, 0.40, 0.30), (0.42, 0.38, 0.20), (0.52, 0.34, 0.14))
FIRMNESS_OF_GRADES, FIRMNESS_OF_HABITS = 250, 20  # votes it takes to think otherwise
LEAST_RELIABLE = 0.60  # below it a rater is poor
TAIL = 0.05


@dataclass(frozen=True, slots=True)
class Crowd:
    """`share` (raters): P(a vote is for the better side). `kinds`: how frequent each kind of pair is. `grades`, shape
    (2, kinds, grades): P(grade | the vote is for the worse side, or the better; kind); None takes no notice of them.
    `habits` (raters, grades): how much more often than others each rater chooses a grade."""

    share: Floats
    kinds: Floats
    grades: Floats | None = None
    habits: Floats | None = None


@dataclass(frozen=True, slots=True)
class Standing:
    """What is believed of each rater: mean, 5 % and 95 % quantile, and P(reliability < 0.60); `judgments` that took a
    side on a pair that others judged too, or were of a known answer."""

    mean: Floats
    low: Floats
    high: Floats
    poor: Floats
    judgments: Ints


def usual_crowd(raters: int, *, graded: bool) -> Crowd:
    """What is believed before any vote."""
    return Crowd(np.full(raters, USUAL), np.array(KINDS), usual_grades() if graded else None)


def usual_grades() -> Floats:
    return np.array([WORSE, BETTER])


def learn(
    votes: Votes, *, pairs: int, raters: int, right: Ints, known: Ints, graded: bool, steps: int = STEPS
) -> tuple[Crowd, Standing]:
    """Fit by expectation and maximisation on a grid of reliabilities; a rater's own vote is no evidence for the rater.

    `right` of `known` answers each rater has met.
    """
    before = _before(right, known)
    crowd, likely = usual_crowd(raters, graded=graded), before
    habits = habits_of(votes, raters) if graded else None
    crowd = Crowd(_weights(before) @ GRID, crowd.kinds, crowd.grades, habits)
    took_sides = np.flatnonzero(votes.side != NEITHER)
    for _ in range(steps if len(took_sides) else 0):
        joint, likely = _joint(votes, crowd, pairs), before.copy()
        seen = np.zeros((2, len(KINDS), GRADES))
        for part in _parts(len(took_sides)):
            told, counted = _learned(votes.part(took_sides[part]), crowd, joint)
            for g in range(len(GRID)):
                likely[:, g] += np.bincount(votes.rater[took_sides[part]], told[:, g], raters)
            seen += counted
        crowd = _updated(_weights(likely) @ GRID, seen, habits)
    return crowd, _standing(likely, _shared(votes, pairs, raters) + known)


def posterior(votes: Votes, crowd: Crowd, *, pairs: int) -> Floats:
    """P(better side, kind | votes), shape (pairs, 2, kinds); side 1 is the first response."""
    joint = np.exp(_joint(votes, crowd, pairs))
    whole: Floats = joint / joint.sum((1, 2), keepdims=True)
    return whole


def first_better(belief: Floats) -> Floats:
    better: Floats = belief[:, FIRST].sum(1)
    return better


def chosen_by(belief: Floats, share: float) -> Floats:
    """The part of raters as good as `share` who would choose the first response."""
    found = _found(np.array([share]))[0]
    chosen: Floats = belief[:, FIRST] @ found + belief[:, SECOND] @ (1 - found)
    return chosen


def people_differ(belief: Floats, share: float) -> Floats:
    """Bits of uncertainty about a rater's choice that stay however many answer, because people differ."""
    differ: Floats = belief.sum(1) @ entropy(_found(np.array([share]))[0])
    return differ


def foretell(votes: Votes, early: Flags, crowd: Crowd, *, pairs: int) -> tuple[float, int]:
    """How much oftener the later votes were expected to agree with the label of the early ones than they did, on
    average; and how many later votes there were."""
    late = np.flatnonzero(~early)
    if not len(late):
        return 0.0, 0
    belief = posterior(votes.part(np.flatnonzero(early)), crowd, pairs=pairs)
    first = chosen_by(belief, float(crowd.share.mean()))[votes.pair[late]]
    label = first_better(belief)[votes.pair[late]] > 0.5
    expected = np.where(label, first, 1 - first)
    seen = (votes.side[late] == FIRST) == label
    return float((expected - seen).mean()), len(late)


def entropy(chance: Floats) -> Floats:
    """Bits of a coin."""
    chance = np.clip(chance, 1e-12, 1 - 1e-12)
    bits: Floats = -(chance * np.log2(chance) + (1 - chance) * np.log2(1 - chance))
    return bits


def expected_gain(belief: Floats, crowd: Crowd, share: float) -> Floats:
    """Bits about which side is better that one more answer of a rater as good as `share` would tell, on average."""
    usual = Crowd(np.array([share]), crowd.kinds, crowd.grades)
    stands, falls = (np.exp(one)[0] for one in _told(usual))
    gain = entropy(first_better(belief))
    for grade in range(stands.shape[1]):
        for side in (FIRST, SECOND):
            with_side = belief[:, side] @ stands[:, grade] + 1e-300
            against = belief[:, 1 - side] @ falls[:, grade]
            answer = with_side + against
            gain = gain - answer * entropy(with_side / answer)
    return gain


def _before(right: Ints, known: Ints) -> Floats:
    """Log-likelihood (raters, grid) of what is believed of a rater beforehand, and of known answers."""
    usual = (RIGHT - 1) * np.log(GRID) + (WRONG - 1) * np.log1p(-GRID)
    before: Floats = usual + np.outer(right, np.log(GRID)) + np.outer(known - right, np.log1p(-GRID))
    return before


def _found(share: Floats) -> Floats:
    """P(a vote is for the better side), shape (raters, kinds)."""
    found: Floats = np.clip(0.5 + (share[:, None] - 0.5) * np.array(PULL), LEAST, MOST)
    return found


def _told(crowd: Crowd) -> tuple[Floats, Floats]:
    """Log-likelihoods (raters, kinds, grades) of a vote that is for the better side, and of one that is not."""
    found = _found(crowd.share)[:, :, None]
    worse, better = _grades_of(crowd)
    stands, falls = np.log(found * better), np.log((1 - found) * worse)
    middle, gap = (stands + falls) / 2, np.maximum(stands - falls, LEAST_TOLD)
    return middle + gap / 2, middle - gap / 2


def _grades_of(crowd: Crowd) -> Floats:
    """P(grade | side, rater, kind), shape (2, raters or 1, kinds, grades or 1)."""
    if crowd.grades is None:
        return np.ones((2, 1, len(KINDS), 1))
    tables = crowd.grades[:, None]
    if crowd.habits is not None:
        tables = tables * crowd.habits[None, :, None, :]
    each: Floats = tables / tables.sum(3, keepdims=True)
    return each


def habits_of(votes: Votes, raters: int) -> Floats:
    """Some raters say “much” where others say “slightly”: how much oftener each chooses a grade than all do."""
    took = votes.side != NEITHER
    seen = np.bincount(votes.rater[took] * GRADES + votes.grade[took], minlength=raters * GRADES).reshape(
        raters, GRADES
    )
    usual = (seen.sum(0) + 1) / (seen.sum() + GRADES)
    mine = (seen + FIRMNESS_OF_HABITS * usual) / (seen.sum(1, keepdims=True) + FIRMNESS_OF_HABITS)
    habits: Floats = mine / usual
    return habits


def _joint(votes: Votes, crowd: Crowd, pairs: int) -> Floats:
    """log P(better side, kind | votes) up to a constant a pair, shape (pairs, 2, kinds)."""
    stands, falls = _told(crowd)
    open_to_both = np.log(_found(crowd.share) * (1 - _found(crowd.share))) / 2
    joint = np.empty((pairs, 2, len(KINDS)))
    joint[:] = np.log(crowd.kinds / 2)
    for part in _parts(len(votes)):
        some = votes.part(part)
        grade = some.grade if crowd.grades is not None else np.zeros_like(some.grade)
        neither = some.side == NEITHER
        for side in (SECOND, FIRST):
            for k in range(len(KINDS)):
                told = np.where(some.side == side, stands[some.rater, k, grade], falls[some.rater, k, grade])
                told = np.where(neither, open_to_both[some.rater, k], told)
                joint[:, side, k] += np.bincount(some.pair, told, pairs)
    joint -= joint.max((1, 2), keepdims=True, initial=-np.inf)
    return joint


def _learned(some: Votes, crowd: Crowd, joint: Floats) -> tuple[Floats, Floats]:
    """Log-likelihoods (votes, grid) of the raters' reliability by all other votes; and how often which grade was given
    (side, kind, grade), expected."""
    stands, falls = _told(crowd)
    grade = some.grade if crowd.grades is not None else np.zeros_like(some.grade)
    mine, other = stands[some.rater, :, grade], falls[some.rater, :, grade]
    agrees = some.side[:, None] == np.array([SECOND, FIRST])
    others = joint[some.pair] - np.where(agrees[:, :, None], mine[:, None, :], other[:, None, :])
    others = np.exp(others - others.max((1, 2), keepdims=True))
    others /= others.sum((1, 2), keepdims=True)
    number = np.arange(len(some))
    for_it, against = others[number, some.side], others[number, 1 - some.side]
    found = _found(GRID)
    worse, better = _grades_of(crowd)
    who = some.rater if worse.shape[0] > 1 else np.zeros_like(some.rater)
    told = np.log((for_it * better[who, :, grade]) @ found.T + (against * worse[who, :, grade]) @ (1 - found).T)
    is_better, is_worse = for_it * np.exp(mine), against * np.exp(other)
    whole = (is_better + is_worse).sum(1, keepdims=True)
    counted = np.stack(
        [
            np.stack([(each / whole)[some.grade == g].sum(0) for g in range(GRADES)], axis=1)
            for each in (is_worse, is_better)
        ]
    )
    return told, counted


def _updated(share: Floats, seen: Floats, habits: Floats | None) -> Crowd:
    kinds = (FIRMNESS * np.array(KINDS) + seen.sum((0, 2))) / (FIRMNESS + seen.sum())
    grades = FIRMNESS_OF_GRADES * usual_grades() + seen
    return Crowd(share, kinds, grades / grades.sum(2, keepdims=True) if habits is not None else None, habits)


def _weights(likely: Floats) -> Floats:
    weight = np.exp(likely - likely.max(1, keepdims=True, initial=-np.inf))
    whole: Floats = weight / weight.sum(1, keepdims=True)
    return whole


def _standing(likely: Floats, judgments: Ints) -> Standing:
    weight = _weights(likely)
    below = weight.cumsum(1) - weight / 2  # each point of the grid stands for what is around it
    low, high = (
        np.array([np.interp(tail, row, GRID) for row in below], dtype=float) for tail in (TAIL, 1 - TAIL)
    )  # fmt: skip
    return Standing(weight @ GRID, low, high, weight[:, GRID < LEAST_RELIABLE].sum(1), judgments)


def _shared(votes: Votes, pairs: int, raters: int) -> Ints:
    """How many votes each rater gave that took a side, on a pair on which another did too."""
    took = votes.side != NEITHER
    others = np.bincount(votes.pair[took], minlength=pairs)[votes.pair] > 1
    return np.bincount(votes.rater[took & others], minlength=raters)


def _parts(size: int) -> Iterator[slice]:
    return (slice(start, start + AT_ONCE) for start in range(0, size, AT_ONCE))
