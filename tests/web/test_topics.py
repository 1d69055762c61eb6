"""The rater's side of care: topics, the choice before a sensitive pair, breaks, caps, how they are."""

from __future__ import annotations

import re
from datetime import timedelta
from typing import Any

import pytest
from django.test import Client
from django.utils import timezone

from labeling.actions.topics import add_topic
from labeling.models import Annotation, Assignment, CheckIn, Exposure, Pair, Participation, Passage, Project
from tests import make
from tests.web.conftest import signed_in
from tests.web.test_compare import ANSWERS, HTMX

pytestmark = pytest.mark.django_db
SECRET = "The pills are in the blue box."


@pytest.fixture
def project() -> Project:
    made = make.project(overlap=1)
    made.support = "Dr. Lin <b>0800</b> https://help.example/ lin@example.org"
    made.save()
    add_topic(project=made, by=None, key="self-harm", name="self-harm", severity=2, description="Threats & pain.")
    return made


@pytest.fixture
def rui(project: Project) -> Client:
    return signed_in(make.cast(project)["Rui"])


def sensitive(project: Project) -> Pair:
    return make.pair(project, SECRET, tags=["self-harm"])


def choose(client: Client, *keys: str) -> None:
    assert client.post("/projects/advice/topics/", {"topics": keys}).status_code == 302


def start(client: Client, project: Project) -> Assignment:
    assert client.post(f"/compare/{make.queue(project).pk}/next/").status_code == 302
    return Assignment.objects.get(state="open")


def send(client: Client, held: Assignment, act: str, answers: dict[str, Any] | None = None, **headers: Any) -> Any:
    return client.post(f"/compare/assignments/{held.pk}/{act}/", answers or {}, **headers)


# --- the page -------------------------------------------------------------------------------------


def test_the_page_says_what_there_is_to_know_and_nothing_is_chosen(rui: Client, project: Project) -> None:
    sensitive(project), make.pair(project), make.pair(project)
    page = rui.get("/projects/advice/topics/").text
    assert "1 item, 33 % of the project." in page and "2 Serious" in page and "Text only." in page
    assert "At most 20 comparisons or 60 minutes a day" in page and "Threats &amp; pain." in page
    assert "Dr. Lin &lt;b&gt;" in page and 'href="https://help.example/"' in page and "mailto:lin@example.org" in page
    assert not re.search(r'name="topics"[^>]*checked', page)
    choose(rui, "self-harm")
    assert re.search(r'name="topics"[^>]*checked', rui.get("/projects/advice/topics/").text)
    assert Participation.objects.get().topics == ["self-harm"]
    choose(rui)
    assert Participation.objects.get().topics == []


def test_what_is_no_topic_is_refused(rui: Client) -> None:
    assert "no topic “gore”" in rui.post("/projects/advice/topics/", {"topics": ["gore"]}, follow=True).text


def test_without_topics_or_support_it_says_so(rui: Client, project: Project) -> None:
    project.topics.all().delete()
    assert "No sensitive topics" in rui.get("/projects/advice/topics/").text
    Project.objects.update(support="")
    assert "have not said yet whom you can talk to" in rui.get("/projects/advice/support/").text


def test_home_tells_the_choice_and_whom_to_talk_to(rui: Client, project: Project) -> None:
    sensitive(project)
    home = rui.get("/").text
    assert "You chose none: everyday comparisons only." in home and "/projects/advice/support/" in home
    choose(rui, "self-harm")
    assert "You chose: self-harm." in rui.get("/").text


# --- before a sensitive pair ----------------------------------------------------------------------


@pytest.fixture
def held(rui: Client, project: Project) -> Assignment:
    """A sensitive pair that Rui has, not opened."""
    sensitive(project)
    choose(rui, "self-harm")
    return start(rui, project)


def test_nothing_of_the_text_is_there_until_it_is_opened(rui: Client, held: Assignment) -> None:
    page = rui.get(f"/compare/{held.queue_id}/").text
    assert "This comparison is about self-harm" in page and "Text only." in page and "Talk to someone" in page
    for part in (SECRET, held.pair.item.conversation[0]["content"], "Second answer"):
        assert part not in page
    for act in ("submit", "skip"):
        refused = send(rui, held, act, ANSWERS | {"reason": "bored"}, headers=HTMX)
        assert SECRET not in refused.text and "This comparison is about self-harm" in refused.text
    assert not Exposure.objects.exists() and not Annotation.objects.exists()
    assert send(rui, held, "open")["Location"] == f"/compare/{held.queue_id}/"
    assert SECRET in rui.get(f"/compare/{held.queue_id}/").text
    assert Exposure.objects.get().shown == 1


