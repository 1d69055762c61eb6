"""Care: what is opened, counted, capped and offered. Mara manages, Rui rates and chose what he sees."""

from datetime import timedelta

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from labeling.actions.annotate import submit
from labeling.actions.assign import claim, skip
from labeling.actions.breaks import (
    asks_how_they_are,
    claim_unless_break,
    go_on,
    pause_after_the_run,
    pause_due,
    take_break,
)
from labeling.actions.care import change_care, check_in, claim_opened, open_pair, stop_sharing
from labeling.actions.queues import create_queue
from labeling.actions.refusals import Refused
from labeling.actions.topics import add_topic, change_topic, choose_topics, remove_topic, stop_topics
from labeling.models import Assignment, AuditEntry, CheckIn, Exposure, Participation, Passage, Project
from labeling.reports.exposure import exposure_by_person, project_exposure
from tests import make

pytestmark = pytest.mark.django_db
BODY = {"judgments": {"helpfulness": {"preference": -1}}}
SEVERE = {"judgments": {"safety": {"left": {"safe": False, "severity": 3}, "right": {"safe": True}}}}


@pytest.fixture
def project():
    made = make.project(overlap=1)
    Project.objects.update(support="Dr. Lin, 0800")
    made.refresh_from_db()
    return made


@pytest.fixture
def cast(project):
    return make.cast(project)


@pytest.fixture
def rui(cast):
    return cast["Rui"]


def topic(project, key="self-harm", **about):
    return add_topic(project=project, by=None, key=key, name=key, **about)


def set_care(project, **numbers):
    for name, value in numbers.items():
        setattr(project, name, value)
    project.save()


def sensitive(project, number, key="self-harm"):
    return [make.pair(project, tags=[key]) for _ in range(number)]


def judge(held, rater, body=BODY, **how):
    if held.lane:
        open_pair(assignment=held, rater=rater)
    return submit(assignment=held, rater=rater, body=body, **how)


def minutes_ago(held, minutes):
    """As if this pair had been claimed so long ago."""
    Assignment.objects.filter(pk=held.pk).update(claimed_at=timezone.now() - timedelta(minutes=minutes))


def opened_ago(rater, minutes):
    Passage.objects.filter(rater=rater).update(run_at=timezone.now() - timedelta(minutes=minutes))


# --- opening and caps -----------------------------------------------------------------------------


def test_what_is_opened_is_counted_once_by_topic_and_day(project, rui):
    for key in ("self-harm", "violence"):
        topic(project, key)
    make.pair(project, tags=["self-harm", "violence"])
    choose_topics(project=project, rater=rui, keys=["self-harm", "violence"])
    held = claim(queue=make.queue(project), rater=rui)
    assert held.opened_at is None and not Exposure.objects.exists()
    for _ in range(2):
        opened = open_pair(assignment=held, rater=rui)
    assert opened.assignment.opened_at and not opened.refused
    minutes_ago(held, 2)
    submit(assignment=held, rater=rui, body=BODY | {"active_ms": 61_000})
    counted = list(Exposure.objects.order_by("topic").values_list("topic", "shown", "milliseconds"))
    assert counted == [("self-harm", 1, 61_000), ("violence", 1, 61_000)]
    assert [(one.key, one.shown, one.people) for one in project_exposure(project)] == [
        ("self-harm", 1, 1),
        ("violence", 1, 1),
    ]
    assert exposure_by_person(project)[0].minutes == 1


def test_a_page_cannot_count_more_time_than_the_pair_was_held(project, rui):
    topic(project)
    sensitive(project, 1)
    choose_topics(project=project, rater=rui, keys=["self-harm"])
    held = claim(queue=make.queue(project), rater=rui)
    minutes_ago(held, 1)
    judge(held, rui, BODY | {"active_ms": 3_600_000})
    assert 59_000 < Exposure.objects.get().milliseconds < 90_000


def test_what_was_not_opened_cannot_be_judged(project, rui):
    topic(project)
    sensitive(project, 1)
    choose_topics(project=project, rater=rui, keys=["self-harm"])
    held = claim(queue=make.queue(project), rater=rui)
    with pytest.raises(Refused) as refused:
        submit(assignment=held, rater=rui, body=BODY)
    assert refused.value.code == "not_opened"


