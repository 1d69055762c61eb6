"""Choosing how to read a pair. By htmx only the two texts and the choice change; without a script the page is shown
again, its answers kept as the draft."""

from __future__ import annotations

from contextlib import suppress

from django.conf import settings
from django.http import Http404, HttpResponse
from django.shortcuts import redirect, render
from django.utils.http import url_has_allowed_host_and_scheme
from django.views.decorators.http import require_POST

from labeling.access import assignment_for
from labeling.actions import annotate
from labeling.actions.refusals import Refused
from labeling.models import Assignment
from labeling.reports.desk import shown
from labeling.templatetags.reading import CHOICES, COOKIE, chosen
from labeling.web.guards import PersonRequest
from labeling.web.questions import body_of

YEAR = 365 * 24 * 3600


@require_POST
def choose(request: PersonRequest, pk: int) -> HttpResponse:
    """`raw` and `marks` are "on" or "off"; the other stays as it was."""
    assignment = assignment_for(request.user, pk)
    if assignment.unopened:
        raise Http404
    choices = chosen(request)
    for name in CHOICES:
        choices = choices | {name} if request.POST.get(name) == "on" else choices
        choices = choices - {name} if request.POST.get(name) == "off" else choices
    request.COOKIES[COOKIE] = ".".join(sorted(choices))
    response = _texts(request, assignment) if request.htmx else _page(request, assignment)
    response.set_cookie(
        COOKIE, request.COOKIES[COOKIE], max_age=YEAR, secure=settings.SESSION_COOKIE_SECURE, httponly=True,
        samesite="Lax",
    )  # fmt: skip
    return response


def _texts(request: PersonRequest, assignment: Assignment) -> HttpResponse:
    seen = shown(assignment)
    context = {"shown": seen, "assignment": seen.assignment, "queue": seen.assignment.queue}
    return render(request, "labeling/_reading.html", context)


def _page(request: PersonRequest, assignment: Assignment) -> HttpResponse:
    """Back to where the person was, with the form's answers kept if the pair is still theirs to answer."""
    with suppress(Refused):
        annotate.save_draft(assignment=assignment, rater=request.user, draft=body_of(request.POST))
    back = request.headers.get("Referer", "")
    if url_has_allowed_host_and_scheme(back, {request.get_host()}, require_https=request.is_secure()):
        return redirect(back)
    return redirect("compare", assignment.queue_id)
