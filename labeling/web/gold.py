"""Known answers that are mixed into the work: how hard they are, and making, changing and retiring them."""

from __future__ import annotations

from typing import Any

from django.contrib import messages
from django.core.paginator import Paginator
from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _
from django.utils.translation import ngettext
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from labeling.access import MANAGERS, gold_pair_for, pair_for, project_for
from labeling.actions.gold_lane import MOST_SHOWN
from labeling.actions.gold_pairs import retire_gold, take_in_gold, tell_by_hand
from labeling.actions.guidelines import current_guideline
from labeling.actions.refusals import Refused
from labeling.models import GoldPair, Lesson
from labeling.reports.gold import (
    ADVISED,
    batches_with_gold,
    gold_pairs,
    languages_of_gold,
    mixing_queues,
    open_disputes,
)
from labeling.reports.lessons import MOST_FOUND, pairs_to_teach
from labeling.web.gold_forms import GoldForm, TakeInForm
from labeling.web.guards import PersonRequest
from labeling.web.project_forms import add_refusal
from labeling.web.questions import body_of
from labeling.web.telling import known_form

PAGE = 50


@require_safe
def gold(request: PersonRequest, slug: str) -> HttpResponse:
    """The list, the hardest first, and the ways to more."""
    project = project_for(request.user, slug, MANAGERS)
    batches = batches_with_gold(project)
    context = {
        "project": project,
        "page": Paginator(gold_pairs(project), PAGE).get_page(request.GET.get("page")),
        "languages": languages_of_gold(project),
        "advised": ADVISED,
        "most": MOST_SHOWN,
        "batches": batches,
        "form": TakeInForm(batches=batches),
        "mixing": list(mixing_queues(project)),
        "disputes": open_disputes(project),
    }
    return render(request, "labeling/gold.html", context)


@require_POST
def gold_take_in(request: PersonRequest, slug: str) -> HttpResponse:
    """Mix in what imports brought: of one `batch`, or of all."""
    project = project_for(request.user, slug, MANAGERS)
    form = TakeInForm(request.POST, batches=batches_with_gold(project))
    if not form.is_valid():
        messages.error(request, _("This import has no known answers left to mix in."))
        return redirect("gold", slug)
    done = take_in_gold(project=project, by=request.user, batch=form.cleaned_data["batch"])
    made, more = done.pop("made", 0), done.pop("more", 0)
    said = ngettext("%(made)s pair is mixed in now.", "%(made)s pairs are mixed in now.", made) % {"made": made}
    if left := sum(done.values()):
        said += " " + _left_out(left, done)
    if more:
        said += " " + _("Another %(more)s are waiting: press again.") % {"more": more}
    messages.success(request, said)
    return redirect("gold", slug)


@require_safe
def gold_new(request: PersonRequest, slug: str) -> HttpResponse:
    """Find a pair (`q`, `known=1` for those with known answers) to say what is known about it."""
    project = project_for(request.user, slug, MANAGERS)
    text, only_known = request.GET.get("q", "").replace("\0", "").strip()[:200], request.GET.get("known") == "1"
    context = {
        "project": project,
        "pairs": pairs_to_teach(project, text, only_known=only_known),
        "most": MOST_FOUND,
        "q": text,
        "only_known": only_known,
    }
    return render(request, "labeling/gold_new.html", context)


@require_http_methods(["GET", "HEAD", "POST"])
def gold_edit(request: PersonRequest, slug: str, pk: int) -> HttpResponse:
    """A pair in stored order with the desk's form: what is known about it, why, and by which principle."""
    pair = pair_for(request.user, slug, pk)
    project = project_for(request.user, slug, MANAGERS)
    found = GoldPair.objects.filter(pair=pair).first() or GoldPair(pair=pair)
    found.project, found.pair = project, pair
    guideline = current_guideline(project)
    start = {"explanation": found.explanation, "principle": found.principle}
    form = GoldForm(request.POST or None, initial=start, principles=guideline.principles if guideline else [])
    refused = None
    if request.method == "POST" and form.is_valid():
        try:
            known = set(request.POST.getlist("known"))
            tell_by_hand(pair=pair, by=request.user, body=body_of(request.POST), known=known, **form.cleaned_data)
        except Refused as problem:
            refused = problem
        else:
            messages.success(request, _("Saved. The pair is mixed into the work."))
            return redirect("gold", slug)
    context = {"project": project, "gold": found, "form": form, "refused": refused, "most": MOST_SHOWN}
    context |= {"lesson": Lesson.objects.filter(pair=pair).exists()} | known_form(found, request, refused)
    if refused is not None and "explanation" in refused.errors:
        add_refusal(form, refused)
    return render(request, "labeling/gold_edit.html", context, status=422 if form.errors or refused else 200)


@require_POST
def gold_retire(request: PersonRequest, slug: str, pk: int) -> HttpResponse:
    found = gold_pair_for(request.user, slug, pk)
    retire_gold(gold=found, by=request.user, why=request.POST.get("why", "").replace("\0", ""))
    messages.success(request, _("It is shown no more. What was answered to it stays."))
    return redirect("gold", slug)


def _left_out(left: int, done: dict[str, Any]) -> str:
    """How many were left out, and why in words."""
    words = {
        "held_now": _("a rater has it open just now"),
        "already_a_lesson": _("it is a lesson"),
        "sensitive_pair": _("it is of a sensitive topic"),
        "found_broken": _("it was found broken"),
        "withdrawn": _("its item was withdrawn"),
    }
    why = _(", ").join(f"{words.get(code, code)} ({n})" for code, n in sorted(done.items()))
    said = ngettext("%(left)s was left out: %(why)s.", "%(left)s were left out: %(why)s.", left)
    return said % {"left": left, "why": why}