def test_the_cap_in_pairs_ends_the_topic_for_the_day(project, rui):
    topic(project, daily_pairs=2)
    sensitive(project, 4)
    make.pairs(project, 2)
    choose_topics(project=project, rater=rui, keys=["self-harm"])
    queue, lanes = make.queue(project), []
    while (held := claim(queue=queue, rater=rui)) is not None:
        lanes.append(held.lane)
        judge(held, rui)
    assert sorted(lanes) == ["", "", "self-harm", "self-harm"]
    Exposure.objects.update(day=timezone.now().date() - timedelta(days=1))
    assert claim(queue=queue, rater=rui).lane == "self-harm"


def test_the_cap_in_minutes_ends_it_too(project, rui):
    topic(project, daily_minutes=1)
    sensitive(project, 3)
    choose_topics(project=project, rater=rui, keys=["self-harm"])
    held = claim(queue=make.queue(project), rater=rui)
    minutes_ago(held, 5)
    judge(held, rui, BODY | {"active_ms": 60_000})
    assert claim(queue=make.queue(project), rater=rui) is None


def test_the_cap_of_one_topic_leaves_the_others(project, rui):
    for key, cap in (("self-harm", 1), ("violence", 9)):
        topic(project, key, daily_pairs=cap)
    sensitive(project, 1)
    choose_topics(project=project, rater=rui, keys=["self-harm", "violence"])
    judge(claim(queue=make.queue(project), rater=rui), rui)
    sensitive(project, 1), sensitive(project, 1, "violence")
    assert claim(queue=make.queue(project), rater=rui).lane == "violence"


def test_a_pair_claimed_before_the_cap_goes_back_when_it_is_opened_after(project, rui):
    topic(project, daily_pairs=1)
    sensitive(project, 2)
    choose_topics(project=project, rater=rui, keys=["self-harm"])
    held = claim(queue=make.queue(project), rater=rui)
    Exposure.objects.create(project=project, user=rui, topic="self-harm", day=timezone.now().date(), shown=1)
    opened = open_pair(assignment=held, rater=rui)
    assert (opened.refused, opened.assignment.state) == ("capped", "released")
    assert Exposure.objects.get().shown == 1


def test_a_severe_topic_has_a_lower_cap_unless_one_is_said(project):
    assert topic(project, "a", severity=3).daily_pairs == 5
    assert topic(project, "b", severity=2).daily_pairs == 20
    assert topic(project, "c", severity=3, daily_pairs=7).daily_pairs == 7


# --- the run --------------------------------------------------------------------------------------


@pytest.fixture
def runner(project, rui):
    """Rui, who has judged three sensitive pairs in a row; three more of them wait, and one everyday pair."""
    topic(project)
    sensitive(project, 3)
    choose_topics(project=project, rater=rui, keys=["self-harm"])
    queue = make.queue(project)
    for _ in range(3):
        judge(claim(queue=queue, rater=rui), rui)
    sensitive(project, 3)
    make.pair(project)
    return rui


def test_after_three_an_everyday_pair_comes_and_ends_the_run(project, runner):
    queue = make.queue(project)
    held = claim(queue=queue, rater=runner)
    assert held.lane == ""
    judge(held, runner)
    assert claim(queue=queue, rater=runner).lane == "self-harm"


def test_skipping_the_everyday_pair_does_not_end_it(project, runner):
    queue = make.queue(project)
    skip(assignment=claim(queue=queue, rater=runner), rater=runner)
    assert claim(queue=queue, rater=runner) is None


def test_five_minutes_away_end_it(project, runner):
    queue = make.queue(project)
    judge(claim(queue=queue, rater=runner), runner)  # the everyday one
    for _ in range(3):
        judge(claim(queue=queue, rater=runner), runner)
    sensitive(project, 1)
    assert claim(queue=queue, rater=runner) is None
    opened_ago(runner, 6)
    held = claim(queue=queue, rater=runner)
    assert held.lane == "self-harm"
    judge(held, runner)
    assert Passage.objects.get(rater=runner, lane="").sensitive_run == 1


