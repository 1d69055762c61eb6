"""Every preset by keyboard alone, on a wide screen and a phone; contradictions kept and changed; own words counted."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from django.db.models import F
from django.test import Client
from playwright.sync_api import Browser, Page, expect
from pytest_django.live_server_helper import LiveServer

from labeling.actions.projects import create_project
from labeling.models import Annotation, Judgment, Project, User
from labeling.presets import ORDER
from labeling.taxonomies import TAXONOMIES
from tests import make

Audit = Callable[[Page], None]
REASON = "The first answers what was asked, the other one only repeats the question."
SIZES = {1440: 900, 390: 844}
# What is pressed for one whole answer, and what it is on the left-to-right scale of each criterion.
PRESSED = {
    "helpful-harmless": ["3", "6", "7", "r", "2", "0", "r", "text", "Control+Enter"],
    "hh-rlhf": ["8", "Enter"],
    "llama-2": ["1", "5", "[", "[", "]", "]", "Enter"],
    "helpsteer3": ["6", "r", "text", "Control+Enter"],
    "pku-saferlhf": ["1", "2", "[", "[", "]", "]", "Enter"],
    "ultrafeedback": ["1", "2", "3", "4", "5", "1", "2", "3", "Enter"],
}
TOLD: dict[str, dict[str, int]] = {
    "helpful-harmless": {"helpfulness": -1, "harmlessness": 2, "overall": 3},
    "hh-rlhf": {"helpfulness": 4},
    "llama-2": {"helpfulness": -4, "harmlessness": 1},
    "helpsteer3": {"helpfulness": 2},
    "pku-saferlhf": {"helpfulness": -1, "harmlessness": 1},
    "ultrafeedback": {},
}


def cookie(live_server: LiveServer, user: User) -> dict[str, str]:
    client = Client()
    client.force_login(user)
    return {"name": "annotate_session", "value": client.cookies["annotate_session"].value, "url": live_server.url}


def study(preset: str = ORDER[0]) -> Project:
    project = create_project(slug="try", name="Try it", by=None, preset=preset)
    for _ in range(2):
        make.pair(project, "The better answer.", "The weaker answer.", language="en")
    make.cast(project)
    project.rationale["percent"] = 0  # none is drawn for own words
    project.save()
    return project


def desk(page: Page, live_server: LiveServer, project: Project) -> Page:
    """Rui's browser with the first pair open."""
    rui = User.objects.get(email="rui@example.org")
    Client().force_login(rui)
    page.context.add_cookies([cookie(live_server, rui)])  # type: ignore[list-item]
    page.goto(f"{live_server.url}/compare/{make.queue(project).pk}/")
    page.locator("form[action$='/next/'] button").first.click()
    expect(page.locator("#item")).to_have_text("Comparison 1 of 2")
    expect(page.locator("[data-active]")).to_have_count(1)
    return page


def shown_one_by_one(keys: list[str]) -> list[str]:
    """On a phone the first press of B's key shows B."""
    at = keys.index("]") if "]" in keys else len(keys)
    return [*keys[:at], *(["]"] if at < len(keys) else []), *keys[at:]]


def stored() -> dict[str, int]:
    held = Annotation.objects.get().assignment
    rows = Judgment.objects.filter(preference__isnull=False).values_list("criterion__key", "preference")
    return {key: -value if held.swapped else value for key, value in rows if value is not None}


@pytest.mark.parametrize("width", SIZES)
@pytest.mark.parametrize("preset", ORDER)
def test_each_preset_by_keyboard_alone(
    page: Page, live_server: LiveServer, transactional_db: None, audit: Audit, preset: str, width: int
) -> None:
    page.set_viewport_size({"width": width, "height": SIZES[width]})
    desk(page, live_server, study(preset))
    audit(page)
    for key in PRESSED[preset] if width > 760 else shown_one_by_one(PRESSED[preset]):
        if key == "text":
            page.keyboard.type(REASON)
        else:
            page.keyboard.press(key)
    expect(page.locator("#item")).to_have_text("Comparison 2 of 2")
    expect(page.locator("#item")).to_be_focused()
    assert stored() == TOLD[preset]
    assert page.evaluate("document.documentElement.scrollWidth") <= width
    if preset == "helpful-harmless":
        assert Judgment.objects.get(criterion__key="reasons").categories == ["Clearer", "Something else"]
        assert Judgment.objects.get(criterion__key="overall").text == REASON
    if preset == "ultrafeedback":
        held = Annotation.objects.get().assignment
        left = held.pair.second if held.swapped else held.pair.first
        assert list(
            Judgment.objects.filter(response=left).order_by("criterion__position").values_list("rating", flat=True)
        ) == [1, 3, 5, 2]


