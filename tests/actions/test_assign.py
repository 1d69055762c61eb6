"""Who gets which pair. Mara manages, Rui and Rosa rate."""

from datetime import timedelta

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from labeling.actions.annotate import submit
from labeling.actions.assign import claim, expire_stale, release, renew, skip
from labeling.actions.queues import change_queue, create_queue
from labeling.actions.refusals import Refused
from labeling.models import Assignment, Passage, Slot
from labeling.tasks import expire_leases
from tests import make

pytestmark = pytest.mark.django_db
BODY = {"judgments": {"helpfulness": {"preference": -1}}}


@pytest.fixture
def desk():
    project = make.project(overlap=2)
    people = make.cast(project)
    return make.queue(project), people["Rui"], people["Rosa"]


def test_a_claim_leases_one_slot(desk):
    queue, rui, _ = desk
    pair = make.pair(queue.project)
    got = claim(queue=queue, rater=rui)
    assert got is not None and got.pair_id == pair.pk
    assert got.guideline.version == 1
    assert timedelta(minutes=19) < got.lease_until - timezone.now() <= timedelta(minutes=20)
    assert sorted(pair.slots.values_list("state", flat=True)) == ["leased", "open"]


def test_claiming_again_returns_the_open_one(desk):
    queue, rui, _ = desk
    make.pairs(queue.project, 2)
    assert claim(queue=queue, rater=rui).pk == claim(queue=queue, rater=rui).pk
    assert Assignment.objects.count() == 1


def test_nothing_left_is_none(desk):
    queue, rui, _ = desk
    assert claim(queue=queue, rater=rui) is None


def test_a_rater_meets_every_pair_once_and_overlap_is_exact(desk):
    queue, rui, rosa = desk
    pairs = make.pairs(queue.project, 5)
    third = make.member(queue.project, "Third", "rater")
    seen = {rater: work_through(queue, rater) for rater in (rui, rosa, third)}
    assert sorted(seen[rui]) == sorted(seen[rosa]) == sorted(pair.pk for pair in pairs)
    assert seen[third] == []
    assert set(Slot.objects.values_list("state", flat=True)) == {"done"}


def test_a_paused_queue_gives_nothing_new_but_keeps_what_is_open(desk):
    queue, rui, rosa = desk
    make.pair(queue.project)
    held = claim(queue=queue, rater=rui)
    queue = change_queue(queue=queue, by=None, paused=True)
    assert claim(queue=queue, rater=rosa) is None
    assert claim(queue=queue, rater=rui).pk == held.pk
    assert submit(assignment=held, rater=rui, body=BODY, then_claim=True).following is None


def test_a_skipped_pair_goes_to_others_and_never_back(desk):
    queue, rui, rosa = desk
    change_queue(queue=queue, by=None, overlap=1)
    pair = make.pair(queue.project)
    skipped = skip(assignment=claim(queue=queue, rater=rui), rater=rui, reason="upsetting", comment="too much")
    assert (skipped.state, skipped.skip_reason) == ("skipped", "upsetting")
    assert claim(queue=queue, rater=rui) is None
    assert claim(queue=queue, rater=rosa).pair_id == pair.pk


def test_skipping_twice_is_no_error_and_an_unknown_reason_is(desk):
    queue, rui, _ = desk
    make.pair(queue.project)
    held = claim(queue=queue, rater=rui)
    with pytest.raises(Refused, match="Known reasons: language, upsetting"):
        skip(assignment=held, rater=rui, reason="bored")
    skip(assignment=held, rater=rui)
    skip(assignment=held, rater=rui)
    assert list(Slot.objects.values_list("state", flat=True)) == ["open", "open"]


def test_a_released_pair_may_come_back(desk):
    queue, rui, _ = desk
    pair = make.pair(queue.project)
    release(assignment=claim(queue=queue, rater=rui), rater=rui)
    assert claim(queue=queue, rater=rui).pair_id == pair.pk


def test_an_expired_lease_returns_without_a_worker(desk):
    queue, rui, rosa = desk
    change_queue(queue=queue, by=None, overlap=1)
    pair = make.pair(queue.project)
    held = claim(queue=queue, rater=rui)
    assert claim(queue=queue, rater=rosa) is None
    pass_lease(held)
    got = claim(queue=queue, rater=rosa)
    assert got is not None and got.pair_id == pair.pk
    held.refresh_from_db()
    assert held.state == "expired"