def test_with_nothing_else_left_a_break_is_offered_and_then_it_goes_on(project, runner):
    queue = make.queue(project)
    skip(assignment=claim(queue=queue, rater=runner), rater=runner)
    assert pause_after_the_run(queue, runner).why == "run"
    assert go_on(queue=queue, rater=runner).lane == "self-harm"
    assert pause_after_the_run(queue, runner) is None


def test_a_run_in_one_queue_counts_in_the_others(project, runner, cast):
    second = create_queue(project=project, by=cast["Mara"], name="Second")
    second.refresh_from_db()
    assert claim(queue=second, rater=runner).lane == ""


def test_at_the_end_no_break_is_offered_after_a_run(project, runner):
    queue = make.queue(project)
    queue.slots.filter(state="open").delete()
    assert claim(queue=queue, rater=runner) is None
    assert pause_after_the_run(queue, runner) is None


# --- choosing -------------------------------------------------------------------------------------


def test_taking_a_choice_back_gives_the_open_pair_back(project, rui):
    topic(project)
    pair = sensitive(project, 1)[0]
    choose_topics(project=project, rater=rui, keys=["self-harm"])
    held = claim(queue=make.queue(project), rater=rui)
    open_pair(assignment=held, rater=rui)
    stop_topics(assignment=held, rater=rui)
    held.refresh_from_db()
    assert held.state == "released" and pair.slots.get().state == "open"
    assert Participation.objects.get().topics == []
    assert claim(queue=make.queue(project), rater=rui) is None


def test_a_choice_that_keeps_the_topic_keeps_the_pair(project, rui):
    for key in ("self-harm", "violence"):
        topic(project, key)
    sensitive(project, 1)
    choose_topics(project=project, rater=rui, keys=["self-harm", "violence"])
    held = claim(queue=make.queue(project), rater=rui)
    choose_topics(project=project, rater=rui, keys=["self-harm"])
    held.refresh_from_db()
    assert held.state == "open"


def test_what_is_no_topic_cannot_be_chosen(project, rui):
    with pytest.raises(Refused, match="no topic “gore”"):
        choose_topics(project=project, rater=rui, keys=["gore"])


def test_a_topic_that_becomes_worse_is_asked_anew(project, rui, cast):
    made = topic(project, severity=2)
    choose_topics(project=project, rater=rui, keys=["self-harm"])
    change_topic(topic=made, by=cast["Mara"], description="Said better.", daily_pairs=3)
    assert Participation.objects.get().topics == ["self-harm"]
    change_topic(topic=made, by=cast["Mara"], severity=3)
    assert Participation.objects.get().topics == []


def test_a_topic_that_comes_again_is_chosen_by_nobody(project, rui, cast):
    choose = {"project": project, "rater": rui}
    choose_topics(keys=["self-harm"] if topic(project) else [], **choose)
    remove_topic(topic=project.topics.get(), by=cast["Mara"])
    topic(project)
    assert Participation.objects.get().topics == []


@pytest.mark.parametrize(
    ("wrong", "field"),
    [
        ({"key": "two words"}, "key"),
        ({"key": "x" * 41}, "key"),
        ({"key": "taken"}, "key"),
        ({"name": "  "}, "name"),
        ({"severity": 4}, "severity"),
        ({"daily_pairs": 0}, "daily_pairs"),
        ({"daily_minutes": 1441}, "daily_minutes"),
    ],
)
def test_a_topic_that_cannot_be(project, wrong, field):
    topic(project, "taken")
    with pytest.raises(Refused) as refused:
        add_topic(project=project, by=None, **({"key": "new", "name": "New"} | wrong))
    assert field in refused.value.errors


def test_all_topics_together_fit_into_the_name_of_a_lane(project):
    for number in range(7):
        topic(project, f"{number}".rjust(40, "x"))
    make.pair(project, tags=[f"{number}".rjust(40, "x") for number in range(7)])
    with pytest.raises(Refused, match="together"):
        topic(project, "y" * 14)


# --- programs -------------------------------------------------------------------------------------


