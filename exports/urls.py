"""The screens of exports."""

from __future__ import annotations

from django.urls import path

from exports import views

_PREFIX = "projects/<slug:slug>/exports/"

urlpatterns = [
    path(_PREFIX, views.exports, name="exports"),
    path(f"{_PREFIX}new/", views.export_new, name="export_new"),
    path(f"{_PREFIX}<int:pk>/", views.export, name="export"),
    path(f"{_PREFIX}<int:pk>/delete/", views.export_delete, name="export_delete"),
    path(f"{_PREFIX}<int:pk>/all.zip", views.export_archive, name="export_archive"),
    path(f"{_PREFIX}<int:pk>/files/<path:path>", views.export_file, name="export_file"),
]
