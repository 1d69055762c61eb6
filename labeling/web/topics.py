"""For raters: which sensitive topics there are, what they choose to see of them, and whom they can talk to."""

from __future__ import annotations

from django.contrib import messages
from django.http import HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from labeling.access import MEMBERS, RATERS, project_for
from labeling.actions.care import stop_sharing
from labeling.actions.refusals import Refused
from labeling.actions.topics import choose_topics
from labeling.models import CheckIn
from labeling.reports.topics import topic_sheets
from labeling.web.guards import PersonRequest

CHECK_INS = 20


@require_http_methods(["GET", "HEAD", "POST"])
def topics(request: PersonRequest, slug: str) -> HttpResponse:
    """What there is to know before choosing, and the choice: none unless it was made."""
    project = project_for(request.user, slug, RATERS)
    if request.method == "POST":
        try:
            choose_topics(project=project, rater=request.user, keys=set(request.POST.getlist("topics")))
            messages.success(request, _("Saved. It holds from the next comparison on."))
        except Refused as refused:
            messages.error(request, refused.message)
        return redirect("topics", slug)
    context = {
        "project": project,
        "sheets": topic_sheets(project, request.user),
        "has_images": project.images.exists(),
        "check_ins": CheckIn.objects.filter(project=project, user=request.user).order_by("-created_at")[:CHECK_INS],
    }
    return render(request, "labeling/topics.html", context)


@require_POST
def check_in_unshare(request: PersonRequest, slug: str, pk: int) -> HttpResponse:
    project = project_for(request.user, slug, RATERS)
    found = get_object_or_404(CheckIn, pk=pk, user=request.user, project=project)
    stop_sharing(user=request.user, check_in=found)
    messages.success(request, _("The managers do not see it any more."))
    return redirect("topics", slug)


@require_safe
def support(request: PersonRequest, slug: str) -> HttpResponse:
    return render(request, "labeling/support.html", {"project": project_for(request.user, slug, MEMBERS)})