def test_no_other_page_shows_it_either(rui: Client, held: Assignment) -> None:
    """Reading choices, a break, my work after another one was asked for, the guideline."""
    answers = [
        send(rui, held, "reading", {"raw": "on"}, headers=HTMX),
        send(rui, held, "draft", ANSWERS, headers=HTMX),
        rui.get(f"/compare/assignments/{held.pk}/guideline/"),
        rui.post(f"/compare/{held.queue_id}/break/", ANSWERS, headers=HTMX),
        rui.get(f"/compare/{held.queue_id}/", headers=HTMX),
        send(rui, held, "skip", {"reason": "upsetting"}),
        rui.get("/my-work/"),
        rui.get(f"/my-work/{held.pk}/"),
        send(rui, held, "change"),
    ]
    asked = held.pair.item.conversation[0]["content"]
    assert not [one for one in answers if SECRET in one.text or asked in one.text]
    assert answers[0].status_code == answers[7].status_code == 404
    assert "Too upsetting" not in answers[6].text


def test_my_work_names_a_sensitive_pair_by_its_topic(rui: Client, held: Assignment) -> None:
    send(rui, held, "open")
    send(rui, held, "submit", ANSWERS)
    mine = rui.get("/my-work/").text
    assert "About: self-harm" in mine and held.pair.item.conversation[0]["content"] not in mine


def test_by_htmx_the_pair_comes_at_once(rui: Client, held: Assignment) -> None:
    answer = send(rui, held, "open", headers=HTMX)
    assert SECRET in answer.text and "<html" not in answer.text


def test_another_one_costs_nothing_and_asks_nothing(rui: Client, held: Assignment, project: Project) -> None:
    make.pair(project)
    page = rui.get(f"/compare/{held.queue_id}/").text
    assert re.search(r'name="reason" value="upsetting"><button[^>]*>Give me another', page)
    send(rui, held, "skip", {"reason": "upsetting"})
    held.refresh_from_db()
    assert held.skip_reason == "upsetting" and not Exposure.objects.exists()
    assert Assignment.objects.get(state="open").lane == ""


@pytest.mark.parametrize("opened", [False, True])
def test_no_more_of_this_topic(rui: Client, held: Assignment, project: Project, opened: bool) -> None:
    make.pair(project)
    if opened:
        send(rui, held, "open")
    assert f"/compare/assignments/{held.pk}/no-more/" in rui.get(f"/compare/{held.queue_id}/").text
    send(rui, held, "no-more")
    held.refresh_from_db()
    assert held.state == "released" and Participation.objects.get().topics == []
    assert Assignment.objects.get(state="open").lane == ""
    assert "No more comparisons about self-harm" in rui.get("/").text


def test_with_images_it_says_so(rui: Client, held: Assignment) -> None:
    held.pair.item.conversation = [{"role": "user", "content": [{"type": "image", "image": "a" * 64}]}]
    held.pair.item.save()
    assert "With images." in rui.get(f"/compare/{held.queue_id}/").text


def test_a_topic_that_is_gone_goes_by_its_tag(rui: Client, held: Assignment, project: Project) -> None:
    project.topics.all().delete()
    assert "This comparison is about self-harm" in rui.get(f"/compare/{held.queue_id}/").text


def test_several_topics_are_named_together(rui: Client, project: Project) -> None:
    for key in ("violence", "abuse"):
        add_topic(project=project, by=None, key=key, name=key)
    make.pair(project, tags=["self-harm", "violence", "abuse"])
    choose(rui, "self-harm", "violence", "abuse")
    held = start(rui, project)
    page = rui.get(f"/compare/{held.queue_id}/").text
    assert "This comparison is about abuse, self-harm and violence" in page


def test_the_last_of_the_day_is_told_once(rui: Client, project: Project) -> None:
    project.topics.update(daily_pairs=1)
    sensitive(project), sensitive(project), make.pair(project), make.pair(project)
    choose(rui, "self-harm")
    held = start(rui, project)
    while not held.lane:
        send(rui, held, "submit", ANSWERS)
        held = Assignment.objects.get(state="open")
    send(rui, held, "open")
    answer = send(rui, held, "submit", ANSWERS, headers=HTMX)
    assert "That is enough of this topic for today" in answer.text and "everyday questions" in answer.text
    following = rui.get(f"/compare/{held.queue_id}/").text
    assert "That is enough" not in following
    assert not Assignment.objects.filter(state="open").exclude(lane="").exists()


def test_a_cap_reached_meanwhile_is_told_instead_of_the_text(rui: Client, held: Assignment, project: Project) -> None:
    facts = {"user_id": held.rater_id, "project": project, "day": timezone.now().date()}
    Exposure.objects.create(topic="self-harm", shown=20, **facts)
    answer = send(rui, held, "open")
    assert "That is enough of this topic for today" in answer.text and SECRET not in answer.text
    assert SECRET not in rui.get(f"/compare/{held.queue_id}/").text


