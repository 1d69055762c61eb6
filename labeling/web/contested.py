"""Disagreement as a result: pairs that more answers would not settle, and groups of people who answer differently."""

from __future__ import annotations

from typing import Any

from django.http import HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_safe

from labeling.reports.findings import Found
from labeling.web.guards import PersonRequest
from labeling.web.plots import Columns, columns
from labeling.web.report_pages import begin, chosen, criteria_of
from labeling.web.report_sheets import cell, only, percent, sheet, where

GROUPS = ("attribute", "value", "raters", "pairs", "mean", "others", "difference", "verdict")
MOST = 100


@require_safe
def contested(request: PersonRequest, slug: str) -> HttpResponse:
    """Eight queries, whatever the project's size."""
    project, found, context = begin(request, slug, "contested", "groups", "distributions")
    report = found.get("contested")
    if report is not None:
        criteria = criteria_of(project, [row["criterion"] for row in report.rows("criteria")])
        criterion = chosen(request, "criterion", [key for key, _name in criteria])
        rows = where(report.rows("pairs"), criterion=criterion)
        summary = only(report.rows("criteria"), criterion=criterion)
        context |= {
            "criteria": criteria, "criterion": criterion, "summary": summary,
            "pairs": [dict(row) | {"why": cell("why", row["why"])} for row in rows[:MOST]],
            "pairs_left": max(0, len(rows) - MOST),
            "certainty": _certainty(report, criterion),
            "certainty_table": sheet(
                "certainty", where(report.rows("certainty"), criterion=criterion), ("from", "to", "pairs")
            ),
            "sentences": [one for one in report.sentences if one.about.get("criterion") in (criterion, None)],
        } | _groups(found, criterion)  # fmt: skip
    return render(request, "labeling/contested.html", context)


def _certainty(report: Found, criterion: str) -> Columns | None:
    """Pairs by how probable their label is. What is under 0.6 is grey, what would settle in most queues full."""
    rows = where(report.rows("certainty"), criterion=criterion)
    if not rows:
        return None
    kinds = ["quiet" if row["to"] <= 0.6 else "accent" if row["from"] >= 0.8 else "" for row in rows]
    labels = [percent(row["from"]) if place % 2 == 0 else "" for place, row in enumerate(rows)]
    return columns([(label, row["pairs"], kind) for label, row, kind in zip(labels, rows, kinds, strict=True)])


def _groups(found: dict[str, Found], criterion: str) -> dict[str, Any]:
    report, answers = found.get("groups"), found.get("distributions")
    if report is None:
        return {}
    rows = where(report.rows("differences"), criterion=criterion)
    said = [one for one in report.sentences if one.about.get("criterion") in (criterion, None)]
    spread = where(answers.rows("answers"), criterion=criterion) if answers else []
    return {
        "groups": sheet("differences", rows, GROUPS, say={"difference": lambda d: percent(d, sign=True)}),
        "group_sentences": said,
        "spread": sheet("answers", spread, ("attribute", "value", "raters", "answer", "judgments", "share")),
    }
