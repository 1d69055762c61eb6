"""The paths of the API that belong to exports; annotate/api_v1.py puts them under /api/v1/."""

from __future__ import annotations

from django.urls import path

from exports import api

urlpatterns = [
    path("projects/<slug:slug>/exports/", api.Exports.as_view(), name="exports"),
    path("exports/<int:pk>/", api.OneExport.as_view(), name="export"),
    path("exports/<int:pk>/all.zip", api.Archive.as_view(), name="export_archive"),
    path("exports/<int:pk>/files/<path:path>", api.OneFile.as_view(), name="export_file"),
]
