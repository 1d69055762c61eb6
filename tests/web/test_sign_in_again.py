"""A session that ended under an open page: who gets the sign-in where, and what it hands back."""

from __future__ import annotations

import json
from typing import Any

import pytest
from django.test import Client

from labeling.actions.assign import claim
from labeling.models import Annotation, Assignment
from tests import make
from tests.web.conftest import signed_in

pytestmark = pytest.mark.django_db

HTMX = {"HX-Request": "true", "HX-Current-URL": "http://testserver/compare/5/"}
ANSWERS = {"helpfulness.preference": "-2", "harmlessness.preference": "-1", "safety.left.safe": "yes",
           "safety.right.safe": "yes", "revises": "0"}  # fmt: skip


@pytest.fixture
def held(study: dict[str, Any]) -> Assignment:
    made = claim(queue=study["queue"], rater=study["people"]["Rui"])
    assert made is not None
    return made


def send(client: Client, held: Assignment, act: str = "submit", **headers: str) -> Any:
    return client.post(f"/compare/assignments/{held.pk}/{act}/", ANSWERS, headers=headers or HTMX)


@pytest.mark.parametrize("act", ["submit", "change", "skip", "renew", "open"])
def test_an_act_at_the_desk_brings_the_sign_in_for_its_dialog(held: Assignment, act: str) -> None:
    answer = send(Client(), held, act)
    assert (answer.status_code, answer["HX-Retarget"], answer["HX-Reswap"]) == (200, "#sign-in", "innerHTML")
    assert "You are signed out" in answer.text and "<html" not in answer.text
    assert not Annotation.objects.exists()


def test_a_draft_asks_for_nothing(held: Assignment) -> None:
    answer = send(Client(), held, "draft")
    assert answer.status_code == 401 and "HX-Retarget" not in answer.headers


def test_the_dialog_signs_in_and_names_the_person_and_a_token(study: dict[str, Any], held: Assignment) -> None:
    client = Client(enforce_csrf_checks=True)
    token = send(client, held).text.partition('name="csrfmiddlewaretoken" value="')[2].partition('"')[0]
    wrong = {"username": "rui@example.org", "password": "wrong", "csrfmiddlewaretoken": token}
    refused = client.post("/sign-in/again/", wrong, headers=HTMX)
    assert "do not go together" in refused.text and "HX-Trigger" not in refused.headers
    answer = client.post("/sign-in/again/", wrong | {"password": make.PASSWORD}, headers=HTMX)
    told = json.loads(answer["HX-Trigger"])["signedIn"]
    assert answer.status_code == 204 and told["person"] == study["people"]["Rui"].pk
    assert send(client, held, **HTMX | {"X-CSRFToken": told["token"]}).status_code == 200
    assert Annotation.objects.count() == 1


def test_a_token_out_of_date_is_replaced_for_whoever_is_signed_in(study: dict[str, Any], held: Assignment) -> None:
    client = Client(enforce_csrf_checks=True)
    client.force_login(study["people"]["Rui"])
    refused = send(client, held)
    told = json.loads(refused["HX-Trigger"])["signedIn"]
    assert refused.status_code == 403 and told["person"] == study["people"]["Rui"].pk
    assert send(client, held, **HTMX | {"X-CSRFToken": told["token"]}).status_code == 200


def test_a_token_out_of_date_of_nobody_brings_the_sign_in(held: Assignment) -> None:
    answer = send(Client(enforce_csrf_checks=True), held)
    assert answer["HX-Retarget"] == "#sign-in" and "You are signed out" in answer.text


@pytest.mark.parametrize("headers", [{}, {"HX-Request": "true"}])
def test_other_forms_without_a_token_are_refused_as_before(study: dict[str, Any], headers: dict[str, str]) -> None:
    client = Client(enforce_csrf_checks=True)
    client.force_login(study["people"]["Rui"])
    answer = client.post("/account/", {"name": "x"}, headers=headers)
    assert answer.status_code == 403 and "HX-Trigger" not in answer.headers


def test_another_persons_answer_is_not_taken(study: dict[str, Any], held: Assignment) -> None:
    assert send(signed_in(study["people"]["Rosa"]), held).status_code == 404
    assert not Annotation.objects.exists()


def test_elsewhere_the_sign_in_is_a_page_that_leads_back_to_the_page(held: Assignment) -> None:
    part = Client().get("/account/", headers=HTMX)
    assert part["HX-Redirect"] == "/sign-in/?next=%2Fcompare%2F5%2F"
    form = Client().post(f"/compare/{held.queue_id}/next/", headers={"Referer": "http://testserver/compare/5/?x=1"})
    assert form.status_code == 302 and form["Location"] == "/sign-in/?next=%2Fcompare%2F5%2F"
    assert Client().get("/account/")["Location"] == "/sign-in/?next=/account/"


def test_signing_out_leads_nowhere_else(study: dict[str, Any]) -> None:
    assert study["as_"]["Rui"].post("/sign-out/")["Location"] == "/sign-in/"


def test_the_dialog_is_for_posts_only(client: Client) -> None:
    assert client.get("/sign-in/again/").status_code == 405
