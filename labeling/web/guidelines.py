"""The guideline: its versions, one version with what changed in it, and the editor of the next."""

from __future__ import annotations

from typing import Any

from django.contrib import messages
from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from labeling.access import MANAGERS, guideline_for, project_for, roles_in
from labeling.actions.projects import current_guideline, publish_guideline, save_guideline_draft
from labeling.actions.refusals import Refused
from labeling.models import Guideline, Project
from labeling.rendering import render as render_markdown
from labeling.web.guards import PersonRequest
from labeling.web.project_forms import GuidelineForm, add_refusal
from labeling.web.text_diff import line_diff


@require_safe
def guidelines(request: PersonRequest, slug: str) -> HttpResponse:
    """Every version, newest first; the current one to read at once."""
    project = project_for(request.user, slug)
    versions = project.guidelines.filter(version__isnull=False).select_related("author").defer("text", "html")
    context = _frame(request, project) | {
        "versions": versions.order_by("-version"),
        "current": current_guideline(project),
        "draft": project.guidelines.filter(version=None).first(),
    }
    return render(request, "labeling/guidelines.html", context)


@require_safe
def guideline(request: PersonRequest, slug: str, version: int) -> HttpResponse:
    project = project_for(request.user, slug)
    found = guideline_for(request.user, project, version)
    earlier = project.guidelines.filter(version=version - 1).first()
    diff = line_diff(earlier.text, found.text) if earlier else None
    context = _frame(request, project) | {"guideline": found, "earlier": earlier, "diff": diff}
    return render(request, "labeling/guideline.html", context)


@require_http_methods(["GET", "HEAD", "POST"])
def guideline_edit(request: PersonRequest, slug: str) -> HttpResponse:
    """The next version: `do` is preview, save or publish."""
    project = project_for(request.user, slug, MANAGERS)
    form = GuidelineForm(request.POST or None, initial={"text": _start(project)})
    if form.is_valid() and (done := _do(request, project, form)):
        return done
    text = form.data.get("text", "") if form.is_bound else form.initial["text"]
    context = _frame(request, project) | {"form": form, "preview": _preview(text)}
    return render(request, "labeling/guideline_edit.html", context, status=422 if form.errors else 200)


@require_POST
def guideline_preview(request: PersonRequest, slug: str) -> HttpResponse:
    """The text as raters will read it; stores nothing."""
    project_for(request.user, slug, MANAGERS)
    return render(request, "labeling/guideline_edit.html#preview", {"preview": _preview(request.POST.get("text", ""))})


def _do(request: PersonRequest, project: Project, form: GuidelineForm) -> HttpResponse | None:
    """What the pressed button says; None shows the form again."""
    text, note = form.cleaned_data["text"], form.cleaned_data["change_note"]
    try:
        if request.POST.get("do") == "publish":
            made = publish_guideline(project=project, by=request.user, text=text, change_note=note)
            messages.success(request, f"Version {made.version} is published. Raters see it from their next pair on.")
            return redirect("guidelines", project.slug)
        if request.POST.get("do") == "save":
            save_guideline_draft(project=project, by=request.user, text=text)
            messages.success(request, "The draft is kept. Nobody but managers sees it.")
            return redirect("guideline_edit", project.slug)
    except Refused as refused:
        add_refusal(form, refused)
    return None


def _start(project: Project) -> str:
    """The draft, or what is published, to begin from."""
    draft: Guideline | None = project.guidelines.filter(version=None).first() or current_guideline(project)
    return draft.text if draft else ""


def _preview(text: str) -> dict[str, Any]:
    return render_markdown(text[:200_000].replace("\r\n", "\n"))._asdict()


def _frame(request: PersonRequest, project: Project) -> dict[str, Any]:
    return {"project": project, "roles": roles_in(request.user, project)}
