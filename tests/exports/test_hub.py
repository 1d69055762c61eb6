"""Noor's training script loads a snapshot by the unmodified libraries, from here as from a hub."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Callable
from hashlib import sha256
from pathlib import Path
from typing import Any

import orjson
import pytest
from django.test import Client

from exports.actions import build_export, request_export
from exports.models import Export
from exports.naming import snapshot_of, snapshots
from labeling.models import ApiToken, Project, User
from tests import make

REPO = "/api/datasets/advice/helpful-pairs"
RECIPE = {"format": "dpo", "split": {"test": 0.3}}
Run = Callable[..., Any]


def built(project: Project, name: str = "Helpful pairs!", **recipe: Any) -> Export:
    export = request_export(project=project, by=User.objects.get(name="Noor"), recipe=RECIPE | recipe, name=name)
    build_export(export=export)
    export.refresh_from_db()
    assert export.state == "done", export.error
    return export


@pytest.fixture
def done(study: Project, stored: Path) -> Export:
    """Version 1 of `advice/helpful-pairs`."""
    return built(study)


def program(name: str = "Noor", **headers: str) -> Client:
    token = make.token(User.objects.get(name=name))
    return Client(headers={"Authorization": f"Bearer {token}"} | headers)


@pytest.fixture
def noor(study: Project) -> Client:
    return program()


def commit_of(export: Export) -> str:
    found = snapshot_of(export)
    assert found is not None
    return found.commit


def body(answer: Any) -> bytes:
    return b"".join(answer.streaming_content)


# --- the libraries themselves ---------------------------------------------------------------------


@pytest.fixture
def script(live_server: Any, tmp_path: Path) -> Run:
    """Run a script of Noor's in a process of its own, which knows two variables; what it prints, as JSON."""

    def run(code: str, person: str = "Noor", token: str = "") -> Any:
        token = token or make.token(User.objects.get(name=person))
        kept = {name: os.environ[name] for name in ("PATH", "LANG") if name in os.environ}
        env = kept | {
            "HF_ENDPOINT": live_server.url, "HF_TOKEN": token, "HF_HOME": str(tmp_path / "hf"), "HOME": str(tmp_path),
        }  # fmt: skip
        begin = "import json\nfrom datasets import load_dataset\n"
        done = subprocess.run(
            [sys.executable, "-c", begin + code], env=env, capture_output=True, text=True, timeout=100, check=False
        )
        assert done.returncode == 0, done.stderr[-3000:]
        assert token not in done.stdout + done.stderr
        return orjson.loads(done.stdout.strip().splitlines()[-1])

    return run


def test_load_dataset_of_the_unmodified_library(study: Project, done: Export, script: Run) -> None:
    built(study, file="jsonl", split={"test": 0})
    got = script(
        """
first = load_dataset("advice/helpful-pairs", revision="v1")
newest = load_dataset("advice/helpful-pairs")
print(json.dumps({
    "first": {split: rows.to_list() for split, rows in first.items()},
    "newest": {split: len(rows) for split, rows in newest.items()},
    "columns": first["train"].column_names,
}))"""
    )
    assert sum(len(rows) for rows in got["first"].values()) == 4
    assert got["newest"] == {"train": 4}
    assert {"prompt", "chosen", "rejected"} <= set(got["columns"])
    questions = {row["prompt"][-1]["content"] for rows in got["first"].values() for row in rows}
    assert "紙飛行機が遠くまで飛ぶには?" in questions


def test_streaming(study: Project, done: Export, script: Run) -> None:
    built(study, name="Lines", file="jsonl")
    got = script(
        """
found = {}
for name in ("helpful-pairs", "lines"):
    rows = load_dataset(f"advice/{name}", revision="v1", split="train", streaming=True)
    found[name] = [row["comparison_id"] for row in rows]
print(json.dumps(found))"""
    )
    assert got["helpful-pairs"] == got["lines"] and len(got["lines"]) > 1


