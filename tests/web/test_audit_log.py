"""Mara looks up who changed what; she finds it, takes it along, and nobody's skips are told beside a name."""

from __future__ import annotations

import csv
import io
import json
from typing import Any

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext

from labeling.actions.annotate import submit
from labeling.actions.assign import claim, skip
from labeling.actions.queues import change_queue
from labeling.models import AuditEntry
from labeling.reports import log
from tests import make

pytestmark = pytest.mark.django_db
PAGE = "/projects/advice/log/"


@pytest.fixture
def study() -> dict[str, Any]:
    project = make.project(overlap=2)
    people = make.cast(project)
    make.pairs(project, 3)
    queue = make.queue(project)
    change_queue(queue=queue, by=people["Mara"], overlap=3, name="=Round 2")
    answered = claim(queue=queue, rater=people["Rui"])
    assert answered is not None
    submit(assignment=answered, rater=people["Rui"], body={"judgments": {"helpfulness": {"preference": 1}}})
    left = claim(queue=queue, rater=people["Rui"])
    assert left is not None
    skip(assignment=left, rater=people["Rui"], reason="upsetting")
    return {"project": project, "queue": queue, "people": people}


@pytest.fixture
def mara(study: dict[str, Any]) -> Client:
    client = Client()
    client.force_login(study["people"]["Mara"])
    return client


def text(client: Client, **query: Any) -> str:
    return client.get(PAGE, query).content.decode()


def test_what_changed_and_from_what_to_what(mara: Client, study: dict[str, Any]) -> None:
    page = text(mara)
    assert "raters a pair 2 → 3" in page
    assert f"queue {study['queue'].pk}" in page
    assert "<del>2</del> → <ins>3</ins>" in page


def test_what_raters_do_all_day_is_asked_for_and_skips_never_told(mara: Client) -> None:
    assert "judged a pair" not in text(mara)
    page = text(mara, work="on")
    assert "judged a pair" in page and "upsetting" not in page and "skipped" not in page
    for download in ("log.csv", "log.jsonl"):
        answer = mara.get(f"/projects/advice/{download}", {"work": "on"})
        taken = answer.getvalue().decode()
        assert "annotation.submitted" in taken and "upsetting" not in taken


@pytest.mark.parametrize(
    ("query", "found"),
    [
        ({"kind": "queue"}, True),
        ({"kind": "member"}, False),
        ({"thing": "queue {queue}"}, True),
        ({"thing": "queue 99999"}, False),
        ({"thing": "queue"}, True),
        ({"thing": "batch"}, False),
        ({"person": "{mara}"}, True),
        ({"since": "2000-01-01"}, True),
        ({"until": "2000-01-01"}, False),
    ],
)
def test_a_search_finds_it_or_not(mara: Client, study: dict[str, Any], query: dict[str, str], found: bool) -> None:
    known = {"queue": study["queue"].pk, "mara": study["people"]["Mara"].pk}
    page = text(mara, **{name: value.format(**known) for name, value in query.items()})
    assert ("raters a pair 2 → 3" in page) is found


def test_a_search_that_is_none_says_so(mara: Client) -> None:
    answer = mara.get(PAGE, {"since": "yesterday"})
    assert answer.status_code == 422 and "Enter a valid date" in answer.content.decode()
    assert mara.get(PAGE, {"before": "x"}).status_code == 200


def test_page_by_page_to_the_oldest(mara: Client, study: dict[str, Any], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(log, "PAGE", 2)
    seen: list[int] = []
    search, before = log.Search(work=True), None
    while True:
        page = log.log_page(study["project"], search, before=before)
        seen += [entry.pk for entry in page.entries]
        before = page.older
        if before is None:
            break
    told = AuditEntry.objects.filter(project_id=study["project"].pk).exclude(act="assignment.skipped")
    assert seen == list(told.order_by("-pk").values_list("pk", flat=True)) and len(seen) > 4
    assert "Older" in text(mara)


def test_csv_and_json_say_the_same_and_no_cell_is_a_formula(mara: Client) -> None:
    table = mara.get("/projects/advice/log.csv").getvalue().decode()
    rows = list(csv.DictReader(io.StringIO(table)))
    lines = [json.loads(line) for line in mara.get("/projects/advice/log.jsonl").getvalue().splitlines()]
    assert [int(row["id"]) for row in rows] == [line["id"] for line in lines] and rows
    [changed] = [line for line in lines if line["act"] == "queue.changed"]
    assert {"field": "overlap", "before": 2, "after": 3} in changed["changes"]
    assert not any(cell.startswith("=") for row in rows for cell in row.values())


def test_its_cost_does_not_grow_with_what_raters_did(mara: Client, study: dict[str, Any]) -> None:
    def queries() -> int:
        with CaptureQueriesContext(connection) as found:
            mara.get(PAGE)
        return len(found)

    few = queries()
    AuditEntry.objects.bulk_create(
        AuditEntry(project_id=study["project"].pk, act="annotation.submitted", target_type="annotation", target_id=n)
        for n in range(3000)
    )
    assert queries() == few <= 12
    connection.cursor().execute("ANALYZE labeling_auditentry")
    with CaptureQueriesContext(connection) as found:
        log.log_page(study["project"], log.Search())
    explained = connection.cursor()
    explained.execute("EXPLAIN " + found[0]["sql"])
    plan = " ".join(row[0] for row in explained.fetchall())
    assert "audit_not_routine" in plan, plan
