"""What a rater says about a pair: keep a draft, submit, revise. It needs PostgreSQL only, not the broker."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from typing import Any

import orjson
from django.db import connection, transaction
from django.utils import timezone
from django.utils.translation import gettext as _

from labeling.actions.answers import digest, take
from labeling.actions.assign import lease_next
from labeling.actions.breaks import pause_due
from labeling.actions.care import count_time, unopened
from labeling.actions.guidelines import cited_principle
from labeling.actions.reading import Answer
from labeling.actions.refusals import Refused
from labeling.audit import record
from labeling.models import Annotation, Assignment, Judgment, Passage, Queue, Slot, User
from labeling.models.care import SEVERE
from labeling.models.queues import AWAY, EVERYDAY
from labeling.models.queues import SEVERE as COUNTS_FOR

State = Assignment.State
LARGEST_DRAFT = 64 * 1024
LONGEST_ACTIVE_MS = 24 * 3600 * 1000
Facts = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Submitted:
    """The current annotation, whether this call made it, and the next assignment if one was asked for and found.

    `place` is the rater's count in the queue, when this call added to it.
    """

    annotation: Annotation
    created: bool
    following: Assignment | None = None
    place: Passage | None = None


def submit(
    *,
    assignment: Assignment,
    rater: User,
    body: Any,
    complete: bool = False,
    then_claim: bool = False,
    breaks: bool = False,
) -> Submitted:
    """Store the answers. The same answers again change nothing; others revise, while the project allows it.

    With `breaks`, nothing is claimed while a break is to be offered first.

    Late is not lost: an assignment that expired takes any slot of its pair that is still open. If none is, the
    answers are kept as its draft and Refused("lease_lost") says so. The next claim shares the transaction, so
    the round trip costs one commit.
    """
    try:
        with transaction.atomic():
            held = _lock(assignment, rater)
            answers, facts = take(body, held=held, complete=complete)
            done = _store(held, rater, answers, facts | _facts(held, body))
            if not then_claim or held.queue is None:
                return done
            held.queue.project = held.project
            if breaks and _break_comes_first(done, held.queue, rater):
                return done
            return Submitted(done.annotation, done.created, lease_next(queue=held.queue, rater=rater), done.place)
    except Refused as refused:
        if refused.code == "lease_lost":
            Assignment.objects.filter(pk=assignment.pk, rater=rater).update(draft=_small(body), draft_at=timezone.now())
        raise


@transaction.atomic
def save_draft(*, assignment: Assignment, rater: User, draft: Any) -> Assignment:
    """Keep unfinished answers as they are, in the order shown. Kept out of the audit log: it is typing, not an act."""
    kept = Assignment.objects.filter(pk=assignment.pk, rater=rater, state__in=[State.OPEN, State.EXPIRED])
    now = timezone.now()
    if not kept.update(draft=_small(draft), draft_at=now):
        raise Refused("not_open", "This pair is not open any more, so there is no draft to keep.")
    assignment.draft, assignment.draft_at = draft, now
    return assignment


def _lock(assignment: Assignment, rater: User) -> Assignment:
    rows = Assignment.objects.select_for_update(of=("self",)).select_related("pair", "queue", "project", "guideline")
    return rows.defer("guideline__text", "guideline__html").get(pk=assignment.pk, rater=rater)


def _store(held: Assignment, rater: User, answers: list[Answer], facts: Facts) -> Submitted:
    body_digest = digest(answers, facts["principle"])
    if held.state == State.SUBMITTED:
        current = Annotation.objects.get(assignment=held, current=True)
        if current.body_digest == body_digest:
            return Submitted(current, created=False)
        return _revise(held, current, rater, answers, body_digest, facts)
    if unopened(held):
        raise Refused("not_opened", _("Open this comparison before you judge it."))
    if held.state != State.OPEN:
        _retake(held)
    annotation = _write(held, rater, answers, body_digest, facts, revision=1)
    severe, ms = any((answer.severity or 0) >= SEVERE for answer in answers), _judging_ms(held, facts["active_ms"])
    if held.lane != EVERYDAY:
        severe = count_time(held, ms) or severe
    place = _close(held, ms, severe=severe)
    record(rater, "annotation.submitted", annotation, project_id=held.project_id, assignment=held.pk)
    return Submitted(annotation, created=True, place=place)


def _break_comes_first(done: Submitted, queue: Queue, rater: User) -> bool:
    if done.place is not None and not done.place.break_due(queue.project):
        return False
    return pause_due(queue, rater) is not None  # also after the same answer again: the first one counted


def _revise(
    held: Assignment, current: Annotation, rater: User, answers: list[Answer], body_digest: str, facts: Facts
) -> Submitted:
    window = timedelta(minutes=held.project.revise_minutes)
    if held.ended_at is None or timezone.now() > held.ended_at + window:
        raise Refused("revise_closed", "The time to change this answer is over; what you sent first stands.")
    Annotation.objects.filter(pk=current.pk).update(current=False)
    annotation = _write(held, rater, answers, body_digest, facts, revision=current.revision + 1)
    record(rater, "annotation.revised", annotation, project_id=held.project_id, assignment=held.pk, replaces=current.pk)
    return Submitted(annotation, created=True)


def _write(
    held: Assignment, rater: User, answers: list[Answer], body_digest: str, facts: Facts, revision: int
) -> Annotation:
    annotation = Annotation.objects.create(
        project_id=held.project_id,
        assignment=held,
        pair_id=held.pair_id,
        rater=rater,
        guideline_id=held.guideline_id,
        revision=revision,
        body_digest=body_digest,
        **facts,
    )
    Judgment.objects.bulk_create([answer.judgment(annotation.pk, held.project_id) for answer in answers])
    return annotation


def _close(held: Assignment, active_ms: int, *, severe: bool) -> Passage | None:
    """Assignment, slot and the rater's counts, in one statement. Returns the counts.

    Idle for as long as a break lasts, since the answer before and beside the time of this one: the count starts anew.
    An everyday pair ends the run of sensitive ones.
    """
    facts = {
        "assignment": held.pk,
        "slot": held.slot_id,
        "queue": held.queue_id,
        "rater": held.rater_id,
        "ms": active_ms,
        "pairs": COUNTS_FOR if severe else 1,
        "idle": AWAY + timedelta(milliseconds=active_ms),
        "everyday": held.lane == EVERYDAY,
    }
    with connection.cursor() as cursor:
        cursor.execute(
            """
            WITH ended AS (
                UPDATE labeling_assignment SET state = 'submitted', ended_at = now(), draft = NULL, slot_id = %(slot)s
                WHERE id = %(assignment)s
            ), filled AS (
                UPDATE labeling_slot SET state = 'done' WHERE id = %(slot)s
            ), before AS (
                SELECT CASE WHEN (SELECT ended_at FROM labeling_assignment
                                  WHERE rater_id = %(rater)s AND state = 'submitted'
                                  ORDER BY ended_at DESC LIMIT 1) < now() - %(idle)s THEN 0 ELSE 1 END AS counts
            )
            UPDATE labeling_passage
            SET done = done + 1, since_break = since_break * counts + %(pairs)s,
                since_break_ms = since_break_ms * counts + %(ms)s,
                sensitive_run = CASE WHEN %(everyday)s THEN 0 ELSE sensitive_run END
            FROM before WHERE queue_id = %(queue)s AND rater_id = %(rater)s AND lane = ''
            RETURNING since_break, since_break_ms
            """,
            facts,
        )
        row = cursor.fetchone()
    return Passage(since_break=row[0], since_break_ms=row[1]) if row else None


def _retake(held: Assignment) -> None:
    """Give an assignment that ended without an answer a slot of its pair that is still open, or refuse."""
    if held.state == State.SKIPPED:
        raise Refused("skipped", "You skipped this pair; it goes to other raters. Claim the next one.")
    elsewhere = Assignment.objects.filter(pair_id=held.pair_id, rater_id=held.rater_id).exclude(pk=held.pk)
    if elsewhere.filter(state__in=[State.OPEN, State.SUBMITTED, State.SKIPPED]).exists():
        raise Refused("already_yours", "You have this pair open, or answered it, in another tab. Nothing was changed.")
    slot = (
        Slot.objects.select_for_update(skip_locked=True)
        .filter(queue_id=held.queue_id or 0, pair_id=held.pair_id, state=Slot.State.OPEN)
        .first()
    )
    if slot is None:
        raise Refused(
            "lease_lost",
            "This pair went to someone else. Your answers are kept as a draft; claim the next pair to go on.",
        )
    held.slot = slot


def _facts(held: Assignment, body: Any) -> Facts:
    """What an annotation keeps beside its answers, by the names of its fields: how they were given, and with what."""
    return {"active_ms": _active_ms(body), "principle": cited_principle(held.guideline, body)}


def _active_ms(body: Any) -> int | None:
    value = body.get("active_ms") if isinstance(body, dict) else None
    if value is None:
        return None
    if not isinstance(value, int) or isinstance(value, bool) or not 0 <= value <= LONGEST_ACTIVE_MS:
        raise Refused("invalid", "Some answers are not understood.", {"active_ms": "Milliseconds, at most one day."})
    return value


def _judging_ms(held: Assignment, active_ms: int | None) -> int:
    """What counts towards a break and a cap: what the page said, but no more than the time the pair was held."""
    return min(active_ms or 0, int((timezone.now() - held.claimed_at).total_seconds() * 1000))


def _small(draft: Any) -> Any:
    try:
        size = len(orjson.dumps(draft))
    except (TypeError, ValueError) as problem:
        raise Refused("invalid", "The draft is not plain JSON.", {"draft": str(problem)}) from problem
    if size > LARGEST_DRAFT:
        raise Refused("invalid", f"A draft is at most {LARGEST_DRAFT // 1024} KB.", {"draft": "too large"})
    if b"\\u0000" in orjson.dumps(draft):
        raise Refused("invalid", "A draft must not hold NUL characters.", {"draft": "holds NUL"})
    return draft