def test_a_program_gets_the_pair_opened_and_counted(project, rui):
    topic(project, daily_pairs=1)
    sensitive(project, 2)
    choose_topics(project=project, rater=rui, keys=["self-harm"])
    got = claim_opened(queue=make.queue(project), rater=rui)
    assert got.opened_at and Exposure.objects.get().shown == 1
    assert claim_opened(queue=make.queue(project), rater=rui).pk == got.pk
    assert Exposure.objects.get().shown == 1
    submit(assignment=got, rater=rui, body=BODY)
    assert claim_opened(queue=make.queue(project), rater=rui) is None


def test_a_program_gets_another_pair_for_one_that_may_not_be_opened(project, rui):
    topic(project, daily_pairs=1)
    sensitive(project, 1)
    choose_topics(project=project, rater=rui, keys=["self-harm"])
    held = claim(queue=make.queue(project), rater=rui)
    everyday = make.pair(project)
    Exposure.objects.create(project=project, user=rui, topic="self-harm", day=timezone.now().date(), shown=1)
    assert claim_opened(queue=make.queue(project), rater=rui, given=held).pair_id == everyday.pk


# --- breaks ---------------------------------------------------------------------------------------


def place_of(rater):
    return Passage.objects.get(rater=rater, lane="")


def counted(rater):
    place = place_of(rater)
    return place.since_break, place.since_break_ms


def test_a_break_is_offered_after_so_many_pairs_and_nothing_is_leased_meanwhile(project, rui):
    set_care(project, break_after_pairs=2, break_after_minutes=0)
    make.pairs(project, 4)
    queue = make.queue(project)
    following = judge(claim(queue=queue, rater=rui), rui, then_claim=True, breaks=True).following
    assert judge(following, rui, then_claim=True, breaks=True).following is None
    assert not Assignment.objects.filter(state="open").exists()
    assert (pause_due(queue, rui).why, pause_due(queue, rui).pairs) == ("pairs", 2)
    assert claim_unless_break(queue=queue, rater=rui) is None
    assert go_on(queue=queue, rater=rui) is not None
    assert counted(rui) == (0, 0) and pause_due(queue, rui) is None


def test_a_break_is_offered_after_so_many_minutes(project, rui):
    make.pairs(project, 3)
    queue = make.queue(project)
    held = claim(queue=queue, rater=rui)
    minutes_ago(held, 30)
    assert judge(held, rui, BODY | {"active_ms": 25 * 60_000}, then_claim=True, breaks=True).following is None
    assert (pause_due(queue, rui).why, pause_due(queue, rui).minutes) == ("time", 25)


def test_without_numbers_only_a_severe_pair_brings_a_break(project, rui):
    set_care(project, break_after_pairs=0, break_after_minutes=0)
    make.pairs(project, 4)
    queue = make.queue(project)
    for _ in range(2):
        held = claim(queue=queue, rater=rui)
        judge(held, rui)
    assert pause_due(queue, rui) is None
    assert judge(claim(queue=queue, rater=rui), rui, SEVERE, then_claim=True, breaks=True).following is None
    assert pause_due(queue, rui).why == "severe"
    take_break(queue=queue, rater=rui)
    assert pause_due(queue, rui) is None


def test_a_pair_of_the_worst_topic_brings_a_break_whatever_is_answered(project, rui):
    topic(project, severity=3)
    sensitive(project, 2)
    choose_topics(project=project, rater=rui, keys=["self-harm"])
    queue = make.queue(project)
    assert judge(claim(queue=queue, rater=rui), rui, then_claim=True, breaks=True).following is None
    assert pause_due(queue, rui).why == "severe"


def test_programs_are_offered_no_breaks(project, rui):
    set_care(project, break_after_pairs=1)
    make.pairs(project, 2)
    assert judge(claim(queue=make.queue(project), rater=rui), rui, then_claim=True).following is not None


def test_the_same_answer_sent_again_brings_the_break_again(project, rui):
    set_care(project, break_after_pairs=1)
    make.pairs(project, 2)
    held = claim(queue=make.queue(project), rater=rui)
    for _ in range(2):
        assert judge(held, rui, then_claim=True, breaks=True).following is None


def test_at_the_end_there_is_no_break(project, rui):
    set_care(project, break_after_pairs=1)
    make.pair(project)
    judge(claim(queue=make.queue(project), rater=rui), rui, then_claim=True, breaks=True)
    assert pause_due(make.queue(project), rui) is None


