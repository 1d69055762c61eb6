"""The pages of those who run a project, in a real browser: live figures, invitations, the editor, the operator's."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from django.test import Client
from playwright.sync_api import Browser, Page, expect
from pytest_django.live_server_helper import LiveServer

from labeling.actions.annotate import submit
from labeling.actions.assign import claim
from labeling.actions.guidelines import publish_guideline
from labeling.actions.people import invite
from labeling.models import Guideline, Membership, Project, Queue, User
from tests import make

Audit = Callable[[Page], None]
ANSWER = {"judgments": {"helpfulness": {"preference": -2}, "safety": {"left": {"safe": True}, "right": {"safe": True}}}}
PAGES = (
    "/projects/advice/", "/projects/advice/queues/{queue}/", "/projects/advice/queues/new/",
    "/projects/advice/queues/{queue}/change/", "/projects/advice/people/",
    "/projects/advice/guidelines/", "/projects/advice/guidelines/2/?changes=1", "/projects/advice/guidelines/edit/",
    "/projects/advice/settings/", "/projects/new/", "/api/v1/docs/",
)  # fmt: skip
OPERATORS = (
    "",
    "labeling/user/",
    "labeling/user/{user}/change/",
    "labeling/auditentry/",
    "labeling/annotation/",
    "labeling/project/",
)


@pytest.fixture
def project(transactional_db: None) -> Project:
    made = make.project(overlap=2)
    make.pairs(made, 3)
    return made


@pytest.fixture
def people(project: Project) -> dict[str, User]:
    return make.cast(project)


@pytest.fixture
def queue(project: Project) -> Queue:
    return make.queue(project)


def judge(queue: Queue, rater: User) -> None:
    assignment = claim(queue=queue, rater=rater)
    assert assignment is not None
    submit(assignment=assignment, rater=rater, body=ANSWER)


def sign_in(page: Page, live_server: LiveServer, user: User) -> Page:
    client = Client()
    client.force_login(user)
    cookie = {"name": "annotate_session", "value": client.cookies["annotate_session"].value, "url": live_server.url}
    page.context.add_cookies([cookie])  # type: ignore[list-item]
    return page


@pytest.fixture
def mara(page: Page, live_server: LiveServer, people: dict[str, User]) -> Page:
    return sign_in(page, live_server, people["Mara"])


def test_figures_move_without_reloading_and_focus_stays(
    mara: Page, live_server: LiveServer, queue: Queue, people: dict[str, User]
) -> None:
    mara.goto(f"{live_server.url}/projects/advice/")
    expect(mara.locator("#figures")).to_contain_text("0 answered")
    mara.evaluate("document.documentElement.dataset.same = 'yes'")
    mara.locator(f"#queue-{queue.pk}").focus()
    for name in ("Rui", "Rosa"):
        judge(queue, people[name])
    expect(mara.locator("#figures")).to_contain_text("2 answered", timeout=9000)
    expect(mara.locator("#tables")).to_contain_text("2 people judged 2 pairs")
    expect(mara.locator(f"#queue-{queue.pk}")).to_be_focused()
    assert mara.evaluate("document.documentElement.dataset.same") == "yes", "the page itself was not loaded again"


def test_the_queue_page_shows_who_holds_what_as_it_changes(
    mara: Page, live_server: LiveServer, queue: Queue, people: dict[str, User]
) -> None:
    mara.goto(f"{live_server.url}/projects/advice/queues/{queue.pk}/")
    expect(mara.locator("#holds")).to_contain_text("Nobody at the moment")
    mara.locator("#change-rules").focus()
    claim(queue=queue, rater=people["Rui"])
    expect(mara.locator("#holds")).to_contain_text("Rui", timeout=9000)
    expect(mara.locator("#change-rules")).to_be_focused()


def test_an_invitation_from_link_to_first_page(
    mara: Page, live_server: LiveServer, browser: Browser, settings: object, people: dict[str, User]
) -> None:
    mara.goto(f"{live_server.url}/projects/advice/people/")
    mara.get_by_role("button", name="Make a link").click()
    link = mara.locator(".secret").inner_text()
    context = browser.new_context()
    nina = context.new_page()
    nina.goto(live_server.url + "/join/" + link.rpartition("/join/")[2])
    nina.get_by_label("Your name").fill("Nina")
    nina.get_by_label("E-mail address").fill("nina@example.org")
    nina.get_by_label("Password").fill(make.PASSWORD)
    nina.get_by_role("button", name="Make my account and join").click()
    expect(nina.locator("body")).to_contain_text("Welcome to Everyday advice")
    context.close()
    assert Membership.objects.filter(user__email="nina@example.org", role="rater").exists()


def test_the_editor_shows_the_text_as_it_is_typed_and_publishes(mara: Page, live_server: LiveServer) -> None:
    mara.goto(f"{live_server.url}/projects/advice/guidelines/edit/")
    mara.get_by_label("Text").fill("# Be **kind**\n\n<img src=x onerror=alert(1)>")
    expect(mara.locator("#preview strong")).to_have_text("kind")
    mara.get_by_label("What changed").fill("Kinder")
    mara.get_by_role("button", name="Publish").click()
    expect(mara.locator("body")).to_contain_text("Version 2 is published")
    assert Guideline.objects.get(version=2).change_note == "Kinder"


@pytest.mark.parametrize("theme", ["light", "dark"])
def test_every_page_holds_on_a_phone_and_a_desk_in_both_themes(
    mara: Page, live_server: LiveServer, queue: Queue, people: dict[str, User], audit: Audit, theme: str
) -> None:
    judge(queue, people["Rui"])
    claim(queue=queue, rater=people["Rosa"])
    publish_guideline(project=queue.project, by=people["Mara"], text="1. Be kind.", change_note="Kinder")
    invite(project=queue.project, role="rater", by=people["Mara"])
    mara.emulate_media(color_scheme=theme)  # type: ignore[arg-type]
    for path in PAGES:
        for width in (390, 1280):
            mara.set_viewport_size({"width": width, "height": 844})
            answer = mara.goto(live_server.url + path.format(queue=queue.pk))
            assert answer is not None and answer.status == 200, path
            assert mara.evaluate("document.documentElement.scrollWidth") <= width, f"{path} scrolls sideways at {width}"
        audit(mara)


def test_the_pages_behind_a_link(
    page: Page, live_server: LiveServer, project: Project, people: dict[str, User], audit: Audit
) -> None:
    _, secret = invite(project=project, role="rater", by=people["Mara"])
    for path, says in ((f"/join/{secret}/", "You are invited"), ("/join/unknown/", "does not work")):
        page.goto(live_server.url + path)
        expect(page.locator("main")).to_contain_text(says)
        audit(page)


def test_the_operators_pages_obey_the_content_security_policy(
    page: Page, live_server: LiveServer, queue: Queue, people: dict[str, User], complaints: list[str]
) -> None:
    operator = make.person("Olga", superuser=True)
    judge(queue, people["Rui"])
    sign_in(page, live_server, operator)
    for path in OPERATORS:
        answer = page.goto(f"{live_server.url}/operate/{path.format(user=people['Rui'].pk)}")
        assert answer is not None and answer.status == 200, path
        assert answer.headers["content-security-policy"].count("default-src 'none'") == 1
        assert "unsafe" not in answer.headers["content-security-policy"]
    assert complaints == []


def test_an_operator_deactivates_a_person_and_changes_nothing_else(
    page: Page, live_server: LiveServer, people: dict[str, User]
) -> None:
    sign_in(page, live_server, make.person("Olga", superuser=True))
    page.goto(f"{live_server.url}/operate/labeling/user/{people['Rui'].pk}/change/")
    page.get_by_label("Is active").uncheck()
    page.get_by_role("button", name="Save", exact=True).click()
    expect(page.locator("body")).to_contain_text("was changed successfully")
    assert not User.objects.get(pk=people["Rui"].pk).is_active
    for model in ("annotation", "judgment", "auditentry", "project", "queue", "membership", "item"):
        assert page.request.get(f"{live_server.url}/operate/labeling/{model}/add/").status == 403, model
