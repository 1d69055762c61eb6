"""Each rule of aggregation against cases worked out by hand, and against the reference where there is one."""

from __future__ import annotations

import importlib
import sys
from math import exp, log
from pathlib import Path
from types import ModuleType

import numpy as np
import pytest

from exports.recipes import aggregates
from exports.recipes.aggregates import Answers, Lean, copies, differ, lean, llama2_margin
from exports.recipes.majority import DROPPED
from exports.recipes.trust import Confused, OneCoin, Votes, learn_dawid_skene, learn_one_coin, points
from labeling.stats.one_coin import chosen_by, first_is_better, one_coin

MEASUREMENT = Path(__file__).parents[3] / "shared" / "measurement"


def answers(*grades: float | None) -> Answers:
    return [(f"r{k}", grade) for k, grade in enumerate(grades)]


def side(found: Lean | str) -> int | str:
    return found if isinstance(found, str) else found.side


@pytest.fixture
def reference(monkeypatch: pytest.MonkeyPatch) -> ModuleType:
    if not MEASUREMENT.exists():
        pytest.skip("the reference is not beside this checkout")
    monkeypatch.syspath_prepend(MEASUREMENT)
    sys.modules.pop("stats_ref", None)
    return importlib.import_module("stats_ref")


@pytest.mark.parametrize(
    ("given", "expected", "margin", "grade", "p_chosen"),
    [
        (answers(-3), -1, 3, 3, 1),
        (answers(1, 1, -3), 1, 0, 1, 2 / 3),  # two against a sure one: the mean points the other way
        (answers(-3, -2, 1), -1, 4 / 3, 3, 2 / 3),
        (answers(2, 0, 0), 1, 2 / 3, 2, 1),  # ties stand on no side, and make the margin smaller
        (answers(2, None), 1, 1, 2, 1),
        (answers(1, -1), "tie", 0, 0, 0),
        (answers(0, 0), "tie", 0, 0, 0),
        (answers(2, None, None), "both_bad", 0, 0, 0),
    ],
)
def test_majority(given: Answers, expected: int | str, margin: float, grade: int, p_chosen: float) -> None:
    found = lean(aggregates.majority, given, 1, None, 0)
    assert side(found) == expected
    if isinstance(found, Lean):
        assert (found.margin, found.grade, found.p_chosen) == (pytest.approx(margin), grade, pytest.approx(p_chosen))


@pytest.mark.parametrize(
    ("given", "expected", "margin", "p_chosen"),
    [
        (answers(1, 1, -3), -1, 1 / 3, 3 / 5),
        (answers(3, 0, 0), 1, 1, 1),
        (answers(2, -2), "tie", 0, 0),
        (answers(2, None), 1, 1, 1),
        (answers(0.5, -0.25), 1, 0.125, 2 / 3),
    ],
)
def test_mean_of_grades(given: Answers, expected: int | str, margin: float, p_chosen: float) -> None:
    found = lean(aggregates.mean, given, 1, None, 0)
    assert side(found) == expected
    if isinstance(found, Lean):
        assert (found.margin, found.p_chosen) == (pytest.approx(margin), pytest.approx(p_chosen))


@pytest.mark.parametrize(
    ("given", "expected", "counted", "grade"),
    [
        (answers(2, 3, 3), 1, [2, 3, 3], 3),
        (answers(-3, 1, 2, 2), 1, [1, 2, 2], 2),  # the far one is not among the three most similar
        (answers(-2, -1, -1, 3, 3), -1, [-2, -1, -1], 1),
        (answers(-1, 0, 1), "tie", [], 0),  # its mean rounds to 0
        (answers(-1, 1, 1), "tie", [], 0),  # ⅓ rounds to 0
        (answers(0, 1, 1), 1, [0, 1, 1], 1),
        (answers(-1, 1, 2), "spread", [], 0),  # three apart
        (answers(-3, 0, 3), "spread", [], 0),
        (answers(2, 3), "too_few", [], 0),
        (answers(2, 3, None, 3), 1, [2, 3, 3], 3),
        (answers(-2, 0, 0, 2), "tie", [], 0),  # two threes as similar, pointing different ways
        (answers(-1, 0, 1, 2, 3), 1, [0, 1, 2], 1),  # of three windows two apart, the one at the mean of all
        (answers(-1, 0, 1, 2), "tie", [], 0),  # both as near to the mean: the one nearer to a tie
    ],
)
def test_helpsteer(given: Answers, expected: int | str, counted: list[float], grade: int) -> None:
    found = lean(aggregates.helpsteer, given, 1, None, 0)
    assert side(found) == expected
    mirrored = lean(aggregates.helpsteer, [(r, None if g is None else -g) for r, g in given], 1, None, 0)
    assert side(mirrored) == (-expected if isinstance(expected, int) else expected)
    if isinstance(found, Lean):
        assert (found.counted, found.grade) == (counted, grade)
        assert found.margin == pytest.approx(abs(sum(counted)) / 3)


