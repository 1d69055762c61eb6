"""What managers do to queues. Slots are made here and in labeling/actions/matching.py, and nowhere else;
labeling/actions/lanes.py moves them.

Locks, in this order everywhere: the project's row, assignments, a gold pair, the rater's participation, the queue's
row, slots. The queue's row is locked FOR NO KEY UPDATE: a claim, which holds a slot, refers to the queue by a foreign
key and must not wait for it. Ranks are only drawn with the queue's row locked, so they become visible in their own
order; labeling/models/queues.py says why that matters.
"""

from __future__ import annotations

import secrets
from collections.abc import Sequence
from typing import Any

from django.db import connection, transaction
from django.db.models import F, QuerySet
from django.utils import timezone
from django.utils.translation import gettext as _

from labeling.actions.fitting import (
    CHOSEN,
    COMES_IN,
    PLACES,
    drop_unconnected,
    put_first_what_goes_first,
    rank_anew,
)
from labeling.actions.gold_lane import IS_NO_WORK, fill_gold_lane
from labeling.actions.lane_of import LANE_OF_ITEM, LANE_OF_PAIR
from labeling.actions.matching import match
from labeling.actions.queue_rules import CHANGEABLE, FILTERS, check_rules
from labeling.actions.refusals import Refused
from labeling.actions.settle import settle_by_new_rules
from labeling.actions.wanted import RULES, decided, wanted
from labeling.audit import record
from labeling.models import Criterion, Pair, Project, Queue, Slot, User
from labeling.models.queues import GOLD, HIDDEN


@transaction.atomic
def create_queue(*, project: Project, by: User | None, name: str, **rules: Any) -> Queue:
    """A new queue, filled with every pair of the project that its filters take."""
    check_rules(project, rules)
    # An import locks the project for each chunk: either it is in before the queue is filled, or it knows the queue.
    Project.objects.select_for_update(no_key=True).get(pk=project.pk)
    _check_name(project.queues.all(), name)
    queue = Queue.objects.create(project=project, name=name, **rules)
    add_slots(queue=queue)
    if queue.gold_percent:
        fill_gold_lane(queue=queue)
    record(by, "queue.created", queue, project_id=project.pk, name=name, **_plain(rules))
    return queue


@transaction.atomic
def change_queue(*, queue: Queue, by: User | None, **changes: Any) -> Queue:
    """Change any of a queue's rules. Its slots follow at once: what is open comes, goes or moves by the new rules,
    what is leased or done stays."""
    if unknown := set(changes) - CHANGEABLE:
        raise Refused("unchangeable", _("This is no rule of a queue."), dict.fromkeys(unknown, "unknown"))
    queue = Queue.objects.select_for_update(of=("self",), no_key=True).select_related("project").get(pk=queue.pk)
    check_rules(queue.project, changes, now=queue)
    if "name" in changes:
        _check_name(Queue.objects.filter(project=queue.project_id).exclude(pk=queue.pk), changes["name"])
    before = {name: getattr(queue, name) for name in changes}
    for name, value in changes.items():
        setattr(queue, name, value)
    queue.save(update_fields=list(changes))
    _follow(queue, {name for name in changes if before[name] != changes[name]})
    record(by, "queue.changed", queue, project_id=queue.project_id, before=_plain(before), after=_plain(changes))
    return queue


@transaction.atomic
def pause_queues(*, project: Project, by: User | None, paused: bool) -> int:
    """Pause all queues of a project, or let them all run again. Returns how many changed."""
    queues = list(Queue.objects.filter(project=project, closed_at=None).exclude(paused=paused).order_by("pk"))
    for queue in queues:
        change_queue(queue=queue, by=by, paused=paused)
    return len(queues)


@transaction.atomic
def close_queue(*, queue: Queue, by: User | None) -> Queue:
    """Give out no pair any more. Who holds one may finish it; closing again changes nothing."""
    if Queue.objects.filter(pk=queue.pk, closed_at=None).update(closed_at=timezone.now()):
        record(by, "queue.closed", queue, project_id=queue.project_id, name=queue.name)
    queue.refresh_from_db(fields=["closed_at"])
    return queue


@transaction.atomic
def reopen_queue(*, queue: Queue, by: User | None) -> Queue:
    """Go on where it stopped, with what was imported meanwhile."""
    if Queue.objects.filter(pk=queue.pk, closed_at__isnull=False).update(closed_at=None):
        record(by, "queue.reopened", queue, project_id=queue.project_id, name=queue.name)
    queue.refresh_from_db(fields=["closed_at"])
    return queue


def order_after_import(*, project: Project) -> None:
    """When an import is in: queues that go by priority take its items where they belong. Runs in a transaction."""
    queues = Queue.objects.select_for_update(no_key=True).filter(project=project, order=Queue.Order.PRIORITY)
    for queue in queues.order_by("pk"):
        put_first_what_goes_first(queue=queue)


