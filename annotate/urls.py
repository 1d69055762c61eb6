"""The site map."""

from django.contrib import admin
from django.urls import URLPattern, URLResolver, include, path

from annotate.health import healthz, livez

urlpatterns: list[URLPattern | URLResolver] = [
    path("", include("labeling.web.urls")),
    path("", include("exports.urls")),
    path("", include("exports.hub_urls")),
    path("operate/", admin.site.urls),
    path("api/v1/", include("annotate.api_v1")),
    path("livez", livez, name="livez"),
    path("healthz", healthz, name="healthz"),
]
