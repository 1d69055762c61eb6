"""The screens of exports."""

from __future__ import annotations

from django.urls import path

from exports import handing_out, recipe_views, snapshot_views, views

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
    path(f"{_PREFIX}<int:pk>/share/", handing_out.share, name="export_share"),
    path(f"{_PREFIX}<int:pk>/links/", handing_out.link_make, name="link_make"),
    path(f"{_PREFIX}links/<int:pk>/revoke/", handing_out.link_revoke, name="link_revoke"),
    path(f"{_PREFIX}<int:pk>/push/", handing_out.push_make, name="push_make"),
    path(f"{_PREFIX}<int:pk>/hub-token/forget/", handing_out.token_forget, name="hub_token_forget"),
    path("links/<str:secret>/", handing_out.linked, name="linked"),
    path("links/<str:secret>/all.zip", handing_out.linked_archive, name="linked_archive"),
    path("links/<str:secret>/files/<path:path>", handing_out.linked_file, name="linked_file"),
]
