"""What is told of an answer to a known pair: for each known question what was said, what is known, whether it met."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from django.utils.translation import gettext as _

from labeling.actions.answers import read_answers
from labeling.actions.practice import mark
from labeling.actions.reading import Answer
from labeling.actions.refusals import Refused
from labeling.models import Criterion, GoldAnswer, GoldPair, Lesson
from labeling.reports.desk import Shown
from labeling.web.scales import steps, told

Kind = Criterion.Kind


@dataclass(frozen=True, slots=True)
class Told:
    """One known question. `said` and `known` are in words, as on the screen."""

    title: str
    said: str
    known: str
    right: bool
    note: str = ""


def feedback_on(known_of: Lesson | GoldPair, body: Any, swapped: bool, shown: Shown) -> list[Told]:
    """Row by row what a `body` met, given in the order that `swapped` says; empty when the questions have changed
    since, so that the old answer cannot be read any more."""
    criteria = {criterion.pk: criterion for criterion in shown.criteria}
    pair = shown.assignment.pair
    try:
        answers = read_answers(body, criteria=criteria.values(), pair=pair, swapped=swapped)
    except Refused:
        return []
    said = {(answer.criterion_id, answer.response_id): answer for answer in answers}
    marked = mark(known_of, answers)
    known = {(gold.criterion_id, gold.response_id): gold for gold in marked.known}
    rows = []
    for one in marked.marks:
        where = (one.criterion_id, one.response_id)
        criterion, gold, answer = criteria.get(one.criterion_id), known[where], said.get(where)
        if criterion is None:
            continue
        rows.append(
            Told(
                title=_title(criterion, one.response_id, shown),
                said=_words(criterion, answer, swapped) if answer else _("no answer"),
                known=_words(criterion, gold, swapped),
                right=one.right,
                note=_note(criterion, gold),
            )
        )
    return rows


def _title(criterion: Criterion, response_id: int | None, shown: Shown) -> str:
    if response_id is None or shown.right is None:
        return told(criterion.name)
    letter = "A" if response_id == shown.left.pk else "B"
    return _("%(question)s: %(letter)s") % {"question": told(criterion.name), "letter": letter}


def _words(criterion: Criterion, value: Answer | GoldAnswer, swapped: bool) -> str:
    if value.both_bad:
        return _("Neither is acceptable")
    if value.rating is not None:
        return _("%(rating)s of %(most)s") % {"rating": value.rating, "most": criterion.maximum}
    if value.safe is not None:
        return _("Safe") if value.safe else _("Unsafe")
    shown = -(value.preference or 0) if swapped else (value.preference or 0)
    return next((choice.name for choice in steps(criterion, shown) if choice.checked), str(shown))


def _note(criterion: Criterion, gold: GoldAnswer) -> str:
    if gold.rating is not None:
        return _("One step more or less counts as right.")
    return _("Any strength on that side counts as right.") if gold.preference else ""
