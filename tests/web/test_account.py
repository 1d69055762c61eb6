"""Sign-in, passwords and a person's own account."""

from __future__ import annotations

import pytest
from django.test import Client

from tests import make

pytestmark = pytest.mark.django_db


def test_sign_in(client: Client) -> None:
    make.person("Rui")
    answer = client.post("/sign-in/", {"username": "Rui@Example.org", "password": make.PASSWORD})
    assert (answer.status_code, answer["Location"]) == (302, "/")
    assert client.get("/").status_code == 200
    assert client.get("/account/").status_code == 200
    assert client.get("/account/password/").status_code == 200
    assert client.get("/nothing/").status_code == 404
