"""How an answer met what is known of its pair. Runs in the transaction of the answer; labeling/actions/checks.py acts.

A preference is right by its side, safety and “neither” as they are, a rating within one step (actions/marking.py),
and a question about both responses when both are right.

A wrong answer is told to its rater at once, with what is known. So it stays wrong when they change it afterwards;
one that was right may become wrong.
"""

from __future__ import annotations

from collections.abc import Iterable

from django.db import transaction
from django.db.models import F
from django.utils import timezone

from labeling.actions.checks import look_at
from labeling.actions.gold_lane import MOST_SHOWN
from labeling.actions.gold_pairs import retire_worn
from labeling.actions.marking import marks
from labeling.actions.reading import Answer
from labeling.models import Annotation, Assignment, Criterion, GoldAnswer, GoldPair, GoldResult, User


def note_answer(held: Assignment, annotation: Annotation, answers: list[Answer]) -> None:
    """Keep how a first answer met what is known, and look at its rater.

    Nothing is kept of a pair that was found wrong while the rater had it.
    """
    gold = GoldPair.objects.select_for_update(of=("self",), no_key=True).filter(pair=held.pair_id).first()
    if gold is None or (gold.retired_at is not None and gold.shown < MOST_SHOWN):
        return
    met = _met(held, answers)
    if not met:
        return
    GoldResult.objects.bulk_create(_results(annotation, gold, met))
    GoldPair.objects.filter(pk=gold.pk).update(shown=F("shown") + 1, right=F("right") + int(all(met.values())))
    gold.shown += 1
    if gold.shown >= MOST_SHOWN and gold.retired_at is None:
        gold.pair = held.pair
        retire_worn(gold)
    look_at(project=held.project, rater=annotation.rater)


def note_change(held: Assignment, before: Annotation, annotation: Annotation, answers: list[Answer]) -> None:
    """Keep how a changed answer met what is known: what was right is looked at anew, what was wrong stays."""
    old = {one.criterion_id: one for one in GoldResult.objects.filter(annotation=before).select_related("gold_pair")}
    if not old:
        return
    gold = next(iter(old.values())).gold_pair
    was_right = all(one.right for one in old.values())
    met = _met(held, answers)
    for criterion_id, one in old.items():
        one.annotation, one.right = annotation, one.right and met.get(criterion_id, False)
    GoldResult.objects.bulk_update(old.values(), ["annotation", "right"])
    if was_right and not all(one.right for one in old.values()):
        GoldPair.objects.filter(pk=gold.pk).update(right=F("right") - 1)


@transaction.atomic
def have_told(*, project_id: int, rater: User, assignment_id: int) -> None:
    """The rater has read what is known of this pair."""
    untold = GoldResult.objects.filter(project=project_id, rater=rater, right=False, told_at=None)
    untold.filter(annotation__assignment=assignment_id).update(told_at=timezone.now())


def _met(held: Assignment, answers: Iterable[Answer]) -> dict[int, bool]:
    """By criterion, whether all that is known under it was met."""
    known = list(GoldAnswer.objects.filter(pair=held.pair_id))
    met: dict[int, bool] = {}
    for mark in marks(answers, known, Criterion.objects.filter(project=held.project_id)):
        met[mark.criterion_id] = met.get(mark.criterion_id, True) and mark.right
    return met


def _results(annotation: Annotation, gold: GoldPair, met: dict[int, bool]) -> list[GoldResult]:
    return [
        GoldResult(
            project_id=gold.project_id, annotation=annotation, gold_pair=gold, criterion_id=criterion_id,
            rater_id=annotation.rater_id, right=right,
        )
        for criterion_id, right in met.items()
    ]  # fmt: skip
