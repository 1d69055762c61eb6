"""A project's questions for its managers: as raters see them, and the pages that change them."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

from django import forms
from django.contrib import messages
from django.http import Http404, HttpResponse
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from labeling.access import MANAGERS, criterion_for, project_for
from labeling.actions.criteria import (
    add_criterion,
    change_criterion,
    change_hints,
    change_rationale,
    move_criterion,
    preset_criteria,
)
from labeling.actions.refusals import Refused
from labeling.models import Assignment, Criterion, Item, Project, Response
from labeling.presets import PRESETS, Preset
from labeling.rendering import render as render_text
from labeling.reports.desk import Shown
from labeling.taxonomies import TAXONOMIES, Taxonomy
from labeling.web.criteria_forms import NAMES, CriterionForm, HintsForm, RationaleForm
from labeling.web.guards import PersonRequest
from labeling.web.project_forms import add_refusal
from labeling.web.questions import asked
from labeling.web.scales import in_short, told, told_category


@dataclass(frozen=True, slots=True)
class Line:
    """A question in the list: what it asks in short, and whether it can go up or down."""

    criterion: Criterion
    name: str
    in_short: str
    first: bool
    last: bool


@dataclass(frozen=True, slots=True)
class Offer:
    """A preset to choose: its questions as (name, in short)."""

    preset: Preset
    name: str
    description: str
    questions: list[tuple[str, str]]


def offers() -> list[Offer]:
    return [
        Offer(one, told(one.name), told(one.description), [(told(c.name), in_short(c)) for c in preset_criteria(one)])
        for one in PRESETS.values()
    ]


@require_safe
def criteria(request: PersonRequest, slug: str) -> HttpResponse:
    return _page(request, project_for(request.user, slug, MANAGERS))


@require_http_methods(["GET", "HEAD", "POST"])
def criterion_add(request: PersonRequest, slug: str, kind: str) -> HttpResponse:
    project = project_for(request.user, slug, MANAGERS)
    if kind not in Criterion.Kind.values:
        raise Http404
    form = CriterionForm(kind, data=request.POST or None)
    if form.is_valid():
        try:
            made = add_criterion(project=project, by=request.user, kind=kind, **form.cleaned_data)
        except Refused as refused:
            add_refusal(form, refused)
        else:
            messages.success(request, _("“%(name)s” is asked from now on.") % {"name": made.name})
            return redirect("criteria", slug)
    return _edit(request, project, form, kind)


@require_http_methods(["GET", "HEAD", "POST"])
def criterion(request: PersonRequest, slug: str, key: str) -> HttpResponse:
    project = project_for(request.user, slug, MANAGERS)
    found = criterion_for(request.user, project, key)
    form = CriterionForm(found.kind, found, data=request.POST or None)
    if form.is_valid():
        typed = dict(form.cleaned_data)
        if typed.get("taxonomy"):
            typed.pop("categories")
        try:
            change_criterion(criterion=found, by=request.user, **typed)
        except Refused as refused:
            add_refusal(form, refused)
        else:
            messages.success(request, _("Saved. Raters are asked this way from now on."))
            return redirect("criteria", slug)
    return _edit(request, project, form, found.kind, found)


@require_POST
def criterion_move(request: PersonRequest, slug: str, key: str) -> HttpResponse:
    found = criterion_for(request.user, project_for(request.user, slug, MANAGERS), key)
    return _done(
        request, slug, lambda: move_criterion(criterion=found, by=request.user, up=request.POST.get("to") == "up")
    )


@require_POST
def criterion_ask(request: PersonRequest, slug: str, key: str) -> HttpResponse:
    """Stop asking a question, or ask it again."""
    found = criterion_for(request.user, project_for(request.user, slug, MANAGERS), key)
    to = Criterion.Asked.NEVER if request.POST.get("asked") == "never" else Criterion.Asked.ALWAYS
    return _done(request, slug, lambda: change_criterion(criterion=found, by=request.user, asked=to))


@require_POST
def project_hints(request: PersonRequest, slug: str) -> HttpResponse:
    project, form = project_for(request.user, slug, MANAGERS), HintsForm(request.POST)
    if form.is_valid():
        return _done(request, slug, lambda: change_hints(project=project, by=request.user, hints=form.rules()))
    return _page(request, project, hints_form=form)


@require_POST
def project_rationale(request: PersonRequest, slug: str) -> HttpResponse:
    project, form = project_for(request.user, slug, MANAGERS), RationaleForm(request.POST)
    if form.is_valid():
        try:
            change_rationale(project=project, by=request.user, **form.cleaned_data)
        except Refused as refused:
            add_refusal(form, refused)
        else:
            messages.success(request, _("Saved. Raters are asked this way from now on."))
            return redirect("criteria", slug)
    return _page(request, project, rationale_form=form)


def _done(request: PersonRequest, slug: str, verb: Any) -> HttpResponse:
    """Call the verb and say what came of it, back at the list."""
    try:
        verb()
        messages.success(request, _("Saved. Raters are asked this way from now on."))
    except Refused as refused:
        messages.error(request, refused.message)
    return redirect("criteria", slug)


def _page(request: PersonRequest, project: Project, **forms_sent: forms.Form) -> HttpResponse:
    rows = list(project.criteria.all())
    shown = _sample(project, [one for one in rows if one.asked != Criterion.Asked.NEVER])
    context = {
        "project": project,
        "lines": [
            Line(one, told(one.name), in_short(one), place == 0, place == len(rows) - 1)
            for place, one in enumerate(rows)
        ],
        "kinds": NAMES.items(),
        "preset": PRESETS.get(project.preset),
        "shown": shown,
        "asked": asked(shown),
        "hints_form": HintsForm(initial=HintsForm.of(project.hints)),
        "rationale_form": RationaleForm(initial=project.rationale),
    }
    status = 422 if any(form.errors for form in forms_sent.values()) else 200
    return render(request, "labeling/criteria.html", context | forms_sent, status=status)


def _edit(
    request: PersonRequest, project: Project, form: CriterionForm, kind: str, found: Criterion | None = None
) -> HttpResponse:
    context = {
        "project": project,
        "form": form,
        "kind": NAMES[Criterion.Kind(kind)],
        "criterion": found,
        "taxonomies": _taxonomies() if kind == Criterion.Kind.SAFETY else [],
    }
    return render(request, "labeling/criterion_edit.html", context, status=422 if form.errors else 200)


def _taxonomies() -> list[Taxonomy]:
    """As this reader understands them; where they come from stays as it was published."""
    return [
        replace(one, name=told(one.name), categories=[told_category(name) for name in one.categories])
        for one in TAXONOMIES.values()
    ]


def _sample(project: Project, rows: list[Criterion]) -> Shown:
    """A pair that nobody judges, to show the questions with."""
    answers = [render_text(text) for text in (_("A response stands here."), _("And the other one here."))]
    left, right = (Response(html=one.html, renderer=one.renderer) for one in answers)
    held = Assignment(pk=0, project=project)
    return Shown(held, Item(), left, right, rows, guideline_version=None, done=0, of=0)
