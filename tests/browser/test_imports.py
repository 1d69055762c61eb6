"""Mara imports a file in a real browser: the first rows, a meter that moves, what was kept and refused."""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest
from django.test import Client
from playwright.sync_api import Page, expect

from labeling.models import Batch
from tests import make

pytestmark = [pytest.mark.django_db(transaction=True)]


@pytest.fixture
def mara(page: Page, live_server) -> Page:
    project = make.project()
    user = make.member(project, "Mara", "manager")
    client = Client()
    client.force_login(user)
    session = client.cookies["annotate_session"].value
    page.context.add_cookies([{"name": "annotate_session", "value": session, "url": live_server.url}])
    page.goto(f"{live_server.url}/projects/{project.slug}/imports/")
    return page


@pytest.fixture
def file(tmp_path: Path) -> Path:
    path = tmp_path / "tea and more.jsonl"
    answers = ("Two to three minutes.\n\n- not boiling\n- no longer", "As long as you like.")
    rows = [
        {"id": f"tea-{n}", "language": "en", "tags": ["tea"], "prompt": f"How long should tea number {n} steep?",
         "responses": [{"content": f"{answers[0]} ({n})", "model": "north"}, {"content": f"{answers[1]} ({n})"}]}
        for n in range(8000)
    ]  # fmt: skip
    rows[3]["prompt"] = ""
    rows[4]["prompt"] = "水温应该多高?"
    path.write_text("".join(json.dumps(row) + "\n" for row in rows) + "{oops\n")
    return path


def test_choose_look_import_and_watch(mara, file, live_worker, audit):
    mara.get_by_role("link", name="Import a file").first.click()
    audit(mara)
    mara.get_by_label("File").set_input_files(file)
    mara.get_by_role("button", name="Show the first rows").click()
    expect(mara.get_by_role("heading", name="tea and more.jsonl")).to_be_visible()
    expect(mara.get_by_text("How long should tea number 0 steep?")).to_be_visible()
    expect(mara.get_by_text("is empty; leave the row out or fill it in")).to_be_visible()
    audit(mara)
    mara.get_by_role("button", name="Import the file").click()
    mara.evaluate("window.stillTheSame = true")
    expect(mara.get_by_role("progressbar")).to_have_attribute("value", re.compile(r"^[1-9]\d?$"), timeout=30_000)
    assert mara.evaluate("window.stillTheSame")
    expect(mara.get_by_text("Done")).to_be_visible(timeout=60_000)
    expect(mara.locator("dl")).to_contain_text("8,001")
    expect(mara.get_by_role("row", name="8001")).to_contain_text("is not JSON")
    with mara.expect_download() as download:
        mara.get_by_role("link", name="Download as CSV").click()
    assert download.value.suggested_filename == f"refused-{Batch.objects.get().pk}.csv"
    audit(mara)
    mara.get_by_role("main").get_by_role("link", name="Imports").click()
    expect(mara.get_by_role("row", name="tea and more.jsonl")).to_contain_text("7,999")
    audit(mara)
