"""Strengths from counts, with covariates; logistic regression; the fast bootstrap; exact odds."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from labeling.stats import coefficients
from labeling.stats.biases import even_odds
from labeling.stats.bootstrap import alpha_interval, percent_interval, pool
from labeling.stats.counts import interval
from labeling.stats.davidson import Met, davidson_counts
from labeling.stats.logistic import logistic


def crowd(sway: float, seed: int = 5) -> tuple[Met, np.ndarray]:
    """Pairs of four models by prompt; the longer response is chosen more often by `sway`."""
    rng = np.random.default_rng(seed)
    theta, pairs = np.array([0.6, 0.2, -0.2, -0.6]), 6000
    left = rng.integers(0, 4, pairs)
    right = (left + rng.integers(1, 4, pairs)) % 4
    longer = rng.normal(0, 1, pairs) + (left == 0) - (right == 0)  # the best model also writes most
    gap = theta[left] - theta[right] + sway * longer
    tied = rng.random(pairs) < 0.2
    won = ~tied & (rng.random(pairs) < 1 / (1 + np.exp(-gap)))
    wins, ties, losses = (each.astype(np.float64) for each in (won, tied, ~tied & ~won))
    return Met(left, right, wins, ties, losses, rng.integers(0, 2000, pairs), longer[:, None]), theta


def test_what_is_due_to_length_is_told_apart_from_strength() -> None:
    met, theta = crowd(0.5)
    found = davidson_counts(met, 4)
    assert found.weights[0] == pytest.approx(0.5, abs=4 * found.errors[0]) and found.errors[0] < 0.1
    assert found.strengths.theta == pytest.approx(theta, abs=0.15)
    without = davidson_counts(replace(met, beside=met.beside[:, :0]), 4)
    assert without.strengths.theta[0] > found.strengths.theta[0] + 0.2  # its length was taken for its strength


def test_counts_are_the_same_as_one_row_a_judgment() -> None:
    met, _ = crowd(0.0)
    twice = Met(met.left, met.right, 2 * met.won, 2 * met.tied, 2 * met.lost, met.cluster, met.beside)
    rows = Met(*[np.concatenate([getattr(met, n)] * 2) for n in Met.__slots__])
    one, other = davidson_counts(twice, 4), davidson_counts(rows, 4)
    assert one.strengths.theta == pytest.approx(other.strengths.theta, abs=1e-9)
    assert one.strengths.cov == pytest.approx(other.strengths.cov, abs=1e-9)


def test_a_regression_by_hand() -> None:
    """Thirty of forty against ten of forty: the log-odds are ln 3 and -ln 3."""
    design = np.column_stack([np.ones(2), [0.0, 1.0]])
    found = logistic(design, np.array([0.75, 0.25]), np.arange(2), times=np.array([40.0, 40.0]))
    assert found.weights == pytest.approx([np.log(3), -2 * np.log(3)], abs=1e-8)
    ratio, error = found.ratio(1, 0)
    assert ratio == pytest.approx(-2, abs=1e-8) and error >= 0


def test_all_draws_at_once_are_draws_one_by_one() -> None:
    rng = np.random.default_rng(9)
    counts = rng.multinomial(3, [0.5, 0.2, 0.3], size=300)
    pooled = pool(counts)
    assert pooled.units == 300 and int(pooled.times.sum()) == 300
    for metric in ("nominal", "ordinal"):
        slow = interval(counts, lambda table, w, metric=metric: coefficients.krippendorff_alpha(table, metric, w))  # type: ignore[misc]
        assert alpha_interval(pooled, metric) == pytest.approx(slow, abs=0.02)
    assert percent_interval(pooled) == pytest.approx(interval(counts, coefficients.percent), abs=0.02)
    assert np.isnan(alpha_interval(pool(np.array([[1, 0], [0, 1]])))).all()


def test_many_categories_are_pooled_too() -> None:
    counts = np.zeros((50, 60), dtype=np.int64)
    counts[np.arange(50), np.arange(50) % 3] = 2
    assert len(pool(counts).times) == 3


def test_partial_agreement_of_many_raters() -> None:
    """Of two raters with one prevalence it is their weighted kappa."""
    one, other = np.array([0, 0, 1, 1, 2, 2]), np.array([0, 1, 0, 2, 2, 1])
    counts = np.zeros((6, 3), dtype=np.int64)
    np.add.at(counts, (np.tile(np.arange(6), 2), np.concatenate([one, other])), 1)
    near = coefficients.partial_agreement(3, 2)
    assert coefficients.weighted_kappa(counts, near) == pytest.approx(coefficients.cohen_kappa(one, other, 3, near))
    assert coefficients.weighted_kappa(counts, np.eye(3)) == pytest.approx(coefficients.fleiss_kappa(counts))


def test_even_odds() -> None:
    assert even_odds(8, 10) == pytest.approx(0.109375) and even_odds(5, 10) == 1.0 and even_odds(0, 0) == 1.0
    assert even_odds(502_000, 1_000_000) == pytest.approx(6.36e-5, rel=0.02)
