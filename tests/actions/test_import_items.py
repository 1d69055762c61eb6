"""Mara's files become items: kept once, refused by line, read on after whatever happens to the worker."""

from __future__ import annotations

import json
import threading
import time
from collections.abc import Iterable
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from django.core.files.base import ContentFile
from django.core.files.storage import default_storage
from django.db import connection
from django.utils import timezone

from labeling.actions.copy_items import copy_items
from labeling.actions.import_items import (
    batches_to_nudge,
    forget_uploads,
    run_step,
    start_batch,
    store_file,
)
from labeling.actions.queues import create_queue
from labeling.actions.refusals import Refused
from labeling.models import AuditEntry, Batch, Item, Pair, Project, Refusal, Response, Slot
from labeling.models.jobs import MOST_ATTEMPTS
from labeling.rendering import render
from labeling.tasks import enqueue_import, import_batch, nudge_imports
from tests import make

pytestmark = pytest.mark.django_db


@pytest.fixture
def project() -> Project:
    return make.project()


def row(number: int, **columns: Any) -> dict[str, Any]:
    same = {
        "id": f"r{number}",
        "prompt": f"Question {number}?",
        "response_a": f"Yes {number}.",
        "response_b": f"No {number}.",
    }
    return same | columns


def batch_of(project: Project, rows: Iterable[Any], name: str = "pairs.jsonl", format_name: str = "") -> Batch:
    content = b"".join(line if isinstance(line, bytes) else json.dumps(line).encode() + b"\n" for line in rows)
    return start_batch(
        project=project, by=None, name=name, stored=store_file(ContentFile(content)), format_name=format_name
    )


def counts(batch: Batch) -> tuple[int, int, int, int]:
    batch.refresh_from_db()
    return batch.read, batch.kept, batch.duplicate, batch.refused


def test_rows_become_items_responses_pairs_and_slots(project):
    batch = batch_of(
        project, [row(1, model_a="m1", model_b="m2", language="en", tags=["tea"], note=7, gold={"helpfulness": "b"})]
    )
    assert not run_step(batch)
    assert (batch.state, batch.format, batch.percent, batch.bytes_read) == ("done", "plain", 100, batch.bytes_total)
    item = Item.objects.get()
    assert (item.project, item.batch, item.external_id, item.language, item.tags) == (
        project,
        batch,
        "r1",
        "en",
        ["tea"],
    )
    assert item.conversation == [{"role": "user", "content": "Question 1?"}]
    shown = render("Question 1?")
    assert item.conversation_html == [{"html": shown.html, "renderer": shown.renderer}]
    assert (item.metadata, item.gold) == ({"note": 7}, {"helpfulness": 1})
    responses = list(item.responses.values_list("position", "content", "model_name", "html"))
    assert responses == [(0, "Yes 1.", "m1", render("Yes 1.").html), (1, "No 1.", "m2", render("No 1.").html)]
    pair = Pair.objects.get()
    assert (pair.first.content, pair.second.content) == ("Yes 1.", "No 1.")
    assert pair.slots.count() == 3
    acts = AuditEntry.objects.filter(target_type="batch").order_by("id").values_list("act", flat=True)
    assert list(acts) == ["batch.started", "batch.finished"]


def test_more_responses_make_every_pair_and_one_makes_one(project):
    rows = [{"prompt": "Three?", "responses": ["a", "b", "c"]}, {"prompt": "One?", "responses": ["a"]}]
    assert not run_step(batch_of(project, rows))
    shown = {(pair.first.content, pair.second.content if pair.second else None) for pair in Pair.objects.all()}
    assert shown == {("a", "b"), ("a", "c"), ("b", "c"), ("a", None)}


def test_a_queue_gets_what_its_filters_take(project):
    english = create_queue(project=project, by=None, name="English", languages=["en"])
    assert not run_step(batch_of(project, [row(1, language="en"), row(2, language="zh-Hans")]))
    assert Slot.objects.filter(queue=english).values("pair").distinct().count() == 1
    assert Slot.objects.filter(queue=make.queue(project)).values("pair").distinct().count() == 2


def test_duplicates_in_the_file_and_in_the_project_are_counted(project):
    assert not run_step(batch_of(project, [row(n) for n in range(5)]))
    again = batch_of(project, [row(n, id=f"other-{n}") for n in range(3, 8)] + [row(7)])
    assert not run_step(again)
    assert counts(again) == (6, 3, 3, 0)
    assert Item.objects.count() == 8
    elsewhere = batch_of(make.project("other", "Other"), [row(1)])
    assert not run_step(elsewhere)
    assert counts(elsewhere) == (1, 1, 0, 0)


