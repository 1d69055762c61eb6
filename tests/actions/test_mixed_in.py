"""What is mixed into the work: known answers, and pairs that come back the other way round. Rui and Rosa rate."""

from datetime import timedelta

import pytest
from django.utils import timezone

from labeling.actions import assign, leasing
from labeling.actions.annotate import submit
from labeling.actions.assign import claim, expire_stale, release, skip
from labeling.actions.queues import change_queue
from labeling.actions.withdrawals import withdraw_item
from labeling.models import Assignment, GoldPair, Passage, Slot
from labeling.models.queues import GOLD
from tests import make

pytestmark = pytest.mark.django_db
BODY = {"judgments": {"helpfulness": {"preference": -1}}}


@pytest.fixture
def desk():
    project = make.project(overlap=3)
    people = make.cast(project)
    return make.queue(project), people["Rui"], people["Rosa"]


def mixes(queue, **percents):
    queue = change_queue(queue=queue, by=None, **percents)
    queue.refresh_from_db()
    return queue


@pytest.fixture
def drawn(monkeypatch):
    """The draw says that something is mixed in, each time."""
    monkeypatch.setattr(leasing, "draw", lambda: 0)


def known_answer(queue, number=2):
    """A pair whose slots lie in the lane of known answers, and nowhere else."""
    pair = make.pair(queue.project)
    GoldPair.objects.get_or_create(project=queue.project, pair=pair, source="hand")
    Slot.objects.filter(queue=queue, pair=pair).delete()
    for place in range(number):
        Slot.objects.create(
            project=queue.project, queue=queue, pair=pair, number=1001 + place, lane=GOLD, rank=10_000 + pair.pk,
            swapped=bool(place % 2),
        )  # fmt: skip
    return pair


def work(queue, rater, times):
    for _ in range(times):
        held = claim(queue=queue, rater=rater)
        submit(assignment=held, rater=rater, body=BODY)
        yield held.pair_id


# --- known answers --------------------------------------------------------------------------------


def test_a_known_answer_comes_when_it_is_drawn_and_each_once_a_rater(desk, drawn):
    queue, rui, rosa = desk
    make.pairs(queue.project, 3)
    queue = mixes(queue, gold_percent=5)
    known = {known_answer(queue).pk, known_answer(queue).pk}
    assert set(work(queue, rui, 2)) == known and not set(work(queue, rui, 3)) & known
    assert set(work(queue, rosa, 2)) == known


def test_known_answers_are_not_given_where_nothing_else_waits(desk, drawn):
    queue, rui, _ = desk
    make.pair(queue.project)
    queue = mixes(queue, gold_percent=5)
    known = [known_answer(queue).pk for _ in range(3)]
    first, second = work(queue, rui, 2)
    assert first in known, "the work waits"
    assert second in known
    skip(assignment=claim(queue=queue, rater=rui), rater=rui)
    Slot.objects.filter(queue=queue, lane="").delete()
    assert claim(queue=queue, rater=rui) is None and Slot.objects.filter(lane=GOLD, state="open").exists()


@pytest.mark.parametrize(("drawn_number", "is_known"), [(0, True), (4, True), (5, False), (99, False)])
def test_the_share_is_that_of_the_queue(desk, monkeypatch, drawn_number, is_known):
    queue, rui, _ = desk
    make.pairs(queue.project, 2)
    queue = mixes(queue, gold_percent=5)
    known = known_answer(queue)
    monkeypatch.setattr(leasing, "draw", lambda: drawn_number)
    assert (claim(queue=queue, rater=rui).pair_id == known.pk) == is_known


def test_draws_are_even():
    numbers = [leasing.draw() for _ in range(2000)]
    assert min(numbers) >= 0 and max(numbers) <= 99 and len(set(numbers)) > 90


def test_a_queue_that_mixes_nothing_in_draws_nothing(desk, monkeypatch):
    queue, rui, _ = desk
    make.pairs(queue.project, 2)
    known_answer(queue)
    monkeypatch.setattr(leasing, "draw", lambda: pytest.fail("nothing is mixed in"))
    assert claim(queue=queue, rater=rui).lane == ""


