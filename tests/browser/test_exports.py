"""Noor makes an export in a real browser: choose, look, create, watch, download."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import pytest
from celery.worker import WorkController
from django.test import Client
from playwright.sync_api import Page, expect
from pytest_django.live_server_helper import LiveServer

from exports.models import Export
from labeling.models import Project, User
from tests.exports.study import study as make_study

Audit = Callable[[Page], None]


@pytest.fixture
def study(transactional_db: None, tmp_path: Path) -> Project:
    return make_study(tmp_path)


@pytest.fixture
def noor(page: Page, live_server: LiveServer, study: Project) -> Page:
    client = Client()
    client.force_login(User.objects.get(name="Noor"))
    session = client.cookies["annotate_session"].value
    page.context.add_cookies([{"name": "annotate_session", "value": session, "url": live_server.url}])
    page.goto(f"{live_server.url}/projects/advice/exports/")
    return page


def test_from_a_choice_to_the_file(noor: Page, live_worker: WorkController, audit: Audit, tmp_path: Path) -> None:
    audit(noor)
    noor.get_by_role("link", name="Make the first export").click()
    expect(noor.get_by_role("button", name="Create export of 4 rows")).to_be_visible()
    audit(noor)
    noor.locator("[name=format][value=reward]").check()
    expect(noor.get_by_label("Python example")).to_contain_text("RewardTrainer")
    noor.get_by_role("radio", name="JSON Lines").check()
    noor.get_by_label("Judgments a pair needs").fill("3")
    noor.get_by_label("Judgments a pair needs").press("Tab")
    create = noor.get_by_role("button", name="Create export of 1 row", exact=True)
    expect(create).to_be_visible()
    assert "min_judgments=3" in noor.url and "file=jsonl" in noor.url
    noor.get_by_label("Name").fill("For the paper")
    create.click()
    expect(noor.get_by_role("heading", name="For the paper")).to_be_visible()
    expect(noor.get_by_role("heading", name="Ready")).to_be_visible(timeout=20_000)
    expect(noor.get_by_role("heading", name="Files")).to_be_visible()
    audit(noor)
    with noor.expect_download() as fetched:
        noor.get_by_role("link", name="Download data/").first.click()
    path = tmp_path / "got.jsonl"
    fetched.value.save_as(path)
    row = json.loads(path.read_text(encoding="utf-8"))
    assert row["chosen"][-1]["content"].startswith("Rinse it") and row["margin"] == 0  # two raters against a sure one
    assert fetched.value.suggested_filename == "train-00000-of-00001.jsonl"
    assert Export.objects.get().recipe["filters"]["min_judgments"] == 3


def test_without_a_script(noor: Page, live_server: LiveServer) -> None:
    context = noor.context.browser.new_context(java_script_enabled=False)  # type: ignore[union-attr]
    context.add_cookies(noor.context.cookies())  # type: ignore[arg-type]
    page = context.new_page()
    page.goto(f"{live_server.url}/projects/advice/exports/new/")
    page.locator("[name=format][value=reward]").check()
    page.get_by_role("button", name="Preview").click()
    expect(page.get_by_label("Python example")).to_contain_text("RewardTrainer")
    page.get_by_role("button", name="Create export of 4 rows").click()
    expect(page.get_by_role("heading", name="Waiting for a worker")).to_be_visible()
    assert Export.objects.get().recipe["format"] == "reward"
    context.close()
