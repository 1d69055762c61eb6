"""What setting a rater's judgments aside would do: how many count no more, and which pairs are asked again."""

from __future__ import annotations

from dataclasses import dataclass

from django.db import connection
from django.db.models import Exists, F, OuterRef, QuerySet

from labeling.models import Annotation, Project, User, Withdrawal
from labeling.models.queues import GOLD

MOST_LISTED = 200

# A pair is asked again where it has no more slots than it is to have; what a smaller overlap left over is not made up.
_REOPENS = f"""
WITH given AS (
    SELECT s.queue_id, s.pair_id FROM labeling_assignment a JOIN labeling_slot s ON s.id = a.slot_id
    JOIN labeling_queue q ON q.id = a.queue_id AND q.closed_at IS NULL
    WHERE a.project_id = %(project)s AND a.rater_id = %(rater)s AND a.state = 'submitted' AND s.state = 'done'
      AND s.lane <> '{GOLD}'
)
SELECT given.pair_id, item.external_id, item.id, q.id, q.name, had.done - 1, count(*) OVER ()
FROM given JOIN labeling_queue q ON q.id = given.queue_id
JOIN labeling_pair pair ON pair.id = given.pair_id JOIN labeling_item item ON item.id = pair.item_id
CROSS JOIN LATERAL (
    SELECT count(*) AS slots, count(*) FILTER (WHERE s.state = 'done') AS done FROM labeling_slot s
    WHERE s.queue_id = given.queue_id AND s.pair_id = given.pair_id AND s.lane <> '{GOLD}'
) AS had
WHERE q.stopping <> 'fixed' OR had.slots <= q.overlap
ORDER BY had.done, q.id, given.pair_id LIMIT %(most)s
"""  # noqa: S608 (a constant)


@dataclass(frozen=True, slots=True)
class Reopened:
    """A pair of a queue that would be asked again; `left` answers of others count on."""

    pair_id: int
    item: str
    queue_id: int
    queue: str
    left: int


@dataclass(frozen=True, slots=True)
class Effect:
    """`judged`: pairs of which the rater's answer counts now. `reopens` are the first of `total`, fewest left first."""

    judged: int
    total: int
    reopens: list[Reopened]


def effect_of(project: Project, rater: User) -> Effect:
    """Two queries, over the rater's own assignments."""
    with connection.cursor() as cursor:
        cursor.execute(_REOPENS, {"project": project.pk, "rater": rater.pk, "most": MOST_LISTED})
        rows = cursor.fetchall()
    reopens = [
        Reopened(pair, name or str(item), queue, called, left) for pair, name, item, queue, called, left, _total in rows
    ]
    return Effect(counted_of(project, rater).count(), rows[0][-1] if rows else 0, reopens)


def counted_of(project: Project, rater: User) -> QuerySet[Annotation]:
    """The rater's annotations that count: what is withdrawn of the rater, or with its item, does not."""
    current = Annotation.objects.filter(project=project, rater=rater, current=True)
    of_rater = Withdrawal.objects.filter(project=project, rater=rater, lifted_at=None)
    of_item = Withdrawal.objects.filter(item=OuterRef("pair__item"), lifted_at=None)
    given = of_rater.filter(created_at__gte=OuterRef("created_at"))
    return current.exclude(Exists(given)).exclude(Exists(of_item)).order_by(F("pk"))
