"""Lessons: pairs with known answers to practise on and to qualify by. A manager makes them, a rater answers them.

A pair that is a lesson is no work: its open slots are taken away, and it comes back into the queues when it is a
lesson no more. Attempts are no annotations and reach no feed and no dataset.
"""

from __future__ import annotations

from typing import Any

from django.db import transaction
from django.utils.translation import gettext as _

from labeling.actions.gold import learn_gold, tell_gold
from labeling.actions.practice import settle_all
from labeling.actions.queues import put_back, take_out
from labeling.actions.refusals import Refused
from labeling.audit import record
from labeling.models import GoldPair, Lesson, Pair, Project, User
from labeling.reports.entry import sensitive

MOST_LESSONS, LAST_POSITION = 50, 1000
LONGEST_EXPLANATION = 4000


@transaction.atomic
def add_lesson(*, project: Project, pair: Pair, stage: str, by: User) -> Lesson:
    """Make a pair of the project a lesson, the last of its stage. What an import knew about it is known at once."""
    if stage not in Lesson.Stage.values:
        raise Refused("invalid", _("Choose practice or qualification."), {"stage": "unknown"})
    Project.objects.select_for_update(no_key=True).get(pk=project.pk)
    others = list(Lesson.objects.filter(project=project, stage=stage).order_by("position", "pk"))
    if any(other.pair_id == pair.pk for other in others):
        raise Refused("already_a_lesson", _("This pair is a lesson of this stage already."))
    if len(others) >= MOST_LESSONS:
        raise Refused("too_many", _("A stage has at most %(most)s lessons.") % {"most": MOST_LESSONS})
    if Pair.objects.filter(sensitive("item"), pk=pair.pk).exists():
        raise Refused("sensitive_pair", _("This pair is of a sensitive topic, which raters see by their choice only."))
    if GoldPair.objects.filter(pair=pair, retired_at=None).exists():
        raise Refused("already_gold", _("This pair is among the known ones already."))
    take_out(pair=pair)
    position = others[-1].position + 1 if others else 1
    lesson = Lesson.objects.create(project=project, pair=pair, stage=stage, position=position)
    learn_gold(project=project, pair=pair)
    record(by, "lesson.added", lesson, project_id=project.pk, stage=stage, pair=pair.pk)
    return lesson


@transaction.atomic
def change_lesson(
    *, lesson: Lesson, by: User, body: Any, known: set[str], explanation: str, principle: int | None, position: int
) -> Lesson:
    """What is known of its pair, why, which principle decides, and its place among the lessons of its stage."""
    errors = {}
    if len(explanation) > LONGEST_EXPLANATION or "\0" in explanation:
        errors["explanation"] = _("An explanation has at most 4,000 characters and no NUL.")
    if not 0 <= position <= LAST_POSITION:
        errors["position"] = _("A place from 0 to %(last)s.") % {"last": LAST_POSITION}
    if errors:
        raise Refused("invalid", " ".join(errors.values()), errors)
    tell_gold(pair=lesson.pair, by=by, body=body, known=known)
    lesson.explanation, lesson.principle, lesson.position = explanation.strip(), principle, position
    lesson.save(update_fields=["explanation", "principle", "position"])
    record(by, "lesson.changed", lesson, project_id=lesson.project_id)
    settle_all(lesson.project)
    return lesson


@transaction.atomic
def remove_lesson(*, lesson: Lesson, by: User) -> None:
    """The pair is work again, unless it is a lesson of the other stage too. What people answered to it is forgotten."""
    project, pair = lesson.project, lesson.pair
    record(by, "lesson.removed", lesson, project_id=project.pk, stage=lesson.stage, pair=pair.pk)
    lesson.delete()
    if not Lesson.objects.filter(pair=pair).exists():
        put_back(pair=pair)
    settle_all(project)


@transaction.atomic
def change_entry_rules(*, project: Project, by: User, pass_percent: int, attempts: int) -> None:
    """How many right answers qualify, in percent, and how often one may try."""
    if not 0 <= pass_percent <= 100 or not 1 <= attempts <= 100:
        raise Refused("invalid", _("From 0 to 100 percent, and from 1 to 100 tries."), {"pass_percent": "out of range"})
    before = {"pass_percent": project.pass_percent, "attempts": project.attempts}
    project.pass_percent, project.attempts = pass_percent, attempts
    project.save(update_fields=["pass_percent", "attempts"])
    after = {"pass_percent": pass_percent, "attempts": attempts}
    record(by, "project.changed", project, project_id=project.pk, before=before, after=after)
