"""Getting in, as a rater: consent, guideline, practice with feedback, qualification; then the work."""

from __future__ import annotations

from typing import Any

from django.contrib import messages
from django.http import Http404, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from labeling.access import RATERS, lesson_for, own_participation, project_for, queues_for
from labeling.actions.consent import current_consent, decline_consent, give_consent, withdraw_consent
from labeling.actions.guidelines import acknowledge, current_guideline
from labeling.actions.practice import answer_lesson, shown_swapped
from labeling.actions.refusals import Refused
from labeling.models import Attempt, Lesson, Membership, Project, Queue, User
from labeling.reports.crowd_entry import newest, unfinished
from labeling.reports.desk import Shown, open_assignment
from labeling.reports.entry import Step, Way, lessons_of, next_step
from labeling.reports.lessons import newest_attempt, newest_result, next_lesson, principle_of, shown_lesson
from labeling.web.crowd import end_of
from labeling.web.feedback import feedback_on
from labeling.web.guards import PersonRequest
from labeling.web.questions import asked, body_of, without_words
from labeling.web.screens import Screen

STEPS = {
    Step.CONSENT: gettext_lazy("Consent"),
    Step.GUIDELINE: gettext_lazy("Guidelines"),
    Step.PRACTICE: gettext_lazy("Practice"),
    Step.QUALIFICATION: gettext_lazy("Qualification"),
    Step.READY: gettext_lazy("Start"),
}
LATEST_PRACTICE = (Step.CONSENT, Step.GUIDELINE)


def turned_away(request: PersonRequest, queue: Queue) -> HttpResponse | None:
    """Where a rater goes who is not ready for a new pair of this queue; None who is, or who has one open."""
    if next_step(queue.project, request.user).is_open or open_assignment(queue, request.user):
        return None
    messages.info(request, _("One thing comes before the next comparison."))
    return redirect("welcome", queue.project.slug)


def consent_first(request: PersonRequest, queue: Queue, seen: Shown) -> Screen | None:
    """Before a pair that came after a consent text the rater has not agreed to. The pair stays theirs meanwhile."""
    return Screen("labeling/compare_consent.html") if seen.consent_due else None


@require_safe
def welcome(request: PersonRequest, slug: str) -> HttpResponse:
    """The steps, and what the current one asks."""
    project = project_for(request.user, slug, RATERS)
    way = next_step(project, request.user)
    if request.user.is_crowd and (way.step == Step.FAILED or unfinished(request.user) is None):
        return end_of(request)
    context = frame(project, way) | _CONTEXTS[way.step](project, request.user, way)
    return render(request, "labeling/welcome.html", context)


@require_POST
def consent(request: PersonRequest, slug: str) -> HttpResponse:
    """`do=agree` to the `version` that was read; anything else is a no."""
    project = project_for(request.user, slug, RATERS)
    if request.POST.get("do") != "agree":
        decline_consent(project=project, user=request.user)
        if request.user.is_crowd:
            return end_of(request)
        messages.success(request, _("Nothing was stored. You can come back to it whenever you like."))
        return redirect("home")
    try:
        give_consent(project=project, user=request.user, version=_number(request.POST.get("version")))
    except Refused as refused:
        messages.warning(request, refused.message)
    return redirect("welcome", slug)


@require_POST
def consent_withdraw(request: PersonRequest, slug: str) -> HttpResponse:
    """Also for who is no rater of the project any more: what one agreed to, one can take back."""
    project = own_participation(request.user, slug).project
    withdraw_consent(project=project, user=request.user)
    if request.user.is_crowd:
        return end_of(request)
    messages.success(request, _("You have left “%(project)s”. It gives you no more work.") % {"project": project.name})
    return redirect("account")


@require_POST
def guideline_read(request: PersonRequest, slug: str) -> HttpResponse:
    project = project_for(request.user, slug, RATERS)
    guideline = current_guideline(project)
    if guideline is None:
        raise Http404
    acknowledge(guideline=guideline, user=request.user)
    return redirect("welcome", slug)


@require_http_methods(["GET", "HEAD", "POST"])
def lesson(request: PersonRequest, slug: str, pk: int) -> HttpResponse:
    """A comparison to learn from: the form, then for practice what was right in it; `?again=1` shows the form again."""
    found = lesson_for(request.user, slug, pk)
    way = next_step(found.project, request.user)
    attempt = newest_attempt(found, request.user)
    if not _may_answer(found, way, attempt):
        return redirect("welcome", slug)
    if request.method == "POST":
        return _answer(request, found, way)
    if attempt and found.stage == Lesson.Stage.PRACTICE and not request.GET.get("again"):
        return _told(request, found, way, attempt)
    return _asking(request, found, way)


def frame(project: Project, way: Way) -> dict[str, Any]:
    """What the stepper shows: [(name, done, now)]."""
    steps = [*way.steps, (Step.READY, False)]
    now = Step.QUALIFICATION if way.step == Step.FAILED else way.step
    return {
        "project": project,
        "way": way,
        "steps": [(STEPS[step], done, step == now) for step, done in steps],
    }


