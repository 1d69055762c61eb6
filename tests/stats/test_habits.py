"""Pace, keys, drift and groups on raters whose habits are known."""

from __future__ import annotations

import numpy as np
import pytest

from labeling.stats.drift import agreed, drift
from labeling.stats.groups import difference
from labeling.stats.pace import last_of_each, pace
from labeling.stats.pairwise import pairs_of_raters
from labeling.stats.patterns import pattern


def test_who_has_not_read_is_found_and_who_reads_fast_is_not() -> None:
    rng = np.random.default_rng(4)
    words = rng.integers(100, 600, 2000).astype(np.float64)
    rater = np.tile(np.arange(10), 200)
    own = np.array([1.0, 1.2, 0.8, 1.1, 0.9, 1.0, 1.3, 0.7, 0.6, 0.03])  # the ninth is quick, the last does not read
    seconds = words / 4 * own[rater] * np.exp(rng.normal(0, 0.3, 2000))
    found = pace(seconds, words, rater, 10)
    assert found.slope == pytest.approx(1, abs=0.1)
    fast = np.bincount(rater, found.too_fast) / 200
    assert fast[9] > 0.95 and fast[:9].max() < 0.05
    assert found.rater[9] < -2 and np.median(found.usual) == pytest.approx(np.median(words) / 4, rel=0.1)


def test_the_last_answers_of_each() -> None:
    rater = np.array([0, 1, 0, 1, 0, 2])
    assert last_of_each(rater, 3, 2).tolist() == [False, True, True, True, True, True]


def test_keys() -> None:
    rng = np.random.default_rng(1)
    read, turns = pattern(rng.integers(0, 5, 200)), pattern(np.tile([1, 4], 60))
    stuck = pattern(np.concatenate([rng.integers(0, 5, 80), np.zeros(40, dtype=np.int64)]))
    assert read.run_p > 0.01 and read.turns_p > 0.01 and read.keys == 200
    assert turns.turns == pytest.approx(-1) and turns.turns_p < 0.002 and turns.run == 1
    assert stuck.run >= 40 and stuck.run_p < 0.002 and stuck.usual_run < 20
    assert pattern(np.zeros(50, dtype=np.int64)).entropy == 0 and pattern(np.zeros(50, dtype=np.int64)).run == 50


def test_a_rater_who_slips_is_dated_and_steady_ones_are_left_alone() -> None:
    rng = np.random.default_rng(2)
    expected = np.full(300, 0.8)
    steady = sum(drift((rng.random(300) < 0.8).astype(float), expected).change is not None for _ in range(100))
    assert steady <= 3
    slipped = drift((rng.random(300) < np.where(np.arange(300) < 200, 0.85, 0.5)).astype(float), expected)
    assert slipped.change is not None and 180 <= slipped.change <= 220 and slipped.before > 0.75 > 0.6 > slipped.after
    # who was never good does not drift
    assert drift((rng.random(300) < 0.55).astype(float), expected).change is None


def test_leaving_the_own_vote_out() -> None:
    """Two say the first, one the second; a fourth pair has one vote only."""
    found = agreed(np.array([0, 0, 0, 1]), np.array([0, 1, 2, 0]), np.array([1, 1, 0, 1]), np.array([0.8, 0.8, 0.8]), 2)
    assert found.told.tolist() == [False, False, True, False]  # of the first two the others are even
    assert found.agrees[2] == 0 and 0.5 < found.expected[2] < 0.8


def test_the_limit_of_all_shuffles_is_what_shuffling_gives() -> None:
    rng = np.random.default_rng(8)
    pair, member = np.repeat(np.arange(400), 5), rng.integers(0, 2, 2000)
    value = (rng.random(2000) < 0.5 + 0.04 * member).astype(np.float64)
    shuffled, limit = difference(pair, member, value), difference(pair, member, value, exact=0)
    assert (limit.difference, limit.pairs) == (shuffled.difference, shuffled.pairs)
    assert limit.p == pytest.approx(shuffled.p, abs=0.02)


def test_every_two_raters() -> None:
    unit, rater = np.array([0, 0, 1, 1, 2, 2, 2]), np.array([0, 1, 0, 1, 1, 0, 2])
    answer = np.array([0, 0, 1, 0, 1, 1, 1])
    [found] = pairs_of_raters(unit, rater, answer, 2, least=2, most=10)
    assert (found.rater, found.other, found.units) == (0, 1, 3) and found.percent == pytest.approx(2 / 3)
    assert found.kappa == pytest.approx(0.4)
    assert len(list(pairs_of_raters(unit, rater, answer, 2, least=1, most=10))) == 3
    assert len(list(pairs_of_raters(unit, rater, answer, 2, least=1, most=1))) == 1
