"""Hostile texts on every page that shows a text, in a real browser: behind the real headers, and with either of the
two layers taken away, the sanitised HTML or the page's policy."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
from django.test import Client
from django.urls import reverse
from playwright.sync_api import Dialog, Error, Page, Request, Route, expect
from pytest_django.live_server_helper import LiveServer

from labeling.actions.assign import claim, skip
from labeling.models import Item, Project, Response, User
from tests import make
from tests.exports.study import study as make_study

# Dozens of pages each, which on a busy machine take their time.
pytestmark = pytest.mark.timeout(400)

ROOT = Path(__file__).parents[2]
CORPUS = ROOT / "tests" / "rendering" / "corpus.jsonl"
SHARED = ROOT.parent / "shared" / "security" / "corpora" / "xss_corpus.jsonl"
CANARY = "http://canary.example"
LONGEST = 5_000
LOOK = """() => {
  const submit = [...document.querySelectorAll('#submit')].pop()
  const box = submit.getBoundingClientRect()
  const top = document.elementFromPoint(box.left + box.width / 2, box.top + box.height / 2)
  const elements = [...submit.form.elements].filter(e => e.name !== 'csrfmiddlewaretoken' && e.type !== 'submit')
  const sideways = document.documentElement.scrollWidth - document.documentElement.clientWidth
  return {title: document.title, free: submit.contains(top), sideways: sideways > 1,
          controls: elements.map(e => `${e.name}=${e.value}`).join()}
}"""
# What the corpora call when one of their scripts runs, however it got to run.
TRAP = "window.owned = () => { window.__pwn = 'owned' }"


def hostile() -> list[str]:
    """Our corpus, and the shared one where it lies beside this checkout. PostgreSQL holds no U+0000."""
    own = [json.loads(line)["text"] for line in CORPUS.read_text().splitlines()]
    shared = [json.loads(line)["payload"] for line in SHARED.read_text().splitlines()] if SHARED.exists() else []
    texts = [text.replace("\0", "").replace("{{CANARY}}", CANARY) for text in own + shared if text]
    return [text.encode(errors="replace").decode() for text in texts if text.strip() and len(text) < LONGEST]


@dataclass
class Browser:
    """A person's browser, and what it noticed since it was last asked."""

    page: Page
    site: str
    complaints: list[str]
    foreign: list[str] = field(default_factory=list)

    def visit(self, path: str) -> dict[str, Any]:
        """Open a page and say what it is like."""
        try:
            self.page.goto(self.site + path)
            looks = LOOK if self.page.locator("#submit").count() else "() => ({title: document.title})"
            return dict(self.page.evaluate(looks), url=self.page.url, ran=self.page.evaluate("window.__pwn"))
        except Error:
            return {"url": "left the page", "ran": None}

    def noticed(self) -> list[str]:
        found = self.complaints + self.foreign
        self.complaints.clear()
        self.foreign.clear()
        return found


@pytest.fixture
def browser_of(page: Page, live_server: LiveServer, complaints: list[str]) -> Browser:
    made = Browser(page, live_server.url, complaints)

    def on_request(request: Request) -> None:
        if not request.url.startswith(live_server.url):
            made.foreign.append(request.url)

    def on_dialog(dialog: Dialog) -> None:
        made.foreign.append(f"dialog {dialog.message}")
        dialog.dismiss()

    page.add_init_script(TRAP)
    page.route(lambda url: not url.startswith(live_server.url), lambda route: route.abort())
    page.on("request", on_request)
    page.on("dialog", on_dialog)
    return made


def sign_in(browser: Browser, user: User, reading: str = "") -> None:
    client = Client()
    client.force_login(user)
    cookies = {"annotate_session": client.cookies["annotate_session"].value, "annotate_reading": reading}
    browser.page.context.add_cookies([{"name": k, "value": v, "url": browser.site} for k, v in cookies.items() if v])


def without_policy(page: Page) -> None:
    """The pages as they would be if no header forbade anything."""

    def strip(route: Route) -> None:
        answer = route.fetch(max_redirects=0)
        headers = {k: v for k, v in answer.headers.items() if not k.startswith("content-security-policy")}
        route.fulfill(response=answer, headers=headers)

    page.route(lambda url: "/static/" not in url, strip)


