"""My work through HTTP: one's own answers and skips, newest first, and nobody else's."""

from __future__ import annotations

import html
import json
import re
from collections.abc import Iterator
from datetime import timedelta
from typing import Any

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from labeling.actions.annotate import submit
from labeling.actions.assign import claim, skip
from labeling.models import Assignment, Membership, Queue, User
from tests import make
from tests.web.conftest import signed_in

pytestmark = pytest.mark.django_db


def judge(queue: Queue, rater: User, preference: int = -2, **judgments: Any) -> Assignment:
    held = claim(queue=queue, rater=rater)
    assert held is not None
    body = {"judgments": {"helpfulness": {"preference": preference}, **judgments}}
    submit(assignment=held, rater=rater, body=body)
    held.refresh_from_db()
    return held


@pytest.fixture
def queue() -> Queue:
    project = make.project()
    make.cast(project)
    make.pairs(project, 3)
    return make.queue(project)


@pytest.fixture
def rui(queue: Queue) -> User:
    return User.objects.get(email="rui@example.org")


@pytest.fixture
def desk(rui: User) -> Client:
    return signed_in(rui)


def test_what_was_answered_is_listed_in_words_newest_first(desk: Client, rui: User, queue: Queue) -> None:
    unsafe = {"left": {"safe": False, "categories": ["Privacy"], "severity": 2}, "right": {"safe": True}}
    first = judge(queue, rui, -2, safety=unsafe)
    second = judge(queue, rui, 0)
    page = desk.get("/my-work/").text
    assert page.index(f"/my-work/{second.pk}/") < page.index(f"/my-work/{first.pk}/")
    for words in ("A, clearly", "About the same", "unsafe, Privacy, 2 Moderate", "Question"):
        assert words in page
    assert page.count(">Change<") == 2


def test_a_skip_is_listed_with_its_reason(desk: Client, rui: User, queue: Queue) -> None:
    held = claim(queue=queue, rater=rui)
    assert held is not None
    skip(assignment=held, rater=rui, reason="broken", comment="Cut off.")
    page = desk.get("/my-work/").text
    assert "Skipped" in page and "Something is broken" in page and "Cut off." in page and ">Change<" not in page
    detail = desk.get(f"/my-work/{held.pk}/").text
    assert "You skipped this pair" in detail and "Cut off." in detail and "Change your answer" not in detail


def test_one_answer_is_shown_with_its_history(desk: Client, rui: User, queue: Queue) -> None:
    held = judge(queue, rui, -2)
    submit(assignment=held, rater=rui, body={"judgments": {"helpfulness": {"preference": 3}}})
    page = desk.get(f"/my-work/{held.pk}/").text
    assert page.index("What you said") < page.index("B, much") < page.index("What you had said before")
    assert page.index("What you had said before") < page.index("A, clearly")
    assert "First answer" in page and "Second answer" in page
    assert f"/compare/assignments/{held.pk}/change/?back=work" in page
    assert "changed" in desk.get("/my-work/").text


def test_nothing_of_others_and_nothing_hidden_is_shown(desk: Client, rui: User, queue: Queue) -> None:
    project = queue.project
    make.pair(project, gold={"helpfulness": 2})
    rosa = User.objects.get(email="rosa@example.org")
    theirs = judge(queue, rosa, 3, harmlessness={"preference": 1, "rationale": "Rosa says so."})
    mine = judge(queue, rui, -1)
    for page in (desk.get("/my-work/").text, desk.get(f"/my-work/{mine.pk}/").text):
        for secret in ("Rosa", "model-0", "model-1", "swapped", "gold", "B, much", f"/my-work/{theirs.pk}/"):
            assert secret not in page
    assert desk.get(f"/my-work/{theirs.pk}/").status_code == 404


def test_an_open_pair_is_no_work_yet(desk: Client, rui: User, queue: Queue) -> None:
    held = claim(queue=queue, rater=rui)
    assert held is not None
    assert "Nothing yet" in desk.get("/my-work/").text
    assert desk.get(f"/my-work/{held.pk}/").status_code == 404


def test_what_is_too_old_is_not_offered_for_change(desk: Client, rui: User, queue: Queue) -> None:
    held = judge(queue, rui)
    Assignment.objects.filter(pk=held.pk).update(ended_at=timezone.now() - timedelta(days=8))
    assert ">Change<" not in desk.get("/my-work/").text
    assert "Change your answer" not in desk.get(f"/my-work/{held.pk}/").text


