"""What a rater is told whose answer was not the known one: what is known, why, and which principle decides."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from labeling.models import Assignment, GoldAnswer, GoldPair, GoldResult, Guideline, User
from labeling.reports.guidelines import Principle, principles_of


@dataclass(frozen=True, slots=True)
class Missed:
    """`guideline` is the version that `principle` is read in; both None where none decides, or it is gone."""

    gold: GoldPair
    guideline: Guideline | None
    principle: Principle | None


def missed(assignment: Assignment, rater: User) -> Missed | None:
    """None unless the answer was measured and was not the known one. At most two queries."""
    rows = GoldResult.objects.filter(annotation__assignment=assignment, rater=rater, set_aside=False)
    results = list(rows.select_related("gold_pair__project"))
    if all(one.right for one in results):
        return None
    gold = results[0].gold_pair
    if gold.principle is None:
        return Missed(gold, None, None)
    guideline = Guideline.objects.filter(project=gold.project_id, version__isnull=False).order_by("-version").first()
    principle = next((one for one in principles_of(guideline) if one.number == gold.principle), None)
    return Missed(gold, guideline if principle else None, principle)


def known_body(known: Iterable[GoldAnswer], *, first_id: int, swapped: bool = False) -> dict[str, Any]:
    """Known answers as the judgments of a body, the first response on the left unless `swapped`."""
    judgments: dict[str, Any] = {}
    for gold in known:
        answer = judgments.setdefault(gold.criterion.key, {})
        side = "left" if (gold.response_id == first_id) != swapped else "right"
        if gold.both_bad:
            answer["both_bad"] = True
        elif gold.preference is not None:
            answer["preference"] = -gold.preference if swapped else gold.preference
        elif gold.rating is not None:
            answer[side] = {"rating": gold.rating}
        else:
            answer[side] = {"safe": gold.safe}
    return judgments
