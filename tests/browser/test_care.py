"""Care in a real browser: nothing opens by itself, breaks, the cap, by keyboard; light, dark, wide and on a phone."""

from __future__ import annotations

import re
from collections.abc import Callable

import pytest
from django.utils import timezone
from playwright.sync_api import Browser, Locator, Page, expect
from pytest_django.live_server_helper import LiveServer

from labeling.actions.assign import claim, skip
from labeling.actions.care import check_in
from labeling.actions.topics import add_topic, choose_topics
from labeling.models import Annotation, Assignment, CheckIn, Exposure, Participation, Project, User
from tests import make
from tests.browser.conftest import cookie

Audit = Callable[[Page], None]
SECRET = "The pills are in the blue box."
SUPPORT = "Dr. Lin, +49 30 1234567\nhttps://help.example/ · lin@example.org"


@pytest.fixture
def project(transactional_db: None) -> Project:
    """Two everyday pairs, then two of a severe topic and one of a mild one: each comes after those before it."""
    made = make.project(overlap=1)
    made.support = SUPPORT
    made.save()
    add_topic(project=made, by=None, key="self-harm", name="self-harm", severity=3, daily_pairs=2)
    add_topic(project=made, by=None, key="violence", name="violence", severity=1)
    for tags in ([], [], ["self-harm"], ["self-harm"], ["violence"]):
        make.pair(made, SECRET, "Call somebody now.", tags=tags)
    return made


@pytest.fixture
def desk(page: Page, live_server: LiveServer, rui: User) -> Page:
    """Rui's browser, signed in at home; he has chosen both topics."""
    choose_topics(project=Project.objects.get(), rater=rui, keys=["self-harm", "violence"])
    page.context.add_cookies([cookie(live_server, rui)])  # type: ignore[list-item]
    page.goto(f"{live_server.url}/")
    return page


def answer(page: Page) -> None:
    """A tie on both questions, by key; then submitted."""
    expect(page.locator("[data-active]")).to_have_count(1)
    page.keyboard.press("4")
    page.keyboard.press("4")
    expect(page.locator("#submit")).to_have_attribute("aria-disabled", "false")
    page.keyboard.press("Enter")


def press(page: Page, key: str) -> None:
    """On a page that may have just come: its scripts have run when it is loaded."""
    page.wait_for_load_state()
    page.keyboard.press(key)


def to_the_first_sensitive(page: Page) -> None:
    page.keyboard.press("Enter")
    for number in (1, 2):
        expect(page.locator("#item")).to_have_text(f"Comparison {number} of 5")
        answer(page)
    expect(about(page)).to_be_focused()


def about(page: Page) -> Locator:
    return page.get_by_role("heading", name="This comparison is about self-harm")


def test_by_keyboard_alone_through_everything_that_protects(desk: Page) -> None:
    to_the_first_sensitive(desk)
    assert SECRET not in desk.content() and Exposure.objects.count() == 0
    desk.keyboard.press("Enter")  # an answer given fast must not open it
    expect(about(desk)).to_be_visible()
    desk.keyboard.press("o")
    expect(desk.get_by_text(SECRET)).to_be_visible()
    answer(desk)
    expect(desk.get_by_role("heading", name="That was a heavy one")).to_be_focused()
    assert not Assignment.objects.filter(state="open").exists()
    desk.get_by_role("radio", name="A bit off").press("Space")
    desk.keyboard.press("p")
    expect(desk.get_by_role("heading", name="Take your time")).to_be_visible()
    assert (CheckIn.objects.get().feeling, CheckIn.objects.get().shared) == ("off", False)
    press(desk, "Enter")
    expect(about(desk)).to_be_visible()
    press(desk, "o")
    answer(desk)
    expect(desk.get_by_role("heading", name="That is enough of this topic for today")).to_be_focused()
    expect(desk.locator("#say")).to_contain_text("We have switched you to everyday questions.")
    desk.keyboard.press("Enter")
    expect(desk.get_by_role("heading", name="This comparison is about violence")).to_be_visible()
    press(desk, "s")
    expect(desk.get_by_role("heading", name="Nothing for you right now")).to_be_visible()
    assert Annotation.objects.count() == 4 and Exposure.objects.get().shown == 2
    assert Assignment.objects.get(state="skipped").skip_reason == "upsetting"


def test_a_break_at_any_time_keeps_what_was_answered(desk: Page) -> None:
    desk.keyboard.press("Enter")
    expect(desk.locator("[data-active]")).to_have_count(1)
    desk.keyboard.press("2")
    desk.keyboard.press("p")
    expect(desk.get_by_role("heading", name="Take your time")).to_be_focused()
    expect(desk.locator("#main")).to_contain_text("Your comparison is kept for you until")
    desk.keyboard.press("Enter")
    expect(desk.get_by_text("We kept the answers you had not submitted")).to_be_visible()
    expect(desk.locator("#q-helpfulness-preference .answer")).to_have_text("A, clearly")


def test_no_more_of_it_while_judging(desk: Page) -> None:
    to_the_first_sensitive(desk)
    desk.keyboard.press("o")
    expect(desk.get_by_text(SECRET)).to_be_visible()
    desk.keyboard.press("s")
    desk.get_by_role("button", name="No more of this topic").click()
    expect(desk.get_by_role("heading", name="This comparison is about violence")).to_be_visible()
    expect(desk.get_by_text("No more comparisons about self-harm will come to you.")).to_be_visible()
    assert Participation.objects.get().topics == ["violence"]


