"""The next pair for a rater. The only place that leases slots.

A claim is one statement: the search is one index range above what the rater has passed, with a probe of one
unique index for each candidate, so its cost depends neither on the queue's size nor on the rater's history.

A rater who chose no sensitive topic walks the everyday lane and no other. For a rater who did, a second statement
looks ahead in each lane that is open to them, without locks, and leases from the one whose next pair has the lowest
rank; it says also which lane it found taken, and then it is asked again without that one.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from django.db import connection

from labeling.models import Assignment, Queue, User
from labeling.models.queues import AWAY, EVERYDAY, MOST_IN_A_ROW

_NAMES = ("id", "slot_id", "pair_id", "guideline_id", "swapped", "lane", "claimed_at", "lease_until")

# The probe is a scalar subquery on purpose: as an anti-join the planner may read the rater's whole history.
_NOT_HAD = """coalesce((SELECT false FROM labeling_assignment a WHERE a.pair_id = s.pair_id AND a.rater_id = %(rater)s
                    AND a.state IN ('open', 'submitted', 'skipped')
                    AND a.repeats_id IS NULL), true)"""
_TAKE = """leased AS (
    INSERT INTO labeling_assignment
        (project_id, queue_id, slot_id, pair_id, rater_id, guideline_id, state, swapped, lane, claimed_at, lease_until,
         skip_reason, skip_comment)
    SELECT %(project)s, %(queue)s, id, pair_id, %(rater)s,
           (SELECT id FROM labeling_guideline WHERE project_id = %(project)s AND version IS NOT NULL
            ORDER BY version DESC LIMIT 1),
           'open', swapped, lane, now(), now() + make_interval(secs => %(lease)s), '', ''
    FROM picked ON CONFLICT DO NOTHING
    RETURNING id, slot_id, pair_id, guideline_id, swapped, lane, claimed_at, lease_until
), taken AS (
    UPDATE labeling_slot SET state = 'leased' WHERE id = (SELECT slot_id FROM leased)
), moved AS (
    INSERT INTO labeling_passage (queue_id, rater_id, lane, passed, done)
    SELECT %(queue)s, %(rater)s, picked.lane, picked.rank, 0 FROM picked, leased
    ON CONFLICT (queue_id, rater_id, lane) DO UPDATE SET passed = greatest(labeling_passage.passed, excluded.passed)
)"""


def _everyday(*, chooses: str = "", unless: str = "", told: str = "", others: str = "") -> str:
    return f"""
