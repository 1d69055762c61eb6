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
from labeling.stats.one_coin import KINDS, believe, one_coin, weights

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
    sys.modules.pop("sim_adaptive", None)
    return importlib.import_module("sim_adaptive")


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
        assert (found.margin, found.p_chosen) == pytest.approx((margin, p_chosen)) and found.grade == grade


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
        assert (found.margin, found.p_chosen) == pytest.approx((margin, p_chosen))


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


def told_of(votes: Votes, pair: int) -> Answers:
    mine = votes.comparison == pair
    told = zip(votes.rater[mine], votes.points[mine], strict=True)
    return [(f"r{rater}", -1.0 if side == 0 else 1.0) for rater, side in told]


def test_one_coin_is_the_references(reference: ModuleType) -> None:
    votes, _, _ = crowd()
    first = (votes.points == 0).astype(int)
    ours = one_coin(votes.comparison, votes.rater, first, pairs=300, raters=12)
    none = np.zeros(12)
    share, _, posterior, (kinds, _) = reference.fit(
        votes.comparison, votes.rater, first, np.zeros(len(first), dtype=int), 300, 12, none, none
    )
    np.testing.assert_allclose(ours.share, share, atol=1e-9)
    np.testing.assert_allclose(ours.kinds, kinds, atol=1e-9)
    learned = learn_one_coin(votes)
    believed = [learned.of(told_of(votes, pair)) for pair in range(300)]
    theirs = np.exp(posterior).sum(2)[:, 1]
    np.testing.assert_allclose([each[0] for each in believed if each], theirs, atol=2e-5)


def test_one_coin_knows_how_good_a_crowd_is() -> None:
    votes, truth, good = crowd(1000, 12, seed=6)
    learned = learn_one_coin(votes)
    assert np.corrcoef([learned.shares[f"r{k}"] for k in range(12)], good)[0, 1] > 0.95
    believed = np.array([(learned.of(told_of(votes, k)) or (0.5, 0))[0] for k in range(1000)])
    right, sure = np.mean((believed < 0.5) == truth), np.mean(np.maximum(believed, 1 - believed))
    assert right > 0.85 and 0 <= right - sure < 0.07  # rather less sure than right


def test_bad_raters_never_count_against_themselves() -> None:
    stands, falls = weights(0.3)
    assert [log(a / b) for a, b in zip(stands, falls, strict=True)] == pytest.approx([0.02] * 4)
    stands, falls = weights(0.8)
    assert (stands[0], falls[0]) == pytest.approx((0.875, 0.125))


def test_a_posterior_by_hand() -> None:
    """Over the kinds of pair: the prior, times the likelihood of each vote, for either side."""
    trust = OneCoin({"good": 0.9, "fair": 0.6}, 0.75, (0.0, 1.0, 0.0, 0.0))  # only plain pairs, pull 0.85
    good, fair = 0.5 + 0.4 * 0.85, 0.5 + 0.1 * 0.85
    found = trust.of([("good", -1), ("fair", 2), ("anybody", 0)])
    by_hand = good * (1 - fair) / (good * (1 - fair) + (1 - good) * fair)
    assert found is not None and found[0] == pytest.approx(by_hand, abs=1e-6)
    q = 0.5 + 0.25 * 0.85
    assert found[1] == pytest.approx(by_hand * q + (1 - by_hand) * (1 - q), abs=1e-6)
    assert trust.of([("good", 0), ("fair", None)]) is None
    assert lean(aggregates.posterior, [("good", -1), ("fair", 2)], 1, trust, 0.9) == "uncertain"
    kept = lean(aggregates.posterior, [("good", -1), ("fair", 2)], 1, trust, 0.75)
    assert isinstance(kept, Lean) and kept.side == -1 and kept.p_chosen == pytest.approx(by_hand, abs=1e-6)


def test_the_share_of_raters_doubts_what_few_said() -> None:
    none = believe([], KINDS)
    assert (none.first_is_better, none.chosen_by(0.75)) == pytest.approx((0.5, 0.5))
    one, three = (believe([(0.8, 1)] * n, KINDS).chosen_by(0.75) for n in (1, 3))
    assert 0.5 < one < three < believe([(0.8, 1)] * 3, KINDS).first_is_better < 1
    assert believe([(0.8, 0)] * 3, KINDS).chosen_by(0.75) == pytest.approx(1 - three)


def test_hundreds_of_votes_do_not_overflow() -> None:
    assert believe([(0.98, 1)] * 400, KINDS).first_is_better == pytest.approx(1)
    assert believe([(0.98, 0)] * 400, KINDS).first_is_better == pytest.approx(0)
    assert believe([(0.98, 1)] * 400, KINDS).chosen_by(0.75) > 0.6


def test_dawid_skene_finds_the_truth_better_than_the_majority() -> None:
    votes, truth, good = crowd(600, 12, seed=9)
    trust = learn_dawid_skene(votes)
    assert isinstance(trust, Confused)
    by_pair = [told_of(votes, k) for k in range(600)]
    believed = np.array([(trust.of(told) or (0.5, 0.5))[0] for told in by_pair])
    ours = np.mean((believed < 0.5) == truth)
    second = np.array([sum(side > 0 for _, side in told if side) for told in by_pair])
    plain = np.mean(np.where(second == 2, np.arange(600) % 2, second > 2) == truth)  # of even votes every other one
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
    assert 0.5 < learn_one_coin(nothing).of([("a", -1)])[0] < 0.74  # type: ignore[index]
    found = learn_dawid_skene(nothing).of([("a", -1)])
    assert found is not None and found[0] > 0.5
    assert [points(grade) for grade in (-2, 0, None, 0.5)] == [0, 1, 1, 2]


def test_learning_twice_gives_the_same() -> None:
    votes, _, _ = crowd()
    assert learn_one_coin(votes) == learn_one_coin(votes) and learn_dawid_skene(votes) == learn_dawid_skene(votes)