def test_hh_drops_the_weakest() -> None:
    found = lean(aggregates.without_weakest, answers(1, 1, 1, -2), 1, None, 0)
    assert isinstance(found, Lean) and (found.side, found.counted, found.margin) == (-1, [-2], 2)
    assert lean(aggregates.without_weakest, answers(1, 0), 1, None, 0) == "weak"
    assert lean(aggregates.without_weakest, answers(3, -2, 1), 1, None, 0) == "tie"


@pytest.mark.parametrize(
    ("grade", "strengths", "large", "small"),
    [(4, 4, 3, 1), (3, 4, 2, 0.6667), (2, 4, 1, 0.3333), (1, 4, 0, 0), (3, 3, 3, 1), (1, 3, 1, 0.3333), (0, 3, 0, 0),
     (1, 1, 3, 1)],
)  # fmt: skip
def test_llama2_margins(grade: int, strengths: int, large: float, small: float) -> None:
    assert llama2_margin(grade, strengths) == large
    assert llama2_margin(grade, strengths, small=True) == small


def test_ten_copies_have_the_mean_of_the_label() -> None:
    assert [copies(p, 10) for p in (1, 0.96, 0.9, 0.75, 0.64, 0.55, 0.5)] == [10, 10, 9, 8, 6, 6, 5]
    # cDPO's loss of a pair is the mean loss of its copies
    p, delta = 0.7, 0.4
    loss = -p * log(1 / (1 + exp(-delta))) - (1 - p) * log(1 / (1 + exp(delta)))
    kept = copies(p, 10)
    told = [-log(1 / (1 + exp(-delta)))] * kept + [-log(1 / (1 + exp(delta)))] * (10 - kept)
    assert sum(told) / 10 == pytest.approx(loss)


def test_sides_that_differ() -> None:
    assert differ([1, -1]) and differ([1, 0, -1]) and not differ([1, 0, 1]) and not differ([0, 0]) and not differ([])


def test_what_comes_before_every_rule() -> None:
    for rule in aggregates.RULES.values():
        trust = OneCoin({}, 0.7)
        assert lean(rule, [], 1, trust, 0.55) == "unjudged"
        assert lean(rule, answers(3, 3, 3), 4, trust, 0.55) == "too_few"
        assert lean(rule, answers(3, None, None), 1, trust, 0.55) == "both_bad"
    assert {"spread", "weak", "uncertain"} < DROPPED.keys()


# --- how far raters are to be trusted ---


def crowd(pairs: int = 300, raters: int = 12, seed: int = 4) -> tuple[Votes, np.ndarray, np.ndarray]:
    """Votes of raters of known reliability on pairs of known truth: (votes, truth 0 first or 1, reliability)."""
    rng = np.random.default_rng(seed)
    good = rng.uniform(0.55, 0.95, raters)
    pair = np.repeat(np.arange(pairs), 4)
    rater = np.concatenate([rng.choice(raters, 4, replace=False) for _ in range(pairs)])
    truth = rng.integers(0, 2, pairs)
    right = rng.random(len(pair)) < good[rater]
    second = np.where(right, truth[pair], 1 - truth[pair])
    return Votes(pair, rater, second * 2, pairs, [f"r{k}" for k in range(raters)]), truth, good


def test_one_coin_is_the_references(reference: ModuleType) -> None:
    votes, _, _ = crowd()
    first = (votes.points == 0).astype(int)
    ours = one_coin(votes.comparison, votes.rater, first, pairs=300, raters=12)
    share, right, wrong, posterior = reference.one_coin(votes.comparison, votes.rater, first, 300, 12)
    np.testing.assert_allclose(ours.share, share, atol=1e-12)
    np.testing.assert_allclose((ours.right, ours.wrong), (right, wrong), atol=1e-9)
    learned = learn_one_coin(votes)
    for pair in range(300):
        told = [
            (f"r{r}", -1.0 if f else 1.0)
            for r, f in zip(votes.rater[votes.comparison == pair], first[votes.comparison == pair], strict=True)
        ]
        believed = learned.of(told)
        assert believed is not None and believed[0] == pytest.approx(posterior[pair], abs=2e-5)


