"""Who may work on a queue, and which of its pairs are for them, as SQL: for the claim, the home page, the doors.

Each condition is written over a row of `labeling_queue` and the parameter `rater`. A claim takes only those that the
queue has switched on (`rules_of`); whoever has to explain a refusal asks for the first that does not hold (`why_not`).
"""

from __future__ import annotations

from enum import StrEnum

from django.db import connection
from django.db.models import BooleanField, CharField
from django.db.models.expressions import RawSQL

from labeling.models import Queue, User


class Why(StrEnum):
    """Why a queue gives a rater no pair, in the order in which they are told. The values are codes of the API."""

    CLOSED = "queue_closed"
    NOT_NAMED = "not_named"
    ROLE = "role_missing"
    LANGUAGE = "language_missing"
    NOT_QUALIFIED = "not_qualified"
    RELIABILITY = "not_reliable_enough"
    PAUSED = "rater_paused"
    QUOTA = "quota_reached"

    @property
    def for_others(self) -> bool:
        """Whether the queue is simply not for this person, so that they need not hear of it."""
        return self not in (Why.PAUSED, Why.QUOTA)


# A language without script or region stands for all of its kinds, as in `reads` of labeling/reports/home.py.
_SAME = """(lower({a}) = lower({b}) OR starts_with(lower({a}), lower({b}) || '-')
            OR starts_with(lower({b}), lower({a}) || '-'))"""
NOT_PAUSED = """NOT EXISTS (SELECT FROM labeling_participation me WHERE me.project_id = labeling_queue.project_id
    AND me.user_id = %(rater)s AND me.paused_at IS NOT NULL)"""
_NAMED = "%(rater)s = ANY(labeling_queue.raters)"
_ROLE = """EXISTS (SELECT FROM labeling_membership also WHERE also.project_id = labeling_queue.project_id
    AND also.user_id = %(rater)s AND also.role = labeling_queue.role)"""
_SPEAKS = f"""EXISTS (SELECT FROM labeling_raterprofile profile, unnest(profile.languages) AS known(tag)
    WHERE profile.user_id = %(rater)s AND (labeling_queue.languages = '{{}}' OR EXISTS (
        SELECT FROM unnest(labeling_queue.languages) AS wanted(tag)
        WHERE {_SAME.format(a="known.tag", b="wanted.tag")})))"""  # noqa: S608 (constants of this module)
_QUALIFIED = """EXISTS (SELECT FROM labeling_participation me WHERE me.project_id = labeling_queue.project_id
    AND me.user_id = %(rater)s AND me.qualified_at IS NOT NULL)"""
_RELIABLE = """EXISTS (SELECT FROM labeling_raterstanding standing
    WHERE standing.project_id = labeling_queue.project_id AND standing.rater_id = %(rater)s
      AND standing.low >= labeling_queue.least_reliability
      AND standing.criterion_id = coalesce(labeling_queue.criterion_id, (
          SELECT id FROM labeling_criterion WHERE project_id = labeling_queue.project_id AND kind = 'preference'
          ORDER BY position, id LIMIT 1)))"""
# What was answered today (UTC) and what is open: a range of the rater's own index, as long as the day's work.
_GIVEN_TODAY = """(SELECT count(*) FROM labeling_assignment today WHERE today.rater_id = %(rater)s
        AND today.project_id = labeling_queue.project_id AND today.queue_id = labeling_queue.id
        AND today.state = 'submitted' AND today.ended_at >= date_trunc('day', now(), 'UTC'))
    + (SELECT count(*) FROM labeling_assignment held
       WHERE held.queue_id = labeling_queue.id AND held.rater_id = %(rater)s AND held.state = 'open')"""
_WITHIN_QUOTA = f"{_GIVEN_TODAY} < labeling_queue.daily_pairs"

# In the order of `Why`: what switches a rule on, for a row and for a queue at hand, and what it asks.
_RULES = (
    (Why.NOT_NAMED, "labeling_queue.raters <> '{}'", "raters", _NAMED),
    (Why.ROLE, "labeling_queue.role <> ''", "role", _ROLE),
    (Why.LANGUAGE, "labeling_queue.speaks", "speaks", _SPEAKS),
    (Why.NOT_QUALIFIED, "labeling_queue.qualified", "qualified", _QUALIFIED),
    (Why.RELIABILITY, "labeling_queue.least_reliability IS NOT NULL", "least_reliability", _RELIABLE),
    (Why.QUOTA, "labeling_queue.daily_pairs > 0", "daily_pairs", _WITHIN_QUOTA),
)
_REFUSALS = [f"WHEN {is_on} AND NOT ({asks}) THEN '{why}'" for why, is_on, _name, asks in _RULES]
_WHY_NOT = f"""CASE WHEN labeling_queue.closed_at IS NOT NULL THEN '{Why.CLOSED}'
    {" ".join(_REFUSALS[:-1])} WHEN NOT ({NOT_PAUSED}) THEN '{Why.PAUSED}' {_REFUSALS[-1]} ELSE '' END"""

