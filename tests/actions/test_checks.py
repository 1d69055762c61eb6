"""Who is warned and who is paused by checks, and that good raters are not."""

from __future__ import annotations

import numpy as np
import pytest

from labeling.actions.checks import NEWEST, PAUSE, WARN, Rule
from labeling.stats.checks import below


def ever(rule: Rule, share: float, answers: int = NEWEST) -> float:
    """P(the rule holds at least once while a rater who is right with `share` gives so many answers), exactly."""
    alive = np.zeros(answers + 1)
    alive[0] = 1.0
    caught = 0.0
    for known in range(1, answers + 1):
        alive[1:] = alive[1:] * (1 - share) + alive[:-1] * share
        alive[0] *= 1 - share
        worst = _worst(rule, known)
        caught += float(alive[: worst + 1].sum())
        alive[: worst + 1] = 0
    return caught


def _worst(rule: Rule, known: int) -> int:
    """The most right answers of `known` with which the rule still holds; -1 if it never does."""
    low, high = -1, known
    while low < high:
        middle = (low + high + 1) // 2
        low, high = (middle, high) if rule.holds(middle, known) else (low, middle - 1)
    return low


def test_the_posterior_is_that_of_a_beta() -> None:
    # Beta(2, 2) has the distribution function 3x² - 2x³; the prior is taken off again
    assert below(0.3, right=-2, wrong=0) == pytest.approx(_beta(2.4, 1.6, 0.3), abs=1e-4)
    assert below(0.60, right=0, wrong=0) == pytest.approx(_beta(4.4, 1.6, 0.60), abs=1e-4)
    assert below(0.60, right=100, wrong=0) < 1e-9 < 1 - 1e-9 < below(0.60, right=0, wrong=100)


def _beta(a: float, b: float, x: float) -> float:
    """By Simpson's rule on a fine grid, in another variable: t = sin²(u)."""
    u = np.linspace(0, np.pi / 2, 20_001)
    density = np.sin(u) ** (2 * a - 1) * np.cos(u) ** (2 * b - 1)
    weights = np.where(np.arange(u.size) % 2 == 1, 4, 2).astype(float)
    weights[[0, -1]] = 1
    whole = density * weights
    return float(whole[np.sin(u) ** 2 <= x].sum() / whole.sum())


def test_good_raters_are_paused_at_most_once_in_a_hundred() -> None:
    """Who is right 65 times in 100 or more, over two hundred checks in a row."""
    assert ever(PAUSE, 0.65) <= 0.01
    assert ever(PAUSE, 0.75) <= 0.001
    assert ever(PAUSE, 0.85) <= 0.0001


def test_careless_raters_are_paused_soon() -> None:
    assert ever(PAUSE, 0.50) >= 0.7
    assert ever(PAUSE, 0.40, answers=60) >= 0.7
    assert ever(PAUSE, 0.33, answers=40) >= 0.7


def test_a_share_of_the_last_twenty_would_pause_nearly_everybody() -> None:
    """Why the rule is no plain share: the figure that labeling/actions/checks.py names."""
    random = np.random.default_rng(1)
    right = np.cumsum(random.random((4000, NEWEST)) < 0.65, axis=1)
    fewest = np.min(right[:, 20:] - right[:, :-20], axis=1)
    assert np.mean(fewest < 12) > 0.98


def test_a_warning_comes_before_a_pause() -> None:
    for share in (0.30, 0.45, 0.60):
        assert ever(WARN, share, answers=30) > ever(PAUSE, share, answers=30)
    assert not WARN.holds(0, 9) and WARN.holds(0, 10)
    assert not PAUSE.holds(0, 19) and PAUSE.holds(0, 20)