def test_bad_rows_are_kept_as_refusals(project):
    strange = row(3) | {"a\x00b" * 200: "\x00"}
    batch = batch_of(project, [row(1), b"\n", b"{oops\n", strange, row(4, prompt=""), row(5)])
    assert not run_step(batch)
    assert counts(batch) == (5, 2, 0, 3)
    assert list(batch.refusals.values_list("line", flat=True)) == [3, 4, 5]
    assert batch.refusals.get(line=5).field == "prompt"


def test_a_file_that_cannot_be_read_changes_nothing(project):
    batch = batch_of(project, [b"foo,bar\n1,2\n"], "x.csv")
    assert not run_step(batch)
    assert batch.state == "failed"
    assert "found foo, bar" in batch.error
    assert not Item.objects.exists()
    assert not Refusal.objects.exists()
    assert AuditEntry.objects.filter(act="batch.failed").exists()


def test_a_file_that_is_gone_fails_in_words(project):
    batch = batch_of(project, [row(1)])
    default_storage.delete(batch.storage_name)
    assert not run_step(batch)
    assert batch.error == "The file is not in the storage any more; send it again."


def test_an_unknown_format_is_refused_at_once(project):
    with pytest.raises(Refused, match="no format “nonsense”"):
        batch_of(project, [row(1)], format_name="nonsense")


def test_the_same_stored_file_is_one_batch(project):
    stored = store_file(ContentFile(b"x"))
    first = start_batch(project=project, by=None, name="x", stored=stored)
    assert start_batch(project=project, by=None, name="x", stored=stored) == first
    assert (stored.size, stored.sha256[:8]) == (1, "2d711642")


def test_text_is_stored_code_point_by_code_point(project):
    strange = "e\u0301 \u00e9 \u200b\u200d \u05d0\u202b \U0001f469\u200d\U0001f680 \u2028 \r\n\r \t\ufeff \\N \\. end"
    batch = batch_of(
        project, [row(1, prompt=strange, response_a=f"A{strange}", response_b=f"{strange}B", note=strange)]
    )
    assert not run_step(batch)
    item = Item.objects.get()
    assert item.conversation[0]["content"] == strange
    assert item.metadata == {"note": strange}
    assert [response.content for response in item.responses.all()] == [f"A{strange}", f"{strange}B"]


def test_steps_go_on_where_the_last_one_ended(project, monkeypatch):
    monkeypatch.setattr("labeling.actions.import_items.CHUNK_ROWS", 1000)
    batch = batch_of(project, [row(n) if n % 10 else row(n, prompt="") for n in range(2500)] + [row(1)])
    steps, seen = 0, []
    while run_step(batch, seconds=0):
        steps += 1
        seen.append(batch.percent)
        assert batch.state == "waiting"
        assert steps < 10
    assert steps == 3
    assert seen == sorted(seen)
    assert counts(batch) == (2501, 2250, 1, 250)
    assert sorted(Item.objects.values_list("external_id", flat=True)) == sorted(f"r{n}" for n in range(2500) if n % 10)


def test_a_batch_in_other_hands_is_left_alone(project):
    batch = batch_of(project, [row(n) for n in range(10)])
    assert Batch.objects.get(pk=batch.pk).take()
    assert not run_step(batch)
    assert not Item.objects.exists()
    assert batch.state == "running"


def test_a_worker_that_was_given_up_writes_nothing(project, monkeypatch):
    batch = batch_of(project, [row(n) for n in range(10)])

    def overtaken(*args: Any) -> None:
        Batch.objects.filter(pk=batch.pk).update(fence=99)
        copy_items(*args)

    monkeypatch.setattr("labeling.actions.import_items.copy_items", overtaken)
    assert not run_step(batch)
    assert not Item.objects.exists()
    assert Batch.objects.get().read == 0


def test_the_nudge_finds_what_is_due_and_tells_once_a_minute(project):
    waiting, told, lost, held, done = (batch_of(project, [row(n)]) for n in range(5))
    past, future = timezone.now() - timedelta(seconds=1), timezone.now() + timedelta(seconds=30)
    Batch.objects.filter(pk=told.pk).update(lease_until=future)
    Batch.objects.filter(pk=lost.pk).update(state="running", lease_until=past)
    Batch.objects.filter(pk=held.pk).update(state="running", lease_until=future)
    Batch.objects.filter(pk=done.pk).update(state="done")
    assert batches_to_nudge() == [waiting.pk, lost.pk]
    assert batches_to_nudge() == [lost.pk]
    assert not run_step(Batch.objects.get(pk=lost.pk))
    assert Batch.objects.get(pk=lost.pk).state == "done"


def test_a_poisonous_file_is_given_up(project, monkeypatch):
    batch = batch_of(project, [row(1)])

    def die(*args: Any, **kwargs: Any) -> None:
        raise MemoryError

    monkeypatch.setattr("labeling.actions.import_items.copy_items", die)
    for _ in range(MOST_ATTEMPTS):
        with pytest.raises(MemoryError):
            run_step(batch)
        Batch.objects.update(lease_until=timezone.now() - timedelta(seconds=1))
    assert not run_step(batch)
    batch.refresh_from_db()
    assert batch.state == "failed"
    assert "Given up" in batch.error


