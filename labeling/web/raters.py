"""Raters, as their work shows them: how reliable, how fast, how steady. Two numbers and one verb, never a verdict."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from django.http import Http404, HttpResponse
from django.shortcuts import render
from django.utils import timezone
from django.utils.translation import gettext_lazy as _
from django.views.decorators.http import require_safe

from labeling.models import Participation, Project, User
from labeling.reports.findings import Found
from labeling.reports.pseudonyms import people_by_pseudonym
from labeling.web.guards import PersonRequest
from labeling.web.plots import Dot, dot, sparkline
from labeling.web.report_pages import begin, chosen, may_know_names
from labeling.web.report_sheets import minutes, percent, sheet, where

ACTIVE = timedelta(days=14)
DAYS = 8
MOST = 200
GROUPS = {"active": _("Active"), "paused": _("Paused"), "all": _("All")}
# A flag in a few words, and how serious it is.
FLAGS: dict[str, tuple[Any, str]] = {
    "unreliable": (_("No better than a coin"), "bad"),
    "too_fast": (_("Too fast to have read"), "bad"),
    "known_answers": (_("Misses known answers"), "bad"),
    "same_key": (_("Same answer in a row"), "warn"),
    "alternates": (_("Takes turns"), "warn"),
    "favours_side": (_("Favours one side"), "warn"),
    "slipping": (_("Slipping"), "warn"),
    "inconsistent": (_("Differs from themselves"), "warn"),
}
FACTS = (
    "annotations", "judgments", "decided", "left_share", "tie_share", "taken_ms", "reading_ms", "too_fast", "votes",
    "accuracy", "run", "usual_run", "turns", "entropy",
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class Line:
    """One rater in the table. `user` only for those who may know the name; `flags` are (words, class)."""

    pseudonym: str
    user: User | None
    participation: Participation | None
    facts: Mapping[str, Any]
    dot: Dot | None
    pace: str
    flags: list[tuple[Any, str]]
    last_at: datetime | None

    @property
    def time(self) -> str:
        return minutes(self.facts["median_active_ms"])

    @property
    def left(self) -> str:
        return percent(self.facts["left_share"])

    @property
    def checks(self) -> str:
        return f"{self.facts['gold_right']}/{self.facts['gold']}" if self.facts["gold"] else "\N{EN DASH}"

    @property
    def paused(self) -> bool:
        return self.participation is not None and self.participation.paused_at is not None

    @property
    def active(self) -> bool:
        return not self.paused and self.last_at is not None and self.last_at > timezone.now() - ACTIVE


@require_safe
def raters(request: PersonRequest, slug: str) -> HttpResponse:
    """Nine queries, whatever the project's size: what is shown was computed before."""
    project, found, context = begin(request, slug, "raters")
    lines = _lines(project, found.get("raters"), names=may_know_names(context))
    groups = {
        "active": [line for line in lines if line.active],
        "paused": [line for line in lines if line.paused],
        "all": lines,
    }
    group = chosen(request, "show", list(GROUPS)) if "show" in request.GET or groups["active"] else "all"
    context |= {
        "lines": groups[group][:MOST], "group": group, "more": max(0, len(groups[group]) - MOST),
        "groups": [(key, label, len(groups[key])) for key, label in GROUPS.items()],
        "sentences": found["raters"].sentences if "raters" in found else [],
    }  # fmt: skip
    template = "labeling/raters.html#live" if request.htmx else "labeling/raters.html"
    return render(request, template, context)


@require_safe
def rater(request: PersonRequest, slug: str, pseudonym: str) -> HttpResponse:
    """All that is known of one rater's work, for a talk with them."""
    project, found, context = begin(request, slug, "raters")
    report = found.get("raters")
    lines = _lines(project, report, names=may_know_names(context))
    line = next((one for one in lines if one.pseudonym == pseudonym), None)
    if line is None or report is None:
        raise Http404
    of = {"rater": pseudonym}
    context |= {
        "line": line,
        "sentences": [said for said in report.sentences if said.about.get("rater") == pseudonym],
        "facts": sheet("raters", [line.facts], FACTS, say={"taken_ms": minutes, "reading_ms": minutes}),
        "days": sheet("days", where(report.rows("days"), **of), ("day", "annotations", "median_ms"),
                      say={"median_ms": minutes}),
        "repeats": sheet("repeats", where(report.rows("repeats"), **of),
                         ("criterion", "repeats", "same", "share", "kappa")),
        "confusion": sheet("confusion", where(report.rows("confusion"), **of),
                           ("criterion", "truth", "answer", "share")),
        "levels": sparkline([row["level"] for row in where(report.rows("charts"), **of)], width=560, height=90),
    }  # fmt: skip
    return render(request, "labeling/rater.html", context)


def _lines(project: Project, found: Found | None, *, names: bool) -> list[Line]:
    """Busiest first, as the report has them."""
    if found is None:
        return []
    known = people_by_pseudonym(project)
    taken = Participation.objects.filter(project=project, user__in=known.values()).select_related("user")
    parts = {part.user_id: part for part in taken}
    paces: dict[str, list[float]] = defaultdict(list)
    for day in found.rows("days"):
        paces[day["rater"]].append(day["annotations"])
    lines = []
    for row in found.rows("raters"):
        user = known.get(row["rater"])
        lines.append(
            Line(
                row["rater"], user if names else None, parts.get(user.pk) if user else None, row, _dot(row),
                sparkline(paces[row["rater"]][-DAYS:]),
                [FLAGS[code] for code in (row["flags"] or "").split() if code in FLAGS],
                datetime.fromisoformat(row["last_at"]) if row["last_at"] else None,
            )
        )  # fmt: skip
    return lines


def _dot(row: Mapping[str, Any]) -> Dot | None:
    if row["reliability"] is None:
        return None
    return dot(row["reliability"], row["reliability_low"], row["reliability_high"])
