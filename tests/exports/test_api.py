"""Noor's training script fetches what it trains on."""

from __future__ import annotations

from hashlib import sha256
from pathlib import Path

import pytest

from exports.actions import build_export
from exports.models import Export
from labeling.models import Project, User
from tests.api.conftest import Program


@pytest.fixture
def noor(study: Project) -> Program:
    return Program(User.objects.get(name="Noor"))


def test_from_the_request_to_the_bytes(noor: Program, stored: Path) -> None:
    asked = noor.post("/projects/advice/exports/", {"recipe": {"format": "dpo", "file": "jsonl"}, "name": "Nightly"})
    assert asked.status_code == 202
    got = asked.json()
    assert (got["state"], got["name"], got["files"], got["manifest"]) == ("waiting", "Nightly", [], None)
    build_export(export=Export.objects.get(pk=got["id"]))
    done = noor.get(f"/exports/{got['id']}/").json()
    assert (done["state"], done["percent"], done["rows"], done["pairs"]) == ("done", 100, 4, 7)
    assert done["manifest"]["rows"] == 4
    file = next(file for file in done["files"] if file["path"].startswith("data/"))
    answer = noor.get(f"/exports/{got['id']}/files/{file['path']}")
    data = b"".join(answer.streaming_content)
    assert (len(data), sha256(data).hexdigest()) == (file["bytes"], file["sha256"])
    assert answer["Content-Disposition"].startswith("attachment")
    half = noor.client.get(f"/api/v1/exports/{got['id']}/files/{file['path']}", headers={"Range": "bytes=10-19"})
    assert (half.status_code, b"".join(half)) == (206, data[10:20])


def test_a_name_stands_for_a_recipe(noor: Program) -> None:
    got = noor.post("/projects/advice/exports/", {"recipe": "reward"}).json()
    assert (got["recipe"]["format"], got["recipe"]["split"]) == ("reward", {"test": 0.05, "by": "item", "seed": 7})


def test_the_list_is_in_pages_and_newest_first(noor: Program) -> None:
    ids = [noor.post("/projects/advice/exports/", {"recipe": "dpo"}).json()["id"] for _ in range(3)]
    page = noor.get("/projects/advice/exports/", limit=2).json()
    assert [export["id"] for export in page["results"]] == ids[:0:-1] and page["next"]


@pytest.mark.parametrize(
    ("body", "field"),
    [
        ({}, "recipe"),
        ({"recipe": "best"}, "recipe"),
        ({"recipe": {"format": "xml"}}, "format"),
        ({"recipe": {"format": "dpo", "criterion": "beauty"}}, "criterion"),
        ({"recipe": "dpo", "colour": "red"}, "colour"),
    ],
)
def test_what_is_wrong_is_named(noor: Program, body: dict[str, object], field: str) -> None:
    answer = noor.post("/projects/advice/exports/", body)
    assert answer.status_code == 400 and field in answer.json()["errors"]
    assert not Export.objects.exists()


@pytest.mark.parametrize(("name", "status"), [("Mara", 200), ("Rui", 404), ("Ada", 404), ("Otto", 404)])
def test_who_may(noor: Program, stored: Path, name: str, status: int) -> None:
    export = noor.post("/projects/advice/exports/", {"recipe": "dpo"}).json()["id"]
    build_export(export=Export.objects.get(pk=export))
    program = Program(User.objects.get(name=name))
    for path in (
        "/projects/advice/exports/",
        f"/exports/{export}/",
        f"/exports/{export}/files/data/train-00000-of-00001.parquet",
    ):
        answer = program.get(path)
        answer.close()
        assert answer.status_code == status
    assert program.post("/projects/advice/exports/", {"recipe": "dpo"}).status_code == (202 if status == 200 else 404)


def test_nothing_unfinished_can_be_fetched(noor: Program, stored: Path) -> None:
    export = noor.post("/projects/advice/exports/", {"recipe": "dpo"}).json()["id"]
    assert noor.get(f"/exports/{export}/files/data/train-00000-of-00001.parquet").status_code == 404


def test_strangers(study: Project) -> None:
    assert Program(None).get("/projects/advice/exports/").status_code == 401