def test_a_digit_answers_the_marked_question_only(page: Page, live_server: LiveServer, transactional_db: None) -> None:
    project = study()
    project.criteria.update(position=F("position") + 1)
    project.criteria.create(key="quality", name="Quality", kind="rating", minimum=0, maximum=4, position=0)
    desk(page, live_server, project)
    for key in ("7", "0", "0"):  # no such grade; of A; of B
        page.keyboard.press(key)
    expect(page.locator("#q-quality-left-rating :checked")).to_have_attribute("value", "0")
    expect(page.locator("#q-quality-right-rating :checked")).to_have_attribute("value", "0")
    expect(page.locator("[name='helpfulness.preference']:checked")).to_have_count(0)
    page.keyboard.press("ArrowUp")
    page.keyboard.press("0")  # chosen already: it must not reach the “neither” of another question
    expect(page.locator("[name='helpfulness.preference']:checked")).to_have_count(0)


def test_a_chip_is_taken_back_by_its_key(page: Page, live_server: LiveServer, transactional_db: None) -> None:
    desk(page, live_server, study())
    for key in ("r", "1", "3", "1"):
        page.keyboard.press(key)
    expect(page.locator("#q-reasons-chosen")).to_have_attribute("data-active", "")
    expect(page.locator("[name='reasons.chosen']:checked")).to_have_count(1)
    expect(page.get_by_role("checkbox", name="Solves the real problem")).to_be_checked()
    expect(page.locator(".scale :checked")).to_have_count(0)


def twist(page: Page) -> None:
    """A is unsafe, B is not, and A is preferred throughout."""
    page.keyboard.press("[")
    page.get_by_role("checkbox", name="Privacy").check()
    page.get_by_role("radio", name="2 Moderate").check()
    page.locator("#item").evaluate("e => e.focus()")
    for key in ("2", "2", "Enter"):
        page.keyboard.press(key)


def test_a_contradiction_is_kept_by_keyboard(
    page: Page, live_server: LiveServer, transactional_db: None, audit: Audit
) -> None:
    desk(page, live_server, study())
    twist(page)
    expect(page.locator(".hint")).to_be_focused()
    expect(page.locator("#say")).to_contain_text("may not go together")
    audit(page)
    page.keyboard.press("Tab")
    expect(page.get_by_role("button", name="Keep my answer")).to_be_focused()
    page.keyboard.press("Enter")
    expect(page.locator("#item")).to_have_text("Comparison 2 of 2")
    assert Annotation.objects.get().kept_hints == ["preferred_unsafe"]


def test_a_contradiction_is_changed_by_keyboard(page: Page, live_server: LiveServer, transactional_db: None) -> None:
    desk(page, live_server, study())
    twist(page)
    expect(page.locator(".hint")).to_be_focused()
    for key in ("Tab", "Tab", "Enter"):
        page.keyboard.press(key)
    expect(page.locator("#helpfulness-preference-first")).to_be_focused()
    for key in ("6", "ArrowUp", "6", "Enter"):  # between the two, Overall is asked
        page.keyboard.press(key)
    expect(page.locator("#item")).to_have_text("Comparison 2 of 2")
    assert Annotation.objects.get().kept_hints == [] and stored() == {"helpfulness": 2, "harmlessness": 2}


def test_without_a_script_a_contradiction_is_kept_and_own_words_are_asked_for(
    browser: Browser, live_server: LiveServer, transactional_db: None
) -> None:
    project = study()
    Project.objects.update(rationale=project.rationale | {"when": ["always"], "required": True, "min_words": 3})
    rui = User.objects.get(email="rui@example.org")
    with browser.new_context(java_script_enabled=False, viewport={"width": 390, "height": 844}) as context:
        context.add_cookies([cookie(live_server, rui)])  # type: ignore[list-item]
        page = context.new_page()
        page.goto(f"{live_server.url}/compare/{make.queue(project).pk}/")
        page.locator("form[action$='/next/'] button").first.click()
        page.locator("[name='safety.left.safe'][value='no']").check(force=True)
        page.get_by_role("checkbox", name="Privacy").first.check()
        page.get_by_role("radio", name="2 Moderate").first.check()
        page.get_by_role("radio", name="A is clearly more helpful", exact=True).check()
        page.get_by_role("radio", name="A is clearly safer", exact=True).check()
        page.get_by_role("button", name="Submit and next").click()
        expect(page.get_by_text("Say in your own words what decided it.")).to_be_visible()
        page.get_by_label("In your own words").fill("It is right.")
        page.get_by_role("button", name="Submit and next").click()
        expect(page.get_by_text("You prefer A, which you marked unsafe")).to_be_visible()
        page.get_by_role("button", name="Keep my answer").click()
        expect(page.locator("#item")).to_have_text("Comparison 2 of 2")
    assert Annotation.objects.get().kept_hints == ["preferred_unsafe"]


