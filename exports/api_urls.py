"""The paths of the API that belong to exports; annotate/api_v1.py puts them under /api/v1/."""

from __future__ import annotations

from django.urls import path

from exports import api, recipe_api, share_api, snapshot_api

urlpatterns = [
    path("projects/<slug:slug>/exports/", api.Exports.as_view(), name="exports"),
    path("projects/<slug:slug>/recipes/", recipe_api.Recipes.as_view(), name="recipes"),
    path("projects/<slug:slug>/recipes/<slug:name>/", recipe_api.OneRecipe.as_view(), name="recipe"),
    path("projects/<slug:slug>/exports/what-if/", recipe_api.WhatIfs.as_view(), name="what_if"),
    path("projects/<slug:slug>/exports/compare/", snapshot_api.Compared.as_view(), name="compare_exports"),
    path("projects/<slug:slug>/withdrawals/", snapshot_api.Withdrawals.as_view(), name="withdrawals"),
    path("exports/<int:pk>/", api.OneExport.as_view(), name="export"),
    path("exports/<int:pk>/all.zip", api.Archive.as_view(), name="export_archive"),
    path("exports/<int:pk>/links/", share_api.Links.as_view(), name="links"),
    path("projects/<slug:slug>/links/<int:pk>/", share_api.OneLink.as_view(), name="link"),
    path("exports/<int:pk>/pushes/", share_api.Pushes.as_view(), name="pushes"),
    path("exports/<int:pk>/files/<path:path>", api.OneFile.as_view(), name="export_file"),
]
