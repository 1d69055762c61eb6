"""The states of the desk, each reached by making it really happen: slow, offline, late, twice, signed out, done."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from datetime import timedelta
from typing import Any

import pytest
from django.contrib.sessions.models import Session
from django.utils import timezone
from playwright.sync_api import Page, Request, Route, expect
from pytest_django.live_server_helper import LiveServer

from labeling.actions.assign import claim, expire_stale, release
from labeling.actions.queues import change_queue
from labeling.models import Annotation, Assignment, Project, User
from tests import make
from tests.browser.conftest import DRAFT, answer, at, cookie
from tests.browser.proxy import Wire, proxy

Audit = Callable[[Page], None]
SUBMIT = re.compile(r"/submit/$")


def local(page: Page, what: str) -> list[str]:
    """Keys of what this device keeps of a kind."""
    keys: list[str] = page.evaluate("what => Object.keys(localStorage).filter((key) => key.startsWith(what))", what)
    return keys


# --- loading, saved -------------------------------------------------------------------------------


def test_a_slow_answer_shows_a_skeleton_after_300_ms_and_says_so_once(desk: Page, audit: Audit) -> None:
    answer(desk)
    waiting: list[Route] = []
    desk.route(SUBMIT, lambda route: waiting.append(route))
    desk.evaluate(
        """() => {
          window.marks = {};
          document.addEventListener("htmx:beforeRequest", () => { marks.sent = performance.now(); });
          new MutationObserver(() => { marks.shown ??= performance.now(); })
            .observe(document.querySelector("#loading"), { attributes: true });
        }"""
    )
    with desk.expect_request(SUBMIT):
        desk.keyboard.press("Enter")
    expect(desk.locator("#loading")).to_be_visible()
    expect(desk.locator("#say")).to_have_text("Loading the next comparison.")
    assert desk.evaluate("marks.shown - marks.sent") >= 299
    audit(desk)
    waiting[0].continue_()
    at(desk, 2)
    expect(desk.locator("#loading")).to_be_hidden()


def test_saved_is_said_until_the_next_answer(desk: Page) -> None:
    answer(desk)
    desk.keyboard.press("Enter")
    expect(desk.locator(".saved")).to_have_text("Saved. This is comparison 2 of 3.")
    answer(desk)
    expect(desk.locator(".saved")).to_be_visible()
    desk.keyboard.press("Enter")
    expect(desk.locator(".saved")).to_have_text("Saved. This is comparison 3 of 3.")


def test_enter_pressed_again_while_it_is_sent_sends_nothing_twice(desk: Page) -> None:
    answer(desk)
    waiting: list[Route] = []
    desk.route(SUBMIT, lambda route: waiting.append(route))
    expect(desk.locator("#submit")).to_have_attribute("aria-disabled", "false")
    with desk.expect_request(SUBMIT):
        desk.keyboard.press("Enter")
    for _ in range(3):
        desk.keyboard.press("Enter")
    for route in waiting:
        route.continue_()
    at(desk, 2)
    assert len(waiting) == 1 and Annotation.objects.count() == 1


def test_what_the_screen_was_and_the_hand_are_kept_with_the_answer(desk: Page) -> None:
    answer(desk)
    desk.keyboard.press("Enter")
    at(desk, 2)
    desk.set_viewport_size({"width": 1000, "height": 800})
    desk.locator("[name='helpfulness.preference'][value='-1']").click(force=True)
    desk.locator("#next-question").click()
    desk.locator("[name='harmlessness.preference'][value='-1']").click(force=True)
    desk.locator("#submit").click()
    at(desk, 3)
    kept = list(Annotation.objects.order_by("pk").values_list("viewport", "pointer"))
    assert kept == [("desktop", "keyboard"), ("tablet", "mouse")]


# --- drafts ---------------------------------------------------------------------------------------


def test_a_draft_that_the_server_did_not_get_is_on_the_device(desk: Page, complaints: list[str]) -> None:
    desk.route(DRAFT, lambda route: route.abort())
    with desk.expect_event("requestfailed"):
        for key in "26":
            desk.keyboard.press(key)
        desk.locator("#rationale").fill("Only here so far.")
    desk.reload()
    expect(desk.get_by_text("We kept the answers you had not submitted")).to_be_visible()
    expect(desk.locator("#rationale")).to_have_value("Only here so far.")
    expect(desk.locator("#q-helpfulness-preference .answer")).to_have_text("A, clearly")
    expect(desk.locator("#q-overall-preference")).to_be_visible()
    assert not Assignment.objects.exclude(draft=None).exists()
    desk.keyboard.press("ArrowDown")
    desk.keyboard.press("ArrowDown")
    desk.locator("[name='overall.preference'][value='0']").click(force=True)
    desk.locator("#submit").click()
    at(desk, 2)
    assert local(desk, "draft:") == []
    complaints.clear()


def test_a_newer_draft_of_the_server_wins(desk: Page, complaints: list[str]) -> None:
    desk.route(DRAFT, lambda route: route.abort())
    with desk.expect_event("requestfailed"):
        desk.keyboard.press("2")
    elsewhere = {"judgments": {"helpfulness": {"preference": 3}}}
    Assignment.objects.update(draft=elsewhere, draft_at=timezone.now() + timedelta(minutes=1))
    desk.reload()
    expect(desk.locator("#q-helpfulness-preference .answer")).to_have_text("B, much")
    complaints.clear()


def test_start_again_forgets_both_drafts(desk: Page) -> None:
    answer(desk, "2")
    desk.reload()
    desk.get_by_role("button", name="Start again").click()
    expect(desk.locator("#q-helpfulness-preference :checked")).to_have_count(0)
    assert local(desk, "draft:") == []


# --- the lease ------------------------------------------------------------------------------------


def test_the_last_two_minutes_are_said_and_any_answer_renews(desk: Page) -> None:
    for renew in (lambda: desk.get_by_role("button", name="Keep it 20 min").click(), lambda: desk.keyboard.press("3")):
        Assignment.objects.update(lease_until=timezone.now() + timedelta(seconds=115))
        desk.reload()
        expect(desk.locator("#lease")).to_contain_text("This pair is yours for 2 more minutes.")
        expect(desk.locator("#say")).to_have_text("This pair is yours for 2 more minutes.")
        with desk.expect_response(re.compile("/renew/$")):
            renew()
        expect(desk.locator("#lease")).to_be_hidden()
        held = Assignment.objects.get()
        assert held.lease_until and held.lease_until > timezone.now() + timedelta(minutes=19)


def test_a_pair_that_went_to_someone_else(desk: Page, project: Project, rui: User, audit: Audit) -> None:
    held = expired(project, rui)
    rosa = User.objects.get(email="rosa@example.org")
    taken = Assignment.objects.create(
        project=project, queue=held.queue, slot=held.pair.slots.get(), pair=held.pair, rater=rosa, state="open"
    )
    held.pair.slots.update(state="leased")
    answer(desk)
    desk.keyboard.press("Enter")
    expect(desk.get_by_role("alert")).to_contain_text("This pair went to someone else.")
    expect(desk.locator("#q-harmlessness-preference .answer")).to_have_text("A, clearly")
    audit(desk)
    with desk.expect_response(SUBMIT):
        desk.get_by_role("button", name="Try to submit anyway").click()
    expect(desk.get_by_role("alert")).to_contain_text("This pair went to someone else.")
    assert not Annotation.objects.exists()
    release(assignment=taken, rater=rosa)
    desk.get_by_role("button", name="Try to submit anyway").click()
    expect(desk.locator(".saved")).to_be_visible()
    assert Annotation.objects.get().assignment_id == held.pk


def test_next_comparison_leaves_a_lost_pair(desk: Page, project: Project, rui: User) -> None:
    held = expired(project, rui)
    held.pair.slots.update(state="done")
    answer(desk)
    desk.keyboard.press("Enter")
    expect(desk.get_by_role("alert")).to_contain_text("This pair went to someone else.")
    desk.keyboard.press("Enter")
    at(desk, 1)
    expect(desk.locator("#q-harmlessness-preference .answer")).to_have_text("")
    assert Assignment.objects.get(state="open").pair_id != held.pair_id
    held.refresh_from_db()
    assert held.draft is not None


def test_a_renewal_that_comes_too_late_offers_both_ways(desk: Page, project: Project, rui: User) -> None:
    Assignment.objects.update(lease_until=timezone.now() + timedelta(seconds=60))
    desk.reload()
    expect(desk.locator("#lease")).to_contain_text("This pair is yours for 1 more minute.")
    expired(project, rui)
    desk.get_by_role("button", name="Keep it 20 min").click()
    expect(desk.locator("#lease")).to_contain_text("someone else may have it")
    expect(desk.locator("#lease").get_by_role("button", name="Next comparison")).to_be_visible()
    answer(desk)
    desk.locator("#lease").get_by_role("button", name="Try to submit anyway").click()
    expect(desk.locator(".saved")).to_be_visible()
    assert Annotation.objects.count() == 1


def expired(project: Project, rui: User) -> Assignment:
    """Rui's hold ran out, one rater a pair is wanted, and his place in the queue is behind the others."""
    change_queue(queue=make.queue(project), by=None, overlap=1)
    held = Assignment.objects.get(rater=rui)
    Assignment.objects.filter(pk=held.pk).update(lease_until=timezone.now() - timedelta(seconds=1))
    assert expire_stale(queue=make.queue(project)) == 1
    return held


