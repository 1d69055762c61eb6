"""Lessons as raters see them, how hard they are, and how far the people of a project have come."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any

from django.db.models import Count, Exists, OuterRef, Q, QuerySet, Subquery, Sum
from django.db.models.functions import Coalesce

from labeling.models import (
    Assignment,
    Attempt,
    ConsentText,
    Criterion,
    GoldAnswer,
    GoldPair,
    Guideline,
    Lesson,
    Membership,
    Pair,
    Participation,
    Passage,
    Project,
    User,
)
from labeling.reports.desk import Shown
from labeling.reports.entry import Way, facts, lessons_of, sensitive, way_of

MOST_FOUND = 50


@dataclass(frozen=True, slots=True)
class LessonLine:
    """A lesson with what came of it: people who tried, and how many of the known answers their first try met."""

    lesson: Lesson
    known: int
    people: int
    right: int
    asked: int
    sensitive: bool

    @property
    def share(self) -> int | None:
        """Percent of known answers met at the first try; None before anybody tried."""
        return round(100 * self.right / self.asked) if self.asked else None


@dataclass(frozen=True, slots=True)
class Participant:
    """A rater on the way in. Results are (right, known) of the first practice tries and of the newest qualification."""

    membership: Membership
    way: Way
    participation: Participation | None
    consent_version: int | None
    judged: int
    practice: tuple[int, int] = (0, 0)
    qualification: tuple[int, int] = (0, 0)
    by_lesson: dict[int, Attempt] = field(default_factory=dict)

    @property
    def may_try_again(self) -> bool:
        """Whether another try can be allowed."""
        return self.participation is not None and not self.participation.qualified_at and not self.way.tries_left


def shown_lesson(lesson: Lesson | GoldPair, *, swapped: bool) -> Shown:
    """The pair of a lesson, or of known answers, as the desk shows one. At most three queries.

    The assignment in it is none of the stored.
    """
    pair = Pair.objects.select_related("item", "first", "second").get(pk=lesson.pair_id)
    left, right = pair.first, pair.second
    if right is not None and swapped:
        left, right = right, left
    asked = Criterion.objects.filter(project_id=lesson.project_id).exclude(asked=Criterion.Asked.NEVER)
    return Shown(
        assignment=Assignment(project=lesson.project, pair=pair, swapped=swapped),
        item=pair.item,
        left=left,
        right=right,
        criteria=list(asked),
        guideline_version=None,
        done=0,
        of=0,
    )


def next_lesson(project: Project, user: User, way: Way, stage: str) -> Lesson | None:
    """The first lesson of the stage that this person has not answered: ever in practice, in this try else."""
    answered = Attempt.objects.filter(lesson=OuterRef("pk"), user=user)
    if stage == Lesson.Stage.QUALIFICATION:
        answered = answered.filter(number=way.tries + 1)
    return lessons_of(project, stage).filter(~Exists(answered)).first()


def newest_attempt(lesson: Lesson, user: User) -> Attempt | None:
    return Attempt.objects.filter(lesson=lesson, user=user).order_by("-number").first()


def newest_result(project: Project, user: User) -> tuple[int, int] | None:
    """Right and known answers of the person's newest finished try to qualify; None before one."""
    tried = Participation.objects.filter(project=project, user=user).values_list("attempts", flat=True).first()
    if not tried:
        return None
    rows = Attempt.objects.filter(
        lesson__project=project, lesson__stage=Lesson.Stage.QUALIFICATION, user=user, number=tried
    )
    told = rows.aggregate(right=Sum("right"), known=Sum("known"))
    return (told["right"] or 0, told["known"] or 0)


def principle_of(project: Project, number: int | None) -> dict[str, Any] | None:
    """The numbered principle of the current guideline; only its number where the guideline has none such."""
    if number is None:
        return None
    newest = Guideline.objects.filter(project=project, version__isnull=False).order_by("-version")
    principles: list[dict[str, Any]] = newest.values_list("principles", flat=True).first() or []
    return next((one for one in principles if one.get("number") == number), {"number": number, "text": ""})


