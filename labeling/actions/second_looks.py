"""A pair that came back to its rater with the sides swapped: what they say now, beside what they said first.

It is no annotation, fills no slot and is in no dataset; only the rater's own counts know of it. The answers as they
were sent stay with the assignment, as a draft does, so that their rater can read and change them.
"""

from __future__ import annotations

from typing import Any

from django.utils import timezone
from django.utils.translation import gettext as _

from labeling.actions.reading import Answer
from labeling.actions.refusals import Refused
from labeling.models import Annotation, Assignment, Criterion, Judgment, SecondLook

State = Assignment.State


def keep(held: Assignment, answers: list[Answer], body: Any, active_ms: int | None) -> Annotation:
    """Store the second look of an assignment that is just being closed. The annotation stands for it, unsaved."""
    Assignment.objects.filter(pk=held.pk).update(draft=_plain(body))
    criterion = _criterion(held)
    answer = next((one for one in answers if criterion and one.criterion_id == criterion.pk), None)
    SecondLook.objects.filter(assignment=held).delete()
    if criterion is not None and answer is not None:
        SecondLook.objects.create(
            project_id=held.project_id, assignment=held, rater_id=held.rater_id, criterion=criterion,
            preference=answer.preference, before=_before(held, criterion), active_ms=active_ms,
        )  # fmt: skip
    return standing_for(held)


def standing_for(held: Assignment) -> Annotation:
    """What takes an annotation's place where a page or an answer speaks of one. It has no id."""
    return Annotation(
        assignment=held, project_id=held.project_id, pair_id=held.pair_id, rater_id=held.rater_id,
        guideline_id=held.guideline_id, revision=1, created_at=held.ended_at or timezone.now(),
    )  # fmt: skip


def same_answers(held: Assignment, body: Any) -> bool:
    return held.draft == _plain(body)


def check_free(held: Assignment) -> None:
    """Refuse an answer that comes late to a pair that the rater was given once more since."""
    others = Assignment.objects.filter(repeats=held.repeats_id).exclude(pk=held.pk)
    if others.filter(state__in=[State.OPEN, State.SUBMITTED, State.SKIPPED]).exists():
        raise Refused(
            "already_yours", _("You have this pair open, or answered it, in another tab. Nothing was changed.")
        )


def _criterion(held: Assignment) -> Criterion | None:
    """The preference that decides: the queue's, or the first of the project."""
    preferences = Criterion.objects.filter(project=held.project_id, kind=Criterion.Kind.PREFERENCE)
    wanted = held.queue.criterion_id if held.queue else None
    return preferences.filter(pk=wanted or 0).first() or preferences.exclude(asked=Criterion.Asked.NEVER).first()


def _before(held: Assignment, criterion: Criterion) -> int | None:
    said = Judgment.objects.filter(
        annotation__assignment=held.repeats_id, annotation__current=True, criterion=criterion
    )
    return said.values_list("preference", flat=True).first()


def _plain(body: Any) -> dict[str, Any]:
    """What was answered, without what only says how."""
    return {name: body[name] for name in ("judgments", "principle", "kept_hints") if body.get(name) is not None}
