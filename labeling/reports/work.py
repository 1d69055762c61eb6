"""A person's own work: what they answered and skipped, newest first, as they saw it. Never anybody else's."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any, Self

from django.db.models import Q, QuerySet
from django.utils import timezone

from labeling.access import RATERS, projects_for
from labeling.models import Annotation, Assignment, Criterion, Judgment, Project, Queue, User
from labeling.models.queues import EVERYDAY, GOLD

State = Assignment.State
DONE = (State.SUBMITTED, State.SKIPPED)
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MICROSECOND = timedelta(microseconds=1)
_UNREAD = (
    "pair__item__conversation_html", "pair__item__metadata",
    "pair__first__content", "pair__first__html", "pair__second__content", "pair__second__html",
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class Cursor:
    """The last row of a page: when it ended and its id."""

    ended_at: datetime
    pk: int

    def __str__(self) -> str:
        return f"{(self.ended_at - _EPOCH) // _MICROSECOND}-{self.pk}"

    @classmethod
    def parse(cls, text: str) -> Self | None:
        """None for anything that was not given out as a cursor."""
        found = re.fullmatch(r"(\d{1,17})-(\d{1,18})", text, re.ASCII)
        return cls(_EPOCH + int(found[1]) * _MICROSECOND, int(found[2])) if found else None


@dataclass(frozen=True, slots=True)
class Work:
    """A pair that the rater answered or skipped. `body` is the current answer as it was seen, empty when skipped."""

    assignment: Assignment
    annotation: Annotation | None
    body: dict[str, Any]
    criteria: list[Criterion]

    @property
    def revised(self) -> bool:
        return self.annotation is not None and self.annotation.revision > 1


@dataclass(frozen=True, slots=True)
class Page:
    rows: list[Work]
    older: Cursor | None


def rated_projects(rater: User) -> QuerySet[Project]:
    return projects_for(rater, RATERS).order_by("name", "pk")


def own_work(rater: User, *, projects: list[Project], before: Cursor | None, limit: int) -> Page:
    """At most `limit` pairs of these projects, newest first. Five queries.

    The first finds the page along an index, from where it begins; the others read only what is on it.
    """
    rows = Assignment.objects.filter(rater=rater, state__in=DONE, project__in=[project.pk for project in projects])
    rows = rows.filter(
        Q(lane__in=[EVERYDAY, GOLD]) | Q(opened_at__isnull=False)
    )  # what was never opened was never seen
    if before is not None:
        earlier = Q(ended_at__lt=before.ended_at) | Q(pk__lt=before.pk)
        rows = rows.filter(earlier, ended_at__lte=before.ended_at)
    found = list(rows.order_by("-ended_at", "-pk").values_list("ended_at", "pk")[: limit + 1])
    last_at, last = found[limit - 1] if len(found) > limit else (None, 0)
    related = Assignment.objects.select_related("pair__item", "pair__first", "pair__second").defer(*_UNREAD)
    read = related.in_bulk([pk for _, pk in found[:limit]])
    shown = [read[pk] for _, pk in found[:limit] if pk in read]
    known = {project.pk: project for project in projects}
    for assignment in shown:
        assignment.project = known[assignment.project_id]
    return Page(list(_with_answers(shown)), Cursor(last_at, last) if last_at else None)


def history(assignment: Assignment) -> list[Work]:
    """Every revision of the answer, newest first; of a pair that came back, what was said then. Two queries."""
    if assignment.repeats_id is not None:
        criteria = _criteria({assignment.project_id})[assignment.project_id]
        return [Work(assignment, _stands_for(assignment), assignment.draft or {}, criteria)]
    annotations = list(assignment.annotations.order_by("-revision"))
    said = _judgments(annotations)
    criteria = _criteria({assignment.project_id})[assignment.project_id]
    return [Work(assignment, one, body_of(assignment, one, said[one.pk]), criteria) for one in annotations]


def last_answered(queue: Queue, rater: User) -> Assignment | None:
    """What the rater answered last in this queue, if it may still be changed."""
    since = timezone.now() - timedelta(minutes=queue.project.revise_minutes)
    mine = Assignment.objects.filter(rater=rater, project_id=queue.project_id, queue=queue, state=State.SUBMITTED)
    return mine.filter(ended_at__gte=since).select_related("project", "queue").order_by("-ended_at", "-pk").first()


def body_of(assignment: Assignment, annotation: Annotation, judgments: Iterable[Judgment]) -> dict[str, Any]:
    """The body that would say the same again: as read_answers takes it, with left and right as the rater saw them."""
    said: dict[str, Any] = {}
    for judgment in judgments:
        value = _value(judgment, assignment.swapped)
        if judgment.response_id is None:
            said[judgment.criterion.key] = value
        else:
            on_left = assignment.pair.second_id is None or (
                (judgment.response_id == assignment.pair.first_id) != assignment.swapped
            )
            said.setdefault(judgment.criterion.key, {})["left" if on_left else "right"] = value
    cited = {} if annotation.principle is None else {"principle": annotation.principle}
    return {"judgments": said, "kept_hints": annotation.kept_hints} | cited


def _value(judgment: Judgment, swapped: bool) -> dict[str, Any]:
    kind = Criterion.Kind(judgment.criterion.kind)
    if kind == Criterion.Kind.TEXT:
        return {"text": judgment.text}
    rationale = {"rationale": judgment.text} if judgment.text else {}
    if kind == Criterion.Kind.REASONS:
        return {"chosen": judgment.categories}
    if kind == Criterion.Kind.RATING:
        return {"rating": judgment.rating} | rationale
    if kind == Criterion.Kind.SAFETY:
        harm = {"categories": judgment.categories, "severity": judgment.severity}
        return {"safe": judgment.safe} | {name: value for name, value in harm.items() if value} | rationale
    if judgment.both_bad or judgment.preference is None:
        return {"both_bad": True} | rationale
    return {"preference": -judgment.preference if swapped else judgment.preference} | rationale


def _with_answers(assignments: list[Assignment]) -> Iterable[Work]:
    annotations = {
        one.assignment_id: one for one in Annotation.objects.filter(assignment__in=assignments, current=True)
    }
    said = _judgments(annotations.values())
    criteria = _criteria({one.project_id for one in assignments})
    for assignment in assignments:
        if assignment.repeats_id is not None and assignment.state == State.SUBMITTED:
            yield Work(assignment, _stands_for(assignment), assignment.draft or {}, criteria[assignment.project_id])
            continue
        annotation = annotations.get(assignment.pk)
        body = body_of(assignment, annotation, said[annotation.pk]) if annotation else {}
        yield Work(assignment, annotation, body, criteria[assignment.project_id])


def _stands_for(assignment: Assignment) -> Annotation:
    """A pair that came back has no annotation; this one is not stored."""
    return Annotation(assignment=assignment, revision=1, created_at=assignment.ended_at or timezone.now())


def _judgments(annotations: Iterable[Annotation]) -> dict[int, list[Judgment]]:
    said: dict[int, list[Judgment]] = {one.pk: [] for one in annotations}
    rows = Judgment.objects.filter(annotation__in=list(said)).select_related("criterion")
    for judgment in rows.order_by("criterion__position", "criterion__id", "id"):
        said[judgment.annotation_id].append(judgment)
    return said


def _criteria(projects: set[int]) -> dict[int, list[Criterion]]:
    found: dict[int, list[Criterion]] = {pk: [] for pk in projects}
    for criterion in Criterion.objects.filter(project__in=projects).exclude(asked=Criterion.Asked.NEVER):
        found[criterion.project_id].append(criterion)
    return found
