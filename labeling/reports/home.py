"""What is open to a person, and what they did lately. Nothing here counts slots: the cost is that of a few rows."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date, timedelta

from django.db.models import Count, F, OuterRef, Subquery
from django.db.models.functions import Coalesce, TruncDate
from django.utils import timezone

from labeling.access import RATERS, projects_for, queues_for
from labeling.models import Assignment, Membership, Passage, Project, Queue, User

State = Assignment.State


@dataclass(frozen=True, slots=True)
class OpenQueue:
    """A queue as its rater meets it. `waiting` is at most what is left: others may fill a pair first."""

    queue: Queue
    done: int
    held: bool

    @property
    def waiting(self) -> int:
        return max(0, self.queue.pair_count - self.done)

    @property
    def number(self) -> int:
        """Which comparison comes next, from 1."""
        return self.done + 1

    @property
    def can_start(self) -> bool:
        return self.held or (self.waiting > 0 and not self.queue.paused)


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

    First what they have a pair of, then what they worked on last, then what has something waiting.
    """
    mine = {"queue": OuterRef("pk"), "rater": rater}
    rows = (
        queues_for(rater, RATERS)
        .annotate(
            done=Coalesce(Subquery(Passage.objects.filter(**mine, lane="").values("done")[:1]), 0),
            held=Subquery(Assignment.objects.filter(**mine, state=State.OPEN).values("claimed_at")[:1]),
        )
        .order_by(F("held").desc(nulls_last=True), "-done", "project__name", "id")
    )
    queues = [OpenQueue(row, row.done, row.held is not None) for row in rows]
    return sorted(queues, key=lambda one: (not one.held, not one.can_start))


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
