"""The Python client, as its README shows it, against the running server."""

from __future__ import annotations

import ast
import json
import re
import time
from collections.abc import Callable
from hashlib import sha256
from pathlib import Path
from typing import Any

import pytest
from annotate_client import Annotate, AnnotateError, JobFailed, NoAnswer, NotGenuine, WrongBytes, verify
from annotate_client import client as module
from annotate_client.client import Download
from annotate_client.shapes import ExportFile

from annotate.local.var import ROOT
from exports.actions import build_export
from exports.models import Export
from labeling.actions.import_items import run_step
from labeling.models import Batch, Item, Project, User
from labeling.sealing import new_signing_secret, sign
from tests import make
from tests.exports.conftest import stored as stored
from tests.exports.study import ROWS
from tests.exports.study import study as make_study
from tests.receiver import Quiet, served
from tests.settled import until_settled

Client = Callable[[str], Annotate]


@pytest.fixture
def study(live_server: Any, tmp_path: Path) -> Project:
    return make_study(tmp_path)


@pytest.fixture
def as_(study: Project, live_server: Any) -> Client:
    """The client of a person of the study."""
    return lambda name: Annotate(live_server.url, make.token(User.objects.get(name=name)))


@pytest.fixture
def export(study: Project, as_: Client, stored: Path) -> Any:
    """Asked for and built."""
    noor = as_("Noor")
    made = noor.create_export("advice", {"format": "dpo", "split": {"test": 0.3}}, name="For a test")
    build_export(export=Export.objects.get(pk=made["id"]))
    return noor.wait_for_export(made, seconds=5)


def test_projects(study: Project, as_: Client) -> None:
    mara = as_("Mara")
    assert [project["slug"] for project in mara.projects()] == ["advice"]
    project = mara.project("advice")
    assert project["queues"][0]["overlap"] == 3
    assert "helpfulness" in [criterion["key"] for criterion in project["criteria"]]
    assert mara.add_member("advice", "otto@example.org", "rater")["role"] == "rater"
    assert mara.create_project("second", "Second", description="Another")["slug"] == "second"


def test_a_refusal_says_what_is_wrong(as_: Client) -> None:
    with pytest.raises(AnnotateError) as refused:
        as_("Noor").create_export("advice", {"format": "xml"})
    assert (refused.value.status, refused.value.code) == (400, "invalid") and "format" in refused.value.errors
    with pytest.raises(AnnotateError) as missing:
        as_("Otto").project("advice")
    assert missing.value.status == 404


def test_import(study: Project, as_: Client, tmp_path: Path) -> None:
    file = tmp_path / 'new "rows".jsonl'
    file.write_text("".join(json.dumps(row) + "\n" for row in [dict(ROWS[0], prompt="x"), ROWS[0], {"id": "bad"}]))
    fresh = tmp_path / "fresh.jsonl"
    fresh.write_text(json.dumps({"prompt": "Why?", "responses": [{"content": "So."}, {"content": "Thus."}]}))
    mara = as_("Mara")
    first, second = mara.send_file("advice", file), mara.send_rows("advice", fresh.read_bytes())
    for batch in (first, second):
        run_step(Batch.objects.get(pk=batch["id"]))
    done = mara.wait_for_import(first, seconds=5)
    assert (done["name"], done["read"], done["duplicate"]) == ("new _rows_.jsonl", 3, 1)
    assert [refusal["line"] for refusal in mara.refusals(done)][-1] == 3
    assert mara.wait_for_import(second["id"], seconds=5)["kept"] == 1
    assert Item.objects.filter(project=study, batch=second["id"]).count() == 1


