"""The site map."""

from django.urls import URLPattern, URLResolver, path

from annotate.health import healthz, livez

urlpatterns: list[URLPattern | URLResolver] = [
    path("livez", livez, name="livez"),
    path("healthz", healthz, name="healthz"),
]
