"""Getting in, as a manager arranges it: the consent text, what qualifies, and how far everybody has come."""

from __future__ import annotations

from typing import Any

from django.contrib import messages
from django.core.paginator import Paginator
from django.http import HttpResponse, HttpResponseBase
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from labeling.access import MANAGERS, participation_for, project_for
from labeling.actions.consent import current_consent, publish_consent, stop_asking_consent
from labeling.actions.lessons import change_entry_rules
from labeling.actions.practice import allow_another_try
from labeling.actions.refusals import Refused
from labeling.models import CrowdLink, Lesson, Project
from labeling.rendering import render as render_markdown
from labeling.reports.entry import Step
from labeling.reports.lessons import Participant, lesson_lines, participants, raters_on_the_way
from labeling.spreadsheets import csv_download
from labeling.web.entry_forms import ConsentForm, EntryRulesForm
from labeling.web.guards import PersonRequest
from labeling.web.project_forms import add_refusal

PAGE = 50
STANDING = {
    Step.CONSENT: gettext_lazy("Consent"),
    Step.GUIDELINE: gettext_lazy("Guidelines"),
    Step.PRACTICE: gettext_lazy("Practice"),
    Step.QUALIFICATION: gettext_lazy("Qualification"),
    Step.READY: gettext_lazy("Ready"),
    Step.FAILED: gettext_lazy("Not qualified"),
}


@require_http_methods(["GET", "HEAD", "POST"])
def getting_in(request: PersonRequest, slug: str) -> HttpResponse:
    """The overview; POST changes what qualifies."""
    project = project_for(request.user, slug, MANAGERS)
    rules = {"pass_percent": project.pass_percent, "attempts": project.attempts}
    form = EntryRulesForm(request.POST or None, initial=rules)
    if form.is_valid():
        change_entry_rules(project=project, by=request.user, **form.cleaned_data)
        messages.success(request, _("Saved. It holds for tries that end from now on."))
        return redirect("getting_in", slug)
    lines = lesson_lines(project)
    context = {
        "project": project,
        "form": form,
        "consent": current_consent(project),
        "stages": [(stage.label, [one for one in lines if one.lesson.stage == stage]) for stage in Lesson.Stage],
        "links": CrowdLink.objects.filter(project=project).select_related("queue").order_by("-created_at")[:PAGE],
        "raters": raters_on_the_way(project).count(),
    }
    return render(request, "labeling/getting_in.html", context, status=422 if form.errors else 200)


@require_http_methods(["GET", "HEAD", "POST"])
def consent_edit(request: PersonRequest, slug: str) -> HttpResponse:
    """The next version of the consent text: `do` is preview, publish or stop."""
    project = project_for(request.user, slug, MANAGERS)
    current = current_consent(project)
    if request.POST.get("do") == "stop":
        return _stop_asking(request, project)
    form = ConsentForm(request.POST or None, initial={"text": current.text if current else ""})
    if form.is_valid() and request.POST.get("do") == "publish":
        try:
            made = publish_consent(project=project, by=request.user, text=form.cleaned_data["text"])
        except Refused as refused:
            add_refusal(form, refused)
        else:
            said = _("Version %(version)s is published. Every rater is asked before their next pair.")
            messages.success(request, said % {"version": made.version})
            return redirect("getting_in", slug)
    text = form.data.get("text", "") if form.is_bound else form.initial["text"]
    context = {
        "project": project,
        "form": form,
        "current": current,
        "versions": project.consent_texts.select_related("author").order_by("-version")[:PAGE],
        "preview": _preview(text),
    }
    return render(request, "labeling/consent_edit.html", context, status=422 if form.errors else 200)


@require_POST
def consent_preview(request: PersonRequest, slug: str) -> HttpResponse:
    """The text as raters will read it; stores nothing."""
    project_for(request.user, slug, MANAGERS)
    preview = {"preview": _preview(request.POST.get("text", ""))}
    return render(request, "labeling/consent_edit.html#preview", preview)


@require_safe
def entrants(request: PersonRequest, slug: str) -> HttpResponse:
    """Who is at which step, a page at a time."""
    project = project_for(request.user, slug, MANAGERS)
    page = Paginator(raters_on_the_way(project), PAGE).get_page(request.GET.get("page"))
    people = [(one, STANDING[one.way.step]) for one in participants(project, page.object_list)]
    return render(request, "labeling/entrants.html", {"project": project, "page": page, "people": people})


@require_safe
def entrants_csv(request: PersonRequest, slug: str) -> HttpResponseBase:
    """Everybody with their results; a column for each lesson, right of known, where it was tried."""
    project = project_for(request.user, slug, MANAGERS)
    lessons = [line.lesson for line in lesson_lines(project)]
    header = [
        "name", "email", "step", "consent_version", "consented_at", "practised_at", "practice_right", "practice_known",
        "tries", "qualification_right", "qualification_known", "qualified_at", "pairs_judged",
        *(f"{one.stage}_{one.position}_pair_{one.pair_id}" for one in lessons),
    ]  # fmt: skip
    rows = (_row(one, lessons) for one in participants(project, raters_on_the_way(project)))
    return csv_download(f"{slug}-getting-in.csv", header, rows)


@require_POST
def another_try(request: PersonRequest, slug: str, pk: int) -> HttpResponse:
    participation = participation_for(request.user, slug, pk)
    try:
        allow_another_try(participation=participation, by=request.user)
        name = participation.user.display_name
        messages.success(request, _("%(name)s may try once more.") % {"name": name})
    except Refused as refused:
        messages.error(request, refused.message)
    return redirect("entrants", slug)


def _stop_asking(request: PersonRequest, project: Project) -> HttpResponse:
    try:
        stop_asking_consent(project=project, by=request.user)
        messages.success(request, _("Consent is not asked for any more. What people agreed to stays on record."))
    except Refused as refused:
        messages.error(request, refused.message)
    return redirect("getting_in", project.slug)


def _preview(text: str) -> dict[str, Any]:
    return render_markdown(text[:50_000].replace("\r\n", "\n"))._asdict()


def _row(one: Participant, lessons: list[Lesson]) -> list[Any]:
    user, mine = one.membership.user, one.participation
    return [
        user.display_name, user.email, str(one.way.step), one.consent_version or "", (mine and mine.consented_at) or "",
        (mine and mine.practised_at) or "", *one.practice, one.way.tries, *one.qualification,
        (mine and mine.qualified_at) or "", one.judged,
        *(f"{tried.right} of {tried.known}" if (tried := one.by_lesson.get(other.pk)) else "" for other in lessons),
    ]  # fmt: skip
