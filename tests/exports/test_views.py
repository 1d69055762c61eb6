"""The researcher's pages, and what a browser gets of the files."""

from __future__ import annotations

import io
import json
import re
import zipfile
from hashlib import sha256
from pathlib import Path
from typing import Any

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext

from exports.actions import build_export, request_export
from exports.models import Export
from labeling.models import Membership, Project, User
from tests import make

LIST, NEW = "/projects/advice/exports/", "/projects/advice/exports/new/"


def signed_in(name: str) -> Client:
    client = Client()
    client.force_login(User.objects.get(name=name))
    return client


@pytest.fixture
def noor(study: Project) -> Client:
    return signed_in("Noor")


@pytest.fixture
def done(study: Project, stored: Path) -> Export:
    export = request_export(
        project=study, by=User.objects.get(name="Noor"), recipe="reward-jsonl", name="For the <paper>"
    )
    build_export(export=export)
    export.refresh_from_db()
    assert export.state == "done"
    return export


def body(answer: Any) -> bytes:
    return b"".join(answer.streaming_content)


def status(answer: Any) -> int:
    answer.close()
    return int(answer.status_code)


def test_the_new_page_opens_with_a_preview(noor: Client) -> None:
    page = noor.get(NEW).content.decode()
    assert "Create export of 4 rows" in page and "紙飛行機が遠くまで飛ぶには?" in page
    assert (
        page.count("17 times 6?") == 1 and page.count("And halved?") == 2
    )  # whole in the JSON, last turn in the table
    assert "DPOTrainer" in page and "no rater answered this criterion" in page
    assert not re.search(r"<script>|style=|onclick", page)


def test_choices_change_the_preview_and_only_that_is_sent_to_htmx(noor: Client) -> None:
    choice = {"format": "reward", "min_judgments": "3", "test": "0.2", "rationales": "no", "file": "jsonl"}
    part = noor.get(NEW, choice, headers={"HX-Request": "true"}).content.decode()
    assert "<html" not in part and 'hx-swap-oob="true"' in part
    assert "Create export of 1 row<" in part and "RewardTrainer" in part
    recipe = json.loads(re.search(r'name="recipe" value="([^"]*)"', part)[1].replace("&quot;", '"'))  # type: ignore[index]
    assert (recipe["format"], recipe["file"], recipe["rationales"]) == ("reward", "jsonl", False)
    assert (recipe["split"]["test"], recipe["filters"]["min_judgments"]) == (0.2, 3)


def test_a_criterion_without_answers_offers_no_export(noor: Client) -> None:
    page = noor.get(NEW, {"criterion": "harmlessness"}).content.decode()
    assert "No row would be left" in page and "Create export" not in page


@pytest.mark.parametrize(
    "wrong", [{"format": "xml"}, {"criterion": "beauty"}, {"min_judgments": "0"}, {"queue": "Mine"}]
)
def test_wrong_choices_are_told(noor: Client, wrong: dict[str, str]) -> None:
    answer = noor.get(NEW, wrong)
    assert answer.status_code == 422 and b"errorlist" in answer.content


def test_from_the_page_to_the_files(noor: Client, stored: Path) -> None:
    answer = noor.post(NEW, {"recipe": '{"format": "dpo"}', "name": " My  first "})
    export = Export.objects.get()
    assert answer["Location"] == f"{LIST}{export.pk}/" and export.name == "My first"
    waiting = noor.get(answer["Location"]).content.decode()
    assert "Waiting for a worker" in waiting and 'hx-trigger="every 1s"' in waiting and "Download" not in waiting
    part = noor.get(answer["Location"], headers={"HX-Request": "true"})
    assert "<html" not in part.content.decode() and "HX-Refresh" not in part.headers
    build_export(export=export)
    assert noor.get(answer["Location"], headers={"HX-Request": "true"})["HX-Refresh"] == "true"
    page = noor.get(answer["Location"]).content.decode()
    assert "manifest.json" in page and "every 1s" not in page and "Open the card" in page
    assert ">Criterion and scale</h" in noor.get(f"{answer['Location']}card/").text
    assert "My first" in noor.get(LIST).content.decode()


