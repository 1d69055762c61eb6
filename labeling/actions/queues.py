"""What managers do to queues. The only place that makes and removes slots; labeling/actions/lanes.py moves them.

Locks, in this order everywhere: the project's row, assignments, the rater's participation, the queue's row, slots. The
queue's row is locked FOR NO KEY UPDATE: a claim, which holds a slot, refers to the queue by a foreign key and must not
wait for it. Ranks are only drawn with the queue's row locked, so they become visible in their own order;
labeling/models/queues.py says why that matters.
"""

from __future__ import annotations

import secrets
from collections.abc import Sequence
from typing import Any

from django.db import connection, transaction
from django.db.models import F, QuerySet
from django.utils.translation import gettext as _

from labeling.actions.refusals import Refused
from labeling.audit import record
from labeling.models import Pair, Project, Queue, Slot, User
from labeling.models.queues import HIDDEN, LONGEST_LEASE, MOST_OVERLAP, SHORTEST_LEASE

CHANGEABLE = frozenset({"name", "overlap", "lease_seconds", "paused", "blur_images"})

# The lane of a row `item`: those of its tags that are topics of the project, in Python's order. The topics are read
# once a statement; an item without tags costs nothing.
LANE_OF_ITEM = """CASE WHEN cardinality(item.tags) = 0 THEN '' ELSE (
    SELECT coalesce(string_agg(topic, ' ' ORDER BY topic COLLATE "C"), '')
    FROM unnest((SELECT array_agg(key) FROM labeling_topic WHERE project_id = %(project)s)) AS topic
    WHERE topic = ANY(item.tags)) END"""
# The same for a pair that is in the queue already; one that was found broken stays hidden.
LANE_OF_PAIR = f"""CASE WHEN EXISTS (
        SELECT FROM labeling_slot aside WHERE aside.queue_id = %(queue)s AND aside.pair_id = slot.pair_id
          AND aside.lane = '{HIDDEN}' AND aside.state = 'open')
    THEN '{HIDDEN}' ELSE (
        SELECT {LANE_OF_ITEM} FROM labeling_pair pair JOIN labeling_item item ON item.id = pair.item_id
        WHERE pair.id = slot.pair_id) END"""  # noqa: S608 (constants of this module)


@transaction.atomic
def create_queue(*, project: Project, by: User | None, name: str, **rules: Any) -> Queue:
    """A new queue, filled with every pair of the project that its filters take."""
    _check_rules(rules)
    # An import locks the project for each chunk: either it is in before the queue is filled, or it knows the queue.
    Project.objects.select_for_update(no_key=True).get(pk=project.pk)
    _check_name(project.queues.all(), name)
    queue = Queue.objects.create(project=project, name=name, **rules)
    add_slots(queue=queue)
    record(by, "queue.created", queue, project_id=project.pk, name=name, **_plain(rules))
    return queue


@transaction.atomic
def change_queue(*, queue: Queue, by: User | None, **changes: Any) -> Queue:
    """Change name, overlap, lease time or pause. A new overlap adds slots, or takes away open ones, at once."""
    _check_rules(changes)
    unknown = set(changes) - CHANGEABLE
    if unknown:
        said = _("A queue’s filters stay as they are: make another queue.")
        raise Refused("unchangeable", said, dict.fromkeys(unknown, "fixed"))
    queue = Queue.objects.select_for_update(of=("self",), no_key=True).select_related("project").get(pk=queue.pk)
    if "name" in changes:
        _check_name(Queue.objects.filter(project=queue.project_id).exclude(pk=queue.pk), changes["name"])
    before = {name: getattr(queue, name) for name in changes}
    for name, value in changes.items():
        setattr(queue, name, value)
    queue.save(update_fields=list(changes))
    if before.get("overlap", queue.overlap) != queue.overlap:
        _match_overlap(queue)
    record(by, "queue.changed", queue, project_id=queue.project_id, before=before, after=_plain(changes))
    return queue


_ALL_PAIRS = {
    "source": "labeling_pair pair JOIN labeling_item item ON item.id = pair.item_id",
    # a lesson is no work; a pair that an import has just brought cannot be one
    "is_new": """NOT EXISTS (SELECT FROM labeling_slot s WHERE s.queue_id = %(queue)s AND s.pair_id = pair.id)
        AND NOT EXISTS (SELECT FROM labeling_lesson l WHERE l.pair_id = pair.id)""",
}
# Some pairs: a look-up for each, spelt so that the planner has no choice. Its statistics know nothing of what an import
# has just brought, and it would read the whole project, or the whole queue, once for every chunk.
_GIVEN_PAIRS = {
    "source": """unnest(%(pairs)s::bigint[]) AS given(id)
        CROSS JOIN LATERAL (SELECT id, item_id, project_id FROM labeling_pair p WHERE p.id = given.id OFFSET 0) AS pair
        CROSS JOIN LATERAL (SELECT language, tags FROM labeling_item i WHERE i.id = pair.item_id OFFSET 0) AS item""",
    "is_new": """coalesce((SELECT false FROM labeling_slot s WHERE s.queue_id = %(queue)s AND s.pair_id = pair.id
        LIMIT 1), true)""",
}
# A chunk of an import: no queue can have them yet.
_FRESH_PAIRS = _GIVEN_PAIRS | {"is_new": "true"}


