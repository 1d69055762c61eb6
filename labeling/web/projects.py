"""A project's pages for those who run and read it: the overview, its settings, and making a new one."""

from __future__ import annotations

import math
from datetime import timedelta
from typing import Any

from django.contrib import messages
from django.http import Http404, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods, require_safe

from labeling.access import MANAGERS, RESEARCHERS, may_create_projects, project_for, roles_in
from labeling.actions.projects import change_project, create_project
from labeling.actions.refusals import Refused
from labeling.models import Batch, Criterion, Membership, Project
from labeling.presets import USUAL
from labeling.reports.activity import Day
from labeling.reports.agreement import DEFINITION, project_agreement
from labeling.reports.attention import Need, needs
from labeling.reports.overview import Overview, overview
from labeling.reports.progress import ProjectProgress
from labeling.reports.recent import recent_lines
from labeling.reports.topics import hidden_pairs
from labeling.web.charts import day_chart, stack
from labeling.web.criteria import offers
from labeling.web.guards import PersonRequest
from labeling.web.project_forms import NewProjectForm, ProjectForm, add_refusal

READERS = (*RESEARCHERS, Membership.Role.ADJUDICATOR)
BATCHES = 5
PACE_DAYS = 7


@require_http_methods(["GET", "HEAD", "POST"])
def new_project(request: PersonRequest) -> HttpResponse:
    """For operators and people who manage a project; to others there is no such page."""
    if not may_create_projects(request.user):
        raise Http404
    form = NewProjectForm(request.POST or None)
    if form.is_valid():
        try:
            made = create_project(by=request.user, **form.cleaned_data)
        except Refused as refused:
            add_refusal(form, refused)
        else:
            messages.success(
                request, _("The project is there, with criteria, a guideline and one queue. Now import items.")
            )
            return redirect("project", made.slug)
    context = {"form": form, "offers": offers(), "chosen": form["preset"].value() or USUAL}
    return render(request, "labeling/new_project.html", context, status=422 if form.errors else 200)


@require_safe
def project(request: PersonRequest, slug: str) -> HttpResponse:
    """The overview; htmx asks for its moving parts every few seconds."""
    found = project_for(request.user, slug, READERS)
    seen = overview(found)
    roles = roles_in(request.user, found)
    context: dict[str, Any] = {"project": found, "roles": roles} | _moving(found, seen)
    if Membership.Role.MANAGER in roles:
        context |= {
            "recent": recent_lines(found),
            "hidden": hidden_pairs(found),
            "needs": _needs(found, context["batches"]),
        }
    if request.htmx:
        return render(request, "labeling/project.html#live", context)
    criteria = list(found.criteria.filter(kind__in=[Criterion.Kind.PREFERENCE, Criterion.Kind.SAFETY]))
    agreement = {"agreement": project_agreement(found, criteria), "definition": DEFINITION}
    return render(request, "labeling/project.html", context | agreement | {"chart": day_chart(seen.days)})


@require_http_methods(["GET", "HEAD", "POST"])
def project_settings(request: PersonRequest, slug: str) -> HttpResponse:
    found = project_for(request.user, slug, MANAGERS)
    now = {"name": found.name, "description": found.description, "revise_days": _days(found.revise_minutes)}
    form = ProjectForm(request.POST or None, initial=now)
    if form.is_valid():
        typed = dict(form.cleaned_data)
        minutes = round(typed.pop("revise_days") * 24 * 60)
        change_project(project=found, by=request.user, **typed, revise_minutes=minutes)
        messages.success(request, _("Saved."))
        return redirect("project_settings", slug)
    context = {"project": found, "form": form}
    return render(request, "labeling/project_settings.html", context, status=422 if form.errors else 200)


def _needs(found: Project, batches: list[Batch]) -> list[tuple[Need, str]]:
    """What needs a manager, each with the address where it is done."""
    return [(need, reverse(need.route, args=need.args)) for need in needs(found, batches)]


def _moving(found: Project, seen: Overview) -> dict[str, Any]:
    """What changes while one looks."""
    progress = seen.progress
    done, leased, opened = (sum(getattr(one, name) for one in progress.queues) for name in ("done", "leased", "open"))
    parts = [("done", done, _("answered")), ("leased", leased, _("being judged")), ("open", opened, _("open"))]
    return {
        "progress": progress,
        "all_paused": all(not one.queue.gives for one in progress.queues),
        "slots": done + leased + opened,
        "settled": sum(one.pairs_done for one in progress.queues),
        "wanted": sum(one.pairs for one in progress.queues),
        "stack": stack(parts),
        "forecast": _forecast(progress, seen.days),
        "batches": list(found.batches.order_by("-created_at", "-id")[:BATCHES]),
    }


def _forecast(progress: ProjectProgress, days: list[Day]) -> dict[str, Any]:
    """When the open answers will be in, at the pace of the last days; no date without a pace."""
    left = sum(one.open + one.leased for one in progress.queues)
    pace = sum(day.annotations for day in days[-PACE_DAYS:]) / PACE_DAYS
    if not left or not pace:
        return {"left": left, "pace": round(pace)}
    return {"left": left, "pace": math.ceil(pace), "date": timezone.now() + timedelta(days=min(left / pace, 36500))}


def _days(minutes: int) -> str:
    return f"{minutes / (24 * 60):.6g}"
