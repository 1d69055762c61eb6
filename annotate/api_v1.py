"""The API, version 1: what labeling and exports offer, its description, and a problem for every other path."""

from __future__ import annotations

from django.urls import URLPattern, URLResolver, include, path, re_path

from labeling.api.base import NoSuchPath
from labeling.api.docs import docs, schema_json

app_name = "api"
urlpatterns: list[URLPattern | URLResolver] = [
    path("schema/", schema_json, name="schema"),
    path("docs/", docs, name="docs"),
    path("", include("labeling.api.urls")),
    path("", include("exports.api_urls")),
    re_path(r"^.*$", NoSuchPath.as_view(), name="no_such_path"),
]
