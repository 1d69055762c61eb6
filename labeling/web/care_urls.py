"""What protects raters: the manager's page, the topics a rater chooses among, and whom they can talk to."""

from __future__ import annotations

from django.urls import URLPattern, URLResolver, include, path

from labeling.web import care, topics

_care: list[URLPattern | URLResolver] = [
    path("", care.care, name="care"),
    path("change/", care.care_change, name="care_change"),
    path("topics/add/", care.topic_add, name="topic_add"),
    path("topics/<int:pk>/", care.topic_change, name="topic_change"),
    path("topics/<int:pk>/remove/", care.topic_remove, name="topic_remove"),
    path("pairs/<int:pk>/put-back/", care.pair_put_back, name="pair_put_back"),
    path("exposure.csv", care.exposure_csv, name="exposure_csv"),
]
_topics: list[URLPattern | URLResolver] = [
    path("", topics.topics, name="topics"),
    path("check-ins/<int:pk>/unshare/", topics.check_in_unshare, name="check_in_unshare"),
]

urlpatterns: list[URLPattern | URLResolver] = [
    path("projects/<slug:slug>/care/", include(_care)),
    path("projects/<slug:slug>/topics/", include(_topics)),
    path("projects/<slug:slug>/support/", topics.support, name="support"),
]
