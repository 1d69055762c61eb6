"""The feed: every current annotation once, in an order that a cursor can rely on."""

from concurrent.futures import ThreadPoolExecutor
from threading import Barrier

import pytest
from django.db import connection, transaction
from django.test.utils import CaptureQueriesContext

from labeling.actions.annotate import submit
from labeling.actions.assign import claim
from labeling.models import Annotation
from labeling.reports.feed import Cursor, page
from labeling.reports.pseudonyms import pseudonym
from tests import make
from tests.settled import until_settled

# The feed shows what is committed, so these tests commit.
pytestmark = pytest.mark.django_db(transaction=True)
BODY = {
    "judgments": {
        "helpfulness": {"preference": -2, "rationale": "Shorter"},
        "safety": {"left": {"safe": False, "categories": ["Privacy"], "severity": 2}, "right": {"safe": True}},
    },
    "active_ms": 41200,
}
LIGHT = {"judgments": {"helpfulness": {"preference": 1}}}


def judge(study, name, body=LIGHT):
    rater = study["people"][name]
    assignment = claim(queue=study["queue"], rater=rater)
    return submit(assignment=assignment, rater=rater, body=body).annotation


@pytest.fixture
def noor(study):
    return study["api"]["Noor"]


def test_an_annotation_comes_in_stored_order_under_a_pseudonym(study, noor):
    study["queue"].slots.all().delete()
    pair = make.pair(study["project"], external_id="row-7", language="en")
    made = judge(study, "Rui", BODY | {"principle": 6})
    until_settled()
    found = noor.get("/projects/advice/annotations/").json()
    assert len(found["results"]) == 1 and found["more"] is False and found["previous"] is None
    row = found["results"][0]
    swapped = made.assignment.swapped
    assert row["item"] == {"id": pair.item_id, "external_id": "row-7", "language": "en"}
    assert [row["first"]["model"], row["second"]["model"]] == ["model-0", "model-1"]
    assert row["first"]["content"] == pair.first.content
    assert row["swapped"] is swapped
    assert row["judgments"]["helpfulness"] == {
        "preference": 2 if swapped else -2, "both_bad": False, "rationale": "Shorter",
    }  # fmt: skip
    unsafe, safe = ("second", "first") if swapped else ("first", "second")
    assert row["judgments"]["safety"][unsafe] == {
        "safe": False,
        "categories": ["Privacy"],
        "severity": 2,
        "rationale": "",
    }
    assert row["judgments"]["safety"][safe]["safe"] is True
    assert row["rater"] == pseudonym(study["project"], study["people"]["Rui"].pk)
    assert len(row["rater"]) == 16 and "rui" not in str(row)
    assert (row["guideline"], row["principle"], row["active_ms"], row["revision"]) == (1, 6, 41200, 1)


def test_pseudonyms_are_steady_in_a_project_and_unlike_between_projects(study):
    rui, other = study["people"]["Rui"].pk, make.project("other", "Other")
    assert pseudonym(study["project"], rui) == pseudonym(study["project"], rui) != pseudonym(other, rui)
    assert pseudonym(study["project"], rui) != pseudonym(study["project"], rui + 1)


def test_a_page_takes_the_same_queries_whatever_its_length(study, noor):
    for name in ("Rui", "Rosa"):
        judge(study, name, BODY)
        judge(study, name, BODY)
    until_settled()
    noor.get("/projects/advice/annotations/")
    with CaptureQueriesContext(connection) as queries:
        assert len(noor.get("/projects/advice/annotations/").json()["results"]) == 4
    assert len(queries) == 5, "token, project, page, annotations, judgments"


def test_a_cursor_is_kept_and_used_again_later(study, noor):
    first = judge(study, "Rui")
    until_settled()
    kept = noor.get("/projects/advice/annotations/").json()
    assert noor.get("/projects/advice/annotations/", after=kept["cursor"]).json()["results"] == []
    again = noor.get("/projects/advice/annotations/", after=kept["cursor"]).json()["cursor"]
    second = judge(study, "Rosa")
    until_settled()
    later = noor.get("/projects/advice/annotations/", after=again).json()
    assert [row["id"] for row in later["results"]] == [second.pk] != [first.pk]
    assert noor.get("/projects" + kept["next"].partition("/projects")[2]).json()["results"] == later["results"]


