"""Recipes of a project: found by name, kept under one, and compared field by field."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from django.db import transaction
from django.db.models import QuerySet
from django.utils.translation import gettext as _

from exports.formats import FORMATS
from exports.models import StoredRecipe
from exports.recipes import NAMED, Recipe, find_recipe, read_recipe
from labeling.actions.refusals import Refused
from labeling.audit import record
from labeling.models import Criterion, Project, RaterProfile, User

NAME = re.compile(r"[a-z0-9][a-z0-9-]{0,59}")
VERSIONED = re.compile(r"(?P<name>[a-z0-9][a-z0-9-]{0,59})(?:@(?P<version>[1-9][0-9]{0,8}))?")
FEWEST_IN_A_GROUP = 5


@dataclass(frozen=True, slots=True)
class Difference:
    """A field of two recipes, by its path, with what each says; None where it does not have it."""

    path: str
    one: Any
    other: Any


@transaction.atomic
def save_recipe(*, project: Project, by: User, name: str, recipe: Any, description: str = "") -> StoredRecipe:
    """Keep a recipe under a name: version 1, or the next one. What is stored never changes. Raises Refused."""
    if not NAME.fullmatch(name):
        said = _("Small letters, digits and hyphens, beginning with a letter or digit; at most 60.")
        raise Refused("invalid", _("This name cannot be used."), {"name": said})
    if name in NAMED:
        said = _("“%(name)s” is a recipe of its own already. Choose another name.") % {"name": name}
        raise Refused("invalid", _("This name cannot be used."), {"name": said})
    plain = checked_recipe(project, recipe).as_json()
    Project.objects.select_for_update(no_key=True).get(pk=project.pk)
    last = project.recipes.filter(name=name).order_by("-version").first()
    told = " ".join(description.split())[:300]
    if last is not None and last.recipe == plain and told in ("", last.description):
        said = _("This is version %(version)s of “%(name)s” already.") % {"version": last.version, "name": name}
        raise Refused("unchanged", said)
    made = StoredRecipe.objects.create(
        project=project,
        name=name,
        version=last.version + 1 if last else 1,
        recipe=plain,
        description=told,
        created_by=by,
    )
    record(by, "recipe.saved", made, project_id=project.pk, name=name, version=made.version)
    return made


def recipes_of(project: Project) -> QuerySet[StoredRecipe]:
    """The newest version of each stored recipe, by name."""
    return (
        StoredRecipe.objects.filter(project=project)
        .order_by("name", "-version")
        .distinct("name")
        .select_related("created_by")
    )


def find_in(project: Project, recipe: Any) -> Recipe:
    """A recipe from its JSON, its name, or the name of a stored one (“name” is the newest version, or “name@2”)."""
    found = VERSIONED.fullmatch(recipe) if isinstance(recipe, str) and recipe not in NAMED else None
    if found is None:
        return find_recipe(recipe)
    mine = project.recipes.filter(name=found["name"])
    stored = (mine.filter(version=found["version"]) if found["version"] else mine).order_by("-version").first()
    if stored is None:
        known = ", ".join(sorted({*NAMED, *project.recipes.values_list("name", flat=True)}))
        said = _("Recipes with a name: %(known)s; or send an object.") % {"known": known}
        raise Refused("invalid", _("There is no recipe “%(name)s”.") % {"name": recipe}, {"recipe": said})
    return read_recipe(stored.recipe)


def checked_recipe(project: Project, recipe: Any) -> Recipe:
    """A recipe that fits this project; raises Refused("invalid") naming what the project does not have."""
    read = find_in(project, recipe)
    errors = dict(_misfits(project, read))
    if errors:
        raise Refused("invalid", _("This recipe does not fit the project."), errors)
    return read


def differences(one: Mapping[str, Any], other: Mapping[str, Any], path: str = "") -> Iterator[Difference]:
    """Where two recipes, as JSON, say different things."""
    for name in dict.fromkeys([*one, *other]):
        left, right = one.get(name), other.get(name)
        if isinstance(left, Mapping) and isinstance(right, Mapping):
            yield from differences(left, right, f"{path}{name}.")
        elif left != right:
            yield Difference(f"{path}{name}", left, right)


def _misfits(project: Project, recipe: Recipe) -> Iterator[tuple[str, str]]:
    yield from _of_criteria(project, recipe)
    for field, names in (("queues", project.queues), ("batches", project.batches)):
        known = set(names.values_list("name", flat=True))
        for name in set(getattr(recipe.filters, field)) - known:
            said = _("There is no “%(name)s”. This project has: %(known)s.")
            yield f"filters.{field}", said % {"name": name, "known": ", ".join(sorted(known)[:20])}
    for field, values in recipe.filters.raters:
        if raters_who_said(project, field, values) < FEWEST_IN_A_GROUP:
            yield f"filters.raters.{field}", _("Fewer than five raters have said so; a group so small could be named.")


def _of_criteria(project: Project, recipe: Recipe) -> Iterator[tuple[str, str]]:
    criteria = {criterion.key: criterion for criterion in project.criteria.all()}
    preferences = {key: each for key, each in criteria.items() if each.kind == Criterion.Kind.PREFERENCE}
    # what has a use for every answer can be of a project that asks for no preference at all
    fit = preferences if recipe.combine or "unjudged" not in FORMATS[recipe.format].takes else criteria
    if set(recipe.criteria) - fit.keys():
        path = f"criterion.{'weights' if recipe.combine.weights else 'harmless'}" if recipe.combine else "criterion"
        yield path, _("No such preference. This project has: %(known)s.") % {"known": ", ".join(fit)}
    elif recipe.aggregate == "hh" and min(fit[key].strengths for key in recipe.criteria) < 2:
        yield "aggregate", _("There is one grade only, so there is no weakest to drop. Use majority.")
    if "conflict" in recipe.filters.exclude and len(preferences) < 2:
        yield "filters.exclude", _("There is one preference only, so none can point another way.")


def raters_who_said(project: Project, field: str, values: tuple[str, ...]) -> int:
    """Raters of the project whose profile says one of `values`, with consent to its use."""
    profiles = RaterProfile.objects.filter(demographics_consent_at__isnull=False, user__annotations__project=project)
    return profiles.filter(**{f"demographics__{field}__in": list(values)}).values("user").distinct().count()
