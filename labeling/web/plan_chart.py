"""The chart of a plan: accuracy against judgments, in SVG units. A table beside it has the same figures."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

WIDTH, HEIGHT = 560, 220
ROOM = 0.06  # of the range, beside the outermost points
FLOOR = 0.05  # the least range of accuracies shown, so that noise does not look like a difference


@dataclass(frozen=True, slots=True)
class Point:
    """A rule: its place in the table from 1, the middle of its mark and the ends of its whisker."""

    number: int
    x: float
    y: float
    top: float
    bottom: float
    cheapest: bool


@dataclass(frozen=True, slots=True)
class Tick:
    at: float
    label: str


@dataclass(frozen=True, slots=True)
class PlanChart:
    points: list[Point]
    across: list[Tick]
    up: list[Tick]
    wished: float | None


def plan_chart(rows: Sequence[dict[str, Any]], cheapest: int | None, wished: float) -> PlanChart:
    """`rows` as a plan has found them, not empty."""
    most = max(row["judgments"] for row in rows) * (1 + ROOM)
    low = min(row["low"] for row in rows)
    high = max(max(row["high"] for row in rows), low + FLOOR)
    low, high = max(0.0, low - ROOM * (high - low)), min(1.0, high + ROOM * (high - low))

    def up(value: float) -> float:
        return float(round(HEIGHT * (1 - (value - low) / (high - low)), 1))

    points = [
        Point(
            place + 1, round(WIDTH * row["judgments"] / most, 1), up(row["accuracy"]), up(row["high"]), up(row["low"]),
            place == cheapest,
        )
        for place, row in enumerate(rows)
    ]  # fmt: skip
    across = [Tick(round(WIDTH * part, 1), f"{round(most * part):,}") for part in (0, 0.25, 0.5, 0.75, 1)]
    ticks = [Tick(up(low + part * (high - low)), f"{100 * (low + part * (high - low)):.0f} %") for part in (0, 0.5, 1)]
    return PlanChart(points, across, ticks, up(wished) if low <= wished <= high else None)
