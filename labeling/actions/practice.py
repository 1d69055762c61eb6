"""What a rater does on the way in: reads the guideline, practises, tries to qualify."""

from __future__ import annotations

import hmac
from dataclasses import dataclass
from hashlib import sha256
from typing import Any

from django.db import transaction
from django.db.models import Max, Sum
from django.utils import timezone
from django.utils.translation import gettext as _

from labeling.actions.answers import read_answers
from labeling.actions.crowd_entry import screen
from labeling.actions.marking import Mark, marks
from labeling.actions.reading import Answer
from labeling.actions.refusals import Refused
from labeling.audit import record
from labeling.models import (
    Attempt,
    Criterion,
    CrowdEntry,
    GoldAnswer,
    GoldPair,
    Lesson,
    Participation,
    Project,
    User,
)
from labeling.reports.entry import lessons_of

MOST_TRIES_AT_A_LESSON = 50
Stage = Lesson.Stage


@dataclass(frozen=True, slots=True)
class Marked:
    """What is known of a lesson's pair, and for an attempt which of it was met."""

    known: list[GoldAnswer]
    marks: list[Mark]

    @property
    def right(self) -> int:
        return sum(mark.right for mark in self.marks)


def shown_swapped(lesson: Lesson, user: User) -> bool:
    """The order in which this person sees the lesson: always the same, and not to be guessed."""
    key = bytes(lesson.project.pseudonym_key)
    return bool(hmac.digest(key, f"lesson {lesson.pk} {user.pk}".encode(), sha256)[0] & 1)


def mark(known_of: Lesson | GoldPair, answers: list[Answer]) -> Marked:
    """Two queries."""
    known = list(GoldAnswer.objects.filter(pair_id=known_of.pair_id).order_by("criterion__position", "criterion", "pk"))
    return Marked(known, marks(answers, known, Criterion.objects.filter(project_id=known_of.project_id)))


@transaction.atomic
def answer_lesson(*, lesson: Lesson, user: User, body: Any) -> Attempt:
    """Keep what a person answered to a lesson, and settle what it finishes: the practice, or a try to qualify.

    A practice lesson can be answered again; one of a qualification once a try. Raises Refused("invalid") as the desk
    does, "already_answered", "enough_tries" or "no_tries_left".
    """
    mine = _mine(lesson.project, user)
    swapped = shown_swapped(lesson, user)
    criteria = Criterion.objects.filter(project_id=lesson.project_id)
    answers = read_answers(body, criteria=criteria, pair=lesson.pair, swapped=swapped, complete=True)
    number = _number(lesson, user, mine)
    marked = mark(lesson, answers)
    attempt = Attempt.objects.create(
        lesson=lesson, user=user, number=number, swapped=swapped, body={"judgments": body["judgments"]},
        right=marked.right, known=len(marked.marks),
    )  # fmt: skip
    _settle(mine)
    return attempt


@transaction.atomic
def allow_another_try(*, participation: Participation, by: User) -> None:
    """One more try to qualify, for somebody who has none left. A crowd worker who was screened out goes on."""
    mine = Participation.objects.select_for_update(of=("self",)).select_related("project").get(pk=participation.pk)
    if mine.qualified_at or mine.attempts < mine.project.attempts + mine.extra_attempts:
        raise Refused("unchanged", _("This person has qualified, or has a try left."))
    mine.extra_attempts = mine.attempts + 1 - mine.project.attempts
    mine.save(update_fields=["extra_attempts"])
    CrowdEntry.objects.filter(user=mine.user_id, link__project=mine.project_id, finished_at=None).update(
        screened_at=None
    )
    record(by, "qualification.allowed", mine, project_id=mine.project_id, user=mine.user_id)


def settle_all(project: Project) -> None:
    """After a change of the lessons: who has nothing left to answer is through, or has had that try."""
    for mine in Participation.objects.select_for_update(of=("self",)).filter(project=project).order_by("pk"):
        if mine.practised_at is None or mine.qualified_at is None:
            mine.project = project
            _settle(mine)


def _mine(project: Project, user: User) -> Participation:
    Participation.objects.get_or_create(project=project, user=user)
    rows = Participation.objects.select_for_update(of=("self",)).select_related("project", "user")
    return rows.get(project=project, user=user)


def _number(lesson: Lesson, user: User, mine: Participation) -> int:
    tried = Attempt.objects.filter(lesson=lesson, user=user)
    if lesson.stage == Stage.PRACTICE:
        last = tried.aggregate(last=Max("number"))["last"] or 0
        if last >= MOST_TRIES_AT_A_LESSON:
            raise Refused("enough_tries", _("That is enough of this one: go on with the next."))
        return int(last) + 1
    if mine.qualified_at or mine.attempts >= mine.project.attempts + mine.extra_attempts:
        raise Refused("no_tries_left", _("You have no try left, or need none. Go back to your home page."))
    if tried.filter(number=mine.attempts + 1).exists():
        raise Refused("already_answered", _("You have answered this one already in this try."))
    return mine.attempts + 1


def _settle(mine: Participation) -> None:
    """Note that the practice is done, or that a try to qualify is over and whether it was enough."""
    if mine.practised_at is None and _all_answered(mine, Stage.PRACTICE):
        mine.practised_at = timezone.now()
        mine.save(update_fields=["practised_at"])
        record(mine.user, "practice.done", mine, project_id=mine.project_id)
    number = mine.attempts + 1
    if mine.qualified_at or not _all_answered(mine, Stage.QUALIFICATION, number):
        return
    rows = Attempt.objects.filter(lesson__project=mine.project, lesson__stage=Stage.QUALIFICATION, user=mine.user)
    told = rows.filter(number=number).aggregate(right=Sum("right"), known=Sum("known"))
    mine.attempts = number
    passed = 100 * told["right"] >= mine.project.pass_percent * told["known"]
    mine.qualified_at = timezone.now() if passed else None
    mine.save(update_fields=["attempts", "qualified_at"])
    act = "qualification.passed" if passed else "qualification.failed"
    record(mine.user, act, mine, project_id=mine.project_id, right=told["right"], known=told["known"])
    if not passed and number >= mine.project.attempts + mine.extra_attempts:
        screen(project=mine.project, user=mine.user)


def _all_answered(mine: Participation, stage: str, number: int | None = None) -> bool:
    """Whether each lesson of the stage has an attempt (of that number); False where there is no lesson."""
    wanted = set(lessons_of(mine.project, stage).values_list("pk", flat=True))
    answered = Attempt.objects.filter(lesson__in=wanted, user=mine.user_id)
    if number is not None:
        answered = answered.filter(number=number)
    return bool(wanted) and wanted == set(answered.values_list("lesson", flat=True))
