"""The clock's door. A job is a row first: a message only says which row to look at, and losing one loses nothing."""

from __future__ import annotations

import logging
from functools import partial
from threading import Thread

from celery import Task, shared_task
from django.db import transaction
from kombu.exceptions import OperationalError

from labeling.actions.assign import expire_stale, queues_with_stale_leases
from labeling.actions.import_items import batches_to_nudge, forget_uploads, run_step
from labeling.actions.keep_images import shelves_of_the_hour, sweep_images
from labeling.models import Batch

logger = logging.getLogger(__name__)


@shared_task
def import_batch(batch_id: int) -> None:
    """One step of an import; the next step is another message."""
    batch = Batch.objects.filter(pk=batch_id).first()
    if batch is not None and run_step(batch):
        say(import_batch, batch.pk)


@shared_task
def nudge_imports() -> None:
    """Every batch that is due, also those whose worker died or whose message was lost."""
    for batch_id in batches_to_nudge():
        say(import_batch, batch_id)


@shared_task
def forget_unconfirmed_uploads() -> None:
    """And the images of imports that were cut off: nobody knows them either."""
    forget_uploads()
    sweep_images(shelves_of_the_hour())


@shared_task
def expire_leases() -> None:
    """Give back what raters left lying. Claims do it too when they find nothing else, so this is for the counts."""
    for queue in queues_with_stale_leases():
        while expire_stale(queue=queue):
            continue


def enqueue_import(batch: Batch) -> None:
    """Have the batch read soon after this transaction commits, and never wait: without a broker the clock finds it."""
    transaction.on_commit(partial(_say_aside, import_batch, batch.pk))


def say(task: Task[[int], None], row_id: int) -> None:
    """Tell a worker to look at a row. Without a broker nobody is told, after some seconds of trying."""
    try:
        task.apply_async((row_id,), retry=False)
    except OperationalError as error:
        logger.warning("%s %s: no broker (%s); the next nudge will find it", task.name, row_id, error)


def _say_aside(task: Task[[int], None], row_id: int) -> None:
    """In a thread of its own: a broker that does not answer holds whoever talks to it for five seconds or more."""
    Thread(target=say, args=(task, row_id), name="say", daemon=True).start()
