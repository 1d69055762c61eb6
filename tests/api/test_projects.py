"""Projects, members and queues over HTTP."""

from base64 import b64encode

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from labeling.models import Membership, Project, Queue
from tests import make
from tests.api.conftest import Program

pytestmark = pytest.mark.django_db


def test_the_list_has_ones_own_projects_and_pages_by_cursor(study):
    for number in range(3):
        make.member(make.project(f"other-{number}", "Other"), "Noor", "researcher")
    noor = study["api"]["Noor"]
    first = noor.get("/projects/", limit=3).json()
    assert [one["slug"] for one in first["results"]] == ["advice", "other-0", "other-1"] and first["previous"] is None
    second = noor.get("/projects/" + first["next"].partition("/projects/")[2]).json()
    assert [one["slug"] for one in second["results"]] == ["other-2"] and second["next"] is None
    assert noor.get("/projects/" + second["previous"].partition("/projects/")[2]).json()["results"] == first["results"]
    assert [one["slug"] for one in study["api"]["Rui"].get("/projects/").json()["results"]] == ["advice"]
    assert study["api"]["Otto"].get("/projects/").json()["results"] == []


def test_a_broken_cursor_is_named(study):
    noor = study["api"]["Noor"]
    for cursor in ("zzz", b64encode(b"p=abc").decode(), b64encode(b"p=%00").decode()):
        answer = noor.get("/projects/", cursor=cursor)
        assert answer.status_code == 400 and answer.json()["errors"].keys() == {"cursor"}
    for limit in ("0", "-1", "x", "1001", "9" * 5000):
        assert noor.get("/projects/", limit=limit).json()["errors"].keys() == {"limit"}


def test_a_project_has_criteria_with_scales_guideline_and_queues(study):
    with CaptureQueriesContext(connection) as queries:
        found = study["api"]["Rui"].get("/projects/advice/").json()
    assert len(queries) <= 7
    criteria = {one["key"]: one for one in found["criteria"]}
    assert list(criteria) == ["helpfulness", "harmlessness", "overall", "safety", "reasons"]
    assert criteria["helpfulness"]["strengths"] == 3 and criteria["helpfulness"]["allow_both_bad"]
    assert "Privacy" in criteria["safety"]["categories"] and "strengths" not in criteria["safety"]
    assert found["guideline"]["version"] == 1 and found["guideline"]["text"].startswith("# How to judge")
    assert found["queues"] == [
        {
            "id": study["queue"].pk, "name": "Every pair", "overlap": 2, "lease_seconds": 1200, "paused": False,
            "closed": False, "priority": 0, "blur_images": False, "languages": [], "tags": [], "pairs": 2,
        }
    ]  # fmt: skip


def test_a_stranger_sees_no_project(study):
    assert study["api"]["Otto"].get("/projects/advice/").status_code == 404
    assert study["api"]["Mara"].get("/projects/nowhere/").status_code == 404


def test_who_manages_one_project_may_make_another(study):
    answer = study["api"]["Mara"].post("/projects/", {"slug": "second", "name": "Second study"})
    assert answer.status_code == 201
    made = answer.json()
    assert [queue["overlap"] for queue in made["queues"]] == [3] and made["guideline"]["version"] == 1
    roles = Membership.objects.filter(project__slug="second").values_list("user__email", "role")
    assert sorted(roles) == [("mara@example.org", "manager"), ("mara@example.org", "researcher")]


def test_an_operator_may_make_the_first_project():
    operator = Program(make.person("Olga", superuser=True))
    assert operator.post("/projects/", {"slug": "first", "name": "First"}).status_code == 201


@pytest.mark.parametrize("name", ["Rui", "Noor", "Ada", "Otto"])
def test_others_may_not_make_projects(study, name):
    answer = study["api"][name].post("/projects/", {"slug": "second", "name": "Second"})
    assert answer.status_code == 403 and answer.json()["code"] == "forbidden"