def lesson_lines(project: Project) -> list[LessonLine]:
    """Every lesson by stage and place. One query."""
    gold = GoldAnswer.objects.filter(pair=OuterRef("pair")).order_by().values("pair").values(n=Count("pk"))
    first = Q(attempts__number=1)
    rows = (
        Lesson.objects.filter(project=project)
        .select_related("pair__item")
        .annotate(
            gold=Coalesce(Subquery(gold), 0),
            sensitive=sensitive(),
            people=Count("attempts__user", distinct=True),
            right=Coalesce(Sum("attempts__right", filter=first), 0),
            asked=Coalesce(Sum("attempts__known", filter=first), 0),
        )
        .order_by("stage", "position", "pk")
    )
    return [LessonLine(row, row.gold, row.people, row.right, row.asked, row.sensitive) for row in rows]


def pairs_to_teach(project: Project, text: str, *, only_known: bool) -> list[Pair]:
    """Pairs to make a lesson of, at most MOST_FOUND: by the pair's number, the item's id, or words of either text."""
    pairs = Pair.objects.filter(project=project).select_related("item", "first", "second")
    if only_known:
        pairs = pairs.filter(Q(item__gold__isnull=False) | Exists(GoldAnswer.objects.filter(pair=OuterRef("pk"))))
    if text:
        found = Q(item__external_id__icontains=text) | Q(first__content__icontains=text)
        found |= Q(second__content__icontains=text) | Q(item__conversation__icontains=text)
        if text.isascii() and text.isdecimal() and len(text) < 16:
            found |= Q(pk=int(text))
        pairs = pairs.filter(found)
    mixed_in = Exists(GoldPair.objects.filter(pair=OuterRef("pk"), retired_at=None))
    taught = Exists(Lesson.objects.filter(pair=OuterRef("pk")))
    return list(pairs.annotate(lesson=taught, mixed_in=mixed_in).order_by("pk")[:MOST_FOUND])


def raters_on_the_way(project: Project) -> QuerySet[Membership]:
    """The project's raters by name, each with what `way_of` reads."""
    raters = Membership.objects.filter(project=project, role=Membership.Role.RATER).select_related("user")
    return raters.annotate(**facts(OuterRef("user"), "project")).order_by("user__name", "user__email")


def participants(project: Project, memberships: Iterable[Membership]) -> list[Participant]:
    """Rows of `raters_on_the_way` with their results. Four queries, whatever their number."""
    rows = list(memberships)
    users = [row.user_id for row in rows]
    mine = {one.user_id: one for one in Participation.objects.filter(project=project, user__in=users)}
    versions = dict(ConsentText.objects.filter(project=project).values_list("pk", "version"))
    passages = Passage.objects.filter(queue__project=project, rater__in=users, lane="")
    judged = dict(passages.order_by().values_list("rater").annotate(Sum("done")))
    tried: dict[int, list[Attempt]] = {}
    attempts = Attempt.objects.filter(lesson__project=project, user__in=users).select_related("lesson")
    for attempt in attempts.order_by("number", "pk"):
        tried.setdefault(attempt.user_id, []).append(attempt)
    return [
        _participant(row, mine.get(row.user_id), versions, judged.get(row.user_id, 0), tried.get(row.user_id, []))
        for row in rows
    ]


def _participant(
    row: Membership, mine: Participation | None, versions: dict[int, int], judged: int, tried: list[Attempt]
) -> Participant:
    first = [one for one in tried if one.lesson.stage == Lesson.Stage.PRACTICE and one.number == 1]
    qualifying = [one for one in tried if one.lesson.stage == Lesson.Stage.QUALIFICATION]
    newest = [one for one in qualifying if one.number == max(other.number for other in qualifying)]
    version = versions.get(mine.consent_id) if mine and mine.consent_id and mine.consented_at else None
    by_lesson = {one.lesson_id: one for one in [*newest, *first]}
    return Participant(row, way_of(row), mine, version, judged, _sum(first), _sum(newest), by_lesson)


def _sum(attempts: list[Attempt]) -> tuple[int, int]:
    return (sum(one.right for one in attempts), sum(one.known for one in attempts))
