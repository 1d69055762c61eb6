"""Items by file over HTTP: sent, read by a worker, watched."""

import gzip
import json

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import override_settings

from labeling.actions.import_items import run_step
from labeling.models import Batch, Item
from tests import make
from tests.api.conftest import Program

pytestmark = pytest.mark.django_db
PATH = "/projects/advice/imports/"
NDJSON = "application/x-ndjson"


@pytest.fixture(autouse=True)
def _own_storage(settings, tmp_path):
    storage = {"BACKEND": "django.core.files.storage.FileSystemStorage", "OPTIONS": {"location": str(tmp_path)}}
    settings.STORAGES = settings.STORAGES | {"default": storage}


@pytest.fixture
def mara(study):
    return study["api"]["Mara"]


def rows(number, start=0):
    texts = (
        {"id": f"r{n}", "prompt": f"Question {n}?", "responses": [{"content": f"Yes {n}."}, {"content": f"No {n}."}]}
        for n in range(start, start + number)
    )
    return b"".join(json.dumps(row).encode() + b"\n" for row in texts)


def send(api, content, name="pairs.jsonl", **fields):
    return api.post(PATH, {"file": SimpleUploadedFile(name, content), **fields}, content_type=None)


def finish(pk):
    while run_step(Batch.objects.get(pk=pk)):
        pass


def test_a_file_is_taken_and_then_read(mara):
    answer = send(mara, rows(3))
    assert answer.status_code == 202
    batch = answer.json()
    assert (batch["state"], batch["name"], batch["read"]) == ("waiting", "pairs.jsonl", 0) and len(
        batch["sha256"]
    ) == 64
    finish(batch["id"])
    found = mara.get(f"/imports/{batch['id']}/").json()
    assert (found["state"], found["percent"], found["kept"], found["refused"]) == ("done", 100, 3, 0)
    assert found["refusals"] == {"next": None, "previous": None, "results": []}
    assert Item.objects.filter(external_id="r2").exists()


def test_a_bare_body_of_lines_is_a_file_too(mara):
    answer = mara.post(PATH, rows(2), content_type=NDJSON)
    assert answer.status_code == 202
    finish(answer.json()["id"])
    assert mara.get(f"/imports/{answer.json()['id']}/").json()["kept"] == 2


def test_a_packed_file_with_its_format_named(mara):
    answer = send(mara, gzip.compress(rows(2)), name="pairs.jsonl.gz", format="native")
    assert answer.json()["format"] == "native"
    finish(answer.json()["id"])
    assert mara.get(f"/imports/{answer.json()['id']}/").json()["kept"] == 2


def test_the_same_file_again_is_all_duplicates(mara):
    for _ in range(2):
        pk = send(mara, rows(2)).json()["id"]
        finish(pk)
    found = mara.get(f"/imports/{pk}/").json()
    assert (found["kept"], found["duplicate"]) == (0, 2)


def test_refused_rows_come_in_pages_by_line(mara):
    bad = b'{"prompt": "?"}\n{"prompt": "?", "responses": 7}\nnonsense\n'
    pk = send(mara, rows(1) + bad, format="native").json()["id"]
    finish(pk)
    first = mara.get(f"/imports/{pk}/", limit=2).json()
    assert (first["read"], first["kept"], first["refused"]) == (4, 1, 3)
    assert [one["line"] for one in first["refusals"]["results"]] == [2, 3]
    assert all(one["reason"] for one in first["refusals"]["results"])
    second = mara.get("/imports/" + first["refusals"]["next"].partition("/imports/")[2]).json()
    assert [one["line"] for one in second["refusals"]["results"]] == [4]


def test_a_file_that_cannot_be_read_says_so(mara):
    pk = send(mara, b"\x00\x01\x02", name="noise.jsonl.gz").json()["id"]
    finish(pk)
    found = mara.get(f"/imports/{pk}/").json()
    assert found["state"] == "failed" and found["error"]


def test_what_is_missing_or_unknown_is_named(mara):
    assert mara.post(PATH, {"format": "native"}, content_type=None).json()["errors"].keys() == {"file"}
    assert send(mara, b"").json()["errors"].keys() == {"file"}
    assert mara.post(PATH, b"", content_type=NDJSON).status_code == 400
    assert send(mara, rows(1), format="word").json()["errors"].keys() == {"format"}
    assert send(mara, rows(1), color="red").json()["errors"].keys() == {"color"}
    assert not Batch.objects.exclude(name="made by tests").exists()


def test_json_is_not_a_file(mara):
    assert mara.post(PATH, {"rows": []}).status_code == 415


def test_a_file_above_the_limit(mara):
    with override_settings(UPLOAD_LIMIT=100):
        assert send(mara, rows(9)).status_code == 413
        assert mara.post(PATH, rows(9), content_type=NDJSON).status_code == 413


@pytest.mark.parametrize("name", ["Rui", "Noor", "Ada", "Otto"])
def test_only_managers_import_and_watch(study, name):
    pk = send(study["api"]["Mara"], rows(1)).json()["id"]
    before = Batch.objects.count()
    assert send(study["api"][name], rows(1)).status_code == 404
    assert study["api"][name].get(f"/imports/{pk}/").status_code == 404
    assert Batch.objects.count() == before


def test_another_projects_import_is_not_there(study, mara):
    other = make.project("other", "Other")
    theirs = Program(make.member(other, "Olaf", "manager"))
    pk = theirs.post("/projects/other/imports/", rows(1), content_type=NDJSON).json()["id"]
    assert mara.get(f"/imports/{pk}/").status_code == 404
