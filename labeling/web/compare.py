"""The comparison screen: next, draft, submit, skip, renew. A rater has at most one open pair a queue.

A submit is answered with the next pair: by htmx as the part of the page that changes, without a script as a redirect.
"""

from __future__ import annotations

from typing import Any

from django.contrib import messages
from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.utils import timezone
from django.views.decorators.http import require_GET, require_POST

from labeling.access import RATERS, assignment_for, queue_for
from labeling.actions import annotate, assign
from labeling.actions.refusals import Refused
from labeling.models import Assignment, Queue
from labeling.reports.desk import open_assignment, progress, shown
from labeling.web.guards import PersonRequest
from labeling.web.questions import asked, body_of

# Refusals after which this pair is over for this rater, whatever is changed in the form.
OVER = frozenset({"already_yours", "already_submitted", "revise_closed", "skipped", "released", "lease_lost"})


@require_GET
def compare(request: PersonRequest, queue_id: int) -> HttpResponse:
    queue = queue_for(request.user, queue_id, RATERS)
    held = open_assignment(queue, request.user)
    if held is None:
        return _nothing(request, queue)
    return _desk(request, held, kept=held.draft is not None)


@require_POST
def claim_next(request: PersonRequest, queue_id: int) -> HttpResponse:
    queue = queue_for(request.user, queue_id, RATERS)
    if assign.claim(queue=queue, rater=request.user) is None:
        return _nothing(request, queue, looked=True)
    return redirect("compare", queue.pk)


@require_POST
def submit(request: PersonRequest, pk: int) -> HttpResponse:
    assignment = assignment_for(request.user, pk)
    body = body_of(request.POST)
    try:
        done = annotate.submit(assignment=assignment, rater=request.user, body=body, complete=True, then_claim=True)
    except Refused as refused:
        return _desk(request, assignment, body=body, refused=refused)
    return _following(request, _queue_of(assignment), done.following, "Saved.")


@require_POST
def skip(request: PersonRequest, pk: int) -> HttpResponse:
    assignment = assignment_for(request.user, pk)
    queue = _queue_of(assignment)
    try:
        assign.skip(
            assignment=assignment,
            rater=request.user,
            reason=request.POST.get("reason", ""),
            comment=request.POST.get("comment", "").replace("\0", ""),
        )
    except Refused as refused:
        return _desk(request, assignment, refused=refused)
    return _following(request, queue, assign.claim(queue=queue, rater=request.user), "Skipped.")


@require_POST
def save_draft(request: PersonRequest, pk: int) -> HttpResponse:
    assignment = assignment_for(request.user, pk)
    try:
        annotate.save_draft(assignment=assignment, rater=request.user, draft=body_of(request.POST))
    except Refused as refused:
        return HttpResponse(refused.message, status=409, content_type="text/plain")
    return HttpResponse(status=204) if request.htmx else redirect("compare", _queue_of(assignment).pk)


@require_POST
def start_again(request: PersonRequest, pk: int) -> HttpResponse:
    """Forget the draft and show the pair as it was at first."""
    assignment = assignment_for(request.user, pk)
    try:
        annotate.save_draft(assignment=assignment, rater=request.user, draft=None)
    except Refused as refused:
        messages.error(request, refused.message)
    return redirect("compare", _queue_of(assignment).pk)


@require_POST
def renew(request: PersonRequest, pk: int) -> HttpResponse:
    assignment = assignment_for(request.user, pk)
    refused = None
    try:
        assignment = assign.renew(assignment=assignment, rater=request.user)
    except Refused as problem:
        refused = problem
    if not request.htmx:
        return redirect("compare", _queue_of(assignment).pk)
    context = {"assignment": assignment, "seconds_left": _seconds_left(assignment), "lease_refused": refused}
    return render(request, "labeling/_lease.html", context, status=409 if refused else 200)


@require_GET
def guideline(request: PersonRequest, pk: int) -> HttpResponse:
    """The version that this assignment is judged under, also when a newer one was published since."""
    assignment = assignment_for(request.user, pk)
    name = "labeling/compare_guideline.html" + ("#text" if request.htmx else "")
    return render(request, name, {"guideline": assignment.guideline, "queue": assignment.queue})


def _following(request: PersonRequest, queue: Queue, following: Assignment | None, said: str) -> HttpResponse:
    """The next pair. An answer sent twice finds the pair that the first sending has claimed already."""
    following = following or open_assignment(queue, request.user)
    if following is None:
        return _nothing(request, queue, looked=True, said=said)
    return _desk(request, following, said=said) if request.htmx else redirect("compare", queue.pk)


def _desk(request: PersonRequest, assignment: Assignment, **context: Any) -> HttpResponse:
    """The pair with its form: `body` was just sent, `refused` says why it was not taken, `said` what was just done."""
    seen = shown(assignment)
    queue = _queue_of(seen.assignment)
    queue.project = seen.assignment.project  # the same row, already here
    refused: Refused | None = context.get("refused")
    body = context.get("body") or seen.assignment.draft
    context |= {
        "shown": seen,
        "assignment": seen.assignment,
        "queue": queue,
        "asked": asked(seen, body, refused.errors if refused else None),
        "over": refused is not None and refused.code in OVER,
        "seconds_left": _seconds_left(seen.assignment),
        "skip_reasons": Assignment.SkipReason.choices,
    }
    name = "labeling/compare.html" + ("#desk" if request.htmx else "")
    status = 200 if refused is None else 422 if refused.code == "invalid" else 409
    return render(request, name, context, status=status)


def _nothing(request: PersonRequest, queue: Queue, *, looked: bool = False, said: str = "") -> HttpResponse:
    """No open pair: either the rater has not asked for one yet, or there was none when we `looked`."""
    done = progress(queue, request.user)
    context = {"queue": queue, "done": done, "of": queue.pair_count, "looked": looked, "said": said}
    return render(request, "labeling/compare_nothing.html" + ("#nothing" if request.htmx else ""), context)


def _queue_of(assignment: Assignment) -> Queue:
    assert assignment.queue is not None, "only assignments of a queue belong to people who can sign in"
    return assignment.queue


def _seconds_left(assignment: Assignment) -> int:
    if assignment.lease_until is None:
        return 0
    return int((assignment.lease_until - timezone.now()).total_seconds())
