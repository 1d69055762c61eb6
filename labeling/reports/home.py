"""What is open to a person, and what they did lately. Nothing here counts slots: the cost is that of a few rows."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date, timedelta

from django.db.models import Count, Exists, F, OuterRef, QuerySet, Subquery
from django.db.models.functions import Coalesce, TruncDate
from django.utils import timezone

from labeling.access import RATERS, projects_for, queues_for
from labeling.models import Assignment, Membership, Passage, Project, Queue, RaterProfile, Slot, User
from labeling.reports.entry import Way, facts, way_of

State = Assignment.State


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
            waiting=Exists(_ahead_of(rater)),
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


def _ahead_of(rater: User) -> QuerySet[Slot]:
    """Open slots of the outer queue that the rater has not passed and never had: one range of the claim's own index."""
    passage = Passage.objects.filter(queue=OuterRef(OuterRef("pk")), rater=rater, lane="")
    had = Assignment.objects.filter(
        pair=OuterRef("pair"), rater=rater, state__in=[State.OPEN, State.SUBMITTED, State.SKIPPED]
    )
    return Slot.objects.filter(
        ~Exists(had),
        queue=OuterRef("pk"),
        lane="",
        state=Slot.State.OPEN,
        rank__gt=Coalesce(Subquery(passage.values("passed")[:1]), 0),
    )


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