def test_an_import_that_fails(study: Project, as_: Client, tmp_path: Path) -> None:
    file = tmp_path / "broken.parquet"
    file.write_bytes(b"PAR1 it is not")
    batch = as_("Mara").send_file("advice", file, format="native")
    run_step(Batch.objects.get(pk=batch["id"]))
    with pytest.raises(JobFailed):
        as_("Mara").wait_for_import(batch, seconds=5)
    with pytest.raises(AnnotateError) as refused:
        as_("Mara").send_file("advice", file, format="nothing")
    assert "format" in refused.value.errors


def test_rating(study: Project, as_: Client) -> None:
    rosa = as_("Rosa")
    queue = rosa.project("advice")["queues"][0]["id"]
    pair = rosa.claim(queue)
    assert pair is not None and rosa.claim(queue) == pair
    answers = {"helpfulness": {"preference": -2}}
    done = rosa.submit(pair, answers, active_ms=1200)
    assert rosa.submit(pair, answers) == done and done["next"] is None
    assert rosa.claim(queue) is None  # she judged the others in the study
    skipping = as_("Rui")
    skipped = skipping.claim(queue)
    assert skipped is not None
    skipping.release(skipped)
    again = skipping.claim(queue)
    assert again is not None
    skipping.skip(again["id"], "cannot_tell")
    assert skipping.claim(queue) is None


def test_submitting_brings_the_next(study: Project, as_: Client) -> None:
    make.pairs(study, 2)
    rui = as_("Rui")
    pair, judged = rui.claim(rui.project("advice")["queues"][0]["id"]), 0
    while pair:
        pair = rui.submit(pair, {"helpfulness": {"preference": 1}}, claim_next=True)["next"]
        judged += 1
    assert judged == 3


def test_annotations_by_cursor(study: Project, as_: Client) -> None:
    until_settled()
    noor, cursor, seen = as_("Noor"), "", []
    for rows, cursor in noor.annotations("advice", limit=5):  # noqa: B007  (the last one is used)
        seen += [row["id"] for row in rows]
    assert len(seen) == len(set(seen)) == 14
    assert [rows for rows, _ in noor.annotations("advice", after=cursor)] == [[]]
    rosa = as_("Rosa")
    pair = rosa.claim(rosa.project("advice")["queues"][0]["id"])
    assert pair is not None
    rosa.submit(pair, {"helpfulness": {"preference": 3}})
    until_settled()
    ((rows, _),) = noor.annotations("advice", after=cursor)
    assert [row["judgments"]["helpfulness"]["preference"] in (3, -3) for row in rows] == [True]


# --- downloads ------------------------------------------------------------------------------------


def hashes(folder: Path) -> dict[str, str]:
    files = [path for path in folder.rglob("*") if path.is_file()]
    return {str(path.relative_to(folder)): sha256(path.read_bytes()).hexdigest() for path in files}


def test_download(export: Any, as_: Client, tmp_path: Path) -> None:
    noor = as_("Noor")
    assert [one["name"] for one in noor.exports("advice")] == ["For a test"]
    got = noor.download(export, tmp_path / "here")
    expected = {file["path"]: file["sha256"] for file in export["files"]}
    assert hashes(tmp_path / "here") == expected
    assert sum(one.bytes_fetched for one in got) == sum(file["bytes"] for file in export["files"])
    assert sum(one.bytes_fetched for one in noor.download(export["id"], tmp_path / "here")) == 0


def test_what_broke_off_goes_on(export: Any, as_: Client, tmp_path: Path) -> None:
    noor = as_("Noor")
    file: ExportFile = next(file for file in export["files"] if file["path"] == "README.md")
    whole = noor.download_file(export, file, tmp_path / "whole").path.read_bytes()
    part = tmp_path / "README.md.part"
    part.write_bytes(whole[:100])
    assert noor.download_file(export, file, tmp_path) == Download(tmp_path / "README.md", len(whole) - 100)
    assert (tmp_path / "README.md").read_bytes() == whole and not part.exists()
    part.write_bytes(b"x" * 100)
    (tmp_path / "README.md").unlink()
    with pytest.raises(WrongBytes):
        noor.download_file(export, file, tmp_path)
    assert not part.exists() and noor.download_file(export, file, tmp_path).bytes_fetched == len(whole)


