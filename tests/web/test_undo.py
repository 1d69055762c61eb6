"""Undo and changing answers through HTTP, and that an answer sent again never takes anything back."""

from __future__ import annotations

import re
from datetime import timedelta
from typing import Any

import pytest
from django.test import Client
from django.utils import timezone

from labeling.actions.assign import claim, skip
from labeling.models import Annotation, Assignment, Judgment, Project, Queue
from tests.web.conftest import signed_in

pytestmark = pytest.mark.django_db

HTMX = {"HX-Request": "true"}
ANSWERS = {
    "helpfulness.preference": "-2", "harmlessness.preference": "-1", "safety.left.safe": "yes",
    "safety.right.safe": "yes", "active_ms": "41200", "rationale_for": "overall helpfulness harmlessness",
    "rationale": "Plainer.", "revises": "0",
}  # fmt: skip
OTHER = ANSWERS | {"helpfulness.preference": "-3", "revises": "1"}


@pytest.fixture
def queue(study: dict[str, Any]) -> Queue:
    made: Queue = study["queue"]
    return made


@pytest.fixture
def rui(study: dict[str, Any]) -> Client:
    client: Client = study["as_"]["Rui"]
    return client


@pytest.fixture
def answered(rui: Client, study: dict[str, Any], queue: Queue) -> Assignment:
    """Rui's first pair, answered; the second is open."""
    held = claim(queue=queue, rater=study["people"]["Rui"])
    assert held is not None
    assert send(rui, held).status_code == 200
    held.refresh_from_db()
    return held


def send(client: Client, held: Assignment, answers: dict[str, Any] = ANSWERS, act: str = "submit") -> Any:
    return client.post(f"/compare/assignments/{held.pk}/{act}/", answers, headers=HTMX)


def change(client: Client, held: Assignment, answers: dict[str, Any] = OTHER) -> Any:
    return send(client, held, answers, act="change")


def checked(page: str, name: str) -> str:
    found = re.search(rf'name="{re.escape(name)}" value="([^"]*)"[^>]*\bchecked', page)
    return found[1] if found else ""


@pytest.mark.parametrize("swapped", [False, True])
def test_undo_shows_the_last_answer_as_it_was_given(
    rui: Client, answered: Assignment, queue: Queue, swapped: bool
) -> None:
    Assignment.objects.filter(pk=answered.pk).update(swapped=swapped)
    sign = -1 if answered.swapped != swapped else 1
    page = rui.get(f"/compare/{queue.pk}/undo/").text
    assert "Change your answer" in page and "Save the change" in page and "Plainer." in page
    assert checked(page, "helpfulness.preference") == str(-2 * sign)
    assert f"/compare/assignments/{answered.pk}/change/" in page and 'name="revises" value="1"' in page
    assert "Skip this comparison" not in page and 'id="draft"' not in page


def test_undo_answers_htmx_with_the_part(rui: Client, answered: Assignment, queue: Queue) -> None:
    part = rui.get(f"/compare/{queue.pk}/undo/", headers=HTMX).text
    assert "<html" not in part and "Change your answer" in part


def test_a_change_is_a_revision_and_leads_back_to_the_open_pair_with_its_draft(
    rui: Client, answered: Assignment
) -> None:
    held = Assignment.objects.get(state="open")
    send(rui, held, {"rationale": "Half a thou"}, act="draft")
    page = change(rui, answered).text
    assert "Your change is saved. This is comparison 2 of 2." in page
    assert f"/compare/assignments/{held.pk}/submit/" in page and "Half a thou" in page
    assert list(Annotation.objects.order_by("pk").values_list("revision", "current")) == [(1, False), (2, True)]
    assert Assignment.objects.filter(state="open").count() == 1


def test_without_a_script_a_change_redirects(rui: Client, answered: Assignment, queue: Queue) -> None:
    address = f"/compare/assignments/{answered.pk}/change/"
    assert rui.post(address, OTHER)["Location"] == f"/compare/{queue.pk}/"
    told = rui.post(address, OTHER | {"revises": "2", "back": "work"})
    assert told["Location"] == f"/my-work/{answered.pk}/"
    assert rui.post(address, OTHER | {"back": "https://elsewhere.example"})["Location"].startswith("/")


def test_undo_after_the_queue_is_finished(rui: Client, answered: Assignment, queue: Queue) -> None:
    last = Assignment.objects.get(state="open")
    assert "All done here" in send(rui, last).text
    page = rui.get(f"/compare/{queue.pk}/undo/").text
    assert f"/compare/assignments/{last.pk}/change/" in page
    assert "All done here" in change(rui, last).text


def test_a_wrong_change_is_told_at_its_place_and_keeps_what_it_changes(rui: Client, answered: Assignment) -> None:
    answer = change(rui, answered, OTHER | {"helpfulness.preference": "9"})
    assert answer.status_code == 422 and 'name="revises" value="1"' in answer.text
    assert "Change your answer" in answer.text and Annotation.objects.count() == 1


def test_a_skip_is_not_undone(rui: Client, queue: Queue, study: dict[str, Any]) -> None:
    held = claim(queue=queue, rater=study["people"]["Rui"])
    assert held is not None
    skip(assignment=held, rater=study["people"]["Rui"])
    assert rui.get(f"/compare/{queue.pk}/undo/")["Location"] == f"/compare/{queue.pk}/"
    assert "no answer here that you could still change" in rui.get(f"/compare/{queue.pk}/").text
    assert rui.get(f"/compare/assignments/{held.pk}/change/").status_code == 404


