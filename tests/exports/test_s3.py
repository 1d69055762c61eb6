"""Exports in a bucket: a real client, over HTTP, to a server of the same protocol."""

from __future__ import annotations

import io
import logging
import zipfile
from collections.abc import Iterator
from hashlib import sha256
from pathlib import Path
from typing import Any

import pytest
from django.core.files.storage import default_storage
from django.test import Client
from moto.server import ThreadedMotoServer

from annotate.settings import storage_of
from exports import files
from exports.actions import build_export, delete_export, request_export
from exports.files import scratch_of
from exports.models import Export
from labeling.models import Project, User

KEY, SECRET = "AKIAQ7EXAMPLE4DELIVERY", "s3cr3t+of/the-bucket-that-nobody-may-read"
LIST = "/projects/advice/exports/"


@pytest.fixture(scope="module")
def server() -> Iterator[str]:
    moto = ThreadedMotoServer("127.0.0.1", port=0, verbose=False)
    moto.start()
    host, port = moto.get_host_and_port()
    yield f"http://{host}:{port}"
    moto.stop()


@pytest.fixture
def bucket(server: str, settings: Any, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Iterator[Any]:
    """The app's storage, in a bucket of its own with a prefix."""
    variables = {
        "ENDPOINT_URL": server,
        "ACCESS_KEY_ID": KEY,
        "SECRET_ACCESS_KEY": SECRET,
        "DEFAULT_REGION": "us-east-1",
    }
    for name, value in variables.items():
        monkeypatch.setenv(f"AWS_{name}", value)
    settings.VAR_DIR = tmp_path
    settings.STORAGES = settings.STORAGES | {"default": storage_of("s3://annotate/prefix?addressing=path")}
    found = default_storage.bucket  # type: ignore[attr-defined]
    found.create()
    yield found
    found.objects.delete()
    found.delete()


@pytest.fixture
def asked(bucket: Any) -> list[str]:
    """The Range header of each object that is fetched, in turn; empty for a whole one."""
    ranges: list[str] = []

    def note(request: Any, **_: Any) -> None:
        ranges.append((request.headers.get("Range") or b"").decode())

    bucket.meta.client.meta.events.register("before-send.s3.GetObject", note)
    return ranges


@pytest.fixture
def noor(study: Project) -> Client:
    client = Client()
    client.force_login(User.objects.get(name="Noor"))
    return client


def built(study: Project) -> Export:
    export = request_export(project=study, by=User.objects.get(name="Noor"), recipe="dpo")
    build_export(export=export)
    export.refresh_from_db()
    assert export.state == "done", export.error
    return export


def body(answer: Any) -> bytes:
    return b"".join(answer.streaming_content)


def keys(bucket: Any) -> set[str]:
    return {one.key for one in bucket.objects.all()}


def test_built_listed_and_fetched(study: Project, noor: Client, bucket: Any) -> None:
    export = built(study)
    stored = {f"prefix/exports/{export.pk}/{path}" for path in export.files.values_list("path", flat=True)}
    stored.add(f"prefix/ledgers/{export.pk}")
    assert keys(bucket) == stored and not scratch_of(export.pk).exists()
    folders, names = default_storage.listdir(f"exports/{export.pk}")
    assert folders == ["data"] and "manifest.json" in names
    for file in export.files.all():
        data = body(noor.get(f"{LIST}{export.pk}/files/{file.path}"))
        assert sha256(data).hexdigest() == file.sha256
    page = noor.get(f"{LIST}{export.pk}/card/").content.decode()
    assert "Criterion and scale" in page  # the card is read from there too
    with zipfile.ZipFile(io.BytesIO(body(noor.get(f"{LIST}{export.pk}/all.zip")))) as packed:
        assert packed.testzip() is None and len(packed.namelist()) == export.files.count()


def test_of_a_range_only_the_range_is_fetched(study: Project, noor: Client, bucket: Any, asked: list[str]) -> None:
    export = built(study)
    file = export.files.get(path="README.md")
    whole = body(noor.get(f"{LIST}{export.pk}/files/{file.path}"))
    del asked[:]
    part = noor.get(f"{LIST}{export.pk}/files/{file.path}", headers={"Range": "bytes=100-149"})
    assert (part.status_code, body(part)) == (206, whole[100:150])
    assert asked == ["bytes=100-149"]
    del asked[:]
    noor.head(f"{LIST}{export.pk}/files/{file.path}")
    assert asked == []


def test_a_part_of_the_archive_opens_only_what_lies_in_it(
    study: Project, noor: Client, bucket: Any, asked: list[str]
) -> None:
    export = built(study)
    address = f"{LIST}{export.pk}/all.zip"
    whole = body(noor.get(address))
    assert len(asked) == export.files.count()
    del asked[:]
    end = len(whole) - 22
    assert body(noor.get(address, headers={"Range": f"bytes={end}-"})) == whole[end:] and asked == []
    assert body(noor.get(address, headers={"Range": "bytes=0-99"})) == whole[:100]
    assert len(asked) == 1


def test_deleted_with_everything_under_it(study: Project, bucket: Any) -> None:
    kept, export = built(study), built(study)
    bucket.put_object(Key=f"prefix/exports/{export.pk}/data/of-an-upload-that-was-cut-off", Body=b"x")
    delete_export(export=export, by=User.objects.get(name="Noor"))
    left = {f"prefix/exports/{kept.pk}/{path}" for path in kept.files.values_list("path", flat=True)}
    assert keys(bucket) == left | {f"prefix/ledgers/{kept.pk}"}


def test_an_object_that_is_gone_is_not_found(study: Project, noor: Client, bucket: Any) -> None:
    export = built(study)
    bucket.objects.delete()
    assert noor.get(f"{LIST}{export.pk}/files/README.md").status_code == 404


def test_built_twice_it_is_the_same(study: Project, bucket: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    """Killed between the upload and the rows: the next attempt puts the same bytes in the same places."""
    export = request_export(project=study, by=User.objects.get(name="Noor"), recipe="dpo")
    upload = files.upload

    def killed(*args: Any) -> None:
        upload(*args)
        raise OSError("the line went dead")

    with monkeypatch.context() as patch:
        patch.setattr(files, "upload", killed)
        build_export(export=export)
    first = {one.key: one.e_tag for one in bucket.objects.all()}
    export.refresh_from_db()
    build_export(export=export)
    export.refresh_from_db()
    now = {one.key: one.e_tag for one in bucket.objects.all()}
    assert export.state == "done" and now.items() >= first.items()
    assert now.keys() - first.keys() == {f"prefix/ledgers/{export.pk}"}


@pytest.mark.parametrize("trouble", ["no bucket", "no server"])
def test_keys_are_in_no_log_and_on_no_page(
    study: Project, noor: Client, bucket: Any, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch,
    settings: Any, trouble: str,
) -> None:  # fmt: skip
    caplog.set_level(logging.DEBUG)
    done = built(study)
    body(noor.get(f"{LIST}{done.pk}/files/README.md"))
    if trouble == "no server":
        monkeypatch.setenv("AWS_ENDPOINT_URL", "http://127.0.0.1:9")
        monkeypatch.setenv("AWS_MAX_ATTEMPTS", "1")
    gone = storage_of("s3://nowhere/prefix?addressing=path")
    settings.STORAGES = settings.STORAGES | {"default": gone}
    export = request_export(project=study, by=User.objects.get(name="Noor"), recipe="dpo")
    build_export(export=export)
    export.refresh_from_db()
    assert export.error and export.state == "running"
    page = noor.get(f"{LIST}{export.pk}/").content.decode()
    for told in (caplog.text, export.error, page):
        assert KEY not in told and SECRET not in told