def test_pages_follow_each_other_without_gap_or_double(study, noor):
    made = [judge(study, name).pk for name in ("Rui", "Rosa", "Rui", "Rosa")]
    until_settled()
    seen, path = [], "/projects/advice/annotations/?limit=3"
    for _ in range(2):
        found = noor.get(path).json()
        seen += [row["id"] for row in found["results"]]
        path = "/projects" + found["next"].partition("/projects")[2]
    assert seen == made
    assert found["more"] is False


def test_a_revision_comes_as_a_new_annotation_of_the_same_assignment(study, noor):
    made = judge(study, "Rui")
    until_settled()
    cursor = noor.get("/projects/advice/annotations/").json()["cursor"]
    again = submit(assignment=made.assignment, rater=study["people"]["Rui"], body=BODY).annotation
    until_settled()
    rows = noor.get("/projects/advice/annotations/", after=cursor).json()["results"]
    assert [(row["id"], row["assignment"], row["revision"]) for row in rows] == [(again.pk, made.assignment_id, 2)]
    assert [row["id"] for row in noor.get("/projects/advice/annotations/").json()["results"]] == [again.pk]


def test_an_item_with_one_response_has_no_second(study, noor):
    study["queue"].slots.all().delete()
    make.pair(study["project"], second=None)
    judge(study, "Rui", {"judgments": {"safety": {"left": {"safe": True}}}})
    until_settled()
    row = noor.get("/projects/advice/annotations/").json()["results"][0]
    assert row["second"] is None and row["judgments"]["safety"].keys() == {"first"}


@pytest.mark.parametrize("after", ["x", "AAAA", "é", "A" * 22 + "!", "_" * 22])
def test_what_is_no_cursor_is_named(study, noor, after):
    answer = noor.get("/projects/advice/annotations/", after=after)
    assert answer.status_code == 400 and answer.json()["errors"].keys() == {"after"}


def test_limits_are_checked(study, noor):
    for limit in ("0", "1001", "two"):
        assert noor.get("/projects/advice/annotations/", limit=limit).json()["errors"].keys() == {"limit"}


@pytest.mark.parametrize(("name", "status"), [("Noor", 200), ("Mara", 200), ("Rui", 404), ("Ada", 404), ("Otto", 404)])
def test_only_researchers_and_managers_read_the_feed(study, name, status):
    assert study["api"][name].get("/projects/advice/annotations/").status_code == status


def test_rows_of_a_restored_database_come_first_and_what_is_new_is_not_lost(study):
    made = [judge(study, name).pk for name in ("Rui", "Rosa", "Rui")]
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute("ALTER TABLE labeling_annotation DISABLE TRIGGER annotation_append_only")
        for pk, number in zip(made, ("900000000001", "900000000002", "3"), strict=True):
            cursor.execute("UPDATE labeling_annotation SET transaction = %s WHERE id = %s", [number, pk])
        cursor.execute("ALTER TABLE labeling_annotation ENABLE TRIGGER annotation_append_only")
    project = study["project"]
    everything = page(project, Cursor(), 10)
    assert [row["id"] for row in everything.rows] == made
    assert page(project, everything.end, 10).rows == []
    kept_before_the_restore = Cursor(900000000001, made[0])
    assert [row["id"] for row in page(project, kept_before_the_restore, 10).rows] == made[1:]


def test_a_slower_writer_is_never_passed_by():
    """A row with a lower number that commits later must still come: the reader waits for it, and gets both."""
    project = make.project(overlap=2)
    queue, people = make.queue(project), make.cast(project)
    make.pair(project)
    claims = {name: claim(queue=queue, rater=people[name]) for name in ("Rui", "Rosa")}
    started, read = Barrier(2, timeout=20), Barrier(2, timeout=20)

    def slow():
        try:
            with transaction.atomic():
                submit(assignment=claims["Rui"], rater=people["Rui"], body=LIGHT)
                started.wait()
                read.wait()
        finally:
            connection.close()

    with ThreadPoolExecutor(1) as threads:
        writing = threads.submit(slow)
        started.wait()
        submit(assignment=claims["Rosa"], rater=people["Rosa"], body=LIGHT)
        early = page(project, Cursor(), 10)
        read.wait()
        writing.result()
    assert early.rows == [], "Rosa's row waits for Rui's, which has the lower number"
    until_settled()
    late = page(project, early.end, 10)
    assert sorted(row["id"] for row in late.rows) == sorted(Annotation.objects.values_list("pk", flat=True))
