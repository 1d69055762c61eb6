"""The guideline: its versions, one version with what changed in it, and the editor of the next."""

from __future__ import annotations

from typing import Any

from django.contrib import messages
from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _
from django.utils.translation import ngettext
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from labeling.access import MANAGERS, RATERS, guideline_for, project_for, roles_in
from labeling.actions.guidelines import LONGEST, current_guideline, publish_guideline, save_guideline_draft
from labeling.actions.refusals import Refused
from labeling.models import Guideline, Project
from labeling.rendering import PLAIN
from labeling.rendering import render as render_markdown
from labeling.rendering.outline import outline
from labeling.reports.guidelines import citations, published, raters_at_work, readers, unread
from labeling.web.guards import PersonRequest
from labeling.web.guidance import whats_new
from labeling.web.project_forms import GuidelineForm, add_refusal
from labeling.web.text_diff import line_diff


@require_safe
def guidelines(request: PersonRequest, slug: str) -> HttpResponse:
    """Every version, newest first; the current one to read at once."""
    project = project_for(request.user, slug)
    current = current_guideline(project)
    context = _frame(request, project) | {
        "versions": published(project).select_related("author").defer("text", "html").order_by("-version"),
        "current": current,
        "draft": project.guidelines.filter(version=None).first(),
    }
    return render(request, "labeling/guidelines.html", context | _facts(context["roles"], current))


@require_safe
def guideline(request: PersonRequest, slug: str, version: int) -> HttpResponse:
    """One version. A rater who has not read it finds what is new to them, and can say so."""
    project = project_for(request.user, slug)
    found = guideline_for(request.user, project, version)
    found.project = project
    context = _frame(request, project) | {"guideline": found}
    earlier = project.guidelines.filter(version=version - 1).first()
    if set(RATERS) & context["roles"] and unread(project, request.user) == found:
        context |= whats_new(found, request.user)
    elif earlier is not None:
        context |= {"earlier": earlier, "diff": line_diff(earlier.text, found.text)}
    return render(request, "labeling/guideline.html", context | _facts(context["roles"], found))


@require_http_methods(["GET", "HEAD", "POST"])
def guideline_edit(request: PersonRequest, slug: str) -> HttpResponse:
    """The next version: `do` is preview, save or publish."""
    project = project_for(request.user, slug, MANAGERS)
    form = GuidelineForm(request.POST or None, initial={"text": _start(project)})
    if form.is_valid() and (done := _do(request, project, form)):
        return done
    text = form.data.get("text", "") if form.is_bound else form.initial["text"]
    current = current_guideline(project)
    context = _frame(request, project) | {
        "form": form,
        "preview": _preview(text),
        "next_version": (current.version or 0) + 1 if current else 1,
        "current": current,
        "at_work": raters_at_work(project),
    }
    return render(request, "labeling/guideline_edit.html", context, status=422 if form.errors else 200)


@require_POST
def guideline_preview(request: PersonRequest, slug: str) -> HttpResponse:
    """The text as raters will read it, and what of it they can cite; stores nothing."""
    project_for(request.user, slug, MANAGERS)
    return render(request, "labeling/guideline_edit.html#preview", {"preview": _preview(request.POST.get("text", ""))})


def _do(request: PersonRequest, project: Project, form: GuidelineForm) -> HttpResponse | None:
    """What the pressed button says; None shows the form again."""
    text, note = form.cleaned_data["text"], form.cleaned_data["change_note"]
    try:
        if request.POST.get("do") == "publish":
            made = publish_guideline(project=project, by=request.user, text=text, change_note=note)
            said = _("Version %(version)s is published. Raters read what changed before their next pair.")
            messages.success(request, said % {"version": made.version})
            return redirect("guidelines", project.slug)
        if request.POST.get("do") == "save":
            save_guideline_draft(project=project, by=request.user, text=text)
            messages.success(request, _("The draft is kept. Nobody but managers sees it."))
            return redirect("guideline_edit", project.slug)
    except Refused as refused:
        add_refusal(form, refused)
    return None


def _start(project: Project) -> str:
    """The draft, or what is published, to begin from."""
    draft: Guideline | None = project.guidelines.filter(version=None).first() or current_guideline(project)
    return draft.text if draft else ""


def _preview(text: str) -> dict[str, Any]:
    """The text as it will be shown, its principles, and in words what about their numbers may not be meant."""
    made = render_markdown(text[:LONGEST].replace("\r\n", "\n"))
    found = outline(made.html)
    return {
        "html": found.html,
        "renderer": made.renderer,
        "is_plain": made.renderer == PLAIN,
        "sections": found.sections,
        "principles": found.principles,
        "warnings": [*_repeated(found.repeated), *_missing(found.missing)],
    }


def _repeated(numbers: list[int]) -> list[str]:
    said = _("Number %(number)s is used more than once: whoever cites %(number)s means the first. Number on instead.")
    return [said % {"number": number} for number in numbers]


def _missing(numbers: list[int]) -> list[str]:
    if not numbers:
        return []
    said = ngettext("Number %(numbers)s is missing.", "Numbers %(numbers)s are missing.", len(numbers))
    return [said % {"numbers": ", ".join(map(str, numbers))}]


def _facts(roles: set[str], guideline: Guideline | None) -> dict[str, Any]:
    """For managers: who has read the version and which principles decide. Nobody else: raters judge on their own."""
    if guideline is None or not set(MANAGERS) & roles:
        return {}
    people = readers(guideline)
    cited = citations(guideline)
    return {
        "about": guideline,
        "readers": people,
        "read": sum(one.has_read for one in people),
        "citations": cited,
        "most_cited": max((one.times for one in cited), default=0),
    }


def _frame(request: PersonRequest, project: Project) -> dict[str, Any]:
    return {"project": project, "roles": roles_in(request.user, project)}
