"""What a project's judgments are worth: the pages of its reports, and their tables as files."""

from __future__ import annotations

from django.urls import URLPattern, URLResolver, path, re_path

from labeling.web import agreement, audit_log, contested, harms, raters, report_pages, standings

urlpatterns: list[URLPattern | URLResolver] = [
    path("log/", audit_log.audit_log, name="audit_log"),
    path("log.csv", audit_log.audit_log_csv, name="audit_log_csv"),
    path("log.jsonl", audit_log.audit_log_json, name="audit_log_json"),
    path("raters/", raters.raters, name="raters"),
    path("raters/<slug:pseudonym>/", raters.rater, name="rater"),
    path("agreement/", agreement.agreement, name="agreement"),
    path("models/", standings.models, name="models"),
    path("contested/", contested.contested, name="contested"),
    path("harm/", harms.harms, name="harms"),
    path("reports/analyse/", report_pages.analyse, name="analyse"),
    re_path(
        r"^reports/(?P<name>[a-z_]+)/(?P<table>[a-z_]+)\.(?P<ending>csv|json)$",
        report_pages.report_file,
        name="report_file",
    ),
]