def test_the_hubs_own_library(done: Export, script: Run) -> None:
    got = script(
        """
import hashlib
from huggingface_hub import HfApi, HfFileSystem, hf_hub_download, snapshot_download
from pathlib import Path
api, fs = HfApi(), HfFileSystem()
repo = "advice/helpful-pairs"
info = api.dataset_info(repo, files_metadata=True)
refs = api.list_repo_refs(repo, repo_type="dataset")
folder = Path(snapshot_download(repo, repo_type="dataset", revision="v1"))
one = Path(hf_hub_download(repo, "README.md", repo_type="dataset", revision=info.sha))
with fs.open(f"datasets/{repo}@v1/README.md") as file:
    file.seek(10)
    part = file.read(20).decode(errors="replace")
print(json.dumps({
    "sha": info.sha, "sizes": {s.rfilename: s.size for s in info.siblings}, "private": info.private,
    "branches": [b.name for b in refs.branches], "tags": {t.name: t.target_commit for t in refs.tags},
    "files": {str(p.relative_to(folder)): hashlib.sha256(p.read_bytes()).hexdigest()
              for p in folder.rglob("*") if p.is_file()},
    "readme": one.read_bytes().decode(), "part": part,
    "listed": sorted(f for f in api.list_repo_files(repo, repo_type="dataset")),
    "glob": sorted(fs.glob(f"datasets/{repo}/data/*")), "info": fs.info(f"datasets/{repo}/README.md")["size"],
}))"""
    )
    hashes = dict(done.files.values_list("path", "sha256"))
    commit = commit_of(done)
    assert got["files"] == hashes and got["listed"] == sorted(hashes)
    assert got["sizes"] == dict(done.files.values_list("path", "size"))
    assert (got["sha"], got["private"], got["branches"]) == (commit, True, ["main"])
    assert got["tags"] == {"v1": commit}
    assert sha256(got["readme"].encode()).hexdigest() == hashes["README.md"]
    assert got["readme"].encode()[10:30].decode(errors="replace") == got["part"]
    assert all("/data/train-" in path or "/data/test-" in path for path in got["glob"])
    assert got["info"] == len(got["readme"].encode())


def test_what_is_not_there_is_told_as_the_hub_tells_it(study: Project, done: Export, script: Run) -> None:
    make.project("secret")
    code = """
from huggingface_hub import HfApi, hf_hub_download
found = []
for call in (
    lambda: HfApi().dataset_info("advice/nothing"),
    lambda: HfApi().dataset_info("secret/dpo"),
    lambda: HfApi().dataset_info("advice/helpful-pairs", revision="v9"),
    lambda: hf_hub_download("advice/helpful-pairs", "nothing.txt", repo_type="dataset"),
    lambda: load_dataset("advice/nothing"),
    lambda: load_dataset("advice/helpful-pairs", revision="v9"),
):
    try:
        call()
        found.append("nothing was wrong")
    except Exception as problem:
        found.append(type(problem).__name__)
print(json.dumps(found))"""
    assert script(code) == [
        "RepositoryNotFoundError", "RepositoryNotFoundError", "RevisionNotFoundError", "RemoteEntryNotFoundError",
        "DatasetNotFoundError", "DatasetNotFoundError",
    ]  # fmt: skip
    assert script(code, person="Rui")[2] == "RepositoryNotFoundError"


# --- what they are answered -----------------------------------------------------------------------


def test_the_headers_of_a_file(noor: Client, done: Export) -> None:
    file = done.files.get(path="README.md")
    commit = commit_of(done)
    for revision in ("main", "v1", commit):
        path = f"/datasets/advice/helpful-pairs/resolve/{revision}/README.md"
        head = noor.head(path)
        assert head.status_code == 200 and head.content == b""
        assert head["X-Repo-Commit"] == commit and len(commit) == 40
        assert head["ETag"] == head["X-Linked-ETag"] == f'"{file.sha256}"'
        assert head["X-Linked-Size"] == head["Content-Length"] == str(file.size)
        got = noor.get(path)
        assert sha256(body(got)).hexdigest() == file.sha256
        assert got["Content-Disposition"].startswith("attachment") and "no-store" in got["Cache-Control"]
        assert got["Content-Security-Policy"] == "sandbox; default-src 'none'"
    part = noor.get(path, headers={"Range": "bytes=5-9"})
    assert (part.status_code, len(body(part))) == (206, 5)


def test_the_tree(noor: Client, done: Export) -> None:
    top = noor.get(f"{REPO}/tree/main").json()
    assert {entry["path"]: entry["type"] for entry in top}["data"] == "directory"
    deep = noor.get(f"{REPO}/tree/v1", {"recursive": "True", "expand": "True"}).json()
    files = {entry["path"]: entry for entry in deep if entry["type"] == "file"}
    assert set(files) == set(done.files.values_list("path", flat=True))
    assert all(entry["lastCommit"]["title"] == "v1" for entry in deep)
    below = noor.get(f"{REPO}/tree/main/data").json()
    assert below and all(entry["path"].startswith("data/") for entry in below)
    gone = noor.get(f"{REPO}/tree/main/nowhere")
    assert (gone.status_code, gone["X-Error-Code"]) == (404, "EntryNotFound")


@pytest.mark.parametrize("as_json", [True, False])
def test_paths_info(noor: Client, done: Export, as_json: bool) -> None:
    asked: dict[str, Any] = {"paths": ["README.md", "data", "nothing"], "expand": as_json}
    how = {"content_type": "application/json"} if as_json else {}
    form = asked if as_json else {"paths": asked["paths"], "expand": "false"}
    if as_json:
        found = noor.post(f"{REPO}/paths-info/main", form, **how).json()  # type: ignore[arg-type]
    else:
        coded = "paths=README.md&paths=data&paths=nothing&expand=false"
        found = noor.post(f"{REPO}/paths-info/main", coded, content_type="application/x-www-form-urlencoded").json()
    assert [(entry["path"], entry["type"]) for entry in found] == [("README.md", "file"), ("data", "directory")]
    assert ("lastCommit" in found[0]) == as_json


