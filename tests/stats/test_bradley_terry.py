"""Strengths from comparisons, against a published table and independent libraries."""

from __future__ import annotations

import numpy as np
import pytest

from labeling.stats.bradley_terry import LOSS, TIE, WIN, bradley_terry, components
from labeling.stats.counts import Ints
from labeling.stats.davidson import davidson
from tests.stats.reference import DATA, Line, figures, lines

NOT_HERE = pytest.mark.skipif(not DATA.exists(), reason="the reference data is not beside this checkout")
Comparisons = tuple[Ints, Ints, Ints]


def from_matrices(block: Line) -> Comparisons:
    """One comparison a win, and one a tie."""
    wins, ties = np.array(block["wins_matrix"], dtype=np.int64), np.array(block["ties_matrix"], dtype=np.int64)
    won = [(i, j, WIN) for i, j in zip(*np.nonzero(wins), strict=True) for _ in range(wins[i, j])]
    tied = [(i, j, TIE) for i, j in zip(*np.nonzero(ties), strict=True) if i < j for _ in range(ties[i, j])]
    table = np.array(won + tied, dtype=np.int64)
    return table[:, 0], table[:, 1], table[:, 2]


BASEBALL = pytest.param(("classics", "agresti_baseball"), id="agresti_baseball")
REAL = [pytest.param((name,), id=name, marks=NOT_HERE) for name in ("llmfao", "tulu")]


@pytest.mark.parametrize("path", [BASEBALL, *REAL])
def test_strengths_and_their_errors(path: tuple[str, ...]) -> None:
    block = figures(path[0])
    for part in (*path[1:], "bradley_terry"):
        block = block[part]
    left, right, outcome = from_matrices(block)
    assert len(left) == block["n_comparisons"] and int((outcome == TIE).sum()) == block["ties"]
    found = bradley_terry(left, right, outcome, block["n_items"])
    assert found.theta.tolist() == pytest.approx([score["theta"] for score in block["scores"]], abs=1e-6)
    assert found.error.tolist() == pytest.approx([score["se"] for score in block["scores"]], abs=1e-6)
    assert found.loglik == pytest.approx(block["loglik"], abs=1e-6)
    assert found.tie is None and found.theta.sum() == pytest.approx(0, abs=1e-9)


def test_agrestis_baseball() -> None:
    """Agresti 2002, table 10.11: relative to Baltimore."""
    block = figures("classics")["agresti_baseball"]
    names = block["bradley_terry"]["names"]
    games = lines("classics/agresti_baseball/wins.jsonl")
    told = [
        (names.index(game["home"]), names.index(game["away"]), outcome)
        for game in games
        for outcome, times in ((WIN, game["home_wins"]), (LOSS, game["away_wins"]))
        for _ in range(times)
    ]
    left, right, outcome = np.array(told).T
    theta = bradley_terry(left, right, outcome, 7).theta
    relative = dict(zip(names, theta - theta[names.index("Baltimore")], strict=True))
    assert relative == pytest.approx(block["relative_to_baltimore"], abs=1e-6)


@NOT_HERE
def test_davidsons_ties() -> None:
    block = figures("llmfao")["bradley_terry"]
    left, right, outcome = from_matrices(block)
    found = davidson(left, right, outcome, block["n_items"], ridge=0.0)
    expected = block["davidson"]
    assert found.tie == pytest.approx(expected["nu"], abs=1e-5)
    assert dict(zip(block["names"], found.theta.tolist(), strict=True)) == pytest.approx(expected["theta"], abs=1e-5)
    assert found.loglik == pytest.approx(expected["loglik"], abs=1e-6)


def crowd(seed: int = 3) -> Comparisons:
    rng = np.random.default_rng(seed)
    theta = np.array([0.0, 0.4, 0.9, -0.5, 0.2])
    left = rng.integers(0, 5, 4000)
    right = (left + rng.integers(1, 5, 4000)) % 5
    won = rng.random(4000) < 1 / (1 + np.exp(theta[right] - theta[left]))
    return left, right, np.where(rng.random(4000) < 0.2, TIE, np.where(won, WIN, LOSS))


def test_without_ties_both_models_are_one() -> None:
    left, right, outcome = crowd()
    sided = outcome != TIE
    plain = bradley_terry(left[sided], right[sided], outcome[sided], 5)
    tied = davidson(left[sided], right[sided], outcome[sided], 5, ridge=1e-9)
    assert tied.theta == pytest.approx(plain.theta, abs=1e-4)


def test_repeating_every_comparison_under_one_cluster_adds_no_certainty() -> None:
    comparisons = crowd()
    left, right, outcome = (np.tile(each, 3) for each in comparisons)
    once = davidson(*comparisons, 5, cluster=np.arange(4000))
    thrice = davidson(left, right, outcome, 5, cluster=np.tile(np.arange(4000), 3))
    unclustered = davidson(left, right, outcome, 5)
    assert thrice.error == pytest.approx(once.error, rel=0.01)
    assert (unclustered.error < 0.7 * once.error).all()


def test_who_is_best_and_who_wins() -> None:
    found = davidson(*crowd(), 5)
    best = found.best()
    assert best.sum() == pytest.approx(1) and best.argmax() == 2 and best[2] > 0.95
    assert found.wins_against(2, 3) == pytest.approx(1 / (1 + np.exp(found.theta[3] - found.theta[2])))
    assert found.wins_against(2, 3) + found.wins_against(3, 2) == pytest.approx(1)


def test_models_never_compared_form_groups() -> None:
    assert components(np.array([0, 1, 3]), np.array([1, 2, 4]), 6).tolist() == [0, 0, 0, 1, 1, 2]
    assert set(components(np.array([0, 2, 4, 1]), np.array([1, 3, 5, 2]), 6).tolist()) == {0, 1}


def test_the_undefeated_stay_finite() -> None:
    found = davidson(np.array([0, 0, 0, 1]), np.array([1, 2, 1, 2]), np.array([WIN] * 4), 3)
    assert np.isfinite(found.theta).all() and found.theta.argmax() == 0