def _follow(queue: Queue, changed: set[str]) -> None:
    """What follows from the rules that changed, in the transaction that changed them and holds the queue's row."""
    if "pairing" in changed and queue.pairing == Queue.Pairing.INFORMATIVE:
        drop_unconnected(queue=queue)
    if changed & FILTERS:
        add_slots(queue=queue)
    if changed & RULES:
        settle_by_new_rules(queue=queue)
    elif changed & FILTERS:
        match(queue=queue)
    if "order" in changed or (changed & FILTERS and queue.order != Queue.Order.RANDOM):
        rank_anew(queue=queue)
    if "gold_percent" in changed:
        fill_gold_lane(queue=queue)
    if changed & (FILTERS | RULES):
        queue.refresh_from_db(fields=["last_rank", "pair_count", "lanes"])


_ALL_PAIRS = {
    "source": "labeling_pair pair JOIN labeling_item item ON item.id = pair.item_id",
    # a lesson is no work, nor is a pair with known answers or a decided one; what an import has just brought is
    # none of these
    "is_new": f"""NOT EXISTS (SELECT FROM labeling_slot s
            WHERE s.queue_id = %(queue)s AND s.pair_id = pair.id AND s.lane <> '{GOLD}')
        AND NOT EXISTS (SELECT FROM labeling_lesson l WHERE l.pair_id = pair.id)
        AND NOT {IS_NO_WORK % "pair.id"} AND NOT {decided("pair.id")}""",  # noqa: S608 (constants)
}
# Some pairs: a look-up for each, spelt so that the planner has no choice. Its statistics know nothing of what an import
# has just brought, and it would read the whole project, or the whole queue, once for every chunk.
_GIVEN_PAIRS = {
    "source": """unnest(%(pairs)s::bigint[]) AS given(id)
        CROSS JOIN LATERAL (SELECT id, item_id, project_id, first_id, second_id FROM labeling_pair p
                            WHERE p.id = given.id OFFSET 0) AS pair
        CROSS JOIN LATERAL (SELECT language, tags, batch_id, metadata, priority FROM labeling_item i
                            WHERE i.id = pair.item_id OFFSET 0) AS item""",
    "is_new": f"""coalesce((SELECT false FROM labeling_slot s WHERE s.queue_id = %(queue)s AND s.pair_id = pair.id
        AND s.lane <> '{GOLD}' LIMIT 1), true)""",  # noqa: S608 (a constant)
}
# A chunk of an import: no queue can have them yet.
_FRESH_PAIRS = _GIVEN_PAIRS | {"is_new": "true"}


def add_slots(*, queue: Queue, pair_ids: Sequence[int] | None = None, chosen: bool = False, fresh: bool = False) -> int:
    """Give the queue's slots to pairs that its filters take and that it does not have: all, or those of `pair_ids`,
    which are `fresh` if this transaction has made them.

    Must run in a transaction; locks the queue's row until it ends, and goes by the rules that stand there. `chosen`
    pairs come in whichever of an item's pairs the queue begins with. The new ones come after all others, in the
    queue's order. Sides alternate over the slots of a pair, and over each two neighbours in a lane one starts either
    way, by a coin: so also a rater who works through the queue sees both orders alike. A pair that was found broken in
    another queue is hidden here too. Returns how many pairs were added.
    """
    seed = secrets.randbits(62)
    source = _ALL_PAIRS if pair_ids is None else _FRESH_PAIRS if fresh else _GIVEN_PAIRS
    with connection.cursor() as cursor:
        cursor.execute('SELECT last_rank, "order" FROM labeling_queue WHERE id = %s FOR NO KEY UPDATE', [queue.pk])
        last_rank, order = cursor.fetchone()
        comes_in = CHOSEN if chosen else COMES_IN
        cursor.execute(
            """
            WITH fresh AS (
                SELECT pair.id, row_number() OVER (ORDER BY {order}) AS place,
                       CASE WHEN pair.id = ANY(%(hidden)s) THEN %(aside)s ELSE {lane} END AS lane
                FROM labeling_queue queue CROSS JOIN {source}
                WHERE queue.id = %(queue)s AND pair.project_id = %(project)s AND {fits} AND {is_new}
            ), placed AS (
                SELECT id, lane, place, row_number() OVER (PARTITION BY lane ORDER BY place) AS turn FROM fresh
            ), shown AS (
                SELECT id, lane, place, (turn %% 2 = 0) <> (hashint8((turn - 1) / 2 # %(seed)s) %% 2 = 0) AS start
                FROM placed
            ), made AS (
                INSERT INTO labeling_slot (project_id, queue_id, pair_id, number, lane, rank, swapped, state)
                SELECT %(project)s, %(queue)s, shown.id, number, lane, %(rank)s + place, start <> (number %% 2 = 0),
                       'open'
                FROM shown JOIN labeling_queue queue ON queue.id = %(queue)s
                CROSS JOIN LATERAL generate_series(1, {wanted}) AS number
            )
            UPDATE labeling_queue SET pair_count = pair_count + added.n, last_rank = last_rank + added.n,
                   lanes = ARRAY(SELECT unnest(labeling_queue.lanes) UNION SELECT unnest(added.lanes))
            FROM (SELECT count(*) AS n, array_agg(DISTINCT lane) FILTER (WHERE lane NOT IN ('', %(aside)s)) AS lanes
                  FROM fresh) AS added
            WHERE labeling_queue.id = %(queue)s RETURNING added.n
            """.format(  # noqa: S608 (ours)
                lane=LANE_OF_ITEM, wanted=wanted("shown.id"), order=PLACES[order], fits=comes_in, **source
            ),
            {
                "project": queue.project_id,
                "queue": queue.pk,
                "pairs": list(pair_ids) if pair_ids is not None else None,
                "hidden": _hidden(queue.project_id) if pair_ids is None else [],
                "aside": HIDDEN,
                "rank": last_rank,
                "seed": seed,
            },
        )
        return int(cursor.fetchone()[0])


