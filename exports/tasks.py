"""The worker's door: build an export when told, and find those that nobody was told of."""

from __future__ import annotations

from functools import partial
from threading import Thread

from celery import shared_task
from django.conf import settings
from django.db import transaction

from exports import actions, pushes
from exports.models import Export, HubPush
from exports.withdrawn import settle_withdrawals
from labeling.tasks import say

# Uploads take as long as the line does; a push that outlives this goes on with the files that are missing.
SECONDS_OF_A_PUSH = 3000


@shared_task
def build_export(export_id: int) -> None:
    """One step of a build; the next step is another message."""
    export = Export.objects.filter(pk=export_id).select_related("project", "since").first()
    if export is not None and not actions.build_export(export=export, invite=partial(_invite, export_id)):
        say(build_export, export_id)


@shared_task
def help_export(export_id: int) -> None:
    """Write a part of an export that another worker builds."""
    export = Export.objects.filter(pk=export_id).select_related("project").first()
    if export is not None and actions.help_export(export=export):
        say(help_export, export_id)


@shared_task
def nudge_exports() -> None:
    """Every export that is due, also those whose worker died or whose message was lost; and what withdrawals ask."""
    settle_withdrawals()
    for export_id in actions.due_exports():
        say(build_export, export_id)
    actions.sweep_scratch()


def _invite(export_id: int) -> None:
    for _ in range(settings.EXPORT_WORKERS - 1):
        say(help_export, export_id)


@shared_task(time_limit=SECONDS_OF_A_PUSH)
def push_export(push_id: int) -> None:
    push = HubPush.objects.filter(pk=push_id).select_related("export__project", "created_by").first()
    if push is not None:
        pushes.run_push(push=push)


@shared_task
def nudge_pushes() -> None:
    """Every push that is due, also one that is to be tried again."""
    for push_id in pushes.due_pushes():
        say(push_export, push_id)


def enqueue_push(push: HubPush) -> None:
    """As `enqueue_export`."""
    transaction.on_commit(Thread(target=say, args=(push_export, push.pk), name="say", daemon=True).start)


def enqueue_export(export: Export) -> None:
    """Have the export built soon after this transaction commits, and never wait; without a broker the clock does."""
    transaction.on_commit(Thread(target=say, args=(build_export, export.pk), name="say", daemon=True).start)