def add_slots(*, queue: Queue, pair_ids: Sequence[int] | None = None, fresh: bool = False) -> int:
    """Give the queue's slots to pairs that its filters take and that it does not have: all, or those of `pair_ids`,
    which are `fresh` if this transaction has made them.

    Must run in a transaction; locks the queue's row until it ends. The new pairs come after all others, in
    random order. Sides alternate over the slots of a pair, and over each two neighbours in a lane one starts either
    way, by a coin: so also a rater who works through the queue sees both orders alike. A pair that was found broken in
    another queue is hidden here too. Returns how many pairs were added.
    """
    seed = secrets.randbits(62)
    which = _ALL_PAIRS if pair_ids is None else _FRESH_PAIRS if fresh else _GIVEN_PAIRS
    with connection.cursor() as cursor:
        cursor.execute("SELECT overlap, last_rank FROM labeling_queue WHERE id = %s FOR NO KEY UPDATE", [queue.pk])
        overlap, last_rank = cursor.fetchone()
        cursor.execute(
            """
            WITH fresh AS (
                SELECT pair.id, row_number() OVER (ORDER BY random()) AS place,
                       CASE WHEN pair.id = ANY(%(hidden)s) THEN %(aside)s ELSE {lane} END AS lane
                FROM {source}
                WHERE pair.project_id = %(project)s
                  AND (%(languages)s = '{{}}'::text[] OR item.language = ANY(%(languages)s))
                  AND (%(tags)s = '{{}}'::text[] OR item.tags && %(tags)s::varchar[])
                  AND {is_new}
            ), placed AS (
                SELECT id, lane, place, row_number() OVER (PARTITION BY lane ORDER BY place) AS turn FROM fresh
            ), shown AS (
                SELECT id, lane, place, (turn %% 2 = 0) <> (hashint8((turn - 1) / 2 # %(seed)s) %% 2 = 0) AS start
                FROM placed
            ), made AS (
                INSERT INTO labeling_slot (project_id, queue_id, pair_id, number, lane, rank, swapped, state)
                SELECT %(project)s, %(queue)s, id, number, lane, %(rank)s + place, start <> (number %% 2 = 0), 'open'
                FROM shown CROSS JOIN generate_series(1, %(overlap)s) AS number
            )
            UPDATE labeling_queue SET pair_count = pair_count + added.n, last_rank = last_rank + added.n,
                   lanes = ARRAY(SELECT unnest(labeling_queue.lanes) UNION SELECT unnest(added.lanes))
            FROM (SELECT count(*) AS n, array_agg(DISTINCT lane) FILTER (WHERE lane NOT IN ('', %(aside)s)) AS lanes
                  FROM fresh) AS added
            WHERE labeling_queue.id = %(queue)s RETURNING added.n
            """.format(lane=LANE_OF_ITEM, **which),  # noqa: S608 (ours)
            {
                "project": queue.project_id,
                "queue": queue.pk,
                "pairs": list(pair_ids) if pair_ids is not None else None,
                "hidden": _hidden(queue.project_id) if pair_ids is None else [],
                "aside": HIDDEN,
                "languages": queue.languages,
                "tags": queue.tags,
                "rank": last_rank,
                "overlap": overlap,
                "seed": seed,
            },
        )
        return int(cursor.fetchone()[0])


def return_slots(*, queue: Queue, slot_ids: Sequence[int]) -> None:
    """Put leased slots back at the end of their lane, or take them away where the overlap has shrunk meanwhile.

    The lane is found anew: topics may have come and gone since, and what was found broken stays hidden. Must run in a
    transaction whose caller has ended the slots' assignments; locks the queue's row.
    """
    with connection.cursor() as cursor:
        cursor.execute(
            "UPDATE labeling_queue SET last_rank = last_rank + %s WHERE id = %s RETURNING last_rank, overlap",
            [len(slot_ids), queue.pk],
        )
        last_rank, overlap = cursor.fetchone()
        cursor.execute(
            f"""
            UPDATE labeling_slot AS slot SET state = 'open', rank = %(rank)s - back.place + 1, lane = {LANE_OF_PAIR}
            FROM unnest(%(slots)s::bigint[]) WITH ORDINALITY AS back(id, place)
            WHERE slot.id = back.id AND slot.state = 'leased' RETURNING slot.pair_id
            """,  # noqa: S608 (constants of this module)
            {"rank": last_rank, "slots": list(slot_ids), "queue": queue.pk, "project": queue.project_id},
        )
        pairs = [row[0] for row in cursor.fetchall()]
        _remove_surplus(cursor, queue.pk, overlap, pairs)


