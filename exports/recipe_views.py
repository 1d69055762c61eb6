"""The researcher's pages before there is an export: a new one with what it would give, and the project's recipes."""

from __future__ import annotations

from typing import Any

import orjson
from django.contrib import messages
from django.http import Http404, HttpResponse
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods, require_safe

from exports.actions import request_export
from exports.forms import AGGREGATES, RecipeForm, by_method
from exports.models import StoredRecipe
from exports.recipes import NAMED, PRESETS, Recipe, read_recipe
from exports.stored import checked_recipe, differences, find_in, recipes_of, save_recipe
from exports.tasks import enqueue_export
from exports.whatif import WhatIf, what_if
from labeling.access import RESEARCHERS, project_for, roles_in
from labeling.actions.refusals import Refused
from labeling.models import Project
from labeling.web.guards import PersonRequest

LARGEST_RECIPE = 64 * 1024


@require_http_methods(["GET", "HEAD", "POST"])
def export_new(request: PersonRequest, slug: str) -> HttpResponse:
    project = project_for(request.user, slug, RESEARCHERS)
    if request.method == "POST":
        return _request(request, project)
    start = request.GET.get("recipe", "")
    try:
        base = find_in(project, start) if start else Recipe("dpo")
    except Refused as refused:
        raise Http404 from refused
    stored = list(recipes_of(project))
    form = RecipeForm(project, request.GET, base, [*PRESETS, *(one.name for one in stored)])
    context = _frame(request, project) | {
        "form": form, "methods": by_method(), "aggregates": AGGREGATES, "start": start, "presets": PRESETS,
        "stored": stored,
    }  # fmt: skip
    if form.is_valid():
        try:
            context |= _looked(project, form)
        except Refused as refused:
            form.add_error(None, [refused.message, *refused.errors.values()])
    template = "exports/new.html#outcome" if request.htmx else "exports/new.html"
    return render(request, template, context, status=422 if form.errors else 200)


@require_http_methods(["GET", "HEAD", "POST"])
def export_recipes(request: PersonRequest, slug: str) -> HttpResponse:
    project = project_for(request.user, slug, RESEARCHERS)
    if request.method == "POST":
        try:
            made = save_recipe(
                project=project, by=request.user, name=request.POST.get("name", "").strip(), recipe=_sent(request),
                description=request.POST.get("description", ""),
            )  # fmt: skip
        except Refused as refused:
            messages.error(request, " ".join([refused.message, *refused.errors.values()]))
            return redirect("export_recipes", slug)
        messages.success(
            request, _("Saved as “%(name)s”, version %(version)s.") % {"name": made.name, "version": made.version}
        )
        return redirect("export_recipe", slug, made.name)
    context = _frame(request, project) | {"stored": recipes_of(project), "presets": PRESETS}
    return render(request, "exports/recipes.html", context)


@require_safe
def export_recipe(request: PersonRequest, slug: str, name: str) -> HttpResponse:
    project = project_for(request.user, slug, RESEARCHERS)
    versions = list(project.recipes.filter(name=name).select_related("created_by").order_by("-version"))
    if not versions:
        raise Http404
    number = request.GET.get("version", "")
    shown = next((one for one in versions if str(one.version) == number), versions[0])
    other = request.GET.get("other", "") or (f"{name}@{shown.version - 1}" if shown.version > 1 else "")
    context = _frame(request, project) | _compared(project, shown, other)
    others = [f"{one.name}@{one.version}" for one in project.recipes.exclude(pk=shown.pk)]
    return render(
        request,
        "exports/recipe.html",
        context
        | {
            "shown": shown,
            "versions": versions,
            "others": [*others, *NAMED],
            "other": other,
            "json": _pretty(read_recipe(shown.recipe).as_json()).decode(),
        },
    )


@require_safe
def export_recipe_file(request: PersonRequest, slug: str, name: str, version: int) -> HttpResponse:
    project = project_for(request.user, slug, RESEARCHERS)
    found = project.recipes.filter(name=name, version=version).first()
    if found is None:
        raise Http404
    answer = HttpResponse(_pretty(read_recipe(found.recipe).as_json()) + b"\n", content_type="application/json")
    answer.headers["Content-Disposition"] = f'attachment; filename="{name}-{version}.json"'
    return answer


def _request(request: PersonRequest, project: Project) -> HttpResponse:
    try:
        recipe = orjson.loads(request.POST.get("recipe", ""))
        made = request_export(project=project, by=request.user, recipe=recipe, name=request.POST.get("name", ""))
    except orjson.JSONDecodeError:
        messages.error(request, _("That recipe is not JSON. Choose it again here."))
        return redirect("export_new", project.slug)
    except Refused as refused:
        messages.error(request, " ".join([refused.message, *refused.errors.values()]))
        return redirect("export_new", project.slug)
    enqueue_export(made)
    return redirect("export", project.slug, made.pk)


def _sent(request: PersonRequest) -> Any:
    """The recipe of a form: a file if there is one, else the text. Raises Refused."""
    file = request.FILES.get("file")
    data = file.read(LARGEST_RECIPE + 1) if file else request.POST.get("recipe", "").encode()
    if len(data) > LARGEST_RECIPE:
        raise Refused("invalid", _("A recipe has at most 64 KB."))
    try:
        return orjson.loads(data)
    except orjson.JSONDecodeError as problem:
        raise Refused("invalid", _("That recipe is not JSON.")) from problem


def _looked(project: Project, form: RecipeForm) -> dict[str, Any]:
    recipe, other = checked_recipe(project, form.recipe()), form.cleaned_data["against"]
    found = what_if(project, recipe, (other, checked_recipe(project, other)) if other else None)
    return {
        "preview": found,
        "recipe": orjson.dumps(recipe.as_json()).decode(),
        "as_json": _pretty(found.rows).decode(),
        "example": found.format.example,
        "columns": found.format.columns,
        "use": _use(found),
    }


def _use(found: WhatIf) -> str:
    return found.format.use.format(directory="PATH/OF/THE/UNPACKED/EXPORT")


def _compared(project: Project, shown: StoredRecipe, other: str) -> dict[str, Any]:
    """Where the shown recipe and another one differ; of a name that nobody knows, nothing."""
    if not other:
        return {}
    try:
        theirs = find_in(project, other).as_json()
    except Refused:
        return {"unknown": True}
    return {
        "differences": [(each.path, _short(each.one), _short(each.other)) for each in differences(shown.recipe, theirs)]
    }


def _short(value: Any) -> str:
    return orjson.dumps(value).decode()


def _pretty(value: Any) -> bytes:
    return orjson.dumps(value, option=orjson.OPT_INDENT_2)


def _frame(request: PersonRequest, project: Project) -> dict[str, Any]:
    return {"project": project, "roles": roles_in(request.user, project)}
