"""Study plans: asked for on a page, worked out by a worker, made a queue, and set beside what happened."""

from __future__ import annotations

from typing import Any

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from labeling import tasks
from labeling.actions.plans import make_queue, note_what_happened, plan_study, simulate
from labeling.actions.refusals import Refused
from labeling.models import AuditEntry, Project, RaterStanding, StudyPlan
from labeling.reports.plans import measured_accuracies, seconds_a_judgment
from tests import make
from tests.actions.test_adjudicate import judge, torn

pytestmark = pytest.mark.django_db
ASKED: dict[str, Any] = {
    "pairs": 400, "raters": 20, "crowd": "mixed", "overlaps": [2, 3], "third": True, "sures": [0.8], "trusted": True,
    "most": 5, "seconds": 90, "price": 20, "gold_percent": 5, "hours_a_day": 4, "wished": 0.8,
}  # fmt: skip
SENT = ASKED | {"name": "Spring", "wished": "80", "third": "on", "trusted": "on"}


@pytest.fixture(autouse=True)
def _few(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("labeling.actions.plans.SEEDS", (1, 2))


@pytest.fixture
def plan(study: dict[str, Any]) -> StudyPlan:
    made = plan_study(project=study["project"], by=study["people"]["Mara"], name="Spring", asked=ASKED)
    simulate(made)
    made.refresh_from_db()
    return made


def test_the_rules_are_set_side_by_side_and_the_cheapest_is_named(plan: StudyPlan) -> None:
    assert plan.state == "done" and plan.found is not None
    rows = plan.found["rows"]
    names = ("overlap", "third", "sure", "trusted")
    assert [tuple(row["rule"][name] for name in names) for row in rows] == [
        (2, False, 0.0, False), (3, False, 0.0, False), (0, True, 0.0, False), (0, False, 0.8, False),
        (0, False, 0.8, True),
    ]  # fmt: skip
    three, third = rows[1], rows[2]
    assert three["judgments"] == 1260 and three["hours"] == 31.5 and three["cost"] == 630 and three["days"] == 1
    assert third["judgments"] < three["judgments"] and third["accuracy"] == three["accuracy"]
    for row in rows:
        assert row["low"] <= row["accuracy"] <= row["high"]
    enough = [row for row in rows if row["accuracy"] >= 0.8]
    assert rows[plan.found["cheapest"]] == min(enough, key=lambda row: row["judgments"])
    again = StudyPlan.objects.create(project=plan.project, name="again", asked=plan.asked)
    simulate(again)
    again.refresh_from_db()
    assert again.found == plan.found


def test_the_page_asks_works_it_out_and_shows_it(study: dict[str, Any], mara: Client) -> None:
    slug = study["project"].slug
    form = mara.get(reverse("plan_new", args=[slug])).content.decode()
    assert 'name="pairs" value="2"' in form and "As measured in this project" not in form
    answer = mara.post(reverse("plan_new", args=[slug]), SENT)
    plan = StudyPlan.objects.get()
    address = reverse("plan", args=[slug, plan.pk])
    assert answer["Location"] == address and plan.asked["wished"] == 0.8 and plan.asked["overlaps"] == [2, 3]
    waiting = mara.get(address).content.decode()
    assert "Working it out" in waiting and 'hx-trigger="every 2s"' in waiting
    tasks.nudge_plans()
    part = mara.get(address, headers={"HX-Request": "true"}).content.decode()
    assert "<html" not in part and "cheapest that is enough" in part and "hx-trigger" not in part
    assert "Two, and a third when they disagree" in part and "<svg" in part
    assert "Spring" in mara.get(reverse("plans", args=[slug])).content.decode()
    assert AuditEntry.objects.filter(act="plan.made").count() == 1


def test_its_table_is_a_file_as_well(plan: StudyPlan, study: dict[str, Any], mara: Client) -> None:
    slug = study["project"].slug
    lines = b"".join(mara.get(reverse("plan_csv", args=[slug, plan.pk])).streaming_content).decode().splitlines()  # type: ignore[attr-defined]
    assert lines[0].startswith('"rule","accuracy"') and len(lines) == 6
    data = mara.get(reverse("plan_json", args=[slug, plan.pk])).json()
    assert data["found"] == plan.found and data["name"] == "Spring"


def test_one_click_makes_a_queue_with_these_rules(plan: StudyPlan, study: dict[str, Any], mara: Client) -> None:
    slug = study["project"].slug
    answer = mara.post(reverse("plan_queue", args=[slug, plan.pk]), {"row": "3"})
    plan.refresh_from_db()
    queue = plan.queue
    assert queue is not None and answer["Location"] == reverse("queue", args=[slug, queue.pk])
    assert (queue.name, queue.stopping, queue.sure, queue.least, queue.most) == ("Spring", "model", 0.8, 2, 5)
    assert queue.gold_percent == 5 and queue.pair_count == 2
    again = mara.post(reverse("plan_queue", args=[slug, plan.pk]), {"row": "1"}, follow=True)
    assert "made of this plan already" in again.content.decode()
    other = plan_study(project=study["project"], by=study["people"]["Mara"], name="Spring", asked=ASKED)
    with pytest.raises(Refused, match="not worked out"):
        make_queue(plan=other, by=study["people"]["Mara"], row=0)
    simulate(other)
    with pytest.raises(Refused, match="Choose one"):
        make_queue(plan=other, by=study["people"]["Mara"], row=9)
    assert make_queue(plan=other, by=study["people"]["Mara"], row=1).name == "Spring 2"


def test_afterwards_it_stands_beside_what_happened(plan: StudyPlan, study: dict[str, Any], mara: Client) -> None:
    project: Project = study["project"]
    StudyPlan.objects.filter(pk=plan.pk).update(queue=study["queue"], found=plan.found and plan.found | {"row": 1})
    first, second = study["pairs"]
    torn(study["people"], first)
    judge(study["people"]["Rui"], second, helpfulness=1)
    note_what_happened()
    plan.refresh_from_db()
    assert plan.found is not None
    happened = plan.found["happened"]
    assert (happened["judgments"], happened["pairs_begun"], happened["pairs_ended"]) == (3, 2, 1)
    assert (happened["agree"], happened["compared"]) == (0.0, 1)
    page = mara.get(reverse("plan", args=[project.slug, plan.pk])).content.decode()
    assert "And what happened" in page and "0 %" in page
    note_what_happened()
    before = plan.found
    plan.refresh_from_db()
    assert plan.found == before


def test_what_is_known_of_the_project_is_where_a_plan_starts(study: dict[str, Any]) -> None:
    project = study["project"]
    seconds, known_by = seconds_a_judgment(project)
    assert known_by == "texts" and 20 < seconds < 30
    assert seconds_a_judgment(make.project("empty", "Empty")) == (90, "guess")
    criterion = project.criteria.get(key="helpfulness")
    for number in range(5):
        assert measured_accuracies(project) == []
        RaterStanding.objects.create(
            project=project, criterion=criterion, rater=make.member(project, f"R{number}", "rater"), judgments=30,
            mean=0.8 + number / 100, low=0.7, high=0.9, poor=0,
        )  # fmt: skip
    assert measured_accuracies(project) == pytest.approx([0.8, 0.81, 0.82, 0.83, 0.84])
    made = plan_study(project=project, by=study["people"]["Mara"], name="x", asked=ASKED | {"crowd": "measured"})
    simulate(made)
    made.refresh_from_db()
    assert made.state == "done"


@pytest.mark.parametrize(
    ("wrong", "field"),
    [
        ({"pairs": 0}, "pairs"), ({"raters": 1}, "raters"), ({"seconds": 9999}, "seconds"), ({"wished": 2}, "wished"),
        ({"crowd": "angels"}, "crowd"), ({"crowd": "measured"}, "crowd"), ({"overlaps": [99]}, "overlaps"),
        ({"overlaps": [], "third": False, "sures": []}, "overlaps"), ({"sures": []}, "trusted"),
        ({"most": True}, "most"),
        ({"price": "1"}, "price"),
    ],
)  # fmt: skip
def test_what_cannot_be_planned_with_is_named(study: dict[str, Any], wrong: dict[str, Any], field: str) -> None:
    with pytest.raises(Refused) as refused:
        plan_study(project=study["project"], by=study["people"]["Mara"], name="x", asked=ASKED | wrong)
    assert field in refused.value.errors


def test_the_form_keeps_what_was_wrong(study: dict[str, Any], mara: Client) -> None:
    answer = mara.post(reverse("plan_new", args=[study["project"].slug]), SENT | {"pairs": "-4", "overlaps": ["3"]})
    assert answer.status_code == 422 and 'value="-4"' in answer.content.decode()
    nothing = mara.post(
        reverse("plan_new", args=[study["project"].slug]),
        {k: v for k, v in SENT.items() if k not in ("overlaps", "third", "sures", "trusted")},
    )
    assert nothing.status_code == 422 and "Choose at least one rule" in nothing.content.decode()


def test_a_plan_that_fails_says_so(study: dict[str, Any], mara: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    made = plan_study(project=study["project"], by=study["people"]["Mara"], name="x", asked=ASKED)

    def broken(*args: Any, **more: Any) -> None:
        raise ValueError("no such crowd")

    monkeypatch.setattr("labeling.actions.plans.draw", broken)
    with pytest.raises(ValueError, match="crowd"):
        simulate(made)
    assert "no such crowd" in mara.get(reverse("plan", args=[study["project"].slug, made.pk])).content.decode()


def test_the_pages_ask_little(plan: StudyPlan, study: dict[str, Any], mara: Client) -> None:
    slug = study["project"].slug
    for name, args in (("plans", [slug]), ("plan_new", [slug]), ("plan", [slug, plan.pk])):
        with CaptureQueriesContext(connection) as asked:
            assert mara.get(reverse(name, args=args)).status_code == 200
        assert len(asked) < 15, (name, len(asked))