# Of a slot `s`: whether this rater had its pair (a scalar subquery on purpose: as an anti-join the planner may read the
# rater's whole history), whether they wrote its item (looked up only for who wrote any), and whether they read it.
NOT_HAD = """coalesce((SELECT false FROM labeling_assignment a WHERE a.pair_id = s.pair_id AND a.rater_id = %(rater)s
                    AND a.state IN ('open', 'submitted', 'skipped')
                    AND a.repeats_id IS NULL), true)"""
NOT_WRITTEN = """NOT ((SELECT EXISTS (SELECT FROM labeling_item wrote WHERE wrote.author_id = %(rater)s))
    AND (SELECT item.author_id IS NOT DISTINCT FROM %(rater)s FROM labeling_pair pair
         JOIN labeling_item item ON item.id = pair.item_id WHERE pair.id = s.pair_id))"""
READS = f"""(SELECT item.language = '' OR EXISTS (
        SELECT FROM unnest((SELECT languages FROM labeling_raterprofile WHERE user_id = %(rater)s)) AS known(tag)
        WHERE {_SAME.format(a="known.tag", b="item.language")})
    FROM labeling_pair pair JOIN labeling_item item ON item.id = pair.item_id
    WHERE pair.id = s.pair_id)"""  # noqa: S608 (constants of this module)

# Whether an open pair is ahead of the rater, in the everyday lane or in one whose every topic they chose: for each lane
# one range of the claim's own index. What caps and breaks hold back for today is waiting all the same.
WAITING = f"""EXISTS (
    SELECT FROM unnest(array_prepend(''::varchar, labeling_queue.lanes)) AS ahead(lane)
    WHERE (ahead.lane = '' OR string_to_array(ahead.lane, ' ') <@ (
        SELECT topics::text[] FROM labeling_participation me
        WHERE me.project_id = labeling_queue.project_id AND me.user_id = %(rater)s))
      AND EXISTS (
        SELECT FROM labeling_slot s
        WHERE s.queue_id = labeling_queue.id AND s.lane = ahead.lane AND s.state = 'open'
          AND s.rank > coalesce((SELECT passed FROM labeling_passage p WHERE p.queue_id = labeling_queue.id
                                 AND p.rater_id = %(rater)s AND p.lane = ahead.lane), 0)
          AND {NOT_HAD} AND {NOT_WRITTEN}))"""  # noqa: S608 (constants of this module)


def rules_of(queue: Queue) -> tuple[str, ...]:
    """The conditions that the queue has switched on."""
    return tuple(asks for _why, _is_on, name, asks in _RULES if getattr(queue, name) not in (None, "", False, 0, []))


def asks_language(queue: Queue) -> bool:
    """Whether each pair has to be asked for its language; where all have the queue's one, the rater was asked."""
    return queue.speaks and len(queue.languages) != 1


def why_not(queue: Queue, rater: User) -> Why | None:
    """What keeps the rater from a next pair of the queue, before any pair is looked at. One query."""
    with connection.cursor() as cursor:
        asked = f"SELECT {_WHY_NOT} FROM labeling_queue WHERE id = %(queue)s"  # noqa: S608 (a constant)
        cursor.execute(asked, {"queue": queue.pk, "rater": rater.pk})
        row = cursor.fetchone()
    return Why(row[0]) if row and row[0] else None


def over_quota(queue: Queue, rater: User) -> bool:
    """Whether the rater has been given more than a day's pairs, what is open counted. One query."""
    with connection.cursor() as cursor:
        asked = f"SELECT {_GIVEN_TODAY} > daily_pairs FROM labeling_queue WHERE id = %(queue)s"  # noqa: S608
        cursor.execute(asked, {"queue": queue.pk, "rater": rater.pk})
        return bool(cursor.fetchone()[0])


def waiting_for(rater: User) -> RawSQL:
    """Annotation of queues: whether an open pair is ahead of the rater."""
    return _over_rows(WAITING, rater, BooleanField())


def why_not_of(rater: User) -> RawSQL:
    """Annotation of queues: a `Why`, or empty."""
    return _over_rows(_WHY_NOT, rater, CharField())


def _over_rows(text: str, rater: User, field: CharField[str, str] | BooleanField[bool, bool]) -> RawSQL:
    asked = text.replace("%(rater)s", "%s")
    return RawSQL(asked, [rater.pk] * asked.count("%s"), field)  # noqa: S611 (constants of this module)
