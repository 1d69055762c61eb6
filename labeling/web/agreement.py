"""How far raters agree: one plain sentence a question, the coefficients behind it, and where they agree less."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from django.http import HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_safe

from labeling.reports.findings import Found, Said
from labeling.web.guards import PersonRequest
from labeling.web.plots import Forest, Point, forest, number
from labeling.web.report_pages import begin, chosen, criteria_of
from labeling.web.report_sheets import WORDS, percent, sheet, where

COEFFICIENTS = (
    "criterion", "units", "comparisons", "percent", "alpha", "ordinal", "fleiss", "weighted_kappa", "ac1", "ac2",
)  # fmt: skip
SLICES = ("of", "units", "percent", "alpha", "ordinal", "ac1")
WEEKS = ("week", "judgments", "tie_share", "unsafe_share")
RARE = "ac1"


@dataclass(frozen=True, slots=True)
class Headline:
    """What is said of one question first. `value` is α, or AC1 where one answer is so common that α misleads."""

    name: str
    row: Mapping[str, Any]
    said: Said | None

    @property
    def percent(self) -> str:
        return percent(self.row["percent"]) if self.row["enough_percent"] else ""

    @property
    def coefficient(self) -> str:
        return "AC1" if self.row["shown"] == RARE else "α"

    @property
    def value(self) -> str:
        found = self.row[self.row["shown"]]
        return number(found, 2) if found is not None and self.row["enough"] else ""

    @property
    def between(self) -> tuple[str, str] | None:
        low, high = self.row["alpha_low"], self.row["alpha_high"]
        if self.row["shown"] == RARE or low is None or high is None or not self.row["enough"]:
            return None
        return number(low, 2), number(high, 2)


@require_safe
def agreement(request: PersonRequest, slug: str) -> HttpResponse:
    """Eight queries, whatever the project's size."""
    project, found, context = begin(request, slug, "agreement", "trends")
    report = found.get("agreement")
    if report is not None:
        names = dict(criteria_of(project, [row["criterion"] for row in report.rows("criteria")]))
        context |= _figures(request, report, names)
        context["weeks"] = _weeks(found.get("trends"), context["criterion"])
    return render(request, "labeling/agreement.html", context)


def _figures(request: PersonRequest, report: Found, names: dict[str, str]) -> dict[str, Any]:
    said = {one.about["criterion"]: one for one in report.sentences}
    rows = [row for row in report.rows("criteria") if row["criterion"] in names]
    headlines = [Headline(names[row["criterion"]], row, said.get(row["criterion"])) for row in rows]
    criterion = chosen(request, "criterion", list(names))
    mine = where(report.rows("slices"), criterion=criterion)
    kinds = [kind for kind in dict.fromkeys(row["by"] for row in mine) if kind != "all"]
    by = chosen(request, "by", kinds)
    slices = where(mine, by=by)
    words = {"criterion": lambda key: str(names.get(key, key))}
    kind = next((row["kind"] for row in rows if row["criterion"] == criterion), "")
    return {
        "headlines": headlines, "criterion": criterion, "criteria": list(names.items()), "by": by,
        "kinds": [(one, WORDS[one]) for one in kinds], "chart": _chart(slices),
        "slices": sheet("slices", slices, SLICES),
        "coefficients": sheet("criteria", rows, COEFFICIENTS, say=words),
        "published": sheet("published", where(report.rows("published"), kind=kind), ("project", "coefficient", "value",
                           "source"), say={"value": _value}),
    }  # fmt: skip


def _value(found: float | None) -> str:
    return number(found, 2) if found is not None else "0.37\N{EN DASH}0.55"


def _chart(slices: list[Mapping[str, Any]]) -> Forest | None:
    points = [
        Point(row["of"], row["alpha"], row["alpha_low"], row["alpha_high"], "accent" if row["enough"] else "quiet")
        for row in slices
        if row["alpha"] is not None
    ]
    return forest(points, bounds=(0, 0.8), chance=0.0) if points else None


def _weeks(trends: Found | None, criterion: str) -> Any:
    rows = where(trends.rows("weeks"), criterion=criterion) if trends else []
    return sheet("weeks", rows[::-1], WEEKS, most=12)