def take_out(*, pair: Pair) -> None:
    """Take a pair's open slots out of every queue: it is no work any more. What was judged stays.

    Must run in a transaction; locks the queues' rows. Refused("held_now") while a rater holds the pair.
    """
    queues = list(Queue.objects.select_for_update(no_key=True).filter(project=pair.project_id).order_by("pk"))
    slots = Slot.objects.filter(queue__in=queues, pair=pair)
    had = set(slots.values_list("queue", flat=True))
    # A claim skips locked slots, so nothing open can be leased between this and the look at what is leased.
    slots.filter(state=Slot.State.OPEN).delete()
    if slots.filter(state=Slot.State.LEASED).exists():
        raise Refused("held_now", _("A rater has this pair open just now. Take another, or try again in a while."))
    Queue.objects.filter(pk__in=had - set(slots.values_list("queue", flat=True))).update(pair_count=F("pair_count") - 1)


def put_back(*, pair: Pair) -> None:
    """Give a pair that was taken out its slots again, in every queue that takes it. Must run in a transaction."""
    for queue in Queue.objects.select_for_update(no_key=True).filter(project=pair.project_id).order_by("pk"):
        add_slots(queue=queue, pair_ids=[pair.pk])
        queue.refresh_from_db(fields=["last_rank"])
        _match_overlap(queue)


def _match_overlap(queue: Queue) -> None:
    """Slots a pair = overlap, as far as what is leased or done allows."""
    with connection.cursor() as cursor:
        # A claim skips locked slots, so nothing open can be leased while the surplus is counted.
        cursor.execute("SELECT id FROM labeling_slot WHERE queue_id = %s AND state = 'open' FOR UPDATE", [queue.pk])
        cursor.execute(
            f"""
            WITH short AS (
                SELECT pair_id, max(number) AS last, count(*) AS has, bool_or(swapped AND number = 1) AS first_swapped,
                       row_number() OVER (ORDER BY random()) AS place
                FROM labeling_slot WHERE queue_id = %(queue)s
                  AND NOT EXISTS (SELECT FROM labeling_lesson l WHERE l.pair_id = labeling_slot.pair_id)
                GROUP BY pair_id HAVING count(*) < %(overlap)s
            ), made AS (
                INSERT INTO labeling_slot (project_id, queue_id, pair_id, number, lane, rank, swapped, state)
                SELECT %(project)s, %(queue)s, pair_id, last + extra, {LANE_OF_PAIR}, %(rank)s + place,
                       first_swapped <> ((last + extra) %% 2 = 0), 'open'
                FROM short AS slot CROSS JOIN LATERAL generate_series(1, %(overlap)s - has) AS extra
            )
            UPDATE labeling_queue SET last_rank = last_rank + (SELECT count(*) FROM short) WHERE id = %(queue)s
            """,  # noqa: S608 (constants of this module)
            {"queue": queue.pk, "project": queue.project_id, "overlap": queue.overlap, "rank": queue.last_rank},
        )
        _remove_surplus(cursor, queue.pk, queue.overlap, None)


def _remove_surplus(cursor: Any, queue_id: int, overlap: int, pair_ids: list[int] | None) -> None:
    """Delete open slots above the overlap, of all pairs or of `pair_ids`; what is done or leased counts first."""
    cursor.execute(
        """
        DELETE FROM labeling_slot WHERE state = 'open' AND id IN (
            SELECT id FROM (
                SELECT id, row_number() OVER (
                    PARTITION BY pair_id ORDER BY array_position(ARRAY['done', 'leased', 'open'], state::text), number
                ) AS place
                FROM labeling_slot
                WHERE queue_id = %(queue)s AND (%(pairs)s::bigint[] IS NULL OR pair_id = ANY(%(pairs)s))
            ) AS placed WHERE place > %(overlap)s
        )
        """,
        {"queue": queue_id, "overlap": overlap, "pairs": pair_ids},
    )


def _hidden(project_id: int) -> list[int]:
    """Pairs that were found broken; few, and found by the index of open slots."""
    queues = Queue.objects.filter(project=project_id)
    return list(
        Slot.objects.filter(queue__in=queues, lane=HIDDEN, state=Slot.State.OPEN).values_list("pair", flat=True)
    )


def _check_rules(rules: dict[str, Any]) -> None:
    errors = {}
    if not 1 <= rules.get("overlap", 1) <= MOST_OVERLAP:
        errors["overlap"] = _("Raters a pair: from 1 to %(most)s.") % {"most": MOST_OVERLAP}
    if not SHORTEST_LEASE <= rules.get("lease_seconds", SHORTEST_LEASE) <= LONGEST_LEASE:
        said = _("Lease time is from %(least)s to %(most)s seconds.")
        errors["lease_seconds"] = said % {"least": SHORTEST_LEASE, "most": LONGEST_LEASE}
    if errors:
        raise Refused("invalid", " ".join(errors.values()), errors)


def _check_name(others: QuerySet[Queue], name: str) -> None:
    if others.filter(name=name).exists():
        said = _("This project already has a queue named “%(name)s”. Choose another name.")
        raise Refused("name_taken", said % {"name": name}, {"name": "taken"})


def _plain(rules: dict[str, Any]) -> dict[str, Any]:
    return {name: list(value) if isinstance(value, tuple) else value for name, value in rules.items()}
