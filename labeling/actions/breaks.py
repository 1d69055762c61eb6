"""Breaks: when one is offered before the next pair, and what the rater makes of it. An offer never costs anything."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta

from django.db import transaction
from django.utils import timezone

from labeling.actions.assign import claim
from labeling.actions.crowd_entry import has_room
from labeling.actions.leasing import waiting_after_the_run
from labeling.audit import record
from labeling.models import Assignment, CheckIn, Passage, Queue, User
from labeling.models.queues import AWAY, MOST_IN_A_ROW, SEVERE
from labeling.reports.exposure import run_length

ASK_WITHIN = timedelta(minutes=30)


@dataclass(frozen=True, slots=True)
class Pause:
    """A break to offer. `why`: "severe", "time", "pairs", "run" (three sensitive ones, and nothing else is left)."""

    why: str
    minutes: int
    pairs: int


def pause_due(queue: Queue, rater: User) -> Pause | None:
    """The break to offer before the next pair; none for who comes back from one, or has come to the end.

    One query when none is due.
    """
    place = _place(queue, rater)
    if place is None or _came_to_the_end(place, queue) or not place.break_due(queue.project) or _was_away(rater):
        return None
    if rater.is_crowd and not has_room(queue=queue, rater=rater):
        return None
    minutes = place.since_break_ms // 60_000
    if place.since_break >= SEVERE:
        return Pause("severe", minutes, place.since_break % SEVERE)
    by_time = 0 < queue.project.break_after_minutes <= minutes
    return Pause("time" if by_time else "pairs", minutes, place.since_break)


def pause_after_the_run(queue: Queue, rater: User) -> Pause | None:
    """When a claim found nothing: whether only the run of sensitive pairs is in the way of the next."""
    if run_length(queue.project_id, rater.pk) < MOST_IN_A_ROW or not waiting_after_the_run(queue, rater):
        return None
    return Pause("run", 0, 0)


def asks_how_they_are(queue: Queue, rater: User) -> bool:
    """After sensitive pairs of the last half hour that they were not asked about yet."""
    place = _place(queue, rater)
    if place is None or place.run_at is None or place.run_at < timezone.now() - ASK_WITHIN:
        return False
    return not CheckIn.objects.filter(user=rater, project=queue.project_id, created_at__gte=place.run_at).exists()


def claim_unless_break(*, queue: Queue, rater: User) -> Assignment | None:
    """For the screen: the open pair, or the next one unless a break is to be offered first."""
    held = Assignment.objects.filter(queue=queue, rater=rater, state=Assignment.State.OPEN)
    if pause_due(queue, rater) and not held.exists():
        return None
    return claim(queue=queue, rater=rater)


@transaction.atomic
def go_on(*, queue: Queue, rater: User) -> Assignment | None:
    """Decline the break: the count starts anew and the next pair comes, also when it is a fourth sensitive one."""
    _start_anew(queue, rater)
    record(rater, "break.declined", queue, project_id=queue.project_id)
    got = claim(queue=queue, rater=rater)
    if got is None and pause_after_the_run(queue, rater):
        runs = Passage.objects.filter(queue__project=queue.project_id, rater=rater, lane="", sensitive_run__gt=0)
        runs.update(sensitive_run=0)
        got = claim(queue=queue, rater=rater)
    return got


@transaction.atomic
def take_break(*, queue: Queue, rater: User) -> Assignment | None:
    """Start a break: the count starts anew. A pair that is open stays the rater's for a whole lease from now."""
    _start_anew(queue, rater)
    held = Assignment.objects.filter(queue=queue, rater=rater, state=Assignment.State.OPEN).select_for_update().first()
    if held is not None:
        held.lease_until = timezone.now() + timedelta(seconds=queue.lease_seconds)
        held.save(update_fields=["lease_until"])
    record(rater, "break.taken", queue, project_id=queue.project_id)
    return held


def _start_anew(queue: Queue, rater: User) -> None:
    Passage.objects.filter(queue=queue, rater=rater, lane="").update(since_break=0, since_break_ms=0)


def _came_to_the_end(place: Passage, queue: Queue) -> bool:
    return place.done >= queue.pair_count and not queue.mixes_in


def _place(queue: Queue, rater: User) -> Passage | None:
    return Passage.objects.filter(queue=queue, rater=rater, lane="").first()


def _was_away(rater: User) -> bool:
    """Whether the last answer is so long ago that the rater comes from a break already."""
    last = Assignment.objects.filter(rater=rater, state=Assignment.State.SUBMITTED).order_by("-ended_at").first()
    return last is None or last.ended_at is None or last.ended_at < timezone.now() - AWAY
