"""The paths of the API that belong to labeling; annotate/api_v1.py puts them under /api/v1/."""

from __future__ import annotations

from django.urls import path

from labeling.api import adjudication, assignments, feed, images, imports, projects, reports

urlpatterns = [
    path("projects/", projects.Projects.as_view(), name="projects"),
    path("projects/<slug:slug>/", projects.OneProject.as_view(), name="project"),
    path("projects/<slug:slug>/members/", projects.Members.as_view(), name="members"),
    path("projects/<slug:slug>/queues/", projects.Queues.as_view(), name="queues"),
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
    path("queues/<int:pk>/", projects.OneQueue.as_view(), name="queue"),
    path("queues/<int:pk>/claim/", assignments.Claim.as_view(), name="claim"),
    path("assignments/<int:pk>/renew/", assignments.Renew.as_view(), name="renew"),
    path("assignments/<int:pk>/release/", assignments.Release.as_view(), name="release"),
    path("assignments/<int:pk>/skip/", assignments.Skip.as_view(), name="skip"),
    path("assignments/<int:pk>/draft/", assignments.Draft.as_view(), name="draft"),
    path("assignments/<int:pk>/annotation/", assignments.Annotate.as_view(), name="annotation"),
]
