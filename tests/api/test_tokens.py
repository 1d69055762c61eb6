"""Who calls. A token works until it expires, is revoked, or its person is gone."""

from datetime import timedelta

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from labeling.actions.people import revoke_token
from labeling.models import ApiToken
from tests import make

pytestmark = pytest.mark.django_db


@pytest.fixture
def rui():
    return make.person("Rui")


def ask(header):
    return Client().get("/api/v1/projects/", headers={"Authorization": header} if header else {})


def test_a_token_is_found_with_its_person_in_one_query_and_its_use_noted_once_a_minute(rui):
    key = f"Token {make.token(rui)}"
    assert ask(key).status_code == 200
    first = ApiToken.objects.get().last_used_at
    assert first is not None
    with CaptureQueriesContext(
        connection,
    ) as queries:
        assert ask(key).status_code == 200
    assert len(queries) == 2, "one for the token with its user, one for the projects"
    assert ApiToken.objects.get().last_used_at == first
    ApiToken.objects.update(last_used_at=timezone.now() - timedelta(minutes=2))
    ask(key)
    assert ApiToken.objects.get().last_used_at > first


@pytest.mark.parametrize(
    "header",
    [
        None, "", "Token", "Token nonsense", "Token ann_00000000_" + "A" * 43, "Bearer x", "Token ann_\x00",
    ],
)  # fmt: skip
def test_without_a_token_the_answer_is_401_and_says_what_to_send(rui, header):
    answer = ask(header)
    assert answer.status_code == 401
    assert answer.headers["WWW-Authenticate"] == "Token"
    assert answer.headers["Content-Type"] == "application/problem+json"
    assert answer.json()["code"] == "unauthenticated"


def test_a_known_prefix_with_another_secret_is_as_unknown_as_any(rui):
    key = make.token(rui)
    answer = ask("Token " + key[:-1] + ("A" if key[-1] != "A" else "B"))
    assert answer.status_code == 401 and "not known" in answer.json()["detail"]


def test_a_revoked_token(rui):
    key = make.token(rui)
    revoke_token(token=ApiToken.objects.get(), by=rui)
    answer = ask(f"Token {key}")
    assert answer.status_code == 401 and "revoked" in answer.json()["detail"]


def test_an_expired_token(rui):
    key = make.token(rui)
    ApiToken.objects.update(expires_at=timezone.now() - timedelta(seconds=1))
    answer = ask(f"Token {key}")
    assert answer.status_code == 401 and "expired" in answer.json()["detail"]


@pytest.mark.parametrize(("field", "value"), [("is_active", False), ("is_external", True)])
def test_a_person_who_cannot_sign_in_cannot_call(rui, field, value):
    key = make.token(rui)
    setattr(rui, field, value)
    rui.save()
    assert ask(f"Token {key}").status_code == 401


def test_a_session_is_no_way_in(rui):
    client = Client()
    client.force_login(rui)
    assert client.get("/api/v1/projects/").status_code == 401
