"""The form of the desk, filled by a manager with what is known about a pair: for lessons and for known answers."""

from __future__ import annotations

from typing import Any

from labeling.actions.refusals import Refused
from labeling.models import Criterion, GoldAnswer, GoldPair, Lesson
from labeling.reports.lessons import shown_lesson
from labeling.reports.missed import known_body
from labeling.web.guards import PersonRequest
from labeling.web.questions import asked, body_of, without_words

Kind = Criterion.Kind
KNOWABLE = (Kind.PREFERENCE, Kind.SAFETY, Kind.RATING)


def known_form(found: Lesson | GoldPair, request: PersonRequest, refused: Refused | None) -> dict[str, Any]:
    """The desk's form, filled with what was sent or is known; `marked` are the criteria that are said to be known."""
    shown = shown_lesson(found, swapped=False)
    known = list(GoldAnswer.objects.filter(pair=found.pair_id).select_related("criterion"))
    knowable = [one for one in shown.criteria if one.kind in KNOWABLE and (shown.right or one.kind != Kind.PREFERENCE)]
    if request.method == "POST":
        body, marked = body_of(request.POST), set(request.POST.getlist("known"))
    else:
        body = {"judgments": known_body(known, first_id=found.pair.first_id)}
        always = {one.key for one in knowable if one.asked == Criterion.Asked.ALWAYS}
        marked = {gold.criterion.key for gold in known} or always
    shown.criteria[:] = knowable
    return {
        "shown": shown,
        "asked": without_words(asked(shown, body, refused.errors if refused else None)),
        "knowable": [(one, one.key in marked) for one in knowable],
    }