# --- two tabs -------------------------------------------------------------------------------------


def test_other_answers_from_a_second_tab_change_nothing(desk: Page, audit: Audit) -> None:
    other = desk.context.new_page()
    other.goto(desk.url)
    at(other, 1)
    answer(desk)
    desk.keyboard.press("Enter")
    at(desk, 2)
    for key in "66":
        other.keyboard.press(key)
    other.keyboard.press("Enter")
    told = other.get_by_role("alert")
    expect(told).to_contain_text("You already answered this pair. It was submitted in another tab")
    expect(told).to_contain_text("We did not change it.")
    audit(other)
    assert Annotation.objects.get().revision == 1
    other.get_by_role("link", name="Show my answer").click()
    expect(other.get_by_role("heading", name="Change your answer")).to_be_visible()
    expect(other.locator("#q-helpfulness-preference .answer")).to_have_text("A, clearly")


# --- no connection --------------------------------------------------------------------------------


def test_offline_the_answer_is_kept_and_sent_when_the_line_is_back(
    desk: Page, complaints: list[str], audit: Audit
) -> None:
    answer(desk)
    desk.context.set_offline(True)
    desk.keyboard.press("Enter")
    told = "No connection. Your answer is kept on this device and will be sent."
    expect(desk.locator("#waiting")).to_contain_text(told)
    expect(desk.locator("#say")).to_have_text(told)
    at(desk, 1)
    audit(desk)
    desk.context.set_offline(False)
    at(desk, 2)
    expect(desk.locator("#waiting")).to_be_hidden()
    assert Annotation.objects.count() == 1 and local(desk, "answer:") == []
    complaints.clear()


