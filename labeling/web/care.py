"""A project's care, for its managers: sensitive topics, whom raters can talk to, breaks, exposure, pairs put aside."""

from __future__ import annotations

from typing import Any

from django.contrib import messages
from django.http import HttpResponse, HttpResponseBase
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.http import require_POST, require_safe

from labeling.access import MANAGERS, pair_for, project_for, topic_for
from labeling.actions.care import change_care
from labeling.actions.lanes import bring_back
from labeling.actions.refusals import Refused
from labeling.actions.topics import add_topic, change_topic, remove_topic
from labeling.models import CheckIn, Project
from labeling.reports.exposure import DAYS, exposure_by_day, exposure_by_person, project_exposure
from labeling.reports.topics import hidden_pairs, tags_without_topic, topic_uses
from labeling.spreadsheets import csv_download
from labeling.web.care_forms import CareForm, NewTopicForm, TopicForm
from labeling.web.guards import PersonRequest
from labeling.web.project_forms import add_refusal

CHECK_INS = 50


@require_safe
def care(request: PersonRequest, slug: str) -> HttpResponse:
    return _page(request, project_for(request.user, slug, MANAGERS))


@require_POST
def care_change(request: PersonRequest, slug: str) -> HttpResponse:
    project, form = project_for(request.user, slug, MANAGERS), CareForm(request.POST)
    if form.is_valid():
        try:
            change_care(project=project, by=request.user, **form.cleaned_data)
        except Refused as refused:
            add_refusal(form, refused)
        else:
            messages.success(request, _("Saved."))
            return redirect("care", slug)
    return _page(request, project, care_form=form)


@require_POST
def topic_add(request: PersonRequest, slug: str) -> HttpResponse:
    project, form = project_for(request.user, slug, MANAGERS), NewTopicForm(request.POST, prefix="new")
    if form.is_valid():
        try:
            made = add_topic(project=project, by=request.user, **form.cleaned_data)
        except Refused as refused:
            add_refusal(form, refused)
        else:
            messages.success(request, _("“%(name)s” comes only to raters who choose it now.") % {"name": made.name})
            return redirect("care", slug)
    return _page(request, project, new_form=form)


@require_POST
def topic_change(request: PersonRequest, slug: str, pk: int) -> HttpResponse:
    topic = topic_for(request.user, slug, pk)
    form = TopicForm(request.POST, prefix=f"topic{pk}")
    if form.is_valid():
        try:
            change_topic(topic=topic, by=request.user, **form.cleaned_data)
        except Refused as refused:
            add_refusal(form, refused)
        else:
            messages.success(request, _("Saved."))
            return redirect("care", slug)
    return _page(request, topic.project, changed=(pk, form))


@require_POST
def topic_remove(request: PersonRequest, slug: str, pk: int) -> HttpResponse:
    """Its pairs come to everybody then, so it asks for a tick."""
    topic = topic_for(request.user, slug, pk)
    if request.POST.get("sure") != "1":
        messages.error(
            request, _("Tick the box: the pairs of “%(name)s” would come to everybody.") % {"name": topic.name}
        )
        return redirect("care", slug)
    remove_topic(topic=topic, by=request.user)
    messages.success(request, _("Removed. Its pairs are everyday comparisons now."))
    return redirect("care", slug)


@require_POST
def pair_put_back(request: PersonRequest, slug: str, pk: int) -> HttpResponse:
    try:
        bring_back(pair=pair_for(request.user, slug, pk), by=request.user)
        messages.success(request, _("The pair is in rotation again. Two more skips as broken take it out again."))
    except Refused as refused:
        messages.error(request, refused.message)
    return redirect("care", slug)


@require_safe
def exposure_csv(request: PersonRequest, slug: str) -> HttpResponseBase:
    project = project_for(request.user, slug, MANAGERS)
    rows = (
        (day.isoformat(), person.email, topic, shown, round(ms / 1000))
        for day, person, topic, shown, ms in exposure_by_day(project)
    )
    return csv_download(f"{slug}-exposure.csv", ["day", "person", "topic", "pairs_opened", "seconds"], rows)


def _page(
    request: PersonRequest,
    project: Project,
    care_form: CareForm | None = None,
    new_form: NewTopicForm | None = None,
    changed: tuple[int, TopicForm] | None = None,
) -> HttpResponse:
    known = dict([changed] if changed else [])
    uses = [(use, known.get(use.topic.pk) or TopicForm.of(use.topic)) for use in topic_uses(project)]
    context: dict[str, Any] = {
        "project": project,
        "uses": uses,
        "changed": changed and changed[0],
        "tags": tags_without_topic(project),
        "care_form": care_form or CareForm.of(project),
        "new_form": new_form or NewTopicForm(prefix="new"),
        "hidden": hidden_pairs(project),
        "exposure": exposure_by_person(project),
        "totals": project_exposure(project),
        "days": DAYS,
        "check_ins": CheckIn.objects.filter(project=project, shared=True)
        .select_related("user")
        .order_by("-created_at")[:CHECK_INS],
    }
    status = 422 if care_form or new_form or changed else 200
    return render(request, "labeling/care.html", context, status=status)
