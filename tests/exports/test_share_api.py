"""Noor's program hands out a snapshot: a link for a reviewer, a push to a hub."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from django.test import Client

from exports.actions import build_export, request_export
from exports.models import DownloadLink, Export, HubPush
from labeling.models import Project, User
from tests.api.conftest import Program


@pytest.fixture
def noor(study: Project) -> Program:
    return Program(User.objects.get(name="Noor"))


@pytest.fixture
def done(study: Project, stored: Path) -> Export:
    export = request_export(project=study, by=User.objects.get(name="Noor"), recipe="dpo-jsonl")
    build_export(export=export)
    export.refresh_from_db()
    return export


def test_a_link_is_made_used_listed_and_revoked(noor: Program, done: Export) -> None:
    made = noor.post(f"/exports/{done.pk}/links/", {"days": 3, "note": "Reviewer 2"})
    assert made.status_code == 201
    path = made.json()["url"].partition("/links/")[2]
    assert Client().get(f"/links/{path}all.zip").status_code == 200
    [line] = noor.get(f"/exports/{done.pk}/links/").json()["results"]
    assert (line["note"], line["uses"]) == ("Reviewer 2", 1) and "url" not in line
    for _ in range(2):
        address = f"/projects/advice/links/{line['id']}/"
        assert noor._checked("delete", address, noor.client.delete("/api/v1" + address)).status_code == 204
    assert Client().get(f"/links/{path}all.zip").status_code == 404
    assert noor.get(f"/exports/{done.pk}/links/").json()["results"][0]["revoked_at"] is not None


@pytest.mark.parametrize(("body", "field"), [({"days": 91}, "days"), ({"days": 0}, "days"), ({"for": "me"}, "for")])
def test_a_wrong_link_says_which_field(noor: Program, done: Export, body: dict[str, Any], field: str) -> None:
    answer = noor.post(f"/exports/{done.pk}/links/", body)
    assert answer.status_code == 400 and field in answer.json()["errors"] and not DownloadLink.objects.exists()


def test_an_export_that_is_not_done_has_no_links_and_no_pushes(noor: Program, study: Project) -> None:
    waiting = request_export(project=study, by=User.objects.get(name="Noor"), recipe="dpo-jsonl")
    assert noor.post(f"/exports/{waiting.pk}/links/", {}).json()["type"].endswith("#problem-not_ready")
    push = {"repo_id": "lab/advice", "token": "hf_x"}
    assert noor.post(f"/exports/{waiting.pk}/pushes/", push).json()["type"].endswith("#problem-not_ready")


def test_a_push_is_a_job_and_tells_no_token(noor: Program, done: Export) -> None:
    made = noor.post(f"/exports/{done.pk}/pushes/", {"repo_id": "lab/advice", "token": "hf_secret"})
    assert (made.status_code, made.json()["state"], made.json()["private"]) == (202, "waiting", True)
    again = noor.post(f"/exports/{done.pk}/pushes/", {"repo_id": "lab/advice", "token": "hf_secret"})
    assert again.json()["id"] == made.json()["id"], "asked for again on its way, it is the one that there is"
    listed = noor.get(f"/exports/{done.pk}/pushes/")
    assert len(listed.json()["results"]) == 1 and b"hf_secret" not in listed.content + made.content
    assert "hf_secret" not in HubPush.objects.get().sealed_token


@pytest.mark.parametrize(
    ("body", "field"),
    [
        ({"repo_id": "advice", "token": "x"}, "repo_id"),
        ({"token": "x"}, "repo_id"),
        ({"repo_id": "lab/advice"}, "token"),
    ],
)
def test_a_wrong_push_says_which_field(noor: Program, done: Export, body: dict[str, Any], field: str) -> None:
    answer = noor.post(f"/exports/{done.pk}/pushes/", body)
    assert answer.status_code == 400 and field in answer.json()["errors"] and not HubPush.objects.exists()
