"""A comparison for whoever has no mouse, no single keys, a narrow window or 400 % zoom; and what its page weighs."""

from __future__ import annotations

import gzip
import re

import pytest
from playwright.sync_api import Page, Response, expect
from pytest_django.live_server_helper import LiveServer

from labeling.models import Annotation, User
from tests.browser.conftest import at, cookie

MOST_KB = 150


def tab_to(page: Page, where: str) -> None:
    """Press Tab until the focus is on what is looked for, as a person without a mouse does."""
    for _ in range(90):
        page.keyboard.press("Tab")
        if page.evaluate("where => document.activeElement.matches(where)", where):
            return
    raise AssertionError(f"Tab does not lead to {where}")


def in_view(page: Page) -> bool:
    """Whether nothing covers the middle of what has the focus."""
    covered: bool = page.evaluate(
        """() => {
          const at = document.activeElement.getBoundingClientRect();
          const top = document.elementFromPoint(at.left + at.width / 2, at.top + at.height / 2);
          return !!top && (document.activeElement.contains(top) || top.contains(document.activeElement));
        }"""
    )
    return covered


def answer_by_tab(page: Page) -> None:
    for name in ("helpfulness", "harmlessness"):
        tab_to(page, f"[name='{name}.preference']")
        assert in_view(page)
        page.keyboard.press("ArrowRight")
        if page.locator("#next-question").is_visible():
            tab_to(page, "#next-question")
            assert in_view(page)
            page.keyboard.press("Enter")
    tab_to(page, "#submit")
    assert in_view(page)
    page.keyboard.press("Enter")


# 1280 x 1024 at 400 % is 320 x 256.
@pytest.mark.parametrize(("width", "height"), [(1280, 800), (1000, 700), (320, 640), (320, 256)])
def test_by_tab_and_arrows_with_single_keys_off(desk: Page, width: int, height: int) -> None:
    desk.keyboard.press("?")
    expect(desk.locator("#keys")).to_be_visible()
    tab_to(desk, "[name='single-keys']")
    desk.keyboard.press("ArrowRight")
    desk.keyboard.press("ArrowRight")
    expect(desk.locator("[name='single-keys'][value='off']")).to_be_checked()
    desk.keyboard.press("Escape")
    desk.set_viewport_size({"width": width, "height": height})
    desk.reload()
    desk.keyboard.press("3")
    desk.keyboard.press("Alt+3")
    expect(desk.locator("#q-helpfulness-preference :checked")).to_have_count(0)
    for number in (1, 2):
        at(desk, number)
        expect(desk.locator("[data-active]")).to_have_count(1)
        assert desk.evaluate("document.documentElement.scrollWidth") <= width
        answer_by_tab(desk)
    at(desk, 3)
    expect(desk.locator("#item")).to_be_focused()
    assert Annotation.objects.count() == 2


def test_the_first_load_weighs_little(page: Page, live_server: LiveServer, rui: User) -> None:
    page.context.add_cookies([cookie(live_server, rui)])  # type: ignore[list-item]
    page.goto(f"{live_server.url}/")
    address = page.locator("form[action$='/next/']").first.get_attribute("action") or ""
    page.keyboard.press("Enter")
    at(page, 1)
    fresh = page.context.browser
    assert fresh
    with fresh.new_context() as context:
        context.add_cookies([cookie(live_server, rui)])  # type: ignore[list-item]
        first = context.new_page()
        answers: list[Response] = []
        first.on("response", lambda one: answers.append(one))
        first.goto(live_server.url + re.sub("next/$", "", address), wait_until="networkidle")
        at(first, 1)
        weights = {one.url: weight(one) for one in answers}
    assert sum("woff2" in url for url in weights) >= 1 and any("htmx" in url for url in weights)
    assert sum(weights.values()) <= MOST_KB * 1024, weights


def weight(answer: Response) -> int:
    """Bytes on the wire where text is compressed, as the production server does; a font is compressed already."""
    body = answer.body()
    return len(body) if answer.url.endswith(".woff2") else len(gzip.compress(body, 6))
