"""The ways in: for raters, for those who arrange them, and for workers of crowd platforms."""

from __future__ import annotations

from django.urls import URLPattern, URLResolver, include, path

from labeling.web import crowd, crowd_links, entry, getting_in, lessons

_welcome: list[URLPattern | URLResolver] = [
    path("", entry.welcome, name="welcome"),
    path("consent/", entry.consent, name="consent"),
    path("consent/withdraw/", entry.consent_withdraw, name="consent_withdraw"),
    path("guideline/", entry.guideline_read, name="welcome_guideline"),
    path("lessons/<int:pk>/", entry.lesson, name="lesson"),
]
_getting_in: list[URLPattern | URLResolver] = [
    path("", getting_in.getting_in, name="getting_in"),
    path("consent/", getting_in.consent_edit, name="consent_edit"),
    path("consent/preview/", getting_in.consent_preview, name="consent_preview"),
    path("people/", getting_in.entrants, name="entrants"),
    path("people.csv", getting_in.entrants_csv, name="entrants_csv"),
    path("people/<int:pk>/another-try/", getting_in.another_try, name="another_try"),
    path("lessons/new/", lessons.lesson_new, name="lesson_new"),
    path("lessons/<int:pk>/", lessons.lesson_edit, name="lesson_edit"),
    path("lessons/<int:pk>/remove/", lessons.lesson_remove, name="lesson_remove"),
    path("crowd/new/", crowd_links.crowd_link_new, name="crowd_link_new"),
    path("crowd/<int:pk>/", crowd_links.crowd_link, name="crowd_link"),
    path("crowd/<int:pk>/close/", crowd_links.crowd_link_close, name="crowd_link_close"),
    path("crowd/<int:pk>/workers.csv", crowd_links.crowd_link_csv, name="crowd_link_csv"),
    path("crowd/workers/<int:pk>/release/", crowd_links.crowd_release, name="crowd_release"),
]

urlpatterns: list[URLPattern | URLResolver] = [
    path("projects/<slug:slug>/welcome/", include(_welcome)),
    path("projects/<slug:slug>/getting-in/", include(_getting_in)),
    path("enter/<str:token>/", crowd.crowd_enter, name="crowd_enter"),
    path("enter/<str:token>/end/", crowd.crowd_end, name="crowd_end"),
]
