"""The guideline beside the work: read at the question, announced when it changes, acknowledged."""

from __future__ import annotations

from typing import Any

from django.contrib import messages
from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.http import require_GET, require_POST

from labeling.access import RATERS, assignment_for, guideline_for, project_for, queue_for
from labeling.actions.guidelines import acknowledge
from labeling.models import Guideline, Queue, User
from labeling.rendering import PLAIN, PLAIN_OPENS, RENDERER
from labeling.rendering.outline import blocks, outline, panel
from labeling.reports.desk import Shown
from labeling.reports.guidelines import news, section_of
from labeling.web.guards import PersonRequest
from labeling.web.screens import Screen
from labeling.web.text_diff import passages


@require_GET
def at_hand(request: PersonRequest, pk: int) -> HttpResponse:
    """The version that this assignment is judged under, also when a newer one was published since.

    `?asked=` names the criterion in question, `?principle=` what is cited already. Only in the panel beside the form
    can a principle be cited by a button.
    """
    assignment = assignment_for(request.user, pk)
    asked = request.GET.get("asked", "")
    criterion = next((one for one in assignment.project.criteria.all() if one.key == asked), None)
    context: dict[str, Any] = {"guideline": assignment.guideline, "queue": assignment.queue, "assignment": assignment}
    if assignment.guideline:
        found = outline(assignment.guideline.html)
        now = section_of(criterion, found) if criterion else None
        cited = request.GET.get("principle", "")[:5]
        html = panel(
            found,
            now=now.anchor if now else "",
            cite=_("Cite this") if request.htmx else "",
            cited=int(cited) if cited.isdecimal() else None,
        )
        renderer = PLAIN if html.startswith(PLAIN_OPENS) else RENDERER
        context |= {"sections": found.sections, "now": now, "text": {"html": html, "renderer": renderer}}
    return render(request, "labeling/compare_guideline.html" + ("#text" if request.htmx else ""), context)


def guideline_changed(request: PersonRequest, queue: Queue, shown: Shown) -> Screen | None:
    """Before the first pair under a version that the rater has not read."""
    guideline = shown.assignment.guideline
    if guideline is None or not shown.news:
        return None
    guideline.project = queue.project
    return Screen("labeling/compare_news.html", {"guideline": guideline} | whats_new(guideline, request.user))


def whats_new(guideline: Guideline, user: User) -> dict[str, Any]:
    """What templates/labeling/_guideline_news.html needs. Without `changes` the texts are too long to be compared."""
    found = news(guideline, user)
    changes = passages(blocks(found.since.html), blocks(found.versions[-1].html)) if found.since else []
    return {"news": found, "changes": changes}


@require_POST
def have_read(request: PersonRequest, slug: str, version: int) -> HttpResponse:
    """Acknowledge a version; `queue` is where the rater goes on."""
    project = project_for(request.user, slug, RATERS)
    guideline = guideline_for(request.user, project, version)
    acknowledge(guideline=guideline, user=request.user)
    if (queue := request.POST.get("queue", "")[:18]).isdecimal():
        return redirect("compare", queue_for(request.user, int(queue), RATERS).pk)
    messages.success(request, _("Noted: you have read version %(version)s.") % {"version": version})
    return redirect("guideline", slug, version)