def test_an_answer_is_sent_again_after_2_5_15_and_30_seconds(
    page: Page, live_server: LiveServer, rui: User, complaints: list[str]
) -> None:
    page.clock.install()
    page.context.add_cookies([cookie(live_server, rui)])  # type: ignore[list-item]
    page.goto(f"{live_server.url}/")
    page.keyboard.press("Enter")
    at(page, 1)
    answer(page)
    page.route(SUBMIT, lambda route: route.abort())
    sent: list[dict[str, str]] = []
    page.on("request", lambda one: sent.append(dict(one.headers)) if SUBMIT.search(one.url) else None)
    page.clock.pause_at(page.evaluate("Date.now() + 1000"))
    bodies = set()
    with page.expect_event("requestfailed", lambda one: bool(SUBMIT.search(one.url))) as first:
        page.keyboard.press("Enter")
    bodies.add(said(first.value))
    for seconds in (2, 5, 15, 30, 30):
        before = len(sent)
        page.clock.run_for(seconds * 1000 - 100)
        assert len(sent) == before
        with page.expect_event("requestfailed", lambda one: bool(SUBMIT.search(one.url))) as again:
            page.clock.run_for(200)
        bodies.add(said(again.value))
    assert len(bodies) == 1, "the same answer under the same key"
    complaints.clear()


def said(request: Request) -> str:
    """What a request sends, without the token of the page it comes from."""
    return re.sub(r"^csrfmiddlewaretoken=\w+&", "", request.post_data or "")