def test_a_taken_slug_and_a_wrong_one(study):
    mara = study["api"]["Mara"]
    answer = mara.post("/projects/", {"slug": "advice", "name": "Again"})
    assert answer.status_code == 409 and answer.json()["code"] == "slug_taken"
    assert mara.post("/projects/", {"slug": "Not A Slug", "name": "x"}).json()["errors"].keys() == {"slug"}
    assert mara.post("/projects/", {"slug": "blank", "name": "  "}).json()["errors"].keys() == {"name"}


def test_a_project_is_changed_field_by_field(study):
    mara = study["api"]["Mara"]
    assert mara.patch("/projects/advice/", {"revise_minutes": 0}).json()["revise_minutes"] == 0
    assert mara.patch("/projects/advice/", {}).status_code == 200
    project = Project.objects.get(slug="advice")
    assert (project.name, project.revise_minutes) == ("Everyday advice", 0)
    assert mara.patch("/projects/advice/", {"slug": "other"}).json()["errors"].keys() == {"slug"}
    assert mara.patch("/projects/advice/", {"revise_minutes": -1}).status_code == 400


@pytest.mark.parametrize("name", ["Rui", "Noor", "Ada", "Otto"])
def test_only_its_managers_change_a_project(study, name):
    api = study["api"][name]
    assert api.patch("/projects/advice/", {"name": "Mine"}).status_code == 404
    assert api.post("/projects/advice/members/", {"email": "otto@example.org", "role": "manager"}).status_code == 404
    assert api.post("/projects/advice/queues/", {"name": "Mine"}).status_code == 404
    assert api.patch(f"/queues/{study['queue'].pk}/", {"paused": True}).status_code == 404


def test_a_member_is_added_by_address(study):
    answer = study["api"]["Mara"].post("/projects/advice/members/", {"email": "Otto@Example.org", "role": "rater"})
    assert answer.status_code == 201
    assert (answer.json()["email"], answer.json()["role"]) == ("otto@example.org", "rater")
    assert study["api"]["Otto"].get("/projects/advice/").status_code == 200


def test_members_need_an_account_and_a_role_that_exists(study):
    mara = study["api"]["Mara"]
    nobody = mara.post("/projects/advice/members/", {"email": "nobody@example.org", "role": "rater"})
    assert nobody.status_code == 400 and nobody.json()["code"] == "no_such_person"
    assert (
        "role" in mara.post("/projects/advice/members/", {"email": "otto@example.org", "role": "king"}).json()["errors"]
    )


def test_a_queue_is_made_with_rules_and_filled(study):
    make.pair(study["project"], language="zh")
    answer = study["api"]["Mara"].post(
        "/projects/advice/queues/", {"name": "Chinese", "overlap": 1, "lease_seconds": 600, "languages": ["zh"]}
    )
    assert answer.status_code == 201
    assert (answer.json()["pairs"], answer.json()["overlap"], answer.json()["languages"]) == (1, 1, ["zh"])


def test_a_queue_with_a_taken_name_or_rules_out_of_range(study):
    mara = study["api"]["Mara"]
    assert mara.post("/projects/advice/queues/", {"name": "Every pair"}).json()["code"] == "name_taken"
    errors = mara.post("/projects/advice/queues/", {"name": "x", "overlap": 51, "lease_seconds": 0}).json()["errors"]
    assert errors.keys() == {"overlap", "lease_seconds"}


def test_a_queue_is_paused_and_its_overlap_changed(study):
    mara, queue = study["api"]["Mara"], study["queue"]
    assert mara.patch(f"/queues/{queue.pk}/", {"paused": True, "overlap": 4}).json()["paused"] is True
    assert queue.slots.count() == 8
    assert Queue.objects.get(pk=queue.pk).paused
    make_second = mara.post("/projects/advice/queues/", {"name": "Second"}).json()
    taken = mara.patch(f"/queues/{make_second['id']}/", {"name": "Every pair"})
    assert taken.status_code == 409 and taken.json()["code"] == "name_taken"


def test_another_projects_queue_is_not_there(study):
    other = make.queue(make.project("other", "Other"))
    assert study["api"]["Mara"].patch(f"/queues/{other.pk}/", {"paused": True}).status_code == 404