def test_time_away_is_a_break(project, rui):
    make.pairs(project, 4)
    queue = make.queue(project)
    for _ in range(2):
        judge(claim(queue=queue, rater=rui), rui)
    assert counted(rui)[0] == 2
    Assignment.objects.filter(state="submitted").update(ended_at=timezone.now() - timedelta(minutes=6))
    judge(claim(queue=queue, rater=rui), rui)
    assert counted(rui)[0] == 1


def test_reading_for_long_is_not_away(project, rui):
    make.pairs(project, 4)
    queue = make.queue(project)
    judge(claim(queue=queue, rater=rui), rui)
    Assignment.objects.filter(state="submitted").update(ended_at=timezone.now() - timedelta(minutes=6))
    held = claim(queue=queue, rater=rui)
    minutes_ago(held, 6)
    judge(held, rui, BODY | {"active_ms": 5 * 60_000})
    assert counted(rui) == (2, 5 * 60_000)


def test_who_comes_back_after_a_while_is_not_offered_what_was_due(project, rui):
    set_care(project, break_after_pairs=1)
    make.pairs(project, 2)
    queue = make.queue(project)
    judge(claim(queue=queue, rater=rui), rui, then_claim=True, breaks=True)
    assert pause_due(queue, rui)
    Assignment.objects.filter(state="submitted").update(ended_at=timezone.now() - timedelta(minutes=6))
    assert claim_unless_break(queue=queue, rater=rui) is not None


def test_a_break_keeps_the_open_pair_for_a_whole_lease(project, rui):
    make.pairs(project, 2)
    queue = make.queue(project)
    held = claim(queue=queue, rater=rui)
    Assignment.objects.update(lease_until=timezone.now() + timedelta(seconds=30))
    assert take_break(queue=queue, rater=rui).pk == held.pk
    held.refresh_from_db()
    assert held.lease_until > timezone.now() + timedelta(minutes=19)


def test_the_count_costs_no_statement_more(project, rui):
    make.pairs(project, 3)
    queue = make.queue(project)
    judge(claim(queue=queue, rater=rui), rui)
    held = claim(queue=queue, rater=rui)
    held.project = project
    with CaptureQueriesContext(connection) as queries:
        submit(assignment=held, rater=rui, body=BODY, then_claim=True, breaks=True)
    asked = [q["sql"] for q in queries if not q["sql"].startswith(("SAVEPOINT", "RELEASE"))]
    assert len(asked) == 7, "\n".join(asked)  # lock, criteria, annotation, judgments, close, audit, next pair


# --- how people are -------------------------------------------------------------------------------


def test_after_sensitive_pairs_they_are_asked_once_and_it_is_theirs(project, rui):
    topic(project)
    sensitive(project, 2)
    queue = make.queue(project)
    assert not asks_how_they_are(queue, rui)
    choose_topics(project=project, rater=rui, keys=["self-harm"])
    judge(claim(queue=queue, rater=rui), rui)
    assert asks_how_they_are(queue, rui)
    said = check_in(project=project, user=rui, feeling="off", shared=True)
    assert not asks_how_they_are(queue, rui)
    stop_sharing(user=rui, check_in=said)
    assert not CheckIn.objects.get().shared
    assert not AuditEntry.objects.filter(act__icontains="check").exists()
    judge(claim(queue=queue, rater=rui), rui)
    assert asks_how_they_are(queue, rui)
    opened_ago(rui, 31)
    assert not asks_how_they_are(queue, rui)


def test_an_answer_that_is_none_is_refused(project, rui):
    with pytest.raises(Refused):
        check_in(project=project, user=rui, feeling="great", shared=False)


def test_care_is_changed_by_its_manager(project, cast):
    change_care(project=project, by=cast["Mara"], support="  Rosa, room 4 ", break_after_minutes=0)
    project.refresh_from_db()
    assert (project.support, project.break_after_minutes) == ("Rosa, room 4", 0)
    for wrong in ({"support": "x" * 2001}, {"break_after_minutes": 241}, {"break_after_pairs": -1}, {"name": "x"}):
        with pytest.raises(Refused):
            change_care(project=project, by=cast["Mara"], **wrong)
