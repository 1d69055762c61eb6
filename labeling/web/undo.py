"""Changing an answer: one key back to the last one of a queue, or any from "My work", inside the project's window.

A change is a revision; what was answered before stays in the history.
"""

from __future__ import annotations

from typing import Any

from django.contrib import messages
from django.http import Http404, HttpResponse
from django.shortcuts import redirect
from django.utils.translation import gettext as _
from django.views.decorators.http import require_GET, require_http_methods
from django_htmx.http import HttpResponseClientRedirect

from labeling.access import RATERS, assignment_for, queue_for
from labeling.actions import annotate
from labeling.actions.refusals import Refused
from labeling.models import Assignment
from labeling.reports.desk import open_assignment, shown
from labeling.reports.work import history, last_answered
from labeling.web.citing import citing
from labeling.web.desk import OVER, next_screen, queue_of, status_of
from labeling.web.guards import PersonRequest
from labeling.web.questions import asked, body_of
from labeling.web.screens import Screen, show


@require_GET
def undo(request: PersonRequest, queue_id: int) -> HttpResponse:
    """The last answer of this queue, to be changed."""
    queue = queue_for(request.user, queue_id, RATERS)
    last = last_answered(queue, request.user)
    if last is not None:
        return show(request, _form(last), queue)
    told = _("There is no answer here that you could still change.")
    if not request.htmx:
        messages.info(request, told)
        return redirect("compare", queue.pk)
    return next_screen(request, queue, open_assignment(queue, request.user), said=told)


@require_http_methods(["GET", "POST"])
def change(request: PersonRequest, pk: int) -> HttpResponse:
    """Any answer of one's own, to be changed; `back` of the form says where to go on afterwards."""
    assignment = assignment_for(request.user, pk)
    if assignment.state != Assignment.State.SUBMITTED:
        raise Http404
    back = (request.POST or request.GET).get("back", "")
    if request.method == "GET":
        if not annotate.may_revise(assignment):
            return redirect("work_detail", pk)
        return show(request, _form(assignment, back=back), queue_of(assignment))
    body = body_of(request.POST)
    try:
        annotate.submit(assignment=assignment, rater=request.user, body=body, complete=True)
    except Refused as refused:
        return show(request, _form(assignment, back=back, body=body, refused=refused), queue_of(assignment))
    return _on(request, assignment, back)


def _form(assignment: Assignment, *, back: str = "", body: Any = None, refused: Refused | None = None) -> Screen:
    """The pair filled with the answer as it is now, or with the change that was refused."""
    seen, current = shown(assignment), history(assignment)[0]
    assert current.annotation is not None
    filled, errors = body or current.body, refused.errors if refused else None
    context = {
        "shown": seen,
        "assignment": seen.assignment,
        "asked": asked(seen, filled, errors),
        "citing": citing(seen, filled, errors),
        "changing": current.annotation,
        "revises": (body or {}).get("revises", current.annotation.revision),
        "back": back,
        "refused": refused,
        "over": refused is not None and refused.code in OVER,
    }
    return Screen("labeling/compare.html", context, status=status_of(refused))


def _on(request: PersonRequest, assignment: Assignment, back: str) -> HttpResponse:
    """To the list one came from, or to the pair that was open, with its draft."""
    told = _("Your change is saved.")
    if back == "work" or not request.htmx:
        messages.success(request, told)
        on = redirect("work_detail", assignment.pk) if back == "work" else redirect("compare", assignment.queue_id)
        return HttpResponseClientRedirect(on.url) if request.htmx else on
    queue = queue_of(assignment)
    return next_screen(request, queue, open_assignment(queue, request.user), said=told)
