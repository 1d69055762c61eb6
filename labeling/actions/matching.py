"""Makes the slots of a queue's pairs as many as are wanted: the only place that adds to a pair or takes from it later.

A pair is asked of as many raters as have answered so that it counts, hold it now, or are still to come: slots that are
done, leased and open. The sum becomes what is wanted (labeling/actions/wanted.py), or nothing where the queue does not
take the pair any more (labeling/actions/fitting.py), as far as what is done or leased allows. A slot whose answer was
set aside stays done and is made up for by a new one.

Left alone are the lane of gold, which is no work of the queue, and pairs that nobody is to be given: lessons, items
that were withdrawn, and what was found broken; that is matched when it is brought back.
"""

from __future__ import annotations

from collections.abc import Sequence

from django.db import connection

from labeling.actions.fitting import fits
from labeling.actions.gold_lane import IS_NO_WORK
from labeling.actions.lane_of import LANE_OF_PAIR
from labeling.actions.wanted import wanted
from labeling.models import Queue
from labeling.models.queues import GOLD, HIDDEN
from labeling.reports.counted import COUNTS

_GIVEN = "(%(pairs)s::bigint[] IS NULL OR {pair} = ANY(%(pairs)s))"
# Slots that are done by an answer that does not count. Begins at the withdrawals, which are few.
_VOID = f"""void AS MATERIALIZED (
    SELECT judged.slot_id FROM labeling_withdrawal gone
    JOIN labeling_assignment judged ON judged.rater_id = gone.rater_id AND judged.project_id = gone.project_id
     AND judged.queue_id = %(queue)s AND judged.state = 'submitted' AND {_GIVEN.format(pair="judged.pair_id")}
    JOIN labeling_annotation a ON a.assignment_id = judged.id AND a.current
    WHERE gone.project_id = %(project)s AND gone.lifted_at IS NULL AND judged.slot_id IS NOT NULL AND NOT ({COUNTS})
)"""  # noqa: S608 (constants of ours)
_OPEN = f"""
SELECT id FROM labeling_slot WHERE queue_id = %(queue)s AND state = 'open' AND lane <> '{GOLD}'
  AND {_GIVEN.format(pair="pair_id")} ORDER BY id FOR UPDATE
"""  # noqa: S608 (constants of ours)
# Both orders alike: what is added begins with the side that a pair has had less often, and then alternates.
_MATCH = f"""
WITH {_VOID}, asked AS (
    SELECT slot.pair_id, count(*) FILTER (WHERE slot.state = 'open') AS open,
           count(*) FILTER (WHERE slot.state <> 'open' AND void.slot_id IS NULL) AS taken,
           count(*) FILTER (WHERE slot.state <> 'open') AS stays,
           count(*) FILTER (WHERE NOT slot.swapped AND void.slot_id IS NULL)
           - count(*) FILTER (WHERE slot.swapped AND void.slot_id IS NULL) AS straight
    FROM labeling_slot slot LEFT JOIN void ON void.slot_id = slot.id
    WHERE slot.queue_id = %(queue)s AND slot.lane <> '{GOLD}' AND {_GIVEN.format(pair="slot.pair_id")}
    GROUP BY slot.pair_id
), wrong AS (
    SELECT pairs.*, places.n AS places
    FROM asked AS pairs JOIN labeling_queue queue ON queue.id = %(queue)s
    CROSS JOIN LATERAL (SELECT CASE WHEN {fits("pairs.pair_id")}
                               THEN greatest({wanted("pairs.pair_id")} - pairs.taken, 0) ELSE 0 END AS n) AS places
    WHERE places.n <> pairs.open
      AND NOT EXISTS (SELECT FROM labeling_lesson lesson WHERE lesson.pair_id = pairs.pair_id)
      AND NOT {IS_NO_WORK % "pairs.pair_id"}
      AND NOT EXISTS (SELECT FROM labeling_slot aside WHERE aside.queue_id = queue.id AND aside.pair_id = pairs.pair_id
                      AND aside.lane = '{HIDDEN}' AND aside.state = 'open')
      AND NOT EXISTS (SELECT FROM labeling_pair pair JOIN labeling_withdrawal gone ON gone.item_id = pair.item_id
                      WHERE pair.id = pairs.pair_id AND gone.lifted_at IS NULL)
), short AS (
    SELECT slot.*, row_number() OVER (ORDER BY given.place, random()) AS place
    FROM wrong AS slot LEFT JOIN unnest(%(pairs)s::bigint[]) WITH ORDINALITY AS given(id, place)
      ON given.id = slot.pair_id
    WHERE slot.places > slot.open
), made AS (
    INSERT INTO labeling_slot (project_id, queue_id, pair_id, number, lane, rank, swapped, state)
    SELECT %(project)s, %(queue)s, slot.pair_id,
           (SELECT max(number) FROM labeling_slot had WHERE had.queue_id = %(queue)s AND had.pair_id = slot.pair_id)
           + extra, {LANE_OF_PAIR}, queue.last_rank + slot.place,
           CASE WHEN extra <= abs(slot.straight) THEN slot.straight > 0
                ELSE (slot.pair_id + extra) %% 2 = 0 END, 'open'
    FROM short AS slot JOIN labeling_queue queue ON queue.id = %(queue)s
    CROSS JOIN LATERAL generate_series(1, slot.places - slot.open) AS extra
), surplus AS (
    DELETE FROM labeling_slot WHERE id IN (
        SELECT slot.id FROM (
            SELECT slot.id, slot.pair_id, row_number() OVER (PARTITION BY slot.pair_id ORDER BY slot.number) AS place
            FROM labeling_slot slot
            WHERE slot.queue_id = %(queue)s AND slot.state = 'open' AND slot.lane <> '{GOLD}'
              AND slot.pair_id IN (SELECT pair_id FROM wrong WHERE places < open)
        ) AS slot JOIN wrong ON wrong.pair_id = slot.pair_id WHERE slot.place > wrong.places)
)
UPDATE labeling_queue SET last_rank = last_rank + given.n, pair_count = pair_count - emptied.n
FROM (SELECT count(*) AS n FROM short) AS given,
     (SELECT count(*) AS n FROM wrong WHERE places = 0 AND stays = 0) AS emptied
WHERE labeling_queue.id = %(queue)s RETURNING given.n
"""  # noqa: S608 (constants of ours)


def match(*, queue: Queue, pair_ids: Sequence[int] | None = None) -> int:
    """Add and take away open slots until each pair, or each of `pair_ids`, has what is wanted.

    Must run in a transaction that holds the queue's row. What is added comes after all else, in the order of
    `pair_ids`. Returns how many pairs were given more. A claim skips locked slots, so nothing open can be leased while
    it is counted; one that was just being leased is waited for.
    """
    facts = {
        "project": queue.project_id,
        "queue": queue.pk,
        "pairs": None if pair_ids is None else list(pair_ids),
    }
    with connection.cursor() as cursor:
        cursor.execute(_OPEN, facts)
        cursor.execute(_MATCH, facts)
        return int(cursor.fetchone()[0])
