"""Who a project tells of what is ready; the pages of its managers."""

from __future__ import annotations

from django.urls import path

from labeling.web import webhooks

urlpatterns = [
    path("", webhooks.webhooks, name="webhooks"),
    path("<int:pk>/", webhooks.webhook, name="webhook"),
    path("<int:pk>/test/", webhooks.webhook_test, name="webhook_test"),
    path("<int:pk>/pause/", webhooks.webhook_pause, name="webhook_pause"),
    path("<int:pk>/secret/", webhooks.webhook_secret, name="webhook_secret"),
    path("<int:pk>/delete/", webhooks.webhook_delete, name="webhook_delete"),
    path("deliveries/<int:pk>/again/", webhooks.delivery_again, name="delivery_again"),
]
