"""The comparison screen: next, draft, submit, skip, renew. A rater has at most one open pair a queue.

A submit is answered with what comes next: by htmx as the part of the page that changes, without a script as a redirect.
"""

from __future__ import annotations

from typing import Any

from django.contrib import messages
from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.http import require_GET, require_POST

from labeling.access import RATERS, assignment_for, queue_for
from labeling.actions import annotate, assign
from labeling.actions.breaks import claim_unless_break
from labeling.actions.refusals import Refused
from labeling.models import Assignment, Queue
from labeling.reports.desk import open_assignment, shown
from labeling.web.desk import next_screen, pair, queue_of, seconds_left
from labeling.web.entry import turned_away
from labeling.web.guards import PersonRequest
from labeling.web.interludes import before_sensitive, enough
from labeling.web.questions import body_of
from labeling.web.screens import show


@require_GET
def compare(request: PersonRequest, queue_id: int) -> HttpResponse:
    queue = queue_for(request.user, queue_id, RATERS)
    held = open_assignment(queue, request.user)
    return (not held and turned_away(request, queue)) or next_screen(request, queue, held)


@require_POST
def claim_next(request: PersonRequest, queue_id: int) -> HttpResponse:
    queue = queue_for(request.user, queue_id, RATERS)
    if elsewhere := turned_away(request, queue):
        return elsewhere
    held = claim_unless_break(queue=queue, rater=request.user)
    return next_screen(request, queue, None, looked=True) if held is None else redirect("compare", queue.pk)


@require_POST
def submit(request: PersonRequest, pk: int) -> HttpResponse:
    assignment = assignment_for(request.user, pk)
    body = body_of(request.POST)
    try:
        done = annotate.submit(
            assignment=assignment, rater=request.user, body=body, complete=True, then_claim=True, breaks=True
        )
    except Refused as refused:
        return _refused(request, assignment, refused, body)
    return _after(request, assignment, done.following, _("Saved."))


@require_POST
def skip(request: PersonRequest, pk: int) -> HttpResponse:
    assignment = assignment_for(request.user, pk)
    queue, comment = queue_of(assignment), request.POST.get("comment", "").replace("\0", "")
    try:
        assign.skip(assignment=assignment, rater=request.user, reason=request.POST.get("reason", ""), comment=comment)
    except Refused as refused:
        return _refused(request, assignment, refused)
    return _after(request, assignment, claim_unless_break(queue=queue, rater=request.user), _("Skipped."))


@require_POST
def save_draft(request: PersonRequest, pk: int) -> HttpResponse:
    assignment = assignment_for(request.user, pk)
    try:
        annotate.save_draft(assignment=assignment, rater=request.user, draft=body_of(request.POST))
    except Refused as refused:
        return HttpResponse(refused.message, status=409, content_type="text/plain")
    return HttpResponse(status=204) if request.htmx else redirect("compare", queue_of(assignment).pk)


@require_POST
def start_again(request: PersonRequest, pk: int) -> HttpResponse:
    """Forget the draft and show the pair as it was at first."""
    assignment = assignment_for(request.user, pk)
    try:
        annotate.save_draft(assignment=assignment, rater=request.user, draft=None)
    except Refused as refused:
        messages.error(request, refused.message)
    return redirect("compare", queue_of(assignment).pk)


@require_POST
def renew(request: PersonRequest, pk: int) -> HttpResponse:
    assignment = assignment_for(request.user, pk)
    refused = None
    try:
        assignment = assign.renew(assignment=assignment, rater=request.user)
    except Refused as problem:
        refused = problem
    if not request.htmx:
        return redirect("compare", queue_of(assignment).pk)
    context = {
        "assignment": assignment,
        "queue": queue_of(assignment),
        "seconds_left": seconds_left(assignment),
        "lease_refused": refused,
    }
    return render(request, "labeling/_lease.html", context, status=409 if refused else 200)


def following(request: PersonRequest, queue: Queue, held: Assignment | None, said: str) -> HttpResponse:
    """What comes next. An answer sent twice finds the pair that the first sending has claimed already."""
    held = held or open_assignment(queue, request.user)
    if held is not None and not request.htmx:
        return redirect("compare", queue.pk)
    return next_screen(request, queue, held, said=said, looked=True)


def _after(request: PersonRequest, assignment: Assignment, held: Assignment | None, said: str) -> HttpResponse:
    """What comes after this pair: that its topic is over for today, once, or what comes next."""
    queue = queue_of(assignment)
    if screen := enough(request, queue, assignment):
        return show(request, screen, queue, said=said)
    return following(request, queue, held, said)


def _refused(request: PersonRequest, assignment: Assignment, refused: Refused, body: Any = None) -> HttpResponse:
    """The pair again, and why not; but a sensitive one that was not opened stays closed."""
    queue, seen = queue_of(assignment), shown(assignment)
    queue.project = seen.assignment.project
    closed = before_sensitive(request, queue, seen)
    return show(request, closed or pair(seen, body=body, refused=refused), queue)
