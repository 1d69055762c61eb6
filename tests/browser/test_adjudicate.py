"""Ada decides where raters differ, with her keyboard; and a study is planned, in a real browser."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from playwright.sync_api import Page, expect
from pytest_django.live_server_helper import LiveServer

from labeling.actions.disagreements import look_for_disagreements
from labeling.actions.plans import plan_study, simulate
from labeling.models import Adjudication, Project, User
from tests import make
from tests.actions.test_adjudicate import torn
from tests.browser.conftest import cookie
from tests.web.test_plans import ASKED

Audit = Callable[[Page], None]


@pytest.fixture
def study(transactional_db: None) -> dict[str, Any]:
    project = make.project(overlap=2)
    people = make.cast(project)
    arabic = [{"role": "user", "content": "كيف أسقي الريحان؟"}]
    pairs = [
        make.pair(project, "The better answer.", "The weaker answer."),
        make.pair(project, "水が少ない。", "够了。", conversation=arabic),
    ]
    for pair, far in zip(pairs, (3, 1), strict=True):
        torn(people, pair, far)
    look_for_disagreements()
    return {"project": project, "people": people, "pairs": pairs}


def enter(page: Page, live_server: LiveServer, user: User, path: str) -> None:
    page.context.add_cookies([cookie(live_server, user)])  # type: ignore[list-item]
    page.goto(f"{live_server.url}{path}")


def test_ada_decides_by_keyboard_and_goes_on(
    page: Page, live_server: LiveServer, study: dict[str, Any], audit: Audit
) -> None:
    project: Project = study["project"]
    enter(page, live_server, study["people"]["Ada"], f"/projects/{project.slug}/disagreements/")
    expect(page.get_by_role("heading", name="Disagreements")).to_be_visible()
    audit(page)
    page.keyboard.press("Enter")
    expect(page.locator("#submit")).to_have_text("Decide and next Enter")
    expect(page.locator("[data-active]")).to_have_count(1)
    audit(page)
    page.keyboard.press("2")
    page.keyboard.press("Enter")
    expect(page.locator("#reason-error")).to_have_text("Say why: raters who differ may read it.")
    page.keyboard.type("It says when.")
    page.keyboard.press("Control+Enter")
    expect(page.get_by_text("Decided.")).to_be_visible()
    expect(page.get_by_text("كيف أسقي الريحان؟")).to_be_visible()
    made = Adjudication.objects.get()
    assert (made.pair, made.preference, made.reason) == (study["pairs"][0], -2, "It says when.")
    page.keyboard.press("e")
    expect(page.locator("#note")).to_be_visible()
    page.keyboard.press("Escape")
    page.keyboard.press("s")
    expect(page.get_by_text("That was the last one of these.")).to_be_visible()
    assert Adjudication.objects.count() == 1


def test_every_page_of_it_on_a_phone_too(
    page: Page, live_server: LiveServer, study: dict[str, Any], audit: Audit, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("labeling.actions.plans.SEEDS", (1, 2))
    project, mara = study["project"], study["people"]["Mara"]
    made = plan_study(project=project, by=mara, name="Spring", asked=ASKED)
    simulate(made)
    page.set_viewport_size({"width": 390, "height": 844})
    first = study["pairs"][0]
    enter(page, live_server, mara, "/")
    for path in (
        f"disagreements/{first.pk}/",
        "disagreements/many/",
        "disagreements/decided/",
        "plans/",
        "plans/new/",
        f"plans/{made.pk}/",
    ):
        page.goto(f"{live_server.url}/projects/{project.slug}/{path}")
        audit(page)
        assert page.evaluate("document.documentElement.scrollWidth <= innerWidth"), path
