"""Mara brings a file in through the browser; nobody else can."""

from __future__ import annotations

import csv
import io
import json
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest
from django.core.files.storage import default_storage
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client, override_settings
from django.urls import reverse

from labeling.actions.import_items import run_step
from labeling.models import AuditEntry, Batch, Item, Project, Refusal, User
from tests import make

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def _own_storage(settings: Any, tmp_path: Path) -> None:
    storage = {"BACKEND": "django.core.files.storage.FileSystemStorage", "OPTIONS": {"location": str(tmp_path)}}
    settings.STORAGES = settings.STORAGES | {"default": storage}


@pytest.fixture
def project() -> Project:
    return make.project()


@pytest.fixture
def cast(project: Project) -> dict[str, User]:
    return make.cast(project)


@pytest.fixture
def mara(client: Client, cast: dict[str, User]) -> Client:
    client.force_login(cast["Mara"])
    return client


def rows(number: int) -> bytes:
    each = (
        {"id": f"r{n}", "prompt": f"Question {n}?", "response_a": f"Yes {n}.", "response_b": f"No {n}."}
        for n in range(number)
    )
    return b"".join(json.dumps(row).encode() + b"\n" for row in each)


def send(client: Client, project: Project, content: bytes, name: str = "pairs.jsonl"):
    return client.post(reverse("import_new", args=[project.slug]), {"file": SimpleUploadedFile(name, content)})


def stored_files() -> list[str]:
    return default_storage.listdir("imports")[1] if default_storage.exists("imports") else []


def confirm(client: Client, preview: str):
    asked = {key: values[0] for key, values in parse_qs(urlsplit(preview).query).items()}
    return client.post(urlsplit(preview).path, asked)


def test_from_the_file_to_the_items(mara, project):
    sent = send(mara, project, rows(12) + b'{"prompt": 5, "response_a": "a", "response_b": "b"}\n')
    assert sent.status_code == 302 and not Batch.objects.exists()
    preview = mara.get(sent.url)
    page = preview.content.decode()
    assert "Plain columns" in page and "Question 0?" in page and "Yes 0." in page and "Question 11?" not in page
    started = confirm(mara, sent.url)
    batch = Batch.objects.get()
    assert started.url == reverse("import_detail", args=[project.slug, batch.pk])
    assert (batch.name, batch.created_by.name, batch.state) == ("pairs.jsonl", "Mara", "waiting")
    assert not run_step(batch)
    page = mara.get(started.url).content.decode()
    assert "Done" in page and ">13</td>" in page and "is a number; give text" in page
    assert Item.objects.count() == 12
    assert AuditEntry.objects.filter(act="batch.started", actor_id=batch.created_by_id).count() == 1
    assert "pairs.jsonl" in mara.get(reverse("imports", args=[project.slug])).content.decode()


def test_starting_twice_is_one_import(mara, project):
    preview = send(mara, project, rows(3)).url
    assert confirm(mara, preview).url == confirm(mara, preview).url
    assert Batch.objects.count() == 1


def test_progress_moves_and_ends_with_the_whole_page(mara, project):
    confirm(mara, send(mara, project, rows(2500)).url)
    batch = Batch.objects.get()
    address = reverse("import_detail", args=[project.slug, batch.pk])
    assert run_step(batch, seconds=0)
    moving = mara.get(address, headers={"HX-Request": "true"})
    page = moving.content.decode()
    assert 'hx-trigger="every 1s"' in page and "2,000" in page and "<html" not in page
    assert 0 < Batch.objects.get().percent < 100
    assert not run_step(batch)
    assert mara.get(address, headers={"HX-Request": "true"})["HX-Refresh"] == "true"
    assert "hx-trigger" not in mara.get(address).content.decode()


def test_a_file_that_cannot_be_read_is_said_before_anything_is_kept(mara, project):
    preview = mara.get(send(mara, project, b"foo,bar\n1,2\n", "x.csv").url).content.decode()
    assert "found foo, bar" in preview and "Import the file" not in preview


def test_what_fails_only_later_says_so(mara, project):
    confirm(mara, send(mara, project, rows(3)).url)
    batch = Batch.objects.get()
    default_storage.delete(batch.storage_name)
    assert not run_step(batch)
    assert (
        "not in the storage any more"
        in mara.get(reverse("import_detail", args=[project.slug, batch.pk])).content.decode()
    )


def test_another_format_can_be_asked_for(mara, project):
    preview = send(mara, project, rows(3)).url
    page = mara.get(f"{preview}&format=hh_rlhf").content.decode()
    assert "needed chosen, rejected" in page
    assert "no format “nonsense”" in mara.get(f"{preview}&format=nonsense").content.decode()


