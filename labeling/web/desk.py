"""What follows at the desk of a queue: a screen that comes first, the pair, or nothing.

Every way there (the page, a submit, a skip, the way back from a changed answer) asks `next_screen`.
"""

from __future__ import annotations

from typing import Any

from django.http import HttpResponse
from django.utils import timezone

from labeling.actions.refusals import Refused
from labeling.actions.turning_away import explain
from labeling.models import Assignment, Queue
from labeling.reports.admission import Why, why_not
from labeling.reports.desk import Shown, end_of, progress, shown
from labeling.reports.home import open_queues
from labeling.web.citing import citing
from labeling.web.crowd import end_of as crowd_end_of
from labeling.web.entry import consent_first
from labeling.web.gold_told import gold_told, told_at_the_end
from labeling.web.guards import PersonRequest
from labeling.web.guidance import guideline_changed
from labeling.web.interludes import before_sensitive, pause
from labeling.web.questions import asked
from labeling.web.screens import ComesFirst, Screen, show

# In this order; the first that has something to show is shown instead of the pair.
COMES_FIRST: tuple[ComesFirst, ...] = (gold_told, consent_first, guideline_changed, before_sensitive)

# Refusals after which this pair is over for this rater, whatever is changed in the form.
OVER = frozenset(
    (
        "already_yours",
        "already_submitted",
        "answered_already",
        "revise_closed",
        "skipped",
        "released",
        "lease_lost",
    )
)


def next_screen(
    request: PersonRequest, queue: Queue, held: Assignment | None, *, said: str = "", looked: bool = False
) -> HttpResponse:
    """What the rater meets now. `held` is the open assignment; without one, `looked` says that one was asked for."""
    if held is None:
        first = told_at_the_end(request, queue) or pause(request, queue, looked=looked)
        why = None if first else why_not(queue, request.user)
        if first is None and request.user.is_crowd and why in (None, Why.CLOSED):
            return crowd_end_of(request)
        return show(request, first or nothing(request, queue, why, looked=looked), queue, said=said)
    seen = shown(held)
    queue.project = seen.assignment.project  # the same row, already here
    for comes_first in COMES_FIRST:
        if screen := comes_first(request, queue, seen):
            return show(request, screen, queue, said=said)
    return show(request, pair(seen), queue, said=said)


def pair(seen: Shown, *, body: Any = None, refused: Refused | None = None) -> Screen:
    """The pair with its form: filled with the `body` that was just sent and `refused`, or with the draft."""
    kept = body is None and seen.assignment.draft is not None
    context = {
        "shown": seen,
        "assignment": seen.assignment,
        "asked": asked(seen, body or seen.assignment.draft, refused.errors if refused else None),
        "citing": citing(seen, body or seen.assignment.draft, refused.errors if refused else None),
        "kept": kept,
        "refused": refused,
        "revises": 0,
        "over": refused is not None and refused.code in OVER,
        "seconds_left": seconds_left(seen.assignment),
        "skip_reasons": Assignment.SkipReason.choices,
    }
    return Screen("labeling/compare.html", context, status=status_of(refused))


def nothing(request: PersonRequest, queue: Queue, why: Why | None, *, looked: bool = False) -> Screen:
    """No open pair: the queue gives this rater none and says `why`, or they have not asked for one yet, or there was
    none when we `looked`."""
    queues = open_queues(request.user)
    others = [one for one in queues if one.can_start and one.queue.pk != queue.pk]
    waiting = any(one.waiting for one in queues if one.queue.pk == queue.pk)
    done = progress(queue, request.user)
    context = {
        "done": done,
        "of": end_of(queue, done),
        "number": done + 1,
        "number_of": end_of(queue, done + 1),
        "empty": not queue.pair_count,
        "finished": bool(done) and not waiting and done >= queue.pair_count,
        "looked": looked,
        "told": explain(queue=queue, rater=request.user, why=why) if why else None,
        "other": others[0] if others else None,
    }
    return Screen("labeling/compare_nothing.html", context)


def queue_of(assignment: Assignment) -> Queue:
    assert assignment.queue is not None, "only assignments of a queue belong to people who can sign in"
    return assignment.queue


def status_of(refused: Refused | None) -> int:
    return 200 if refused is None else 422 if refused.code in ("invalid", "hints") else 409


def seconds_left(assignment: Assignment) -> int:
    if assignment.lease_until is None:
        return 0
    return int((assignment.lease_until - timezone.now()).total_seconds())