def test_projects_are_told_apart_and_a_withdrawn_role_ends_it(desk: Client, rui: User, queue: Queue) -> None:
    other = make.project("other", "More advice")
    make.member(other, "Rui", "rater")
    make.pair(other)
    here, there = judge(queue, rui), judge(make.queue(other), rui)
    both = desk.get("/my-work/").text
    assert f"/my-work/{here.pk}/" in both and f"/my-work/{there.pk}/" in both
    only = desk.get("/my-work/?project=other").text
    assert f"/my-work/{here.pk}/" not in only and f"/my-work/{there.pk}/" in only
    assert desk.get("/my-work/?project=nowhere").status_code == 404
    Membership.objects.filter(project=other).delete()
    assert f"/my-work/{there.pk}/" not in desk.get("/my-work/").text
    assert desk.get(f"/my-work/{there.pk}/").status_code == 404


MANY = (
    """
    INSERT INTO labeling_item (project_id, batch_id, external_id, fingerprint, conversation, conversation_html,
                               language, tags, metadata)
    SELECT %(project)s, (SELECT min(id) FROM labeling_batch), 'many', md5(n::text) || md5(n::text),
           '[{"role": "user", "content": "Made"}]', '[]', 'en', '{}', '{}' FROM generate_series(1, %(number)s) AS n
    """,
    """
    INSERT INTO labeling_response (project_id, item_id, position, fingerprint, content, model_name, html, renderer)
    SELECT project_id, id, 0, fingerprint, 'x', '', '', 1 FROM labeling_item WHERE external_id = 'many'
    """,
    """
    INSERT INTO labeling_pair (project_id, item_id, first_id)
    SELECT project_id, item_id, id FROM labeling_response WHERE content = 'x'
    """,
    """
    INSERT INTO labeling_assignment (project_id, queue_id, pair_id, rater_id, state, swapped, claimed_at, ended_at,
                                     skip_reason, skip_comment)
    SELECT p.project_id, %(queue)s, p.id, %(rater)s, CASE WHEN p.id %% 9 = 0 THEN 'skipped' ELSE 'submitted' END, false,
           now(), now() - (p.id / 2) * interval '1 second', '', ''
    FROM labeling_pair p JOIN labeling_item i ON i.id = p.item_id WHERE i.external_id = 'many'
    """,
    "ANALYZE labeling_item, labeling_response, labeling_pair, labeling_assignment",
)


def many(queue: Queue, rater: User, number: int) -> None:
    """A long history, two pairs at each moment, so that a page may end between two that happened at once."""
    facts = {"project": queue.project_id, "queue": queue.pk, "rater": rater.pk, "number": number}
    with connection.cursor() as cursor:
        for statement in MANY:
            cursor.execute(statement, facts)


def test_pages_follow_one_another_without_gap_or_repetition(desk: Client, rui: User, queue: Queue) -> None:
    many(queue, rui, 60)
    seen: list[str] = []
    address = "/my-work/"
    for _ in range(3):
        page = desk.get(address).text
        seen += re.findall(r'href="/my-work/(\d+)/"', page)
        older = re.search(r'rel="next" href="([^"]+)"', page)
        address = f"/my-work/{html.unescape(older[1])}" if older else ""
    assert address == "" and len(seen) == len(set(seen)) == 60
    assert desk.get("/my-work/?before=nonsense").status_code == 200


@pytest.mark.parametrize("wanted", ["", "?project=other"])
def test_a_page_costs_the_same_after_twenty_thousand_answers(
    desk: Client, rui: User, queue: Queue, wanted: str
) -> None:
    other = make.project("other", "More advice")
    make.member(other, "Rui", "rater")
    make.pairs(other, 2)
    for _ in range(2):
        judge(make.queue(other), rui)
    many(queue, rui, 20_000)
    desk.get("/my-work/")
    with CaptureQueriesContext(connection) as queries:
        assert desk.get(f"/my-work/{wanted}").status_code == 200
    assert len(queries) <= 9
    sql = next(query["sql"] for query in queries if "LIMIT 26" in query["sql"])
    with connection.cursor() as cursor:
        cursor.execute(f"EXPLAIN (ANALYZE, FORMAT JSON) {sql}")
        plan = cursor.fetchone()[0]
    plan = json.loads(plan) if isinstance(plan, str) else plan
    assert max(rows_read(plan[0]["Plan"])) <= 100, plan


def rows_read(plan: dict[str, Any]) -> Iterator[float]:
    """Of each step: what it passed on and what it threw away."""
    yield plan["Actual Rows"] * plan["Actual Loops"] + plan.get("Rows Removed by Filter", 0)
    for part in plan.get("Plans", []):
        yield from rows_read(part)