def test_a_closed_tab_keeps_the_answer_for_the_next_visit(desk: Page, complaints: list[str]) -> None:
    answer(desk)
    desk.route(SUBMIT, lambda route: route.abort())
    desk.keyboard.press("Enter")
    expect(desk.locator("#waiting")).to_be_visible()
    address, context = desk.url, desk.context
    desk.close()
    assert not Annotation.objects.exists()
    later = context.new_page()
    later.goto(address)
    at(later, 2)
    assert Annotation.objects.count() == 1 and local(later, "answer:") == []
    complaints.clear()


@pytest.fixture
def wired(page: Page, live_server: LiveServer, rui: User) -> Iterator[tuple[Page, Any]]:
    """Rui's desk at the end of a wire that the test can cut."""
    with proxy(live_server.url) as wire:
        page.context.add_cookies([cookie(live_server, rui) | {"url": wire.url}])  # type: ignore[list-item]
        page.goto(f"{wire.url}/")
        page.keyboard.press("Enter")
        at(page, 1)
        answer(page)
        yield page, wire


def test_an_answer_whose_acknowledgement_is_lost_counts_once(wired: tuple[Page, Any], complaints: list[str]) -> None:
    page, wire = wired
    wire.wire = Wire.ANSWERS_LOST
    page.keyboard.press("Enter")
    expect(page.locator("#waiting")).to_contain_text("No connection.")
    assert Annotation.objects.count() == 1, "the server has it, and the browser does not know"
    following = Assignment.objects.get(state="open").pk
    wire.wire = Wire.WHOLE
    page.get_by_role("button", name="Try now").click()
    at(page, 2)
    expect(page.locator(f"[data-assignment='{following}']")).to_have_count(1)
    assert Annotation.objects.count() == 1
    complaints.clear()


def test_an_answer_that_was_lost_after_it_was_stored_does_not_undo_a_later_change(
    wired: tuple[Page, Any], live_server: LiveServer, complaints: list[str]
) -> None:
    """The acknowledgement is lost; the rater changes the answer on another device; then the first one sends again."""
    page, wire = wired
    wire.wire = Wire.ANSWERS_LOST
    page.keyboard.press("Enter")
    expect(page.locator("#waiting")).to_be_visible()
    answered = Assignment.objects.get(state="submitted")
    other = page.context.new_page()
    other.goto(f"{live_server.url}/compare/assignments/{answered.pk}/change/")
    other.locator("[name='helpfulness.preference'][value='3']").click(force=True)
    other.locator("[name='overall.preference'][value='3']").click(force=True)
    other.locator("#submit").click()
    at(other, 2)
    assert Annotation.objects.get(current=True).revision == 2
    wire.wire = Wire.WHOLE
    page.get_by_role("button", name="Try now").click()
    at(page, 2)
    assert Annotation.objects.get(current=True).revision == 2 and Annotation.objects.count() == 2
    complaints.clear()


def test_a_server_that_says_nothing_is_given_up_and_asked_again(wired: tuple[Page, Any], complaints: list[str]) -> None:
    page, wire = wired
    page.evaluate("document.querySelector('#desk').setAttribute('hx-request', '{\"timeout\": 3000}')")
    wire.wire = Wire.SILENT
    page.keyboard.press("Enter")
    expect(page.locator("#loading")).to_be_visible()
    expect(page.locator("#waiting")).to_contain_text("No connection.")
    expect(page.locator("#loading")).to_be_hidden()
    wire.wire = Wire.WHOLE
    page.get_by_role("button", name="Try now").click()
    at(page, 2)
    assert Annotation.objects.count() == 1
    complaints.clear()


def test_a_cut_line_keeps_an_undo_from_losing_the_page(wired: tuple[Page, Any], complaints: list[str]) -> None:
    page, wire = wired
    page.keyboard.press("Enter")
    at(page, 2)
    wire.wire = Wire.CUT
    page.keyboard.press("u")
    expect(page.locator("#waiting")).to_contain_text("try once more")
    at(page, 2)
    wire.wire = Wire.WHOLE
    page.keyboard.press("u")
    expect(page.get_by_role("heading", name="Change your answer")).to_be_focused()
    expect(page.locator("#waiting")).to_be_hidden()
    complaints.clear()


# --- signed out -----------------------------------------------------------------------------------


def sign_in(page: Page, name: str, password: str = make.PASSWORD) -> None:
    page.get_by_label("E-mail address").fill(f"{name}@example.org")
    page.get_by_label("Password").fill(password)
    page.get_by_role("button", name="Sign in").click()


