"""One pair to decide on: both responses, what raters said and why they differ, the guideline, and the questions.

The form is the desk's, in stored order: A is the first response. It asks what raters differ on, or, with `all`, all
that can be decided.
"""

from __future__ import annotations

from copy import copy
from dataclasses import dataclass, replace
from typing import Any

from django.contrib import messages
from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils.http import urlencode
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods, require_POST

from labeling.access import MANAGERS, escalation_for, pair_for, pair_to_decide, roles_in
from labeling.actions import adjudicate
from labeling.actions.refusals import Refused
from labeling.models import Criterion, Disagreement, GoldPair, Membership, Pair
from labeling.reports.decisions import body_of as decided_body
from labeling.reports.differing import why_they_differ
from labeling.reports.disagreements import Chosen, Cursor
from labeling.reports.divided import Divided, Voice, divided
from labeling.reports.guidelines import principles_of
from labeling.web.citing import Citing
from labeling.web.decided import name_of, words_of
from labeling.web.disagreements import address_of_next
from labeling.web.guards import PersonRequest
from labeling.web.questions import Asked, asked, body_of, without_words
from labeling.web.work import in_words

DISPUTED = (Criterion.Kind.PREFERENCE, Criterion.Kind.SAFETY)


@dataclass(frozen=True, slots=True)
class Heard:
    """A rater's words beside what they are of. `said` is (question, answer, whether raters differ on it)."""

    voice: Voice
    said: list[tuple[str, str, bool]]


@require_http_methods(["GET", "HEAD", "POST"])
def disagreement(request: PersonRequest, slug: str, pk: int) -> HttpResponse:
    """The pair; POST decides on it and goes on to the next."""
    pair = pair_to_decide(request.user, slug, pk)
    chosen, place = Chosen.of(request.POST or request.GET), _place(pair)
    body, refused = None, None
    if request.method == "POST":
        body = body_of(request.POST)
        seen = request.POST.get("seen", "")
        try:
            adjudicate.decide(
                pair=pair, by=request.user, body=body, reason=request.POST.get("reason", ""),
                seen=int(seen) if seen.isascii() and seen.isdecimal() and len(seen) < 19 else None,
            )  # fmt: skip
        except Refused as problem:
            refused = problem
        else:
            messages.success(request, _("Decided."))
            return redirect(address_of_next(request, pair.project, chosen, place))
    context = _context(request, pair, body, refused) | {"chosen": chosen, "query": urlencode(chosen.fields)}
    context["after"] = place
    return render(request, "labeling/adjudicate.html", context, status=_status(refused))


@require_POST
def disagreement_escalate(request: PersonRequest, slug: str, pk: int) -> HttpResponse:
    pair = pair_to_decide(request.user, slug, pk)
    try:
        adjudicate.escalate(pair=pair, by=request.user, note=request.POST.get("note", ""))
    except Refused as refused:
        messages.error(request, refused.message)
        return redirect(_address(request, slug, pk))
    messages.success(request, _("The managers see it on their list now."))
    return redirect(address_of_next(request, pair.project, Chosen.of(request.POST), _place(pair)))


@require_POST
def disagreement_answer(request: PersonRequest, slug: str, pk: int) -> HttpResponse:
    """A manager answers what was passed on."""
    passed = escalation_for(request.user, slug, pk)
    try:
        adjudicate.answer_escalation(escalation=passed, by=request.user, answer=request.POST.get("answer", ""))
    except Refused as refused:
        messages.error(request, refused.message)
    else:
        messages.success(request, _("Answered. Whoever decides on this pair reads it."))
    return redirect(_address(request, slug, pk))


@require_POST
def disagreement_check(request: PersonRequest, slug: str, pk: int) -> HttpResponse:
    """Let what was decided be a known answer, mixed into the work."""
    pair = pair_for(request.user, slug, pk)
    try:
        adjudicate.use_as_check(pair=pair, by=request.user)
    except Refused as refused:
        messages.error(request, refused.message)
    else:
        messages.success(request, _("It is a check now: raters meet it unseen among their pairs."))
    return redirect(_address(request, slug, pk))


