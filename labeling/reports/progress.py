"""How far a project and its queues have come. Counts of slots: the cost grows with the queue (one index-free scan)."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from django.db import connection
from django.db.models import Count, Q

from labeling.models import Project, Queue, Slot
from labeling.models.queues import GOLD


@dataclass(frozen=True, slots=True)
class QueueProgress:
    """Slots by state; `pairs` and those of them whose every slot is done."""

    queue: Queue
    open: int
    leased: int
    done: int
    pairs: int
    pairs_done: int

    @property
    def slots(self) -> int:
        return self.open + self.leased + self.done

    @property
    def percent(self) -> int:
        return round(100 * self.done / self.slots) if self.slots else 0


@dataclass(frozen=True, slots=True)
class ProjectProgress:
    items: int
    pairs: int
    annotations: int
    raters: int
    queues: list[QueueProgress]


def queue_progress(queues: Iterable[Queue]) -> list[QueueProgress]:
    """One query for all of them. What is mixed in of known answers is no work of a queue."""
    queues = list(queues)
    unfinished = Q(state__in=[Slot.State.OPEN, Slot.State.LEASED])
    counts = {
        row["queue"]: row
        for row in Slot.objects.filter(queue__in=queues)
        .exclude(lane=GOLD)
        .values("queue")
        .annotate(
            open=Count("id", filter=Q(state=Slot.State.OPEN)),
            leased=Count("id", filter=Q(state=Slot.State.LEASED)),
            done=Count("id", filter=Q(state=Slot.State.DONE)),
            left=Count("pair", filter=unfinished, distinct=True),
        )
    }
    nothing = {"open": 0, "leased": 0, "done": 0, "left": 0}
    return [_of(queue, counts.get(queue.pk, nothing)) for queue in queues]


_COUNTS = """
SELECT (SELECT count(*) FROM labeling_item WHERE project_id = %(project)s),
       (SELECT count(*) FROM labeling_pair WHERE project_id = %(project)s),
       (SELECT count(*) FROM labeling_annotation WHERE project_id = %(project)s AND current),
       (SELECT count(DISTINCT rater_id) FROM labeling_assignment WHERE project_id = %(project)s AND state = 'submitted')
"""


def project_progress(project: Project, queues: Iterable[Queue]) -> ProjectProgress:
    """Of the project and these queues of it. Two queries."""
    with connection.cursor() as cursor:
        cursor.execute(_COUNTS, {"project": project.pk})
        counts = cursor.fetchone()
    items, pairs, annotations, raters = counts
    return ProjectProgress(items, pairs, annotations, raters, queue_progress(queues))


def _of(queue: Queue, counts: Mapping[str, Any]) -> QueueProgress:
    return QueueProgress(
        queue=queue,
        open=counts["open"],
        leased=counts["leased"],
        done=counts["done"],
        pairs=queue.pair_count,
        pairs_done=queue.pair_count - counts["left"],
    )