@pytest.mark.parametrize("recipe", ["", "{", "[]", '{"format": "dpo", "x": 1}', '{"format": "dpo", "criterion": "x"}'])
def test_a_forged_recipe_is_refused(noor: Client, recipe: str) -> None:
    answer = noor.post(NEW, {"recipe": recipe}, follow=True)
    assert not Export.objects.exists() and b'class="bar bad"' in answer.content


def test_names_and_texts_are_text(noor: Client, done: Export) -> None:
    for page in (noor.get(LIST), noor.get(f"{LIST}{done.pk}/")):
        assert "For the &lt;paper&gt;" in page.content.decode()


def test_a_failed_export_says_why(study: Project, noor: Client, stored: Path) -> None:
    export = request_export(
        project=study, by=User.objects.get(name="Noor"), recipe={"format": "dpo", "criterion": "overall"}
    )
    Export.objects.update(state="failed", error="No row is left of 7 pairs.")
    page = noor.get(f"{LIST}{export.pk}/").content.decode()
    assert "It failed" in page and "No row is left of 7 pairs." in page


def test_files_are_attachments_that_no_browser_renders(noor: Client, done: Export) -> None:
    for file in done.files.all():
        answer = noor.get(f"{LIST}{done.pk}/files/{file.path}")
        data = body(answer)
        assert sha256(data).hexdigest() == file.sha256
        assert answer["Content-Length"] == str(len(data)) and answer["Accept-Ranges"] == "bytes"
        assert answer["Content-Disposition"] == f'attachment; filename="{file.path.rpartition("/")[2]}"'
        assert answer["Content-Type"] == "application/octet-stream"
        assert answer["X-Content-Type-Options"] == "nosniff" and "no-store" in answer["Cache-Control"]
        assert answer["Content-Security-Policy"] == "sandbox; default-src 'none'"
        assert answer["Cross-Origin-Resource-Policy"] == "same-origin"


@pytest.mark.parametrize(
    ("asked", "start", "end"),
    [
        ("bytes=0-9", 0, 10),
        ("bytes=5-", 5, None),
        ("bytes=-7", -7, None),
        ("bytes=3-3", 3, 4),
        ("bytes=0-99999999", 0, None),
    ],
)
def test_ranges(noor: Client, done: Export, asked: str, start: int, end: int | None) -> None:
    address = f"{LIST}{done.pk}/files/README.md"
    whole = body(noor.get(address))
    answer = noor.get(address, headers={"Range": asked})
    part = body(answer)
    assert part == whole[start:end]
    first = start % len(whole)
    if len(part) == len(whole):
        assert answer.status_code == 200
    else:
        assert answer.status_code == 206
        assert answer["Content-Range"] == f"bytes {first}-{first + len(part) - 1}/{len(whole)}"
    assert answer["Content-Length"] == str(len(part))


@pytest.mark.parametrize("asked", ["bytes=99999999-", "bytes=-0", "bytes=9-3"])
def test_ranges_outside_the_file(noor: Client, done: Export, asked: str) -> None:
    answer = noor.get(f"{LIST}{done.pk}/files/README.md", headers={"Range": asked})
    size = done.files.get(path="README.md").size
    assert (answer.status_code, answer["Content-Range"]) == (416, f"bytes */{size}")


@pytest.mark.parametrize("asked", ["bytes=0-1,4-5", "lines=0-1", "bytes=-", "nonsense"])
def test_what_is_no_single_range_gets_everything(noor: Client, done: Export, asked: str) -> None:
    answer = noor.get(f"{LIST}{done.pk}/files/README.md", headers={"Range": asked})
    assert answer.status_code == 200 and len(body(answer)) == done.files.get(path="README.md").size


def test_a_range_of_another_file_gets_everything(noor: Client, done: Export) -> None:
    address = f"{LIST}{done.pk}/files/README.md"
    etag = f'"{done.files.get(path="README.md").sha256}"'
    assert status(noor.get(address, headers={"Range": "bytes=0-1", "If-Range": etag})) == 206
    assert status(noor.get(address, headers={"Range": "bytes=0-1", "If-Range": '"other"'})) == 200


