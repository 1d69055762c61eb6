"""The clock's door. A job is a row first: a message only says which row to look at, and losing one loses nothing."""

from __future__ import annotations

import logging
import time
from functools import partial
from threading import Thread

import httpx2
from celery import Task, shared_task
from django.db import transaction
from kombu.exceptions import OperationalError

from labeling import egress
from labeling.actions import analyse, disagreements, finished, settle, webhooks
from labeling.actions.assign import expire_stale, queues_with_stale_leases
from labeling.actions.gold_lane import tend_gold_lanes
from labeling.actions.import_items import batches_to_nudge, forget_uploads, run_step
from labeling.actions.keep_images import shelves_of_the_hour, sweep_images
from labeling.actions.pairing import add_telling_pairs, telling_queues
from labeling.actions.plans import note_what_happened, plans_to_nudge, simulate
from labeling.models import Analysis, Batch, Delivery, StudyPlan
from labeling.reports import overview
from labeling.sealing import Unsealable

logger = logging.getLogger(__name__)

SECONDS_OF_DELIVERIES = 30


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


@shared_task
def settle_queues() -> None:
    """What was answered since the last look: who else is asked, and what has enough."""
    for queue in settle.queues_with_news():
        settle.settle(queue=queue)


@shared_task
def settle_queues_anew() -> None:
    for queue in settle.adapting_queues():
        settle.settle_anew(queue=queue)


@shared_task
def deliver_webhooks() -> None:
    """What is due, for at most half a minute: the next message goes on."""
    end = time.monotonic() + SECONDS_OF_DELIVERIES
    while due := webhooks.due_deliveries():
        for delivery_id in due:
            if time.monotonic() > end:
                return
            deliver_webhook(delivery_id)


@shared_task
def deliver_webhook(delivery_id: int) -> None:
    """One attempt at one delivery. The network is asked between two transactions, in none of them."""
    delivery = webhooks.take_delivery(delivery_id)
    if delivery is None:
        return
    try:
        body, headers = webhooks.message(delivery, int(time.time()))
        answer = egress.post(delivery.webhook.url, body, headers)
    except egress.Forbidden as refused:
        webhooks.note_answer(delivery, status=None, answer=str(refused))
    except Unsealable:
        webhooks.note_answer(delivery, status=None, answer="Its secret was sealed under another SECRET_KEY. Rotate it.")
    except httpx2.TimeoutException:
        webhooks.note_answer(delivery, status=None, answer=f"No answer within {egress.SECONDS:.0f} seconds.")
    except httpx2.HTTPError as problem:
        webhooks.note_answer(delivery, status=None, answer=f"No answer: {type(problem).__name__}.")
    else:
        webhooks.note_answer(delivery, status=answer.status, answer=answer.text, ms=answer.ms)


@shared_task
def keep_overviews() -> None:
    """What large projects' overviews show, counted here and not by who looks."""
    overview.keep_overviews()


@shared_task
def watch_queues() -> None:
    """What a queue adds by itself comes first: then it is not at its end."""
    for queue in telling_queues():
        add_telling_pairs(queue=queue)
    finished.watch_queues()


@shared_task
def analyse_project(analysis_id: int) -> None:
    """One step of an analysis; the next step is another message."""
    analysis = Analysis.objects.filter(pk=analysis_id).select_related("project").first()
    if analysis is not None and analyse.run_step(analysis):
        say(analyse_project, analysis.pk)


@shared_task
def nudge_analyses() -> None:
    """Ask where enough is new, and tell of every analysis that is due."""
    analyse.ask_where_there_is_news()
    for analysis_id in analyse.analyses_to_nudge():
        say(analyse_project, analysis_id)


@shared_task
def analyse_all() -> None:
    """Everything from nothing; the next nudge tells of it."""
    analyse.ask_for_all()


@shared_task
def tend_gold() -> None:
    """Slots of known answers: what is missing comes, what a retired pair left behind goes."""
    tend_gold_lanes()


@shared_task
def work_out_plan(plan_id: int) -> None:
    plan = StudyPlan.objects.filter(pk=plan_id).first()
    if plan is not None:
        simulate(plan)


@shared_task
def nudge_plans() -> None:
    """Plans that are due, also those whose worker died."""
    for plan_id in plans_to_nudge():
        work_out_plan(plan_id)


@shared_task
def set_beside_plans() -> None:
    note_what_happened()


@shared_task
def look_for_disagreements() -> None:
    disagreements.look_for_disagreements()


@shared_task
def look_through_everything() -> None:
    disagreements.look_through_everything()


@shared_task
def forget_old_deliveries() -> None:
    webhooks.forget_deliveries()


def enqueue_delivery(delivery: Delivery) -> None:
    """Have it sent soon after this transaction commits; without a broker the clock does."""
    transaction.on_commit(partial(_say_aside, deliver_webhook, delivery.pk))


def enqueue_analysis(analysis: Analysis) -> None:
    """Have it computed soon after this transaction commits; without a broker the clock does."""
    transaction.on_commit(partial(_say_aside, analyse_project, analysis.pk))


def enqueue_plan(plan: StudyPlan) -> None:
    """Have it worked out soon; without a broker the clock finds it."""
    transaction.on_commit(partial(_say_aside, work_out_plan, plan.pk))


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