def test_refusals_download_harmless(mara, project):
    batch = Batch.objects.create(project=project, name="x", state=Batch.State.DONE, read=3, refused=3)
    cells = ["=1+1", "-2", "fine", " \t@x", "'quoted", "＝1"]
    Refusal.objects.bulk_create(Refusal(batch=batch, line=n, field=cell, reason=cell) for n, cell in enumerate(cells))
    got = mara.get(reverse("import_refusals", args=[project.slug, batch.pk]))
    assert got["Content-Type"].startswith("text/csv") and got["X-Content-Type-Options"] == "nosniff"
    assert got["Content-Disposition"] == f'attachment; filename="refused-{batch.pk}.csv"'
    assert got["Content-Security-Policy"] == "sandbox; default-src 'none'"
    table = list(csv.reader(io.StringIO(b"".join(got.streaming_content).decode(), newline="")))
    assert table[0] == ["line", "field", "reason"]
    assert [row[1] for row in table[1:]] == ["'=1+1", "'-2", "fine", "' \t@x", "''quoted", "'＝1"]


def test_refusals_are_paged(mara, project):
    batch = Batch.objects.create(project=project, name="x", state=Batch.State.DONE)
    Refusal.objects.bulk_create(Refusal(batch=batch, line=n, reason=f"reason {n} of many") for n in range(1, 121))
    address = reverse("import_detail", args=[project.slug, batch.pk])
    assert "Page 1 of 3" in mara.get(address).content.decode()
    assert "reason 120 of many" in mara.get(f"{address}?page=3").content.decode()


@pytest.mark.parametrize(
    "name", ["../../etc/passwd", "x\r\nSet-Cookie: a=b.jsonl", "=cmd.csv", "C:\\x.jsonl", "ä" * 300 + ".jsonl"]
)
def test_the_senders_name_is_only_shown(mara, project, name):
    confirm(mara, send(mara, project, rows(2), name).url)
    batch = Batch.objects.get()
    folder, _, file = batch.storage_name.partition("/")
    assert folder == "imports" and len(file) == 32 and file.isalnum()
    assert batch.name.isprintable() and len(batch.name) <= 200


def test_no_file_is_asked_for_again(mara, project):
    answer = mara.post(reverse("import_new", args=[project.slug]))
    assert answer.status_code == 422 and "Choose a file first" in answer.content.decode()


@override_settings(UPLOAD_LIMIT=1024)
def test_a_file_too_large_is_refused_before_it_is_read(mara, project):
    answer = send(mara, project, rows(50))
    assert answer.status_code == 413
    assert not stored_files()


def test_without_the_token_nothing_is_stored(project, cast):
    client = Client(enforce_csrf_checks=True)
    client.force_login(cast["Mara"])
    assert send(client, project, rows(2)).status_code == 403


def test_an_upload_is_only_its_senders(mara, project, cast, client):
    preview = send(mara, project, rows(2)).url
    other = make.member(project, "Max", "manager")
    client.force_login(other)
    assert client.get(preview).url == reverse("import_new", args=[project.slug])
    assert client.get(preview.replace("upload=", "upload=x")).status_code == 302
    assert confirm(client, preview).url == reverse("import_new", args=[project.slug])
    assert not Batch.objects.exists()


@pytest.mark.parametrize("name", ["Rui", "Ada", "Noor", "Otto"])
def test_others_find_nothing(client, project, cast, name):
    batch = Batch.objects.create(project=project, name="x")
    client.force_login(cast[name])
    slug = project.slug
    for address in (
        reverse("imports", args=[slug]),
        reverse("import_new", args=[slug]),
        reverse("import_preview", args=[slug]),
        reverse("import_detail", args=[slug, batch.pk]),
        reverse("import_refusals", args=[slug, batch.pk]),
    ):
        assert client.get(address).status_code == 404, address
    assert send(client, project, rows(1)).status_code == 404


def test_a_batch_is_only_under_its_own_project(mara, project):
    other = make.project("other", "Other")
    make.member(other, "Mara", "manager")
    batch = Batch.objects.create(project=project, name="x")
    assert mara.get(reverse("import_detail", args=[other.slug, batch.pk])).status_code == 404


def test_the_list_asks_the_same_number_of_queries_for_any_length(mara, project, django_assert_max_num_queries):
    Batch.objects.bulk_create(Batch(project=project, name=f"b{n}", created_by=project.created_by) for n in range(30))
    with django_assert_max_num_queries(6):
        mara.get(reverse("imports", args=[project.slug]))
