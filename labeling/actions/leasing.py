"""The next pair for a rater. The only place that leases slots.

A claim is one statement: the search is one index range above what the rater has passed, with a probe of one
unique index for each candidate, so its cost depends neither on the queue's size nor on the rater's history. Who may
work on the queue (labeling/reports/admission.py) is asked in the same statement, once and not for each candidate; a
rule that is off is not in its text. Where the rater has to read a pair's language, pairs in others are passed for good.

A rater who chose no sensitive topic walks the everyday lane and no other. For a rater who did, a second statement
looks ahead in each lane that is open to them, without locks, and leases from the one whose next pair has the lowest
rank; it says also which lane it found taken, and then it is asked again without that one.

Known answers and pairs that come back are mixed in by a draw before the search, and never where nothing else waits.
"""

from __future__ import annotations

from collections.abc import Sequence
from secrets import randbelow
from typing import Any

from django.db import connection

from labeling.models import Assignment, Queue, User
from labeling.models.queues import AWAY, EVERYDAY, GOLD, MOST_IN_A_ROW
from labeling.reports.admission import NOT_HAD, NOT_PAUSED, NOT_WRITTEN, READS, WAITING, asks_language, rules_of

LOOKED_AT = 200  # so many of the rater's answers are looked at for one that may come back

_NAMES = ("id", "slot_id", "pair_id", "guideline_id", "swapped", "lane", "claimed_at", "lease_until")
_FOR_THEM = f"{NOT_HAD} AND {NOT_WRITTEN}"

_MAKE = """INSERT INTO labeling_assignment
        (project_id, queue_id, slot_id, pair_id, rater_id, guideline_id, state, swapped, lane, claimed_at, lease_until,
         skip_reason, skip_comment, repeats_id)
    SELECT %(project)s, %(queue)s, {slot}, pair_id, %(rater)s,
           (SELECT id FROM labeling_guideline WHERE project_id = %(project)s AND version IS NOT NULL
            ORDER BY version DESC LIMIT 1),
           'open', swapped, lane, now(), now() + make_interval(secs => %(lease)s), '', '', {repeats}
    FROM picked ON CONFLICT DO NOTHING
    RETURNING id, slot_id, pair_id, guideline_id, swapped, lane, claimed_at, lease_until"""
_LEASE = _MAKE.format(slot="id", repeats="NULL::bigint")
_TAKE = f"""leased AS (
    {_LEASE}
), taken AS (
    UPDATE labeling_slot SET state = 'leased' WHERE id = (SELECT slot_id FROM leased)
), moved AS (
    INSERT INTO labeling_passage (queue_id, rater_id, lane, passed, done)
    SELECT %(queue)s, %(rater)s, picked.lane, picked.rank, 0 FROM picked, leased
    ON CONFLICT (queue_id, rater_id, lane) DO UPDATE SET passed = greatest(labeling_passage.passed, excluded.passed)
)"""  # noqa: S608 (constants of this module)
# The everyday lane's row counts the rater's work, also before they had a pair of that lane.
_COUNTED = """counted AS (
    INSERT INTO labeling_passage (queue_id, rater_id, lane, passed, done)
    SELECT %(queue)s, %(rater)s, '', 0, 0 FROM leased WHERE lane <> '' ON CONFLICT DO NOTHING
)"""


def _gate(*rules: str) -> str:
    """May this person: asked once, before any candidate."""
    asked = " AND ".join((NOT_PAUSED, *rules))
    return f"EXISTS (SELECT FROM labeling_queue WHERE labeling_queue.id = %(queue)s AND {asked})"


# In the statements below, <asks> stands for what a queue asks before any slot, and of each.
def _in_lane(
    lane: str, *, chooses: str = "", unless: str = "", told: str = "", others: str = "", also: str = ""
) -> str:
    return f"""
WITH {chooses} picked AS (
    SELECT s.id, s.pair_id, s.rank, s.swapped, s.lane FROM labeling_slot s
    WHERE s.queue_id = %(queue)s AND s.lane = '{lane}' AND s.state = 'open'
      AND s.rank > coalesce((SELECT passed FROM labeling_passage
                             WHERE queue_id = %(queue)s AND rater_id = %(rater)s AND lane = '{lane}'), 0) * %(ahead)s
      AND <asks> {unless}
    ORDER BY s.rank LIMIT 1 FOR UPDATE OF s SKIP LOCKED
), {_TAKE} {also}
SELECT id, slot_id, pair_id, guideline_id, swapped, lane, claimed_at, lease_until {told} FROM leased {others}
"""  # noqa: S608 (constants of this module)


