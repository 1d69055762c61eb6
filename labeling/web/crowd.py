"""The door for workers of a crowd platform: the welcome behind a link, and the page where their work ends."""

from __future__ import annotations

from typing import Any

from django.conf import settings
from django.contrib.auth import login
from django.contrib.auth.decorators import login_not_required
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.views.decorators.http import require_http_methods, require_safe

from labeling.access import RATERS, own_crowd_entry, projects_for
from labeling.actions.consent import current_consent
from labeling.actions.crowd_entry import Entered, check_worker_id, enter, link_of, token_of
from labeling.actions.refusals import Refused
from labeling.models import CrowdLink, User
from labeling.reports.crowd_entry import known_worker, newest, workers
from labeling.reports.entry import next_step
from labeling.web.guards import PersonRequest

Platform = CrowdLink.Platform
# What each platform puts into the address: worker, study, session.
PARAMETERS = {
    Platform.PROLIFIC: ("PROLIFIC_PID", "STUDY_ID", "SESSION_ID"),
    Platform.MTURK: ("workerId", "hitId", "assignmentId"),
    Platform.OTHER: ("worker_id", "study_id", "session_id"),
}
PREVIEW = "ASSIGNMENT_ID_NOT_AVAILABLE"  # MTurk's own word for somebody who only looks
RETURN = "https://app.prolific.com/submissions/complete?cc="
STATUS = {"no_such_link": 404, "link_closed": 410, "worker_id": 400, "entered_elsewhere": 409, "entry_over": 403}
KEY_DAYS = 90
_SNIPPET = """\
<a id="study" target="_blank" rel="noopener" href="{address}">Open the study</a>
<label>Completion code <input name="code" required></label>
<script>document.getElementById("study").href += location.search;</script>"""


@login_not_required
@require_http_methods(["GET", "HEAD", "POST"])
def crowd_enter(request: HttpRequest, token: str) -> HttpResponse:
    """GET shows what the study is and changes nothing: scanners of links come by. POST makes or finds the account."""
    try:
        link = link_of(token)
        ids = _ids(link, request)
        if link.platform == Platform.MTURK and ids["session_id"] == PREVIEW:
            return _page(request, link, preview=True)
        check_worker_id(ids["worker_id"])
        if request.method == "POST":
            return _enter(request, link, ids)
        known = known_worker(link.project, link, ids["worker_id"])
        if known is None and not link.is_open:
            raise Refused("link_closed", "")
        return _page(request, link, ids=ids, known=known is not None)
    except Refused as refused:
        context = {"refused": refused}
        return render(request, "labeling/crowd_refused.html", context, status=STATUS[refused.code])


@require_safe
def crowd_end(request: PersonRequest, token: str) -> HttpResponse:
    """How far a worker is; once they have finished, the code that says so to the platform."""
    try:
        link = link_of(token)
    except Refused as refused:
        raise Http404 from refused
    [worker] = workers([own_crowd_entry(request.user, link)])
    code = {"finished": link.completion_code, "screened": link.screened_code}.get(worker.state, "")
    working = worker.state == "working"
    context = {
        "worker": worker,
        "link": link,
        "project": link.project,
        "code": code,
        "return_to": RETURN + code if link.platform == Platform.PROLIFIC and code else "",
        "taken_out": working and not projects_for(request.user, RATERS).filter(pk=link.project_id).exists(),
        "way": next_step(link.project, request.user) if working else None,
    }
    return render(request, "labeling/crowd_end.html", context)


def end_of(request: PersonRequest) -> HttpResponse:
    """Send a worker to the page of the entry they work for, or worked for last; by htmx as by a plain form."""
    entry = newest(request.user)
    if entry is None:
        raise Http404
    address = reverse("crowd_end", args=[token_of(entry.link)])
    if request.htmx:
        answer = HttpResponse(status=204)
        answer.headers["HX-Redirect"] = address
        return answer
    return redirect(address)


def address_for(link: CrowdLink) -> str:
    """The address to paste into the platform, with the platform's own places for its ids."""
    # From the settings and not from the request: the Host header is whatever the asking client says it is.
    address = settings.PUBLIC_URL + reverse("crowd_enter", args=[token_of(link)])
    if link.platform == Platform.PROLIFIC:
        return f"{address}?" + "&".join(f"{name}={{{{%{name}%}}}}" for name in PARAMETERS[Platform.PROLIFIC])
    return address if link.platform == Platform.MTURK else f"{address}?{PARAMETERS[Platform.OTHER][0]}="


def snippet_for(link: CrowdLink) -> str:
    """What an MTurk survey link needs: HTML for the HIT that hands on who the worker is. Empty for other platforms."""
    return _SNIPPET.format(address=address_for(link)) if link.platform == Platform.MTURK else ""


def _ids(link: CrowdLink, request: HttpRequest) -> dict[str, str]:
    names = ("worker_id", "study_id", "session_id")
    sent = (request.GET.get(name, "").strip() for name in PARAMETERS[Platform(link.platform)])
    return dict(zip(names, sent, strict=True))


def _enter(request: HttpRequest, link: CrowdLink, ids: dict[str, str]) -> HttpResponse:
    known = known_worker(link.project, link, ids["worker_id"])
    key = request.COOKIES.get(_cookie(known.user), "") if known else ""
    signed_in = request.user if request.user.is_authenticated else None
    entered = enter(link=link, key=key, signed_in=signed_in, **ids)
    user = entered.entry.user
    login(request, user, backend="django.contrib.auth.backends.ModelBackend")
    over = entered.entry.finished_at or entered.entry.screened_at
    way = None if over else next_step(link.project, user)
    onward = ("welcome", link.project.slug) if way and not way.is_open else ("crowd_end", token_of(link))
    return _keep(redirect(*onward), entered)


def _keep(answer: HttpResponse, entered: Entered) -> HttpResponse:
    """Let the browser keep the key by which it proves, after a sign-out too, that it is the one that began."""
    if entered.key:
        answer.set_cookie(
            _cookie(entered.entry.user), entered.key, max_age=KEY_DAYS * 24 * 3600, httponly=True,
            secure=settings.HTTPS, samesite="Lax",
        )  # fmt: skip
    return answer


def _cookie(user: User) -> str:
    return f"{'__Host-' if settings.HTTPS else 'annotate_'}worker_{user.pk}"


def _page(request: HttpRequest, link: CrowdLink, **context: Any) -> HttpResponse:
    consent = current_consent(link.project) if context.get("preview") else None
    context |= {"link": link, "project": link.project, "consent": consent}
    return render(request, "labeling/crowd_enter.html", context)
