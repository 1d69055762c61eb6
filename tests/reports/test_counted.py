"""What is withdrawn counts in no report; the feed marks it, or leaves out what consent no longer covers."""

from __future__ import annotations

import pytest
from django.db import connection, transaction
from django.utils import timezone

from labeling.actions.annotate import submit
from labeling.actions.assign import claim
from labeling.actions.withdrawals import withdraw_for_consent, withdraw_item, withdraw_rater
from labeling.models import Withdrawal
from labeling.reports.counted import COUNTS
from labeling.reports.feed import Cursor, page
from tests import make
from tests.settled import until_settled

pytestmark = pytest.mark.django_db(transaction=True)


def judge(study, name, preference=-1):
    rater = study["people"][name]
    assignment = claim(queue=study["queue"], rater=rater)
    return submit(
        assignment=assignment, rater=rater, body={"judgments": {"helpfulness": {"preference": preference}}}
    ).annotation


@pytest.fixture
def study(db):
    project = make.project(overlap=2)
    people = make.cast(project)
    made = {"project": project, "people": people, "queue": make.queue(project), "pairs": make.pairs(project, 2)}
    for name in ("Rui", "Rui", "Rosa", "Rosa"):
        judge(made, name)
    return made


def counted(study):
    with connection.cursor() as cursor:
        cursor.execute(f"SELECT a.rater_id, a.pair_id FROM labeling_annotation a WHERE {COUNTS}")
        names = {user.pk: name for name, user in study["people"].items()}
        return sorted((names[rater], pair) for rater, pair in cursor.fetchall())


def everything(study, *names):
    return sorted((name, pair.pk) for name in names for pair in study["pairs"])


def test_a_rater_who_is_set_aside_counts_no_more_until_that_is_lifted(study):
    made = withdraw_rater(project=study["project"], rater=study["people"]["Rui"], by=study["people"]["Mara"])
    assert counted(study) == everything(study, "Rosa")
    Withdrawal.objects.filter(pk=made.pk).update(lifted_at=timezone.now())
    assert counted(study) == everything(study, "Rosa", "Rui")


def test_what_is_judged_after_the_withdrawal_counts(study):
    withdraw_rater(project=study["project"], rater=study["people"]["Rui"], by=study["people"]["Mara"])
    study["pairs"].append(make.pair(study["project"]))
    judge(study, "Rui")
    assert counted(study) == sorted(
        [("Rui", study["pairs"][2].pk), *(("Rosa", pair.pk) for pair in study["pairs"][:2])]
    )


def test_an_item_takes_all_its_judgments_with_it(study):
    withdraw_item(item=study["pairs"][0].item, by=study["people"]["Mara"])
    assert counted(study) == [("Rosa", study["pairs"][1].pk), ("Rui", study["pairs"][1].pk)]


def test_a_withdrawal_in_another_project_says_nothing(study):
    other = make.project("other", "Other")
    Withdrawal.objects.create(project=other, why="rater", rater=study["people"]["Rui"], closes=False)
    assert counted(study) == everything(study, "Rosa", "Rui")


def test_the_feed_marks_what_is_set_aside_and_leaves_out_what_lost_its_consent(study):
    withdraw_rater(project=study["project"], rater=study["people"]["Rui"], by=study["people"]["Mara"])
    until_settled()
    rows = page(study["project"], Cursor(), 10).rows
    assert sorted(row["withdrawn"] for row in rows) == [False, False, True, True]
    with transaction.atomic():
        withdraw_for_consent(project=study["project"], rater=study["people"]["Rui"])
    until_settled()
    rows = page(study["project"], Cursor(), 10).rows
    assert [row["withdrawn"] for row in rows] == [False, False]
