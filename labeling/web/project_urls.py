"""The pages of a project for those who run and read it, and the page behind an invitation."""

from __future__ import annotations

from django.urls import URLPattern, URLResolver, include, path

from labeling.web import adjudicate, criteria, disagreements, guidance, guidelines, people, plans, projects, queues

_queue: list[URLPattern | URLResolver] = [
    path("", queues.queue, name="queue"),
    path("change/", queues.queue_change, name="queue_change"),
    path("pause/", queues.queue_pause, name="queue_pause"),
    path("close/", queues.queue_close, name="queue_close"),
]
_people: list[URLPattern | URLResolver] = [
    path("", people.people, name="people"),
    path("add/", people.member_add, name="member_add"),
    path("<int:pk>/remove/", people.member_remove, name="member_remove"),
    path("invite/", people.invitation_make, name="invitation_make"),
    path("invitations/<int:pk>/revoke/", people.invitation_revoke, name="invitation_revoke"),
]
_guidelines: list[URLPattern | URLResolver] = [
    path("", guidelines.guidelines, name="guidelines"),
    path("edit/", guidelines.guideline_edit, name="guideline_edit"),
    path("preview/", guidelines.guideline_preview, name="guideline_preview"),
    path("<int:version>/", guidelines.guideline, name="guideline"),
    path("<int:version>/read/", guidance.have_read, name="guideline_read"),
]
_criteria: list[URLPattern | URLResolver] = [
    path("", criteria.criteria, name="criteria"),
    path("add/<slug:kind>/", criteria.criterion_add, name="criterion_add"),
    path("<slug:key>/", criteria.criterion, name="criterion"),
    path("<slug:key>/move/", criteria.criterion_move, name="criterion_move"),
    path("<slug:key>/ask/", criteria.criterion_ask, name="criterion_ask"),
]
_disagreements: list[URLPattern | URLResolver] = [
    path("", disagreements.disagreements_list, name="disagreements"),
    path("next/", disagreements.disagreement_next, name="disagreement_next"),
    path("many/", disagreements.disagreement_bulk, name="disagreement_bulk"),
    path("decided/", disagreements.decisions, name="decisions"),
    path("<int:pk>/", adjudicate.disagreement, name="disagreement"),
    path("<int:pk>/pass-on/", adjudicate.disagreement_escalate, name="disagreement_escalate"),
    path("<int:pk>/answer/", adjudicate.disagreement_answer, name="disagreement_answer"),
    path("<int:pk>/check/", adjudicate.disagreement_check, name="disagreement_check"),
]
_plans: list[URLPattern | URLResolver] = [
    path("", plans.plans, name="plans"),
    path("new/", plans.plan_new, name="plan_new"),
    path("<int:pk>/", plans.plan, name="plan"),
    path("<int:pk>/queue/", plans.plan_queue, name="plan_queue"),
    path("<int:pk>/plan.csv", plans.plan_csv, name="plan_csv"),
    path("<int:pk>/plan.json", plans.plan_json, name="plan_json"),
]
_project: list[URLPattern | URLResolver] = [
    path("", projects.project, name="project"),
    path("settings/", projects.project_settings, name="project_settings"),
    path("", include("labeling.web.report_urls")),
    path("queues/new/", queues.queue_new, name="queue_new"),
    path("queues/pause/", queues.queues_pause, name="queues_pause"),
    path("queues/<int:pk>/", include(_queue)),
    path("people/", include(_people)),
    path("guidelines/", include(_guidelines)),
    path("criteria/", include(_criteria)),
    path("disagreements/", include(_disagreements)),
    path("plans/", include(_plans)),
    path("hints/", criteria.project_hints, name="project_hints"),
    path("own-words/", criteria.project_rationale, name="project_rationale"),
]

urlpatterns: list[URLPattern | URLResolver] = [
    path("projects/new/", projects.new_project, name="new_project"),
    path("projects/<slug:slug>/", include(_project)),
    path("join/<str:secret>/", people.join_by_link, name="join"),
]
