"""Known answers in a real browser: told after a wrong answer, disagreed with; in both themes and on a phone."""

from __future__ import annotations

import re
from collections.abc import Callable

import pytest
from playwright.sync_api import Page, expect
from pytest_django.live_server_helper import LiveServer

from labeling.actions import leasing
from labeling.actions.annotate import submit
from labeling.actions.assign import claim
from labeling.actions.checks import pause_rater
from labeling.actions.disputes import disagree
from labeling.actions.gold_pairs import make_gold
from labeling.actions.guidelines import publish_guideline
from labeling.actions.set_aside import set_aside
from labeling.models import Assignment, Dispute, GoldPair, GoldResult, Pair, Project, User
from tests import make
from tests.browser.conftest import answer, cookie

Audit = Callable[[Page], None]
RULES = "# How to judge\n\n1. Prefer the answer that solves the problem.\n2. Short is better than long."
WHY = "It does what was asked, and says so in one sentence."


@pytest.fixture
def known(project: Project, rui: User, monkeypatch: pytest.MonkeyPatch) -> GoldPair:
    """The first response is the better one; each claim draws it while it is new to the rater."""
    monkeypatch.setattr(leasing, "draw", lambda: 0)
    project.queues.update(gold_percent=50)
    publish_guideline(project=project, by=None, text=RULES)
    pair = make.pair(project, "Turn it off and on again.", "You cannot.", gold={"helpfulness": -2}, language="en")
    by = User.objects.get(name="Mara")
    return make_gold(pair=pair, by=by, source="import", explanation=WHY, principle=1)


def rated(known: Pair | GoldPair, name: str) -> Assignment:
    """A wrong answer of this person to what is known."""
    rater = User.objects.get(name=name)
    held = claim(queue=make.queue(known.project), rater=rater)
    assert held is not None and held.pair_id == getattr(known, "pair_id", known.pk)
    body = {"judgments": {"helpfulness": {"preference": -2 if held.swapped else 2}}}
    submit(assignment=held, rater=rater, body=body)
    return held


def signed_in(page: Page, live_server: LiveServer, name: str) -> None:
    page.context.clear_cookies()
    page.context.add_cookies([cookie(live_server, User.objects.get(name=name))])  # type: ignore[list-item]


def test_told_by_keyboard_and_disagreed_with(
    page: Page, live_server: LiveServer, known: GoldPair, audit: Audit
) -> None:
    signed_in(page, live_server, "Rui")
    page.goto(live_server.url)
    page.keyboard.press("Enter")
    expect(page.locator("#item")).to_contain_text("Comparison 1")
    held = Assignment.objects.get(state="open")
    assert held.pair_id == known.pair_id
    answer(page, "22" if held.swapped else "66")
    page.keyboard.press("Enter")
    told = page.get_by_role("heading", name="One to look at again")
    expect(told).to_be_focused()
    expect(page.get_by_text(WHY)).to_be_visible()
    principle = page.get_by_role("link", name="Read it in the guidelines")
    expect(principle).to_have_attribute("href", re.compile(r"/projects/advice/guidelines/2/#.+"))
    audit(page)
    page.get_by_text("I disagree").click()
    page.get_by_label("What is wrong about it").fill("The second one is honest.")
    page.get_by_role("button", name="Send it").click()
    expect(page.locator("#item")).to_contain_text("Comparison 2")
    assert Dispute.objects.get().text == "The second one is honest."
    signed_in(page, live_server, "Rosa")
    rated(known, "Rosa")
    page.goto(f"{live_server.url}/compare/{make.queue(known.project).pk}/")
    page.keyboard.press("Enter")
    page.get_by_role("button", name="Start").or_(page.locator("#item")).first.wait_for()
    assert GoldResult.objects.filter(rater__name="Rosa", told_at=None).count() == 0


@pytest.mark.parametrize("theme", ["light", "dark"])
@pytest.mark.parametrize("width", [1440, 390])
def test_every_page_is_accessible_and_never_scrolls_sideways(
    page: Page, live_server: LiveServer, known: GoldPair, audit: Audit, theme: str, width: int
) -> None:
    project = known.project
    mara, rui, rosa = (User.objects.get(name=name) for name in ("Mara", "Rui", "Rosa"))
    held = rated(known, "Rui")
    disagree(assignment=held, rater=rui, text="The second one is honest.")
    other = rated(known, "Rosa")
    pause_rater(project=project, rater=rui, by=mara, why="Let us look at it together.")
    page.emulate_media(color_scheme="dark" if theme == "dark" else "light")
    page.set_viewport_size({"width": width, "height": 900})
    signed_in(page, live_server, "Rosa")
    page.goto(f"{live_server.url}/compare/{other.queue_id}/")
    expect(page.get_by_role("heading", name="One to look at again")).to_be_visible()
    looked_at(page, audit)
    signed_in(page, live_server, "Mara")
    dispute = Dispute.objects.get()
    before = [
        "gold/", "gold/new/", f"gold/pairs/{known.pair_id}/", "disputes/", f"disputes/{dispute.pk}/", "paused/",
        f"raters/{rosa.pk}/pause/", f"raters/{rosa.pk}/set-aside/",
    ]  # fmt: skip
    for path in before:
        page.goto(f"{live_server.url}/projects/{project.slug}/{path}")
        looked_at(page, audit)
    set_aside(project=project, rater=rosa, by=mara, note="left side only")
    page.goto(f"{live_server.url}/projects/{project.slug}/paused/")
    expect(page.get_by_text("left side only")).to_be_visible()
    looked_at(page, audit)


def looked_at(page: Page, audit: Audit) -> None:
    audit(page)
    wide = page.evaluate("document.documentElement.scrollWidth - document.documentElement.clientWidth")
    assert wide <= 0, f"{page.url} scrolls sideways by {wide} px"
