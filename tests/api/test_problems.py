"""Whatever goes wrong is said as problem details, in JSON."""

import re
from pathlib import Path

import orjson
import pytest
from django.conf import settings
from django.db import DataError, IntegrityError, OperationalError

from labeling.api.problems import STATUS, TITLES, problem_details
from labeling.api.wire import LARGEST_BODY

ROOT = Path(settings.BASE_DIR)


def test_every_code_that_a_verb_refuses_with_has_a_status_and_a_title():
    code = re.compile(r"Refused\(\s*\"(\w+)\"|State\.\w+: \(\"(\w+)\", f?\"")
    sources = [*ROOT.glob("labeling/actions/*.py"), *ROOT.glob("exports/*.py")]
    used = {one for path in sources for pair in code.findall(path.read_text()) for one in pair if one}
    assert len(used) > 10
    assert used <= STATUS.keys(), f"without a status: {used - STATUS.keys()}"
    assert STATUS.keys() <= TITLES.keys()


def test_an_unknown_path(anonymous):
    answer = anonymous.get("/nowhere/")
    assert answer.status_code == 404 and answer.json()["code"] == "not_found"


def test_a_path_without_its_last_slash(study):
    assert study["api"]["Mara"].get("/projects").json()["status"] == 404


def test_a_method_that_is_not_offered(study):
    answer = study["api"]["Rui"].client.delete("/api/v1/projects/")
    assert answer.status_code == 405 and answer.json()["code"] == "method_not_allowed"
    assert answer.headers["Allow"] == "GET, HEAD, POST"


def test_what_is_not_json(study):
    answer = study["api"]["Mara"].post("/projects/", b'{"slug": \n nonsense}')
    assert answer.status_code == 400
    assert "line 2" in answer.json()["detail"]


@pytest.mark.parametrize("body", [[], "text", 7, None, [{"slug": "a"}]])
def test_json_that_is_not_an_object(study, body):
    answer = study["api"]["Mara"].post("/projects/", orjson.dumps(body))
    assert answer.status_code == 400


def test_another_content_type(study):
    answer = study["api"]["Mara"].post("/projects/", b"slug=a", content_type="application/x-www-form-urlencoded")
    assert answer.status_code == 415 and answer.json()["code"] == "unsupported_media_type"


def test_too_much_json(study):
    answer = study["api"]["Mara"].post("/projects/", b" " * (LARGEST_BODY + 1))
    assert answer.status_code == 413 and answer.json()["code"] == "too_large"


def test_too_deep_json(study):
    deep: object = 1
    for _ in range(40):
        deep = [deep]
    answer = study["api"]["Mara"].post("/projects/", {"slug": deep})
    assert answer.status_code == 400 and "nested" in answer.json()["detail"]
    assert study["api"]["Mara"].post("/projects/", b"[" * 100_000).status_code == 400


def test_unknown_and_wrong_fields_are_named_together(study):
    errors = study["api"]["Mara"].post("/projects/", {"slug": "a", "color": "red"}).json()["errors"]
    assert errors.keys() == {"color", "name"}


def test_nul_in_a_text_is_the_callers_mistake(study):
    answer = study["api"]["Mara"].post("/projects/", {"slug": "a", "name": "a\0b"})
    assert answer.status_code == 400 and "name" in answer.json()["errors"]


@pytest.mark.parametrize(
    ("error", "status"), [(IntegrityError("x"), 400), (DataError("x"), 400), (OperationalError("x"), 503)]
)
def test_what_only_the_database_sees_is_told_without_its_words(error, status):
    answer = problem_details(error, {})
    assert answer.status_code == status
    assert "x" not in answer.data["detail"].split()


def test_a_defect_is_a_problem_too(study, monkeypatch):
    """The one thing taken out here is a piece of ours, to see what a defect looks like from outside."""

    def broken(*args):
        raise ZeroDivisionError("inside")

    monkeypatch.setattr("labeling.api.projects.projects_for", broken)
    api = study["api"]["Mara"]
    api.client.raise_request_exception = False
    answer = api.client.get("/api/v1/projects/")
    assert answer.status_code == 500
    assert answer.json()["code"] == "error" and "inside" not in answer.content.decode()
