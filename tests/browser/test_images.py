"""Images in a real browser: what is veiled is not fetched before it is opened, by keyboard and by finger."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from django.core.files.base import ContentFile
from django.test import Client
from playwright.sync_api import Page, Route, expect
from pytest_django.live_server_helper import LiveServer

from labeling.actions.assign import claim
from labeling.actions.import_items import run_step, start_batch, store_file
from labeling.actions.queues import change_queue
from labeling.models import Annotation, Image, Project, User
from tests import make
from tests.pictures import noise, part, png, zipped

Audit = Callable[[Page], None]
FILES = {"asked.png": noise(1, (900, 600)), "left.png": noise(2, (300, 800)), "right.png": png("navy", (500, 500))}
ARABIC = "ماذا ترى في هذه الصورة؟"


@pytest.fixture
def project(transactional_db: None) -> Project:
    made = make.project()
    asked = [part("asked.png", alt="A grey haze"), {"type": "text", "text": ARABIC}]
    answers = [{"content": [part(name)]} for name in ("left.png", "right.png")]
    rows: list[dict[str, Any]] = [
        {"conversation": [{"role": "user", "content": asked}], "responses": answers, "language": "ar"},
        {"prompt": "And a text?", "responses": ["One.", "Two."]},
    ]
    stored = store_file(ContentFile(zipped(rows, FILES)))
    assert not run_step(start_batch(project=made, by=None, name="x.zip", stored=stored))
    # the pair with images first, whatever the queue's order
    made.queues.get().slots.filter(pair__first__parts__isnull=True).update(rank=10**6)
    return made


@pytest.fixture
def rui(project: Project) -> User:
    return make.cast(project)["Rui"]


@pytest.fixture
def fetched(page: Page) -> list[str]:
    """The paths of images that the browser has asked for."""
    paths: list[str] = []
    page.on("request", lambda request: paths.append(request.url) if "/images/" in request.url else None)
    return paths


@pytest.fixture
def desk(page: Page, live_server: LiveServer, project: Project, rui: User, fetched: list[str]) -> Page:
    """Rui's browser with the pair of images open, in a queue that veils them."""
    change_queue(queue=make.queue(project), by=None, blur_images=True)
    assert claim(queue=make.queue(project), rater=rui)
    open_desk(page, live_server, project, rui)
    return page


def open_desk(page: Page, live_server: LiveServer, project: Project, user: User) -> None:
    client = Client()
    client.force_login(user)
    session = client.cookies["annotate_session"].value
    page.context.add_cookies([{"name": "annotate_session", "value": session, "url": live_server.url}])
    page.goto(f"{live_server.url}/compare/{make.queue(project).pk}/")


def test_a_veiled_image_is_fetched_when_it_is_opened_and_only_then(
    desk: Page, fetched: list[str], audit: Audit
) -> None:
    desk.mouse.wheel(0, 3000)
    desk.wait_for_load_state("networkidle")
    assert fetched == []
    for image in desk.locator(".picture img").all():
        expect(image).to_be_hidden()
    audit(desk)
    asked = desk.locator(".prompt .picture")
    asked.locator("summary").focus()
    desk.keyboard.press("Enter")
    expect(asked.locator("img")).to_be_visible()
    expect(asked.locator("img")).to_have_js_property("complete", True)
    assert asked.locator("img").evaluate("image => image.naturalWidth") == 900
    assert [path.rsplit("/", 2)[1] for path in fetched] == [Image.objects.get(width=900).token]
    assert not Annotation.objects.exists(), "Enter opened the image and submitted nothing"
    audit(desk)
    desk.keyboard.press("Enter")
    expect(asked.locator("img")).to_be_hidden()
    desk.locator(".resp").first.get_by_text("Show the image").click()
    expect(desk.locator(".resp img").first).to_be_visible()
    desk.wait_for_load_state("networkidle")
    assert len(fetched) == 2


def test_on_a_phone_and_in_the_dark(desk: Page, fetched: list[str], audit: Audit) -> None:
    desk.set_viewport_size({"width": 390, "height": 844})
    desk.emulate_media(color_scheme="dark")
    audit(desk)
    desk.locator(".prompt summary").click()
    expect(desk.locator(".prompt img")).to_be_visible()
    for width in (390, 320):
        desk.set_viewport_size({"width": width, "height": 844})
        box = desk.locator(".prompt img").bounding_box()
        assert box is not None and box["width"] <= width and box["height"] <= 0.6 * 844 + 1
        assert desk.evaluate("document.documentElement.scrollWidth <= innerWidth")
    audit(desk)
    assert len(fetched) == 1


def test_without_a_veil_the_image_is_there_and_opens_in_full_size(
    page: Page, live_server: LiveServer, project: Project, rui: User, fetched: list[str], audit: Audit
) -> None:
    assert claim(queue=make.queue(project), rater=rui)
    open_desk(page, live_server, project, rui)
    image = page.get_by_role("img", name="A grey haze")
    expect(image).to_be_visible()
    box = image.bounding_box()
    assert box is not None and box["height"] <= 0.6 * 800 + 1
    prompt = page.locator(".prompt .prose").bounding_box()
    assert prompt is not None and box["x"] + box["width"] == pytest.approx(prompt["x"] + prompt["width"], abs=2), "RTL"
    audit(page)
    with page.context.expect_page() as opened:
        page.get_by_role("link", name="A grey haze").click()
    full = opened.value
    full.wait_for_load_state()
    assert full.url.endswith(f"/images/{Image.objects.get(width=900).token}/")
    assert full.evaluate("document.images[0].naturalWidth") == 900
    assert full.evaluate("opener") is None


def test_a_layout_that_does_not_jump_when_an_image_arrives(
    page: Page, live_server: LiveServer, project: Project, rui: User
) -> None:
    """The place of the text below is the same while the images are held back and when they are there."""
    assert claim(queue=make.queue(project), rater=rui)
    held: list[Route] = []
    page.route("**/images/**", lambda route: held.append(route))
    open_desk(page, live_server, project, rui)
    expect(page.locator(".resp").first).to_be_visible()
    before = page.locator(".tools").bounding_box()
    for route in held:
        route.continue_()
    expect(page.locator(".prompt img")).to_have_js_property("complete", True)
    assert before == page.locator(".tools").bounding_box()


def test_the_next_pair_leaves_nothing_of_the_images(desk: Page, fetched: list[str]) -> None:
    desk.keyboard.press("s")
    desk.get_by_role("button", name="Skip it").click()
    expect(desk.get_by_text("And a text?")).to_be_visible()
    expect(desk.locator(".picture")).to_have_count(0)
    assert fetched == []
