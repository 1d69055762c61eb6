"""A pair that came back to its rater: kept apart from annotations, read and changed like any answer."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from django.test import Client
from django.utils import timezone

from labeling.actions import leasing
from labeling.actions.annotate import submit
from labeling.actions.assign import claim
from labeling.actions.refusals import Refused
from labeling.models import Annotation, Assignment, Passage, Project, Queue, SecondLook, Slot, User
from labeling.reports.progress import queue_progress
from tests import make
from tests.web.conftest import signed_in

pytestmark = pytest.mark.django_db


@pytest.fixture
def project(monkeypatch: pytest.MonkeyPatch) -> Project:
    monkeypatch.setattr(leasing, "draw", lambda: 0)
    made = make.project(overlap=1)
    make.cast(made)
    made.queues.update(repeat_percent=20, repeat_after_days=7)
    make.pairs(made, 3)
    return made


@pytest.fixture
def rui(project: Project) -> User:
    return User.objects.get(name="Rui")


@pytest.fixture
def queue(project: Project) -> Queue:
    return make.queue(project)


def said(assignment: Assignment, helpfulness: int) -> dict[str, Any]:
    shown = -helpfulness if assignment.swapped else helpfulness
    return {"judgments": {"helpfulness": {"preference": shown}}}


@pytest.fixture
def again(queue: Queue, rui: User) -> Assignment:
    """The first pair, answered with 2 eight days ago, is there again the other way round."""
    first = claim(queue=queue, rater=rui)
    assert first is not None
    submit(assignment=first, rater=rui, body=said(first, 2))
    Assignment.objects.filter(pk=first.pk).update(ended_at=timezone.now() - timedelta(days=8))
    found = claim(queue=queue, rater=rui)
    assert found is not None and found.repeats_id == first.pk and found.swapped != first.swapped
    return found


def test_it_is_no_annotation_fills_no_slot_and_the_rater_goes_on(queue: Queue, rui: User, again: Assignment) -> None:
    before = (Annotation.objects.count(), Slot.objects.filter(state="done").count())
    done = submit(assignment=again, rater=rui, body=said(again, -1) | {"active_ms": 900}, then_claim=True)
    assert done.created and done.annotation.pk is None and done.following is not None
    assert (Annotation.objects.count(), Slot.objects.filter(state="done").count()) == before
    look = SecondLook.objects.get()
    assert (look.before, look.preference, look.active_ms, look.criterion.key) == (2, -1, 900, "helpfulness")
    assert queue_progress([queue])[0].done == 1
    assert Passage.objects.get(rater=rui, lane="").done == 2, "the rater worked"


def test_neither_is_acceptable_is_kept_as_such(rui: User, again: Assignment) -> None:
    submit(assignment=again, rater=rui, body={"judgments": {"helpfulness": {"both_bad": True}}})
    assert (SecondLook.objects.get().preference, SecondLook.objects.get().before) == (None, 2)


def test_sent_again_it_changes_nothing_and_others_are_refused(rui: User, again: Assignment) -> None:
    body = said(again, 1) | {"revises": 0}
    submit(assignment=again, rater=rui, body=body)
    assert not submit(assignment=again, rater=rui, body=body).created
    with pytest.raises(Refused) as refused:
        submit(assignment=again, rater=rui, body=said(again, -1) | {"revises": 0})
    assert refused.value.code == "answered_already"
    assert SecondLook.objects.get().preference == 1


def test_it_can_be_changed_for_a_while(project: Project, queue: Queue, rui: User, again: Assignment) -> None:
    browser = signed_in(rui)
    path = f"/compare/assignments/{again.pk}"
    fields = {"safety.left.safe": "yes", "safety.right.safe": "yes"}
    to_the_right = fields | {"helpfulness.preference": 1, "harmlessness.preference": 1, "revises": 0}
    to_the_left = fields | {"helpfulness.preference": -1, "harmlessness.preference": -1, "revises": 1}
    browser.post(f"{path}/submit/", to_the_right)
    first = SecondLook.objects.get().preference
    page = browser.get(f"/compare/{queue.pk}/undo/").text
    assert "Change your answer" in page
    assert "Your change is saved." in browser.post(f"{path}/change/", to_the_left, follow=True).text
    assert first is not None and SecondLook.objects.get().preference == -first
    Project.objects.filter(pk=project.pk).update(revise_minutes=0)
    with pytest.raises(Refused, match="time to change"):
        submit(assignment=again, rater=rui, body=said(again, 3))


def test_my_work_has_both_and_says_what_was_answered(rui: User, again: Assignment) -> None:
    submit(assignment=again, rater=rui, body=said(again, -3))
    browser = signed_in(rui)
    page = browser.get("/my-work/").text
    assert page.count('class="work-row"') == 2 and "Skipped" not in page
    assert "What you said" in browser.get(f"/my-work/{again.pk}/").text


def test_late_it_still_counts_once(queue: Queue, rui: User, again: Assignment) -> None:
    Assignment.objects.filter(pk=again.pk).update(state="expired", ended_at=timezone.now())
    once_more = claim(queue=queue, rater=rui)
    assert once_more is not None and once_more.repeats_id == again.repeats_id
    with pytest.raises(Refused, match="another tab"):
        submit(assignment=again, rater=rui, body=said(again, 1))
    Assignment.objects.filter(pk=once_more.pk).delete()
    submit(assignment=again, rater=rui, body=said(again, 1))
    assert SecondLook.objects.count() == 1


def test_by_api_the_answer_has_no_id(rui: User, again: Assignment) -> None:
    client = Client(headers={"Authorization": f"Token {make.token(rui)}"})
    path = f"/api/v1/assignments/{again.pk}/annotation/?claim=next"
    answer = client.post(path, said(again, 1), content_type="application/json")
    assert answer.status_code == 201
    told = answer.json()
    assert told["annotation"]["id"] is None and told["next"] is not None
    feed = Client(headers={"Authorization": f"Token {make.token(User.objects.get(name='Noor'))}"})
    rows = feed.get(f"/api/v1/projects/{again.project.slug}/annotations/").json()["results"]
    assert all(row["assignment"] != again.pk for row in rows)
