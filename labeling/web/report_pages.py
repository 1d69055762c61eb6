"""What every page of a report begins with: who may see it, how old it is, and its tables as files."""

from __future__ import annotations

from typing import Any

import orjson
from django.contrib import messages
from django.http import Http404, HttpResponse
from django.http.response import HttpResponseBase
from django.shortcuts import redirect
from django.utils.http import content_disposition_header, url_has_allowed_host_and_scheme
from django.utils.translation import gettext as _
from django.views.decorators.http import require_POST, require_safe

from labeling.access import MANAGERS, RESEARCHERS, project_for, roles_in
from labeling.actions.analyse import ask
from labeling.models import Membership, Project
from labeling.reports.findings import Found, age, find, find_all
from labeling.spreadsheets import csv_download
from labeling.tasks import enqueue_analysis
from labeling.web.guards import PersonRequest


def begin(request: PersonRequest, slug: str, *names: str) -> tuple[Project, dict[str, Found], dict[str, Any]]:
    """The project for a manager or researcher, the reports that there are, and what the templates need of both."""
    project = project_for(request.user, slug, RESEARCHERS)
    found = find_all(project, *names)
    context = {
        "project": project, "roles": roles_in(request.user, project), "age": age(project),
        "report": found.get(names[0]),
        "report_name": names[0],
    }  # fmt: skip
    return project, found, context


def criteria_of(project: Project, keys: list[str]) -> list[tuple[str, str]]:
    """(key, name) of those criteria, in the project's order. One query."""
    names = dict(project.criteria.order_by("position", "id").values_list("key", "name"))
    return [(key, name) for key, name in names.items() if key in keys]


def chosen(request: PersonRequest, name: str, known: list[str]) -> str:
    """What the address asks for, if it is known, else the first."""
    asked = request.GET.get(name, "")
    return asked if asked in known else (known[0] if known else "")


@require_safe
def report_file(request: PersonRequest, slug: str, name: str, table: str, ending: str) -> HttpResponseBase:
    """One table of a report, whole: the figures as they were computed, not as a page rounds them."""
    project = project_for(request.user, slug, RESEARCHERS)
    found = find(project, name)
    if found is None or table not in found.tables:
        raise Http404
    file, stored = f"{slug}-{name}-{table}.{ending}", found.tables[table]
    if ending == "csv":
        return csv_download(file, stored["columns"], stored["rows"])
    facts = {"project": slug, "report": name, "table": table, "computed_at": found.data["computed_at"]}
    answer = HttpResponse(orjson.dumps(facts | {"rows": found.rows(table)}), content_type="application/json")
    answer["Content-Disposition"] = content_disposition_header(True, file) or "attachment"
    return answer


@require_POST
def analyse(request: PersonRequest, slug: str) -> HttpResponse:
    """Have everything computed anew, and go back to where that was asked."""
    project = project_for(request.user, slug, MANAGERS)
    enqueue_analysis(ask(project=project, by=request.user))
    messages.success(request, _("It is being computed. The figures change by themselves when it is done."))
    back = request.POST.get("back", "")
    if not url_has_allowed_host_and_scheme(back, allowed_hosts=None):
        return redirect("project", slug)
    return redirect(back)


def may_know_names(context: dict[str, Any]) -> bool:
    """Managers know who a pseudonym is; researchers do not."""
    return Membership.Role.MANAGER in context["roles"]
