"""32 raters while overlap goes up and down, rules change, the queue is paused, answers are set aside, clocks tick."""

from datetime import timedelta

import pytest
from django.utils import timezone

from labeling.actions.annotate import submit
from labeling.actions.assign import claim, expire_stale, release, skip
from labeling.actions.queues import change_queue
from labeling.actions.settle import settle
from labeling.actions.withdrawals import withdraw_rater
from labeling.models import Annotation, Assignment, Queue, QueuedPair, Slot, Withdrawal
from tests import make
from tests.races.crowd import at_once

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.timeout(300)]
RATERS, PAIRS = 32, 24
RULES = [
    {"overlap": 4}, {"stopping": "third"}, {"paused": True}, {"stopping": "model", "sure": 0.6}, {"paused": False},
    {"overlap": 1, "stopping": "fixed"}, {"stopping": "model", "sure": 0.95, "most": 5}, {"audit_percent": 50},
    {"audit_percent": 0}, {"overlap": 3, "stopping": "fixed"}, {"stopping": "third"},
]  # fmt: skip


@pytest.fixture
def queue():
    project = make.project(overlap=2)
    make.pairs(project, PAIRS)
    return change_queue(queue=make.queue(project), by=None, audit_percent=0)


@pytest.fixture
def raters(queue):
    return [make.member(queue.project, f"rater{number}", "rater") for number in range(RATERS)]


def judge(held, rater, preference):
    shown = -preference if held.swapped else preference
    submit(assignment=held, rater=rater, body={"judgments": {"helpfulness": {"preference": shown}}})


def work_through(queue, raters):
    """Claim and answer until nothing is left; whether a rater finds the first response better is by rater and pair."""

    def work(rater):
        place = raters.index(rater)
        while (held := claim(queue=queue, rater=rater)) is not None:
            judge(held, rater, 1 if (held.pair_id * 7 + place * 3) % 5 else -1)

    return work


def counting():
    """Pair to the sides of its answers that count."""
    gone = {one.rater_id: one.created_at for one in Withdrawal.objects.filter(lifted_at=None)}
    found = {}
    for one in Annotation.objects.filter(current=True).prefetch_related("judgments"):
        if one.rater_id not in gone or one.created_at > gone[one.rater_id]:
            found.setdefault(one.pair_id, []).append(one.judgments.get().preference > 0)
    return found


def third(sides):
    return 2 if len(set(sides[:2])) == 1 and len(sides) == 2 else 3


def test_two_and_a_third_is_exact(queue, raters):
    """No clock: claims that find nothing are all that looks."""
    change_queue(queue=queue, by=None, stopping="third")
    queue.refresh_from_db()
    at_once(raters, work_through(queue, raters))
    found = counting()
    assert len(found) == PAIRS and {len(sides) for sides in found.values()} == {2, 3}
    assert all(len(sides) == third(sides) for sides in found.values())
    assert {one.pair_id: one.judgments for one in QueuedPair.objects.all()} == {
        pair: len(sides) for pair, sides in found.items()
    }
    assert not Slot.objects.exclude(state="done").exists()


def in_the_thick_of_it(queue, raters, rater):
    """One changes the rules, one is the clock, the others work; the third has their answers set aside under way."""
    place = raters.index(rater)
    if place == 0:
        for rules in RULES:
            change_queue(queue=queue, by=None, **rules)
    elif place == 1:
        for _ in range(12):
            settle(queue=queue)
            expire_stale(queue=queue)
    else:
        here = Queue.objects.select_related("project").get(pk=queue.pk)
        for done in range(1, 7):
            if (held := claim(queue=here, rater=rater)) is not None:
                deal_with(held, rater, place, done)
            if place == 2 and done == 3 and Annotation.objects.filter(rater=rater).exists():
                withdraw_rater(project=queue.project, rater=rater, by=raters[0])
            here.refresh_from_db()


def deal_with(held, rater, place, done):
    if (place + done) % 9 == 0:
        skip(assignment=held, rater=rater, reason="cannot_tell")
    elif (place + done) % 7 == 0:
        release(assignment=held, rater=rater)
    elif (place + done) % 11 == 0:
        Assignment.objects.filter(pk=held.pk).update(lease_until=timezone.now() - timedelta(seconds=1))
    else:
        judge(held, rater, 1 if (held.pair_id + place) % 3 else -1)


def test_whatever_managers_do_meanwhile_nothing_is_stranded_and_nobody_asked_twice(queue, raters):
    at_once(raters, lambda rater: in_the_thick_of_it(queue, raters, rater))
    Assignment.objects.filter(state="open").update(lease_until=timezone.now() - timedelta(seconds=1))
    change_queue(queue=queue, by=None, paused=False, stopping="third", audit_percent=0)
    before = {pair: len(sides) for pair, sides in counting().items()}
    fresh = [make.member(queue.project, f"fresh{number}", "rater") for number in range(8)]
    queue.refresh_from_db()
    at_once(fresh, work_through(queue, fresh))
    found = counting()
    assert len(found) == PAIRS
    for pair, sides in found.items():
        assert len(sides) == max(third(sides), before.get(pair, 0)), "as many as are wanted, or as were asked before"
    assert not Slot.objects.exclude(state="done").exists()
    assert Annotation.objects.filter(current=True).values("pair", "rater").distinct().count() == (
        Annotation.objects.filter(current=True).count()
    )
