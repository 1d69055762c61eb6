"""Webhooks over HTTP: who is told of what, and what became of it. For managers."""

from __future__ import annotations

from typing import Any

from django.views.decorators.debug import sensitive_variables
from drf_spectacular.utils import extend_schema
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from labeling.access import MANAGERS, delivery_for, project_for, webhook_for
from labeling.actions.webhooks import (
    add_webhook,
    delete_webhook,
    pause_webhook,
    resume_webhook,
    rotate_secret,
    send_again,
    send_test,
)
from labeling.api.base import LIST_PARAMETERS, Endpoint, StrictSerializer, page_of, paged, read
from labeling.models import Delivery, Webhook
from labeling.models.webhooks import LONGEST_URL
from labeling.tasks import enqueue_delivery


class NewWebhook(StrictSerializer):
    url = serializers.CharField(max_length=LONGEST_URL, help_text="An https address of your own that takes a POST.")
    events = serializers.ListField(child=serializers.ChoiceField(choices=Webhook.Event.choices), allow_empty=False)


class WebhookChange(StrictSerializer):
    paused = serializers.BooleanField(help_text="While it is paused, nothing is written or sent for it.")


class WebhookShape(serializers.Serializer[Webhook]):
    id = serializers.IntegerField()
    url = serializers.CharField()
    events = serializers.ListField(child=serializers.ChoiceField(choices=Webhook.Event.choices))
    paused_at = serializers.DateTimeField(allow_null=True)
    failing_since = serializers.DateTimeField(allow_null=True)
    secret_since = serializers.DateTimeField()
    created_at = serializers.DateTimeField()


class SecretShape(WebhookShape):
    secret = serializers.CharField(help_text="Shown here and never again.")


class DeliveryShape(serializers.Serializer[Delivery]):
    id = serializers.IntegerField()
    event = serializers.CharField()
    message_id = serializers.CharField()
    state = serializers.ChoiceField(choices=Delivery.State.choices)
    attempts = serializers.IntegerField()
    next_at = serializers.DateTimeField(help_text="When it is due, while it waits.")
    status = serializers.IntegerField(allow_null=True, help_text="Of the last answer.")
    answer = serializers.CharField(allow_blank=True, help_text="The beginning of the last answer, or why none came.")
    answer_ms = serializers.IntegerField(allow_null=True)
    created_at = serializers.DateTimeField()
    ended_at = serializers.DateTimeField(allow_null=True)


class Webhooks(Endpoint):
    @extend_schema(operation_id="list_webhooks", parameters=LIST_PARAMETERS, responses=page_of(WebhookShape))
    def get(self, request: Request, slug: str) -> Response:
        """The webhooks of a project, the oldest first."""
        return Response(paged(request, project_for(self.user, slug, MANAGERS).webhooks.all(), webhook_line, "id"))

    @extend_schema(
        operation_id="add_webhook",
        request=NewWebhook,
        responses={201: SecretShape},
        extensions={"x-problems": ["too_many", "address_refused"]},
    )
    @sensitive_variables("secret")
    def post(self, request: Request, slug: str) -> Response:
        """Have an address told. The answer has the secret that signs its messages, and nothing else ever has."""
        project = project_for(self.user, slug, MANAGERS)
        made, secret = add_webhook(project=project, by=self.user, **read(NewWebhook, request))
        return Response(webhook_line(made) | {"secret": secret}, status=201)


class OneWebhook(Endpoint):
    @extend_schema(operation_id="read_webhook", responses=WebhookShape)
    def get(self, request: Request, slug: str, pk: int) -> Response:
        """One webhook."""
        return Response(webhook_line(webhook_for(self.user, slug, pk)))

    @extend_schema(operation_id="change_webhook", request=WebhookChange, responses=WebhookShape)
    def patch(self, request: Request, slug: str, pk: int) -> Response:
        """Pause it, or have it told again."""
        hook = webhook_for(self.user, slug, pk)
        change = pause_webhook if read(WebhookChange, request)["paused"] else resume_webhook
        change(webhook=hook, by=self.user)
        hook.refresh_from_db()
        return Response(webhook_line(hook))

    @extend_schema(operation_id="delete_webhook", responses={204: None})
    def delete(self, request: Request, slug: str, pk: int) -> Response:
        """Remove it, with what was waiting for it."""
        delete_webhook(webhook=webhook_for(self.user, slug, pk), by=self.user)
        return Response(status=204)


class WebhookSecret(Endpoint):
    @extend_schema(operation_id="rotate_webhook_secret", request=None, responses=SecretShape)
    @sensitive_variables("secret")
    def post(self, request: Request, slug: str, pk: int) -> Response:
        """A new secret, told once. For a day messages carry the signatures of both."""
        hook = webhook_for(self.user, slug, pk)
        secret = rotate_secret(webhook=hook, by=self.user)
        return Response(webhook_line(hook) | {"secret": secret})


class WebhookTest(Endpoint):
    @extend_schema(operation_id="test_webhook", request=None, responses={202: DeliveryShape})
    def post(self, request: Request, slug: str, pk: int) -> Response:
        """Send it a message that says only that it is a test."""
        made = send_test(webhook=webhook_for(self.user, slug, pk), by=self.user)
        enqueue_delivery(made)
        return Response(delivery_line(made), status=202)


class Deliveries(Endpoint):
    @extend_schema(operation_id="list_deliveries", parameters=LIST_PARAMETERS, responses=page_of(DeliveryShape))
    def get(self, request: Request, slug: str, pk: int) -> Response:
        """What a webhook was told, newest first. Kept for 30 days."""
        return Response(paged(request, webhook_for(self.user, slug, pk).deliveries.all(), delivery_line, "-id"))


class DeliveryAgain(Endpoint):
    @extend_schema(operation_id="deliver_again", request=None, responses={202: DeliveryShape})
    def post(self, request: Request, slug: str, pk: int) -> Response:
        """Send a delivery that is over once more, under the same message id."""
        delivery = delivery_for(self.user, slug, pk)
        send_again(delivery=delivery, by=self.user)
        enqueue_delivery(delivery)
        delivery.refresh_from_db()
        return Response(delivery_line(delivery), status=202)


def webhook_line(hook: Webhook) -> dict[str, Any]:
    names = ("id", "url", "events", "paused_at", "failing_since", "secret_since", "created_at")
    return {name: getattr(hook, name) for name in names}


def delivery_line(delivery: Delivery) -> dict[str, Any]:
    names = (
        "id", "event", "message_id", "state", "attempts", "next_at", "status", "answer", "answer_ms", "created_at",
        "ended_at",
    )  # fmt: skip
    return {name: getattr(delivery, name) for name in names}
