"""Shapes of the charts that the server draws: numbers in SVG units, colours by class."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from labeling.reports.activity import Day

WIDTH, HEIGHT, AXIS = 560, 150, 36


@dataclass(frozen=True, slots=True)
class Bar:
    x: float
    y: float
    width: float
    height: float
    day: Day
    is_today: bool


@dataclass(frozen=True, slots=True)
class Tick:
    y: float
    label: str


@dataclass(frozen=True, slots=True)
class DayChart:
    bars: list[Bar]
    ticks: list[Tick]
    total: int

    @property
    def first(self) -> Day:
        return self.bars[0].day

    @property
    def middle(self) -> Bar:
        return self.bars[len(self.bars) // 2]

    @property
    def busiest(self) -> Day:
        return max((bar.day for bar in self.bars), key=lambda day: day.annotations)


def day_chart(days: Sequence[Day]) -> DayChart:
    """Bars of the days, oldest first, under a scale that ends at a round number. `days` is not empty."""
    top = _round_up(max(day.annotations for day in days))
    step = WIDTH / len(days)
    bars = [
        Bar(
            x=round(place * step + 2, 1),
            y=round(HEIGHT * (1 - day.annotations / top), 1),
            width=round(step - 4, 1),
            height=round(HEIGHT * day.annotations / top, 1),
            day=day,
            is_today=place == len(days) - 1,
        )
        for place, day in enumerate(days)
    ]
    ticks = [Tick(round(HEIGHT * (1 - part), 1), f"{round(top * part):,}") for part in (0, 0.5, 1)]
    return DayChart(bars, ticks, sum(day.annotations for day in days))


@dataclass(frozen=True, slots=True)
class Part:
    """One part of a stacked bar: a class for its colour, its place, and its count with a word."""

    kind: str
    x: float
    width: float
    count: int
    label: str


def stack(parts: Sequence[tuple[str, int, str]], width: int = 300, gap: int = 2) -> list[Part]:
    """A bar cut by counts: (class, count, label) each. Parts of nothing take no room."""
    total = sum(count for _, count, _ in parts)
    room = width - gap * (sum(1 for _, count, _ in parts if count) - 1)
    found, x = [], 0.0
    for kind, count, label in parts:
        size = room * count / total if total else 0.0
        found.append(Part(kind, round(x, 1), round(size, 1), count, label))
        x += size + gap if count else 0
    return found


def _round_up(number: int) -> int:
    """The next of 2, 4, 6, 10, 20, 40, 60, 100, … so that half of it is whole."""
    size = 1
    while True:
        for step in (2, 4, 6, 10):
            if number <= step * size:
                return step * size
        size *= 10
