"""A rater disagrees with a known answer; a manager or an adjudicator reads and answers."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from django.test import Client
from django.utils import timezone

from labeling.actions import leasing
from labeling.actions.annotate import submit
from labeling.actions.assign import claim
from labeling.actions.gold_pairs import make_gold
from labeling.actions.guidelines import publish_guideline
from labeling.models import Assignment, Dispute, GoldPair, GoldResult, Project, User
from labeling.reports.disputes import disputed_principles
from tests import make
from tests.web.conftest import signed_in

pytestmark = pytest.mark.django_db


@pytest.fixture
def project(monkeypatch: pytest.MonkeyPatch) -> Project:
    """With one known answer, about principle 2, and other work; the draw always says that a known answer is due."""
    monkeypatch.setattr(leasing, "draw", lambda: 0)
    made = make.project(overlap=2)
    make.cast(made)
    made.queues.update(gold_percent=50)
    publish_guideline(project=made, by=None, text="1. Be kind.\n2. Prefer the short answer.\n")
    make.pairs(made, 2)
    make_gold(pair=make.pair(made, gold={"helpfulness": 2}), by=person("Mara"), source="import", principle=2)
    return made


def person(name: str) -> User:
    return User.objects.get(name=name)


def at(name: str) -> Client:
    return signed_in(person(name))


def wrong(project: Project, name: str = "Rui") -> Assignment:
    held = claim(queue=make.queue(project), rater=person(name))
    assert held is not None and held.lane == "="
    shown = 1 if held.swapped else -1
    submit(assignment=held, rater=person(name), body={"judgments": {"helpfulness": {"preference": shown}}})
    return held


def disagree(assignment: Assignment, text: str = "Short is not better here.", **more: Any) -> Any:
    path = f"/compare/assignments/{assignment.pk}/told/"
    return signed_in(assignment.rater).post(path, {"do": "disagree", "text": text} | more, follow=True)


def test_a_rater_disagrees_and_goes_on(project: Project) -> None:
    held = wrong(project)
    page = disagree(held).text
    assert "One to look at again" not in page
    made = Dispute.objects.get()
    assert (made.text, made.rater, made.outcome) == ("Short is not better here.", held.rater, "")
    assert "You disagreed." in at("Rui").get(f"/my-work/{held.pk}/").text


def test_without_words_it_is_asked_for_them(project: Project) -> None:
    held = wrong(project)
    answer = disagree(held, "  ")
    assert answer.status_code == 422 and "Say in a few words" in answer.text and "<details" in answer.text
    assert not Dispute.objects.exists()


def test_later_from_my_work_and_only_once(project: Project) -> None:
    held = wrong(project)
    at("Rui").post(f"/compare/assignments/{held.pk}/told/")
    page = disagree(held, back="work")
    assert "You disagreed." in page.text
    disagree(held, "Again.", back="work")
    assert Dispute.objects.get().text == "Short is not better here."


def test_a_right_answer_and_somebody_elses_cannot_be_disputed(project: Project) -> None:
    held = wrong(project)
    path = f"/compare/assignments/{held.pk}/told/"
    assert at("Rosa").post(path, {"do": "disagree", "text": "x"}).status_code == 404
    GoldResult.objects.update(right=True)
    disagree(held)
    assert not Dispute.objects.exists()


@pytest.mark.parametrize("who", ["Mara", "Ada"])
def test_upheld_it_counts_for_nobody_and_the_rater_reads_why(project: Project, who: str) -> None:
    held = wrong(project)
    wrong(project, "Rosa")
    disagree(held)
    dispute = Dispute.objects.get()
    assert "Short is not better here." in at(who).get(f"/projects/{project.slug}/disputes/").text
    path = f"/projects/{project.slug}/disputes/{dispute.pk}/"
    page = at(who).get(path).text
    assert "They said" in page and ("Rui" in page) == (who == "Mara"), "an adjudicator reads no names"
    answer = at(who).post(path, {"outcome": "upheld", "answer": "You are right, thank you."}, follow=True)
    assert answer.status_code == 200
    gold = GoldPair.objects.get()
    assert gold.retired_at is not None and GoldResult.objects.filter(set_aside=True).count() == 2
    assert "One to look at again" not in at("Rosa").get(f"/compare/{make.queue(project).pk}/").text
    home = at("Rui").get("/").text
    assert "Somebody answered your objection" in home and "The rater is right" in home
    at("Mara").post(
        f"/projects/{project.slug}/gold/pairs/{gold.pair_id}/", {"known": "helpfulness", "helpfulness.preference": -1}
    )
    gold.refresh_from_db()
    assert gold.retired_at is None, "corrected, it is mixed in again"


def test_rejected_the_known_answer_stands(project: Project) -> None:
    held = wrong(project)
    disagree(held)
    path = f"/projects/{project.slug}/disputes/{Dispute.objects.get().pk}/"
    refused = at("Ada").post(path, {"outcome": "rejected", "answer": ""})
    assert refused.status_code == 422
    at("Ada").post(path, {"outcome": "rejected", "answer": "Principle 2 says so."})
    assert GoldPair.objects.get().retired_at is None and not GoldResult.objects.get().set_aside
    assert "Principle 2 says so." in at("Rui").get(f"/my-work/{held.pk}/").text
    again = at("Ada").post(path, {"outcome": "upheld", "answer": "Or not."}, follow=True)
    assert "answered already" in again.text


def test_disputes_about_one_principle_are_counted_together(project: Project) -> None:
    for name in ("Rui", "Rosa"):
        disagree(wrong(project, name))
    [found] = disputed_principles(project)
    assert (found.number, found.text, found.disputes, found.open) == (2, "Prefer the short answer.", 2, 2)
    assert "Principle 2 is disputed" in at("Mara").get(f"/projects/{project.slug}/disputes/").text
    Dispute.objects.update(created_at=timezone.now() - timedelta(days=8))
    assert disputed_principles(project) == []
