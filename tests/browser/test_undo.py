"""Undo by one key, and changing answers from "My work", in a real browser."""

from __future__ import annotations

from collections.abc import Callable

from playwright.sync_api import Browser, Page, expect
from pytest_django.live_server_helper import LiveServer

from labeling.models import Annotation, Assignment, User
from tests.browser.conftest import answer, at, cookie

Audit = Callable[[Page], None]


def test_one_key_back_and_the_open_pair_again_with_its_draft(desk: Page, audit: Audit) -> None:
    answer(desk)
    desk.keyboard.press("Enter")
    at(desk, 2)
    answer(desk, "6")
    desk.keyboard.press("u")
    expect(desk.get_by_role("heading", name="Change your answer")).to_be_focused()
    expect(desk.locator("#say")).to_have_text("Change your answer")
    expect(desk.locator("#q-helpfulness-preference .answer")).to_have_text("A, clearly")
    audit(desk)
    desk.keyboard.press("ArrowUp")
    desk.keyboard.press("ArrowUp")
    desk.keyboard.press("1")
    desk.keyboard.press("Enter")
    at(desk, 2)
    expect(desk.locator(".saved")).to_have_text("Your change is saved. This is comparison 2 of 3.")
    expect(desk.locator("#q-helpfulness-preference .answer")).to_have_text("B, clearly")
    expect(desk.get_by_text("We kept the answers you had not submitted")).to_be_visible()
    assert list(Annotation.objects.order_by("pk").values_list("revision", "current")) == [(1, False), (2, True)]


def test_leaving_a_change_changes_nothing(desk: Page) -> None:
    answer(desk)
    desk.keyboard.press("Enter")
    at(desk, 2)
    desk.keyboard.press("u")
    expect(desk.get_by_role("heading", name="Change your answer")).to_be_visible()
    desk.get_by_role("link", name="Leave it as it is").click()
    at(desk, 2)
    assert Annotation.objects.count() == 1


def test_undo_after_the_last_pair(desk: Page) -> None:
    for number in (1, 2, 3):
        at(desk, number)
        answer(desk)
        desk.keyboard.press("Enter")
    expect(desk.get_by_role("heading", name="All done here")).to_be_focused()
    desk.keyboard.press("u")
    expect(desk.get_by_role("heading", name="Change your answer")).to_be_visible()
    expect(desk.locator("[data-active]")).to_have_count(1)
    desk.keyboard.press("1")
    desk.locator("#submit").click()
    expect(desk.get_by_role("heading", name="All done here")).to_be_visible()
    assert Annotation.objects.get(revision=2).current


def test_my_work_lists_opens_and_changes(desk: Page, live_server: LiveServer, audit: Audit) -> None:
    answer(desk)
    desk.keyboard.press("Enter")
    at(desk, 2)
    desk.keyboard.press("s")
    desk.get_by_text("I cannot tell").click()
    desk.get_by_role("button", name="Skip it").click()
    at(desk, 2)
    desk.goto(f"{live_server.url}/")
    desk.get_by_role("link", name="My work").first.click()
    expect(desk.get_by_role("heading", name="My work")).to_be_visible()
    rows = desk.locator(".work-row")
    expect(rows).to_have_count(2)
    expect(rows.first).to_contain_text("I cannot tell")
    expect(rows.last).to_contain_text("A, clearly")
    pages = [
        desk.url,
        *(
            f"{live_server.url}/my-work/{pk}/"
            for pk in Assignment.objects.exclude(state="open").values_list("pk", flat=True)
        ),
    ]
    for scheme in ("light", "dark"):
        desk.emulate_media(color_scheme=scheme)
        for width in (1280, 390, 320):
            desk.set_viewport_size({"width": width, "height": 844})
            for address in pages:
                desk.goto(address)
                audit(desk)
                assert desk.evaluate("document.documentElement.scrollWidth") <= width
    desk.set_viewport_size({"width": 1280, "height": 800})
    desk.goto(f"{live_server.url}/my-work/")
    rows.last.get_by_role("link", name="Change").click()
    expect(desk.get_by_role("heading", name="Change your answer")).to_be_visible()
    desk.locator("[name='helpfulness.preference'][value='0']").click(force=True)
    desk.locator("#submit").click()
    expect(desk.get_by_role("heading", name="What you said", exact=True)).to_be_visible()
    expect(desk.get_by_role("heading", name="What you had said before")).to_be_visible()
    expect(desk.get_by_text("Your change is saved.")).to_be_visible()


def test_without_a_script_undo_and_change_are_plain_pages(
    browser: Browser, desk: Page, live_server: LiveServer
) -> None:
    answer(desk)
    desk.keyboard.press("Enter")
    at(desk, 2)
    rui = User.objects.get(email="rui@example.org")
    with browser.new_context(java_script_enabled=False, viewport={"width": 320, "height": 700}) as context:
        context.add_cookies([cookie(live_server, rui)])  # type: ignore[list-item]
        page = context.new_page()
        page.goto(desk.url)
        page.get_by_role("link", name="Undo").click()
        expect(page.get_by_role("heading", name="Change your answer")).to_be_visible()
        page.locator("[name='harmlessness.preference'][value='-3']").check()
        page.get_by_role("button", name="Save the change").click()
        at(page, 2)
        expect(page.get_by_text("Your change is saved.")).to_be_visible()
    assert Annotation.objects.get(current=True).revision == 2
