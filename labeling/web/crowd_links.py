"""A manager's links for crowd platforms: making one, its address, its workers, and what to pay them for."""

from __future__ import annotations

from typing import Any

from django.contrib import messages
from django.core.paginator import Paginator
from django.http import HttpResponse, HttpResponseBase
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from labeling.access import MANAGERS, crowd_entry_for, crowd_link_for, project_for
from labeling.actions.crowd_entry import close_link, make_link, release_worker
from labeling.actions.refusals import Refused
from labeling.models import CrowdEntry, CrowdLink
from labeling.reports.crowd_entry import Worker, workers
from labeling.spreadsheets import csv_download
from labeling.web.crowd import address_for, snippet_for
from labeling.web.entry_forms import CrowdLinkForm
from labeling.web.guards import PersonRequest
from labeling.web.project_forms import add_refusal

PAGE = 100
STATES = {
    "working": gettext_lazy("Working"),
    "finished": gettext_lazy("Finished"),
    "screened": gettext_lazy("Screened out"),
}


@require_http_methods(["GET", "HEAD", "POST"])
def crowd_link_new(request: PersonRequest, slug: str) -> HttpResponse:
    project = project_for(request.user, slug, MANAGERS)
    form = CrowdLinkForm(request.POST or None, project=project)
    if form.is_valid():
        try:
            made = make_link(project=project, by=request.user, **form.cleaned_data)
        except Refused as refused:
            add_refusal(form, refused)
        else:
            messages.success(request, _("The link is ready. Paste its address into the platform."))
            return redirect("crowd_link", slug, made.pk)
    context = {"project": project, "form": form}
    return render(request, "labeling/crowd_link_new.html", context, status=422 if form.errors else 200)


@require_safe
def crowd_link(request: PersonRequest, slug: str, pk: int) -> HttpResponse:
    link = crowd_link_for(request.user, slug, pk)
    page = Paginator(_entries(link), PAGE).get_page(request.GET.get("page"))
    context = {
        "project": link.project,
        "link": link,
        "address": address_for(link),
        "snippet": snippet_for(link),
        "page": page,
        "workers": [(one, STATES[one.state]) for one in workers(page.object_list)],
    }
    return render(request, "labeling/crowd_link.html", context)


@require_POST
def crowd_link_close(request: PersonRequest, slug: str, pk: int) -> HttpResponse:
    link = crowd_link_for(request.user, slug, pk)
    close_link(link=link, by=request.user)
    messages.success(request, _("Closed: nobody new comes in. Who is in may finish."))
    return redirect("crowd_link", slug, pk)


@require_POST
def crowd_release(request: PersonRequest, slug: str, pk: int) -> HttpResponse:
    entry = crowd_entry_for(request.user, slug, pk)
    release_worker(entry=entry, by=request.user)
    said = _("%(worker)s may come in with another browser, once.") % {"worker": entry.worker_id}
    messages.success(request, said)
    return redirect("crowd_link", slug, entry.link_id)


@require_safe
def crowd_link_csv(request: PersonRequest, slug: str, pk: int) -> HttpResponseBase:
    """A row a worker, for approving and paying on the platform."""
    link = crowd_link_for(request.user, slug, pk)
    header = [
        "worker_id", "study_id", "session_id", "state", "code", "pairs_judged", "pairs_wanted", "pairs_skipped",
        "judging_minutes", "entered_at", "last_answer_at", "ended_at",
    ]  # fmt: skip
    return csv_download(f"{slug}-workers-{link.pk}.csv", header, (_row(one, link) for one in workers(_entries(link))))


def _entries(link: CrowdLink) -> Any:
    entries = CrowdEntry.objects.filter(link=link).select_related("link", "user")
    return entries.order_by("-entered_at", "-pk")


def _row(one: Worker, link: CrowdLink) -> list[Any]:
    entry = one.entry
    code = {"finished": link.completion_code, "screened": link.screened_code}.get(one.state, "")
    return [
        entry.worker_id, entry.study_id, entry.session_id, one.state, code, one.judged, link.pairs_wanted, one.skipped,
        one.minutes, entry.entered_at, one.last_at or "", entry.finished_at or entry.screened_at or "",
    ]  # fmt: skip
