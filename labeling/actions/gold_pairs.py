"""Pairs with known answers that are mixed into the work: made, taken in, changed, retired.

Such a pair is no ordinary work. Its open slots leave the queues, what was judged stays, and it is shown in the lane
of known answers (labeling/actions/gold_lane.py) until it was shown often enough. A pair of a sensitive topic cannot
be one: nobody could choose it before seeing it. Locks: the project, the gold pair, then queues.
"""

from __future__ import annotations

from collections import Counter
from typing import Any

from django.db import transaction
from django.db.models import Exists, OuterRef
from django.utils import timezone
from django.utils.translation import gettext as _

from labeling.actions.gold import learn_gold, tell_gold
from labeling.actions.gold_lane import MOST_SHOWN, empty_gold_lanes, fill_gold_lanes
from labeling.actions.queues import put_back, take_out
from labeling.actions.refusals import Refused
from labeling.audit import record
from labeling.models import Batch, GoldAnswer, GoldPair, GoldResult, Lesson, Pair, Project, Slot, User, Withdrawal
from labeling.models.queues import HIDDEN
from labeling.reports.entry import sensitive

LONGEST_EXPLANATION, LONGEST_WHY = 4000, 300
MOST_AT_ONCE = 500
Source = GoldPair.Source


@transaction.atomic
def make_gold(*, pair: Pair, by: User, source: str, explanation: str = "", principle: int | None = None) -> GoldPair:
    """Mix a pair whose answers are known into the work of its project; one that was retired comes back.

    What an import knew about it is known at once. Refused: "nothing_known", "already_gold", "shown_enough",
    "already_a_lesson", "sensitive_pair", "found_broken", "withdrawn", "held_now".
    """
    project = Project.objects.select_for_update(no_key=True).get(pk=pair.project_id)
    learn_gold(project=project, pair=pair)
    made = _make(pair, by, source, _explained(explanation), principle)
    fill_gold_lanes(project_id=project.pk)
    return made


@transaction.atomic
def take_in_gold(*, project: Project, by: User, batch: Batch | None = None) -> dict[str, int]:
    """Every pair of the project, or of one import, that came with known answers: at most MOST_AT_ONCE a call.

    Returns how many were "made" and how many were left out, by the code that says why; "more" wait for another call.
    """
    project = Project.objects.select_for_update(no_key=True).get(pk=project.pk)
    learn_gold(project=project)
    known = Exists(GoldAnswer.objects.filter(pair=OuterRef("pk")))
    pairs = Pair.objects.filter(known, project=project, item__gold__isnull=False)
    if batch is not None:
        pairs = pairs.filter(item__batch=batch)
    pairs = pairs.exclude(Exists(GoldPair.objects.filter(pair=OuterRef("pk")))).order_by("pk")
    done: Counter[str] = Counter()
    for pair in pairs[:MOST_AT_ONCE]:
        try:
            with transaction.atomic():
                _make(pair, by, Source.IMPORT, "", None)
            done["made"] += 1
        except Refused as refused:
            done[refused.code] += 1
    done["more"] = max(0, pairs.count() - sum(done.values()) + done["made"])
    fill_gold_lanes(project_id=project.pk)
    record(by, "gold.taken_in", batch or project, project_id=project.pk, **done)
    return dict(done)


@transaction.atomic
def tell_by_hand(
    *, pair: Pair, by: User, body: Any, known: set[str], explanation: str, principle: int | None
) -> GoldPair:
    """Say what is known about a pair and mix it in; of one that is mixed in already, only say it."""
    Project.objects.select_for_update(no_key=True).get(pk=pair.project_id)
    gold = GoldPair.objects.filter(pair=pair).first()
    if gold is None:
        tell_gold(pair=pair, by=by, body=body, known=known)
        return make_gold(pair=pair, by=by, source=Source.HAND, explanation=explanation, principle=principle)
    gold = change_gold(gold=gold, by=by, body=body, known=known, explanation=explanation, principle=principle)
    if gold.retired_at is None:
        return gold
    return make_gold(pair=pair, by=by, source=gold.source, explanation=explanation, principle=principle)


