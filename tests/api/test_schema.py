"""The description of the API: complete, without warnings, public."""

from io import StringIO
from pathlib import Path

import pytest
from django.conf import settings
from django.core.management import call_command
from django.urls import get_resolver

from labeling.api.docs import api_schema
from labeling.api.problems import TITLES


def test_it_is_valid_and_spectacular_has_nothing_to_warn_of():
    call_command("spectacular", "--validate", "--fail-on-warn", stdout=StringIO())


def test_every_path_of_the_api_is_described():
    described = {path.replace("{", "<").replace("}", ">") for path in api_schema()["paths"]}
    paths = {path for path in _paths() if path not in ("/api/v1/schema/", "/api/v1/docs/", "/api/v1/^.*$")}
    assert described == paths


def test_every_operation_names_its_problems():
    for path, methods in api_schema()["paths"].items():
        for method, operation in methods.items():
            assert "application/problem+json" in operation["responses"]["401"]["content"], f"{method} {path}"
            assert operation["description"], f"{method} {path} has no description"


@pytest.mark.django_db
def test_it_is_public(client):
    answer = client.get("/api/v1/schema/")
    assert answer.status_code == 200
    assert answer.json()["openapi"] == "3.1.0"


def test_each_path_is_in_the_prose():
    prose = Path(settings.BASE_DIR, "docs", "api.md").read_text()
    missing = [path for path in api_schema()["paths"] if path.removeprefix("/api/v1") + "`" not in prose]
    assert not missing


def test_the_page_for_people_has_every_operation_and_every_problem(db, client):
    page = client.get("/api/v1/docs/").content.decode()
    for methods in api_schema()["paths"].values():
        for operation in methods.values():
            assert f'id="{operation["operationId"]}"' in page
    for code in TITLES:
        assert f'id="problem-{code}"' in page


def _paths() -> set[str]:
    api = next(one for one in get_resolver().url_patterns if str(one.pattern) == "api/v1/")
    return {_plain("/api/v1/" + path) for path in _walk(api)}


def _walk(resolver) -> list[str]:
    found = []
    for one in resolver.url_patterns:
        if hasattr(one, "url_patterns"):
            found += [str(one.pattern) + path for path in _walk(one)]
        else:
            found.append(str(one.pattern))
    return found


def _plain(path: str) -> str:
    for kind in ("slug", "int", "path"):
        path = path.replace(f"<{kind}:", "<")
    return path.replace("<pk>", "<id>")
