"""Models by what raters preferred: who is ahead, how surely, and what length has to do with it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from django.http import HttpResponse
from django.shortcuts import render
from django.utils.translation import gettext_lazy as _
from django.views.decorators.http import require_safe

from labeling.reports.findings import Found
from labeling.web.guards import PersonRequest
from labeling.web.plots import Forest, Point, forest
from labeling.web.report_pages import begin, chosen, criteria_of
from labeling.web.report_sheets import WORDS, only, percent, sheet, where

MODELS = (
    "rank", "model", "comparisons", "wins", "ties", "losses", "both_bad", "win_share", "strength", "error", "best",
    "controlled",
)  # fmt: skip
SLICES = ("model", "of", "wins", "ties", "losses", "win_share")
LARGEST_MATRIX = 12
PARTS = (_("much shorter"), _("shorter"), _("about as long"), _("longer"), _("much longer"))


@dataclass(frozen=True, slots=True)
class Won:
    """A cell of the matrix: how often the row's model was preferred to the column's; `shade` from 0 to 10."""

    text: str
    shade: int | None


@require_safe
def models(request: PersonRequest, slug: str) -> HttpResponse:
    """Eight queries, whatever the project's size."""
    project, found, context = begin(request, slug, "models", "biases")
    report = found.get("models")
    if report is not None:
        criteria = criteria_of(project, [row["criterion"] for row in report.rows("criteria")])
        criterion = chosen(request, "criterion", [key for key, _name in criteria])
        context |= {"criteria": criteria, "criterion": criterion} | _standings(request, report, criterion)
        context |= _habits(found.get("biases"), criterion)
    return render(request, "labeling/models.html", context)


def _standings(request: PersonRequest, report: Found, criterion: str) -> dict[str, Any]:
    rows = where(report.rows("models"), criterion=criterion)
    summary = only(report.rows("criteria"), criterion=criterion)
    mine = where(report.rows("slices"), criterion=criterion)
    kinds = list(dict.fromkeys(row["by"] for row in mine))
    by = chosen(request, "by", kinds)
    said = [one for one in report.sentences if one.about.get("criterion") == criterion]
    brackets: dict[Any, list[str]] = {}
    for row in where(report.rows("brackets"), criterion=criterion):
        brackets.setdefault(row["bracket"], []).append(row["model"])
    return {
        "summary": summary, "sentences": said, "chart": _chart(rows, summary), "table": sheet("models", rows, MODELS),
        "brackets": [(names[0], names[-1], len(names)) for names in brackets.values() if len(names) > 1], "by": by,
        "kinds": [(kind, WORDS.get(kind, kind)) for kind in kinds],
        "slices": sheet("slices", where(mine, by=by), SLICES, most=60),
        "style": sheet("style", where(report.rows("style"), criterion=criterion), ("what", "weight", "low", "high"),
                       say={"low": _plain, "high": _plain}),
    } | _matrix(report, criterion, rows)  # fmt: skip


def _plain(value: float | None) -> str:
    return "" if value is None else f"{value:.2f}".replace("-", "\N{MINUS SIGN}")


def _chart(rows: list[Mapping[str, Any]], summary: Mapping[str, Any] | None) -> Forest | None:
    """Strengths with their intervals; models with too few comparisons are grey."""
    points = [
        Point(row["model"], row["strength"], row["low"], row["high"], "accent" if row["enough"] else "quiet")
        for row in rows
        if row["strength"] is not None
    ]
    return forest(points, bounds=(-1, 1), chance=0.0) if points and summary else None


def _matrix(report: Found, criterion: str, rows: list[Mapping[str, Any]]) -> dict[str, Any]:
    """Every model against every other, the strongest first, if they are few enough to be read."""
    names = [row["model"] for row in rows]
    if not 2 <= len(names) <= LARGEST_MATRIX:
        return {"matrix": []}
    shares = {(row["model"], row["other"]): row["share"] for row in where(report.rows("matrix"), criterion=criterion)}
    lines = [(name, [_won(None if other == name else shares.get((name, other))) for other in names]) for name in names]
    return {"matrix": lines, "matrix_names": names}


def _won(share: float | None) -> Won:
    return Won("" if share is None else percent(share), None if share is None else round(10 * share))


def _habits(found: Found | None, criterion: str) -> dict[str, Any]:
    """What is chosen for where it stands, and for its length."""
    if found is None:
        return {}
    position = only(found.rows("position"), criterion=criterion)
    length = only(found.rows("length"), criterion=criterion)
    curve = where(found.rows("length_curve"), criterion=criterion)
    points = [
        Point(str(PARTS[place]) if len(curve) == len(PARTS) else str(place + 1), row["share"], row["low"], row["high"])
        for place, row in enumerate(curve)
        if row["share"] is not None
    ]
    return {
        "position": position, "length": length,
        "biases": [one for one in found.sentences if one.about.get("criterion") == criterion],
        "first_share": percent(position["share"]) if position else "",
        "length_chart": forest([Point(p.label, 100 * p.value, 100 * (p.low or 0), 100 * (p.high or 0)) for p in points],
                               bounds=(30, 70), chance=50, digits=0) if points else None,
        "curve": sheet("length_curve", curve, ("from_ratio", "to_ratio", "decided", "share", "low", "high")),
    }  # fmt: skip
