"""Where raters disagree with a known answer: read, decided and answered by managers and adjudicators."""

from __future__ import annotations

from django.contrib import messages
from django.core.paginator import Paginator
from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods, require_safe

from labeling.access import ADJUDICATORS, dispute_for, project_for, roles_in
from labeling.actions.disputes import answer_dispute
from labeling.actions.refusals import Refused
from labeling.models import Dispute, Membership
from labeling.reports.desk import shown
from labeling.reports.disputes import disputed_principles, disputes_of
from labeling.reports.work import history
from labeling.web.feedback import feedback_on
from labeling.web.gold_forms import AnswerForm
from labeling.web.guards import PersonRequest
from labeling.web.project_forms import add_refusal

PAGE = 50


@require_safe
def disputes(request: PersonRequest, slug: str) -> HttpResponse:
    project = project_for(request.user, slug, ADJUDICATORS)
    context = {
        "project": project,
        "page": Paginator(disputes_of(project), PAGE).get_page(request.GET.get("page")),
        "principles": disputed_principles(project),
    }
    return render(request, "labeling/disputes.html", context)


@require_http_methods(["GET", "HEAD", "POST"])
def dispute(request: PersonRequest, slug: str, pk: int) -> HttpResponse:
    """The pair as its rater saw it, what they said, what is known, their objection; POST answers it."""
    found = dispute_for(request.user, slug, pk)
    form = AnswerForm(request.POST or None)
    if request.method == "POST" and form.is_valid():
        try:
            answered = answer_dispute(dispute=found, by=request.user, **form.cleaned_data)
        except Refused as refused:
            if refused.code == "unchanged":
                messages.warning(request, refused.message)
                return redirect("dispute", slug, pk)
            add_refusal(form, refused)
        else:
            return _answered(request, slug, answered)
    assignment = found.annotation.assignment
    past, gold = shown(assignment), found.gold_pair
    first = history(past.assignment)[-1]
    context = {
        "project": found.project,
        "dispute": found,
        "form": form,
        "shown": past,
        "assignment": past.assignment,
        "feedback": feedback_on(gold, first.body, past.assignment.swapped, past),
        "gold": gold,
        "rivals": disputes_of(found.project).filter(gold_pair=gold).exclude(pk=pk)[:10],
        "manages": Membership.Role.MANAGER in roles_in(request.user, found.project),
    }
    return render(request, "labeling/dispute.html", context, status=422 if form.errors else 200)


def _answered(request: PersonRequest, slug: str, answered: Dispute) -> HttpResponse:
    if answered.outcome == Dispute.Outcome.REJECTED:
        messages.success(request, _("Answered. The known answer stands, and the rater reads why."))
        return redirect("disputes", slug)
    said = _("Answered. What was measured by this pair counts for nobody, and it is shown no more.")
    if Membership.Role.MANAGER in roles_in(request.user, answered.project):
        messages.success(request, said + " " + _("If another answer is right, save it here and the pair comes back."))
        return redirect("gold_edit", slug, answered.gold_pair.pair_id)
    messages.success(request, said)
    return redirect("disputes", slug)
