"""Disagreements, decisions and what was decided, for programs."""

from __future__ import annotations

from typing import Any

import pytest

from labeling.actions.disagreements import look_for_disagreements
from labeling.models import Project, User
from labeling.reports.pseudonyms import pseudonym
from tests import make
from tests.actions.test_adjudicate import torn
from tests.api.conftest import Program

pytestmark = pytest.mark.django_db


@pytest.fixture
def study() -> dict[str, Any]:
    project = make.project(overlap=2)
    people = make.cast(project)
    pairs = [torn(people, make.pair(project, language=tag), far) for far, tag in ((1, "en"), (3, "de"), (2, "en"))]
    look_for_disagreements()
    return {"project": project, "people": people, "pairs": pairs}


def path(project: Project, what: str) -> str:
    return f"/projects/{project.slug}/{what}/"


def test_the_list_is_read_page_by_page(study: dict[str, Any]) -> None:
    ada, project = Program(study["people"]["Ada"]), study["project"]
    first = ada.get(path(project, "disagreements") + "?limit=2").json()
    low, high, middle = study["pairs"]
    assert [row["pair"] for row in first["results"]] == [high.pk, middle.pk] and first["count"] == 3
    row = first["results"][0]
    assert (row["kinds"], row["criteria"], row["judgments"], row["split"]) == (["split"], ["helpfulness"], 2, 1.0)
    rest = ada.client.get(first["next"]).json()
    assert [row["pair"] for row in rest["results"]] == [low.pk] and rest["next"] is None
    english = ada.get(path(project, "disagreements") + "?language=en&criterion=helpfulness&kind=split").json()
    assert [row["pair"] for row in english["results"]] == [middle.pk, low.pk]
    assert ada.get(path(project, "disagreements") + "?cursor=x").status_code == 400
    assert ada.get(path(project, "disagreements") + "?criterion=x").status_code == 400


def test_a_decision_and_what_is_refused(study: dict[str, Any]) -> None:
    ada, noor, project = Program(study["people"]["Ada"]), Program(study["people"]["Noor"]), study["project"]
    pair = study["pairs"][0]
    address = path(project, f"pairs/{pair.pk}/decisions")
    body = {"judgments": {"helpfulness": {"preference": -2}}, "reason": "It names the dose."}
    made = ada.post(address, body)
    assert made.status_code == 201
    (one,) = made.json()["decisions"]
    assert (one["preference"], one["criterion"], one["reason"]) == (-2, "helpfulness", body["reason"])
    assert one["current"]
    assert one["adjudicator"] == pseudonym(project, study["people"]["Ada"].pk)
    for wrong, status, code in (
        (body, 409, "unchanged"), (body | {"seen": 0, "reason": "x"}, 409, "decided_meanwhile"),
        ({"judgments": {}, "reason": "x"}, 400, "invalid"), (body | {"colour": "red"}, 400, "invalid"),
        ({"judgments": body["judgments"]}, 400, "invalid"), (body | {"principle": 99}, 400, "invalid"),
    ):  # fmt: skip
        refused = ada.post(address, wrong)
        assert (refused.status_code, refused.json()["code"]) == (status, code), wrong
    make.member(project, "Rui", "adjudicator")
    rui = Program(User.objects.get(name="Rui")).post(address, body)
    assert (rui.status_code, rui.json()["code"]) == (409, "judged_yourself")
    assert noor.post(address, body).status_code == 404
    verdicts = {"safety": {"left": {"safe": True}, "right": {"safe": False}}}
    ada.post(address, body | {"judgments": verdicts, "principle": 3})
    rows = noor.get(path(project, "adjudications")).json()["results"]
    assert [(row["criterion"], row["response"], row["safe"], row["principle"]) for row in rows] == [
        ("safety", "second", False, 3), ("safety", "first", True, 3), ("helpfulness", None, None, None),
    ]  # fmt: skip
    ada.post(address, body | {"judgments": {"helpfulness": {"preference": 1}}})
    assert len(noor.get(path(project, "adjudications")).json()["results"]) == 4
    assert len(noor.get(path(project, "adjudications") + "?current=true").json()["results"]) == 3
    assert ada.get(path(project, "adjudications")).status_code == 404