WITH {chooses} picked AS (
    SELECT s.id, s.pair_id, s.rank, s.swapped, s.lane FROM labeling_slot s
    WHERE s.queue_id = %(queue)s AND s.lane = '' AND s.state = 'open'
      AND s.rank > coalesce((SELECT passed FROM labeling_passage
                             WHERE queue_id = %(queue)s AND rater_id = %(rater)s AND lane = ''), 0) * %(ahead)s
      AND {_NOT_HAD} {unless}
    ORDER BY s.rank LIMIT 1 FOR UPDATE OF s SKIP LOCKED
), {_TAKE}
SELECT id, slot_id, pair_id, guideline_id, swapped, lane, claimed_at, lease_until {told} FROM leased {others}
"""  # noqa: S608 (constants of this module)


# A queue without sensitive lanes: nobody has to be asked what they chose.
_PLAIN = _everyday()
# A queue with them: who chose topics gets nothing here but a row that says so.
_UNLESS_CHOSEN = _everyday(
    chooses="""chooses AS (
    SELECT FROM labeling_participation WHERE project_id = %(project)s AND user_id = %(rater)s AND topics <> '{}'
),""",
    unless="AND NOT EXISTS (SELECT FROM chooses)",
    told=", false",
    others="UNION ALL SELECT" + " NULL," * len(_NAMES) + " true FROM chooses",
)

# What is open to a rater who chose topics. The lock on what they chose makes taking a topic back wait for this claim,
# or this claim see it; and a person claims in one place at a time. Caps and the run are looked at again when the pair
# is opened (labeling/actions/care.py), by a statement that starts after the lock.
_LOOK_AHEAD = f"""me AS (
    SELECT topics FROM labeling_participation
    WHERE project_id = %(project)s AND user_id = %(rater)s FOR NO KEY UPDATE
), closed AS (
    SELECT topic.key FROM labeling_topic topic JOIN labeling_exposure seen
      ON seen.user_id = %(rater)s AND seen.project_id = %(project)s AND seen.topic = topic.key
     AND seen.day = (now() AT TIME ZONE 'UTC')::date
    WHERE topic.project_id = %(project)s
      AND (seen.shown >= topic.daily_pairs OR seen.milliseconds >= topic.daily_minutes * 60000::bigint)
), lanes AS (
    SELECT lane FROM unnest(%(lanes)s::text[]) AS lane WHERE lane = ''
    UNION ALL
    SELECT lane FROM unnest(%(lanes)s::text[]) AS lane, me
    WHERE lane <> '' AND string_to_array(lane, ' ') <@ me.topics::text[]
      AND NOT string_to_array(lane, ' ') && ARRAY(SELECT key::text FROM closed)
      AND EXISTS (SELECT FROM labeling_project WHERE id = %(project)s AND support <> '')
      AND (SELECT coalesce(sum(sensitive_run), 0) FROM labeling_passage run
           WHERE run.rater_id = %(rater)s AND run.lane = '' AND run.run_at > now() - %(away)s
             AND run.queue_id IN (SELECT id FROM labeling_queue WHERE project_id = %(project)s)) < %(most)s
), best AS (
    SELECT lanes.lane, ahead.rank FROM lanes CROSS JOIN LATERAL (
        SELECT s.rank FROM labeling_slot s
        WHERE s.queue_id = %(queue)s AND s.lane = lanes.lane AND s.state = 'open'
          AND s.rank > coalesce((SELECT passed FROM labeling_passage p WHERE p.queue_id = %(queue)s
                                 AND p.rater_id = %(rater)s AND p.lane = lanes.lane), 0) * %(ahead)s
          AND {_NOT_HAD}
        ORDER BY s.rank LIMIT 1) AS ahead
    ORDER BY ahead.rank LIMIT 1
)"""  # noqa: S608 (constants of this module)
_AMONG_LANES = f"""
WITH {_LOOK_AHEAD}, picked AS (
    SELECT s.id, s.pair_id, s.rank, s.swapped, s.lane FROM labeling_slot s
    WHERE s.queue_id = %(queue)s AND s.lane = (SELECT lane FROM best) AND s.state = 'open'
      AND s.rank >= (SELECT rank FROM best) AND {_NOT_HAD}
    ORDER BY s.rank LIMIT 1 FOR UPDATE OF s SKIP LOCKED
), {_TAKE}, counted AS (
    INSERT INTO labeling_passage (queue_id, rater_id, lane, passed, done)
    SELECT %(queue)s, %(rater)s, '', 0, 0 FROM leased WHERE lane <> '' ON CONFLICT DO NOTHING
)
SELECT leased.id, slot_id, pair_id, guideline_id, swapped, leased.lane, claimed_at, lease_until, best.lane
FROM best LEFT JOIN leased ON true
"""  # noqa: S608 (constants of this module)
_LOOK = f"WITH {_LOOK_AHEAD} SELECT lane FROM best"  # noqa: S608 (constants of this module)


def lease(queue: Queue, rater: User, *, sweep: bool = False) -> Assignment | None:
    """Lease the next open slot that this rater may have, or none. `sweep` looks also below what they have passed."""
    facts = _facts(queue, rater) | {"ahead": 0 if sweep else 1}
    if not queue.lanes:
        return _made(queue, rater, _one(_PLAIN, facts))
    row = _one(_UNLESS_CHOSEN, facts)
    if row is None or row[0] is not None:
        return _made(queue, rater, row)
    return _lease_among(queue, rater, facts)


def waiting_after_the_run(queue: Queue, rater: User) -> bool:
    """Whether only the most sensitive pairs in a row keeps this rater from a next pair. Leases nothing."""
    if not queue.lanes:
        return False
    unlimited = {"ahead": 1, "lanes": queue.lanes, "most": 1 << 30}
    return _one(_LOOK, _facts(queue, rater) | unlimited) is not None


def _lease_among(queue: Queue, rater: User, facts: dict[str, Any]) -> Assignment | None:
    """From the lane with the lowest next rank; when others took what was seen there, from the next best."""
    lanes = [EVERYDAY, *queue.lanes]
    while lanes:
        row = _one(_AMONG_LANES, facts | {"lanes": lanes})
        if row is None or row[0] is not None:
            return _made(queue, rater, row)
        lanes.remove(row[-1])
    return None


def _facts(queue: Queue, rater: User) -> dict[str, Any]:
    return {
        "project": queue.project_id,
        "queue": queue.pk,
        "rater": rater.pk,
        "lease": queue.lease_seconds,
        "away": AWAY,
        "most": MOST_IN_A_ROW,
    }


def _one(statement: str, facts: dict[str, Any]) -> Sequence[Any] | None:
    with connection.cursor() as cursor:
        cursor.execute(statement, facts)
        row: Sequence[Any] | None = cursor.fetchone()
    return row


def _made(queue: Queue, rater: User, row: Sequence[Any] | None) -> Assignment | None:
    if row is None:
        return None
    fields: dict[str, Any] = dict(zip(_NAMES, row, strict=False))  # more than the fields may follow
    assignment = Assignment(
        project_id=queue.project_id, queue=queue, rater=rater, state=Assignment.State.OPEN, **fields
    )
    assignment._state.adding = False
    return assignment
