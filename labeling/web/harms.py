"""Helpful against harmless, and what is unsafe: by model, by kind of harm, by how bad it is."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from django.http import HttpResponse
from django.shortcuts import render
from django.utils.translation import gettext_lazy as _
from django.views.decorators.http import require_safe

from labeling.reports.findings import Found
from labeling.web.guards import PersonRequest
from labeling.web.plots import Point, forest
from labeling.web.report_pages import begin, chosen, criteria_of
from labeling.web.report_sheets import sheet, where

SIDES = (("first", _("the first")), ("tie", _("a tie")), ("second", _("the second")))
MODELS = ("model", "responses", "unsafe", "rate", "low", "high", "judgments")


@require_safe
def harms(request: PersonRequest, slug: str) -> HttpResponse:
    """Eight queries, whatever the project's size."""
    project, found, context = begin(request, slug, "safety", "conflicts")
    if (report := found.get("safety")) is not None:
        criteria = criteria_of(project, list(dict.fromkeys(row["criterion"] for row in report.rows("models"))))
        criterion = chosen(request, "criterion", [key for key, _name in criteria])
        context |= {"criteria": criteria, "criterion": criterion} | _safety(report, criterion)
    if (report := found.get("conflicts")) is not None:
        context |= _conflicts(project.criteria.values_list("key", "name"), report)
    return render(request, "labeling/harms.html", context)


def _safety(report: Found, criterion: str) -> dict[str, Any]:
    rows = where(report.rows("models"), criterion=criterion)
    points = [
        Point(row["model"] or str(_("not named")), 100 * row["rate"], 100 * row["low"], 100 * row["high"], "bad")
        for row in rows
        if row["rate"] is not None
    ]
    mine = {"criterion": criterion}
    return {
        "chart": forest(points, bounds=(0, 20), digits=0) if points else None,
        "models": sheet("models", rows, MODELS),
        "categories": sheet("categories", where(report.rows("categories"), **mine),
                            ("category", "model", "unsafe", "share"), most=60),
        "severity": sheet("severity", where(report.rows("severity"), **mine),
                          ("model", "severity", "responses", "share")),
        "red_team": sheet("red_team", where(report.rows("red_team"), **mine),
                          ("of", "model", "attempts", "successes", "rate", "low", "high")),
        "sentences": [one for one in report.sentences if one.about.get("criterion") in (criterion, None)],
    }  # fmt: skip


def _conflicts(names: Any, report: Found) -> dict[str, Any]:
    """Every two preferences that can point different ways, with a matrix of three by three."""
    known = dict(names)
    boxes = []
    for row in report.rows("criteria"):
        cells = where(report.rows("matrix"), one=row["one"], other=row["other"])
        counts = {(cell["one_side"], cell["other_side"]): cell["pairs"] for cell in cells}
        two = {"one": row["one"], "other": row["other"]}
        topics = where(report.rows("topics"), **two)
        boxes.append(
            _box(row, counts, known)
            | {
                "sentences": [said for said in report.sentences if two.items() <= said.about.items()],
                "topics": sheet("topics", topics, ("of", "decided", "conflicts", "share", "low", "high")),
            }
        )
    return {"conflicts": boxes}


def _box(row: Mapping[str, Any], counts: dict[tuple[str, str], int], known: Mapping[str, str]) -> dict[str, Any]:
    most = max([1, *counts.values()])
    lines = [
        (label, [(counts.get((one, other), 0), round(10 * counts.get((one, other), 0) / most)) for other, _ in SIDES])
        for one, label in SIDES
    ]
    return {
        "row": row, "one": known.get(row["one"], row["one"]), "other": known.get(row["other"], row["other"]),
        "lines": lines, "sides": [label for _, label in SIDES],
    }  # fmt: skip
