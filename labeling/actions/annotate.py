"""What a rater says about a pair: keep a draft, submit, revise. It needs PostgreSQL only, not the broker."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

import orjson
from django.db import connection, transaction
from django.utils import timezone
from django.utils.translation import gettext as _

from labeling.actions import second_looks
from labeling.actions.answers import digest, take
from labeling.actions.assign import lease_next
from labeling.actions.breaks import pause_due
from labeling.actions.care import count_time
from labeling.actions.facts import Facts, facts_of
from labeling.actions.gold_results import note_answer, note_change
from labeling.actions.guidelines import cited_principle
from labeling.actions.reading import Answer
from labeling.actions.refusals import Refused
from labeling.audit import record
from labeling.models import Annotation, Assignment, Judgment, Passage, Queue, Slot, User
from labeling.models.care import SEVERE
from labeling.models.queues import AWAY, GOLD
from labeling.models.queues import SEVERE as COUNTS_FOR

State = Assignment.State
LARGEST_DRAFT = 64 * 1024
MOST_REVISIONS = 32_767


@dataclass(frozen=True, slots=True)
class Submitted:
    """The current annotation, whether this call made it, and the next assignment if one was asked for and found.

    `place` is the rater's count in the queue, when this call added to it. Of a pair that came back to its rater there
    is no annotation: what stands for it has no id.
    """

    annotation: Annotation
    created: bool
    following: Assignment | None = None
    place: Passage | None = None


@dataclass(frozen=True, slots=True)
class Sent:
    """A body that was understood. `revises` is the revision it changes, if it says which."""

    answers: list[Answer]
    digest: str
    facts: Facts
    revises: int | None
    body: Any


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

    A body may name the revision that it `revises`, 0 for the first answer: then it becomes the one after that and
    no other. Sent again, however late, it changes nothing, and other answers than that one has are refused.

    Late is not lost: an assignment that expired takes any slot of its pair that is still open. If none is, the
    answers are kept as its draft and Refused("lease_lost") says so. The next claim shares the transaction, so
    the round trip costs one commit.
    """
    try:
        with transaction.atomic():
            held = _lock(assignment, rater)
            answers, facts = take(body, held=held, complete=complete)
            facts |= facts_of(body) | {"principle": cited_principle(held.guideline, body)}
            sent = Sent(answers, digest(answers, facts["principle"]), facts, _revises(body), body)
            done = _store(held, rater, sent)
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


def may_revise(assignment: Assignment) -> bool:
    """Whether the project's window for changing this answer is still open. It begins with the first answer."""
    window = timedelta(minutes=assignment.project.revise_minutes)
    return assignment.ended_at is not None and timezone.now() <= assignment.ended_at + window


@transaction.atomic
def save_draft(*, assignment: Assignment, rater: User, draft: Any) -> Assignment:
    """Keep unfinished answers as they are, in the order shown. Kept out of the audit log: it is typing, not an act."""
    kept = Assignment.objects.filter(pk=assignment.pk, rater=rater, state__in=[State.OPEN, State.EXPIRED])
    now = timezone.now()
    if not kept.update(draft=_small(draft), draft_at=now):
        raise Refused("not_open", _("This pair is not open any more, so there is no draft to keep."))
    assignment.draft, assignment.draft_at = draft, now
    return assignment


def _revises(body: Any) -> int | None:
    """The revision that a body says it changes, or None when it says none."""
    value = body.get("revises")
    if value is None or (isinstance(value, int) and not isinstance(value, bool) and 0 <= value <= MOST_REVISIONS):
        return value
    raise Refused("invalid", _("Some answers are not understood."), {"revises": _("The number of a revision, or 0.")})


def _lock(assignment: Assignment, rater: User) -> Assignment:
    rows = Assignment.objects.select_for_update(of=("self",)).select_related("pair", "queue", "project", "guideline")
    return rows.defer("guideline__text", "guideline__html").get(pk=assignment.pk, rater=rater)


def _store(held: Assignment, rater: User, sent: Sent) -> Submitted:
    if held.state == State.SUBMITTED:
        return _store_again(held, rater, sent)
    if held.unopened:
        raise Refused("not_opened", _("Open this comparison before you judge it."))
    if held.state != State.OPEN:
        _retake(held)
    annotation = None if held.repeats_id else _write(held, rater, sent, revision=1)
    place = _end(held, sent)
    if annotation is None:
        return _keep_second_look(held, rater, sent, place)
    record(rater, "annotation.submitted", annotation, project_id=held.project_id, assignment=held.pk)
    if held.lane == GOLD:
        note_answer(held, annotation, sent.answers)
    return Submitted(annotation, created=True, place=place)


def _end(held: Assignment, sent: Sent) -> Passage | None:
    severe = any((answer.severity or 0) >= SEVERE for answer in sent.answers)
    ms = _judging_ms(held, sent.facts["active_ms"])
    if held.sensitive:
        severe = count_time(held, ms) or severe
    return _close(held, ms, severe=severe)


def _keep_second_look(held: Assignment, rater: User, sent: Sent, place: Passage | None = None) -> Submitted:
    annotation = second_looks.keep(held, sent.answers, sent.body, sent.facts["active_ms"])
    record(rater, "assignment.looked_again", held, project_id=held.project_id, repeats=held.repeats_id)
    return Submitted(annotation, created=True, place=place)


