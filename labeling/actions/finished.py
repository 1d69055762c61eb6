"""Queues that came to their end, found by the clock: a submit must not pay for looking."""

from __future__ import annotations

from django.db import transaction
from django.db.models import Exists, OuterRef, QuerySet

from labeling.actions.settle import settle
from labeling.actions.webhooks import announce
from labeling.models import Assignment, FinishedQueue, Passage, Queue, Slot, Webhook
from labeling.models.queues import GOLD, HIDDEN


def watch_queues() -> list[int]:
    """Tell of each queue that was finished since the last look, once until it has work again. Returns their ids."""
    FinishedQueue.objects.exclude(queue__in=_finished()).delete()
    told = FinishedQueue.objects.filter(queue=OuterRef("pk"))
    fresh = _finished().exclude(Exists(told)).select_related("project")
    return [queue.pk for queue in fresh if _tell(queue)]


@transaction.atomic
def _tell(queue: Queue) -> bool:
    """In one transaction, so that two who look at the same time tell it once.

    The last answers may not have been looked at yet: more raters may be wanted.
    """
    settle(queue=queue)
    if not _finished().filter(pk=queue.pk).exists():
        return False
    _, made = FinishedQueue.objects.get_or_create(queue=queue)
    if made:
        described = {"id": queue.pk, "name": queue.name, "pairs": queue.pair_count}
        announce(queue.project, Webhook.Event.QUEUE_FINISHED, {"queue": described})
    return made


def _finished() -> QuerySet[Queue]:
    """Something was judged, nobody holds a pair, and none is open but those put aside and known answers.

    Probes of partial indexes.
    """
    slots = Slot.objects.filter(queue=OuterRef("pk"))
    held = Assignment.objects.filter(queue=OuterRef("pk"), state=Assignment.State.OPEN)
    open_slots = slots.filter(state=Slot.State.OPEN).exclude(lane__in=[HIDDEN, GOLD])
    judged = Passage.objects.filter(queue=OuterRef("pk"), done__gt=0)
    return Queue.objects.filter(Exists(judged), ~Exists(open_slots), ~Exists(held), pair_count__gt=0)
