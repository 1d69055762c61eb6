"""What is open to a person, and what they did lately. Nothing here counts slots: the cost is that of a few rows."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date, timedelta

from django.db.models import BooleanField, Count, F, OuterRef, Subquery
from django.db.models.expressions import RawSQL
from django.db.models.functions import Coalesce, TruncDate
from django.utils import timezone

from labeling.access import RATERS, projects_for, queues_for
from labeling.models import Assignment, Membership, Passage, Project, Queue, RaterProfile, User
from labeling.reports.entry import Way, facts, way_of

State = Assignment.State

# Whether an open pair is ahead of the rater, in the everyday lane or in one whose every topic they chose: for each lane
# one range of the claim's own index. What caps and breaks hold back for today is waiting all the same.
_WAITING = """EXISTS (
    SELECT FROM unnest(array_prepend(''::varchar, labeling_queue.lanes)) AS ahead(lane)
    WHERE (ahead.lane = '' OR string_to_array(ahead.lane, ' ') <@ (
        SELECT topics::text[] FROM labeling_participation me
        WHERE me.project_id = labeling_queue.project_id AND me.user_id = %s))
      AND EXISTS (
        SELECT FROM labeling_slot s
        WHERE s.queue_id = labeling_queue.id AND s.lane = ahead.lane AND s.state = 'open'
          AND s.rank > coalesce((SELECT passed FROM labeling_passage p WHERE p.queue_id = labeling_queue.id
                                 AND p.rater_id = %s AND p.lane = ahead.lane), 0)
          AND NOT EXISTS (SELECT FROM labeling_assignment a WHERE a.pair_id = s.pair_id AND a.rater_id = %s
                          AND a.state IN ('open', 'submitted', 'skipped'))))"""


@dataclass(frozen=True, slots=True)
class OpenQueue:
    """A queue as its rater meets it. `waiting`: an open pair is ahead of this rater; how many, others decide too."""

    queue: Queue
    done: int
    held: bool
    waiting: bool
    way: Way
    readable: bool

    @property
    def number(self) -> int:
        """Which comparison comes next, from 1."""
        return self.done + 1

    @property
    def can_start(self) -> bool:
        return self.held or (self.waiting and not self.queue.paused and self.way.is_open)

    @property
    def must_get_in(self) -> bool:
        """Whether a step of the way in comes before the work."""
        return not self.held and not self.way.is_open and bool(self.queue.pair_count)

    @property
    def is_offered(self) -> bool:
        return self.can_start or self.must_get_in


@dataclass(frozen=True, slots=True)
class Day:
    day: date
    count: int
    today: bool


@dataclass(frozen=True, slots=True)
class OwnProject:
    """A project in which the person does something else than rate."""

    project: Project
    roles: list[str]


def open_queues(rater: User) -> list[OpenQueue]:
    """The queues of this person's projects, the one to carry on with first. One query.

    First what they have a pair of, then what is in their languages, what has something waiting, and what they worked
    on most.
    """
    mine = {"queue": OuterRef("pk"), "rater": rater}
    rows = (
        queues_for(rater, RATERS)
        .annotate(
            done=Coalesce(Subquery(Passage.objects.filter(**mine, lane="").values("done")[:1]), 0),
            held=Subquery(Assignment.objects.filter(**mine, state=State.OPEN).values("claimed_at")[:1]),
            waiting=RawSQL(_WAITING, [rater.pk] * 3, BooleanField()),  # noqa: S611 (a constant)
            read=Subquery(RaterProfile.objects.filter(user=rater).values("languages")[:1]),
            **facts(rater, "project"),
        )
        .order_by(F("held").desc(nulls_last=True), "-done", "project__name", "id")
    )
    queues = [
        OpenQueue(row, row.done, row.held is not None, row.waiting, way_of(row), reads(row.read or [], row.languages))
        for row in rows
    ]
    return sorted(queues, key=lambda one: (not one.held, not one.readable, not one.is_offered))


def reads(known: Iterable[str], wanted: Iterable[str]) -> bool:
    """Whether one who reads `known` reads any of `wanted`; nothing told, or nothing wanted, rules nothing out.

    A language without script or region stands for all of its kinds: "en" and "en-GB", "zh" and "zh-Hant".
    """
    known, wanted = [tag.lower() for tag in known], [tag.lower() for tag in wanted]
    if not known or not wanted:
        return True
    return any(a == b or a.startswith(f"{b}-") or b.startswith(f"{a}-") for a in known for b in wanted)


def last_days(rater: User, days: int = 7) -> list[Day]:
    """How many comparisons a day, oldest first, today last. One query on the rater's own index."""
    today = timezone.localdate()
    since = today - timedelta(days=days - 1)
    counts = dict(
        Assignment.objects.filter(rater=rater, state=State.SUBMITTED, ended_at__date__gte=since)
        .annotate(day=TruncDate("ended_at"))
        .values_list("day")
        .annotate(Count("pk"))
    )
    shown = [since + timedelta(days=n) for n in range(days)]
    return [Day(day, counts.get(day, 0), day == today) for day in shown]


def own_projects(user: User) -> list[OwnProject]:
    """Projects this person manages, researches or adjudicates; an operator has them all. Two queries."""
    others = tuple(role for role in Membership.Role if role not in RATERS)
    return [
        OwnProject(project, roles) for project, roles in _with_roles(user, projects_for(user, others).order_by("name"))
    ]


def _with_roles(user: User, projects: Iterable[Project]) -> Iterable[tuple[Project, list[str]]]:
    projects = list(projects)
    held = Membership.objects.filter(user=user, project__in=projects).order_by("role")
    roles: dict[int, list[str]] = {}
    for membership in held:
        roles.setdefault(membership.project_id, []).append(membership.get_role_display())
    for project in projects:
        yield project, roles.get(project.pk) or ["Operator"]
