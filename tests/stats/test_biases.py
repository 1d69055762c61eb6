"""Position, length, groups."""

from __future__ import annotations

import numpy as np
import pytest

from labeling.stats.biases import length, position, wilson
from labeling.stats.groups import benjamini_hochberg, difference
from tests.stats.reference import DATA, figures, lines

NOT_HERE = pytest.mark.skipif(not DATA.exists(), reason="the reference data is not beside this checkout")


@NOT_HERE
def test_tulus_raters_lean_to_the_first() -> None:
    """54.7 % of the decided comparisons, by rater z = 2.4: the figures of the design."""
    shown = figures("tulu")["position_bias_as_shown"]
    rows = [row for row in lines("tulu/judgments.jsonl") if row["criterion"] == "preference"]
    last = {(row["item_id"], row["rater_id"]): row for row in rows}
    decided = [row for row in last.values() if row["choice"] != "tie"]
    first = np.array([(row["choice"] == "a") != row["shown_swapped"] for row in decided], dtype=np.float64)
    raters = np.unique([row["rater_id"] for row in decided], return_inverse=True)[1]
    found = position(first, raters)
    assert found.share == pytest.approx(shown["share_a_of_decided"], abs=1e-9)
    assert found.z > 1.9 and found.p < 0.05


def test_judgments_of_one_person_are_not_independent() -> None:
    left = np.array([1.0] * 60 + [0.0] * 40)
    apart, together = position(left, np.arange(100)), position(left, np.repeat(np.arange(10), 10))
    assert apart.share == together.share == 0.6
    assert together.error > 2 * apart.error and together.p > 0.3 > 0.05 > apart.p
    alone = position(left, np.zeros(100, dtype=np.int64))
    assert alone.share == 0.6 and np.isnan(alone.error)


def test_longer_answers_win_more_and_a_control_takes_it_away() -> None:
    rng = np.random.default_rng(2)
    ratio = rng.normal(0, 0.6, 4000)
    quality = ratio + rng.normal(0, 0.3, 4000)
    won = (rng.random(4000) < 1 / (1 + np.exp(-2 * quality))).astype(np.float64)
    prompts = rng.integers(0, 900, 4000)
    found = length(ratio, won, prompts)
    assert found.slope > 5 * found.error and found.longer_wins > 0.6
    controlled = length(ratio, won, prompts, quality[:, None])
    assert abs(controlled.slope) < 2.5 * controlled.error


def test_no_length_no_slope() -> None:
    rng = np.random.default_rng(3)
    found = length(rng.normal(0, 1, 3000), (rng.random(3000) < 0.5).astype(np.float64), np.arange(3000))
    assert abs(found.slope) < 3 * found.error and found.longer_wins == pytest.approx(0.5, abs=0.03)


def test_wilsons_interval() -> None:
    """Newcombe 1998, table I: 81 of 263."""
    assert wilson(81, 263) == pytest.approx((0.2553, 0.3662), abs=5e-5)
    assert wilson(0, 10)[0] == pytest.approx(0, abs=1e-12) and wilson(10, 10)[1] == pytest.approx(1)
    assert wilson(0, 0) == (0.0, 1.0)


def test_two_groups_on_the_same_pairs() -> None:
    rng = np.random.default_rng(6)
    pair, member = np.repeat(np.arange(150), 8), np.tile([0, 0, 0, 0, 1, 1, 1, 1], 150)
    hard = rng.random(150)[pair]
    same = (rng.random(1200) < hard).astype(np.float64)
    apart = (rng.random(1200) < np.clip(hard + 0.25 * member, 0, 1)).astype(np.float64)
    assert difference(pair, member, same, draws=300).p > 0.05
    found = difference(pair, member, apart, draws=300)
    assert found.p < 0.01 and 0.1 < found.difference < 0.3 and found.pairs == 150


def test_pairs_that_one_group_alone_judged_say_nothing() -> None:
    found = difference(np.array([0, 0, 1, 1]), np.array([0, 0, 1, 1]), np.array([1.0, 0.0, 1.0, 1.0]))
    assert found.pairs == 0 and np.isnan(found.p)


def test_many_questions_at_once() -> None:
    """Benjamini and Hochberg 1995, their example of 15 p values: four are discoveries at 5 %."""
    low = [0.0001, 0.0004, 0.0019, 0.0095, 0.0201, 0.0278, 0.0298, 0.0344, 0.0459]
    p = np.array([*low, 0.3240, 0.4262, 0.5719, 0.6528, 0.7590, 1.0])
    adjusted = benjamini_hochberg(p)
    assert int((adjusted <= 0.05).sum()) == 4
    assert adjusted[0] == pytest.approx(0.0015) and (np.diff(adjusted) >= 0).all()
    shuffled = np.random.default_rng(1).permutation(15)
    assert benjamini_hochberg(p[shuffled]).tolist() == adjusted[shuffled].tolist()
