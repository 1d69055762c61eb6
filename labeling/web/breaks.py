"""Breaks at the desk: declined, taken, or begun at any time; and how somebody is, if they like to say."""

from __future__ import annotations

from django.contrib import messages
from django.http import HttpResponse
from django.shortcuts import redirect
from django.views.decorators.http import require_http_methods, require_POST

from labeling.access import RATERS, queue_for
from labeling.actions import annotate, breaks
from labeling.actions.care import check_in
from labeling.actions.refusals import Refused
from labeling.models import Assignment, CheckIn, Queue
from labeling.reports.desk import open_assignment
from labeling.web.compare import following
from labeling.web.entry import turned_away
from labeling.web.guards import PersonRequest
from labeling.web.interludes import resting
from labeling.web.questions import body_of
from labeling.web.screens import show


@require_POST
def go_on(request: PersonRequest, queue_id: int) -> HttpResponse:
    queue = queue_for(request.user, queue_id, RATERS)
    _keep_feeling(request, queue)
    if elsewhere := turned_away(request, queue):
        return elsewhere
    return following(request, queue, breaks.go_on(queue=queue, rater=request.user), "")


@require_http_methods(["GET", "HEAD", "POST"])
def rest(request: PersonRequest, queue_id: int) -> HttpResponse:
    """A break, begun by POST: what was typed comes along and is kept. The page waits until the rater goes on."""
    queue = queue_for(request.user, queue_id, RATERS)
    held = open_assignment(queue, request.user)
    if request.method != "POST":
        return show(request, resting(request, queue, held), queue)
    _keep_feeling(request, queue)
    if held is not None:
        _keep_draft(request, held)
    held = breaks.take_break(queue=queue, rater=request.user)
    return show(request, resting(request, queue, held), queue) if request.htmx else redirect("compare_rest", queue.pk)


def _keep_feeling(request: PersonRequest, queue: Queue) -> None:
    """The question is optional: what is none of its answers is no answer."""
    feeling, shared = request.POST.get("feeling", ""), request.POST.get("share") == "1"
    if feeling in CheckIn.Feeling.values:
        check_in(project=queue.project, user=request.user, feeling=feeling, shared=shared)


def _keep_draft(request: PersonRequest, held: Assignment) -> None:
    typed = body_of(request.POST)
    if not typed["judgments"] and "rationale" not in typed:
        return
    try:
        annotate.save_draft(assignment=held, rater=request.user, draft=typed)
    except Refused as refused:
        messages.error(request, refused.message)
