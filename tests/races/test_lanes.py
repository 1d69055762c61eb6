"""16 raters with topics of their own choice, over sensitive and everyday pairs, at once. Each guard has its control."""

from collections import Counter, defaultdict
from datetime import timedelta

import pytest
from django.utils import timezone

from labeling.actions import care, leasing
from labeling.actions.annotate import submit
from labeling.actions.assign import claim, expire_stale, skip
from labeling.actions.breaks import go_on, pause_after_the_run
from labeling.actions.care import claim_opened, open_pair
from labeling.actions.queues import create_queue
from labeling.actions.topics import add_topic, change_topic, choose_topics, remove_topic
from labeling.models import Annotation, Assignment, Exposure, Queue, Slot
from tests import make
from tests.races.crowd import at_once

pytestmark = pytest.mark.django_db(transaction=True)
RATERS, OVERLAP = 16, 3
BODY = {"judgments": {"helpfulness": {"preference": 1}}, "active_ms": 10}
TAGS: tuple[list[str], ...] = ([], ["self-harm"], ["violence"], ["violence", "self-harm"])
CHOICES: tuple[list[str], ...] = ([], ["self-harm"], ["violence"], ["self-harm", "violence"])
EACH = 10


@pytest.fixture
def queue():
    project = make.project(overlap=OVERLAP)
    project.support = "Call 0800."
    project.save()
    for key in ("self-harm", "violence"):
        add_topic(project=project, by=None, key=key, name=key, severity=2, daily_pairs=1000)
    for place in range(EACH * len(TAGS)):
        make.pair(project, tags=TAGS[place % len(TAGS)])
    return make.queue(project)


@pytest.fixture
def raters(queue):
    """Rater n chose CHOICES[n % 4]."""
    people = [make.member(queue.project, f"rater{number}", "rater") for number in range(RATERS)]
    for place, rater in enumerate(people):
        choose_topics(project=queue.project, rater=rater, keys=CHOICES[place % len(CHOICES)])
    return people


def chosen(raters, rater):
    return set(CHOICES[raters.index(rater) % len(CHOICES)])


def work_through(queue, seen=None):
    """Open and submit until nothing is left, the next claim in the submit's own transaction; go on after a break."""

    def work(rater):
        held = claim(queue=queue, rater=rater)
        while True:
            if held is None:
                if not pause_after_the_run(queue, rater):
                    return
                if seen is not None:
                    seen[rater.pk].append("break")
                held = go_on(queue=queue, rater=rater)
                continue
            opened = open_pair(assignment=held, rater=rater)
            if opened.refused:
                held = claim(queue=queue, rater=rater)
                continue
            if seen is not None:
                seen[rater.pk].append(held.lane)
            held.project = queue.project
            held = submit(assignment=held, rater=rater, body=BODY, then_claim=True).following

    return work


def longest_run(lanes):
    longest = run = 0
    for lane in lanes:
        run = run + 1 if lane not in ("", "break") else 0
        longest = max(longest, run)
    return longest


def test_everybody_gets_what_they_chose_and_every_pair_its_overlap(queue, raters):
    seen = defaultdict(list)
    at_once(raters, work_through(queue, seen))
    assert set(Counter(Annotation.objects.values_list("pair", flat=True)).values()) == {OVERLAP}
    assert Annotation.objects.count() == EACH * len(TAGS) * OVERLAP
    assert set(Slot.objects.values_list("state", flat=True)) == {"done"}
    for rater in raters:
        met = Assignment.objects.filter(rater=rater).select_related("pair__item")
        assert all(set(one.pair.item.tags) <= chosen(raters, rater) for one in met)
        assert all(set(one.lane.split()) == set(one.pair.item.tags) for one in met)
        assert longest_run(seen[rater.pk]) <= 3
        assert all(one.opened_at for one in met if one.lane)
    shown = Counter(key for lane in Assignment.objects.values_list("lane", flat=True) for key in lane.split())
    assert shown == {one.topic: one.total for one in totals()}


def totals():
    return Exposure.objects.raw(
        "SELECT min(id) AS id, topic, sum(shown) AS total FROM labeling_exposure GROUP BY topic ORDER BY topic"
    )


