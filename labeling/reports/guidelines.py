"""Guidelines as raters meet them: principles, what is new to whom; and for managers, who has read and cited what."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from functools import lru_cache
from typing import NamedTuple

from django.db.models import BigIntegerField, Count, Exists, F, OuterRef, QuerySet, Subquery
from django.db.models.functions import Coalesce, Greatest

from labeling.models import (
    Acknowledgement,
    Annotation,
    Assignment,
    Criterion,
    Guideline,
    Membership,
    Project,
    User,
)
from labeling.rendering.outline import Outline, Section, outline, section_named


class Principle(NamedTuple):
    """A numbered sentence of a guideline that a rater may cite; `section` is the heading it stands under."""

    number: int
    text: str
    anchor: str
    section: str


class Cited(NamedTuple):
    """How many current annotations made under the version name the principle."""

    principle: Principle
    times: int


@dataclass(frozen=True, slots=True)
class News:
    """What a version brings to somebody: the published versions after `since`, oldest first, the last one itself."""

    guideline: Guideline
    since: Guideline | None
    versions: list[Guideline]


@dataclass(frozen=True, slots=True)
class Reader:
    """A rater, and whether they acknowledged a version or have judged under it."""

    user: User
    acknowledged_at: datetime | None
    judged: bool

    @property
    def has_read(self) -> bool:
        return self.judged or self.acknowledged_at is not None


def last_read(user: User | OuterRef, project: OuterRef) -> Greatest:
    """What somebody read last in a project: what their newest answer was made under, or the newest they acknowledged.

    An id, which grows with the version; NULL for who has done neither. Two look-ups of few rows: the index of own work
    has the newest answer first.
    """
    own = Assignment.objects.filter(rater=user, project=project, state=Assignment.State.SUBMITTED)
    seen = Acknowledgement.objects.filter(user=user, guideline__project=project).order_by("-guideline_id")
    newest = own.order_by("-ended_at").values(under=Coalesce(F("guideline_id"), 0, output_field=BigIntegerField()))
    return Greatest(Subquery(newest[:1]), Subquery(seen.values("guideline_id")[:1]), output_field=BigIntegerField())


def published(project: Project) -> QuerySet[Guideline]:
    return project.guidelines.filter(version__isnull=False)


def principles_of(guideline: Guideline | None) -> list[Principle]:
    """In order, the first of each number. No query, but once a process for a version published without them."""
    if guideline is None:
        return []
    stored = [Principle(**one) for one in guideline.principles]
    if not stored and guideline.version is not None:
        stored = list(_derived(guideline.pk))
    first: dict[int, Principle] = {}
    for one in stored:
        first.setdefault(one.number, one)
    return list(first.values())


@lru_cache(maxsize=1000)
def _derived(published: int) -> tuple[Principle, ...]:
    """From the HTML of a published guideline, by its id: it never changes, so neither does this."""
    html = Guideline.objects.values_list("html", flat=True).get(pk=published)
    return tuple(Principle(one.number, one.text, one.anchor, one.section) for one in outline(html).principles)


def section_of(criterion: Criterion, found: Outline) -> Section | None:
    """Where the guideline speaks of a criterion: the section that the criterion names, else one with its words."""
    named = section_named(found.sections, [criterion.guideline_section])
    return named or section_named(found.sections, [criterion.name, criterion.key, criterion.better_word])


def unread(project: Project, user: User) -> Guideline | None:
    """The current version, if it is newer than what this person judged under or acknowledged last; one query.

    None for who has done neither: a first reading is no news.
    """
    return next(iter(unread_in([project], user)), None)


def unread_in(projects: Iterable[Project], user: User) -> list[Guideline]:
    """As `unread`, of several projects; each guideline comes with its project. One query."""
    newest = Guideline.objects.filter(project=OuterRef("project"), version__isnull=False).order_by("-version")
    current = Guideline.objects.filter(project__in=list(projects), pk=Subquery(newest.values("pk")[:1]))
    newer = current.filter(pk__gt=last_read(user, OuterRef("project")))
    return list(newer.defer("text", "html", "principles").select_related("project").order_by("project__name", "pk"))


def news(guideline: Guideline, user: User) -> News:
    """What this version changes for the person: since what they read last, or since the version before. One query."""
    versions = published(guideline.project).filter(version__lte=guideline.version).order_by("version")
    rows = list(versions.defer("text", "principles").annotate(last_read=last_read(user, OuterRef("project"))))
    before = [one for one in rows[:-1] if one.last_read is None or one.pk <= one.last_read]
    since = before[-1] if before else None
    return News(guideline, since, [one for one in rows if since is None or one.pk > since.pk])


def readers(guideline: Guideline) -> list[Reader]:
    """The project's raters, those who have not read the version first. One query."""
    mine = {"project": guideline.project_id, "guideline": guideline}
    judged = Assignment.objects.filter(**mine, rater=OuterRef("pk"), state=Assignment.State.SUBMITTED)
    read = Acknowledgement.objects.filter(guideline=guideline, user=OuterRef("pk"))
    rating = Membership.objects.filter(project=guideline.project_id, role=Membership.Role.RATER)
    rows = User.objects.filter(Exists(rating.filter(user=OuterRef("pk"))), is_active=True).annotate(
        acknowledged=Subquery(read.values("created_at")[:1]), judged=Exists(judged)
    )
    found = [Reader(row, row.acknowledged, row.judged) for row in rows.order_by("name", "email")]
    return sorted(found, key=lambda one: one.has_read)


def citations(guideline: Guideline) -> list[Cited]:
    """Every principle of the version with how often it was cited. One query."""
    cited = Annotation.objects.filter(
        project=guideline.project_id, current=True, guideline=guideline, principle__isnull=False
    )
    counts = dict(cited.values_list("principle").annotate(Count("pk")))
    return [Cited(one, counts.get(one.number, 0)) for one in principles_of(guideline)]


def raters_at_work(project: Project) -> int:
    """How many raters have judged here: whom a new version is announced to. One query."""
    rating = Membership.objects.filter(project=project, role=Membership.Role.RATER, user__is_active=True)
    done = Assignment.objects.filter(rater=OuterRef("user"), project=project, state=Assignment.State.SUBMITTED)
    return rating.filter(Exists(done)).count()
