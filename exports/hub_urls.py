"""The addresses of a hub, where its library expects them: at the root of the site, without a slash at the end."""

from __future__ import annotations

from django.urls import path

from exports import hub

app_name = "hub"
_REPOSITORY = "api/datasets/<str:owner>/<str:name>"
_AT = f"{_REPOSITORY}/%s/<str:revision>"

urlpatterns = [
    path(_REPOSITORY, hub.Repository.as_view(), name="repository"),
    path(_AT % "revision", hub.Repository.as_view(), name="revision"),
    path(f"{_REPOSITORY}/refs", hub.References.as_view(), name="refs"),
    path(_AT % "tree", hub.Tree.as_view(), name="tree"),
    path(f"{_AT % 'tree'}/<path:path>", hub.Tree.as_view(), name="tree_folder"),
    path(_AT % "paths-info", hub.PathsInfo.as_view(), name="paths_info"),
    path("datasets/<str:owner>/<str:name>/resolve/<str:revision>/<path:path>", hub.Resolve.as_view(), name="resolve"),
]