def test_nobody_is_over_the_cap_also_with_two_tabs(queue, raters):
    """Every rater works in two queues of the project at once."""
    cap = 4
    for topic in queue.project.topics.all():
        change_topic(topic=topic, by=None, daily_pairs=cap)
    queues = [queue, create_queue(project=queue.project, by=None, name="Second", overlap=OVERLAP)]
    for each in queues:
        each.refresh_from_db()

    def work(place):
        rater, here = raters[place % RATERS], queues[place // RATERS]
        while (held := claim(queue=here, rater=rater)) is not None:
            if not open_pair(assignment=held, rater=rater).refused:
                submit(assignment=held, rater=rater, body=BODY)

    at_once(range(2 * RATERS), work)
    opened = Counter(
        (rater, key)
        for rater, lane in Assignment.objects.exclude(opened_at=None).values_list("rater", "lane")
        for key in lane.split()
    )
    assert 0 < max(opened.values()) <= cap
    assert opened == {(one.user_id, one.topic): one.shown for one in Exposure.objects.filter(shown__gt=0)}
    assert not Slot.objects.filter(state="leased").exists()


def without(monkeypatch, guard):
    """The statement without one of its conditions, and nothing behind it."""
    assert guard in leasing._AMONG_LANES
    monkeypatch.setattr(leasing, "_AMONG_LANES", leasing._AMONG_LANES.replace(guard, ""))
    monkeypatch.setattr(care, "_why_not", lambda held: "")


def test_control_without_the_choice_raters_get_what_they_did_not_choose(queue, raters, monkeypatch):
    without(monkeypatch, "AND string_to_array(lane, ' ') <@ me.topics::text[]")
    at_once(raters, work_through(queue))
    met = Assignment.objects.filter(rater__in=raters[1::4]).values_list("lane", flat=True)
    assert any("violence" in lane for lane in met)  # who chose self-harm only


def test_control_without_the_cap_somebody_is_over_it(queue, raters, monkeypatch):
    for topic in queue.project.topics.all():
        change_topic(topic=topic, by=None, daily_pairs=1)
    without(monkeypatch, "AND NOT string_to_array(lane, ' ') && ARRAY(SELECT key::text FROM closed)")
    at_once(raters, work_through(queue))
    assert max(Exposure.objects.values_list("shown", flat=True)) > 1


def test_control_without_the_run_more_than_three_come_in_a_row(queue, raters, monkeypatch):
    seen = defaultdict(list)
    Slot.objects.filter(lane="").delete()  # nothing but sensitive ones: a run cannot end by chance
    monkeypatch.setattr(leasing, "MOST_IN_A_ROW", 1 << 30)
    monkeypatch.setattr(care, "_why_not", lambda held: "")
    at_once(raters, work_through(queue, seen))
    assert max(longest_run(lanes) for lanes in seen.values()) > 3


def test_topics_that_come_and_go_under_way_strand_nothing(queue, raters):
    """While 15 work, one takes topics away and brings them again, and all change their minds; then all is cleared."""
    project = queue.project

    def work(rater):
        place, done = raters.index(rater), 0
        if place == 0:
            for _ in range(3):
                remove_topic(topic=project.topics.get(key="violence"), by=None)
                add_topic(project=project, by=None, key="violence", name="violence")
            return
        queue_now = Queue.objects.select_related("project").get(pk=queue.pk)
        while (held := claim_opened(queue=queue_now, rater=rater)) is not None and done < 25:
            done += 1
            if (place + done) % 5 == 0:
                choose_topics(project=project, rater=rater, keys=CHOICES[1] if done % 2 else [])
            elif (place + done) % 7 == 0:
                skip(assignment=held, rater=rater, reason="upsetting")
            else:
                submit(assignment=held, rater=rater, body=BODY)
            queue_now.refresh_from_db()

    at_once(raters, work)
    expire_stale(queue=queue, now=timezone.now() + timedelta(days=1))
    for topic in project.topics.all():
        remove_topic(topic=topic, by=None)
    assert set(Slot.objects.filter(state="open").values_list("lane", flat=True)) <= {""}
    fresh = [make.member(project, f"fresh{number}", "rater") for number in range(OVERLAP)]
    queue.refresh_from_db()
    at_once([*raters[1:], *fresh], work_through(queue))
    assert set(Counter(Annotation.objects.values_list("pair", flat=True)).values()) == {OVERLAP}
    assert set(Slot.objects.values_list("state", flat=True)) == {"done"}
