"""The screens of exports."""

from __future__ import annotations

from django.urls import path

from exports import recipe_views, snapshot_views, views

_PREFIX = "projects/<slug:slug>/exports/"

urlpatterns = [
    path(_PREFIX, views.exports, name="exports"),
    path(f"{_PREFIX}new/", recipe_views.export_new, name="export_new"),
    path(f"{_PREFIX}recipes/", recipe_views.export_recipes, name="export_recipes"),
    path(f"{_PREFIX}recipes/<slug:name>/", recipe_views.export_recipe, name="export_recipe"),
    path(
        f"{_PREFIX}recipes/<slug:name>/<int:version>.json", recipe_views.export_recipe_file, name="export_recipe_file"
    ),
    path(f"{_PREFIX}compare/", snapshot_views.export_compare, name="export_compare"),
    path(f"{_PREFIX}withdrawals/", snapshot_views.withdrawals, name="withdrawals"),
    path(f"{_PREFIX}<int:pk>/", views.export, name="export"),
    path(f"{_PREFIX}<int:pk>/card/", snapshot_views.export_card, name="export_card"),
    path(f"{_PREFIX}<int:pk>/since/", snapshot_views.export_since, name="export_since"),
    path(f"{_PREFIX}<int:pk>/delete/", views.export_delete, name="export_delete"),
    path(f"{_PREFIX}<int:pk>/all.zip", views.export_archive, name="export_archive"),
    path(f"{_PREFIX}<int:pk>/files/<path:path>", views.export_file, name="export_file"),
]
