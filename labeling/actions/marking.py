"""A rater's answers beside the known ones. Numbers and sides only; what is stored, the verbs decide."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from labeling.actions.reading import Answer
from labeling.models import Criterion, GoldAnswer

RATING_APART = 1


@dataclass(frozen=True, slots=True)
class Mark:
    """One known answer and whether the rater met it."""

    criterion_id: int
    response_id: int | None
    right: bool


def marks(answers: Iterable[Answer], known: Iterable[GoldAnswer], criteria: Iterable[Criterion]) -> list[Mark]:
    """A mark for each known answer that was asked for, in the order of `known`.

    A question that is always asked and was left out is wrong; one that only a conflict asks for, or that is asked no
    more, is no part of the count.
    """
    given = {(answer.criterion_id, answer.response_id): answer for answer in answers}
    always = {one.pk for one in criteria if one.asked == Criterion.Asked.ALWAYS}
    made = []
    for gold in known:
        answer = given.get((gold.criterion_id, gold.response_id))
        if answer is not None or gold.criterion_id in always:
            made.append(Mark(gold.criterion_id, gold.response_id, answer is not None and meets(answer, gold)))
    return made


def meets(answer: Answer, gold: GoldAnswer) -> bool:
    """A preference by its side, a tie and “neither” as such, safety as such, a rating within one step."""
    if gold.rating is not None:
        return answer.rating is not None and abs(answer.rating - gold.rating) <= RATING_APART
    if gold.safe is not None:
        return answer.safe == gold.safe
    if gold.both_bad or answer.both_bad:
        return gold.both_bad and answer.both_bad
    return answer.preference is not None and _side(answer.preference) == _side(gold.preference or 0)


def _side(preference: int) -> int:
    return (preference > 0) - (preference < 0)
