"""Mara has her training job told; what it is told, how it can know who speaks, and what happens when it is deaf."""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
import re
import time
from collections.abc import Iterator
from datetime import timedelta
from typing import Any

import pytest
from django.core.files.base import ContentFile
from django.db import transaction
from django.test import Client
from django.utils import timezone

from labeling import egress, tasks
from labeling.actions import webhooks
from labeling.actions.annotate import submit
from labeling.actions.assign import claim
from labeling.actions.finished import watch_queues
from labeling.actions.import_items import run_step, start_batch, store_file
from labeling.actions.webhooks import (
    DELAYS,
    MOST_WEBHOOKS,
    announce,
    due_deliveries,
    forget_deliveries,
    note_answer,
    take_delivery,
)
from labeling.models import AuditEntry, Delivery, Webhook
from labeling.sealing import sign
from tests import make
from tests.receiver import Receiver, receiver

pytestmark = pytest.mark.django_db
PAGE = "/projects/advice/webhooks/"
EVENTS = ["snapshot.ready", "batch.imported", "queue.finished"]


# So long that nothing is due again while a slow machine looks whether it is.
SLOWER = [delay + timedelta(minutes=10) for delay in DELAYS]


@pytest.fixture
def job(settings: Any, monkeypatch: pytest.MonkeyPatch) -> Iterator[Receiver]:
    """Mara's training job, on an origin that the operator allows."""
    monkeypatch.setattr(webhooks, "DELAYS", SLOWER)
    with receiver() as state:
        settings.ALLOWED_ENDPOINT_ORIGINS = [state.url.removesuffix("/hook")]
        yield state


def add(mara: Client, url: str, events: list[str] | None = None) -> Any:
    return mara.post(PAGE, {"url": url, "events": events or EVENTS})


def added(mara: Client, job: Receiver) -> tuple[Webhook, str]:
    page = add(mara, job.url).content.decode()
    secret = re.search(r"whsec_[A-Za-z0-9+/=]+", page)
    assert secret is not None
    return Webhook.objects.get(), secret[0]


def later(**how: Any) -> None:
    """As the clock would: what waits is due."""
    Delivery.objects.filter(state="waiting").update(next_at=timezone.now())


def test_added_told_and_signed(study: dict[str, Any], mara: Client, job: Receiver) -> None:
    _, secret = added(mara, job)
    announce(study["project"], "batch.imported", {"batch": {"id": 1}})
    tasks.deliver_webhooks()
    (message,) = job.received
    assert json.loads(message.body)["type"] == "batch.imported"
    assert json.loads(message.body)["data"] == {"project": "advice", "batch": {"id": 1}}
    stamp = message.headers["webhook-timestamp"]
    assert abs(time.time() - int(stamp)) < 60 and message.headers["content-type"] == "application/json"
    signed = f"{message.headers['webhook-id']}.{stamp}.".encode() + message.body
    key = base64.b64decode(secret.removeprefix("whsec_"))
    expected = base64.b64encode(hmac.new(key, signed, hashlib.sha256).digest()).decode()
    assert message.headers["webhook-signature"] == f"v1,{expected}"
    delivery = Delivery.objects.get()
    assert (delivery.state, delivery.status, delivery.attempts) == ("done", 204, 1)


def test_the_signature_is_that_of_the_convention() -> None:
    """The example that the libraries of Standard Webhooks are tested with."""
    signature = sign(
        "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw", "msg_p5jXN8AQM9LWM0D4loKWxJek", 1614265330, b'{"test": 2432232314}'
    )
    assert signature == "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE="


def test_the_secret_is_shown_once_and_stored_sealed(study: dict[str, Any], mara: Client, job: Receiver) -> None:
    hook, secret = added(mara, job)
    bare = secret.removeprefix("whsec_")
    assert bare not in hook.sealed_secret
    for path in (PAGE, f"{PAGE}{hook.pk}/"):
        assert bare not in mara.get(path).content.decode()
    assert bare not in json.dumps(list(AuditEntry.objects.values_list("data", flat=True)))