def test_a_posterior_by_hand() -> None:
    trust = OneCoin({"good": 0.9, "fair": 0.6}, 0.75)
    found = trust.of([("good", -1), ("fair", 2), ("anybody", 0)])
    assert found is not None and found[0] == pytest.approx(9 / (9 + 1.5), abs=1e-6)
    assert trust.of([("good", 0), ("fair", None)]) is None
    low = lean(aggregates.posterior, [("good", -1), ("fair", 2)], 1, trust, 0.9)
    assert low == "uncertain"
    kept = lean(aggregates.posterior, [("good", -1), ("fair", 2)], 1, trust, 0.85)
    assert isinstance(kept, Lean) and kept.side == -1 and kept.p_chosen == pytest.approx(0.857143)


def test_the_share_of_raters_doubts_what_few_said() -> None:
    """By hand: over both sides and the four kinds of pair, with no vote it is even; votes pull it, never to 1."""
    assert chosen_by([], 0.75) == pytest.approx(0.5)
    one, three = chosen_by([(0.8, 1)], 0.75), chosen_by([(0.8, 1)] * 3, 0.75)
    assert 0.5 < one < three < 1
    assert chosen_by([(0.8, 0)] * 3, 0.75) == pytest.approx(1 - three)
    kinds, pull = (0.30, 0.34, 0.22, 0.14), (1.25, 0.85, 0.40, 0.05)
    like = [[0.5 + sign * 0.3 * a for a in pull] for sign in (1, -1)]
    joint = [[0.5 * k * p for k, p in zip(kinds, row, strict=True)] for row in like]
    whole = sum(map(sum, joint))
    drawn = [[0.5 + sign * 0.25 * a for a in pull] for sign in (1, -1)]
    by_hand = sum(j * d for row, draw in zip(joint, drawn, strict=True) for j, d in zip(row, draw, strict=True)) / whole
    assert one == pytest.approx(by_hand)


def test_hundreds_of_votes_do_not_overflow() -> None:
    assert first_is_better([(0.98, 1)] * 400) == 1 and first_is_better([(0.98, 0)] * 400) == pytest.approx(0)
    assert chosen_by([(0.98, 1)] * 400, 0.75) > 0.7


def test_dawid_skene_finds_the_truth_better_than_the_majority() -> None:
    votes, truth, good = crowd(600, 12, seed=9)
    trust = learn_dawid_skene(votes)
    assert isinstance(trust, Confused)
    by_pair = [
        [(f"r{r}", -1.0 if p == 0 else 1.0) for r, p in zip(votes.rater[votes.comparison == k], votes.points[votes.comparison == k], strict=True)]
        for k in range(600)
    ]  # fmt: skip
    believed = np.array([(trust.of(told) or (0.5, 0.5))[0] for told in by_pair])
    ours = np.mean((believed < 0.5) == truth)
    plain = np.mean(
        [(sum(g > 0 for _, g in told) / 4 + 1e-9 * (k % 2)) > 0.5 for k, told in enumerate(by_pair)] == (truth == 1)
    )
    assert ours > plain and ours > 0.85
    told = np.array([exp(trust.told[f"r{k}"][0][0]) for k in range(12)])
    assert np.corrcoef(told, good)[0, 1] > 0.8


def test_dawid_skene_by_hand() -> None:
    """One rater: log prior + log P(answer | truth), then the two sides against each other."""
    even = [[log(0.8), log(0.1), log(0.1)], [log(0.2), log(0.6), log(0.2)], [log(0.1), log(0.1), log(0.8)]]
    trust = Confused({"a": even}, even, [log(0.4), log(0.2), log(0.4)])
    found = trust.of([("a", -1)])
    assert found is not None and found[0] == pytest.approx(0.32 / 0.36, abs=1e-6)
    assert trust.of([("a", 0), ("a", 0)]) is None  # a tie is the likeliest truth
    assert trust.of([("b", -1)]) == found  # of whom nothing is known, what is usual


def test_learning_from_nothing() -> None:
    nothing = Votes(*(np.zeros(0, dtype=np.int64),) * 3, 0, [])
    assert learn_one_coin(nothing).of([("a", -1)])[0] == pytest.approx(0.733333, abs=1e-5)  # type: ignore[index]
    found = learn_dawid_skene(nothing).of([("a", -1)])
    assert found is not None and found[0] > 0.5
    assert [points(grade) for grade in (-2, 0, None, 0.5)] == [0, 1, 1, 2]


def test_learning_twice_gives_the_same() -> None:
    votes, _, _ = crowd()
    assert learn_one_coin(votes) == learn_one_coin(votes) and learn_dawid_skene(votes) == learn_dawid_skene(votes)
