"""Which pairs a queue takes, and in which order it gives them out: SQL for whoever makes its slots, and what follows
when a manager changes either.

A filter may change at any time. A pair that no longer fits is wanted by nobody (labeling/actions/matching.py): it loses
its open slots, what is leased or done stays, and a leased slot that comes back goes. Every function here runs in a
transaction that holds the queue's row.
"""

from __future__ import annotations

from typing import Any

from django.db import connection

from labeling.models import Queue
from labeling.models.queues import GOLD, HIDDEN

Order, Pairing = Queue.Order, Queue.Pairing

# Of rows `pair`, `item` and `queue`.
_TAKES = """(queue.languages = '{}' OR item.language = ANY(queue.languages))
    AND (queue.tags = '{}' OR item.tags && queue.tags)
    AND (queue.batches = '{}' OR item.batch_id = ANY(queue.batches))
    AND (queue.categories = '{}' OR item.metadata->>'category' = ANY(queue.categories))"""
# The responses of an item stand in the order of a hash, the same whenever it is asked; a pair of neighbours in it is
# taken, so that as few pairs as possible connect them all and each response is in two of them, or in one at the ends.
_NEIGHBOURS = """NOT EXISTS (SELECT FROM labeling_response other WHERE other.item_id = pair.item_id
    AND md5(other.id::text) > least(md5(pair.first_id::text), md5(pair.second_id::text))
    AND md5(other.id::text) < greatest(md5(pair.first_id::text), md5(pair.second_id::text)))"""
# A pair that comes in by itself, and one that was chosen by what it would tell.
COMES_IN = f"{_TAKES} AND (queue.pairing = '{Pairing.ALL}' OR {_NEIGHBOURS})"
CHOSEN = _TAKES


def fits(pair: str) -> str:
    """Whether a pair that is in `queue`, an SQL expression of its id, may stay there."""
    return f"""EXISTS (SELECT FROM labeling_pair pair JOIN labeling_item item ON item.id = pair.item_id
    WHERE pair.id = {pair} AND {_TAKES} AND (queue.pairing <> '{Pairing.CONNECTED}' OR {_NEIGHBOURS}))"""


PLACES = {
    Order.RANDOM.value: "random()",
    Order.OLDEST.value: "pair.id",
    Order.PRIORITY.value: "item.priority DESC, random()",
}

_OF_THE_QUEUE = f"slot.queue_id = %(queue)s AND slot.lane <> '{GOLD}'"
_LOCK = f"SELECT FROM labeling_slot slot WHERE {_OF_THE_QUEUE} AND slot.state = 'open' ORDER BY slot.id FOR UPDATE"
_DROP_UNCONNECTED = f"""
WITH gone AS (
    DELETE FROM labeling_slot slot WHERE {_OF_THE_QUEUE}
      AND NOT EXISTS (SELECT FROM labeling_pair pair WHERE pair.id = slot.pair_id AND {_NEIGHBOURS})
      AND NOT EXISTS (SELECT FROM labeling_slot begun WHERE begun.queue_id = %(queue)s AND begun.pair_id = slot.pair_id
                      AND begun.state <> 'open' AND begun.lane <> '{GOLD}')
    RETURNING slot.pair_id
)
UPDATE labeling_queue SET pair_count = pair_count - (SELECT count(DISTINCT pair_id) FROM gone) WHERE id = %(queue)s
"""  # noqa: S608 (constants of this module)

_OPEN = f"""open AS (
    SELECT slot.pair_id AS id, min(slot.rank) AS rank FROM labeling_slot slot
    WHERE {_OF_THE_QUEUE} AND slot.state = 'open' AND slot.lane <> '{HIDDEN}' GROUP BY slot.pair_id
)"""  # noqa: S608 (constants of this module)
_MOVE = f"""ranked AS (
    UPDATE labeling_slot slot SET rank = %(rank)s + placed.place FROM placed
    WHERE {_OF_THE_QUEUE} AND slot.state = 'open' AND slot.lane <> '{HIDDEN}' AND slot.pair_id = placed.id
)
UPDATE labeling_queue SET last_rank = last_rank + (SELECT count(*) FROM placed) WHERE id = %(queue)s
"""  # noqa: S608 (constants of this module)
_ALL_ANEW = f"""
WITH {_OPEN}, placed AS (
    SELECT pair.id, row_number() OVER (ORDER BY {{order}}) AS place
    FROM open JOIN labeling_pair pair ON pair.id = open.id JOIN labeling_item item ON item.id = pair.item_id
), {_MOVE}
"""  # noqa: S608 (constants of this module)
# Only what stands before something that goes first, and whatever goes after that: an import that changes nothing of the
# order moves nothing.
_BY_PRIORITY = f"""
WITH {_OPEN}, seen AS (
    SELECT open.id, open.rank, item.priority,
           max(item.priority) OVER (ORDER BY open.rank ROWS BETWEEN 1 FOLLOWING AND UNBOUNDED FOLLOWING) AS later
    FROM open JOIN labeling_pair pair ON pair.id = open.id JOIN labeling_item item ON item.id = pair.item_id
), placed AS (
    SELECT id, row_number() OVER (ORDER BY priority DESC, rank) AS place FROM seen
    WHERE later > priority OR priority < (SELECT max(priority) FROM seen WHERE later > priority)
), {_MOVE}
"""  # noqa: S608 (constants of this module)


def drop_unconnected(*, queue: Queue) -> None:
    """Take away pairs that nobody has begun and that are not needed to connect an item's responses."""
    with connection.cursor() as cursor:
        # A claim skips locked slots, so nothing that is counted as open can be leased before it is gone.
        cursor.execute(_LOCK, {"queue": queue.pk})
        cursor.execute(_DROP_UNCONNECTED, {"queue": queue.pk})


def rank_anew(*, queue: Queue) -> None:
    """Give all open slots new ranks, above everything, in the queue's order: so no rater has passed them."""
    _rank(queue, _ALL_ANEW.format(order=PLACES[queue.order]))


def put_first_what_goes_first(*, queue: Queue) -> None:
    """After pairs came into a queue that goes by priority: whatever now stands too early goes behind them."""
    if queue.order == Order.PRIORITY:
        _rank(queue, _BY_PRIORITY)


def _rank(queue: Queue, statement: str) -> None:
    """The counter is read again: whoever added slots in this transaction has moved it."""
    queue.refresh_from_db(fields=["last_rank"])
    facts: dict[str, Any] = {"queue": queue.pk, "rank": queue.last_rank}
    with connection.cursor() as cursor:
        cursor.execute(statement, facts)
    queue.refresh_from_db(fields=["last_rank"])
