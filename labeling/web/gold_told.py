"""After an answer that was not the known one: what is known, why, by which principle, and a place to disagree.

It never says how many; an answer that was as known is told nothing. It decides by what is stored, so that a reload
shows it again, until the rater went on.
"""

from __future__ import annotations

from typing import Any

from django.http import HttpResponse
from django.shortcuts import redirect
from django.urls import reverse
from django.views.decorators.http import require_POST

from labeling.access import assignment_for
from labeling.actions.disputes import LONGEST, disagree
from labeling.actions.gold_results import have_told
from labeling.actions.refusals import Refused
from labeling.models import Assignment, Dispute, GoldPair, GoldResult, Participation, Queue, User
from labeling.reports.desk import Shown, shown
from labeling.reports.missed import missed
from labeling.reports.work import history
from labeling.web.feedback import feedback_on
from labeling.web.guards import PersonRequest
from labeling.web.screens import Screen, show


def gold_told(request: PersonRequest, queue: Queue, seen: Shown) -> Screen | None:
    """Before the next pair: what is known of the one before."""
    return None if seen.untold is None else _screen(seen.untold, request.user)


def told_at_the_end(request: PersonRequest, queue: Queue) -> Screen | None:
    """The same where no next pair is there. One query."""
    wrong = GoldResult.objects.filter(project=queue.project_id, rater=request.user, right=False)
    waiting = wrong.filter(told_at=None, set_aside=False).order_by("pk")
    first = waiting.values_list("annotation__assignment", flat=True).first()
    return None if first is None else _screen(first, request.user)


@require_POST
def told(request: PersonRequest, pk: int) -> HttpResponse:
    """`do=disagree` with a `text`, or anything else to go on; `back=work` when it was read in My work."""
    assignment = assignment_for(request.user, pk)
    at_work = request.POST.get("back") == "work"
    if request.POST.get("do") == "disagree":
        text = request.POST.get("text", "")
        try:
            disagree(assignment=assignment, rater=request.user, text=text)
        except Refused as refused:
            if refused.code == "invalid" and assignment.queue is not None:
                screen = _screen(pk, request.user, refused=refused, text=text, back="work" if at_work else "")
                return show(request, screen, assignment.queue)
    else:
        have_told(project_id=assignment.project_id, rater=request.user, assignment_id=pk)
    return redirect("work_detail", pk) if at_work else redirect("compare", assignment.queue_id)


def known_of(assignment: Assignment, past: Shown, rater: User) -> dict[str, Any] | None:
    """What templates/labeling/_gold_told.html needs; None unless the answer was measured and was not the known one."""
    found = missed(assignment, rater)
    if found is None:
        return None
    at = ""
    if found.guideline is not None and found.principle is not None:
        at = (
            reverse("guideline", args=[found.gold.project.slug, found.guideline.version]) + f"#{found.principle.anchor}"
        )
    return {
        "gold": found.gold,
        "feedback": _feedback(assignment, found.gold, past),
        "principle": found.principle,
        "principle_at": at,
        "dispute": Dispute.objects.filter(annotation__assignment=assignment).first(),
        "longest": LONGEST,
    }


def _feedback(assignment: Assignment, gold: GoldPair, past: Shown) -> list[Any]:
    """By the first answer: what was changed after reading what is known is no news."""
    first = history(assignment)[-1]
    rows = feedback_on(gold, first.body, assignment.swapped, past)
    return [one for one in rows if not one.right] or rows


def _screen(pk: int, rater: User, *, refused: Refused | None = None, text: str = "", back: str = "") -> Screen:
    past = shown(Assignment(pk=pk))
    known = known_of(past.assignment, past, rater) or {"feedback": [], "gold": None}
    warned = Participation.objects.filter(project=past.assignment.project_id, user=rater, paused_at=None)
    ended = past.assignment.ended_at
    context = known | {
        "past": past,
        "past_assignment": past.assignment,
        "refused": refused,
        "text": text,
        "back": back,
        "warned": ended is not None and warned.filter(warned_at__gte=ended).exists(),
    }
    return Screen("labeling/gold_told.html", context, status=422 if refused else 200)
