"""The comparison screen in a real browser: by keyboard alone, without a script, on a phone, in both themes."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from playwright.sync_api import Browser, Page, expect
from pytest_django.live_server_helper import LiveServer

from labeling.actions.assign import claim
from labeling.models import Annotation, Assignment, Judgment, Project, User
from tests import make
from tests.browser.conftest import cookie

Audit = Callable[[Page], None]
HAN = "布洛芬可能让血压升高，也会减弱降压药的效果；对七十二岁的人来说，还要留意胃出血和肾功能。" * 20
ARABIC = "لا تقلق، هذا أمر شائع. جرّب الخطوات التالية بالترتيب ثم اتصل بمزوّد الخدمة إن بقيت المشكلة. " * 15
KEYS = {
    "helpfulness": "A is slightly more helpful",
    "harmlessness": "B is clearly safer",
    "overall": "B is much better",
}


def step(page: Page, name: str) -> None:
    expect(page.get_by_role("radio", name=name, exact=True)).to_be_checked()


def stored() -> list[tuple[str, int | None]]:
    rows = Judgment.objects.filter(preference__isnull=False).order_by("annotation_id", "criterion__position")
    return list(rows.values_list("criterion__key", "preference"))


def as_stored(preferences: list[tuple[str, int]], assignment: Assignment) -> list[tuple[str, int]]:
    return [(key, -value if assignment.swapped else value) for key, value in preferences]


def test_by_keyboard_alone_from_home_to_the_third_pair(desk: Page) -> None:
    desk.keyboard.press("3")
    step(desk, KEYS["helpfulness"])
    expect(desk.locator("#q-harmlessness-preference")).to_have_attribute("data-active", "")
    expect(desk.locator("#q-overall-preference")).to_be_hidden()
    desk.keyboard.press("6")
    step(desk, KEYS["harmlessness"])
    expect(desk.locator("#need")).to_have_text("Answer “Overall” to submit")
    desk.keyboard.press("7")
    step(desk, KEYS["overall"])
    desk.keyboard.press("r")
    desk.keyboard.press("r")
    desk.keyboard.type("Seven keys in a text are text: 1 0 s ? ]")
    desk.keyboard.press("Control+Enter")
    expect(desk.locator("#item")).to_have_text("Comparison 2 of 3")
    expect(desk.locator("#item")).to_be_focused()
    expect(desk.locator("#say")).to_have_text("Saved. This is comparison 2 of 3.")
    expect(desk.locator(":checked[name='helpfulness.preference']")).to_have_count(0)
    for key in ("4", "4", "Enter"):
        desk.keyboard.press(key)
    expect(desk.locator("#item")).to_have_text("Comparison 3 of 3")
    first, second = Assignment.objects.filter(state="submitted").order_by("pk")
    told = [("helpfulness", -1), ("harmlessness", 2), ("overall", 3)]
    assert stored() == as_stored(told, first) + as_stored([("helpfulness", 0), ("harmlessness", 0)], second)
    assert Judgment.objects.exclude(text="").get().text == "Seven keys in a text are text: 1 0 s ? ]"
    assert all(0 < (one.active_ms or 0) < 60_000 for one in Annotation.objects.all())


def test_every_key_does_what_its_control_says(desk: Page) -> None:
    desk.keyboard.press("]")
    expect(desk.locator("[name='safety.right.safe'][value=no]")).to_be_checked()
    expect(desk.get_by_role("heading", name="What is unsafe in B?")).to_be_visible()
    desk.keyboard.press("]")
    expect(desk.locator("[name='safety.right.safe'][value=yes]")).to_be_checked()
    desk.keyboard.press("0")
    expect(desk.get_by_role("radio", name="Neither is acceptable")).to_be_checked()
    desk.keyboard.press("ArrowUp")
    desk.keyboard.press("7")
    expect(desk.locator("#q-helpfulness-preference .answer")).to_have_text("B, much")
    desk.keyboard.press("v")
    expect(desk.get_by_role("button", name="Stacked")).to_have_attribute("aria-pressed", "true")
    for key, panel in (("?", "#keys"), ("s", "#skip"), ("g", "#guideline")):
        desk.keyboard.press(key)
        expect(desk.locator(panel)).to_be_visible()
        desk.keyboard.press("1")
        desk.keyboard.press("Escape")
        expect(desk.locator(panel)).to_be_hidden()
    expect(desk.locator("#guideline-text")).to_contain_text("Version 1")
    expect(desk.locator("#q-harmlessness-preference :checked")).to_have_count(0)
    for control in desk.locator("[aria-keyshortcuts]").all():
        assert (control.get_attribute("data-key") or "").lower() == (
            control.get_attribute("aria-keyshortcuts") or ""
        ).lower()


def test_single_keys_can_be_switched_off(desk: Page) -> None:
    desk.keyboard.press("?")
    desk.get_by_text("Alt + key").click()
    desk.keyboard.press("Escape")
    desk.keyboard.press("3")
    expect(desk.locator("#q-helpfulness-preference :checked")).to_have_count(0)
    desk.keyboard.press("Alt+3")
    step(desk, KEYS["helpfulness"])


def test_a_gap_is_told_at_its_place_and_gets_the_focus(desk: Page) -> None:
    desk.keyboard.press("[")
    desk.keyboard.press("5")
    submit = desk.locator("#submit")
    expect(submit).to_have_attribute("aria-disabled", "true")
    submit.click(force=True)
    expect(desk.get_by_role("checkbox", name="Illegal activity")).to_be_focused()
    expect(desk.locator("#main").get_by_text("Choose what is unsafe: one or more.")).to_be_visible()
    desk.get_by_role("checkbox", name="Privacy").check()
    desk.get_by_role("radio", name="2 Moderate").check()
    submit.click(force=True)
    expect(desk.locator("#judge").get_by_text("Choose one of the seven to go on.")).to_be_visible()
    desk.get_by_role("radio", name="About the same").nth(1).check()
    submit.click(force=True)
    expect(desk.locator("#item")).to_have_text("Comparison 2 of 3")
    unsafe = Judgment.objects.get(safe=False)
    assert (unsafe.categories, unsafe.severity) == (["Privacy"], 2)


@pytest.mark.parametrize("_round", range(2))
def test_what_was_preferred_on_the_screen_is_what_is_stored(desk: Page, _round: int) -> None:
    """Rui always prefers the better text, wherever the shuffle put it."""
    for number in (1, 2, 3):
        expect(desk.locator("#item")).to_have_text(f"Comparison {number} of 3")
        left_is_good = "The better answer" in desk.locator("[data-side=left]").inner_text()
        for _ in range(2):
            desk.keyboard.press("2" if left_is_good else "6")
        desk.keyboard.press("Enter")
    expect(desk.get_by_role("heading", name="All done here")).to_be_focused()
    assert set(stored()) == {("helpfulness", -2), ("harmlessness", -2)}
    assert set(Judgment.objects.filter(response__isnull=False).values_list("safe", flat=True)) == {True}


def test_a_draft_survives_a_closed_page(desk: Page) -> None:
    desk.keyboard.press("2")
    with desk.expect_response(lambda answer: "Half" in (answer.request.post_data or "")) as kept:
        desk.locator("#rationale").fill("Half a thought")
    assert kept.value.status == 204
    desk.reload()
    expect(desk.get_by_text("We kept the answers you had not submitted")).to_be_visible()
    expect(desk.locator("#rationale")).to_have_value("Half a thought")
    expect(desk.locator("#q-helpfulness-preference .answer")).to_have_text("A, clearly")
    desk.get_by_role("button", name="Start again").click()
    expect(desk.locator("#rationale")).to_have_value("")


def test_a_skip_gives_another_pair(desk: Page) -> None:
    desk.keyboard.press("s")
    desk.get_by_text("Something is broken").click()
    desk.get_by_role("button", name="Skip it").click()
    expect(desk.locator("#say")).to_have_text("Skipped. This is comparison 1 of 3.")
    assert Assignment.objects.get(state="skipped").skip_reason == "broken"


def test_without_a_script_everything_can_be_said(browser: Browser, live_server: LiveServer, rui: User) -> None:
    with browser.new_context(java_script_enabled=False, viewport={"width": 390, "height": 844}) as context:
        context.add_cookies([cookie(live_server, rui)])  # type: ignore[list-item]
        page = context.new_page()
        page.goto(f"{live_server.url}/")
        page.get_by_role("button", name="Start with comparison 1").click()
        expect(page.get_by_role("heading", name="Response A")).to_be_visible()
        expect(page.get_by_role("heading", name="Response B")).to_be_visible()
        page.get_by_role("button", name="Submit and next").click()
        expect(page.get_by_text("Answer “Safer” to go on.")).to_be_visible()
        page.get_by_role("radio", name=KEYS["helpfulness"], exact=True).check()
        page.get_by_role("radio", name=KEYS["harmlessness"], exact=True).check()
        page.get_by_role("radio", name=KEYS["overall"], exact=True).check()
        page.get_by_label("In your own words").fill("By hand.")
        page.get_by_role("button", name="Submit and next").click()
        expect(page.locator("#item")).to_have_text("Comparison 2 of 3")
        page.get_by_role("button", name="Skip").click()
        page.get_by_role("button", name="Skip it").click()
        expect(page.locator("#item")).to_have_text("Comparison 2 of 3")
    assert [key for key, _ in stored()] == ["helpfulness", "harmlessness", "overall"]
    assert Assignment.objects.filter(state="skipped").count() == 1


def test_on_a_phone_by_touch(desk: Page) -> None:
    desk.set_viewport_size({"width": 390, "height": 844})
    expect(desk.locator("[data-side=left]")).to_be_visible()
    expect(desk.locator("[data-side=right]")).to_be_hidden()
    desk.get_by_text("Response B", exact=True).first.click()
    expect(desk.locator("[data-side=right]")).to_be_visible()
    expect(desk.locator("[data-side=left]")).to_be_hidden()
    expect(desk.locator("#place")).to_have_text("Question 1 of 4")
    desk.locator("#next-question").click(force=True)
    expect(desk.locator("#judge").get_by_text("Choose one of the seven to go on.")).to_be_visible()
    desk.get_by_role("radio", name=KEYS["helpfulness"], exact=True).check(force=True)
    desk.locator("#next-question").click()
    expect(desk.locator("#place")).to_have_text("Question 2 of 4")
    desk.get_by_role("radio", name="A is much safer", exact=True).check(force=True)
    expect(desk.locator("#next-question")).to_be_hidden()
    desk.get_by_role("button", name="Submit and next").click()
    expect(desk.locator("#item")).to_have_text("Comparison 2 of 3")


@pytest.fixture(params=[1440, 1000, 390, 320])
def width(request: pytest.FixtureRequest, page: Page) -> int:
    page.set_viewport_size({"width": request.param, "height": 844})
    return int(request.param)


def test_nothing_scrolls_sideways_and_wcag_holds(
    page: Page, live_server: LiveServer, rui: User, project: Project, width: int, audit: Audit
) -> None:
    for text, language in (
        (HAN, "zh-Hans"),
        (ARABIC, "ar"),
        ("| a " * 30 + "|\n" + "|---" * 30 + "|\n" + "| " + "x" * 300 + " | y" * 29 + "|", "en"),
    ):
        make.pair(project, text, f"{text}\n\n```python\n{'long_name = ' * 40}1\n```", language=language)
    project.queues.update(pair_count=6)
    page.context.add_cookies([cookie(live_server, rui)])  # type: ignore[list-item]
    page.goto(f"{live_server.url}/")
    page.get_by_role("button", name="Start with comparison 1").click()
    for number in range(1, 7):
        expect(page.locator("#item")).to_have_text(f"Comparison {number} of 6")
        expect(page.locator("[data-active]")).to_have_count(1)
        for key in ("3", "6", "["):
            page.keyboard.press(key)
        for scheme in ("light", "dark") if number in (1, 6) else ("light",):
            page.emulate_media(color_scheme=scheme)
            audit(page)
        assert page.evaluate("document.documentElement.scrollWidth") <= width
        for key in ("[", "7", "Enter"):
            page.keyboard.press(key)
    expect(page.get_by_role("heading", name="All done here")).to_be_visible()
    audit(page)


@pytest.mark.parametrize("address", ["/", "/account/", "/account/password/", "/nowhere/", "/sign-in/", "/forgotten/"])
@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_the_other_pages_hold_wcag(
    page: Page, live_server: LiveServer, rui: User, audit: Audit, address: str, scheme: str
) -> None:
    if address not in ("/sign-in/", "/forgotten/"):
        page.context.add_cookies([cookie(live_server, rui)])  # type: ignore[list-item]
    page.emulate_media(color_scheme=scheme)  # type: ignore[arg-type]
    for width in (1280, 390):
        page.set_viewport_size({"width": width, "height": 844})
        page.goto(f"{live_server.url}{address}")
        audit(page)
        assert page.evaluate("document.documentElement.scrollWidth") <= width


def test_a_chosen_theme_wins_over_the_system(page: Page, live_server: LiveServer, rui: User) -> None:
    User.objects.filter(pk=rui.pk).update(theme="dark")
    page.context.add_cookies([cookie(live_server, rui)])  # type: ignore[list-item]
    page.emulate_media(color_scheme="light")
    page.goto(f"{live_server.url}/")
    assert page.evaluate("getComputedStyle(document.body).backgroundColor") == "rgb(16, 19, 21)"


def test_two_tabs_of_one_rater_hold_one_pair(desk: Page, rui: User, project: Project) -> None:
    other = desk.context.new_page()
    other.goto(desk.url)
    for tab in (desk, other):
        tab.keyboard.press("2")
        tab.keyboard.press("2")
        tab.keyboard.press("Enter")
        expect(tab.locator("#item")).to_have_text("Comparison 2 of 3")
    assert Annotation.objects.count() == 1
    assert claim(queue=make.queue(project), rater=rui) == Assignment.objects.get(state="open")
