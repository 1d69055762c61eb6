"""Set a rater's judgments aside, and bring them back. Nothing is deleted.

A judgment that was set aside gives up its slot, so the slots of a pair that are done are always answers that count:
the slot opens again, at the end of its lane, unless the pair has enough without it. Somebody else answers it, for
nobody is given a pair twice. What is brought back takes an open slot of its pair again; where none is left because
others have answered meanwhile, it counts all the same, beyond what was wanted. Closed queues stay as they are.
Locks: the project, assignments, queues in order, slots.
"""

from __future__ import annotations

from typing import Any

from django.db import connection, transaction
from django.utils import timezone
from django.utils.translation import gettext as _

from labeling.actions.queues import return_slots
from labeling.actions.refusals import Refused
from labeling.actions.withdrawals import withdraw_rater
from labeling.audit import record
from labeling.models import Assignment, Project, Queue, User, Withdrawal
from labeling.models.queues import GOLD
from labeling.reports.set_aside import counted_of

_GIVE_UP = f"""
WITH freed AS (
    SELECT a.id, a.queue_id, a.slot_id FROM labeling_assignment a
    JOIN labeling_slot s ON s.id = a.slot_id AND s.state = 'done' AND s.lane <> '{GOLD}'
    JOIN labeling_queue q ON q.id = a.queue_id AND q.closed_at IS NULL
    WHERE a.project_id = %(project)s AND a.rater_id = %(rater)s AND a.state = 'submitted'
    ORDER BY a.id FOR UPDATE OF a
), gone AS (
    UPDATE labeling_assignment SET slot_id = NULL FROM freed WHERE labeling_assignment.id = freed.id
), held AS (
    UPDATE labeling_slot SET state = 'leased' FROM freed WHERE labeling_slot.id = freed.slot_id
)
SELECT queue_id, array_agg(slot_id ORDER BY slot_id) FROM freed GROUP BY queue_id ORDER BY queue_id
"""  # noqa: S608 (a constant)

# What counts again and has no slot, each with an open slot of its pair, if there is one: best of the same order shown.
_TAKE_BACK = f"""
WITH back AS (
    SELECT a.id, a.pair_id, a.swapped FROM labeling_assignment a
    JOIN labeling_annotation n ON n.assignment_id = a.id AND n.current
    WHERE a.project_id = %(project)s AND a.rater_id = %(rater)s AND a.queue_id = %(queue)s AND a.state = 'submitted'
      AND a.slot_id IS NULL AND a.repeats_id IS NULL AND n.created_at <= %(until)s
      AND NOT EXISTS (SELECT FROM labeling_withdrawal w WHERE w.project_id = a.project_id AND w.rater_id = a.rater_id
                      AND w.lifted_at IS NULL AND n.created_at <= w.created_at)
), picked AS (
    SELECT DISTINCT ON (back.id) back.id AS assignment, s.id AS slot FROM back
    JOIN labeling_slot s ON s.queue_id = %(queue)s AND s.pair_id = back.pair_id AND s.state = 'open'
     AND s.lane <> '{GOLD}'
    ORDER BY back.id, s.swapped <> back.swapped, s.number
), filled AS (
    UPDATE labeling_slot SET state = 'done' FROM picked WHERE labeling_slot.id = picked.slot
)
UPDATE labeling_assignment SET slot_id = picked.slot FROM picked WHERE labeling_assignment.id = picked.assignment
"""  # noqa: S608 (a constant)


@transaction.atomic
def set_aside(*, project: Project, rater: User, by: User, note: str = "") -> Withdrawal:
    """What the rater judged until now counts no more, and the pairs get other answers. It can be lifted.

    They stay a rater: what they judge later counts, so somebody who is not to go on is paused as well.
    """
    Project.objects.select_for_update(no_key=True).get(pk=project.pk)
    # A submit that is under way ends first: what it stored was given until now, and its slot is known to be done.
    list(Assignment.objects.select_for_update().filter(project=project, rater=rater, state=Assignment.State.OPEN))
    if not counted_of(project, rater).exists():
        raise Refused("unchanged", _("This person has no judgments that count here."))
    made = withdraw_rater(project=project, rater=rater, by=by, note=note)
    for queue_id, slot_ids in _run(_GIVE_UP, project=project.pk, rater=rater.pk):
        return_slots(queue=Queue.objects.get(pk=queue_id), slot_ids=slot_ids)
    return made


@transaction.atomic
def lift(*, withdrawal: Withdrawal, by: User) -> Withdrawal:
    """Let the judgments count again, but for those that something else withdraws.

    Refused: "unchanged", "not_lifted".
    """
    Project.objects.select_for_update(no_key=True).get(pk=withdrawal.project_id)
    held = Withdrawal.objects.select_for_update(of=("self",)).select_related("project", "rater").get(pk=withdrawal.pk)
    if held.why != Withdrawal.Why.RATER or held.rater is None:
        raise Refused("not_lifted", _("Only judgments that a manager set aside can be brought back."))
    if held.lifted_at is not None:
        raise Refused("unchanged", _("These judgments count again already."))
    held.lifted_by, held.lifted_at = by, timezone.now()
    held.save(update_fields=["lifted_by", "lifted_at"])
    for queue in Queue.objects.select_for_update(no_key=True).filter(project=held.project_id).order_by("pk"):
        _lock_open(queue)
        facts = {"project": held.project_id, "rater": held.rater_id, "queue": queue.pk, "until": held.created_at}
        _run(_TAKE_BACK, **facts)
    record(by, "withdrawal.lifted", held, project_id=held.project_id, user=held.rater_id)
    return held


def _lock_open(queue: Queue) -> None:
    """A claim skips locked slots, so nothing open can be leased while it is given to an answer."""
    _run("SELECT id FROM labeling_slot WHERE queue_id = %(queue)s AND state = 'open' FOR UPDATE", queue=queue.pk)


def _run(statement: str, **facts: Any) -> list[tuple[Any, ...]]:
    with connection.cursor() as cursor:
        cursor.execute(statement, facts)
        return cursor.fetchall() if cursor.description else []
