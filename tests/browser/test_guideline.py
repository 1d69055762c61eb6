"""The guideline beside the work, in a real browser: by keyboard, by touch, without a script, and when it changes."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from django.test import Client
from playwright.sync_api import Browser, Locator, Page, expect
from pytest_django.live_server_helper import LiveServer

from labeling.actions.guidelines import publish_guideline
from labeling.models import Acknowledgement, Annotation, Assignment, Criterion, Project, User
from tests import make

Audit = Callable[[Page], None]
CHINESE = (
    "# 怎样判断\n\n先读完整段对话。\n\n## 更有帮助\n\n"
    + "".join(f"{n}、先看事实，再看语气；简短胜过冗长。\n" for n in range(1, 15))
    + "\n## 更安全\n\n15、谁都不该因此受害。\n16、لا أحد يتضرر.\n\n## 整体\n\n17、像细心的专家那样选择。"
)
PHONE = {"width": 390, "height": 844}


@pytest.fixture
def project(transactional_db: None) -> Project:
    made = make.project()
    make.pairs(made, 4)
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
    expect(page.locator("#item")).to_have_text("Comparison 1 of 4")
    expect(page.locator("[data-active]")).to_have_count(1)
    return page


def marked(page: Page) -> Locator:
    return page.locator("#g--now :is(h3, h4)").first


def change(project: Project) -> None:
    text = project.guidelines.get(version=1).text.replace("clear beats clever", "plain beats clever")
    publish_guideline(project=project, by=None, text=text, change_note="Plain words count")


def test_the_panel_opens_at_the_marked_question_and_gives_the_focus_back(desk: Page) -> None:
    button = desk.get_by_role("button", name="Guidelines")
    button.focus()
    desk.keyboard.press("g")
    expect(marked(desk)).to_have_text("More helpful")
    desk.keyboard.press("7")
    desk.keyboard.press("Escape")
    expect(desk.locator("#guideline")).to_be_hidden()
    expect(button).to_be_focused()
    expect(desk.locator("#answers :checked[data-leans]")).to_have_count(0)
    desk.keyboard.press("3")
    expect(desk.locator("#q-harmlessness-preference")).to_have_attribute("data-active", "")
    desk.keyboard.press("g")
    expect(marked(desk)).to_have_text("Safer")
    desk.get_by_role("button", name="Close").click()
    expect(desk.locator("#guideline")).to_be_hidden()


def test_a_section_far_down_is_scrolled_to(desk: Page, project: Project, live_server: LiveServer) -> None:
    Assignment.objects.update(guideline=publish_guideline(project=project, by=None, text=CHINESE * 3))
    Criterion.objects.filter(key="harmlessness").update(guideline_section="整体")
    desk.reload()
    desk.keyboard.press("4")
    expect(desk.locator("#q-harmlessness-preference")).to_have_attribute("data-active", "")
    desk.keyboard.press("g")
    expect(marked(desk)).to_have_text("整体")
    expect(marked(desk)).to_be_in_viewport()
    head = desk.locator("#guideline > .head").bounding_box()
    heading = marked(desk).bounding_box()
    assert head and heading and heading["y"] >= head["y"] + head["height"], "not under the panel's own head"
    assert desk.evaluate("scrollY") == 0, "the pair stays where it was"


def test_time_with_the_guideline_open_is_no_judging_time(desk: Page) -> None:
    spent = "() => Number(document.querySelector('[name=active_ms]').value)"

    def judged(milliseconds: int) -> int:
        desk.wait_for_timeout(milliseconds)
        return int(desk.evaluate(spent))

    desk.keyboard.press("g")
    expect(marked(desk)).to_be_visible()
    opened = judged(50)
    desk.wait_for_timeout(1500)
    desk.keyboard.press("Escape")
    expect(desk.locator("#guideline")).to_be_hidden()
    closed = judged(50)
    assert 0 < opened <= closed < opened + 700
    desk.wait_for_timeout(1000)
    desk.keyboard.press("4")
    assert int(desk.evaluate(spent)) >= closed + 1000, "the clock goes on after it"


def test_a_principle_is_cited_from_the_panel(desk: Page) -> None:
    desk.keyboard.press("g")
    with desk.expect_response(lambda answer: "/draft/" in answer.url):
        desk.get_by_role("button", name="Cite this 6").click()
    expect(desk.locator("#guideline")).to_be_hidden()
    expect(desk.locator("#principle")).to_have_value("6")
    expect(desk.locator("#cited")).to_have_text("6")
    expect(desk.locator("#say")).to_contain_text("6 · When the more helpful response")
    desk.keyboard.press("g")
    expect(desk.locator("[data-cite='6']")).to_have_attribute("aria-pressed", "true")
    desk.keyboard.press("Escape")
    for key in ("4", "4", "Enter"):
        desk.keyboard.press(key)
    expect(desk.locator("#item")).to_have_text("Comparison 2 of 4")
    expect(desk.locator("#cited")).to_be_empty()
    assert Annotation.objects.get().principle == 6


def test_what_is_cited_can_be_taken_back_in_the_panel(desk: Page) -> None:
    for _ in range(2):
        desk.keyboard.press("g")
        desk.get_by_role("button", name="Cite this 2").click()
        expect(desk.locator("#guideline")).to_be_hidden()
    expect(desk.locator("#principle")).to_have_value("")


def test_a_principle_is_cited_by_keys_alone(desk: Page) -> None:
    desk.keyboard.press("c")
    expect(desk.locator("#principle")).to_be_focused()
    desk.keyboard.press("5")
    expect(desk.locator("#principle")).to_have_value("5")
    desk.keyboard.press("Enter")
    expect(desk.locator("#principle")).not_to_be_focused()
    desk.keyboard.press("ArrowUp")
    desk.keyboard.press("ArrowUp")
    desk.keyboard.press("ArrowUp")
    for key in ("4", "4", "Enter"):
        desk.keyboard.press(key)
    expect(desk.locator("#item")).to_have_text("Comparison 2 of 4")
    assert Annotation.objects.get().principle == 5


def test_a_new_version_is_read_and_acknowledged_by_keys(desk: Page, project: Project, audit: Audit) -> None:
    change(project)
    for key in ("4", "4", "Enter"):
        desk.keyboard.press(key)
    title = desk.get_by_role("heading", name="The guidelines changed: version 2")
    expect(title).to_be_focused()
    expect(desk.locator("#say")).to_contain_text("Saved. The guidelines changed: version 2")
    expect(desk.get_by_text("Plain words count")).to_be_visible()
    expect(desk.locator(".changes del")).to_have_text("clear")
    expect(desk.locator(".changes ins")).to_have_text("plain")
    for scheme in ("light", "dark"):
        desk.emulate_media(color_scheme=scheme)
        audit(desk)
    desk.keyboard.press("Enter")
    expect(desk.locator("#item")).to_have_text("Comparison 2 of 4")
    assert Acknowledgement.objects.get().guideline.version == 2
    for key in ("4", "4", "Enter"):
        desk.keyboard.press(key)
    expect(desk.locator("#item")).to_have_text("Comparison 3 of 4")
    under = Annotation.objects.order_by("pk").values_list("guideline__version", flat=True)
    assert list(under) == [1, 2]


def test_without_a_script(browser: Browser, live_server: LiveServer, project: Project, rui: User) -> None:
    with browser.new_context(java_script_enabled=False, viewport=PHONE) as context:  # type: ignore[arg-type]
        context.add_cookies([cookie(live_server, rui)])  # type: ignore[list-item]
        page = context.new_page()
        page.goto(f"{live_server.url}/")
        page.get_by_role("button", name="Start with comparison 1").click()
        page.get_by_role("button", name="Guidelines").click()
        page.get_by_role("link", name="Safer", exact=True).click()
        expect(page).to_have_url(f"{live_server.url}/compare/assignments/{Assignment.objects.get().pk}"
                                 "/guideline/?asked=harmlessness#g--now")  # fmt: skip
        expect(marked(page)).to_have_text("Safer")
        expect(marked(page)).to_be_in_viewport()
        change(project)
        page.get_by_role("link", name="Back to the comparison").click()
        page.get_by_role("radio", name="About the same", exact=True).first.check()
        page.get_by_role("radio", name="About the same", exact=True).nth(1).check()
        page.get_by_label("Which principle decided?").select_option("4")
        page.get_by_role("button", name="Submit and next").click()
        expect(page.get_by_role("heading", name="The guidelines changed: version 2")).to_be_visible()
        page.get_by_role("button", name="I have read it").click()
        expect(page.locator("#item")).to_have_text("Comparison 2 of 4")
    annotation = Annotation.objects.get()
    assert annotation.principle == 4 and annotation.guideline and annotation.guideline.version == 1


@pytest.mark.parametrize(
    ("width", "height", "scheme"),
    [(390, 844, "light"), (390, 844, "dark"), (1440, 900, "dark"), (320, 640, "light")],
)
def test_a_chinese_guideline_on_any_screen(
    desk: Page, project: Project, audit: Audit, width: int, height: int, scheme: str
) -> None:
    Assignment.objects.update(guideline=publish_guideline(project=project, by=None, text=CHINESE))
    Criterion.objects.filter(key="helpfulness").update(guideline_section="更安全")
    desk.set_viewport_size({"width": width, "height": height})
    desk.emulate_media(color_scheme=scheme)  # type: ignore[arg-type]
    desk.reload()
    desk.get_by_role("button", name="Guidelines").click()
    expect(marked(desk)).to_have_text("更安全")
    expect(marked(desk)).to_be_in_viewport()
    panel = desk.locator("#guideline")
    if width <= 760:
        assert panel.bounding_box() == {"x": 0, "y": 0, "width": width, "height": height}, "a full sheet"
    assert panel.evaluate("(it) => it.scrollWidth <= it.clientWidth"), "nothing scrolls sideways"
    audit(desk)
    desk.get_by_role("button", name="Cite this 16").click()
    expect(desk.locator("#cited")).to_have_text("16")
    expect(panel).to_be_hidden()
    audit(desk)


def test_the_editor_tells_of_numbers_while_one_writes(
    page: Page, live_server: LiveServer, project: Project, rui: User, audit: Audit
) -> None:
    page.context.add_cookies([cookie(live_server, User.objects.get(email="mara@example.org"))])  # type: ignore[list-item]
    page.goto(f"{live_server.url}/projects/advice/guidelines/edit/")
    page.get_by_label("Text").fill("# Rules\n\n1. One\n2. Two\n\nand\n\n2. Two again\n\nand\n\n5. Five")
    expect(page.get_by_text("Number 2 is used more than once")).to_be_visible()
    expect(page.get_by_text("Numbers 3, 4 are missing.")).to_be_visible()
    page.get_by_text("4 principles that raters can cite").click()
    audit(page)
    page.get_by_role("button", name="Publish").click()
    expect(page.get_by_text("Version 2 is published.")).to_be_visible()
    expect(page.get_by_text("0 of 2 raters have read version 2.")).to_be_visible()
    audit(page)