@pytest.mark.parametrize("path", ["../x", "/etc/x", "a/../../x", "..\\x", ""])
def test_a_server_cannot_write_outside(as_: Client, tmp_path: Path, path: str) -> None:
    file: ExportFile = {"path": path, "rows": None, "bytes": 1, "sha256": "0" * 64}
    with pytest.raises(WrongBytes):
        as_("Noor").download_file(1, file, tmp_path)


def test_an_export_that_is_not_done(study: Project, as_: Client, stored: Path, tmp_path: Path) -> None:
    noor = as_("Noor")
    export = noor.create_export("advice", {"format": "dpo", "criterion": "harmlessness"})
    with pytest.raises(JobFailed, match="waiting"):
        noor.download(export, tmp_path)
    with pytest.raises(TimeoutError, match="waiting"):
        noor.wait_for_export(export, seconds=0)
    build_export(export=Export.objects.get(pk=export["id"]))
    with pytest.raises(JobFailed, match="No row is left"):
        noor.wait_for_export(export, seconds=5)


class Moody:
    """A server whose line breaks after every hundred bytes, or which answers in turn what it is told."""

    def __init__(self, data: bytes = b"", answers: list[tuple[int, bytes, dict[str, str]]] | None = None) -> None:
        self.data, self.answers, self.asked = data, answers or [], list[dict[str, str]]()


class _Moody(Quiet):
    def do_GET(self) -> None:
        self.state.asked.append({name.lower(): value for name, value in self.headers.items()})
        if self.state.answers:
            return self.answer(*self.state.answers.pop(0))
        start = int((re.match(r"bytes=(\d+)-", self.headers.get("Range", "")) or ["", "0"])[1])
        self.send_response(206 if start else 200)
        self.send_header("Content-Length", str(len(self.state.data) - start))
        self.end_headers()
        self.wfile.write(self.state.data[start : start + 100])
        self.wfile.flush()
        return self.cut()