def test_a_passed_lease_is_still_the_raters_until_someone_takes_it(desk):
    queue, rui, _ = desk
    make.pair(queue.project)
    held = claim(queue=queue, rater=rui)
    pass_lease(held)
    again = claim(queue=queue, rater=rui)
    assert again.pk == held.pk and again.lease_until > timezone.now()


def test_a_returned_slot_is_found_by_a_rater_who_is_past_it(desk):
    """The rank moves to the end: nobody has to look back."""
    queue, rui, rosa = desk
    change_queue(queue=queue, by=None, overlap=1)
    make.pairs(queue.project, 3)
    held = claim(queue=queue, rater=rui)
    assert len(work_through(queue, rosa)) == 2
    skip(assignment=held, rater=rui)
    assert claim(queue=queue, rater=rosa).pair_id == held.pair_id


def test_a_slot_left_behind_is_swept_up(desk):
    """As after a claim that locked a slot and failed: open, but below what everyone has passed."""
    queue, rui, _ = desk
    pair = make.pair(queue.project)
    Passage.objects.create(queue=queue, rater=rui, passed=10_000)
    assert claim(queue=queue, rater=rui).pair_id == pair.pk


def test_sweeping_is_rare(desk):
    queue, rui, _ = desk
    Passage.objects.create(queue=queue, rater=rui, passed=10_000, swept_at=timezone.now())
    make.pair(queue.project)
    assert claim(queue=queue, rater=rui) is None
    Passage.objects.update(swept_at=timezone.now() - timedelta(seconds=11))
    assert claim(queue=queue, rater=rui) is not None


def test_renew_starts_the_lease_again_and_refuses_what_is_over(desk):
    queue, rui, _ = desk
    make.pair(queue.project)
    held = claim(queue=queue, rater=rui)
    pass_lease(held)
    assert renew(assignment=held, rater=rui).lease_until > timezone.now()
    pass_lease(held)
    expire_stale(queue=queue)
    with pytest.raises(Refused) as refused:
        renew(assignment=held, rater=rui)
    assert refused.value.code == "lease_lost" and "Claim again" in refused.value.message


def test_sides_are_balanced_on_every_pair(desk):
    queue, *_ = desk
    change_queue(queue=queue, by=None, overlap=4)
    for pair in make.pairs(queue.project, 20):
        assert sorted(pair.slots.values_list("swapped", flat=True)) == [False, False, True, True]


def test_the_first_side_is_shuffled_over_pairs(desk):
    queue, *_ = desk
    make.pairs(queue.project, 60)
    swapped = Slot.objects.filter(number=1, swapped=True).count()
    assert 10 < swapped < 50  # a fair coin leaves this range once in ten million


def test_a_rater_who_works_through_a_queue_sees_both_orders_alike(desk):
    queue, rui, _ = desk
    make.pairs(queue.project, 40)
    swapped = []
    filled = create_queue(project=queue.project, by=None, name="Filled at once", overlap=1)
    while (held := claim(queue=filled, rater=rui)) is not None:
        swapped.append(held.swapped)
        submit(assignment=held, rater=rui, body=BODY)
    assert sum(swapped) == 20 and swapped[::2] not in ([True] * 20, [False] * 20)


def test_a_claim_is_one_search(desk):
    queue, rui, _ = desk
    make.pairs(queue.project, 3)
    with CaptureQueriesContext(
        connection,
    ) as queries:
        claim(queue=queue, rater=rui)
    assert len([q for q in queries if not q["sql"].startswith(("SAVEPOINT", "RELEASE"))]) == 2


def work_through(queue, rater):
    """The pairs a rater gets until there is nothing left, answering each."""
    seen = []
    while (held := claim(queue=queue, rater=rater)) is not None:
        seen.append(held.pair_id)
        submit(assignment=held, rater=rater, body=BODY)
    return seen


def pass_lease(assignment):
    Assignment.objects.filter(pk=assignment.pk).update(lease_until=timezone.now() - timedelta(seconds=1))


def test_the_clock_gives_back_what_was_left_lying(desk):
    queue, rui, _ = desk
    make.pair(queue.project)
    pass_lease(claim(queue=queue, rater=rui))
    expire_leases()
    assert set(Slot.objects.values_list("state", flat=True)) == {"open"}
