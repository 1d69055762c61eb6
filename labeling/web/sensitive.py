"""A sensitive pair: opened by choice, or never again."""

from __future__ import annotations

from django.contrib import messages
from django.http import HttpResponse
from django.utils.translation import gettext as _
from django.views.decorators.http import require_POST

from labeling.access import assignment_for
from labeling.actions.breaks import claim_unless_break
from labeling.actions.care import open_pair
from labeling.actions.topics import stop_topics
from labeling.models import Assignment
from labeling.web.compare import following
from labeling.web.desk import queue_of
from labeling.web.entry import turned_away
from labeling.web.guards import PersonRequest
from labeling.web.interludes import names_of, told_enough
from labeling.web.screens import show


@require_POST
def open_sensitive(request: PersonRequest, pk: int) -> HttpResponse:
    """The rater chose to see it. If it may not be shown any more, the next pair comes instead, and why."""
    assignment = assignment_for(request.user, pk)
    opened = open_pair(assignment=assignment, rater=request.user)
    if opened.refused == "capped":
        return show(request, told_enough(request, queue_of(assignment)), queue_of(assignment))
    if opened.assignment.state != Assignment.State.OPEN:
        return _next(request, assignment)
    return following(request, queue_of(assignment), opened.assignment, "")


@require_POST
def no_more(request: PersonRequest, pk: int) -> HttpResponse:
    """Take back the choice of this pair's topics, before it is opened or while judging it."""
    assignment = assignment_for(request.user, pk)
    about = names_of(assignment.project, assignment.lane)
    stop_topics(assignment=assignment, rater=request.user)
    messages.success(request, _("No more comparisons about %(topics)s will come to you.") % {"topics": about})
    return _next(request, assignment)


def _next(request: PersonRequest, assignment: Assignment) -> HttpResponse:
    queue = queue_of(assignment)
    if elsewhere := turned_away(request, queue):
        return elsewhere
    return following(request, queue, claim_unless_break(queue=queue, rater=request.user), "")