def test_all_files_in_one_zip(noor: Client, done: Export) -> None:
    answer = noor.get(f"{LIST}{done.pk}/all.zip")
    name = f"advice-reward-{done.pk}"
    assert answer["Content-Disposition"] == f'attachment; filename="{name}.zip"'
    with zipfile.ZipFile(io.BytesIO(body(answer))) as packed:
        assert packed.testzip() is None
        found = {path: sha256(packed.read(path)).hexdigest() for path in packed.namelist()}
    assert found == {f"{name}/{path}": digest for path, digest in done.files.values_list("path", "sha256")}


@pytest.mark.parametrize(
    "path", ["../../secret", "data/..", "nothing", "%2e%2e/%2e%2e/env.json", "unfinished", "/etc/passwd"]
)
def test_only_listed_paths_are_files(noor: Client, done: Export, path: str) -> None:
    assert noor.get(f"{LIST}{done.pk}/files/{path}").status_code == 404


@pytest.mark.parametrize("state", ["waiting", "running", "failed"])
def test_nothing_unfinished_can_be_fetched(noor: Client, done: Export, state: str) -> None:
    Export.objects.update(state=state)
    for path in ("files/manifest.json", "all.zip"):
        assert noor.get(f"{LIST}{done.pk}/{path}").status_code == 404


def addresses(export: Export) -> list[str]:
    own = f"{LIST}{export.pk}/"
    return [LIST, NEW, own, f"{own}all.zip", f"{own}files/manifest.json"]


@pytest.mark.parametrize("name", ["Rui", "Ada", "Otto"])
def test_others_find_nothing(done: Export, name: str) -> None:
    client = signed_in(name)
    assert [status(client.get(address)) for address in addresses(done)] == [404] * 5
    assert client.post(NEW, {"recipe": '{"format": "dpo"}'}).status_code == 404
    assert client.post(f"{LIST}{done.pk}/delete/").status_code == 404
    assert Export.objects.count() == 1


@pytest.mark.parametrize("name", ["Mara", "Noor"])
def test_managers_and_researchers_find_all(done: Export, name: str) -> None:
    client = signed_in(name)
    assert [status(client.get(address)) for address in addresses(done)] == [200] * 5


def test_strangers_sign_in_first(done: Export) -> None:
    assert {status(Client().get(address)) for address in addresses(done)} == {302}


def test_a_withdrawn_role_ends_at_the_next_click(noor: Client, done: Export) -> None:
    Membership.objects.filter(user__name="Noor").delete()
    assert {status(noor.get(address)) for address in addresses(done)} == {404}


def test_an_export_is_only_under_its_own_project(noor: Client, done: Export) -> None:
    make.member(make.project("other"), "Noor", "researcher")
    for path in ("", "all.zip", "files/manifest.json"):
        assert noor.get(f"/projects/other/exports/{done.pk}/{path}").status_code == 404
    assert noor.post(f"/projects/other/exports/{done.pk}/delete/").status_code == 404


def test_delete(noor: Client, done: Export, stored: Path) -> None:
    assert noor.get(f"{LIST}{done.pk}/delete/").status_code == 405
    assert noor.post(f"{LIST}{done.pk}/delete/")["Location"] == LIST
    assert noor.get(f"{LIST}{done.pk}/").status_code == 404 and not (stored / str(done.pk)).exists()


def test_a_post_needs_its_token(study: Project) -> None:
    client = Client(enforce_csrf_checks=True)
    client.force_login(User.objects.get(name="Noor"))
    assert client.post(NEW, {"recipe": '{"format": "dpo"}'}).status_code == 403


def test_the_list_asks_the_same_number_of_queries(noor: Client, done: Export) -> None:
    def queries() -> int:
        with CaptureQueriesContext(
            connection,
        ) as found:
            noor.get(LIST)
        return len(found)

    one = queries()
    for _ in range(3):
        request_export(project=done.project, by=User.objects.get(name="Noor"), recipe="dpo")
    assert queries() == one <= 8
