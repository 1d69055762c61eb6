"""Known answers, what raters object to, and what managers decide about raters."""

from __future__ import annotations

from django.urls import URLPattern, URLResolver, path

from labeling.web import disputes, gold, rater_actions

_IN = "projects/<slug:slug>/"
urlpatterns: list[URLPattern | URLResolver] = [
    path(f"{_IN}gold/", gold.gold, name="gold"),
    path(f"{_IN}gold/take-in/", gold.gold_take_in, name="gold_take_in"),
    path(f"{_IN}gold/new/", gold.gold_new, name="gold_new"),
    path(f"{_IN}gold/pairs/<int:pk>/", gold.gold_edit, name="gold_edit"),
    path(f"{_IN}gold/<int:pk>/retire/", gold.gold_retire, name="gold_retire"),
    path(f"{_IN}disputes/", disputes.disputes, name="disputes"),
    path(f"{_IN}disputes/<int:pk>/", disputes.dispute, name="dispute"),
    path(f"{_IN}paused/", rater_actions.paused, name="paused"),
    path(f"{_IN}raters/<int:pk>/warn/", rater_actions.rater_warn, name="rater_warn"),
    path(f"{_IN}raters/<int:pk>/pause/", rater_actions.rater_pause, name="rater_pause"),
    path(f"{_IN}raters/<int:pk>/resume/", rater_actions.rater_resume, name="rater_resume"),
    path(f"{_IN}raters/<int:pk>/set-aside/", rater_actions.rater_set_aside, name="rater_set_aside"),
    path("withdrawals/<int:pk>/lift/", rater_actions.withdrawal_lift, name="withdrawal_lift"),
]
