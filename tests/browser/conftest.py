"""Rui at the desk of a small project, in a real browser."""

from __future__ import annotations

import re

import pytest
from django.test import Client
from playwright.sync_api import Page, expect
from pytest_django.live_server_helper import LiveServer

from labeling.models import Project, User
from tests import make

DRAFT = re.compile(r"/draft/$")

expect.set_options(timeout=20_000)  # a busy machine is slow, not wrong


@pytest.fixture
def project(transactional_db: None) -> Project:
    made = make.project()
    for _ in range(3):
        make.pair(made, "# Good\n\nThe better answer, with `code`.", "The weaker answer.", language="en")
    return made


@pytest.fixture
def rui(project: Project) -> User:
    return make.cast(project)["Rui"]


def cookie(live_server: LiveServer, user: User) -> dict[str, str]:
    client = Client()
    client.force_login(user)
    return {"name": "annotate_session", "value": client.cookies["annotate_session"].value, "url": live_server.url}


@pytest.fixture
def desk(page: Page, live_server: LiveServer, rui: User) -> Page:
    """Rui's browser with the first pair open."""
    page.context.add_cookies([cookie(live_server, rui)])  # type: ignore[list-item]
    page.goto(f"{live_server.url}/")
    page.keyboard.press("Enter")
    expect(page.locator("#item")).to_have_text("Comparison 1 of 3")
    expect(page.locator("[data-active]")).to_have_count(1)
    return page


def answer(page: Page, keys: str = "22") -> None:
    """Two answers by key, and the draft of them on the server."""
    expect(page.locator("[data-active]")).to_have_count(1)  # the scripts of a page that just came have run
    with page.expect_response(lambda sent: bool(DRAFT.search(sent.url)) and sent.ok):
        for key in keys:
            page.keyboard.press(key)


def at(page: Page, number: int, of: int = 3) -> None:
    expect(page.locator("#item")).to_have_text(f"Comparison {number} of {of}")