def test_the_way_to_people_is_in_the_menu_of_the_desk(desk: Page) -> None:
    desk.keyboard.press("Enter")
    desk.get_by_role("button", name="Account of Rui").click()
    desk.get_by_role("link", name="Talk to someone").click()
    expect(desk.get_by_role("heading", name="Talk to someone")).to_be_visible()
    expect(desk.get_by_role("link", name="lin@example.org")).to_have_attribute("href", "mailto:lin@example.org")


def test_without_a_script_and_on_a_phone(browser: Browser, live_server: LiveServer, rui: User) -> None:
    choose_topics(project=Project.objects.get(), rater=rui, keys=["self-harm"])
    make.queue(Project.objects.get()).slots.filter(lane="").delete()
    with browser.new_context(java_script_enabled=False, viewport={"width": 390, "height": 844}) as context:
        context.add_cookies([cookie(live_server, rui)])  # type: ignore[list-item]
        page = context.new_page()
        page.goto(f"{live_server.url}/")
        page.get_by_role("button", name="Start with comparison 1").click()
        expect(about(page)).to_be_visible()
        page.get_by_role("button", name="Open").click()
        expect(page.get_by_role("heading", name="Response A")).to_be_visible()
        page.get_by_role("button", name="Break").click()
        expect(page.get_by_role("heading", name="Take your time")).to_be_visible()
        page.get_by_role("button", name="Go on").click()
        for question in ("helpfulness", "harmlessness"):
            page.locator(f"#q-{question}-preference").get_by_role("radio", name="About the same").check()
        page.get_by_role("button", name="Submit and next").click()
        expect(page.get_by_role("heading", name="That was a heavy one")).to_be_visible()
        page.get_by_role("button", name="Go on").click()
        expect(about(page)).to_be_visible()
        page.get_by_role("button", name="No more of this topic").click()
        expect(page.get_by_role("heading", name="Nothing for you right now")).to_be_visible()
    assert Exposure.objects.get().shown == 1


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("width", [1440, 390, 320])
def test_every_page_and_screen_of_care_holds_wcag(
    page: Page, live_server: LiveServer, rui: User, project: Project, audit: Audit, width: int, scheme: str
) -> None:
    def look() -> None:
        audit(page)
        assert page.evaluate("document.documentElement.scrollWidth") <= width

    page.set_viewport_size({"width": width, "height": 844})
    page.emulate_media(color_scheme=scheme)  # type: ignore[arg-type]
    page.context.add_cookies([cookie(live_server, rui)])  # type: ignore[list-item]
    make.queue(project).slots.filter(lane__in=["", "violence"]).delete()
    page.goto(f"{live_server.url}/projects/advice/topics/")
    look()
    page.get_by_role("checkbox", name="self-harm").check()
    page.get_by_role("button", name="Save my choice").click()
    expect(page.get_by_text("Saved. It holds from the next comparison on.")).to_be_visible()
    for address in ("/", "/projects/advice/support/"):
        page.goto(f"{live_server.url}{address}")
        look()
    page.goto(f"{live_server.url}/")
    page.get_by_role("button", name="Start with comparison 1").click()
    expect(about(page)).to_be_visible()
    look()
    page.get_by_role("button", name="Open").click()
    expect(page.locator("[data-active]")).to_have_count(1)
    answer(page)
    expect(page.get_by_role("heading", name="That was a heavy one")).to_be_visible()
    look()
    page.get_by_role("button", name="Take a break").click()
    expect(page.get_by_role("heading", name="Take your time")).to_be_visible()
    look()


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_the_care_page_holds_wcag_full_and_empty(
    page: Page, live_server: LiveServer, rui: User, project: Project, audit: Audit, scheme: str
) -> None:
    mara, rosa = (User.objects.get(email=f"{name}@example.org") for name in ("mara", "rosa"))
    check_in(project=project, user=rui, feeling="not_good", shared=True)
    queue = make.queue(project)
    queue.slots.filter(lane="").exclude(pair=queue.slots.filter(lane="").order_by("pair").values("pair")[:1]).delete()
    for rater in (rui, rosa):
        held = claim(queue=queue, rater=rater)
        assert held is not None
        skip(assignment=held, rater=rater, reason="broken", comment="It ends in mid-sentence.")
    day = timezone.now().date()
    Exposure.objects.create(project=project, user=rui, topic="self-harm", day=day, shown=3, milliseconds=900_000)
    page.emulate_media(color_scheme=scheme)  # type: ignore[arg-type]
    page.context.add_cookies([cookie(live_server, mara)])  # type: ignore[list-item]
    for width in (1440, 390, 320):
        page.set_viewport_size({"width": width, "height": 844})
        page.goto(f"{live_server.url}/projects/advice/care/")
        page.locator("summary").first.click()
        audit(page)
        assert page.evaluate("document.documentElement.scrollWidth") <= width
    project.topics.all().delete()
    Project.objects.update(support="")
    page.goto(f"{live_server.url}/projects/advice/care/")
    audit(page)
    page.get_by_label("Tag of the items").fill("violence")
    page.locator("#id_new-name").fill("violence")
    page.get_by_role("button", name="Add the topic").click()
    expect(page.get_by_role("alert").filter(has_text=re.compile("not given out"))).to_be_visible()
    audit(page)
