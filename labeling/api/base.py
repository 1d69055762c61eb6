"""What every endpoint is made of: a view that knows its user, serializers that refuse unknown fields, pages."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, cast

from django.db import DataError
from django.db.models import Model, QuerySet
from django.http import Http404
from drf_spectacular.utils import OpenApiParameter, inline_serializer
from rest_framework import serializers
from rest_framework.exceptions import NotFound
from rest_framework.pagination import CursorPagination
from rest_framework.permissions import AllowAny
from rest_framework.request import Request
from rest_framework.views import APIView

from labeling.models import User

PAGE, LARGEST_PAGE = 100, 1000
LIST_PARAMETERS = [
    OpenApiParameter("limit", int, description="Rows a page, 100 if left out, at most 1,000."),
    OpenApiParameter("cursor", str, description="From `next` or `previous`."),
]


class Endpoint(APIView):
    """Only reached with a live token; `self.user` is its person."""

    http_method_names = ["get", "head", "post", "put", "patch", "delete"]

    @property
    def user(self) -> User:
        return cast(User, self.request.user)


class NoSuchPath(APIView):
    """Whatever is not a path of the API: a problem, not a page."""

    permission_classes = (AllowAny,)
    authentication_classes = ()
    schema = None

    def initial(self, request: Request, *args: Any, **kwargs: Any) -> None:
        raise Http404


class StrictSerializer(serializers.Serializer[Any]):
    """A misspelt field is an error, not a default."""

    def to_internal_value(self, data: Any) -> Any:
        errors: dict[str, Any] = {}
        if isinstance(data, Mapping):
            known = [name for name, field in self.fields.items() if not field.read_only]
            errors = {name: [f"Unknown field. Known: {', '.join(known)}."] for name in data.keys() - set(known)}
        try:
            value = super().to_internal_value(data)
        except serializers.ValidationError as problem:
            errors |= cast(dict[str, Any], problem.detail)
        if errors:
            raise serializers.ValidationError(errors)
        return value


def read(serializer: type[StrictSerializer], request: Request, *, partial: bool = False) -> dict[str, Any]:
    """The body as the serializer's fields, or a problem that names each wrong one."""
    reading = serializer(data=request.data, partial=partial)
    reading.is_valid(raise_exception=True)
    return cast(dict[str, Any], reading.validated_data)


class Pages(CursorPagination):
    """Lists are read in pages by cursor: `next`, `previous`, `results`."""

    page_size_query_param = "limit"

    def __init__(self, *ordering: str) -> None:
        self.ordering = ordering or ("id",)

    def get_page_size(self, request: Request) -> int:
        return read_limit(request)


def read_limit(request: Request) -> int:
    """`?limit=`, or a problem that names it."""
    text = request.query_params.get("limit", str(PAGE))
    if not (text.isascii() and text.isdecimal() and len(text) < 9 and 1 <= int(text) <= LARGEST_PAGE):
        raise serializers.ValidationError({"limit": [f"Must be a whole number from 1 to {LARGEST_PAGE}."]})
    return int(text)


def paged(
    request: Request, rows: QuerySet[Any], shape: Callable[[Any], dict[str, Any]], *ordering: str
) -> dict[str, Any]:
    """One page of `rows`, each as `shape` makes it. One query."""
    pages = Pages(*ordering)
    try:
        found: list[Model] = pages.paginate_queryset(rows, request) or []
    except (NotFound, ValueError, DataError):
        raise serializers.ValidationError(
            {"cursor": ["This is no cursor of this list. Take one from `next`."]}
        ) from None
    return {
        "next": pages.get_next_link(),
        "previous": pages.get_previous_link(),
        "results": [shape(row) for row in found],
    }


def page_of(of: type[serializers.Serializer[Any]]) -> serializers.Serializer[Any]:
    """The schema of what `paged` answers."""
    fields: dict[str, serializers.Field[Any, Any, Any, Any]] = {
        "next": serializers.URLField(allow_null=True),
        "previous": serializers.URLField(allow_null=True),
        "results": of(many=True),
    }
    return inline_serializer(f"{of.__name__.removesuffix('Shape').removesuffix('Line')}Page", fields)