def test_uploads_nobody_confirmed_are_forgotten(project, settings, tmp_path):
    storage = {"BACKEND": "django.core.files.storage.FileSystemStorage", "OPTIONS": {"location": str(tmp_path)}}
    settings.STORAGES = settings.STORAGES | {"default": storage}
    assert forget_uploads() == 0
    used, fresh = batch_of(project, [row(1)]).storage_name, store_file(ContentFile(b"x")).storage_name
    assert forget_uploads() == 0
    assert forget_uploads(older_than=timedelta(0)) == 1
    assert default_storage.exists(used)
    assert not default_storage.exists(fresh)


# --- with real workers ----------------------------------------------------------------------------


def until(wanted: Any, seconds: float = 60) -> None:
    end = time.monotonic() + seconds
    while not wanted():
        assert time.monotonic() < end, "waited in vain"
        time.sleep(0.02)


def check_all_there(batch: Batch, number: int) -> None:
    assert counts(batch) == (number, number, 0, 0)
    project = batch.project
    assert project.items.count() == number
    assert project.items.values("external_id").distinct().count() == number
    assert Response.objects.filter(project=project).count() == 2 * number
    assert project.pairs.count() == number
    assert Slot.objects.filter(project=project).count() == 3 * number
    assert make.queue(project).pair_count == number


@pytest.mark.django_db(transaction=True)
def test_a_message_is_enough(live_worker):
    project = make.project()
    batch = batch_of(project, [row(n) for n in range(1200)])
    enqueue_import(batch)
    until(lambda: Batch.objects.get(pk=batch.pk).is_over)
    check_all_there(batch, 1200)


@pytest.mark.django_db(transaction=True)
def test_without_a_broker_nothing_fails_or_waits_and_the_nudge_makes_up_for_it(settings):
    project = make.project()
    batch = batch_of(project, [row(1)])
    app = import_batch.app
    address, app.conf.broker_write_url = app.conf.broker_write_url, "redis://127.0.0.1:1/0"
    try:
        begin = time.monotonic()
        enqueue_import(batch)
        assert time.monotonic() - begin < 5
        until(lambda: not [thread for thread in threading.enumerate() if thread.name == "say"])
    finally:
        app.conf.broker_write_url = address
    assert batches_to_nudge() == [batch.pk]


@pytest.mark.django_db(transaction=True)
def test_a_killed_worker_loses_and_doubles_nothing(worker_process):
    number = 12_000
    project = make.project()
    batch = batch_of(project, [row(n, response_a=f"**Yes** {n}\n\n- one\n- two `code`") for n in range(number)])
    import_batch.delay(batch.pk)
    kills = 0
    for goal in (1, number // 3, number // 2):
        until(lambda goal=goal: Batch.objects.get(pk=batch.pk).read >= goal)
        worker_process.kill()
        state = Batch.objects.get(pk=batch.pk)
        assert state.state == "running"
        kills += state.read < number
        assert project.items.count() == state.kept == state.read
        Batch.objects.filter(pk=batch.pk).update(lease_until=timezone.now() - timedelta(seconds=1))
        worker_process.restart()
        nudge_imports()
    assert kills == 3
    until(lambda: Batch.objects.get(pk=batch.pk).is_over)
    check_all_there(batch, number)


@pytest.mark.django_db(transaction=True)
def test_two_deliveries_at_once_are_one_import():
    project = make.project()
    batch = batch_of(project, [row(n) for n in range(3000)])
    barrier = threading.Barrier(4)

    def deliver() -> None:
        mine = Batch.objects.get(pk=batch.pk)
        barrier.wait()
        run_step(mine)
        connection.close()

    threads = [threading.Thread(target=deliver) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    check_all_there(batch, 3000)


@pytest.mark.django_db(transaction=True)
def test_two_files_with_the_same_items_at_once_keep_each_once():
    project = make.project()
    batches = [batch_of(project, [row(n) for n in order]) for order in (range(3000), range(2999, -1, -1))]
    threads = [threading.Thread(target=lambda each=each: (run_step(each), connection.close())) for each in batches]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    both = [counts(batch) for batch in batches]
    assert [each[0] for each in both] == [3000, 3000]
    assert sum(each[1] for each in both) == 3000 == project.items.count()
    assert sum(each[2] for each in both) == 3000
    assert make.queue(project).pair_count == 3000


def test_what_is_kept_never_names_the_senders_path(project):
    batch = start_batch(project=project, by=None, name="../../x\r\n\x00.jsonl", stored=store_file(ContentFile(b"x")))
    assert batch.name == "../../x.jsonl"
    assert Path(batch.storage_name).parent.name == "imports"
    assert len(Path(batch.storage_name).name) == 32