def _break_comes_first(done: Submitted, queue: Queue, rater: User) -> bool:
    if done.place is not None and not done.place.break_due(queue.project):
        return False
    return pause_due(queue, rater) is not None  # also after the same answer again: the first one counted


def _store_again(held: Assignment, rater: User, sent: Sent) -> Submitted:
    """A pair that is answered: what was sent before comes again, or it is a change, or a form that is out of date."""
    if held.repeats_id is not None:
        return _look_again(held, rater, sent)
    made = list(held.annotations.order_by("revision"))
    current = made[-1]
    base = current.revision if sent.revises is None else sent.revises
    if base > current.revision:
        raise Refused("invalid", _("Some answers are not understood."), {"revises": _("There is no such revision.")})
    if base == current.revision and sent.digest != current.body_digest:
        return _revise(held, current, rater, sent)
    if base < current.revision and sent.digest != made[base].body_digest:
        raise _answered_already(made[base].created_at)
    return Submitted(current, created=False)


def _look_again(held: Assignment, rater: User, sent: Sent) -> Submitted:
    """The same of a pair that came back to its rater. It has one revision, which a change takes the place of."""
    if second_looks.same_answers(held, sent.body):
        return Submitted(second_looks.standing_for(held), created=False)
    if sent.revises == 0:
        raise _answered_already(held.ended_at or timezone.now())
    if not may_revise(held):
        raise _revise_closed()
    return _keep_second_look(held, rater, sent)


def _answered_already(at: datetime) -> Refused:
    said = _("You already answered this pair, in another tab or on another device, at %(time)s. We did not change it.")
    return Refused("answered_already", said % {"time": timezone.localtime(at).strftime("%H:%M UTC")})


def _revise_closed() -> Refused:
    return Refused("revise_closed", _("The time to change this answer is over; what you sent before stands."))


def _revise(held: Assignment, current: Annotation, rater: User, sent: Sent) -> Submitted:
    if not may_revise(held):
        raise _revise_closed()
    Annotation.objects.filter(pk=current.pk).update(current=False)
    annotation = _write(held, rater, sent, revision=current.revision + 1)
    if held.lane == GOLD:
        note_change(held, current, annotation, sent.answers)
    record(rater, "annotation.revised", annotation, project_id=held.project_id, assignment=held.pk, replaces=current.pk)
    return Submitted(annotation, created=True)


def _write(held: Assignment, rater: User, sent: Sent, revision: int) -> Annotation:
    annotation = Annotation.objects.create(
        project_id=held.project_id,
        assignment=held,
        pair_id=held.pair_id,
        rater=rater,
        guideline_id=held.guideline_id,
        revision=revision,
        body_digest=sent.digest,
        **sent.facts,
    )
    Judgment.objects.bulk_create([answer.judgment(annotation.pk, held.project_id) for answer in sent.answers])
    return annotation


def _close(held: Assignment, active_ms: int, *, severe: bool) -> Passage | None:
    """Assignment, slot and the rater's counts, in one statement. Returns the counts.

    Idle for as long as a break lasts, since the answer before and beside the time of this one: the count starts anew.
    An everyday pair ends the run of sensitive ones.
    """
    facts: dict[str, Any] = {
        "assignment": held.pk,
        "slot": held.slot_id,
        "queue": held.queue_id,
        "rater": held.rater_id,
        "ms": active_ms,
        "pairs": COUNTS_FOR if severe else 1,
        "idle": AWAY + timedelta(milliseconds=active_ms),
        "everyday": not held.sensitive,
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
        raise Refused("skipped", _("You skipped this pair; it goes to other raters. Claim the next one."))
    if held.repeats_id is not None:
        second_looks.check_free(held)
        return
    elsewhere = Assignment.objects.filter(pair_id=held.pair_id, rater_id=held.rater_id).exclude(pk=held.pk)
    if elsewhere.filter(state__in=[State.OPEN, State.SUBMITTED, State.SKIPPED]).exists():
        raise Refused(
            "already_yours", _("You have this pair open, or answered it, in another tab. Nothing was changed.")
        )
    slots = Slot.objects.filter(queue_id=held.queue_id or 0, pair_id=held.pair_id, state=Slot.State.OPEN)
    slots = slots.filter(lane=GOLD) if held.lane == GOLD else slots.exclude(lane=GOLD)
    slot = slots.select_for_update(skip_locked=True).first()
    if slot is None:
        raise Refused(
            "lease_lost",
            _(
                "This pair went to someone else. Your answers are kept as a draft. "
                "If the pair is still open when you submit, they count."
            ),
        )
    held.slot = slot


def _judging_ms(held: Assignment, active_ms: int | None) -> int:
    """What counts towards a break and a cap: what the page said, but no more than the time the pair was held."""
    return min(active_ms or 0, int((timezone.now() - held.claimed_at).total_seconds() * 1000))


def _small(draft: Any) -> Any:
    try:
        written = orjson.dumps(draft)
    except (TypeError, ValueError) as problem:
        raise Refused("invalid", _("The draft is not plain JSON."), {"draft": str(problem)}) from problem
    if len(written) > LARGEST_DRAFT:
        most = {"most": LARGEST_DRAFT // 1024}
        raise Refused("invalid", _("A draft is at most %(most)s KB.") % most, {"draft": _("Too large.")})
    if b"\\u0000" in written:
        raise Refused("invalid", _("A draft must not hold NUL characters."), {"draft": _("Holds NUL.")})
    return draft