@transaction.atomic
def change_gold(
    *, gold: GoldPair, by: User, body: Any, known: set[str], explanation: str, principle: int | None
) -> GoldPair:
    """What is known of its pair, why, and which principle decides.

    Where another answer is known than before, what was measured by the old one counts for nobody.
    """
    explanation = _explained(explanation)
    gold = GoldPair.objects.select_for_update(of=("self",), no_key=True).select_related("pair").get(pk=gold.pk)
    before = _answers(gold.pair)
    tell_gold(pair=gold.pair, by=by, body=body, known=known)
    if not _answers(gold.pair):
        raise Refused("nothing_known", _("Say what is known about this pair first."), {"known": "empty"})
    if _answers(gold.pair) != before:
        GoldResult.objects.filter(gold_pair=gold).update(set_aside=True)
    gold.explanation, gold.principle = explanation, principle
    gold.save(update_fields=["explanation", "principle"])
    record(by, "gold.changed", gold, project_id=gold.project_id, pair=gold.pair_id)
    return gold


@transaction.atomic
def retire_gold(*, gold: GoldPair, by: User | None, why: str = "") -> None:
    """Show it no more. A pair that was not shown often enough is ordinary work again; retiring it again is no error."""
    gold = GoldPair.objects.select_for_update(of=("self",), no_key=True).select_related("pair").get(pk=gold.pk)
    if gold.retired_at is not None:
        return
    gold.retired_at, gold.retired_why = timezone.now(), " ".join(why.split())[:LONGEST_WHY]
    gold.save(update_fields=["retired_at", "retired_why"])
    empty_gold_lanes(pair=gold.pair)
    if gold.shown < MOST_SHOWN:
        put_back(pair=gold.pair)
    record(by, "gold.retired", gold, project_id=gold.project_id, pair=gold.pair_id, why=gold.retired_why)


def retire_worn(gold: GoldPair) -> None:
    """After its last showing, in the transaction of the answer, which holds the gold pair's row."""
    GoldPair.objects.filter(pk=gold.pk).update(retired_at=timezone.now(), retired_why=_("Shown often enough"))
    empty_gold_lanes(pair=gold.pair)
    record(None, "gold.worn", gold, project_id=gold.project_id, pair=gold.pair_id, shown=gold.shown)


def _make(pair: Pair, by: User, source: str, explanation: str, principle: int | None) -> GoldPair:
    if source not in Source.values:
        raise Refused("invalid", _("Unknown source."), {"source": "unknown"})
    old = GoldPair.objects.select_for_update(no_key=True).filter(pair=pair).first()
    _check(pair, old)
    take_out(pair=pair)
    made = old or GoldPair(project_id=pair.project_id, pair=pair, created_by=by)
    made.source, made.explanation, made.principle = source, explanation, principle
    made.retired_at, made.retired_why = None, ""
    made.save()
    record(by, "gold.made", made, project_id=pair.project_id, pair=pair.pk, source=source)
    return made


def _check(pair: Pair, old: GoldPair | None) -> None:
    slots = Slot.objects.filter(queue__project=pair.project_id, pair=pair, lane=HIDDEN, state=Slot.State.OPEN)
    refusals = (
        (old is not None and old.retired_at is None, "already_gold", _("This pair is among the known ones already.")),
        (old is not None and old.shown >= MOST_SHOWN, "shown_enough", _("This pair was shown often enough.")),
        (
            not GoldAnswer.objects.filter(pair=pair).exists(),
            "nothing_known",
            _("Say what is known about this pair first."),
        ),
        (
            Lesson.objects.filter(pair=pair).exists(),
            "already_a_lesson",
            _("This pair is a lesson, so raters have seen its answer."),
        ),
        (
            Pair.objects.filter(sensitive("item"), pk=pair.pk).exists(),
            "sensitive_pair",
            _("This pair is of a sensitive topic, which raters see by their choice only."),
        ),
        (slots.exists(), "found_broken", _("This pair was found broken and is out of rotation.")),
        (
            Withdrawal.objects.filter(item=pair.item_id, lifted_at=None).exists(),
            "withdrawn",
            _("This item was withdrawn, so nobody is given it."),
        ),
    )
    for refused, code, message in refusals:
        if refused:
            raise Refused(code, message, {"pair": message})


def _explained(explanation: str) -> str:
    if len(explanation) > LONGEST_EXPLANATION or "\0" in explanation:
        said = _("An explanation has at most 4,000 characters and no NUL.")
        raise Refused("invalid", said, {"explanation": said})
    return explanation.strip()


def _answers(pair: Pair) -> set[tuple[Any, ...]]:
    """What is known, as far as it is compared: a preference by its side only."""
    rows = GoldAnswer.objects.filter(pair=pair)
    fields = rows.values_list("criterion", "response", "preference", "both_bad", "rating", "safe")
    return {(c, r, p and (p > 0) - (p < 0), b, rating, safe) for c, r, p, b, rating, safe in fields}
