"""32 raters at once never take more than was asked for, and leave nothing. Each guard has its control."""

from collections import Counter

import pytest
from django.db import connection

from labeling.actions import leasing
from labeling.actions.annotate import submit
from labeling.actions.assign import claim, release, skip
from labeling.actions.queues import add_slots, change_queue
from labeling.models import Annotation, Assignment, Slot
from tests import make
from tests.races.crowd import at_once

pytestmark = pytest.mark.django_db(transaction=True)
RATERS, PAIRS, OVERLAP = 32, 60, 3
BODY = {"judgments": {"helpfulness": {"preference": 1}}}


@pytest.fixture
def queue():
    project = make.project(overlap=OVERLAP)
    make.pairs(project, PAIRS)
    return make.queue(project)


@pytest.fixture
def raters(queue):
    return [make.member(queue.project, f"rater{number}", "rater") for number in range(RATERS)]


def work_through(queue):
    """Claim and submit until nothing is left, the next claim in the submit's own transaction."""

    def work(rater):
        held, done = claim(queue=queue, rater=rater), 0
        while held is not None:
            held.project = queue.project
            held = submit(assignment=held, rater=rater, body=BODY, then_claim=True).following
            done += 1
        return done

    return work


def test_overlap_is_exact(queue, raters):
    done = at_once(raters, work_through(queue))
    assert sum(done) == Annotation.objects.count() == PAIRS * OVERLAP
    assert set(Counter(Annotation.objects.values_list("pair", flat=True)).values()) == {OVERLAP}
    assert Annotation.objects.values("pair", "rater").distinct().count() == PAIRS * OVERLAP
    assert not Slot.objects.exclude(state="done").exists()


def test_control_without_the_lock_slots_are_given_twice(queue, raters, monkeypatch):
    """The same crowd with the row lock and the two unique indexes behind it taken away: more than was asked for."""
    monkeypatch.setattr(leasing, "_PLAIN", leasing._PLAIN.replace("FOR UPDATE OF s SKIP LOCKED", ""))
    with connection.cursor() as cursor:
        cursor.execute("ALTER TABLE labeling_assignment DROP CONSTRAINT labeling_assignment_slot_id_key")
    try:
        at_once(raters, work_through(queue))
        assert Annotation.objects.count() > PAIRS * OVERLAP
    finally:
        with connection.cursor() as cursor:
            cursor.execute("TRUNCATE labeling_assignment CASCADE")
            cursor.execute(
                "ALTER TABLE labeling_assignment ADD CONSTRAINT labeling_assignment_slot_id_key UNIQUE (slot_id)"
            )


def test_one_slot_is_given_once_every_round(raters, queue):
    Slot.objects.all().delete()
    change_queue(queue=queue, by=None, overlap=1)
    for pair in list(queue.project.pairs.all()[:20]):
        Slot.objects.filter(pair=pair).delete()
        queue.refresh_from_db()
        add_slots(queue=queue, pair_ids=[pair.pk])
        got = [held for held in at_once(raters, lambda rater: claim(queue=queue, rater=rater)) if held]
        assert len(got) == 1
        submit(assignment=got[0], rater=got[0].rater, body=BODY)


def test_the_same_answer_ten_times_at_once_is_one_annotation(queue, raters):
    rater = raters[0]
    held = claim(queue=queue, rater=rater)
    results = at_once([rater] * 10, lambda _: submit(assignment=held, rater=rater, body=BODY))
    assert len({result.annotation.pk for result in results}) == 1
    assert sum(result.created for result in results) == 1 == Annotation.objects.count()


def test_one_rater_in_ten_tabs_holds_one_pair(queue, raters):
    rater = raters[0]
    got = at_once([rater] * 10, lambda _: claim(queue=queue, rater=rater))
    assert len({held.pk for held in got if held}) == 1
    assert Assignment.objects.count() == 1 and Slot.objects.filter(state="leased").count() == 1


def test_skips_releases_and_a_changing_overlap_strand_nothing(queue, raters):
    """Everything at once; afterwards every pair that enough raters did not skip has its overlap."""

    def work(rater):
        place = raters.index(rater)
        done = 0
        while (held := claim(queue=queue, rater=rater)) is not None:
            done += 1
            if place == 0 and done % 5 == 0:
                change_queue(queue=queue, by=None, overlap=2 + done % 3)
            if (place + done) % 7 == 0:
                skip(assignment=held, rater=rater, reason="cannot_tell")
            elif (place + done) % 11 == 0 and done < 40:
                release(assignment=held, rater=rater)
            else:
                submit(assignment=held, rater=rater, body=BODY)

    at_once(raters, work)
    change_queue(queue=queue, by=None, overlap=4)
    at_once(raters, work_through(queue))
    per_pair = Counter(Annotation.objects.values_list("pair", flat=True))
    assert len(per_pair) == PAIRS and set(per_pair.values()) == {4}
    assert not Assignment.objects.filter(state="open").exists()
    assert Slot.objects.filter(state="done").count() == Slot.objects.count() == PAIRS * 4