def test_a_rater_cannot_tell_a_known_answer_by_its_lane(desk, drawn):
    queue, rui, _ = desk
    make.pairs(queue.project, 2)
    queue = mixes(queue, gold_percent=5)
    known_answer(queue)
    held = claim(queue=queue, rater=rui)
    assert held.lane == GOLD and not held.unopened and not held.sensitive
    assert Passage.objects.get(rater=rui, lane="").done == 0
    submit(assignment=held, rater=rui, body=BODY)
    assert Passage.objects.get(rater=rui, lane="").done == 1, "it counts as work"


# --- pairs that come back -------------------------------------------------------------------------


@pytest.fixture
def old(desk):
    """A pair that Rui answered ten days ago, and another that waits."""
    queue, rui, _ = desk
    make.pair(queue.project)
    first = claim(queue=queue, rater=rui)
    submit(assignment=first, rater=rui, body=BODY)
    Assignment.objects.filter(pk=first.pk).update(ended_at=timezone.now() - timedelta(days=10))
    make.pair(queue.project)
    first.refresh_from_db()
    return first


def test_an_old_pair_comes_back_the_other_way_round_without_a_slot(desk, old, drawn):
    queue, rui, _ = desk
    queue = mixes(queue, repeat_percent=5)
    again = claim(queue=queue, rater=rui)
    stored = Assignment.objects.get(pk=again.pk)
    assert (stored.pair_id, stored.repeats_id, stored.slot_id, stored.swapped, stored.state, stored.lane) == (
        old.pair_id, old.pk, None, not old.swapped, "open", "",
    )  # fmt: skip
    assert again.repeats_id == old.pk and stored.guideline_id and stored.lease_until
    assert claim(queue=queue, rater=rui).pk == again.pk


def test_it_does_not_come_back_twice(desk, old, drawn):
    queue, rui, _ = desk
    queue = mixes(queue, repeat_percent=5)
    skip(assignment=claim(queue=queue, rater=rui), rater=rui)
    assert claim(queue=queue, rater=rui).repeats_id is None


@pytest.mark.parametrize("end", [release, None])
def test_one_that_was_given_back_or_expired_may(desk, old, drawn, end):
    queue, rui, _ = desk
    queue = mixes(queue, repeat_percent=5)
    again = claim(queue=queue, rater=rui)
    if end:
        end(assignment=again, rater=rui)
    else:
        expire_stale(queue=queue, now=timezone.now() + timedelta(days=1))
    slots = set(Slot.objects.filter(pair=old.pair_id).values_list("state", flat=True))
    assert slots == {"done", "open"}, "no slot of the pair was touched"
    assert claim(queue=queue, rater=rui).repeats_id == old.pk


def never(queue, old, *, days=7):
    queue = mixes(queue, repeat_percent=5, repeat_after_days=days)
    got = claim(queue=queue, rater=old.rater)
    return got is not None and got.repeats_id is None


def test_a_young_answer_a_known_one_and_a_withdrawn_item_never_come_back(desk, old, drawn):
    queue, _rui, _ = desk
    assert never(queue, old, days=11)
    Assignment.objects.filter(state="open").delete()
    Slot.objects.filter(state="leased").update(state="open")
    Passage.objects.update(passed=0)
    gold = GoldPair.objects.create(project=queue.project, pair=old.pair, source="hand")
    assert never(queue, old)
    gold.delete()
    Assignment.objects.filter(state="open").delete()
    Slot.objects.filter(state="leased").update(state="open")
    Passage.objects.update(passed=0)
    withdraw_item(item=old.pair.item, by=make.member(queue.project, "Mara", "manager"))
    assert never(queue, old)


def test_others_answers_never_come_back_to_a_rater(desk, old, drawn):
    queue, _, rosa = desk
    queue = mixes(queue, repeat_percent=5)
    assert claim(queue=queue, rater=rosa).repeats_id is None


def test_nothing_comes_back_where_nothing_else_waits(desk, old, drawn):
    queue, rui, _ = desk
    queue = mixes(queue, repeat_percent=5)
    Slot.objects.filter(state="open").delete()
    assert claim(queue=queue, rater=rui) is None


def test_the_draw_is_made_once_a_claim(desk, monkeypatch):
    queue, rui, _ = desk
    queue = mixes(queue, gold_percent=5, repeat_percent=5)
    draws = []
    monkeypatch.setattr(leasing, "draw", lambda: draws.append(1) or 0)
    assert assign.claim(queue=queue, rater=rui) is None
    assert len(draws) == 1
