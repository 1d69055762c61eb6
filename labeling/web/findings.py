"""Findings as files, and the button that computes them anew. The pages that draw them are elsewhere."""

from __future__ import annotations

from django.contrib import messages
from django.http import Http404, HttpResponse, JsonResponse
from django.http.response import HttpResponseBase
from django.shortcuts import redirect
from django.utils.http import content_disposition_header
from django.utils.translation import gettext as _
from django.views.decorators.http import require_POST, require_safe

from labeling.access import MANAGERS, RESEARCHERS, project_for
from labeling.actions.analyse import ask
from labeling.reports.findings import Found, find
from labeling.spreadsheets import csv_download
from labeling.tasks import enqueue_analysis
from labeling.web.guards import PersonRequest


@require_safe
def finding_json(request: PersonRequest, slug: str, name: str) -> HttpResponse:
    """The whole report as it is stored."""
    found = _found(request, slug, name)
    answer = JsonResponse(found.data)
    answer["Content-Disposition"] = content_disposition_header(True, f"{slug}-{name}.json") or "attachment"
    return answer


@require_safe
def finding_csv(request: PersonRequest, slug: str, name: str, table: str) -> HttpResponseBase:
    found = _found(request, slug, name).tables.get(table)
    if found is None:
        raise Http404
    return csv_download(f"{slug}-{name}-{table}.csv", found["columns"], found["rows"])


@require_POST
def analyse_now(request: PersonRequest, slug: str) -> HttpResponse:
    project = project_for(request.user, slug, MANAGERS)
    enqueue_analysis(ask(project=project, by=request.user))
    messages.success(request, _("The figures are being computed anew. This takes a few seconds to two minutes."))
    return redirect("project", slug)


def _found(request: PersonRequest, slug: str, name: str) -> Found:
    found = find(project_for(request.user, slug, RESEARCHERS), name)
    if found is None:
        raise Http404
    return found
