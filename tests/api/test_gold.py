"""Known answers by API: making them, what a rater is told, disagreeing, and what managers decide about raters."""

from __future__ import annotations

from typing import Any

import pytest

from labeling.actions import leasing
from labeling.models import GoldPair, GoldResult, Participation, Project, Queue, User
from labeling.reports.pseudonyms import pseudonym
from tests import make
from tests.api.conftest import Program

pytestmark = pytest.mark.django_db


@pytest.fixture
def project(monkeypatch: pytest.MonkeyPatch) -> Project:
    monkeypatch.setattr(leasing, "draw", lambda: 0)
    made = make.project(overlap=2)
    make.cast(made)
    made.queues.update(gold_percent=50)
    make.pairs(made, 2)
    return made


def of(name: str) -> Program:
    return Program(User.objects.get(name=name))


def made(project: Project, **known: Any) -> dict[str, Any]:
    pair = make.pair(project, gold=known or {"helpfulness": 2})
    answer = of("Mara").post(f"/projects/{project.slug}/gold/", {"pair": pair.pk, "explanation": "Because."})
    assert answer.status_code == 201
    told: dict[str, Any] = answer.json()
    return told


def test_making_listing_and_retiring(project: Project) -> None:
    one = made(project)
    assert (one["source"], one["shown"], one["retired_at"]) == ("import", 0, None)
    pair = make.pair(project)
    known = {"helpfulness": {"preference": -1}, "safety": {"left": {"safe": True}, "right": {"safe": False}}}
    two = of("Mara").post(f"/projects/{project.slug}/gold/", {"pair": pair.pk, "judgments": known}).json()
    listed = of("Mara").get(f"/projects/{project.slug}/gold/").json()["results"]
    assert [row["id"] for row in listed] == [two["id"], one["id"]] and listed[0]["source"] == "hand"
    retired = of("Mara").post(f"/gold/{one['id']}/retire/", {"why": "Unclear"}).json()
    assert retired["retired_at"] and retired["retired_why"] == "Unclear"


def test_taking_in_all_and_what_is_refused(project: Project) -> None:
    for _ in range(2):
        make.pair(project, gold={"helpfulness": 1})
    make.lesson(project)
    done = of("Mara").post(f"/projects/{project.slug}/gold/", {}).json()
    assert done == {"made": 2, "more": 0, "left_out": {"already_a_lesson": 1}}
    taken = GoldPair.objects.first()
    assert taken is not None
    again = of("Mara").post(f"/projects/{project.slug}/gold/", {"pair": taken.pair_id})
    assert (again.status_code, again.json()["code"]) == (409, "already_gold")
    assert of("Mara").post(f"/projects/{project.slug}/gold/", {"pair": 1 << 40}).status_code == 400
    plain = make.pair(project)
    assert of("Mara").post(f"/projects/{project.slug}/gold/", {"pair": plain.pk}).json()["code"] == "nothing_known"


def answered(project: Project, queue: Queue, name: str, helpfulness: int) -> tuple[dict[str, Any], dict[str, Any]]:
    """The assignment as it came, and what the submit was answered with; `helpfulness` in stored order."""
    held = of(name).post(f"/queues/{queue.pk}/claim/", {}).json()
    swapped = User.objects.get(name=name).assignments.get(pk=held["id"]).swapped
    body = {"judgments": {"helpfulness": {"preference": -helpfulness if swapped else helpfulness}}}
    told = of(name).post(f"/assignments/{held['id']}/annotation/", body)
    assert told.status_code == 201
    return held, told.json()


def test_a_wrong_answer_brings_what_is_known_and_a_right_one_nothing(project: Project) -> None:
    gold, queue = made(project), make.queue(project)
    held, told = answered(project, queue, "Rui", -1)
    swapped = User.objects.get(name="Rui").assignments.get(pk=held["id"]).swapped
    assert told["feedback"] == {
        "known": {"helpfulness": {"preference": -2 if swapped else 2}}, "explanation": "Because.", "principle": None,
    }  # fmt: skip
    assert GoldResult.objects.get().told_at is not None
    assert GoldPair.objects.get(pk=gold["id"]).shown == 1
    objection = of("Rui").post(f"/assignments/{held['id']}/dispute/", {"text": "It is not so."})
    assert objection.status_code == 201
    assert of("Rui").post(f"/assignments/{held['id']}/dispute/", {"text": "x"}).json()["code"] == "disputed_already"
    _held, told = answered(project, queue, "Rosa", 1)
    assert told["feedback"] is None
    refused = of("Rosa").post(f"/assignments/{_held['id']}/dispute/", {"text": "x"})
    assert (refused.status_code, refused.json()["code"]) == (409, "nothing_to_dispute")
    [row] = of("Ada").get(f"/projects/{project.slug}/disputes/").json()["results"]
    assert row["rater"] == pseudonym(project, User.objects.get(name="Rui").pk)
    decided = of("Ada").post(f"/disputes/{row['id']}/answer/", {"outcome": "upheld", "answer": "Right."}).json()
    assert decided["outcome"] == "upheld" and GoldResult.objects.filter(set_aside=False).count() == 0
    assert of("Ada").post(f"/disputes/{row['id']}/answer/", {"outcome": "upheld", "answer": "y"}).status_code == 409


def test_an_ordinary_answer_has_the_same_fields(project: Project, monkeypatch: pytest.MonkeyPatch) -> None:
    made(project)
    queue = make.queue(project)
    known, told = answered(project, queue, "Rui", 2)
    monkeypatch.setattr(leasing, "draw", lambda: 99)
    plain, plain_told = answered(project, queue, "Rui", 2)
    assert known.keys() == plain.keys() and told.keys() == plain_told.keys()
    assert told["feedback"] is None is plain_told["feedback"]


def test_what_managers_decide_about_raters(project: Project) -> None:
    answered(project, make.queue(project), "Rui", 1)
    name = pseudonym(project, User.objects.get(name="Rui").pk)
    path = f"/projects/{project.slug}/raters/{name}"
    paused = of("Mara").post(f"{path}/pause/", {"why": "Let us talk."}).json()
    assert paused["rater"] == name and paused["paused_why"] == "Let us talk."
    refused = of("Rui").post(f"/queues/{make.queue(project).pk}/claim/", {})
    assert refused.status_code == 403 or refused.status_code == 409
    assert refused.json()["code"] == "rater_paused" and "Let us talk." in refused.json()["detail"]
    assert of("Mara").post(f"{path}/pause/", {}).json()["code"] == "unchanged"
    assert of("Mara").post(f"{path}/resume/", {}).json()["paused_at"] is None
    assert of("Mara").post(f"{path}/warn/", {}).json()["warned_at"]
    assert Participation.objects.get(user__name="Rui").warned_at is not None
    assert of("Mara").get(f"{path}/set-aside/").json() == {
        "judged": 1, "total": 1,
        "reopens": [{"pair": project.annotations.get().pair_id, "queue": make.queue(project).pk, "left": 0}],
    }  # fmt: skip
    aside = of("Mara").post(f"{path}/set-aside/", {"note": "in a hurry"})
    assert aside.status_code == 201 and aside.json()["lifted_at"] is None
    assert of("Mara").get(f"{path}/set-aside/").json()["judged"] == 0
    lifted = of("Mara").post(f"/withdrawals/{aside.json()['id']}/lift/", {}).json()
    assert lifted["lifted_at"] and of("Mara").get(f"{path}/set-aside/").json()["judged"] == 1
    assert of("Mara").post(f"/projects/{project.slug}/raters/nobody/pause/", {}).status_code == 400