# A queue without sensitive lanes: nobody has to be asked what they chose.
_PLAIN = _in_lane(EVERYDAY)
# A queue with them: who chose topics gets nothing here but a row that says so.
_UNLESS_CHOSEN = _in_lane(
    EVERYDAY,
    chooses="""chooses AS (
    SELECT FROM labeling_participation WHERE project_id = %(project)s AND user_id = %(rater)s AND topics <> '{}'
),""",
    unless="AND NOT EXISTS (SELECT FROM chooses)",
    told=", false",
    others="UNION ALL SELECT" + " NULL," * len(_NAMES) + " true FROM chooses",
)
# A pair of the lane of known answers, as long as other work waits.
_KNOWN_ANSWER = _in_lane(GOLD, also=f", {_COUNTED}")


def _once_more() -> str:
    """A pair that the rater answered some days ago, the other way round.

    Begun at a moment drawn from between their first answer and the last that is old enough, so that what came back
    already is not walked over again and again; then from the last. Never a known answer or a sensitive pair, none of an
    item that was withdrawn, none with a single response, and nothing twice.
    """
    among = """(SELECT id, pair_id, swapped, lane FROM (
        SELECT a.* FROM labeling_assignment a
        WHERE a.rater_id = %(rater)s AND a.project_id = %(project)s AND a.state IN ('submitted', 'skipped')
          AND a.ended_at <= {before} ORDER BY a.ended_at DESC LIMIT %(looked_at)s) AS old
    WHERE old.state = 'submitted' AND old.queue_id = %(queue)s AND old.lane = '' AND old.repeats_id IS NULL
      AND NOT EXISTS (SELECT FROM labeling_assignment again WHERE again.repeats_id = old.id
                      AND again.state IN ('open', 'submitted', 'skipped'))
      AND NOT EXISTS (SELECT FROM labeling_goldpair gold WHERE gold.pair_id = old.pair_id)
      AND EXISTS (SELECT FROM labeling_pair pair WHERE pair.id = old.pair_id AND pair.second_id IS NOT NULL
                  AND NOT EXISTS (SELECT FROM labeling_withdrawal gone
                                  WHERE gone.item_id = pair.item_id AND gone.lifted_at IS NULL))
    ORDER BY old.ended_at DESC LIMIT 1)"""
    return f"""
WITH span AS (
    SELECT min(first.ended_at) AS first, now() - make_interval(days => %(days)s) AS last FROM (
        SELECT ended_at FROM labeling_assignment WHERE rater_id = %(rater)s AND project_id = %(project)s
          AND state IN ('submitted', 'skipped') ORDER BY ended_at LIMIT 1) AS first
), start AS (
    SELECT last - random() * (last - first) AS at FROM span WHERE first <= last AND <asks>
), picked AS (
    SELECT id AS first_id, pair_id, NOT swapped AS swapped, lane FROM (
        {among.format(before="(SELECT at FROM start)")}
        UNION ALL
        {among.format(before="(SELECT last FROM span, start)")}) AS found LIMIT 1
), leased AS (
    {_MAKE.format(slot="NULL::bigint", repeats="first_id")}
)
SELECT id, slot_id, pair_id, guideline_id, swapped, lane, claimed_at, lease_until,
       (SELECT first_id FROM picked) FROM leased
"""  # noqa: S608 (constants of this module)


_ONCE_MORE = _once_more()

# What is open to a rater who chose topics. The lock on what they chose makes taking a topic back wait for this claim,
# or this claim see it; and a person claims in one place at a time. Caps and the run are looked at again when the pair
# is opened (labeling/actions/care.py), by a statement that starts after the lock.
_LOOK_AHEAD = """me AS (
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
          AND <asks>
        ORDER BY s.rank LIMIT 1) AS ahead
    ORDER BY ahead.rank LIMIT 1
)"""