def test_after_the_window_nothing_is_changed(rui: Client, answered: Assignment, queue: Queue) -> None:
    Assignment.objects.filter(pk=answered.pk).update(ended_at=timezone.now() - timedelta(days=8))
    assert rui.get(f"/compare/{queue.pk}/undo/").status_code == 302
    assert rui.get(f"/compare/assignments/{answered.pk}/change/")["Location"] == f"/my-work/{answered.pk}/"
    refused = change(rui, answered)
    assert refused.status_code == 409 and "The time to change this answer is over" in refused.text
    assert Annotation.objects.count() == 1


def test_a_project_without_revising_offers_no_undo(rui: Client, answered: Assignment, queue: Queue) -> None:
    assert f"/compare/{queue.pk}/undo/" in rui.get(f"/compare/{queue.pk}/").text
    Project.objects.update(revise_minutes=0)
    assert f"/compare/{queue.pk}/undo/" not in rui.get(f"/compare/{queue.pk}/").text


def test_others_do_not_reach_it(study: dict[str, Any], answered: Assignment, queue: Queue) -> None:
    rosa = study["as_"]["Rosa"]
    assert rosa.get(f"/compare/assignments/{answered.pk}/change/").status_code == 404
    assert change(rosa, answered).status_code == 404
    assert rosa.get(f"/compare/{queue.pk}/undo/").status_code == 302
    assert signed_in(study["people"]["Otto"]).get(f"/compare/{queue.pk}/undo/").status_code == 404


# --- the same answer again ------------------------------------------------------------------------


def test_the_first_answer_sent_again_brings_the_same_next_pair(rui: Client, answered: Assignment) -> None:
    following = Assignment.objects.get(state="open")
    again = send(rui, answered)
    assert again.status_code == 200 and f"/compare/assignments/{following.pk}/submit/" in again.text
    assert Annotation.objects.count() == 1


def test_an_old_answer_sent_again_does_not_undo_a_change(rui: Client, answered: Assignment) -> None:
    change(rui, answered)
    again = send(rui, answered)
    assert again.status_code == 200
    assert Annotation.objects.get(current=True).revision == 2
    change(rui, answered)
    assert Annotation.objects.count() == 2


def test_another_first_answer_from_an_old_form_is_refused(rui: Client, answered: Assignment) -> None:
    refused = send(rui, answered, OTHER | {"revises": "0"})
    assert refused.status_code == 409
    assert "You already answered this pair." in refused.text and "We did not change it." in refused.text
    assert "Show my answer" in refused.text and Annotation.objects.count() == 1


def test_two_changes_of_one_form_are_not_merged(rui: Client, answered: Assignment) -> None:
    assert change(rui, answered).status_code == 200
    second = change(rui, answered, OTHER | {"helpfulness.preference": "3", "overall.preference": "0"})
    assert second.status_code == 409 and Annotation.objects.get(current=True).revision == 2


@pytest.mark.parametrize("revises", ["7", "99999", "-1"])
def test_a_revision_that_is_not_there_is_refused(rui: Client, answered: Assignment, revises: str) -> None:
    assert change(rui, answered, OTHER | {"revises": revises}).status_code == 422
    assert Annotation.objects.count() == 1


def test_screen_and_hand_are_kept_and_checked(rui: Client, answered: Assignment) -> None:
    held = Assignment.objects.get(state="open")
    assert send(rui, held, ANSWERS | {"viewport": "wall"}).status_code == 422
    send(rui, held, ANSWERS | {"viewport": "phone", "pointer": "touch"})
    kept = Annotation.objects.get(assignment=held)
    assert (kept.viewport, kept.pointer) == ("phone", "touch")
    assert Annotation.objects.get(assignment=answered).viewport == ""


def test_every_kind_of_answer_comes_back_as_it_was(rui: Client, study: dict[str, Any], queue: Queue) -> None:
    """What the form of a change is filled with says the same as what was sent: it is no revision."""
    project = study["project"]
    project.criteria.create(key="style", name="Style", kind="rating", minimum=0, maximum=4, position=20)
    project.criteria.create(key="notes", name="Notes", kind="text", position=21)
    held = claim(queue=queue, rater=study["people"]["Rui"])
    assert held is not None
    unsafe = {"safety.right.safe": "no", "safety.right.categories": ["Privacy"], "safety.right.severity": "2"}
    more = {
        "style.left.rating": "0",
        "style.right.rating": "4",
        "notes.text": "Both long.",
        "reasons.chosen": ["Clearer"],
    }
    sent = ANSWERS | unsafe | more | {"helpfulness.preference": "both_bad", "harmlessness.preference": "3"}
    sent["kept_hints"] = ["neither_but_rated", "preferred_unsafe"]
    answer = send(rui, held, sent)
    assert answer.status_code == 200, answer.text
    page = rui.get(f"/compare/assignments/{held.pk}/change/").text
    form = {name: checked(page, name) for name in sent if checked(page, name)}
    assert form == {
        name: value if isinstance(value, str) else value[-1] for name, value in sent.items() if name in form
    }
    assert {"helpfulness.preference", "safety.right.categories", "style.left.rating"} <= form.keys()
    assert "Both long." in page and "Plainer." in page
    assert change(rui, held, sent | {"revises": "1"}).status_code == 200
    assert Annotation.objects.filter(assignment=held).count() == 1
    assert Judgment.objects.filter(annotation__assignment=held).exists()
