"""The first page: what is open to whom."""

from __future__ import annotations

from datetime import timedelta

import pytest
from django.test import Client
from pytest_django import DjangoAssertNumQueries

from labeling.actions.annotate import submit
from labeling.actions.assign import claim
from labeling.actions.queues import change_queue, create_queue
from labeling.actions.topics import add_topic
from labeling.models import Assignment, Membership, Participation, Project, User
from tests import make

pytestmark = pytest.mark.django_db
BODY = {"judgments": {"helpfulness": {"preference": 1}}}


@pytest.fixture
def project() -> Project:
    return make.project()


@pytest.fixture
def cast(project: Project) -> dict[str, User]:
    return make.cast(project)


def judge(project: Project, rater: User) -> Assignment:
    held = claim(queue=make.queue(project), rater=rater)
    assert held is not None
    submit(assignment=held, rater=rater, body=BODY)
    return held


def test_a_rater_continues_where_they_stopped(client: Client, project: Project, cast: dict[str, User]) -> None:
    make.pairs(project, 3)
    client.force_login(cast["Rui"])
    page = client.get("/").text
    assert "Start with comparison 1" in page and "some waiting" in page
    judge(project, cast["Rui"])
    page = client.get("/").text
    assert (
        "Continue comparison 2" in page
        and "1 judged by you, more waiting" in page
        and "You have judged 1 comparison today." in page
    )


def test_the_button_claims_and_leads_to_the_pair(client: Client, project: Project, cast: dict[str, User]) -> None:
    make.pair(project)
    client.force_login(cast["Rui"])
    queue = make.queue(project)
    assert f'action="/compare/{queue.pk}/next/"' in client.get("/").text
    answer = client.post(f"/compare/{queue.pk}/next/", follow=True)
    assert "Comparison 1 of 1" in answer.text and Assignment.objects.get().rater == cast["Rui"]


def test_what_is_held_comes_before_what_was_done_most(client: Client, project: Project, cast: dict[str, User]) -> None:
    make.pairs(project, 4)
    other = create_queue(project=project, by=None, name="Second look")
    judge(project, cast["Rui"])
    claim(queue=other, rater=cast["Rui"])
    client.force_login(cast["Rui"])
    page = client.get("/").text
    assert page.index("Second look") < page.index("Every pair")


def test_a_paused_or_empty_queue_offers_no_start(client: Client, project: Project, cast: dict[str, User]) -> None:
    client.force_login(cast["Rui"])
    page = client.get("/").text
    assert "nothing imported yet" in page and "/next/" not in page
    make.pair(project)
    change_queue(queue=make.queue(project), by=None, paused=True)
    page = client.get("/").text
    assert "Paused" in page and "/next/" not in page


def test_the_week_counts_days_apart(client: Client, project: Project, cast: dict[str, User]) -> None:
    make.pairs(project, 3)
    for days in (0, 0, 2):
        held = judge(project, cast["Rui"])
        stored = Assignment.objects.get(pk=held.pk)
        assert stored.ended_at is not None
        Assignment.objects.filter(pk=held.pk).update(ended_at=stored.ended_at - timedelta(days=days))
    client.force_login(cast["Rui"])
    page = client.get("/").text
    assert "You have judged 2 comparisons today." in page
    label = page.split('aria-label="Comparisons judged: ')[1].split('"')[0]
    assert [int(day.split()[1]) for day in label.split(", ")] == [0, 0, 0, 0, 1, 0, 2]


def test_managers_and_researchers_see_their_projects(client: Client, project: Project, cast: dict[str, User]) -> None:
    make.project("other", "Somebody else’s")
    for name, role in (("Mara", "Manager"), ("Noor", "Researcher"), ("Ada", "Adjudicator")):
        client.force_login(cast[name])
        page = client.get("/").text
        assert "Your projects" in page and role in page
        assert "Open to you" not in page and "Somebody else" not in page


def test_one_who_rates_and_manages_sees_both(client: Client, project: Project, cast: dict[str, User]) -> None:
    make.pair(project)
    make.member(project, "Mara", Membership.Role.RATER)
    client.force_login(cast["Mara"])
    page = client.get("/").text
    assert "Open to you" in page and "Your projects" in page


def test_an_outsider_is_told_what_to_do(client: Client, cast: dict[str, User]) -> None:
    client.force_login(cast["Otto"])
    page = client.get("/").text
    assert "You are in no project yet" in page and "Everyday advice" not in page


def test_a_stranger_signs_in_first(client: Client) -> None:
    answer = client.get("/")
    assert (answer.status_code, answer["Location"]) == (302, "/sign-in/?next=/")


def test_sensitive_pairs_wait_for_who_chose_them(client: Client, project: Project, cast: dict[str, User]) -> None:
    Project.objects.update(support="Write to Ada.")
    add_topic(project=project, by=None, key="hate", name="Hate")
    add_topic(project=project, by=None, key="war", name="War")
    make.pair(project, tags=["hate", "war"])
    for chosen, said in ([], "nothing right now"), (["hate"], "nothing right now"), (["hate", "war"], "some waiting"):
        Participation.objects.update_or_create(project=project, user=cast["Rui"], defaults={"topics": chosen})
        client.force_login(cast["Rui"])
        assert said in client.get("/").text


def test_home_takes_few_queries_however_many_queues(
    client: Client, project: Project, cast: dict[str, User], django_assert_max_num_queries: DjangoAssertNumQueries
) -> None:
    make.pair(project)
    for number in range(5):
        create_queue(project=project, by=None, name=f"Queue {number}")
    make.member(project, "Rui", Membership.Role.MANAGER)
    client.force_login(cast["Rui"])
    with django_assert_max_num_queries(11):
        client.get("/")
