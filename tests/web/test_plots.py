"""Where things lie in charts: inside their frame, in the right order, and never by a division by nothing."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from labeling.web.plots import Point, columns, dot, forest, number, shades, sparkline, steps

finite = st.floats(-1000, 1000, allow_nan=False)


@given(st.lists(st.tuples(finite, finite, finite), max_size=40))
def test_whiskers_lie_in_the_frame_and_hold_their_value(found: list[tuple[float, float, float]]) -> None:
    points = [Point(f"m{n}", sorted(three)[1], min(three), max(three)) for n, three in enumerate(found)]
    drawn = forest(points, bounds=(0, 1), chance=0.5)
    assert len(drawn.whiskers) + drawn.left_out == len(points)
    for one in drawn.whiskers:
        assert 170 <= one.low <= one.x <= one.high <= 514
    heights = [one.y for one in drawn.whiskers]
    assert heights == sorted(set(heights)) and all(y < drawn.bottom for y in heights)


def test_a_value_without_an_interval_is_a_dot() -> None:
    [one] = forest([Point("en", 0.5)], bounds=(0, 1)).whiskers
    assert one.low == one.x == one.high and one.shown == "0.50"


@given(finite, st.floats(0.001, 1000))
def test_steps_are_few_round_and_inside(low: float, span: float) -> None:
    found = steps(low, low + span)
    assert 1 <= len(found) <= 6 and all(low - 1e-6 <= step <= low + span + 1e-6 for step in found)


@pytest.mark.parametrize(("low", "high", "found"), [(0, 1, [0, 0.2, 0.4, 0.6, 0.8, 1]), (-0.1, 0.5, [0, 0.2, 0.4])])
def test_the_usual_scales(low: float, high: float, found: list[float]) -> None:
    assert steps(low, high) == pytest.approx(found)


def test_columns_reach_from_the_ground_to_the_top() -> None:
    drawn = columns([("50%", 0, "quiet"), ("75%", 5, "accent"), ("100%", 10, "accent")])
    assert [(one.y, one.height) for one in drawn.columns] == [(92, 0), (46, 46), (0, 92)] and drawn.total == 15
    assert columns([]).columns == []
    assert columns([("a", 0, "quiet")]).columns[0].height == 0


def test_a_sparkline_needs_two_values() -> None:
    assert sparkline([1.0]) == "" and sparkline([None, None, 3.0]) == ""
    assert sparkline([1.0, None, 3.0]) == "0.0,16.0 66.0,2.0"
    assert sparkline([2.0, 2.0]).count(",") == 2


def test_a_dot_is_red_at_the_coin() -> None:
    kinds = [dot(0.9, 0.85, 0.95).kind, dot(0.7, 0.6, 0.8).kind, dot(0.5, 0.42, 0.58).kind]
    assert kinds == ["accent", "warn", "bad"]
    assert 2 <= dot(0.1, 0.0, 0.2).x <= 102


def test_numbers_have_a_true_minus_and_shades_are_eleven() -> None:
    assert (number(-0.25, 2), number(3, 0)) == ("\N{MINUS SIGN}0.25", "3")
    assert shades([[0.0, 0.55, 1.0, None]]) == [[0, 6, 10, None]]