def _may_answer(found: Lesson, way: Way, attempt: Attempt | None) -> bool:
    if found.stage == Lesson.Stage.PRACTICE:
        return attempt is not None or way.step not in LATEST_PRACTICE
    return way.step == Step.QUALIFICATION and (attempt is None or attempt.number <= way.tries)


def _answer(request: PersonRequest, found: Lesson, way: Way) -> HttpResponse:
    body = body_of(request.POST)
    try:
        answer_lesson(lesson=found, user=request.user, body=body)
    except Refused as refused:
        if refused.code == "invalid":
            return _asking(request, found, way, body, refused)
        messages.warning(request, refused.message)
        return redirect("welcome", found.project.slug)
    if found.stage == Lesson.Stage.PRACTICE:
        return redirect("lesson", found.project.slug, found.pk)
    return redirect(_after(found, request.user))


def _asking(
    request: PersonRequest, found: Lesson, way: Way, body: Any = None, refused: Refused | None = None
) -> HttpResponse:
    shown = shown_lesson(found, swapped=shown_swapped(found, request.user))
    context = _place(found) | frame(found.project, way)
    form = without_words(asked(shown, body, refused.errors if refused else None))
    tried = found.attempts.filter(user=request.user).count()
    context |= {"shown": shown, "asked": form, "refused": refused, "tried": tried}
    context["guideline"] = current_guideline(found.project)
    return render(request, "labeling/lesson.html", context, status=422 if refused else 200)


def _told(request: PersonRequest, found: Lesson, way: Way, attempt: Attempt) -> HttpResponse:
    shown = shown_lesson(found, swapped=attempt.swapped)
    context = _place(found) | frame(found.project, way)
    context |= {
        "shown": shown,
        "feedback": feedback_on(found, attempt.body, attempt.swapped, shown),
        "principle": principle_of(found.project, found.principle),
        "onward": _after(found, request.user),
        "responses": [("A", shown.left), ("B", shown.right)] if shown.right else [("A", shown.left)],
    }
    return render(request, "labeling/lesson_feedback.html", context)


def _place(found: Lesson) -> dict[str, Any]:
    """Which lesson of how many it is."""
    order = list(lessons_of(found.project, found.stage).values_list("pk", flat=True))
    return {"lesson": found, "number": order.index(found.pk) + 1 if found.pk in order else 1, "of": len(order)}


def _after(found: Lesson, user: User) -> str:
    """The address of what comes after this lesson."""
    way = next_step(found.project, user)
    following = None
    if way.step in (Step.PRACTICE, Step.QUALIFICATION) and way.step == found.stage:
        following = next_lesson(found.project, user, way, found.stage)
    slug = found.project.slug
    return reverse("lesson", args=[slug, following.pk]) if following else reverse("welcome", args=[slug])


def _consent(project: Project, user: User, way: Way) -> dict[str, Any]:
    return {"consent": current_consent(project)}


def _guideline(project: Project, user: User, way: Way) -> dict[str, Any]:
    return {"guideline": current_guideline(project)}


def _practice(project: Project, user: User, way: Way) -> dict[str, Any]:
    stage = Lesson.Stage.PRACTICE
    return {"lesson": next_lesson(project, user, way, stage), "of": lessons_of(project, stage).count()}


def _qualification(project: Project, user: User, way: Way) -> dict[str, Any]:
    stage = Lesson.Stage.QUALIFICATION
    answered = Attempt.objects.filter(lesson__project=project, lesson__stage=stage, user=user, number=way.tries + 1)
    return {
        "lesson": next_lesson(project, user, way, stage),
        "of": lessons_of(project, stage).count(),
        "result": newest_result(project, user),
        "begun": answered.exists(),
    }


def _failed(project: Project, user: User, way: Way) -> dict[str, Any]:
    managers = Membership.objects.filter(project=project, role=Membership.Role.MANAGER).select_related("user")
    return {
        "result": newest_result(project, user),
        "managers": _(", ").join(one.user.display_name for one in managers.order_by("user__name")[:5]),
    }


def _ready(project: Project, user: User, way: Way) -> dict[str, Any]:
    entry = newest(user) if user.is_crowd else None
    queues = [entry.link.queue] if entry else list(queues_for(user, RATERS).filter(project=project).order_by("pk")[:2])
    return {"queue": queues[0] if len(queues) == 1 else None}


def _number(text: str | None) -> int:
    return int(text) if text and text.isascii() and text.isdecimal() and len(text) < 9 else 0


_CONTEXTS = {
    Step.CONSENT: _consent, Step.GUIDELINE: _guideline, Step.PRACTICE: _practice, Step.QUALIFICATION: _qualification,
    Step.FAILED: _failed, Step.READY: _ready,
}  # fmt: skip
