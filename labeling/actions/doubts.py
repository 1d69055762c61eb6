"""Asking about answers that do not go together, in the words of the screen: what labeling.consistency found."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from django.utils.translation import gettext as _

from labeling.actions.reading import Answer, Kind, Reading
from labeling.actions.refusals import Refused
from labeling.consistency import Hint, Preference, Rating, Said, hints
from labeling.models import Criterion

LEFT, RIGHT = -1, 1


def kept_hints(
    reading: Reading, criteria: Iterable[Criterion], rules: list[dict[str, Any]], kept: Iterable[str], *, ask: bool
) -> list[str]:
    """The rules that fire and that the rater meant.

    With `ask`, a rule that fires and was not kept is Refused("hints"), whose errors say at "hints.<rule>.<criterion>"
    what does not go together.
    """
    found = hints(_said(reading, {criterion.pk: criterion for criterion in criteria}), rules)
    meant = set(kept)
    open_ones = [hint for hint in found if hint.rule not in meant]
    if ask and open_ones:
        raise Refused(
            "hints",
            _("Two of your answers may not go together. Keep them if you mean both."),
            {f"hints.{hint.rule}.{hint.key}": _in_words(hint) for hint in open_ones},
        )
    return sorted({hint.rule for hint in found if hint.rule in meant})


def _said(reading: Reading, criteria: dict[int, Criterion]) -> Said:
    """The answers as they were shown: the left response is -1."""
    said = Said(unsafe={})
    unsafe: dict[int, bool] = {}
    for answer in reading.answers:
        criterion = criteria[answer.criterion_id]
        side = LEFT if answer.response_id == reading.response("left") else RIGHT
        if criterion.kind == Kind.PREFERENCE:
            said.preferences.append(_preference(answer, criterion, reading.swapped))
        elif answer.rating is not None:
            span = criterion.maximum - criterion.minimum
            said.ratings.append(Rating(criterion.key, side, answer.rating, span))
        elif answer.safe is not None:
            unsafe[side] = unsafe.get(side, False) or not answer.safe
    return Said(said.preferences, said.ratings, unsafe)


def _preference(answer: Answer, criterion: Criterion, swapped: bool) -> Preference:
    value = answer.preference
    shown = -value if swapped and value is not None else value
    return Preference(criterion.key, shown, criterion.strengths, criterion.asked == Criterion.Asked.ON_CONFLICT)


def _in_words(hint: Hint) -> str:
    letters = {"one": "A" if hint.side == LEFT else "B", "other": "B" if hint.side == LEFT else "A"}
    if hint.rule == "preferred_unsafe":
        return _("You prefer %(one)s, which you marked unsafe; %(other)s you marked safe.") % letters
    if hint.rule == "far_from_ratings":
        return _("This is far from how you rated the two responses.")
    return _("You found neither acceptable, but rated %(one)s high.") % letters
