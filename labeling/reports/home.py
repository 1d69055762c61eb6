"""What is open to a person, and what they did lately. Nothing here counts slots: the cost is that of a few rows."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date, timedelta

from django.db.models import Count, F, OuterRef, Subquery
from django.db.models.functions import Coalesce, TruncDate
from django.utils import timezone

from labeling.access import RATERS, projects_for, queues_for
from labeling.models import Assignment, Membership, Passage, Project, Queue, RaterProfile, User
from labeling.reports import admission
from labeling.reports.admission import Why
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
    why_not: Why | None = None

    @property
    def number(self) -> int:
        """Which comparison comes next, from 1."""
        return self.done + 1

    @property
    def can_start(self) -> bool:
        return self.held or (self.waiting and self.queue.gives and self.way.is_open and self.why_not is None)

    @property
    def must_get_in(self) -> bool:
        """Whether a step of the way in comes before the work."""
        if self.held or self.way.is_open or not self.queue.pair_count:
            return False
        return self.why_not in (None, Why.NOT_QUALIFIED)

    @property
    def is_offered(self) -> bool:
        return self.can_start or self.must_get_in

    @property
    def concerns_them(self) -> bool:
        """Whether to show it at all: not when it is closed, or for others."""
        return self.held or self.must_get_in or self.why_not is None or not self.why_not.for_others


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
    """The queues of this person's projects that are for them, the one to carry on with first. One query.

    First what they have a pair of, then what is in their languages, what has something waiting, what its manager put
    first, and what they worked on most.
    """
    own = {"queue": OuterRef("pk"), "rater": rater}
    rows = (
        queues_for(rater, RATERS)
        .annotate(
            done=Coalesce(Subquery(Passage.objects.filter(**own, lane="").values("done")[:1]), 0),
            held=Subquery(Assignment.objects.filter(**own, state=State.OPEN).values("claimed_at")[:1]),
            read=Subquery(RaterProfile.objects.filter(user=rater).values("languages")[:1]),
            waiting=admission.waiting_for(rater),
            why_not=admission.why_not_of(rater),
            **facts(rater, "project"),
        )
        .order_by(F("held").desc(nulls_last=True), "-priority", "-done", "project__name", "id")
    )
    queues = [
        OpenQueue(
            row, row.done, row.held is not None, row.waiting, way_of(row), reads(row.read or [], row.languages),
            Why(row.why_not) if row.why_not else None,
        )
        for row in rows
    ]  # fmt: skip
    mine = [one for one in queues if one.concerns_them]
    return sorted(mine, key=lambda one: (not one.held, not one.readable, not one.is_offered))


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