def test_words_are_counted_while_one_writes_and_nothing_is_blocked(
    page: Page, live_server: LiveServer, transactional_db: None
) -> None:
    desk(page, live_server, study("helpsteer3"))
    count = page.locator("#rationale-count")
    expect(count).to_have_text("10 to 50 words")
    page.locator("#rationale").fill("It's well-made — GPT 很好")
    expect(count).to_have_text("Needs 10 to 50 words; this has 5.")
    page.locator("#rationale").fill("直接回答了问题，步骤也很清楚。")
    expect(count).to_have_text("Words: 13")
    page.locator("#rationale").fill("word " * 51)
    expect(count).to_have_text("Needs 10 to 50 words; this has 51.")


def test_own_words_are_asked_for_as_soon_as_the_answers_call_for_them(
    page: Page, live_server: LiveServer, transactional_db: None
) -> None:
    desk(page, live_server, study())
    told = page.get_by_text("Your answers point different ways: say what decided it.")
    expect(told).to_be_hidden()
    for key in ("2", "6"):
        page.keyboard.press(key)
    expect(told).to_be_visible()
    page.keyboard.press("[")
    severe = page.get_by_text("You called it severe: say what is.")
    expect(severe).to_be_hidden()
    page.get_by_role("radio", name="3 Severe").check()
    expect(severe).to_be_visible()
    page.locator("#item").evaluate("e => e.focus()")
    page.keyboard.press("[")
    expect(severe).to_be_hidden()


def test_parts_of_a_domain_open_below_it(
    page: Page, live_server: LiveServer, transactional_db: None, audit: Audit
) -> None:
    project = study()
    project.criteria.filter(key="safety").update(categories=TAXONOMIES["siuo"].categories, taxonomy="siuo")
    desk(page, live_server, project)
    for key in ("2", "2", "]"):
        page.keyboard.press(key)
    panel = page.get_by_role("group", name="What is unsafe in B?").first
    expect(panel.get_by_role("checkbox", name="Self-Harm")).to_be_visible()
    expect(panel.get_by_role("checkbox", name="Unhealthy Habits")).to_be_hidden()
    panel.get_by_text("Other category…").click()
    audit(page)
    panel.get_by_role("checkbox", name="Unhealthy Habits").check()
    panel.get_by_role("radio", name="1 Minor").check()
    page.locator("#item").evaluate("e => e.focus()")
    page.keyboard.press("Enter")
    expect(page.locator("#item")).to_have_text("Comparison 2 of 2")
    assert Judgment.objects.get(safe=False).categories == ["Self-Harm › Unhealthy Habits"]


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("address", ["projects/new", "projects/try/criteria", "projects/try/criteria/safety"])
def test_the_managers_pages_hold_wcag(
    page: Page, live_server: LiveServer, transactional_db: None, audit: Audit, address: str, scheme: str
) -> None:
    study()
    page.context.add_cookies([cookie(live_server, User.objects.get(email="mara@example.org"))])  # type: ignore[list-item]
    page.emulate_media(color_scheme=scheme)  # type: ignore[arg-type]
    for width, height in SIZES.items():
        page.set_viewport_size({"width": width, "height": height})
        page.goto(f"{live_server.url}/{address}/")
        audit(page)
        assert page.evaluate("document.documentElement.scrollWidth") <= width


def test_a_manager_tries_the_questions_in_the_preview(
    page: Page, live_server: LiveServer, transactional_db: None
) -> None:
    study()
    page.context.add_cookies([cookie(live_server, User.objects.get(email="mara@example.org"))])  # type: ignore[list-item]
    page.goto(f"{live_server.url}/projects/try/criteria/")
    preview = page.locator(".preview")
    expect(preview.get_by_role("radio", name="B is much better")).to_be_hidden()
    preview.get_by_role("radio", name="A is clearly more helpful", exact=True).check()
    preview.get_by_role("radio", name="B is clearly safer", exact=True).check()
    expect(preview.get_by_role("radio", name="B is much better")).to_be_visible()
    page.get_by_role("button", name="Stop asking Overall").click()
    expect(page.locator(".preview").get_by_text("Overall")).to_have_count(0)
