"""Who gets which pair: claim, renew, release, skip, expire."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime, timedelta

from django.db import transaction
from django.utils import timezone
from django.utils.translation import gettext as _

from labeling.actions.crowd_entry import finish, has_room
from labeling.actions.lanes import hide_if_broken, lock_rotation
from labeling.actions.leasing import lease, lease_mixed_in, waiting_after_the_run
from labeling.actions.pairing import add_telling_pairs
from labeling.actions.queues import return_slots
from labeling.actions.refusals import Refused
from labeling.actions.settle import settle_for_claim
from labeling.audit import record
from labeling.models import Assignment, Passage, Queue, User
from labeling.reports.admission import Why, over_quota, why_not

State = Assignment.State
SWEEP_EVERY = timedelta(seconds=10)


@transaction.atomic
def claim(*, queue: Queue, rater: User) -> Assignment | None:
    """The rater's open assignment of this queue, or a new one, or None when there is nothing for this rater now.

    An open assignment whose lease has passed is the rater's again if nobody has been given it since.
    """
    held = _held(queue, rater)
    if held is None:
        return lease_next(queue=queue, rater=rater)
    if held.lease_until is None or held.lease_until < timezone.now():
        _renew(held, queue)
    return held


def lease_next(*, queue: Queue, rater: User) -> Assignment | None:
    """Lease the next open slot to the rater. Runs in the caller's transaction.

    Nothing leased can also mean that the rater has a pair open already, by another tab or by the first sending of the
    same answer: then it is that one.
    """
    if rater.is_crowd:
        return _lease_to_worker(queue, rater)
    return _search(queue, rater) or _open_elsewhere(queue, rater)


def renew(*, assignment: Assignment, rater: User) -> Assignment:
    """Start the lease again. Refused when the pair is no longer the rater's."""
    with _locked(assignment, rater) as held:
        if held.state != State.OPEN:
            raise _over(held)
        _renew(held, _queue_of(held))
        record(rater, "assignment.renewed", held, project_id=held.project_id)
    return held


def release(*, assignment: Assignment, rater: User) -> Assignment:
    """Give the pair back, without a reason; the same rater may meet it again."""
    return _give_back(assignment, rater, State.RELEASED)


def skip(*, assignment: Assignment, rater: User, reason: str = "", comment: str = "") -> Assignment:
    """Leave the pair to others for good. Skipping again is no error; what two found broken is taken out of rotation."""
    if reason and reason not in Assignment.SkipReason.values:
        known = ", ".join(Assignment.SkipReason.values)
        said = _("Unknown reason “%(reason)s”. Known reasons: %(known)s.") % {"reason": reason, "known": known}
        raise Refused("invalid", said, {"reason": _("One of: %(choices)s.") % {"choices": known}})
    return _give_back(assignment, rater, State.SKIPPED, skip_reason=reason, skip_comment=comment[:1000])


@transaction.atomic
def expire_stale(*, queue: Queue, now: datetime | None = None) -> int:
    """End the leases of this queue that have passed and put their slots back. Returns how many."""
    stale = list(
        Assignment.objects.filter(queue=queue, state=State.OPEN, lease_until__lt=now or timezone.now())
        .select_for_update(skip_locked=True)
        .order_by("id")[:1000]
    )
    if not stale:
        return 0
    ended = Assignment.objects.filter(pk__in=[one.pk for one in stale])
    ended.update(state=State.EXPIRED, ended_at=timezone.now(), slot=None)
    return_slots(queue=queue, slot_ids=[one.slot_id for one in stale if one.slot_id])
    record(None, "assignments.expired", queue, project_id=queue.project_id, assignments=[one.pk for one in stale])
    return len(stale)


def _lease_to_worker(queue: Queue, rater: User) -> Assignment | None:
    """The next pair of a crowd worker, as long as their link asks for one; else they have finished."""
    found = None
    if has_room(queue=queue, rater=rater):
        found = _search(queue, rater) or _open_elsewhere(queue, rater)
    at_an_end = found is None and not queue.paused and not waiting_after_the_run(queue, rater)
    if at_an_end and why_not(queue, rater) in (None, Why.CLOSED):
        finish(queue=queue, rater=rater)
    return found


def _search(queue: Queue, rater: User) -> Assignment | None:
    if not queue.gives:
        return None
    if not queue.daily_pairs:
        return _look(queue, rater)
    # The claim has asked already. But two that come at once may each have counted before the other's answer was in;
    # now that this one has the rater's only open pair of the queue, the count is whole.
    with transaction.atomic():
        found = _look(queue, rater)
        if found is not None and over_quota(queue, rater):
            transaction.set_rollback(True)
            found = None
    return found