def test_a_line_that_breaks_again_and_again(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(time, "sleep", lambda seconds: None)
    data = bytes(range(256)) * 4
    file: ExportFile = {"path": "a", "rows": None, "bytes": len(data), "sha256": sha256(data).hexdigest()}
    state = Moody(data)
    with served(_Moody, state) as address:
        got = Annotate(address, "ann_x").download_file(1, file, tmp_path)
    assert got.path.read_bytes() == data and got.bytes_fetched == len(data) and len(state.asked) == 11
    assert state.asked[3]["range"] == "bytes=300-" and state.asked[3]["if-range"] == f'"{file["sha256"]}"'


def test_a_line_that_stays_dead(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(time, "sleep", lambda seconds: None)
    file: ExportFile = {"path": "a", "rows": None, "bytes": 9, "sha256": "0" * 64}
    dead = Annotate("http://127.0.0.1:9", "ann_x")
    with pytest.raises(NoAnswer):
        dead.download_file(1, file, tmp_path)
    with pytest.raises(NoAnswer):
        dead.project("advice")


def test_a_busy_server_is_asked_again_and_a_redirect_not_followed(monkeypatch: pytest.MonkeyPatch) -> None:
    waits: list[float] = []
    monkeypatch.setattr(time, "sleep", waits.append)
    page = json.dumps({"slug": "advice"}).encode()
    state = Moody(answers=[(503, b"{}", {"Retry-After": "7"}), (502, b"<html>", {}), (200, page, {})])
    with served(_Moody, state) as address:
        assert Annotate(address, "ann_x").project("advice") == {"slug": "advice"}
        assert waits == [7.0, 1.0]
        state.answers = [(302, b"", {"Location": "http://elsewhere.example/"})]
        with pytest.raises(AnnotateError) as refused:
            Annotate(address, "ann_x").project("advice")
    assert refused.value.status == 302


def test_the_next_page_is_asked_of_the_same_server() -> None:
    first = {"results": [{"slug": "a"}], "next": "http://elsewhere.example/api/v1/projects/?cursor=x"}
    second = {"results": [{"slug": "b"}], "next": None}
    state = Moody(answers=[(200, json.dumps(page).encode(), {}) for page in (first, second)])
    with served(_Moody, state) as address:
        assert [project["slug"] for project in Annotate(address, "ann_x").projects()] == ["a", "b"]


@pytest.mark.parametrize("url", ["annotate.example.org", "ftp://x", "file:///etc", "https://x/api/v1", ""])
def test_what_is_no_address_of_a_server(url: str) -> None:
    with pytest.raises(ValueError, match="not an address"):
        Annotate(url, "ann_x")


# --- webhooks -------------------------------------------------------------------------------------

BODY = b'{"type":"snapshot.ready","timestamp":"2026-11-21T10:00:00+00:00","data":{"project":"advice"}}'


def signed(secret: str, body: bytes = BODY, at: int = 1000, more: str = "") -> dict[str, str]:
    return {
        "Webhook-Id": "msg_1", "Webhook-Timestamp": str(at),
        "Webhook-Signature": f"{more} {sign(secret, 'msg_1', at, body)}".strip(),
    }  # fmt: skip


def test_a_genuine_message() -> None:
    secret = new_signing_secret()
    message = verify(secret, signed(secret), BODY, now=1010)
    assert (message.id, message.type, message.data) == ("msg_1", "snapshot.ready", {"project": "advice"})
    other = sign(new_signing_secret(), "msg_1", 1000, BODY)
    assert verify(secret, signed(secret, more=other), BODY, now=1010) == message


def test_messages_that_are_not() -> None:
    secret = new_signing_secret()
    good = signed(secret)
    cases: list[tuple[dict[str, str], bytes, float]] = [
        (good, BODY + b" ", 1010), (good, BODY, 1301), (good, BODY, 699), ({}, BODY, 1010),
        (good | {"Webhook-Id": "msg_2"}, BODY, 1010), (good | {"Webhook-Timestamp": "1001"}, BODY, 1010),
        (good | {"Webhook-Timestamp": "soon"}, BODY, 1010), (good | {"Webhook-Signature": "v1,"}, BODY, 1010),
        (signed(new_signing_secret()), BODY, 1010), (good | {"Webhook-Signature": "v1,ü"}, BODY, 1010),
    ]  # fmt: skip
    for headers, body, now in cases:
        with pytest.raises(NotGenuine):
            verify(secret, headers, body, now=now)
    with pytest.raises(ValueError, match="no secret"):
        verify("whsec_not base64!", good, BODY, now=1010)


# --- its papers -----------------------------------------------------------------------------------


def test_the_readme_calls_what_there_is() -> None:
    text = (ROOT / "clients/python/README.md").read_text()
    code = re.findall(r"```python\n(.*?)```", text, re.DOTALL)
    used = {
        node.attr for block in code for node in ast.walk(ast.parse(block))
        if isinstance(node, ast.Attribute) and isinstance(node.value, ast.Name) and node.value.id == "annotate"
    }  # fmt: skip
    assert len(used) > 7 and all(hasattr(Annotate, name) for name in used)


def test_it_needs_nothing_else() -> None:
    folder = Path(module.__file__).parent
    assert (folder / "py.typed").exists()
    imported = {
        (node.module if isinstance(node, ast.ImportFrom) else node.names[0].name) or ""
        for path in folder.glob("*.py") for node in ast.walk(ast.parse(path.read_text()))
        if isinstance(node, ast.Import | ast.ImportFrom)
    }  # fmt: skip
    roots = {name.partition(".")[0] for name in imported}
    assert not roots & {"django", "httpx2", "requests", "labeling", "exports"}
