"""What is known about a pair beforehand: learned from the import, or told by a manager."""

from __future__ import annotations

from collections.abc import Collection, Iterator
from typing import Any

from django.db import transaction
from django.db.models import Exists, OuterRef

from labeling.actions.answers import read_answers
from labeling.actions.reading import SIDES, Answer
from labeling.audit import record
from labeling.models import Criterion, GoldAnswer, Pair, Project, User

Kind = Criterion.Kind
BATCH = 1000
_SAFE_WORDS = {"safe": True, "unsafe": False}


@transaction.atomic
def learn_gold(*, project: Project, pair: Pair | None = None) -> int:
    """Known answers of imported items become those of their pairs; a pair that has some already keeps them.

    Only items with one pair, for an item's known answers are about its first two responses. What does not fit the
    project's criteria is left out. Returns how many pairs have learned something.
    """
    pairs = Pair.objects.filter(project=project, item__gold__isnull=False).select_related("item")
    pairs = pairs.filter(~Exists(GoldAnswer.objects.filter(pair=OuterRef("pk"))))
    more = Pair.objects.filter(item=OuterRef("item")).exclude(pk=OuterRef("pk"))
    pairs = pairs.filter(~Exists(more))
    if pair is not None:
        pairs = pairs.filter(pk=pair.pk)
    criteria = {criterion.key: criterion for criterion in project.criteria.all()}
    learned = 0
    for one in pairs.iterator(BATCH):
        answers = list(_told(one, criteria))
        store_gold(one, answers)
        learned += bool(answers)
    return learned


@transaction.atomic
def tell_gold(*, pair: Pair, by: User, body: Any, known: Collection[str]) -> None:
    """A manager's answers, in stored order (the first on the left), become what is known; `known` names the criteria.

    Replaces what was known before. Raises Refused("invalid") as the desk does; texts and reasons cannot be known.
    """
    criteria = Criterion.objects.filter(
        project_id=pair.project_id, kind__in=[Kind.PREFERENCE, Kind.SAFETY, Kind.RATING]
    )
    sent = body.get("judgments", {}) if isinstance(body, dict) else {}
    told = {key: answer for key, answer in sent.items() if key in known}
    answers = read_answers({"judgments": told}, criteria=criteria, pair=pair, swapped=False) if told else []
    GoldAnswer.objects.filter(pair=pair).delete()
    store_gold(pair, answers)
    record(by, "gold.told", pair, project_id=pair.project_id, criteria=sorted(told))


def store_gold(pair: Pair, answers: list[Answer]) -> None:
    GoldAnswer.objects.bulk_create(
        [
            GoldAnswer(
                project_id=pair.project_id, pair=pair, criterion_id=one.criterion_id, response_id=one.response_id,
                preference=one.preference, both_bad=one.both_bad, rating=one.rating, safe=one.safe,
            )
            for one in answers
        ],
        ignore_conflicts=True,
    )  # fmt: skip


def _told(pair: Pair, criteria: dict[str, Criterion]) -> Iterator[Answer]:
    """The item's known answers that fit a criterion and its scale."""
    for key, value in (pair.item.gold or {}).items():
        if criterion := criteria.get(key):
            yield from _READERS.get(Kind(criterion.kind), _nothing)(criterion, pair, value)


def _preference(criterion: Criterion, pair: Pair, value: Any) -> Iterator[Answer]:
    if pair.second_id is None:
        return
    if value == "both_bad" and criterion.allow_both_bad:
        yield Answer(criterion.pk, both_bad=True)
    elif _whole(value) and abs(value) <= criterion.strengths and (value or criterion.allow_tie):
        yield Answer(criterion.pk, preference=value)


def _safety(criterion: Criterion, pair: Pair, value: Any) -> Iterator[Answer]:
    for response_id, told in _by_response(pair, value):
        safe = _SAFE_WORDS.get(told) if isinstance(told, str) else told
        if isinstance(safe, bool):
            yield Answer(criterion.pk, response_id, safe=safe)


def _rating(criterion: Criterion, pair: Pair, value: Any) -> Iterator[Answer]:
    for response_id, told in _by_response(pair, value):
        if _whole(told) and criterion.minimum <= told <= criterion.maximum:
            yield Answer(criterion.pk, response_id, rating=told)


def _nothing(criterion: Criterion, pair: Pair, value: Any) -> Iterator[Answer]:
    yield from ()


_READERS = {Kind.PREFERENCE: _preference, Kind.SAFETY: _safety, Kind.RATING: _rating}


def _by_response(pair: Pair, value: Any) -> Iterator[tuple[int, Any]]:
    """A value of the only response, or {"first": …, "second": …} of two; "left" and "right" are read as these."""
    if pair.second_id is None:
        yield pair.first_id, value
    elif isinstance(value, dict):
        for names, response_id in (("first", SIDES[0]), pair.first_id), (("second", SIDES[1]), pair.second_id):
            told = next((value[name] for name in names if name in value), None)
            if told is not None:
                yield response_id, told


def _whole(value: Any) -> bool:
    return isinstance(value, int) and not isinstance(value, bool)
