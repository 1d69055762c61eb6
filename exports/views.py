"""The researcher's pages: exports of a project, and one with its files."""

from __future__ import annotations

from http import HTTPStatus
from typing import Any

import orjson
from django.contrib import messages
from django.core.paginator import Paginator
from django.http import Http404, HttpResponse, HttpResponseBase
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.http import require_POST, require_safe

from exports.access import check_open, export_for, exports_for, file_for
from exports.actions import delete_export
from exports.downloads import archive_response, file_response
from exports.formats import FORMATS
from exports.models import Export
from exports.recipes import read_recipe
from exports.recipes.majority import DROPPED
from exports.withdrawn import successor_of
from labeling.access import RESEARCHERS, project_for, roles_in
from labeling.actions.refusals import Refused
from labeling.models import Project
from labeling.web.guards import PersonRequest

PAGE = 30
MOST_OTHERS = 50


@require_safe
def exports(request: PersonRequest, slug: str) -> HttpResponse:
    project = project_for(request.user, slug, RESEARCHERS)
    found = exports_for(request.user).filter(project=project).order_by("-created_at", "-pk")
    context = _frame(request, project) | {"page": Paginator(found, PAGE).get_page(request.GET.get("page"))}
    return render(request, "exports/list.html", context)


@require_safe
def export(request: PersonRequest, slug: str, pk: int) -> HttpResponse:
    found = _export(request, slug, pk)
    if request.htmx:
        answer = render(request, "exports/detail.html#progress", {"export": found, "project": found.project})
        if found.is_over:
            answer.headers["HX-Refresh"] = "true"
        return answer
    return render(request, "exports/detail.html", _frame(request, found.project) | _described(found))


@require_safe
def export_file(request: PersonRequest, slug: str, pk: int, path: str) -> HttpResponseBase:
    found = _export(request, slug, pk)
    try:
        return file_response(request, file_for(request.user, found.pk, path))
    except Refused as refused:
        return _closed(request, found, refused)


@require_safe
def export_archive(request: PersonRequest, slug: str, pk: int) -> HttpResponseBase:
    found = _export(request, slug, pk)
    if found.state != Export.State.DONE:
        raise Http404
    try:
        check_open(found)
    except Refused as refused:
        return _closed(request, found, refused)
    return archive_response(found)


@require_POST
def export_delete(request: PersonRequest, slug: str, pk: int) -> HttpResponse:
    found = _export(request, slug, pk)
    delete_export(export=found, by=request.user)
    messages.success(request, _("“%(name)s” and its files are gone.") % {"name": found.name})
    return redirect("exports", slug)


def _export(request: PersonRequest, slug: str, pk: int) -> Export:
    found = export_for(request.user, pk)
    if found.project.slug != slug:
        raise Http404
    return found


def _closed(request: PersonRequest, found: Export, refused: Refused) -> HttpResponse:
    messages.error(request, refused.message)
    context = _frame(request, found.project) | _described(found)
    return render(request, "exports/detail.html", context, status=HTTPStatus.GONE)


def _frame(request: PersonRequest, project: Project) -> dict[str, Any]:
    return {"project": project, "roles": roles_in(request.user, project)}


def _described(found: Export) -> dict[str, Any]:
    recipe = orjson.dumps(read_recipe(found.recipe).as_json(), option=orjson.OPT_INDENT_2).decode()
    dropped = (found.manifest or {}).get("dropped", {})
    files = list(found.files.all()) if found.state == Export.State.DONE else []
    others = found.project.exports.filter(state=Export.State.DONE).exclude(pk=found.pk).order_by("-pk")[:MOST_OTHERS]
    return {
        "export": found,
        "files": files,
        "successor": successor_of(found),
        "others": others if files else [],
        "recipe": recipe,
        "use": FORMATS[found.recipe["format"]].use.format(directory="PATH/OF/THE/UNPACKED/EXPORT"),
        "dropped": {DROPPED[reason]: dropped[reason] for reason in DROPPED if dropped.get(reason)},
    }