def _look(queue: Queue, rater: User) -> Assignment | None:
    assignment = lease_mixed_in(queue, rater) or lease(queue, rater)
    if assignment is None and Assignment.objects.filter(queue=queue, rater=rater, state=State.OPEN).exists():
        return None  # by another tab, which may go on just now: whatever is locked from here on could be in its way
    if assignment is None and expire_stale(queue=queue):
        assignment = lease(queue, rater)
    if assignment is None and settle_for_claim(queue=queue):
        assignment = lease(queue, rater)
    if assignment is None and queue.pairing == Queue.Pairing.INFORMATIVE and add_telling_pairs(queue=queue):
        assignment = lease(queue, rater)
    if assignment is None and _may_sweep(queue, rater):
        assignment = lease(queue, rater, sweep=True)
        Passage.objects.filter(queue=queue, rater=rater, lane="").update(swept_at=timezone.now())
    return assignment


def queues_with_stale_leases() -> list[Queue]:
    """Where `expire_stale` has something to do. One query over open assignments only."""
    stale = Assignment.objects.filter(state=State.OPEN, lease_until__lt=timezone.now())
    return list(Queue.objects.filter(pk__in=stale.values("queue")))


def _may_sweep(queue: Queue, rater: User) -> bool:
    """Whether to look also below what the rater has passed.

    A slot that was locked when the rater came by, by a claim that then failed, is open there. That is rare, and
    the look costs a read of every open slot, so it is taken at most once every SWEEP_EVERY. When it was taken is noted
    after it: a claim locks its assignment first and the passage last, in every tab.
    """
    now = timezone.now()
    passage, made = Passage.objects.get_or_create(queue=queue, rater=rater, lane="", defaults={"swept_at": now})
    return not made and (passage.swept_at is None or passage.swept_at <= now - SWEEP_EVERY)


@contextmanager
def _locked(assignment: Assignment, rater: User) -> Iterator[Assignment]:
    """The rater's assignment under a row lock, in a transaction of its own."""
    with transaction.atomic():
        rows = Assignment.objects.select_for_update(of=("self",)).select_related("queue")
        yield rows.get(pk=assignment.pk, rater=rater)


def _give_back(assignment: Assignment, rater: User, state: Assignment.State, **fields: str) -> Assignment:
    with _locked(assignment, rater) as held:
        if held.state == state:
            return held
        if held.state != State.OPEN:
            raise _over(held)
        slot_id = held.slot_id
        broken = fields.get("skip_reason") == Assignment.SkipReason.BROKEN
        if broken:
            lock_rotation(pair=held.pair)
        held.state, held.ended_at, held.slot = state, timezone.now(), None
        for name, value in fields.items():
            setattr(held, name, value)
        held.save(update_fields=["state", "ended_at", "slot", *fields])
        if slot_id:
            return_slots(queue=_queue_of(held), slot_ids=[slot_id])
        if broken:
            hide_if_broken(pair=held.pair)
        record(rater, f"assignment.{state}", held, project_id=held.project_id, **fields)
    return held


def _held(queue: Queue, rater: User) -> Assignment | None:
    held = Assignment.objects.filter(queue=queue, rater=rater, state=State.OPEN).select_for_update().first()
    if held is not None:
        held.queue = queue
    return held


def _open_elsewhere(queue: Queue, rater: User) -> Assignment | None:
    """What another tab has claimed meanwhile. It is not locked: that tab may be answering it, and a search holds locks
    on slots that it looked at."""
    held = Assignment.objects.filter(queue=queue, rater=rater, state=State.OPEN).first()
    if held is not None:
        held.queue = queue
    return held


def _renew(held: Assignment, queue: Queue) -> None:
    held.lease_until = timezone.now() + timedelta(seconds=queue.lease_seconds)
    held.save(update_fields=["lease_until"])


def _queue_of(assignment: Assignment) -> Queue:
    assert assignment.queue is not None, "an external rater's assignment is submitted from the start"
    return assignment.queue


def _over(assignment: Assignment) -> Refused:
    """Why an assignment that is not open cannot be changed, in words."""
    when = timezone.localtime(assignment.ended_at).strftime("%H:%M UTC") if assignment.ended_at else "before"
    says = {
        State.SUBMITTED: (
            "already_submitted",
            f"You already answered this pair, at {when}. Send a new answer to revise it.",
        ),
        State.SKIPPED: ("skipped", f"You skipped this pair at {when}; it goes to other raters. Claim the next one."),
        State.RELEASED: ("released", f"You gave this pair back at {when}. Claim the next one."),
        State.EXPIRED: ("lease_lost", f"Your hold on this pair ended at {when} and it is open to others. Claim again."),
    }
    return Refused(*says[State(assignment.state)])
