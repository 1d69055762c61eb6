"""A manager's lessons: choosing pairs to teach with, and telling what is known about them."""

from __future__ import annotations

from django.contrib import messages
from django.http import Http404, HttpResponse
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods, require_POST

from labeling.access import MANAGERS, lesson_for, project_for
from labeling.actions.guidelines import current_guideline
from labeling.actions.lessons import add_lesson, change_lesson, remove_lesson
from labeling.actions.refusals import Refused
from labeling.models import Lesson, Pair
from labeling.reports.lessons import MOST_FOUND, pairs_to_teach
from labeling.web.entry_forms import LessonForm
from labeling.web.guards import PersonRequest
from labeling.web.project_forms import add_refusal
from labeling.web.questions import body_of
from labeling.web.telling import known_form


@require_http_methods(["GET", "HEAD", "POST"])
def lesson_new(request: PersonRequest, slug: str) -> HttpResponse:
    """Find a pair (`q`, `known=1` for those with known answers); POST `pair` and `stage` makes a lesson of it."""
    project = project_for(request.user, slug, MANAGERS)
    if request.method == "POST":
        number = request.POST.get("pair", "")
        pair = Pair.objects.filter(project=project, pk=int(number)).first() if _is_id(number) else None
        if pair is None:
            raise Http404
        try:
            made = add_lesson(project=project, pair=pair, stage=request.POST.get("stage", ""), by=request.user)
        except Refused as refused:
            messages.error(request, refused.message)
        else:
            messages.success(request, _("It is a lesson now, and in no queue any more. Say what is known about it."))
            return redirect("lesson_edit", slug, made.pk)
    text = request.GET.get("q", "").replace("\0", "").strip()[:200]
    only_known = request.GET.get("known") == "1"
    context = {
        "project": project,
        "pairs": pairs_to_teach(project, text, only_known=only_known),
        "most": MOST_FOUND,
        "q": text,
        "only_known": only_known,
        "stages": Lesson.Stage.choices,
    }
    return render(request, "labeling/lesson_new.html", context)


@require_http_methods(["GET", "HEAD", "POST"])
def lesson_edit(request: PersonRequest, slug: str, pk: int) -> HttpResponse:
    """The pair in stored order, the form of the desk for the known answers, and why they are right."""
    found = lesson_for(request.user, slug, pk, MANAGERS)
    guideline = current_guideline(found.project)
    start = {"explanation": found.explanation, "principle": found.principle, "position": found.position}
    principles = guideline.principles if guideline else []
    form = LessonForm(request.POST or None, initial=start, principles=principles)
    refused = None
    if request.method == "POST" and form.is_valid():
        try:
            known = set(request.POST.getlist("known"))
            body = body_of(request.POST)
            change_lesson(lesson=found, by=request.user, body=body, known=known, **form.cleaned_data)
        except Refused as problem:
            refused = problem
            if not any(path.startswith("judgments") for path in problem.errors):
                add_refusal(form, problem)
        else:
            messages.success(request, _("Saved."))
            return redirect("getting_in", slug)
    context = {"project": found.project, "lesson": found, "form": form, "refused": refused}
    context |= known_form(found, request, refused)
    return render(request, "labeling/lesson_edit.html", context, status=422 if form.errors or refused else 200)


@require_POST
def lesson_remove(request: PersonRequest, slug: str, pk: int) -> HttpResponse:
    remove_lesson(lesson=lesson_for(request.user, slug, pk, MANAGERS), by=request.user)
    messages.success(request, _("It is no lesson any more. Unless it is one of the other stage, it is work again."))
    return redirect("getting_in", slug)


def _is_id(text: str) -> bool:
    return text.isascii() and text.isdecimal() and len(text) < 19
