"""Noor makes an export in a real browser: choose, look, create, watch, download."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from pathlib import Path

import pytest
from celery.worker import WorkController
from django.test import Client
from playwright.sync_api import Page, expect
from pytest_django.live_server_helper import LiveServer

from exports.models import Export, StoredRecipe
from labeling.models import Project, User
from tests import make
from tests.exports.study import judge, load, pair_of
from tests.exports.study import study as make_study

Audit = Callable[[Page], None]


@pytest.fixture
def study(transactional_db: None, tmp_path: Path) -> Project:
    return make_study(tmp_path)


def sign_in(page: Page, live_server: LiveServer) -> None:
    client = Client()
    client.force_login(User.objects.get(name="Noor"))
    session = client.cookies["annotate_session"].value
    page.context.add_cookies([{"name": "annotate_session", "value": session, "url": live_server.url}])


@pytest.fixture
def noor(page: Page, live_server: LiveServer, study: Project) -> Page:
    sign_in(page, live_server)
    page.goto(f"{live_server.url}/projects/advice/exports/")
    return page


def test_from_a_choice_to_the_file(noor: Page, live_worker: WorkController, audit: Audit, tmp_path: Path) -> None:
    audit(noor)
    noor.get_by_role("link", name="Make the first export").click()
    expect(noor.get_by_role("button", name="Create export of 4 rows")).to_be_visible()
    audit(noor)
    noor.get_by_text("Reward models", exact=True).click()
    noor.get_by_role("radio", name=re.compile("^Reward model ")).check()
    expect(noor.get_by_label("Python example")).to_contain_text("RewardTrainer")
    noor.get_by_role("radio", name="JSON Lines").check()
    noor.get_by_label("Judgments a pair needs").fill("3")
    noor.get_by_label("Judgments a pair needs").press("Tab")
    create = noor.get_by_role("button", name="Create export of 1 row", exact=True)
    expect(create).to_be_visible()
    assert "min_judgments=3" in noor.url and "file=jsonl" in noor.url
    noor.get_by_label("Name", exact=True).fill("For the paper")
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
    page.get_by_text("Reward models", exact=True).click()
    page.get_by_role("radio", name=re.compile("^Reward model ")).check()
    page.get_by_role("button", name="Preview").click()
    expect(page.get_by_label("Python example")).to_contain_text("RewardTrainer")
    page.get_by_role("button", name="Create export of 4 rows").click()
    expect(page.get_by_role("heading", name="Waiting for a worker")).to_be_visible()
    assert Export.objects.get().recipe["format"] == "reward"
    context.close()


def test_what_if_by_keyboard_and_a_recipe_for_the_others(noor: Page, live_server: LiveServer, audit: Audit) -> None:
    noor.goto(f"{live_server.url}/projects/advice/exports/new/")
    expect(noor.get_by_role("button", name="Create export of 4 rows")).to_be_visible()
    noor.get_by_role("radio", name=re.compile("^Majority ")).focus()
    noor.keyboard.press("ArrowDown")
    expect(noor.get_by_role("radio", name=re.compile("^Mean of grades "))).to_be_checked()
    expect(noor).to_have_url(re.compile("aggregate=mean"))
    noor.get_by_label("Compare with").select_option("dpo")
    expect(noor.get_by_role("heading", name="Against “dpo”")).to_be_visible()
    told = noor.get_by_role("region", name="How sure")  # one pair is a tie by its grades, another no tie any more
    for words in ("Same label 3", "Label turned around 0", "Only there 1", "Only here 1"):
        expect(told).to_contain_text(re.compile(words.replace(" ", r"\s*")))
    assert "against=dpo" in noor.url
    expect(noor.get_by_label("Least certainty of a label, in percent")).to_be_hidden()
    noor.get_by_role("radio", name=re.compile("^Reliability ")).check()
    expect(noor.get_by_label("Least certainty of a label, in percent")).to_be_visible()
    noor.get_by_label("Least certainty of a label, in percent").fill("99")
    noor.get_by_label("Least certainty of a label, in percent").press("Tab")
    expect(noor.get_by_text("No row would be left.")).to_be_visible()
    noor.get_by_label("Least certainty of a label, in percent").fill("50")
    noor.get_by_label("Least certainty of a label, in percent").press("Tab")
    expect(noor.get_by_text("Noise ε, for robust losses")).to_be_visible()
    audit(noor)
    noor.get_by_text("Save as recipe").click()
    noor.get_by_label("Name of the recipe").fill("by-reliability")
    noor.get_by_label("What it is for").fill("For the paper")
    audit(noor)
    noor.get_by_role("button", name="Save", exact=True).click()
    expect(noor.get_by_text("Saved as “by-reliability”, version 1.")).to_be_visible()
    audit(noor)
    assert StoredRecipe.objects.get().recipe["threshold"] == 0.5
    noor.get_by_role("link", name="Use it").click()
    expect(noor.get_by_role("radio", name=re.compile("^Reliability "))).to_be_checked()


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_on_a_phone_in_chinese_and_arabic(
    page: Page, live_server: LiveServer, transactional_db: None, tmp_path: Path, audit: Audit, scheme: str
) -> None:
    project = make.project("advice")
    people = make.cast(project)
    chinese, arabic = (
        "我的房东在我上班的时候换了门锁，现在是晚上九点。" * 20,
        "هل من الآمن تناول الإيبوبروفين مع أقراص ضغط الدم؟ " * 20,
    )
    texts = {"zh": chinese, "ar": arabic}
    made = [
        {"id": name, "prompt": text, "responses": [{"content": text}, {"content": text * 2}]}
        for name, text in texts.items()
    ]
    load(project, made, tmp_path)
    for name in texts:
        judge(pair_of(project, name), people["Rui"], helpfulness=2)
    sign_in(page, live_server)
    page.set_viewport_size({"width": 390, "height": 844})
    page.emulate_media(color_scheme=scheme)  # type: ignore[arg-type]
    for path in ("new/", "recipes/", ""):
        page.goto(f"{live_server.url}/projects/advice/exports/{path}")
        assert page.evaluate("document.documentElement.scrollWidth") <= 390, path
        audit(page)
    page.goto(f"{live_server.url}/projects/advice/exports/new/")
    table = page.get_by_role("group", name="The first rows")
    directions = table.locator("tbody tr > td:first-child .export-cell").evaluate_all(
        "all => all.map(one => getComputedStyle(one).direction)"
    )
    assert sorted(directions) == ["ltr", "rtl"]
    page.get_by_text("These rows as JSON").click()
    expect(page.get_by_label("The first rows as JSON")).to_contain_text(chinese[:40])
    expect(page.get_by_role("button", name="Create export of 2 rows")).to_be_visible()
