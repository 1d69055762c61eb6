"""What a manager decides about a rater: warn, pause, resume, set the judgments aside, and bring them back."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from django.contrib import messages
from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils.http import url_has_allowed_host_and_scheme
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from labeling.access import MANAGERS, project_for, rater_of, withdrawal_for
from labeling.actions import checks
from labeling.actions.refusals import Refused
from labeling.actions.set_aside import lift, set_aside
from labeling.models import Participation, User, Withdrawal
from labeling.reports.gold import paused_people
from labeling.reports.set_aside import effect_of
from labeling.web.gold_forms import PauseForm, SetAsideForm
from labeling.web.guards import PersonRequest
from labeling.web.project_forms import add_refusal


@require_safe
def paused(request: PersonRequest, slug: str) -> HttpResponse:
    """Who waits for a manager to look, and whose judgments are set aside."""
    project = project_for(request.user, slug, MANAGERS)
    aside = Withdrawal.objects.filter(project=project, why=Withdrawal.Why.RATER, lifted_at=None)
    context = {
        "project": project,
        "people": paused_people(project),
        "aside": aside.select_related("rater", "created_by").order_by("-pk")[:100],
    }
    return render(request, "labeling/paused.html", context)


@require_POST
def rater_warn(request: PersonRequest, slug: str, pk: int) -> HttpResponse:
    return _do(request, slug, pk, checks.warn_rater, _("%(name)s is told so on their home page."))


@require_http_methods(["GET", "HEAD", "POST"])
def rater_pause(request: PersonRequest, slug: str, pk: int) -> HttpResponse:
    """GET asks why; POST pauses."""
    project = project_for(request.user, slug, MANAGERS)
    rater, form = rater_of(project, pk), PauseForm(request.POST if request.method == "POST" else None)
    if form.is_valid():
        said = _("%(name)s is paused: they finish what they hold and get nothing new.")
        return _do(request, slug, pk, checks.pause_rater, said, why=form.cleaned_data["why"])
    context = {"project": project, "rater": rater, "form": form, "next": _next(request, slug)}
    return render(request, "labeling/rater_pause.html", context, status=422 if form.errors else 200)


@require_POST
def rater_resume(request: PersonRequest, slug: str, pk: int) -> HttpResponse:
    return _do(request, slug, pk, checks.resume_rater, _("%(name)s may go on."))


@require_http_methods(["GET", "HEAD", "POST"])
def rater_set_aside(request: PersonRequest, slug: str, pk: int) -> HttpResponse:
    """GET shows what would happen; POST does it."""
    project = project_for(request.user, slug, MANAGERS)
    rater = rater_of(project, pk)
    mine = Participation.objects.filter(project=project, user=rater).first()
    is_paused = mine is not None and mine.paused_at is not None
    form = SetAsideForm(request.POST if request.method == "POST" else None)
    if is_paused:
        del form.fields["pause"]
    if form.is_valid():
        try:
            set_aside(project=project, rater=rater, by=request.user, note=form.cleaned_data["note"])
            if form.cleaned_data.get("pause"):
                checks.pause_rater(project=project, rater=rater, by=request.user)
        except Refused as refused:
            add_refusal(form, refused)
        else:
            messages.success(request, _("Set aside. The pairs come to other raters; you can bring it back here."))
            return redirect("paused", slug)
    context = {"project": project, "rater": rater, "form": form, "effect": effect_of(project, rater)}
    return render(request, "labeling/rater_set_aside.html", context, status=422 if form.errors else 200)


@require_POST
def withdrawal_lift(request: PersonRequest, pk: int) -> HttpResponse:
    found = withdrawal_for(request.user, pk)
    slug = found.project.slug
    try:
        lift(withdrawal=found, by=request.user)
        messages.success(request, _("The judgments count again."))
    except Refused as refused:
        messages.error(request, refused.message)
    return redirect(_next(request, slug))


def _do(
    request: PersonRequest, slug: str, pk: int, verb: Callable[..., Participation], said: str, **how: Any
) -> HttpResponse:
    project = project_for(request.user, slug, MANAGERS)
    rater: User = rater_of(project, pk)
    try:
        verb(project=project, rater=rater, by=request.user, **how)
        messages.success(request, said % {"name": rater.display_name})
    except Refused as refused:
        messages.error(request, refused.message)
    return redirect(_next(request, slug))


def _next(request: PersonRequest, slug: str) -> str:
    """Where the manager came from: `next` of the form, if it is one of our own pages; else who is paused."""
    wanted = (request.POST or request.GET).get("next", "")
    if wanted.startswith("/") and url_has_allowed_host_and_scheme(wanted, allowed_hosts=None):
        return wanted
    return reverse("paused", args=[slug])
