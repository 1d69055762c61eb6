"""The slots of known answers: the lane GOLD of each queue that mixes them into its work.

They are no work of the queue: nothing counts them, and overlap, topics and settling pass them by. Their numbers begin
where no overlap reaches, so a pair may have slots of both kinds. All slots of a pair share one rank, so that a rater
who had one has passed them all. They are drawn under the lock on the queue's row, as all ranks are.
"""

from __future__ import annotations

import secrets
from typing import Any

from django.db import connection, transaction
from django.db.models import Exists, OuterRef, Q

from labeling.models import GoldPair, Pair, Queue, Slot
from labeling.models.queues import GOLD

MOST_SHOWN = 50
FIRST_NUMBER = 1000
# A pair with known answers is no work, also when it was shown often enough; one that was retired earlier may be.
IS_NO_WORK = f"""EXISTS (SELECT FROM labeling_goldpair g
    WHERE g.pair_id = %s AND (g.retired_at IS NULL OR g.shown >= {MOST_SHOWN}))"""

_FILL = f"""
WITH short AS (
    SELECT gold.pair_id, %(most)s - gold.shown - had.waiting AS missing, had.last,
           row_number() OVER (ORDER BY random()) AS place
    FROM labeling_goldpair gold
    JOIN labeling_pair pair ON pair.id = gold.pair_id JOIN labeling_item item ON item.id = pair.item_id
    CROSS JOIN LATERAL (
        SELECT count(*) FILTER (WHERE s.state <> 'done' AND s.lane = '{GOLD}') AS waiting,
               greatest(max(s.number), %(first)s) AS last
        FROM labeling_slot s WHERE s.queue_id = %(queue)s AND s.pair_id = gold.pair_id
    ) AS had
    WHERE gold.project_id = %(project)s AND gold.retired_at IS NULL AND gold.shown + had.waiting < %(most)s
      AND (%(languages)s = '{{}}'::text[] OR item.language = ANY(%(languages)s))
), made AS (
    INSERT INTO labeling_slot (project_id, queue_id, pair_id, number, lane, rank, swapped, state)
    SELECT %(project)s, %(queue)s, pair_id, last + turn, '{GOLD}', %(rank)s + place,
           (hashint8(pair_id # %(seed)s) %% 2 = 0) <> (turn %% 2 = 0), 'open'
    FROM short CROSS JOIN LATERAL generate_series(1, missing) AS turn
)
UPDATE labeling_queue SET last_rank = last_rank + (SELECT count(*) FROM short) WHERE id = %(queue)s
RETURNING (SELECT count(*) FROM short)
"""  # noqa: S608 (constants of this module)
# Of pairs that were retired, found by the index of open slots; and all of a queue that mixes none in any more.
_CLEAR = f"""
DELETE FROM labeling_slot s WHERE s.queue_id = %(queue)s AND s.lane = '{GOLD}' AND s.state = 'open' AND (
    %(none)s OR NOT EXISTS (SELECT FROM labeling_goldpair g WHERE g.pair_id = s.pair_id AND g.retired_at IS NULL))
"""  # noqa: S608 (constants of this module)


def fill_gold_lane(*, queue: Queue) -> int:
    """Give the queue what is missing of its slots of known answers, and take away what is over.

    Must run in a transaction; locks the queue's row until it ends. A queue that asks for certain languages gets what
    is in these. Returns how many pairs were topped up.
    """
    facts: dict[str, Any] = {"queue": queue.pk, "project": queue.project_id, "most": MOST_SHOWN, "first": FIRST_NUMBER}
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT last_rank, gold_percent, languages, closed_at FROM labeling_queue WHERE id = %s FOR NO KEY UPDATE",
            [queue.pk],
        )
        rank, percent, languages, closed_at = cursor.fetchone()
        wanted = percent > 0 and closed_at is None
        cursor.execute(_CLEAR, facts | {"none": not wanted})
        if not wanted:
            return 0
        cursor.execute(_FILL, facts | {"rank": rank, "languages": languages, "seed": secrets.randbits(62)})
        return int(cursor.fetchone()[0])


def fill_gold_lanes(*, project_id: int) -> None:
    """The same for every queue of the project that mixes known answers in. Must run in a transaction."""
    for queue in Queue.objects.filter(project=project_id, gold_percent__gt=0).order_by("pk"):
        fill_gold_lane(queue=queue)


def empty_gold_lanes(*, pair: Pair) -> None:
    """Take the pair's open slots out of every lane of known answers. What is held may be answered."""
    open_slots = Slot.objects.filter(queue__project=pair.project_id, pair=pair, lane=GOLD, state=Slot.State.OPEN)
    open_slots.delete()


def tend_gold_lanes() -> None:
    """By the clock: what a retired pair or a changed queue has left behind goes, and what is missing comes."""
    known = GoldPair.objects.filter(project=OuterRef("project"), retired_at=None)
    left = Slot.objects.filter(queue=OuterRef("pk"), lane=GOLD, state=Slot.State.OPEN)
    for queue in Queue.objects.filter(Q(gold_percent__gt=0) & Exists(known) | Exists(left)).order_by("pk"):
        with transaction.atomic():
            fill_gold_lane(queue=queue)