def test_both_secrets_sign_for_a_day(study: dict[str, Any], mara: Client, job: Receiver) -> None:
    hook, old = added(mara, job)
    page = mara.post(f"{PAGE}{hook.pk}/secret/").content.decode()
    new = re.search(r"whsec_[A-Za-z0-9+/=]+", page)
    assert new is not None and new[0] != old
    for allowed in ([new[0], old], [new[0]]):
        announce(study["project"], "batch.imported", {})
        tasks.deliver_webhooks()
        message = job.received[-1]
        stamp, name = int(message.headers["webhook-timestamp"]), message.headers["webhook-id"]
        expected = [sign(secret, name, stamp, message.body) for secret in allowed]
        assert message.headers["webhook-signature"].split(" ") == expected
        Webhook.objects.update(secret_since=timezone.now() - timedelta(hours=25))


def test_it_is_told_only_of_what_it_asked_for(study: dict[str, Any], mara: Client, job: Receiver) -> None:
    add(mara, job.url, ["queue.finished"])
    announce(study["project"], "batch.imported", {})
    announce(make.project("other"), "queue.finished", {})
    assert not Delivery.objects.exists()
    announce(study["project"], "queue.finished", {})
    assert Delivery.objects.get().event == "queue.finished"


def test_an_event_that_did_not_happen_is_not_told(study: dict[str, Any], mara: Client, job: Receiver) -> None:
    """The row is of the event's own transaction."""
    added(mara, job)
    with transaction.atomic():
        announce(study["project"], "batch.imported", {})
        transaction.set_rollback(True)
    assert not Delivery.objects.exists()


def test_it_is_sent_again_until_it_is_taken(study: dict[str, Any], mara: Client, job: Receiver) -> None:
    hook, _ = added(mara, job)
    job.answers = [500, "cut", 302, 204]
    job.body = b"<b>no</b>"
    announce(study["project"], "batch.imported", {})
    for attempt, (status, says) in enumerate([(500, "<b>no</b>"), (None, "No answer"), (302, "<b>no</b>")], 1):
        tasks.deliver_webhooks()
        delivery = Delivery.objects.get()
        assert (delivery.state, delivery.attempts, delivery.status) == ("waiting", attempt, status)
        assert says in delivery.answer
        wait = delivery.next_at - timezone.now()
        assert SLOWER[attempt - 1] - timedelta(minutes=2) < wait <= SLOWER[attempt - 1]
        assert due_deliveries() == []
        page = mara.get(f"{PAGE}{hook.pk}/").content.decode()
        assert "Failing" in page and "<b>no</b>" not in page
        later()
    tasks.deliver_webhooks()
    assert Delivery.objects.get().state == "done" and job.hits == 4
    assert len({message.headers["webhook-id"] for message in job.received}) == 1
    assert len({message.body for message in job.received}) == 1
    assert Webhook.objects.get().failing_since is None


def test_enough_is_enough(study: dict[str, Any], mara: Client, job: Receiver) -> None:
    hook, _ = added(mara, job)
    job.answers = [500]
    announce(study["project"], "batch.imported", {})
    for _ in range(len(DELAYS) + 1):
        Webhook.objects.update(failing_since=timezone.now() - timedelta(days=4))
        tasks.deliver_webhooks()
        later()
    tasks.deliver_webhooks()
    assert Delivery.objects.get().state == "failed" and job.hits == len(DELAYS) + 1
    assert Webhook.objects.get().paused_at is not None
    assert AuditEntry.objects.filter(act="webhook.stopped", actor_id=None).count() == 1
    mara.post(f"{PAGE}{hook.pk}/pause/", {"resume": "1"})
    job.answers = [200]
    mara.post(f"{PAGE}deliveries/{Delivery.objects.get().pk}/again/")
    tasks.deliver_webhooks()
    assert Delivery.objects.get().state == "done"


def test_gone_is_believed(study: dict[str, Any], mara: Client, job: Receiver) -> None:
    added(mara, job)
    job.answers = [410]
    announce(study["project"], "batch.imported", {})
    tasks.deliver_webhooks()
    assert Delivery.objects.get().state == "failed" and Webhook.objects.get().paused_at is not None