def fill(project: Project, texts: list[str]) -> int:
    """Pairs with a hostile text in every place: a system prompt, turns that are folded and open, both responses.

    The responses are alike, so that marks are drawn into them. Answers how many pairs.
    """
    places = ["system", *["user", "assistant"] * 10, "user"]
    size = len(places) + 1
    for at in range(0, len(texts), size):
        few = (texts[at : at + size] * size)[:size]
        turns = [{"role": role, "content": text} for role, text in zip(places, few[1:], strict=True)]
        make.pair(project, few[0], f"{few[0]}\n\nand another word {few[0]}", conversation=turns, language="en")
    return -(-len(texts) // size)


@pytest.fixture
def project(transactional_db: None) -> Project:
    return make.project()


def desk(browser: Browser, project: Project, rater: User, number: int) -> Iterator[dict[str, Any]]:
    """What the page of each pair is like; a pair is not met again."""
    queue = make.queue(project)
    for _ in range(number):
        assignment = claim(queue=queue, rater=rater)
        assert assignment is not None
        yield browser.visit(reverse("compare", args=[queue.pk]))
        skip(assignment=assignment, rater=rater)


@pytest.mark.parametrize(("policy", "reading"), [(True, ""), (False, "raw"), (False, "marks")])
def test_nothing_runs_loads_or_takes_over(browser_of: Browser, project: Project, policy: bool, reading: str) -> None:
    rui = make.cast(project)["Rui"]
    sign_in(browser_of, rui, reading)
    if not policy:
        without_policy(browser_of.page)
    make.pair(project, "Plain words.", "Plain words too.", language="en")
    usual = next(desk(browser_of, project, rui, 1))
    assert usual["free"] and not usual["sideways"]
    for seen in desk(browser_of, project, rui, fill(project, hostile())):
        assert seen == usual
        assert browser_of.noticed() == []


def unsanitise() -> None:
    """Every stored HTML as it would be if the renderer passed on what it was given."""
    for response in Response.objects.all():
        Response.objects.filter(pk=response.pk).update(html=response.content)
    for item in Item.objects.all():
        turns = [{"html": turn["content"], "renderer": 2} for turn in item.conversation]
        Item.objects.filter(pk=item.pk).update(conversation_html=turns)


def test_without_the_sanitiser_the_policy_still_lets_no_script_run(browser_of: Browser, project: Project) -> None:
    """It stops scripts and images, as it should; it does not stop what needs neither, so both layers are needed."""
    rui = make.cast(project)["Rui"]
    sign_in(browser_of, rui)
    make.pair(project, "Plain words.", "Plain words too.", language="en")
    usual = next(desk(browser_of, project, rui, 1))
    number = fill(project, hostile()[:120])
    unsanitise()
    changed = blocked = 0
    for seen in desk(browser_of, project, rui, number):
        assert seen["ran"] is None
        changed += seen != usual
        blocked += bool(browser_of.noticed())
    assert changed >= 2
    assert blocked >= 2  # a page may be left before the browser has told of what it blocked


def test_control_without_either_layer_scripts_run(browser_of: Browser, project: Project) -> None:
    rui = make.cast(project)["Rui"]
    sign_in(browser_of, rui)
    without_policy(browser_of.page)
    number = fill(project, ["<img src=/static/none.png onerror=owned()>", "<svg/onload=owned()>"])
    unsanitise()
    ran = [seen["ran"] for seen in desk(browser_of, project, rui, number)]
    browser_of.noticed()
    assert ran == ["owned"] * number


def test_a_file_is_looked_at_before_it_is_imported(browser_of: Browser, project: Project, tmp_path: Path) -> None:
    sign_in(browser_of, make.cast(project)["Mara"])
    without_policy(browser_of.page)
    texts = hostile()
    page = browser_of.page
    for at in range(0, len(texts), 40):
        few = texts[at : at + 40]
        both = zip(few, reversed(few), strict=True)
        rows = [
            {
                "id": a[:90],
                "prompt": b,
                "tags": [a[:60]],
                "responses": [{"content": a, "model": b[:90]}, {"content": b}],
            }
            for a, b in both
        ]
        path = tmp_path / f"hostile-{at}.jsonl"
        path.write_text("".join(json.dumps(row) + "\n" for row in rows))
        page.goto(f"{browser_of.site}/projects/{project.slug}/imports/new/")
        page.get_by_label("File").set_input_files(path)
        page.get_by_role("button", name="Show the first rows").click()
        expect(page.get_by_role("heading", name=path.name)).to_be_visible()
        assert page.evaluate("window.__pwn") is None
        assert page.title().startswith("First rows")
        assert browser_of.noticed() == []


def test_an_export_is_looked_at_before_it_is_made(browser_of: Browser, transactional_db: None, tmp_path: Path) -> None:
    make_study(tmp_path)
    sign_in(browser_of, User.objects.get(name="Noor"))
    without_policy(browser_of.page)
    usual = browser_of.visit("/projects/advice/exports/new/")
    texts = hostile()
    for response, text in zip(Response.objects.all(), texts, strict=False):
        Response.objects.filter(pk=response.pk).update(content=f"{text} {response.pk}")
    for item, text in zip(Item.objects.all(), reversed(texts), strict=False):
        Item.objects.filter(pk=item.pk).update(conversation=[{"role": "user", "content": text}])
    assert browser_of.visit("/projects/advice/exports/new/") == usual
    assert browser_of.noticed() == []
