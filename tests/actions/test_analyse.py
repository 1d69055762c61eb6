"""The job behind the reports: a row first, one worker, reports stored as they come, asked for where there is news."""

from __future__ import annotations

from datetime import timedelta

import pytest
from django.utils import timezone

from labeling.actions import analyse
from labeling.actions.analyse import analyses_to_nudge, ask, ask_for_all, ask_where_there_is_news, run_step
from labeling.actions.annotate import submit
from labeling.actions.assign import claim
from labeling.actions.withdrawals import withdraw_rater
from labeling.models import Analysis, AuditEntry, Finding
from labeling.reports.analysis.catalogue import REPORTS
from labeling.reports.findings import NAMES, age, find, find_all
from tests import make
from tests.settled import until_settled

pytestmark = pytest.mark.django_db


@pytest.fixture
def study():
    project = make.project(overlap=2)
    people = make.cast(project)
    made = {"project": project, "people": people, "queue": make.queue(project), "pairs": make.pairs(project, 3)}
    judge(made, "Rui")
    judge(made, "Rosa")
    return made


def judge(study, name):
    rater = study["people"][name]
    assignment = claim(queue=study["queue"], rater=rater)
    submit(assignment=assignment, rater=rater, body={"judgments": {"helpfulness": {"preference": 1}}})


def analysed(study, by=None):
    analysis = ask(project=study["project"], by=by)
    assert run_step(analysis) is False
    analysis.refresh_from_db()
    return analysis


def test_all_reports_are_stored_with_when_and_of_how_much(study):
    analysis = analysed(study)
    assert (analysis.state, analysis.judgments, analysis.error) == ("done", 2, "")
    found = find_all(study["project"], *NAMES)
    assert tuple(found) and set(found) == set(NAMES) == set(REPORTS)
    for one in found.values():
        assert one.judgments == 2 and one.computed_at <= timezone.now()
        for table in one.tables.values():
            assert all(len(row) == len(table["columns"]) for row in table["rows"])


def test_an_empty_project_has_every_report_too():
    project = make.project("empty", "Empty")
    assert run_step(ask(project=project, by=None)) is False
    assert Finding.objects.filter(project=project).count() == len(NAMES)


def test_asking_twice_is_asking_once(study):
    mara = study["people"]["Mara"]
    first = ask(project=study["project"], by=mara)
    assert ask(project=study["project"], by=None) == first
    assert AuditEntry.objects.filter(act="analysis.asked").count() == 1
    assert run_step(first) is False
    assert ask(project=study["project"], by=mara) != first


def test_a_later_analysis_takes_the_place_of_the_one_before(study):
    first = analysed(study)
    judge(study, "Rui")
    second = analysed(study)
    assert {row.analysis_id for row in Finding.objects.all()} == {second.pk} != {first.pk}
    assert find(study["project"], "agreement").judgments == 3
    assert not find(study["project"], "nonsense")


def test_a_step_that_took_long_hands_the_rest_on(study):
    analysis = ask(project=study["project"], by=None)
    steps = 0
    while run_step(analysis, seconds=0):
        steps += 1
        analysis.refresh_from_db()
        assert analysis.state == Analysis.State.WAITING
        assert Finding.objects.filter(analysis=analysis).count() == steps
    analysis.refresh_from_db()
    assert steps == len(REPORTS) - 1 and analysis.state == Analysis.State.DONE


def test_a_worker_that_was_given_up_writes_nothing(study, monkeypatch):
    analysis = ask(project=study["project"], by=None)

    def overtaken(project):
        Analysis.objects.filter(pk=analysis.pk).update(fence=7)
        return load(project)

    load = analyse.load
    monkeypatch.setattr(analyse, "load", overtaken)
    assert run_step(analysis) is False
    assert not Finding.objects.exists()


def test_two_workers_do_not_take_one_analysis(study):
    analysis = ask(project=study["project"], by=None)
    assert Analysis.objects.get(pk=analysis.pk).take()
    assert run_step(analysis) is False and not Finding.objects.exists()


def test_nobody_is_told_twice_within_a_minute(study):
    analysis = ask(project=study["project"], by=None)
    assert analyses_to_nudge() == [analysis.pk] and analyses_to_nudge() == []
    Analysis.objects.filter(pk=analysis.pk).update(lease_until=timezone.now() - timedelta(seconds=1))
    assert analyses_to_nudge() == [analysis.pk]


def long_ago(analysis, **ago):
    at = timezone.now() - timedelta(**ago)
    Analysis.objects.filter(pk=analysis.pk).update(created_at=at - timedelta(seconds=1), finished_at=at)


def test_the_clock_asks_where_nothing_was_computed_yet(study):
    make.project("untouched", "Untouched")
    assert [one.project for one in ask_where_there_is_news()] == [study["project"]]
    assert ask_where_there_is_news() == []  # that one waits


def test_the_clock_asks_again_after_five_minutes_if_anything_is_new(study):
    analysis = analysed(study)
    long_ago(analysis, minutes=4)
    assert ask_where_there_is_news() == []
    long_ago(analysis, minutes=6)
    assert len(ask_where_there_is_news()) == 1


@pytest.mark.django_db(transaction=True)
def test_the_clock_does_not_ask_where_nothing_is_new(study):
    """Committed here, so that what was counted is over and done with."""
    until_settled()
    analysis = analysed(study)
    long_ago(analysis, hours=6)
    assert age(study["project"]).new == 0 and ask_where_there_is_news() == []
    judge(study, "Rui")
    assert age(study["project"]).new == 1 and len(ask_where_there_is_news()) == 1


def test_much_that_is_new_does_not_wait_for_five_minutes(study, monkeypatch):
    analysis = analysed(study)
    long_ago(analysis, minutes=1)
    assert ask_where_there_is_news() == []
    monkeypatch.setattr(analyse, "ENOUGH_NEW", 2)
    assert len(ask_where_there_is_news()) == 1


def test_a_slow_analysis_is_not_followed_at_once(study, monkeypatch):
    monkeypatch.setattr(analyse, "ENOUGH_NEW", 2)
    analysis = analysed(study)
    now = timezone.now()
    Analysis.objects.filter(pk=analysis.pk).update(
        created_at=now - timedelta(minutes=4), finished_at=now - timedelta(minutes=2)
    )
    assert ask_where_there_is_news() == []


def test_a_withdrawal_is_news(study):
    analysis = analysed(study)
    long_ago(analysis, minutes=1)
    assert ask_where_there_is_news() == []
    withdraw_rater(project=study["project"], rater=study["people"]["Rui"], by=study["people"]["Mara"])
    assert len(ask_where_there_is_news()) == 1


def test_every_night_everything_is_computed_anew(study):
    make.project("untouched", "Untouched")
    assert [one.project for one in ask_for_all()] == [study["project"]]


def test_old_analyses_are_forgotten(study, monkeypatch):
    monkeypatch.setattr(analyse, "KEPT", 2)
    for _ in range(4):
        newest = analysed(study)
    assert study["project"].analyses.order_by("-pk").first() == newest and study["project"].analyses.count() == 2


def test_the_age_says_what_runs_and_what_is_new(study):
    assert (age(study["project"]).newest, age(study["project"]).new) == (None, 2)
    first = analysed(study)
    ask(project=study["project"], by=None)
    found = age(study["project"])
    assert found.newest == first and found.running