@pytest.mark.parametrize("wrong", [b"[]", b'{"paths": 3}', b"{", b"null"])
def test_a_body_that_is_not_understood(noor: Client, done: Export, wrong: bytes) -> None:
    answer = noor.post(f"{REPO}/paths-info/main", wrong, content_type="application/json")
    assert answer.status_code == 400 and answer.json()["error"]


def missing(path: str, client: Client) -> tuple[int, str]:
    answer = client.get(path)
    return answer.status_code, answer.get("X-Error-Code", "")


def test_who_may_not_finds_no_repository(study: Project, done: Export) -> None:
    paths = [REPO, f"{REPO}/revision/main", f"{REPO}/refs", f"{REPO}/tree/main"]
    paths.append("/datasets/advice/helpful-pairs/resolve/main/README.md")
    for path in paths:
        for name in ("Rui", "Ada", "Otto"):
            assert missing(path, program(name)) == (404, "RepoNotFound")
        assert missing(path, Client()) == (401, "RepoNotFound")
        answer = program("Mara").get(path)
        answer.close()
        assert answer.status_code == 200


def test_a_token_that_ended(noor: Client, done: Export) -> None:
    ApiToken.objects.update(revoked_at=done.created_at)
    answer = noor.get(REPO)
    assert answer.status_code == 401 and answer["X-Error-Message"] == "Invalid credentials in Authorization header"


def test_sessions_and_other_schemes_open_nothing(study: Project, done: Export) -> None:
    signed_in = Client()
    signed_in.force_login(User.objects.get(name="Noor"))
    assert missing(REPO, signed_in)[0] == 401
    token = make.token(User.objects.get(name="Noor"))
    assert missing(REPO, Client(headers={"Authorization": f"Token {token}"}))[0] == 401
    assert missing("/api/v1/projects/", program())[0] == 401  # and Bearer none of the API


@pytest.mark.parametrize("revision", ["v2", "v0", "1", "refs%2Fconvert%2Fparquet", "0" * 40, "MAIN"])
def test_revisions_that_are_none(noor: Client, done: Export, revision: str) -> None:
    status, code = missing(f"{REPO}/revision/{revision}", noor)
    assert status == 404 and code in ("RevisionNotFound", "")


def test_nothing_is_written_through_this_door(noor: Client, done: Export) -> None:
    for method in ("post", "put", "patch", "delete"):
        assert getattr(noor, method)(REPO).status_code == 405
    assert noor.post("/api/repos/create").status_code == 404


def test_unfinished_ones_are_not_there(study: Project, noor: Client, done: Export) -> None:
    request_export(project=study, by=User.objects.get(name="Noor"), recipe="dpo", name="Helpful pairs!")
    assert noor.get(f"{REPO}/refs").json()["tags"][0]["name"] == "v1" and missing(f"{REPO}/revision/v2", noor)[0] == 404
    Export.objects.update(state="failed")
    assert missing(REPO, noor) == (404, "RepoNotFound")


def test_what_is_closed_is_not_there(study: Project, noor: Client, done: Export) -> None:
    built(study)
    Export.objects.filter(pk=done.pk).update(closed_at=done.created_at)
    assert missing(f"{REPO}/revision/v1", noor) == (404, "RevisionNotFound")
    assert [tag["name"] for tag in noor.get(f"{REPO}/refs").json()["tags"]] == ["v2"]


def test_an_export_from_before_there_were_hashes(noor: Client, done: Export) -> None:
    Export.objects.update(content_hash="")
    sha = noor.get(REPO).json()["sha"]
    assert len(sha) == 40 and sha != done.content_hash[:40] and noor.get(f"{REPO}/revision/{sha}").status_code == 200


# --- names ----------------------------------------------------------------------------------------


def test_versions_and_names(study: Project) -> None:
    names = ["dpo, helpfulness", "A b", "dpo, helpfulness", "a-B", "紙", "!", "A b", "x" * 120]
    for place, name in enumerate(names):
        number = names[: place + 1].count(name)
        Export.objects.create(project=study, name=name, recipe={}, state="done", number=number)
    Export.objects.create(project=study, name="A b", recipe={}, state="failed")
    found = [(one.repository, one.version) for one in snapshots(Export.objects.filter(project=study))]
    assert found == [
        ("dpo-helpfulness", "v1"), ("a-b", "v1"), ("dpo-helpfulness", "v2"), ("a-b-2", "v1"), ("export", "v1"),
        ("export-2", "v1"), ("a-b", "v2"), ("x" * 90, "v1"),
    ]  # fmt: skip


def test_the_same_content_is_the_same_commit(study: Project, done: Export) -> None:
    again = built(study)
    assert commit_of(again) == commit_of(done)
    other = built(study, file="jsonl")
    assert commit_of(other) != commit_of(done)