# --- breaks ---------------------------------------------------------------------------------------


@pytest.fixture
def tired(rui: Client, project: Project) -> Client:
    """Rui has judged enough for a break; two pairs are left."""
    Project.objects.update(break_after_pairs=1)
    make.pairs(project, 3)
    assert "judged 1 comparison since your last break" in send(rui, start(rui, project), "submit", ANSWERS).text
    return rui


def test_a_break_stands_in_for_the_next_pair_also_after_a_reload(tired: Client, project: Project) -> None:
    here = f"/compare/{make.queue(project).pk}/"
    for page in (tired.get(here), tired.post(f"{here}next/"), tired.get(here, headers=HTMX)):
        assert "judged 1 comparison since your last break" in page.text and "Your place is kept." in page.text
    assert not Assignment.objects.filter(state="open").exists()
    assert tired.post(f"{here}go-on/")["Location"] == here
    assert "Comparison 2 of 3" in tired.get(here).text


def test_taking_it_leads_to_a_quiet_page(tired: Client, project: Project) -> None:
    here = f"/compare/{make.queue(project).pk}/"
    assert tired.post(f"{here}break/")["Location"] == f"{here}break/"
    page = tired.get(f"{here}break/").text
    assert "Take your time" in page and "Talk to someone" in page
    tired.post(f"{here}go-on/")
    assert Assignment.objects.filter(state="open").count() == 1


def test_minutes_are_told_in_minutes(rui: Client, project: Project) -> None:
    make.pairs(project, 2)
    held = start(rui, project)
    Assignment.objects.update(claimed_at=timezone.now() - timedelta(hours=1))
    answer = send(rui, held, "submit", ANSWERS | {"active_ms": str(25 * 60_000)}, headers=HTMX)
    assert "You have been reading for 25 minutes" in answer.text


def test_a_break_in_the_middle_keeps_what_was_typed(rui: Client, project: Project) -> None:
    make.pair(project)
    held = start(rui, project)
    rui.post(f"/compare/{held.queue_id}/break/", ANSWERS | {"rationale": "Half a thou"})
    page = rui.get(f"/compare/{held.queue_id}/break/").text
    assert "Your comparison is kept for you until" in page
    rui.post(f"/compare/{held.queue_id}/go-on/")
    assert "Half a thou" in rui.get(f"/compare/{held.queue_id}/").text


def test_an_empty_form_is_no_draft(rui: Client, project: Project) -> None:
    make.pair(project)
    held = start(rui, project)
    rui.post(f"/compare/{held.queue_id}/break/", {"active_ms": "900"}, headers=HTMX)
    held.refresh_from_db()
    assert held.draft is None


def test_a_paused_queue_says_that_it_is_paused(tired: Client, project: Project) -> None:
    queue = make.queue(project)
    project.queues.update(paused=True)
    assert "This queue is paused" in tired.get(f"/compare/{queue.pk}/").text


# --- how they are ---------------------------------------------------------------------------------


@pytest.mark.parametrize("shared", [False, True])
def test_they_are_asked_after_sensitive_pairs_only_and_answer_with_the_same_press(
    tired: Client, project: Project, shared: bool
) -> None:
    here = f"/compare/{make.queue(project).pk}/"
    assert "How are you feeling?" not in tired.get(here).text
    Passage.objects.update(run_at=timezone.now())
    assert "How are you feeling?" in tired.get(here).text
    tired.post(f"{here}go-on/", {"feeling": "off"} | ({"share": "1"} if shared else {}))
    assert CheckIn.objects.get().shared == shared
    assert "How are you feeling?" not in tired.get(f"{here}break/").text
    mine = tired.get("/projects/advice/topics/").text
    assert "A bit off" in mine and ("Stop sharing" in mine) == shared
    tired.post(f"/projects/advice/topics/check-ins/{CheckIn.objects.get().pk}/unshare/")
    assert not CheckIn.objects.get().shared


def test_no_answer_and_a_made_up_one_are_none(tired: Client, project: Project) -> None:
    for said in ({}, {"feeling": "great"}, {"share": "1"}):
        tired.post(f"/compare/{make.queue(project).pk}/break/", said)
    assert not CheckIn.objects.exists()


def test_what_another_said_cannot_be_touched(tired: Client, project: Project) -> None:
    rosa = make.member(project, "Rosa", "rater")
    said = CheckIn.objects.create(project=project, user=rosa, feeling="fine", shared=True)
    assert tired.post(f"/projects/advice/topics/check-ins/{said.pk}/unshare/").status_code == 404
