"""Charts of reports: numbers become places in an SVG, colours are classes, words stand in the templates.

Every chart has its figures in a table beside it; what is drawn here is only where things lie.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from math import ceil, floor, log10

WIDTH = 560
ROW = 26
LABELS = 170


@dataclass(frozen=True, slots=True)
class Axis:
    """A straight scale from `low` to `high`, drawn from x = `start` to x = `end`."""

    low: float
    high: float
    start: float = LABELS
    end: float = WIDTH - 46

    def x(self, value: float) -> float:
        inside = min(max(value, self.low), self.high)
        return round(self.start + (self.end - self.start) * (inside - self.low) / ((self.high - self.low) or 1), 1)


@dataclass(frozen=True, slots=True)
class Mark:
    """A line across a chart with its value, as a text."""

    x: float
    label: str


@dataclass(frozen=True, slots=True)
class Whisker:
    """One value with its interval. `kind` is a class: accent, warn, bad or quiet; `row` counts from 0."""

    label: str
    x: float
    low: float
    high: float
    shown: str
    kind: str
    row: int

    @property
    def y(self) -> int:
        return ROW * self.row + ROW // 2 + 4


@dataclass(frozen=True, slots=True)
class Forest:
    """Values with intervals, one a row, on one axis. `zero` marks what would be chance, if anything would."""

    whiskers: list[Whisker]
    ticks: list[Mark]
    zero: float | None
    left_out: int = 0

    @property
    def height(self) -> int:
        return ROW * len(self.whiskers) + 30

    @property
    def bottom(self) -> int:
        return ROW * len(self.whiskers) + 6

    @property
    def below(self) -> int:
        return self.bottom + 17


@dataclass(frozen=True, slots=True)
class Point:
    """What a forest is drawn from; the interval may be unknown."""

    label: str
    value: float
    low: float | None = None
    high: float | None = None
    kind: str = "accent"


def forest(
    points: Sequence[Point],
    *,
    bounds: tuple[float, float],
    chance: float | None = None,
    digits: int = 2,
    most: int = 30,
) -> Forest:
    """At most `most` rows, `left_out` counts the rest. `bounds` are widened where something drawn lies outside."""
    shown = points[:most]
    low = min([bounds[0], *(point.low if point.low is not None else point.value for point in shown)])
    high = max([bounds[1], *(point.high if point.high is not None else point.value for point in shown)])
    axis = Axis(low, high)
    whiskers = [
        Whisker(
            point.label,
            axis.x(point.value),
            axis.x(point.value if point.low is None else point.low),
            axis.x(point.value if point.high is None else point.high),
            number(point.value, digits),
            point.kind,
            row,
        )
        for row, point in enumerate(shown)
    ]
    ticks = [Mark(axis.x(value), number(value, digits)) for value in steps(low, high)]
    return Forest(whiskers, ticks, None if chance is None else axis.x(chance), len(points) - len(shown))


@dataclass(frozen=True, slots=True)
class Column:
    x: float
    y: float
    width: float
    height: float
    kind: str
    label: str
    count: int

    @property
    def middle(self) -> float:
        return self.x + self.width / 2


@dataclass(frozen=True, slots=True)
class Columns:
    """Counts as columns over labels of equal width."""

    columns: list[Column]
    total: int


def columns(counts: Sequence[tuple[str, int, str]], *, width: int = 320, height: int = 92) -> Columns:
    """From (label, count, class) each."""
    top = max([1, *(count for _, count, _ in counts)])
    step = width / max(1, len(counts))
    drawn = [
        Column(
            round(place * step + 3, 1), round(height * (1 - count / top), 1), round(step - 6, 1),
            round(height * count / top, 1), kind, label, count,
        )
        for place, (label, count, kind) in enumerate(counts)
    ]  # fmt: skip
    return Columns(drawn, sum(count for _, count, _ in counts))


def sparkline(values: Sequence[float | None], *, width: int = 66, height: int = 18) -> str:
    """The points of a polyline, evenly spaced; what is not known is left out. Empty with fewer than two values."""
    known = [(place, value) for place, value in enumerate(values) if value is not None]
    if len(known) < 2:
        return ""
    low, high = min(value for _, value in known), max(value for _, value in known)
    span, step = (high - low) or 1.0, width / max(1, len(values) - 1)
    return " ".join(f"{place * step:.1f},{2 + (height - 4) * (1 - (value - low) / span):.1f}" for place, value in known)


@dataclass(frozen=True, slots=True)
class Dot:
    """A reliability on a short line: its interval, its dot, and where a coin would lie. 104 wide."""

    x: float
    low: float
    high: float
    coin: float
    kind: str
    percent: int


def dot(value: float, low: float, high: float, *, coin: float = 0.5, least: float = 0.4) -> Dot:
    """Red at the coin, amber while the interval reaches below 0.65, else the accent."""
    axis = Axis(least, 1.0, 2, 102)
    kind = "bad" if low <= coin + 0.02 else "warn" if low < 0.65 else "accent"
    return Dot(axis.x(value), axis.x(low), axis.x(high), axis.x(coin), kind, round(100 * value))


def steps(low: float, high: float, most: int = 6) -> list[float]:
    """Round numbers from `low` to `high`, at most `most` of them."""
    span = (high - low) or 1.0
    decade = 10 ** floor(log10(span / (most - 1)))
    step = next(decade * part for part in (1, 2, 5, 10) if span / (decade * part) <= most - 1 + 1e-9)
    first, last = ceil(low / step - 1e-9), floor(high / step + 1e-9)
    return [round(step * k, 10) for k in range(first, last + 1)] or [low]


def number(value: float, digits: int) -> str:
    """Fixed digits with a true minus sign; whole numbers without."""
    text = f"{value:.{digits}f}" if digits else f"{value:.0f}"
    return text.replace("-", "\N{MINUS SIGN}")


def shades(rows: Iterable[Sequence[float | None]]) -> list[list[int | None]]:
    """Shares from 0 to 1 as one of eleven shades, 0 to 10; None stays none."""
    return [[None if share is None else round(10 * share) for share in row] for row in rows]