def test_signed_out_the_sign_in_comes_over_the_pair_and_the_answer_goes_on(desk: Page, audit: Audit) -> None:
    answer(desk)
    Session.objects.all().delete()
    desk.keyboard.press("Enter")
    dialog = desk.get_by_role("dialog", name="You are signed out")
    expect(dialog).to_be_visible()
    audit(desk)
    sign_in(desk, "rui", "wrong")
    expect(dialog.get_by_role("alert")).to_contain_text("do not go together")
    assert not Annotation.objects.exists()
    sign_in(desk, "rui")
    at(desk, 2)
    expect(dialog).to_be_hidden()
    assert Annotation.objects.count() == 1
    answer(desk)
    desk.keyboard.press("Enter")
    at(desk, 3)


def test_another_person_who_signs_in_there_sends_nothing_of_the_first(
    desk: Page, live_server: LiveServer, rui: User, complaints: list[str]
) -> None:
    answer(desk)
    address = desk.url
    Session.objects.all().delete()
    desk.keyboard.press("Enter")
    expect(desk.get_by_role("dialog", name="You are signed out")).to_be_visible()
    sign_in(desk, "rosa")
    expect(desk.get_by_role("heading", name="Hello, Rosa")).to_be_visible()
    desk.goto(address)
    expect(desk.get_by_role("button", name="Start")).to_be_visible()
    assert not Annotation.objects.exists()
    desk.context.clear_cookies()
    desk.context.add_cookies([cookie(live_server, rui)])  # type: ignore[list-item]
    desk.goto(address)
    at(desk, 2)
    assert Annotation.objects.get().rater == rui
    complaints.clear()


def test_a_new_session_from_another_tab_is_taken_over(
    desk: Page, live_server: LiveServer, complaints: list[str]
) -> None:
    """Signing in again changes the token that guards forms; the page that was open gets the new one."""
    answer(desk)
    other = desk.context.new_page()
    other.goto(f"{live_server.url}/")
    other.get_by_role("button", name=re.compile("Account of")).click()
    other.get_by_role("button", name="Sign out").click()
    sign_in(other, "rui")
    expect(other.get_by_role("heading", name="Hello, Rui")).to_be_visible()
    desk.keyboard.press("Enter")
    at(desk, 2)
    assert Annotation.objects.count() == 1
    complaints.clear()


def test_a_draft_of_somebody_signed_out_is_kept_quietly(desk: Page, complaints: list[str]) -> None:
    Session.objects.all().delete()
    with desk.expect_response(DRAFT) as refused:
        desk.locator("#rationale").fill("Not interrupted while writing.")
    assert refused.value.status == 401
    expect(desk.get_by_role("dialog", name="You are signed out")).to_be_hidden()
    assert len(local(desk, "draft:")) == 1
    complaints.clear()


# --- the end, and what a person chose --------------------------------------------------------------


def test_finished_says_how_much_and_offers_other_work(desk: Page, rui: User, audit: Audit) -> None:
    other = make.project("other", "More advice")
    make.member(other, "Rui", "rater")
    make.pair(other)
    for number in (1, 2, 3):
        at(desk, number)
        answer(desk)
        desk.keyboard.press("Enter")
    expect(desk.get_by_role("heading", name="All done here")).to_be_focused()
    expect(desk.locator("#main")).to_contain_text("You judged 3 of 3.")
    audit(desk)
    desk.get_by_role("button", name="Go on with More advice").click()
    at(desk, 1, of=1)


def test_ways_to_read_are_remembered_for_the_person(desk: Page, live_server: LiveServer) -> None:
    desk.get_by_role("button", name="Larger text").click()
    desk.get_by_role("button", name="Stacked").click()
    desk.reload()
    expect(desk.locator("html")).to_have_attribute("data-size", "larger")
    expect(desk.get_by_role("button", name="Stacked")).to_have_attribute("aria-pressed", "true")
    rosa = User.objects.get(email="rosa@example.org")
    claim(queue=make.queue(Project.objects.get()), rater=rosa)
    desk.context.clear_cookies()
    desk.context.add_cookies([cookie(live_server, rosa)])  # type: ignore[list-item]
    desk.reload()
    expect(desk.locator("html")).to_have_attribute("data-size", "usual")
