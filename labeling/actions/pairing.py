"""Queues whose pairs are chosen by what they would tell: once the pairs that connect an item's responses are answered,
one more is added, step by step, until their order is clear or every pair is there.

A step is taken by the clock and by claims that find nothing; a submit pays nothing for it. It looks at items with a
recent answer, so it costs the same however large the queue is.
"""

from __future__ import annotations

from collections.abc import Iterable
from itertools import groupby
from typing import Any

import numpy as np
from django.db import connection, transaction

from labeling.actions.fitting import put_first_what_goes_first
from labeling.actions.queues import add_slots
from labeling.audit import record
from labeling.models import Queue
from labeling.models.queues import GOLD
from labeling.reports.counted import COUNTS
from labeling.stats.next_pair import next_pair

RECENT = 5000  # answers of the project that are looked back upon
MOST_ITEMS = 500

# Items all of whose pairs in the queue are done, and that have more pairs than these; each with one row a pair: the
# responses, whether it is in the queue, and how often the first was preferred, the second, and neither.
_READY = f"""
WITH recent AS (
    SELECT DISTINCT pair.item_id FROM (
        SELECT a.pair_id FROM labeling_annotation a WHERE a.project_id = %(project)s AND a.current
        ORDER BY a.transaction DESC, a.id DESC LIMIT %(recent)s) AS newest
    JOIN labeling_pair pair ON pair.id = newest.pair_id
), ready AS (
    SELECT recent.item_id FROM recent CROSS JOIN LATERAL (
        SELECT count(DISTINCT slot.pair_id) AS inside, bool_and(slot.state = 'done') AS done
        FROM labeling_pair pair JOIN labeling_slot slot
          ON slot.queue_id = %(queue)s AND slot.pair_id = pair.id AND slot.lane <> '{GOLD}'
        WHERE pair.item_id = recent.item_id) AS its
    WHERE its.done AND its.inside < (SELECT count(*) FROM labeling_pair pair WHERE pair.item_id = recent.item_id)
    ORDER BY recent.item_id LIMIT %(items)s
)
SELECT pair.item_id, pair.id, pair.first_id, pair.second_id,
       EXISTS (SELECT FROM labeling_slot slot WHERE slot.queue_id = %(queue)s AND slot.pair_id = pair.id
               AND slot.lane <> '{GOLD}'),
       votes.first, votes.second, votes.neither
FROM ready JOIN labeling_pair pair ON pair.item_id = ready.item_id
CROSS JOIN LATERAL (
    SELECT count(*) FILTER (WHERE j.preference < 0) AS first, count(*) FILTER (WHERE j.preference > 0) AS second,
           count(*) FILTER (WHERE j.preference = 0) AS neither
    FROM labeling_annotation a JOIN labeling_judgment j ON j.annotation_id = a.id AND j.criterion_id = coalesce(
        %(criterion)s, (SELECT id FROM labeling_criterion
                        WHERE project_id = %(project)s AND kind = 'preference' ORDER BY position, id LIMIT 1))
    WHERE a.project_id = %(project)s AND a.pair_id = pair.id AND {COUNTS}) AS votes
ORDER BY pair.item_id, pair.id
"""  # noqa: S608 (constants of ours)


@transaction.atomic
def add_telling_pairs(*, queue: Queue, recent: int = RECENT) -> int:
    """Add to each item that has a recent answer, and all of whose pairs are answered, the pair that would tell most.

    Returns how many pairs came in. Two that do it at once take turns on the queue's row.
    """
    queue = Queue.objects.select_for_update(of=("self",), no_key=True).select_related("project").get(pk=queue.pk)
    if queue.pairing != Queue.Pairing.INFORMATIVE or not queue.gives:
        return 0
    facts: dict[str, Any] = {"queue": queue.pk, "project": queue.project_id, "criterion": queue.criterion_id}
    with connection.cursor() as cursor:
        cursor.execute(_READY, facts | {"recent": recent, "items": MOST_ITEMS})
        rows = cursor.fetchall()
    chosen = [pair for _item, pairs in groupby(rows, key=lambda row: row[0]) if (pair := _choose(pairs, queue.sure))]
    if not chosen:
        return 0
    added = add_slots(queue=queue, pair_ids=chosen, chosen=True)
    put_first_what_goes_first(queue=queue)
    record(None, "queue.pairs_added", queue, project_id=queue.project_id, name=queue.name, pairs=added)
    return added


def telling_queues() -> list[Queue]:
    """Queues that a step may add to."""
    return list(Queue.objects.filter(pairing=Queue.Pairing.INFORMATIVE, paused=False, closed_at=None).order_by("pk"))


def _choose(rows: Iterable[tuple[Any, ...]], sure: float) -> int | None:
    pairs = {(first, second): (pk, inside, *votes) for _item, pk, first, second, inside, *votes in rows}
    ids = sorted({pk for pair in pairs for pk in pair})
    place = {pk: at for at, pk in enumerate(ids)}
    wins, there = np.zeros((len(ids), len(ids))), np.zeros((len(ids), len(ids)))
    for (first, second), (_pk, inside, for_first, for_second, neither) in pairs.items():
        wins[place[first], place[second]] += for_first + neither / 2
        wins[place[second], place[first]] += for_second + neither / 2
        there[place[first], place[second]] = inside
    found = next_pair(wins, there, sure=sure)
    return pairs[ids[found[0]], ids[found[1]]][0] if found else None
