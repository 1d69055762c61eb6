"""Moves open slots between lanes: when topics come and go, and when a pair is found broken. labeling/models/queues.py
says what a lane is.

A slot that changes its lane gets a new rank from its queue's counter: raters may have passed the old one in the lane
that it comes to. Locks as labeling/actions/queues.py lists them: the project or the pair, then queues in order, then
slots. Leased slots are left alone, they find their lane when they come back; so nobody here waits for a rater.
"""

from __future__ import annotations

from typing import Any

from django.db import connection, transaction
from django.utils.translation import gettext as _

from labeling.actions.gold_pairs import retire_gold
from labeling.actions.lane_of import LANE_OF_ITEM
from labeling.actions.matching import match
from labeling.actions.refusals import Refused
from labeling.audit import record
from labeling.models import Assignment, GoldPair, Pair, Queue, Slot, User, Withdrawal
from labeling.models.queues import GOLD, HIDDEN
from labeling.reports.entry import sensitive

TWICE = 2  # so many skips as broken take a pair out of rotation, and as many more after it was put back

# All slots tell which lanes there are: one that is leased, or done, may yet bring its pair back.
_RELANE = f"""
WITH touched AS (
    SELECT slot.id, slot.rank, slot.lane AS was, slot.state, now_in.lane
    FROM labeling_slot slot JOIN labeling_pair pair ON pair.id = slot.pair_id
    JOIN labeling_item item ON item.id = pair.item_id
    CROSS JOIN LATERAL (SELECT {LANE_OF_ITEM} AS lane) AS now_in
    WHERE slot.queue_id = %(queue)s AND {{which}}
), placed AS (
    SELECT id, lane, %(rank)s + dense_rank() OVER (ORDER BY rank) AS rank FROM touched
    WHERE state = 'open' AND was <> lane
), moved AS (
    UPDATE labeling_slot slot SET lane = placed.lane, rank = placed.rank
    FROM placed WHERE slot.id = placed.id AND slot.state = 'open' RETURNING slot.id
)
SELECT (SELECT count(*) FROM moved), coalesce((SELECT max(rank) FROM placed), %(rank)s),
       ARRAY(SELECT DISTINCT lane FROM touched WHERE lane <> '')
"""  # noqa: S608 (constants of this module)
_TAGGED = _RELANE.format(which=f"slot.lane NOT IN ('{HIDDEN}', '{GOLD}') AND item.tags && %(tags)s::varchar[]")
_OF_PAIR = _RELANE.format(which=f"slot.lane = '{HIDDEN}' AND slot.pair_id = %(pair)s")


def relane(*, project_id: int, keys: list[str]) -> int:
    """Put the project's open slots into the lanes of today's topics, after `keys` came or went. Returns how many moved.

    Must run in a transaction that holds the project's row, so that no import adds slots by the old topics. Pairs with
    known answers that are sensitive now are ordinary work again: nobody could choose them before seeing them.
    """
    for gold in GoldPair.objects.filter(project=project_id, retired_at=None, pair__item__tags__overlap=keys):
        if Pair.objects.filter(sensitive("item"), pk=gold.pair_id).exists():
            retire_gold(gold=gold, by=None, why=_("Of a sensitive topic"))
    return sum(_relane(queue, _TAGGED, tags=keys) for queue in _locked_queues(project_id))


def lock_rotation(*, pair: Pair) -> None:
    """Lock what hiding the pair needs, before anything else of its queues is locked.

    The pair's row makes two skips at once follow each other: the second counts both.
    """
    Pair.objects.select_for_update(no_key=True).get(pk=pair.pk)
    _known(pair)
    _locked_queues(pair.project_id)


def hide_if_broken(*, pair: Pair) -> bool:
    """Take a pair that was skipped as broken twice out of rotation, in every queue. Runs in the skip's transaction."""
    broken = Assignment.objects.filter(
        project=pair.project_id, pair=pair, state=Assignment.State.SKIPPED, skip_reason=Assignment.SkipReason.BROKEN
    ).count()
    if broken % TWICE:
        return False
    hide(pair=pair)
    record(None, "pair.hidden", pair, project_id=pair.project_id, skips=broken)
    return True


def hide(*, pair: Pair) -> None:
    """Take a pair out of rotation, in every queue. A known answer of it is asked no more."""
    if gold := _known(pair):
        retire_gold(gold=gold, by=None, why=_("Out of rotation"))
    queues = _locked_queues(pair.project_id)
    Slot.objects.filter(queue__in=queues, pair=pair, state=Slot.State.OPEN).update(lane=HIDDEN)


@transaction.atomic
def bring_back(*, pair: Pair, by: User) -> int:
    """Give a hidden pair to raters again, at the end of its lane. Returns how many slots; refused when none is."""
    if Withdrawal.objects.filter(item=pair.item_id, lifted_at=None).exists():
        raise Refused("withdrawn", _("This item was withdrawn, so nobody is given it."))
    queues = _locked_queues(pair.project_id)
    moved = sum(_relane(queue, _OF_PAIR, pair=pair.pk) for queue in queues)
    for queue in queues:  # what was wanted may have changed while it lay aside
        match(queue=queue, pair_ids=[pair.pk])
    if not moved:
        raise Refused("not_hidden", _("This pair is in rotation already."))
    record(by, "pair.put_back", pair, project_id=pair.project_id)
    return moved


def _known(pair: Pair) -> GoldPair | None:
    """The pair's known answers if they are mixed into the work, locked: that comes before queues."""
    return GoldPair.objects.select_for_update(no_key=True).filter(pair=pair, retired_at=None).first()


def _locked_queues(project_id: int) -> list[Queue]:
    return list(Queue.objects.select_for_update(no_key=True).filter(project=project_id).order_by("pk"))


def _relane(queue: Queue, statement: str, **which: Any) -> int:
    facts = {"project": queue.project_id, "queue": queue.pk, "rank": queue.last_rank} | which
    with connection.cursor() as cursor:
        cursor.execute(statement, facts)
        moved, queue.last_rank, lanes = cursor.fetchone()
    queue.lanes = sorted({*queue.lanes, *lanes})
    queue.save(update_fields=["last_rank", "lanes"])
    return int(moved)
