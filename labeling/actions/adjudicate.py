"""What an adjudicator does: decide on a pair, decide on many at once, pass one on; and what managers answer to that.

A decision lies beside the judgments and changes none of them. A later one takes its place; both stay to be read.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from copy import copy
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from django.db import transaction
from django.db.models import Exists, F, OuterRef, Q
from django.utils import timezone
from django.utils.translation import gettext as _

from labeling.actions.answers import read_answers
from labeling.actions.disagreements import look_at
from labeling.actions.gold import store_gold
from labeling.actions.gold_pairs import make_gold
from labeling.actions.guidelines import cited_principle, current_guideline
from labeling.actions.reading import Answer
from labeling.actions.refusals import Refused
from labeling.audit import record
from labeling.models import (
    Adjudication,
    Annotation,
    Criterion,
    Disagreement,
    Escalation,
    GoldAnswer,
    GoldPair,
    Guideline,
    Pair,
    Project,
    Queue,
    Slot,
    User,
)
from labeling.models.queues import GOLD, HIDDEN
from labeling.reports.crowd_choice import Choice, crowd_choices
from labeling.reports.disagreements import DECIDABLE

MOST_AT_ONCE = 200  # pairs of one decision in bulk
LONGEST_REASON, LONGEST_NOTE = 4000, 2000
HOLD = timedelta(minutes=10)
VALUES = ("preference", "both_bad", "rating", "safe")
Key = tuple[int, int, int | None]  # pair, criterion, response


@dataclass(frozen=True, slots=True)
class InBulk:
    """Of a decision on many pairs: those decided, and those left, because no answer has more raters than the others,
    somebody decided meanwhile, or the person judged them."""

    decided: list[int]
    left: list[int]


@transaction.atomic
def decide(*, pair: Pair, by: User, body: Any, reason: str, seen: int | None = None) -> list[Adjudication]:
    """Decide on criteria of a pair. `body` is an annotation's with the first response on the left; it may answer any of
    the criteria that can be decided, and cite a principle of the current guideline.

    `seen` is the newest decision on the pair that the person knew of, 0 for none. Raises Refused: "invalid",
    "judged_yourself", "decided_meanwhile", and "unchanged" when everything is decided just so.
    """
    reason = _words(reason, "reason", LONGEST_REASON)
    locked = _lock([pair.pk])[0]
    _not_ones_own(locked, by)
    _nothing_newer(locked, seen)
    guideline = current_guideline(locked.project)
    answers = read_answers(body, criteria=decidable(locked.project.criteria.all()), pair=locked, swapped=False)
    made = _write(
        locked.project, by, reason, guideline, [_row(locked, a) for a in answers], cited_principle(guideline, body)
    )
    if not made:
        raise Refused("unchanged", _("This is decided so already, for the same reason."))
    _settle(locked.project, [locked.pk])
    record(by, "pair.decided", locked, project_id=locked.project_id, decisions=[one.pk for one in made])
    return made


@transaction.atomic
def decide_in_bulk(*, project: Project, by: User, pairs: Sequence[int], reason: str) -> InBulk:
    """Take what most raters said, on the criteria that divide them, for all these pairs; one reason for all.

    Each can be decided anew afterwards. Raises Refused("invalid") above MOST_AT_ONCE pairs, or without a reason.
    """
    reason = _words(reason, "reason", LONGEST_REASON)
    if not 0 < len(set(pairs)) <= MOST_AT_ONCE:
        said = _("Choose from 1 to %(most)s pairs at once.") % {"most": MOST_AT_ONCE}
        raise Refused("invalid", said, {"pairs": said})
    locked = [pair for pair in _lock(pairs) if pair.project_id == project.pk]
    own = set(Annotation.objects.filter(pair__in=locked, rater=by).values_list("pair", flat=True))
    open_ones = Disagreement.objects.filter(pair__in=[pair for pair in locked if pair.pk not in own])
    choices = crowd_choices(project.pk, {one.pair_id: one.criteria for one in open_ones})
    guideline, rows = current_guideline(project), []
    for pair in locked:
        if pair.item.author_id != by.pk:
            rows += [_row(pair, choice) for choice in choices.get(pair.pk, [])]
    decided_before = {_key(one) for one in Adjudication.objects.filter(pair__in=locked, current=True)}
    rows = [row for row in rows if _key(row) not in decided_before]
    made = _write(project, by, reason, guideline, rows, None, in_bulk=True)
    decided = sorted({one.pair_id for one in made})
    _settle(project, decided)
    if decided:
        record(by, "pairs.decided", project, project_id=project.pk, pairs=decided, decisions=[one.pk for one in made])
    return InBulk(decided, sorted(set(pairs) - set(decided)))


@transaction.atomic
def escalate(*, pair: Pair, by: User, note: str) -> Escalation:
    """Pass a pair on to the managers, with a question. Raises Refused("invalid" or "escalated")."""
    note = _words(note, "note", LONGEST_NOTE)
    locked = _lock([pair.pk])[0]
    if Escalation.objects.filter(pair=locked, closed_at=None).exists():
        raise Refused("escalated", _("This pair is with the managers already."))
    made = Escalation.objects.create(project=locked.project, pair=locked, note=note, created_by=by)
    record(by, "pair.escalated", made, project_id=locked.project_id, pair=locked.pk)
    look_at(locked.project_id, [locked.pk])
    return made


@transaction.atomic
def answer_escalation(*, escalation: Escalation, by: User, answer: str) -> Escalation:
    """The pair goes back to the adjudicators, unless it is decided. Raises Refused("invalid" or "answered")."""
    answer = _words(answer, "answer", LONGEST_NOTE)
    held = Escalation.objects.select_for_update().get(pk=escalation.pk)
    if held.closed_at is not None:
        raise Refused("answered", _("Somebody has answered this already."))
    held.answer, held.closed_by, held.closed_at = answer, by, timezone.now()
    held.save(update_fields=["answer", "closed_by", "closed_at"])
    record(by, "escalation.answered", held, project_id=held.project_id, pair=held.pair_id)
    look_at(held.project_id, [held.pair_id])
    return held


@transaction.atomic
def use_as_check(*, pair: Pair, by: User) -> GoldPair:
    """Let what was decided be known of the pair, and mix it into the work unseen; the newest reason explains it.

    Raises Refused("undecided"), or what `make_gold` refuses.
    """
    locked = _lock([pair.pk])[0]
    decided = list(Adjudication.objects.filter(pair=locked, current=True).order_by("-pk"))
    if not decided:
        raise Refused("undecided", _("Decide on this pair first: what was decided is what is known."))
    GoldAnswer.objects.filter(pair=locked).delete()
    known = [
        Answer(
            one.criterion_id, one.response_id, preference=one.preference, both_bad=one.both_bad, rating=one.rating,
            safe=one.safe,
        )
        for one in decided
    ]  # fmt: skip
    store_gold(locked, known)
    newest = decided[0]
    return make_gold(
        pair=locked, by=by, source=GoldPair.Source.ADJUDICATION, explanation=newest.reason, principle=newest.principle
    )


def hold(*, disagreement: Disagreement, by: User) -> Disagreement:
    """Let others see that somebody looks at it, for a while. Whoever holds it already keeps it; nobody is kept out."""
    now = timezone.now()
    free = Q(held_by=None) | Q(held_by=by) | Q(held_until__lt=now)
    if Disagreement.objects.filter(free, pk=disagreement.pk).update(held_by=by, held_until=now + HOLD):
        disagreement.held_by, disagreement.held_until = by, now + HOLD
    return disagreement


def decidable(criteria: Iterable[Criterion]) -> list[Criterion]:
    """What of these can be decided: none of it is demanded, and of safety only the verdict is asked."""
    found = []
    for criterion in criteria:
        if criterion.kind in DECIDABLE and criterion.asked != Criterion.Asked.NEVER:
            made = copy(criterion)
            made.required, made.categories, made.severities, made.asked = False, [], 0, Criterion.Asked.ALWAYS
            found.append(made)
    return found


def _lock(pairs: Iterable[int]) -> list[Pair]:
    """One decides on a pair at a time."""
    rows = Pair.objects.select_for_update(of=("self",), no_key=True).select_related("item", "project")
    return list(rows.filter(pk__in=set(pairs)).order_by("pk"))


def _not_ones_own(pair: Pair, by: User) -> None:
    if Annotation.objects.filter(pair=pair, rater=by).exists():
        raise Refused("judged_yourself", _("You judged this pair as a rater. Somebody else has to decide on it."))
    if pair.item.author_id == by.pk:
        raise Refused("judged_yourself", _("You wrote this text. Somebody else has to decide on it."))


def _nothing_newer(pair: Pair, seen: int | None) -> None:
    newest = Adjudication.objects.filter(pair=pair, current=True).select_related("adjudicator").order_by("-pk").first()
    if seen is not None and newest is not None and newest.pk != seen:
        told = {"name": newest.adjudicator.display_name}
        said = _("%(name)s decided on this pair while you were looking at it. Read it, then decide if you differ.")
        raise Refused("decided_meanwhile", said % told)


def _row(pair: Pair, answer: Answer | Choice) -> Adjudication:
    return Adjudication(
        project_id=pair.project_id, pair=pair, criterion_id=answer.criterion_id, response_id=answer.response_id,
        preference=answer.preference, both_bad=answer.both_bad, safe=answer.safe,
        rating=answer.rating if isinstance(answer, Answer) else None,
    )  # fmt: skip


def _key(row: Adjudication) -> Key:
    return row.pair_id, row.criterion_id, row.response_id


def _write(
    project: Project, by: User, reason: str, guideline: Guideline | None, rows: list[Adjudication],
    principle: int | None, *, in_bulk: bool = False,
) -> list[Adjudication]:  # fmt: skip
    """Put these in the place of what was decided on the same. What is decided just so already is left as it is."""
    before = {
        _key(one): one for one in Adjudication.objects.filter(pair__in={row.pair_id for row in rows}, current=True)
    }
    new = []
    for row in rows:
        row.reason, row.principle, row.guideline, row.adjudicator, row.in_bulk = (
            reason,
            principle,
            guideline,
            by,
            in_bulk,
        )
        old = before.get(_key(row))
        same = ("reason", "principle", "guideline_id", *VALUES)
        if old is None or any(getattr(old, name) != getattr(row, name) for name in same):
            new.append(row)
    replaced = [before[_key(row)].pk for row in new if _key(row) in before]
    Adjudication.objects.filter(pk__in=replaced).update(current=False)
    return Adjudication.objects.bulk_create(new)


def _settle(project: Project, pairs: list[int]) -> None:
    """Nobody is asked about these any more: open slots go, what raters hold they may finish."""
    asked = Slot.objects.filter(queue=OuterRef("pk"), pair__in=pairs, state=Slot.State.OPEN)
    queues = Queue.objects.filter(Exists(asked), project=project)
    for queue in queues.select_for_update(no_key=True).order_by("pk"):
        # A claim skips locked slots, so what is open here cannot be leased meanwhile.
        slots = Slot.objects.filter(queue=queue, pair__in=pairs).exclude(lane__in=[GOLD, HIDDEN])
        opened = slots.filter(state=Slot.State.OPEN)
        had = set(opened.values_list("pair", flat=True))
        opened.delete()
        gone = had - set(Slot.objects.filter(queue=queue, pair__in=had).values_list("pair", flat=True))
        Queue.objects.filter(pk=queue.pk).update(pair_count=F("pair_count") - len(gone))
    look_at(project.pk, pairs)


def _words(text: str, field: str, longest: int) -> str:
    """What somebody has to say; raises Refused("invalid")."""
    told = text.replace("\r\n", "\n").strip()
    if not told:
        said = {
            "reason": _("Say why: raters who differ may read it."), "note": _("Say what the managers should answer."),
            "answer": _("Write an answer."),
        }[field]  # fmt: skip
        raise Refused("invalid", said, {field: said})
    if len(told) > longest or "\0" in told:
        said = _("At most %(most)s characters, without NUL.") % {"most": longest}
        raise Refused("invalid", said, {field: said})
    return told
