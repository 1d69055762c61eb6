"""Decisions of adjudicators: on one pair with its history, of a project, and as a body of the desk's form."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from django.db.models import QuerySet

from labeling.models import Adjudication, Criterion, Pair, Project

_UNREAD = ("pair__item__conversation_html", "pair__item__metadata", "pair__item__gold")


def decisions_of(project: Project) -> QuerySet[Adjudication]:
    """Newest first, also those that another took the place of."""
    rows = Adjudication.objects.filter(project=project).order_by("-pk")
    return rows.select_related("criterion", "adjudicator", "guideline", "pair__item").defer(
        *_UNREAD, "guideline__text", "guideline__html", "guideline__principles"
    )


def decisions_on(pair: Pair) -> list[Adjudication]:
    """Newest first. One query."""
    rows = Adjudication.objects.filter(pair=pair).select_related("criterion", "adjudicator")
    return list(rows.order_by("-pk"))


def body_of(decisions: Iterable[Adjudication], first_id: int, *, swapped: bool = False) -> dict[str, Any]:
    """The body that would decide the same, with the first response on the left unless they are shown swapped."""
    judgments: dict[str, Any] = {}
    principle = None
    for one in decisions:
        answer = judgments.setdefault(one.criterion.key, {})
        side = "left" if (one.response_id == first_id) != swapped else "right"
        principle = one.principle or principle
        if one.both_bad:
            answer["both_bad"] = True
        elif one.preference is not None:
            answer["preference"] = -one.preference if swapped else one.preference
        elif one.rating is not None:
            answer[side] = {"rating": one.rating}
        else:
            answer[side] = {"safe": one.safe}
    return {"judgments": judgments} | ({"principle": principle} if principle else {})


def criteria_of(decisions: Iterable[Adjudication]) -> list[Criterion]:
    """The criteria that were decided, as they are asked."""
    found = {one.criterion_id: one.criterion for one in decisions}
    return sorted(found.values(), key=lambda criterion: (criterion.position, criterion.pk))
