"""The clock's door. A job is a row first: a message only says which row to look at, and losing one loses nothing."""

from __future__ import annotations

import logging
from functools import partial

from celery import shared_task
from django.db import transaction
from kombu.exceptions import OperationalError

from labeling.actions.assign import expire_stale, queues_with_stale_leases
from labeling.actions.import_items import batches_to_nudge, forget_uploads, run_step
from labeling.models import Batch

logger = logging.getLogger(__name__)


@shared_task
def import_batch(batch_id: int) -> None:
    """One step of an import; the next step is another message."""
    batch = Batch.objects.filter(pk=batch_id).first()
    if batch is not None and run_step(batch):
        _say_import(batch.pk)


@shared_task
def nudge_imports() -> None:
    """Every batch that is due, also those whose worker died or whose message was lost."""
    for batch_id in batches_to_nudge():
        _say_import(batch_id)


@shared_task
def forget_unconfirmed_uploads() -> None:
    forget_uploads()


@shared_task
def expire_leases() -> None:
    """Give back what raters left lying. Claims do it too when they find nothing else, so this is for the counts."""
    for queue in queues_with_stale_leases():
        while expire_stale(queue=queue):
            continue


def enqueue_import(batch: Batch) -> None:
    """Have the batch read soon after this transaction commits. Without a broker the clock finds it later."""
    transaction.on_commit(partial(_say_import, batch.pk))


def _say_import(batch_id: int) -> None:
    try:
        import_batch.apply_async((batch_id,), retry=False)
    except OperationalError as error:
        logger.warning("import %s: no broker (%s); the next nudge will find it", batch_id, error)
