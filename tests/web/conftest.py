"""A study with its people, each with a browser of their own that is signed in."""

from __future__ import annotations

from typing import Any

import pytest
from django.test import Client

from labeling.models import User
from tests import make


def signed_in(user: User) -> Client:
    client = Client()
    client.force_login(user)
    return client


@pytest.fixture
def study(db: None) -> dict[str, Any]:
    """Mara's project with two pairs and its people; `as_` is each of them at their browser, by first name."""
    project = make.project(overlap=2)
    people = make.cast(project)
    return {
        "project": project, "queue": make.queue(project), "pairs": make.pairs(project, 2), "people": people,
        "as_": {name: signed_in(user) for name, user in people.items()},
    }  # fmt: skip


@pytest.fixture
def mara(study: dict[str, Any]) -> Client:
    client: Client = study["as_"]["Mara"]
    return client
