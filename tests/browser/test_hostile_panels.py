"""Hostile texts on the real comparison page, in a real browser, behind the real headers."""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
from django.test import Client
from django.urls import reverse
from playwright.sync_api import Dialog, Error, Page, Request
from pytest_django.live_server_helper import LiveServer

from labeling.actions.assign import claim, skip
from labeling.models import Project, Response, User
from tests import make

CORPUS = Path(__file__).parents[1] / "rendering" / "corpus.jsonl"
RECORDS = [json.loads(line) for line in CORPUS.read_text().splitlines()]
# PostgreSQL holds no U+0000
TEXTS = {record["id"]: str(record["text"]).replace("\0", "") for record in RECORDS}
LOOK = """() => {
  const submit = [...document.querySelectorAll('#submit')].pop()
  const box = submit.getBoundingClientRect()
  const top = document.elementFromPoint(box.left + box.width / 2, box.top + box.height / 2)
  const elements = [...submit.form.elements].filter(e => e.name !== 'csrfmiddlewaretoken')
  const sideways = document.documentElement.scrollWidth - document.documentElement.clientWidth
  return {title: document.title, free: submit.contains(top), sideways: sideways > 1,
          controls: elements.map(e => `${e.name}=${e.value}`).join()}
}"""


@dataclass
class Desk:
    """A rater's browser, and what it noticed since it was last asked."""

    page: Page
    address: str
    rater: User
    project: Project
    complaints: list[str]
    foreign: list[str] = field(default_factory=list)

    def look(self) -> dict[str, Any]:
        """Claim the next pair, open its page, and say what it is like; the pair is not met again."""
        assignment = claim(queue=make.queue(self.project), rater=self.rater)
        assert assignment is not None
        try:
            self.page.goto(self.address)
            seen = dict(self.page.evaluate(LOOK), url=self.page.url)
        except Error:
            seen = {"url": "left the page"}
        skip(assignment=assignment, rater=self.rater)
        return seen

    def noticed(self) -> list[str]:
        found = self.complaints + self.foreign
        self.complaints.clear()
        self.foreign.clear()
        return found


@pytest.fixture
def desk(page: Page, live_server: LiveServer, complaints: list[str]) -> Desk:
    project = make.project()
    rui = make.cast(project)["Rui"]
    client = Client()
    client.force_login(rui)
    value = client.cookies["annotate_session"].value
    page.context.add_cookies([{"name": "annotate_session", "value": value, "url": live_server.url}])
    address = live_server.url + reverse("compare", args=[make.queue(project).pk])
    made = Desk(page, address, rui, project, complaints)

    def on_request(request: Request) -> None:
        if not request.url.startswith(live_server.url):
            made.foreign.append(request.url)

    def on_dialog(dialog: Dialog) -> None:
        made.foreign.append(f"dialog {dialog.message}")
        dialog.dismiss()

    page.on("request", on_request)
    page.on("dialog", on_dialog)
    return made


def fill(project: Project, texts: list[str]) -> int:
    """Pairs of two responses and a question, each a hostile text. Returns how many."""
    for first, second, question in zip(texts[::3], texts[1::3], texts[2::3], strict=False):
        make.pair(project, first, second, conversation=[{"role": "user", "content": question}], language="en")
    return len(texts) // 3


def test_nothing_runs_loads_or_takes_over(desk: Desk) -> None:
    make.pair(desk.project, "Plain.", "Words.", language="en")
    usual = desk.look()
    assert usual["free"]
    for _ in range(fill(desk.project, list(TEXTS.values()))):
        assert desk.look() == usual
        assert desk.noticed() == []


def test_control_without_the_pipeline_the_page_is_taken_over(desk: Desk) -> None:
    """The page's policy stops scripts and images, as it should; it does not stop what needs neither."""
    make.pair(desk.project, "Plain.", "Words.", language="en")
    usual = desk.look()
    number = fill(desk.project, [text for name, text in TEXTS.items() if name[0] in "FRSB"])
    for response in Response.objects.all():
        response.html = response.content
        response.save(update_fields=["html"])
    changed = blocked = 0
    for _ in range(number):
        changed += desk.look() != usual
        blocked += bool(desk.noticed())
    assert changed >= 2
    assert blocked >= 4