def test_paused_it_is_told_nothing_and_what_waits_waits(study: dict[str, Any], mara: Client, job: Receiver) -> None:
    hook, _ = added(mara, job)
    announce(study["project"], "batch.imported", {})
    mara.post(f"{PAGE}{hook.pk}/pause/")
    announce(study["project"], "batch.imported", {})
    tasks.deliver_webhooks()
    assert Delivery.objects.count() == 1 and job.hits == 0
    mara.post(f"{PAGE}{hook.pk}/pause/", {"resume": "1"})
    tasks.deliver_webhooks()
    assert job.hits == 1


def test_a_worker_given_up_for_dead_changes_nothing(study: dict[str, Any], mara: Client, job: Receiver) -> None:
    added(mara, job)
    announce(study["project"], "batch.imported", {})
    dead = take_delivery(Delivery.objects.get().pk)
    assert dead is not None and take_delivery(dead.pk) is None  # its lease runs
    later()
    tasks.deliver_webhooks()
    note_answer(dead, status=500, answer="late")
    assert Delivery.objects.get().state == "done" and job.hits == 1


def test_a_slow_one_holds_up_only_itself(
    study: dict[str, Any], mara: Client, job: Receiver, settings: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    with receiver(answers=["drip"]) as slow:
        settings.ALLOWED_ENDPOINT_ORIGINS = [each.url.removesuffix("/hook") for each in (job, slow)]
        monkeypatch.setattr(egress, "SECONDS", 2.0)
        monkeypatch.setattr(egress.post, "__defaults__", (2.0,))
        for each in (slow, job):
            add(mara, each.url)
        for _ in range(3):
            announce(study["project"], "batch.imported", {})
        tasks.deliver_webhooks()
        assert job.hits == 3
        told = Delivery.objects.filter(webhook__url=slow.url)
        assert {one.answer for one in told} == {"No answer within 2 seconds."}


def test_a_test(study: dict[str, Any], mara: Client, job: Receiver) -> None:
    hook, _ = added(mara, job)
    assert mara.post(f"{PAGE}{hook.pk}/test/").status_code == 302
    tasks.deliver_webhooks()
    assert json.loads(job.received[0].body)["type"] == "test"
    page = mara.get(f"{PAGE}{hook.pk}/").content.decode()
    assert "Delivered" in page and "204" in page


def test_delete_takes_what_waited(study: dict[str, Any], mara: Client, job: Receiver) -> None:
    hook, _ = added(mara, job)
    announce(study["project"], "batch.imported", {})
    mara.post(f"{PAGE}{hook.pk}/delete/")
    tasks.deliver_webhooks()
    assert not Webhook.objects.exists() and not Delivery.objects.exists() and job.hits == 0
    acts = AuditEntry.objects.filter(target_type="webhook").values_list("act", flat=True)
    assert list(acts) == ["webhook.added", "webhook.deleted"]


@pytest.mark.parametrize("url", ["http://127.0.0.1:9/", "https://169.254.169.254/latest/", "https://10.0.0.1/", "x"])
def test_addresses_inside_are_refused_with_one_text(study: dict[str, Any], mara: Client, url: str) -> None:
    answer = add(mara, url)
    assert answer.status_code == 422 and not Webhook.objects.exists()
    assert b"ALLOWED_ENDPOINT_ORIGINS" in answer.content


def test_an_origin_that_is_allowed_no_more_is_not_called(
    study: dict[str, Any], mara: Client, job: Receiver, settings: Any
) -> None:
    added(mara, job)
    settings.ALLOWED_ENDPOINT_ORIGINS = []
    announce(study["project"], "batch.imported", {})
    tasks.deliver_webhooks()
    delivery = Delivery.objects.get()
    assert job.hits == 0 and (delivery.state, delivery.answer) == ("waiting", egress.REFUSED)


def test_a_secret_of_another_key_says_so(study: dict[str, Any], mara: Client, job: Receiver, settings: Any) -> None:
    added(mara, job)
    announce(study["project"], "batch.imported", {})
    former, settings.SECRET_KEY = settings.SECRET_KEY, "another key of this installation, long enough for anybody"
    tasks.deliver_webhooks()
    assert "Rotate it" in Delivery.objects.get().answer and job.hits == 0
    settings.SECRET_KEY_FALLBACKS = [former]
    later()
    tasks.deliver_webhooks()
    assert job.hits == 1


@pytest.mark.parametrize("wrong", [{"events": []}, {"events": ["moon.full"]}, {"url": ""}])
def test_what_is_wrong_is_told(study: dict[str, Any], mara: Client, job: Receiver, wrong: dict[str, Any]) -> None:
    assert mara.post(PAGE, {"url": job.url, "events": EVENTS} | wrong).status_code == 422
    assert not Webhook.objects.exists()


def test_there_is_a_limit(study: dict[str, Any], mara: Client, job: Receiver) -> None:
    for _ in range(MOST_WEBHOOKS):
        assert add(mara, job.url).status_code == 200
    assert add(mara, job.url).status_code == 422 and Webhook.objects.count() == MOST_WEBHOOKS


def test_a_month_later_it_is_forgotten(study: dict[str, Any]) -> None:
    hook = make.webhook(study["project"])
    for name, days, state in (("old", 31, "done"), ("new", 29, "done"), ("waiting", 31, "waiting")):
        ended = timezone.now() - timedelta(days=days)
        Delivery.objects.create(webhook=hook, event="x", message_id=name, body="{}", state=state, ended_at=ended)
    assert forget_deliveries() == 1
    assert set(Delivery.objects.values_list("message_id", flat=True)) == {"new", "waiting"}


# --- the events -----------------------------------------------------------------------------------


def test_a_batch_that_is_imported(study: dict[str, Any]) -> None:
    make.webhook(study["project"])
    rows = b'{"id": "a", "prompt": "Why?", "responses": [{"content": "So."}, {"content": "Thus."}]}\n{"id": 1}\n'
    stored = store_file(ContentFile(rows, "rows.jsonl"))
    batch = start_batch(project=study["project"], by=None, name="rows.jsonl", stored=stored)
    run_step(batch)
    told = json.loads(Delivery.objects.get().body)
    assert told["type"] == "batch.imported"
    assert told["data"]["batch"] == {
        "id": batch.pk, "name": "rows.jsonl", "read": 2, "kept": 1, "duplicate": 0, "refused": 1,
    }  # fmt: skip


def finish(study: dict[str, Any]) -> None:
    for name in ("Rui", "Rosa"):
        rater = study["people"][name]
        while (held := claim(queue=study["queue"], rater=rater)) is not None:
            submit(assignment=held, rater=rater, body={"judgments": {"helpfulness": {"preference": 1}}})


def test_a_queue_that_is_finished_is_told_once(study: dict[str, Any]) -> None:
    make.webhook(study["project"])
    assert watch_queues() == []
    rui = study["people"]["Rui"]
    held = claim(queue=study["queue"], rater=rui)
    assert held is not None
    submit(assignment=held, rater=rui, body={"judgments": {"helpfulness": {"preference": 1}}})
    assert watch_queues() == []
    finish(study)
    assert not Delivery.objects.exists()  # a submit does not look
    assert watch_queues() == [study["queue"].pk] and watch_queues() == []
    told = json.loads(Delivery.objects.get().body)
    assert told["data"] == {
        "project": "advice", "queue": {"id": study["queue"].pk, "name": study["queue"].name, "pairs": 2},
    }  # fmt: skip
    make.pair(study["project"])
    assert watch_queues() == []
    finish(study)
    assert watch_queues() == [study["queue"].pk] and Delivery.objects.count() == 2


def test_a_webhook_that_came_later_hears_of_no_old_end(study: dict[str, Any]) -> None:
    finish(study)
    watch_queues()
    make.webhook(study["project"])
    assert watch_queues() == [] and not Delivery.objects.exists()


def test_a_pair_somebody_holds_is_not_the_end(study: dict[str, Any]) -> None:
    rui, rosa = study["people"]["Rui"], study["people"]["Rosa"]
    last = None
    for rater in (rui, rosa):
        while (held := claim(queue=study["queue"], rater=rater)) is not None:
            if rater == rosa and last is None:
                last = held
                break
            submit(assignment=held, rater=rater, body={"judgments": {"helpfulness": {"preference": 1}}})
    assert last is not None and watch_queues() == []