def return_slots(*, queue: Queue, slot_ids: Sequence[int]) -> None:
    """Put leased slots back at the end of their lane, or take them away where fewer are wanted meanwhile.

    The lane is found anew: topics may have come and gone since, and what was found broken stays hidden. Must run in a
    transaction whose caller has ended the slots' assignments; locks the queue's row.
    """
    with connection.cursor() as cursor:
        cursor.execute(
            "UPDATE labeling_queue SET last_rank = last_rank + %s WHERE id = %s RETURNING last_rank",
            [len(slot_ids), queue.pk],
        )
        [last_rank] = cursor.fetchone()
        cursor.execute(
            f"""
            UPDATE labeling_slot AS slot SET state = 'open', rank = %(rank)s - back.place + 1,
                   lane = CASE WHEN slot.lane = '{GOLD}' THEN slot.lane ELSE {LANE_OF_PAIR} END
            FROM unnest(%(slots)s::bigint[]) WITH ORDINALITY AS back(id, place)
            WHERE slot.id = back.id AND slot.state = 'leased' RETURNING slot.pair_id
            """,  # noqa: S608 (constants of this module)
            {"rank": last_rank, "slots": list(slot_ids), "queue": queue.pk, "project": queue.project_id},
        )
        pairs = [row[0] for row in cursor.fetchall()]
    match(queue=queue, pair_ids=pairs)


def take_out(*, pair: Pair) -> None:
    """Take a pair's open slots out of every queue: it is no work any more. What was judged stays.

    Must run in a transaction; locks the queues' rows. Refused("held_now") while a rater holds the pair.
    """
    queues = Queue.objects.select_for_update(no_key=True).filter(project=pair.project_id).order_by("pk")
    for queue in queues:
        slots = Slot.objects.filter(queue=queue, pair=pair).exclude(lane=GOLD)
        # A claim skips locked slots, so nothing open can be leased between this and the look at what is leased.
        gone, _by_model = slots.filter(state=Slot.State.OPEN).delete()
        left = set(slots.values_list("state", flat=True))
        if Slot.State.LEASED in left:
            raise Refused("held_now", _("A rater has this pair open just now. Take another, or try again in a while."))
        if gone and not left:
            Queue.objects.filter(pk=queue.pk).update(pair_count=F("pair_count") - 1)


def put_back(*, pair: Pair) -> None:
    """Give a pair that was taken out its slots again, in every queue that takes it. Must run in a transaction."""
    for queue in Queue.objects.select_for_update(no_key=True).filter(project=pair.project_id).order_by("pk"):
        add_slots(queue=queue, pair_ids=[pair.pk])
        match(queue=queue, pair_ids=[pair.pk])


def _hidden(project_id: int) -> list[int]:
    """Pairs that were found broken; few, and found by the index of open slots."""
    queues = Queue.objects.filter(project=project_id)
    return list(
        Slot.objects.filter(queue__in=queues, lane=HIDDEN, state=Slot.State.OPEN).values_list("pair", flat=True)
    )


def _check_name(others: QuerySet[Queue], name: str) -> None:
    if others.filter(name=name).exists():
        said = _("This project already has a queue named “%(name)s”. Choose another name.")
        raise Refused("name_taken", said % {"name": name}, {"name": "taken"})


def _plain(rules: dict[str, Any]) -> dict[str, Any]:
    return {name: _plain_value(value) for name, value in rules.items()}


def _plain_value(value: Any) -> Any:
    if isinstance(value, Criterion):
        return value.key
    return list(value) if isinstance(value, tuple) else value