def _context(request: PersonRequest, pair: Pair, body: Any, refused: Refused | None) -> dict[str, Any]:
    found = divided(pair)
    row = _held(request, pair)
    roles = roles_in(request.user, pair.project)
    mine = any(voice.annotation.rater_id == request.user.pk for voice in found.voices)
    at_stake = _at_stake(found, row, everything="all" in (request.POST or request.GET))
    current, first_id = found.current, pair.first_id
    form = _form(found, at_stake, body or (decided_body(current, first_id) if current else None), refused)
    principles, errors = principles_of(found.guideline), refused.errors if refused else {}
    cited = (body or {}).get("principle") if body else next((one.principle for one in current if one.principle), None)
    return {
        "project": pair.project, "pair": pair, "row": row, "found": found, "shown": found.shown, "queue": None,
        "roles": roles, "is_manager": bool(roles & set(MANAGERS)),
        "judged_it": mine or pair.item.author_id == request.user.pk,
        "held_by": _other(row, request), "asked": form, "refused": refused, "everything": len(at_stake.rest) == 0,
        "why": why_they_differ(found.voices, found.criteria),
        "heard": [_heard(found, voice, at_stake.criteria) for voice in found.voices],
        "history": [(one, name_of(one.criterion), words_of(one, one.criterion, first_id)) for one in found.decisions],
        "citing": Citing(principles, cited, errors.get("principle", "")) if principles else None,
        "reason": request.POST.get("reason", "") if body else next((one.reason for one in current), ""),
        "reason_error": errors.get("reason", ""),
        "may_check": Membership.Role.MANAGER in roles and bool(current),
        "is_check": bool(current) and GoldPair.objects.filter(pair=pair, retired_at=None).exists(),
    }  # fmt: skip


@dataclass(frozen=True, slots=True)
class AtStake:
    """What is asked, and what could be decided as well."""

    criteria: list[Criterion]
    rest: list[Criterion]


def _at_stake(found: Divided, row: Disagreement | None, *, everything: bool) -> AtStake:
    """What raters differ on; else what was decided; else all that can be."""
    fit = adjudicate.decidable(found.criteria)
    if found.shown.right is None:
        fit = [one for one in fit if one.kind != Criterion.Kind.PREFERENCE]
    wanted = set(row.criteria) if row else set()
    wanted |= {one.criterion_id for one in found.current}
    chosen = fit if everything else [one for one in fit if one.pk in wanted] or fit
    asked_of = []
    for one in chosen:
        made = copy(one)
        made.required = True  # so that a verdict on safety starts unanswered
        asked_of.append(made)
    return AtStake(asked_of, [one for one in fit if one.pk not in {each.pk for each in chosen}])


def _form(found: Divided, at_stake: AtStake, body: Any, refused: Refused | None) -> Asked:
    shown = replace(found.shown, criteria=at_stake.criteria)
    return without_words(asked(shown, body, refused.errors if refused else None))


def _heard(found: Divided, voice: Voice, at_stake: list[Criterion]) -> Heard:
    names = [name_of(one) for one in at_stake if one.kind in DISPUTED]
    disputed = {f"{name}{of}" for name in names for of in ("", ": A", ": B")}
    said = in_words(asked(found.shown, voice.body))
    return Heard(voice, [(title, answer, title in disputed) for title, answer in said])


def _held(request: PersonRequest, pair: Pair) -> Disagreement | None:
    """The disagreement, held softly by who looks at it."""
    row = getattr(pair, "disagreement", None)
    return None if row is None else adjudicate.hold(disagreement=row, by=request.user)


def _other(row: Disagreement | None, request: PersonRequest) -> str:
    """Who else looks at it now."""
    if row is None or row.held_by is None or row.held_by == request.user:
        return ""
    return row.held_by.display_name if row.is_held else ""


def _place(pair: Pair) -> str:
    row: Disagreement | None = getattr(pair, "disagreement", None)
    return "" if row is None else str(Cursor.of(row))


def _address(request: PersonRequest, slug: str, pk: int) -> str:
    query = urlencode(Chosen.of(request.POST).fields)
    return f"{reverse('disagreement', args=[slug, pk])}?{query}".rstrip("?")


def _status(refused: Refused | None) -> int:
    return 200 if refused is None else 422 if refused.code == "invalid" else 409
