"""The screens of imports."""

from __future__ import annotations

from django.urls import path

from labeling.web import imports

urlpatterns = [
    path("projects/<slug:slug>/imports/", imports.imports, name="imports"),
    path("projects/<slug:slug>/imports/new/", imports.import_new, name="import_new"),
    path("projects/<slug:slug>/imports/preview/", imports.import_preview, name="import_preview"),
    path("projects/<slug:slug>/imports/<int:pk>/", imports.import_detail, name="import_detail"),
    path("projects/<slug:slug>/imports/<int:pk>/refusals.csv", imports.import_refusals, name="import_refusals"),
]
