"""The researcher's pages: exports of a project, and one with its files."""

from __future__ import annotations

from typing import Any

import orjson
from django.contrib import messages
from django.core.paginator import Paginator
from django.http import Http404, HttpResponse, HttpResponseBase
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.http import require_POST, require_safe

from exports.access import export_for, exports_for, file_for
from exports.actions import delete_export
from exports.downloads import archive_response, file_response
from exports.files import open_file
from exports.formats import FORMATS
from exports.models import Export
from exports.recipes import read_recipe
from exports.recipes.majority import DROPPED
from labeling.access import RESEARCHERS, project_for, roles_in
from labeling.models import Project
from labeling.rendering import render as render_text
from labeling.web.guards import PersonRequest

PAGE = 30
LONGEST_CARD = 64 * 1024


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
    file = file_for(request.user, pk, path)
    if file.export.project.slug != slug:
        raise Http404
    return file_response(request, file)


@require_safe
def export_archive(request: PersonRequest, slug: str, pk: int) -> HttpResponseBase:
    found = _export(request, slug, pk)
    if found.state != Export.State.DONE:
        raise Http404
    return archive_response(request, found)


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


def _frame(request: PersonRequest, project: Project) -> dict[str, Any]:
    return {"project": project, "roles": roles_in(request.user, project)}


def _described(found: Export) -> dict[str, Any]:
    recipe = orjson.dumps(read_recipe(found.recipe).as_json(), option=orjson.OPT_INDENT_2).decode()
    dropped = (found.manifest or {}).get("dropped", {})
    files = list(found.files.all()) if found.state == Export.State.DONE else []
    return {
        "export": found,
        "files": files,
        "recipe": recipe,
        "card": _card(next((file for file in files if file.path == "README.md"), None)),
        "use": FORMATS[found.recipe["format"]].use.format(directory="PATH/OF/THE/UNPACKED/EXPORT"),
        "dropped": {DROPPED[reason]: dropped[reason] for reason in DROPPED if dropped.get(reason)},
    }


def _card(file: Any) -> dict[str, Any] | None:
    """The card below its front matter, as what the `rendered` filter takes."""
    if file is None:
        return None
    try:
        with open_file(file) as stored:
            return render_text(stored.read(LONGEST_CARD).decode(errors="replace").partition("\n---\n")[2])._asdict()
    except OSError:
        return None
