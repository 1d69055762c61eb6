"""Getting in, in a real browser: by keyboard alone, on a phone, in both themes, from a crowd link to its code."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from playwright.sync_api import Browser, Page, expect
from pytest_django.live_server_helper import LiveServer

from labeling.actions.consent import publish_consent
from labeling.actions.crowd_entry import make_link, token_of
from labeling.actions.gold import tell_gold
from labeling.actions.practice import shown_swapped
from labeling.models import Attempt, CrowdEntry, CrowdLink, Lesson, Participation, Project, User
from tests import make
from tests.browser.conftest import cookie

Audit = Callable[[Page], None]
AGREE = "# What you agree to\n\nYour judgments become part of a dataset.\n\n* You can stop at any time."
KNOWN = {"helpfulness": {"preference": 2}, "safety": {"left": {"safe": True}, "right": {"safe": True}}}


@pytest.fixture
def lessons(project: Project, rui: User) -> dict[str, Lesson]:
    """One to practise on and one to qualify by, in both of which the second response is more helpful."""
    mara = User.objects.get(name="Mara")
    publish_consent(project=project, by=mara, text=AGREE)
    made = {stage: make.lesson(project, stage) for stage in ("practice", "qualification")}
    for one in made.values():
        tell_gold(pair=one.pair, by=mara, body={"judgments": KNOWN}, known={"helpfulness", "safety"})
    Lesson.objects.update(explanation="The second one does what was asked.", principle=1)
    return made


@pytest.fixture
def rui_at(page: Page, live_server: LiveServer, rui: User) -> Page:
    page.context.add_cookies([cookie(live_server, rui)])  # type: ignore[list-item]
    return page


def key_for_second(lesson: Lesson, user: User) -> str:
    """The key of “clearly more helpful” on the side where this person sees the second response."""
    return "2" if shown_swapped(lesson, user) else "6"


def test_by_keyboard_alone_from_home_to_the_first_pair(
    rui_at: Page, live_server: LiveServer, rui: User, lessons: dict[str, Lesson]
) -> None:
    page = rui_at
    page.goto(live_server.url)
    page.keyboard.press("Enter")
    expect(page.get_by_role("heading", name="Before you begin")).to_be_visible()
    expect(page.locator("[aria-current=step]")).to_contain_text("Consent")
    page.get_by_role("button", name="I agree").press("Enter")
    page.get_by_role("button", name="I have read them").press("Enter")
    expect(page.locator("[aria-current=step]")).to_contain_text("Practice")
    page.keyboard.press("Enter")
    expect(page.locator("#item")).to_have_text("Practice 1 of 1")
    page.keyboard.press("g")
    expect(page.locator("#guideline")).to_contain_text("How to judge")
    page.keyboard.press("Escape")

    page.keyboard.press("Enter")  # nothing is answered yet
    expect(page.locator("#q-helpfulness-preference .place-of-error")).not_to_be_empty()
    page.locator("#item").focus()
    wrong = "6" if key_for_second(lessons["practice"], rui) == "2" else "2"
    for key in (wrong, "4", "Enter"):
        page.keyboard.press(key)
    expect(page.get_by_role("heading", name="What is known")).to_be_visible()
    expect(page.locator(".marks .wrong")).to_have_count(1)
    expect(page.locator(".marks .right")).to_have_count(2)
    expect(page.get_by_text("Principle 1 decides")).to_be_visible()

    page.get_by_role("link", name="Try again").press("Enter")
    expect(page.locator(":checked[name='helpfulness.preference']")).to_have_count(0)
    expect(page.locator("#kept")).to_be_hidden()
    for key in (key_for_second(lessons["practice"], rui), "4", "Enter"):
        page.keyboard.press(key)
    expect(page.locator(".marks .right")).to_have_count(3)
    page.keyboard.press("Enter")
    expect(page.get_by_role("heading", name="Qualification")).to_be_visible()
    page.keyboard.press("Enter")
    expect(page.locator("#item")).to_have_text("Qualification 1 of 1")
    for key in (key_for_second(lessons["qualification"], rui), "4", "Enter"):
        page.keyboard.press(key)
    expect(page.get_by_role("heading", name="You are ready")).to_be_visible()
    page.keyboard.press("Enter")
    expect(page.locator("#item")).to_have_text("Comparison 1 of 3")
    assert Participation.objects.get().qualified_at is not None
    practised = Attempt.objects.filter(lesson__stage="practice").order_by("number")
    assert list(practised.values_list("right", flat=True)) == [2, 3]


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("width", [390, 1440])
def test_the_raters_pages_have_no_barrier(
    rui_at: Page, live_server: LiveServer, lessons: dict[str, Lesson], audit: Audit, scheme: str, width: int
) -> None:
    page = rui_at
    page.set_viewport_size({"width": width, "height": 900})
    page.emulate_media(color_scheme="dark" if scheme == "dark" else "light")

    def fine() -> None:
        audit(page)
        assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")

    page.goto(live_server.url)
    fine()
    page.goto(f"{live_server.url}/projects/advice/welcome/")
    fine()
    page.get_by_role("button", name="I agree").click()
    fine()
    page.get_by_role("button", name="I have read them").click()
    fine()
    page.get_by_role("link", name="Go to the practice").click()
    fine()
    answer_all(page, width)
    expect(page.get_by_role("heading", name="What is known")).to_be_visible()
    fine()
    page.goto(f"{live_server.url}/account/profile/")
    fine()
    page.goto(f"{live_server.url}/account/")
    expect(page.get_by_role("heading", name="What you agreed to")).to_be_visible()
    fine()


def answer_all(page: Page, width: int) -> None:
    """Answer both questions by pointing, on a phone one after the other in the sheet."""
    page.locator("[name='helpfulness.preference'][value='0']").check(force=True)
    if width < 1080:
        page.locator("#next-question").click()
    page.locator("[name='harmlessness.preference'][value='0']").check(force=True)
    page.locator("#submit").click()


def test_without_a_script_the_way_in_is_the_same(
    browser: Browser, live_server: LiveServer, rui: User, lessons: dict[str, Lesson]
) -> None:
    context = browser.new_context(java_script_enabled=False)
    context.add_cookies([cookie(live_server, rui)])  # type: ignore[list-item]
    page = context.new_page()
    page.goto(f"{live_server.url}/projects/advice/welcome/")
    page.get_by_role("button", name="I agree").click()
    page.get_by_role("button", name="I have read them").click()
    page.get_by_role("link", name="Go to the practice").click()
    page.get_by_role("radio", name="B is clearly more helpful").check(force=True)
    page.locator("[name='harmlessness.preference'][value='0']").check(force=True)
    page.get_by_role("button", name="See what is known").click()
    expect(page.get_by_role("heading", name="What is known")).to_be_visible()
    context.close()


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_the_managers_pages_have_no_barrier(
    page: Page, live_server: LiveServer, project: Project, lessons: dict[str, Lesson], audit: Audit, scheme: str
) -> None:
    mara = User.objects.get(name="Mara")
    link = crowd_link(project, "prolific")
    CrowdEntry.objects.create(link=link, user=User.objects.get(name="Rui"), worker_id="5f3c2a9b8e7d6c5b4a392817")
    page.context.add_cookies([cookie(live_server, mara)])  # type: ignore[list-item]
    page.emulate_media(color_scheme="dark" if scheme == "dark" else "light")
    for path in (
        "", "consent/", "people/", "lessons/new/", f"lessons/{lessons['practice'].pk}/", "crowd/new/",
        f"crowd/{link.pk}/", f"crowd/{crowd_link(project, 'mturk').pk}/",
    ):  # fmt: skip
        page.goto(f"{live_server.url}/projects/advice/getting-in/{path}")
        expect(page.locator("h1")).to_be_visible()
        audit(page)


def test_a_manager_tells_what_is_known_by_pointing(
    page: Page, live_server: LiveServer, project: Project, rui: User
) -> None:
    page.context.add_cookies([cookie(live_server, User.objects.get(name="Mara"))])  # type: ignore[list-item]
    page.goto(f"{live_server.url}/projects/advice/getting-in/lessons/new/")
    page.get_by_role("button", name="Practise on pair").first.click()
    page.get_by_role("checkbox", name="More helpful").check(force=True)
    page.get_by_role("checkbox", name="Safer").uncheck(force=True)
    page.get_by_role("radio", name="A is much more helpful").check(force=True)
    page.get_by_label("Why this is right").fill("It answers.")
    page.get_by_role("button", name="Save").click()
    expect(page.get_by_text("Saved.")).to_be_visible()
    lesson = Lesson.objects.get()
    assert lesson.explanation == "It answers."
    assert lesson.pair.gold_answers.get(criterion__key="helpfulness").preference == -3


def crowd_link(project: Project, platform: str) -> CrowdLink:
    return make_link(
        project=project, queue=make.queue(project), by=User.objects.get(name="Mara"), platform=platform, name=platform,
        pairs_wanted=1, completion_code="C1DONE22",
    )  # fmt: skip


@pytest.mark.parametrize("width", [390, 1280])
def test_a_worker_from_the_link_to_the_code(
    page: Page, live_server: LiveServer, project: Project, rui: User, audit: Audit, width: int
) -> None:
    page.context.grant_permissions(["clipboard-read", "clipboard-write"])
    page.set_viewport_size({"width": width, "height": 844})
    link = crowd_link(project, "prolific")
    page.goto(
        f"{live_server.url}/enter/{token_of(link)}/?PROLIFIC_PID=5f3c2a9b8e7d6c5b4a392817&STUDY_ID=a1b2&SESSION_ID=c3d4"
    )
    audit(page)
    page.keyboard.press("Enter")
    expect(page.get_by_role("heading", name="0 of 1 comparisons")).to_be_visible()
    audit(page)
    page.keyboard.press("Enter")
    expect(page.locator("#item")).to_have_text("Comparison 1 of 3")
    answer_all(page, width)
    expect(page.get_by_role("heading", name="All done. Thank you")).to_be_visible()
    audit(page)
    expect(page.locator("#code")).to_have_text("C1DONE22")
    page.get_by_role("button", name="Copy").click()
    expect(page.get_by_role("button", name="Copied")).to_be_visible()
    assert page.evaluate("navigator.clipboard.readText()") == "C1DONE22"
    expect(page.get_by_role("link", name="Back to Prolific")).to_have_attribute(
        "href", "https://app.prolific.com/submissions/complete?cc=C1DONE22"
    )
    page.goto(live_server.url)
    expect(page.locator("#code")).to_have_text("C1DONE22")


def test_the_pages_behind_odd_links_have_no_barrier(
    page: Page, live_server: LiveServer, project: Project, rui: User, audit: Audit
) -> None:
    link = crowd_link(project, "mturk")
    for address in (
        f"/enter/{token_of(link)}/?assignmentId=ASSIGNMENT_ID_NOT_AVAILABLE", f"/enter/{token_of(link)}/",
        "/enter/1.made-up/",
    ):  # fmt: skip
        page.goto(f"{live_server.url}{address}")
        expect(page.locator("h1")).to_be_visible()
        audit(page)
    assert not CrowdEntry.objects.exists()
