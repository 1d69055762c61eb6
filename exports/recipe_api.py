"""Recipes over HTTP: those of a project, and what one would give before it is built."""

from __future__ import annotations

from typing import Any

from django.http import Http404
from drf_spectacular.utils import OpenApiParameter, extend_schema
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from exports.models import StoredRecipe
from exports.stored import checked_recipe, save_recipe
from exports.whatif import what_if
from labeling.access import RESEARCHERS, project_for
from labeling.api.base import LIST_PARAMETERS, Endpoint, StrictSerializer, page_of, paged, read

_RECIPE = "The name of a recipe (`dpo`, `helpsteer`, one of the project, or `name@2`), or a recipe as an object."


class NewRecipe(StrictSerializer):
    name = serializers.CharField(max_length=60, help_text="Small letters, digits and hyphens.")
    recipe = serializers.JSONField(help_text=_RECIPE)
    description = serializers.CharField(max_length=300, required=False, allow_blank=True)


class Question(StrictSerializer):
    recipe = serializers.JSONField(help_text=_RECIPE)
    against = serializers.JSONField(required=False, help_text="Another recipe whose labels to compare with.")


class RecipeShape(serializers.Serializer[StoredRecipe]):
    """A recipe under a name. A version never changes; a change is the next version."""

    name = serializers.CharField()
    version = serializers.IntegerField()
    description = serializers.CharField(allow_blank=True)
    recipe = serializers.DictField()
    created_at = serializers.DateTimeField()


class WhatIfShape(serializers.Serializer[Any]):
    """What a recipe would give. `about` says that the figures stand on a part of the pairs; α and accuracy are null
    where too few pairs were judged twice."""

    recipe = serializers.DictField()
    about = serializers.BooleanField()
    pairs = serializers.IntegerField()
    rows = serializers.IntegerField()
    funnel = serializers.ListField(child=serializers.DictField())
    alpha_before = serializers.FloatField(allow_null=True)
    alpha_after = serializers.FloatField(allow_null=True)
    accuracy = serializers.FloatField(allow_null=True)
    epsilon = serializers.FloatField(allow_null=True)
    against = serializers.DictField(allow_null=True)
    adjudicated = serializers.IntegerField(help_text="Labels that are an adjudicator's decision.")
    preview = serializers.ListField(child=serializers.DictField())


class Recipes(Endpoint):
    @extend_schema(operation_id="list_recipes", parameters=LIST_PARAMETERS, responses=page_of(RecipeShape))
    def get(self, request: Request, slug: str) -> Response:
        """Every version of every stored recipe of a project, newest first."""
        project = project_for(self.user, slug, RESEARCHERS)
        return Response(paged(request, project.recipes.all(), recipe_shape, "-created_at", "-id"))

    @extend_schema(operation_id="create_recipe", request=NewRecipe, responses={201: RecipeShape})
    def post(self, request: Request, slug: str) -> Response:
        """Keep a recipe under a name. A name that is there gets its next version."""
        project = project_for(self.user, slug, RESEARCHERS)
        return Response(
            recipe_shape(save_recipe(project=project, by=self.user, **read(NewRecipe, request))), status=201
        )


class OneRecipe(Endpoint):
    @extend_schema(
        operation_id="read_recipe",
        parameters=[OpenApiParameter("version", int, description="The newest one if left out.")],
        responses=RecipeShape,
    )
    def get(self, request: Request, slug: str, name: str) -> Response:
        """One recipe of a project."""
        project = project_for(self.user, slug, RESEARCHERS)
        found = project.recipes.filter(name=name).order_by("-version")
        if asked := request.query_params.get("version"):
            found = (
                found.filter(version=asked)
                if asked.isascii() and asked.isdecimal() and len(asked) < 9
                else found.none()
            )
        one = found.first()
        if one is None:
            raise Http404
        return Response(recipe_shape(one))


class WhatIfs(Endpoint):
    @extend_schema(operation_id="what_if", request=Question, responses=WhatIfShape)
    def post(self, request: Request, slug: str) -> Response:
        """What a recipe would give now: the funnel, rows, agreement, accuracy, the first rows. Nothing is built."""
        project = project_for(self.user, slug, RESEARCHERS)
        asked = read(Question, request)
        recipe, other = checked_recipe(project, asked["recipe"]), asked.get("against")
        name = other if isinstance(other, str) else "against"
        found = what_if(project, recipe, None if other is None else (name, checked_recipe(project, other)))
        return Response(found.as_json())


def recipe_shape(stored: StoredRecipe) -> dict[str, Any]:
    return {name: getattr(stored, name) for name in ("name", "version", "description", "recipe", "created_at")}
