"""The paths of the API that belong to labeling; annotate/api_v1.py puts them under /api/v1/."""

from __future__ import annotations

from django.urls import path

from labeling.api import (
    adjudication,
    assignments,
    feed,
    findings,
    gold,
    images,
    imports,
    projects,
    queues,
    reports,
    webhooks,
)

urlpatterns = [
    path("projects/", projects.Projects.as_view(), name="projects"),
    path("projects/<slug:slug>/", projects.OneProject.as_view(), name="project"),
    path("projects/<slug:slug>/members/", projects.Members.as_view(), name="members"),
    path("projects/<slug:slug>/queues/", queues.Queues.as_view(), name="queues"),
    path("projects/<slug:slug>/imports/", imports.Imports.as_view(), name="imports"),
    path("imports/<int:pk>/", imports.OneImport.as_view(), name="import"),
    path("images/<slug:token>/", images.OneImage.as_view(), name="image"),
    path("projects/<slug:slug>/annotations/", feed.Annotations.as_view(), name="annotations"),
    path("projects/<slug:slug>/disagreements/", adjudication.Disagreements.as_view(), name="disagreements"),
    path("projects/<slug:slug>/pairs/<int:pk>/decisions/", adjudication.Decisions.as_view(), name="decisions"),
    path("projects/<slug:slug>/adjudications/", adjudication.Adjudications.as_view(), name="adjudications"),
    path("projects/<slug:slug>/progress/", reports.Progress.as_view(), name="progress"),
    path("projects/<slug:slug>/agreement/", reports.Agreement.as_view(), name="agreement"),
    path("projects/<slug:slug>/raters/", reports.Raters.as_view(), name="raters"),
    path("projects/<slug:slug>/leaderboard/", reports.Leaderboard.as_view(), name="leaderboard"),
    path("projects/<slug:slug>/webhooks/", webhooks.Webhooks.as_view(), name="webhooks"),
    path("projects/<slug:slug>/webhooks/<int:pk>/", webhooks.OneWebhook.as_view(), name="webhook"),
    path("projects/<slug:slug>/webhooks/<int:pk>/secret/", webhooks.WebhookSecret.as_view(), name="webhook_secret"),
    path("projects/<slug:slug>/webhooks/<int:pk>/test/", webhooks.WebhookTest.as_view(), name="webhook_test"),
    path("projects/<slug:slug>/webhooks/<int:pk>/deliveries/", webhooks.Deliveries.as_view(), name="deliveries"),
    path("projects/<slug:slug>/deliveries/<int:pk>/again/", webhooks.DeliveryAgain.as_view(), name="delivery_again"),
    path("queues/<int:pk>/", queues.OneQueue.as_view(), name="queue"),
    path("projects/<slug:slug>/reports/", findings.Reports.as_view(), name="reports"),
    path("projects/<slug:slug>/reports/<slug:name>/", findings.OneReport.as_view(), name="report"),
    path("projects/<slug:slug>/reports/<slug:name>/<slug:table>/", findings.OneTable.as_view(), name="report_table"),
    path(
        "projects/<slug:slug>/reports/<slug:name>/<slug:table>.csv", findings.OneTableAsCsv.as_view(), name="report_csv"
    ),
    path("projects/<slug:slug>/raters/<slug:rater>/warn/", gold.WarnRater.as_view(), name="rater_warn"),
    path("projects/<slug:slug>/raters/<slug:rater>/pause/", gold.PauseRater.as_view(), name="rater_pause"),
    path("projects/<slug:slug>/raters/<slug:rater>/resume/", gold.ResumeRater.as_view(), name="rater_resume"),
    path("projects/<slug:slug>/raters/<slug:rater>/set-aside/", gold.SetAside.as_view(), name="rater_set_aside"),
    path("projects/<slug:slug>/gold/", gold.Golds.as_view(), name="gold"),
    path("projects/<slug:slug>/disputes/", gold.Disputes.as_view(), name="disputes"),
    path("gold/<int:pk>/retire/", gold.RetireGold.as_view(), name="gold_retire"),
    path("disputes/<int:pk>/answer/", gold.AnswerDispute.as_view(), name="dispute_answer"),
    path("withdrawals/<int:pk>/lift/", gold.Lift.as_view(), name="withdrawal_lift"),
    path("queues/<int:pk>/claim/", assignments.Claim.as_view(), name="claim"),
    path("assignments/<int:pk>/renew/", assignments.Renew.as_view(), name="renew"),
    path("assignments/<int:pk>/release/", assignments.Release.as_view(), name="release"),
    path("assignments/<int:pk>/skip/", assignments.Skip.as_view(), name="skip"),
    path("assignments/<int:pk>/draft/", assignments.Draft.as_view(), name="draft"),
    path("assignments/<int:pk>/dispute/", gold.Disagree.as_view(), name="disagree"),
    path("assignments/<int:pk>/annotation/", assignments.Annotate.as_view(), name="annotation"),
]