_AMONG_LANES = f"""
WITH {_LOOK_AHEAD}, picked AS (
    SELECT s.id, s.pair_id, s.rank, s.swapped, s.lane FROM labeling_slot s
    WHERE s.queue_id = %(queue)s AND s.lane = (SELECT lane FROM best) AND s.state = 'open'
      AND s.rank >= (SELECT rank FROM best) AND <asks>
    ORDER BY s.rank LIMIT 1 FOR UPDATE OF s SKIP LOCKED
), {_TAKE}, {_COUNTED}
SELECT leased.id, slot_id, pair_id, guideline_id, swapped, leased.lane, claimed_at, lease_until, best.lane
FROM best LEFT JOIN leased ON true
"""  # noqa: S608 (constants of this module)


_LOOK = f"WITH {_LOOK_AHEAD} SELECT lane FROM best"  # noqa: S608 (constants of this module)


def lease(queue: Queue, rater: User, *, sweep: bool = False) -> Assignment | None:
    """Lease the next open slot that this rater may have, or none. `sweep` looks also below what they have passed."""
    facts = _facts(queue, rater) | {"ahead": 0 if sweep else 1}
    if not queue.lanes:
        return _made(queue, rater, _one(_asking(queue, _PLAIN), facts))
    row = _one(_asking(queue, _UNLESS_CHOSEN), facts)
    if row is None or row[0] is not None:
        return _made(queue, rater, row)
    return _lease_among(queue, rater, facts)


def lease_mixed_in(queue: Queue, rater: User) -> Assignment | None:
    """What is mixed into the work, when the draw says so and there is one: a known answer, or a pair once more."""
    if not queue.mixes_in:
        return None
    drawn, rules = draw(), rules_of(queue)
    facts = _facts(queue, rater) | {"ahead": 1, "days": queue.repeat_after_days}
    if drawn < queue.gold_percent:
        asks = f"{_gate(*rules, WAITING)} AND {_FOR_THEM}"
        return _made(queue, rater, _one(_asking(queue, _KNOWN_ANSWER, asks), facts))
    if drawn < queue.gold_percent + queue.repeat_percent:
        row = _one(_asking(queue, _ONCE_MORE, _gate(*rules, WAITING)), facts)
        return _made(queue, rater, row, repeats_id=row[-1]) if row else None
    return None


def draw() -> int:
    """From 0 to 99, each as likely."""
    return randbelow(100)


def waiting_after_the_run(queue: Queue, rater: User) -> bool:
    """Whether only the most sensitive pairs in a row keeps this rater from a next pair. Leases nothing."""
    if not queue.lanes:
        return False
    unlimited = {"ahead": 1, "lanes": queue.lanes, "most": 1 << 30}
    return _one(_asking(queue, _LOOK), _facts(queue, rater) | unlimited) is not None


def _lease_among(queue: Queue, rater: User, facts: dict[str, Any]) -> Assignment | None:
    """From the lane with the lowest next rank; when others took what was seen there, from the next best."""
    lanes = [EVERYDAY, *queue.lanes]
    while lanes:
        row = _one(_asking(queue, _AMONG_LANES), facts | {"lanes": lanes})
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
        "looked_at": LOOKED_AT,
    }


def _asking(queue: Queue, statement: str, asks: str = "") -> str:
    """The statement with the conditions that this queue has switched on."""
    of_each = f"{_FOR_THEM} AND {READS}" if asks_language(queue) else _FOR_THEM
    return statement.replace("<asks>", asks or f"{_gate(*rules_of(queue))} AND {of_each}")


def _one(statement: str, facts: dict[str, Any]) -> Sequence[Any] | None:
    with connection.cursor() as cursor:
        cursor.execute(statement, facts)
        row: Sequence[Any] | None = cursor.fetchone()
    return row


def _made(queue: Queue, rater: User, row: Sequence[Any] | None, *, repeats_id: int | None = None) -> Assignment | None:
    if row is None:
        return None
    fields: dict[str, Any] = dict(zip(_NAMES, row, strict=False))  # more than the fields may follow
    fields |= {"project_id": queue.project_id, "repeats_id": repeats_id}
    assignment = Assignment(queue=queue, rater=rater, state=Assignment.State.OPEN, **fields)
    assignment._state.adding = False
    return assignment
