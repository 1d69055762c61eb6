"""Tables of findings as pages and files show them: which columns, under which words, with which figures."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from django.utils.translation import gettext_lazy as _
from django.utils.translation import pgettext_lazy

from labeling.web.plots import number

NOTHING = "\N{EN DASH}"
PERCENT = frozenset({
    "percent", "percent_low", "percent_high", "share", "left_share", "tie_share", "win_share", "rate", "unsafe_share",
    "skipped_share", "best", "against_baseline", "against_low", "against_high", "low", "high", "most_common_share",
    "too_fast", "reliability", "reliability_low", "reliability_high", "accuracy", "own_accuracy", "longer_wins",
    "longer_low", "longer_high", "share_first", "at_equal_length", "resolution", "resolution_low", "resolution_high",
    "mean", "others_mean", "first_better", "within", "across", "difference",
})  # fmt: skip
HEADINGS: dict[str, Any] = {
    "criterion": _("Question"),
    "of": _("Of"),
    "by": _("By"),
    "units": _("Judged by two or more"),
    "judgments": _("Judgments"),
    "raters": _("Raters"),
    "comparisons": _("Comparisons"),
    "percent": _("Agreement"),
    "alpha": _("α"),
    "ordinal": _("α of grades"),
    "fleiss": _("Fleiss’ κ"),
    "weighted_kappa": _("Weighted κ"),
    "ac1": _("Gwet’s AC1"),
    "ac2": _("Gwet’s AC2"),
    "brennan_prediger": _("Brennan–Prediger"),
    "interval": _("α of intervals"),
    "most_common": _("Most given"),
    "most_common_share": _("Its share"),
    "project": _("Project"),
    "value": _("Value"),
    "coefficient": _("Coefficient"),
    "source": _("Source"),
    "model": _("Model"),
    "other": _("Against"),
    "wins": _("Wins"),
    "ties": _("Ties"),
    "losses": _("Losses"),
    "both_bad": _("Both bad"),
    "win_share": _("Wins, of all"),
    "strength": _("Strength"),
    "error": _("± (s.e.)"),
    "low": pgettext_lazy("lower bound", "From"),
    "high": pgettext_lazy("upper bound", "To"),
    "best": _("Is best"),
    "rank": _("Rank"),
    "share": pgettext_lazy("proportion", "Share"),
    "bin": _("Part"),
    "decided": _("With a side"),
    "pairs": _("Pairs"),
    "conflicts": _("Conflicts"),
    "responses": _("Responses"),
    "unsafe": _("Unsafe"),
    "rate": _("Rate"),
    "category": _("Category"),
    "severity": _("Severity"),
    "attempts": _("Attempts"),
    "successes": _("Successes"),
    "attribute": _("Of themselves"),
    "answer": _("Answer"),
    "mean": _("This group"),
    "others": _("Everybody else"),
    "difference": _("Difference"),
    "verdict": _("Verdict"),
    "topic": pgettext_lazy("topic", "About"),
    "question": pgettext_lazy("question", "Asked"),
    "rater": _("Rater"),
    "kappa": _("κ"),
    "week": _("Week"),
    "tie_share": _("Ties"),
    "unsafe_share": _("Unsafe"),
    "assignments": _("Handed out"),
    "skipped": _("Skipped"),
    "weight": _("Weight"),
    "what": _("What"),
    "votes": _("Votes"),
    "annotations": _("Pairs judged"),
    "from_ratio": _("Longer by"),
    "to_ratio": _("up to"),
    "controlled": _("Strength at equal style"),
    "p": _("p"),
    "q": _("q"),
    "first": _("First"),
    "second": _("Second"),
    "tie": _("Tie"),
    "neither": _("Neither"),
    "external_id": _("Item"),
    "pair": _("Pair"),
    "why": _("Why"),
    "longer_wins": _("Longer wins"),
    "slope": _("Slope"),
    "within": _("Within"),
    "across": _("Across"),
    "stated": _("Stated"),
    "day": _("Day"),
    "from": pgettext_lazy("lower bound", "From"),
    "to": pgettext_lazy("upper bound", "To"),
}
# Codes that stand in cells, in words.
WORDS: dict[str, Any] = {
    "first": _("first"),
    "second": _("second"),
    "tie": _("tie"),
    "neither": _("neither"),
    "safe": _("safe"),
    "unsafe": _("unsafe"),
    "differs": _("Differs"),
    "same": _("No clear difference"),
    "few": _("Too few"),
    "language": _("Language"),
    "batch": _("Import"),
    "category": _("Category"),
    "tag": _("Tag"),
    "models": _("Models"),
    "guideline": _("Guideline"),
    "all": _("Everything"),
    "locale": _("Language of the page"),
    "length": _("Length"),
    "lists": _("Lists"),
    "headings": _("Headings"),
    "percent": _("percent"),
    "alpha": _("α"),
    "weighted_kappa": _("weighted κ"),
    "ac2": _("AC2"),
    "preference": _("preference"),
    "safety": _("safety"),
    "rating": _("rating"),
    "no_difference": _("They find no difference"),
    "two_sides": _("They take both sides"),
    "strongly": _("They take both sides, firmly"),
}


@dataclass(frozen=True, slots=True)
class Heading:
    key: str
    label: Any
    numeric: bool


@dataclass(frozen=True, slots=True)
class Sheet:
    """A table as it is shown. `left_out` rows are only in the file."""

    name: str
    headings: list[Heading]
    rows: list[list[str]]
    left_out: int = 0


def sheet(
    name: str,
    rows: Sequence[Mapping[str, Any]],
    columns: Sequence[str],
    *,
    most: int = 100,
    say: Mapping[str, Callable[[Any], str]] | None = None,
) -> Sheet:
    """`columns` of `rows`, formatted; `say` words a column in another way."""
    shown, say = rows[:most], say or {}
    headings = [
        Heading(key, HEADINGS.get(key, key.replace("_", " ")), any(_is_number(row.get(key)) for row in shown))
        for key in columns
    ]
    cells = [[say[key](row.get(key)) if key in say else cell(key, row.get(key)) for key in columns] for row in shown]
    return Sheet(name, headings, cells, len(rows) - len(shown))


def cell(key: str, value: Any) -> str:
    """A share as a percentage, a count with commas, another number to two places, a code in words; else a dash."""
    if value is None or value == "":
        return NOTHING
    if isinstance(value, bool):
        return str(_("yes") if value else _("no"))
    if isinstance(value, int):
        return f"{value:,}"
    if isinstance(value, float):
        return percent(value) if key in PERCENT else number(value, 3 if abs(value) < 0.1 else 2)
    return str(WORDS.get(value, value))


def percent(share: float | None, *, sign: bool = False) -> str:
    if share is None:
        return NOTHING
    return f"{'+' if sign and share > 0 else ''}{number(100 * share, 0)}%"


def minutes(milliseconds: float | None) -> str:
    """As on a watch: 1:48."""
    if milliseconds is None:
        return NOTHING
    seconds = round(milliseconds / 1000)
    return f"{seconds // 60}:{seconds % 60:02d}"


def where(rows: Iterable[Mapping[str, Any]], **wanted: Any) -> list[Mapping[str, Any]]:
    """The rows whose cells are these."""
    return [row for row in rows if all(row.get(name) == value for name, value in wanted.items())]


def only(rows: Iterable[Mapping[str, Any]], **wanted: Any) -> Mapping[str, Any] | None:
    """The first row whose cells are these."""
    return next(iter(where(rows, **wanted)), None)


def _is_number(value: Any) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)
