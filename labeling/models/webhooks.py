"""Addresses that are told when something is ready, and what they were told.

A delivery is written in the transaction of its event, so it exists if and only if the event happened. Workers send it
later, and again until it was taken or enough is enough.
"""

from __future__ import annotations

from django.contrib.postgres.fields import ArrayField
from django.db import models
from django.db.models import Q
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from labeling.models.projects import Project
from labeling.models.queues import Queue
from labeling.models.users import User

LONGEST_URL = 500


class Webhook(models.Model):
    """Who is told. While it is paused nothing is written for it; what was waiting waits on."""

    class Event(models.TextChoices):
        SNAPSHOT_READY = "snapshot.ready", _("A snapshot is ready")
        BATCH_IMPORTED = "batch.imported", _("A batch was imported")
        QUEUE_FINISHED = "queue.finished", _("A queue is finished")

    project = models.ForeignKey(Project, on_delete=models.CASCADE, related_name="webhooks")
    url = models.CharField(max_length=LONGEST_URL)
    events = ArrayField(models.CharField(max_length=40, choices=Event.choices))
    sealed_secret = models.TextField(editable=False)
    former_secret = models.TextField(blank=True, editable=False, help_text="Sealed; it signs too, for a day.")
    secret_since = models.DateTimeField(default=timezone.now, editable=False)
    paused_at = models.DateTimeField(null=True)
    failing_since = models.DateTimeField(null=True, help_text="When the first of the failures began that go on.")
    created_by = models.ForeignKey(User, null=True, on_delete=models.SET_NULL, related_name="+")
    created_at = models.DateTimeField(default=timezone.now, editable=False)

    def __str__(self) -> str:
        return self.url


class Delivery(models.Model):
    """One event for one webhook. `next_at` is when it is due; while it is being sent, when to give up its worker.

    A worker takes it by raising `attempts`, and what it found counts only while that is still its number.
    """

    class State(models.TextChoices):
        WAITING = "waiting", _("Waiting")
        DONE = "done", _("Delivered")
        FAILED = "failed", _("Given up")

    webhook = models.ForeignKey(Webhook, on_delete=models.CASCADE, related_name="deliveries", db_index=False)
    event = models.CharField(max_length=40)
    message_id = models.CharField(max_length=40, unique=True)
    body = models.TextField(help_text="The JSON as it is sent, the same bytes each time.")
    state = models.CharField(max_length=7, choices=State.choices, default=State.WAITING)
    attempts = models.PositiveSmallIntegerField(default=0)
    next_at = models.DateTimeField(default=timezone.now)
    status = models.PositiveSmallIntegerField(null=True, help_text="Of the last answer, if there was one.")
    answer = models.TextField(blank=True, help_text="The beginning of the last answer, or why there was none.")
    answer_ms = models.PositiveIntegerField(null=True)
    created_at = models.DateTimeField(default=timezone.now, editable=False)
    ended_at = models.DateTimeField(null=True)

    class Meta:
        verbose_name_plural = "deliveries"
        indexes = [
            models.Index(fields=["webhook", "-id"], name="delivery_newest"),
            models.Index(fields=["next_at"], condition=Q(state="waiting"), name="delivery_waiting"),
        ]

    def __str__(self) -> str:
        return f"{self.event} {self.message_id}"


class FinishedQueue(models.Model):
    """A queue whose end was told, until it has work again."""

    queue = models.OneToOneField(Queue, on_delete=models.CASCADE, primary_key=True, related_name="+")
    at = models.DateTimeField(default=timezone.now, editable=False)

    def __str__(self) -> str:
        return f"queue {self.queue_id}"
