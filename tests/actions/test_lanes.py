"""Lanes: who chose a topic gets its pairs, nobody else does, and no pair is ever left where nobody looks."""

from datetime import timedelta
from random import Random

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from labeling.actions import lanes as moves
from labeling.actions import leasing
from labeling.actions.annotate import submit
from labeling.actions.assign import claim, expire_stale, release, skip
from labeling.actions.care import open_pair
from labeling.actions.lanes import bring_back
from labeling.actions.queues import change_queue, create_queue
from labeling.actions.refusals import Refused
from labeling.actions.topics import add_topic, choose_topics, remove_topic
from labeling.models import Assignment, Passage, Slot
from labeling.models.queues import HIDDEN
from tests import make

pytestmark = pytest.mark.django_db
BODY = {"judgments": {"helpfulness": {"preference": -1}}}


@pytest.fixture
def project():
    made = make.project(overlap=1)
    made.support = "Dr. Lin, 0800"
    made.save()
    return made


@pytest.fixture
def cast(project):
    return make.cast(project)


def topic(project, key, **about):
    return add_topic(project=project, by=None, key=key, name=key, **about)


def lanes(project):
    return sorted(Slot.objects.filter(project=project).values_list("lane", flat=True))


def test_a_lane_is_the_sorted_topics_of_the_items_tags(project):
    for key in ("self-harm", "Violence"):
        topic(project, key)
    for tags in ([], ["cooking"], ["self-harm", "cooking"], ["self-harm", "Violence"]):
        make.pair(project, tags=tags)
    assert lanes(project) == ["", "", "Violence self-harm", "self-harm"]
    assert sorted(make.queue(project).lanes) == ["Violence self-harm", "self-harm"]
    filled = create_queue(project=project, by=None, name="Filled at once", overlap=1)
    filled.refresh_from_db()
    assert sorted(filled.lanes) == ["Violence self-harm", "self-harm"]


def test_a_new_topic_takes_its_open_pairs_out_of_the_everyday_lane(project, cast):
    held = make.pair(project, tags=["self-harm"])
    leased = claim(queue=make.queue(project), rater=cast["Rui"])
    assert leased.pair_id == held.pk
    make.pair(project, tags=["self-harm"])
    topic(project, "self-harm")
    assert claim(queue=make.queue(project), rater=cast["Rosa"]) is None
    release(assignment=leased, rater=cast["Rui"])  # it finds its lane when it comes back
    assert lanes(project) == ["self-harm"] * 2


def test_who_chose_gets_them_and_who_did_not_never(project, cast):
    topic(project, "self-harm")
    sensitive, everyday = make.pair(project, tags=["self-harm"]), make.pair(project)
    choose_topics(project=project, rater=cast["Rui"], keys=["self-harm"])
    queue = make.queue(project)
    change_queue(queue=queue, by=None, overlap=2)
    assert [one.pair_id for one in work_through(queue, cast["Rosa"])] == [everyday.pk]
    got = work_through(queue, cast["Rui"])
    assert {one.pair_id for one in got} == {sensitive.pk, everyday.pk}
    assert {one.lane for one in got} == {"", "self-harm"}


def test_choosing_all_topics_of_a_pair_is_needed(project, cast):
    for key in ("self-harm", "violence"):
        topic(project, key)
    make.pair(project, tags=["self-harm", "violence"])
    queue = make.queue(project)
    choose_topics(project=project, rater=cast["Rui"], keys=["self-harm"])
    assert claim(queue=queue, rater=cast["Rui"]) is None
    choose_topics(project=project, rater=cast["Rui"], keys=["self-harm", "violence"])
    assert claim(queue=queue, rater=cast["Rui"]) is not None


def test_without_somebody_to_talk_to_nothing_sensitive_is_given_out(project, cast):
    topic(project, "self-harm")
    make.pair(project, tags=["self-harm"])
    choose_topics(project=project, rater=cast["Rui"], keys=["self-harm"])
    project.support = ""
    project.save()
    assert claim(queue=make.queue(project), rater=cast["Rui"]) is None


def test_a_slot_that_moves_is_found_by_who_is_past_it(project, cast):
    """Rui has walked both lanes to their ends; a pair that changes lanes comes after that."""
    topic(project, "self-harm")
    make.pair(project, tags=["later"])
    for _ in range(3):
        make.pair(project, tags=["self-harm"])
        make.pair(project)
    queue, rui = make.queue(project), cast["Rui"]
    choose_topics(project=project, rater=rui, keys=["self-harm"])
    aside = claim(queue=queue, rater=cast["Rosa"])
    while "later" not in aside.pair.item.tags:
        submit(assignment=aside, rater=cast["Rosa"], body=BODY)
        aside = claim(queue=queue, rater=cast["Rosa"])
    work_through(queue, rui)
    release(assignment=aside, rater=cast["Rosa"])
    Passage.objects.filter(rater=rui).update(swept_at=timezone.now())
    topic(project, "later")
    queue.refresh_from_db()
    assert claim(queue=queue, rater=rui) is None
    choose_topics(project=project, rater=rui, keys=["self-harm", "later"])
    assert claim(queue=queue, rater=rui).lane == "later"


def test_more_raters_a_pair_are_wanted_in_the_pairs_own_lane(project, cast):
    topic(project, "self-harm")
    make.pair(project, tags=["self-harm"])
    change_queue(queue=make.queue(project), by=None, overlap=3)
    assert lanes(project) == ["self-harm"] * 3


def test_sides_alternate_within_each_lane(project):
    """A rater who chose nothing walks one lane only, and sees both orders alike there."""
    topic(project, "self-harm")
    for place in range(40):
        make.pair(project, tags=["self-harm"] if place % 2 else [])
    filled = create_queue(project=project, by=None, name="Filled at once", overlap=1)
    for lane in ("", "self-harm"):
        assert filled.slots.filter(lane=lane, swapped=True).count() == 10


@pytest.mark.parametrize("lane_of_queue", [False, True])
def test_an_everyday_rater_searches_one_lane_with_one_statement(project, cast, lane_of_queue):
    if lane_of_queue:
        topic(project, "self-harm")
    for place in range(6):
        make.pair(project, tags=["self-harm"] if place % 2 else [])
    queue = make.queue(project)
    with CaptureQueriesContext(connection) as queries:
        claim(queue=queue, rater=cast["Rosa"])
    asked = [q["sql"] for q in queries if not q["sql"].startswith(("SAVEPOINT", "RELEASE"))]
    assert len(asked) == 2 and "s.lane = ''" in asked[1]
    assert ("topics" in asked[1]) == lane_of_queue  # a queue without topics asks nothing about them
    plan = explain(asked[1])
    assert "slot_open" in plan and "lane)::text = ''::text" in plan


def explain(statement):
    with connection.cursor() as cursor:
        cursor.execute("SET LOCAL enable_seqscan = off")
        cursor.execute("EXPLAIN " + statement)
        return "\n".join(row[0] for row in cursor.fetchall())


def test_a_slot_left_behind_in_a_sensitive_lane_is_swept_up(project, cast):
    topic(project, "self-harm")
    make.pair(project, tags=["self-harm"])
    choose_topics(project=project, rater=cast["Rui"], keys=["self-harm"])
    queue = make.queue(project)
    Passage.objects.create(queue=queue, rater=cast["Rui"], lane="self-harm", passed=10_000)
    Passage.objects.create(queue=queue, rater=cast["Rui"], passed=10_000)
    assert claim(queue=queue, rater=cast["Rui"]).lane == "self-harm"


def test_when_the_best_lane_is_taken_the_next_best_is_tried(project, cast, monkeypatch):
    """Others took everything between the look and the lease: the statement says where, and is asked without it."""
    topic(project, "self-harm")
    make.pair(project, tags=["self-harm"])
    everyday = make.pair(project)
    queue, rui = make.queue(project), cast["Rui"]
    Slot.objects.filter(lane="self-harm").update(rank=1)
    Slot.objects.filter(lane="").update(rank=2)
    choose_topics(project=project, rater=rui, keys=["self-harm"])
    taken = leasing._AMONG_LANES.replace(
        "AND s.rank >= (SELECT rank FROM best)", "AND s.lane = '' AND s.rank >= (SELECT rank FROM best)"
    )
    assert taken != leasing._AMONG_LANES
    monkeypatch.setattr(leasing, "_AMONG_LANES", taken)
    assert claim(queue=queue, rater=rui).pair_id == everyday.pk


# --- pairs that are broken ------------------------------------------------------------------------


def test_two_skips_as_broken_hide_a_pair_and_a_manager_brings_it_back(project, cast):
    pair, queue = make.pair(project), make.queue(project)
    change_queue(queue=queue, by=None, overlap=3)
    third = make.member(project, "Third", "rater")
    skip(assignment=claim(queue=queue, rater=cast["Rui"]), rater=cast["Rui"], reason="broken")
    waiting = claim(queue=queue, rater=third)
    skip(assignment=claim(queue=queue, rater=cast["Rosa"]), rater=cast["Rosa"], reason="broken")
    assert set(pair.slots.filter(state="open").values_list("lane", flat=True)) == {HIDDEN}
    fourth = make.member(project, "Fourth", "rater")
    assert claim(queue=queue, rater=fourth) is None
    release(assignment=waiting, rater=third)  # who had it open may finish; given back, it stays out
    assert set(pair.slots.values_list("lane", flat=True)) == {HIDDEN}
    change_queue(queue=queue, by=None, overlap=4)
    assert set(pair.slots.values_list("lane", flat=True)) == {HIDDEN}
    again = create_queue(project=project, by=None, name="Made later")
    assert claim(queue=again, rater=fourth) is None
    bring_back(pair=pair, by=cast["Mara"])
    assert claim(queue=queue, rater=fourth).pair_id == pair.pk
    assert HIDDEN not in pair.slots.values_list("lane", flat=True)
    with pytest.raises(Refused, match="in rotation already"):
        bring_back(pair=pair, by=cast["Mara"])


def test_after_it_was_brought_back_two_more_skips_hide_it_again(project, cast):
    pair, queue = make.pair(project), make.queue(project)
    change_queue(queue=queue, by=None, overlap=1)
    people = [make.member(project, f"rater{number}", "rater") for number in range(5)]
    for rater in people[:2]:
        skip(assignment=claim(queue=queue, rater=rater), rater=rater, reason="broken")
    bring_back(pair=pair, by=cast["Mara"])
    skip(assignment=claim(queue=queue, rater=people[2]), rater=people[2], reason="broken")
    assert pair.slots.get().lane == ""
    skip(assignment=claim(queue=queue, rater=people[3]), rater=people[3], reason="broken")
    assert pair.slots.get().lane == HIDDEN


@pytest.mark.parametrize("reason", ["upsetting", "language", "cannot_tell", "other", ""])
def test_other_reasons_hide_nothing(project, cast, reason):
    pair, queue = make.pair(project), make.queue(project)
    for name in ("Rui", "Rosa"):
        skip(assignment=claim(queue=queue, rater=cast[name]), rater=cast[name], reason=reason)
    assert pair.slots.get().lane == ""


def test_a_hidden_pair_stays_hidden_when_topics_change(project, cast):
    pair, queue = make.pair(project, tags=["self-harm"]), make.queue(project)
    for name in ("Rui", "Rosa"):
        skip(assignment=claim(queue=queue, rater=cast[name]), rater=cast[name], reason="broken")
    topic(project, "self-harm")
    assert pair.slots.get().lane == HIDDEN
    bring_back(pair=pair, by=cast["Mara"])
    assert pair.slots.get().lane == "self-harm"


# --- whatever happens -----------------------------------------------------------------------------


@pytest.mark.parametrize("seed", range(6))
def test_whatever_happens_no_pair_is_left_where_nobody_looks(project, cast, monkeypatch, seed):
    """Topics come and go, raters choose, skip, release and let go; then each rater still finds all they may have.

    Without the sweep, which would hide a mistake; without the run and the caps, which are tested elsewhere.
    """
    monkeypatch.setattr(leasing, "MOST_IN_A_ROW", 1 << 30)
    monkeypatch.setattr("labeling.actions.care.MOST_IN_A_ROW", 1 << 30)
    chance, tags = Random(seed), ("a", "b", "c")
    for _ in range(12):
        make.pair(project, tags=chance.sample(tags, chance.randrange(4)))
    queue, raters = make.queue(project), [cast["Rui"], cast["Rosa"], make.member(project, "Third", "rater")]
    for _ in range(45):
        Passage.objects.update(swept_at=timezone.now())
        queue.refresh_from_db()
        step(chance, project, queue, chance.choice(raters), tags)
        check_lanes(project)
    expire_stale(queue=queue, now=timezone.now() + timedelta(days=1))
    queue.refresh_from_db()
    known = set(project.topics.values_list("key", flat=True))
    for rater in raters:
        mine = set(rater.participations.get(project=project).topics) if rater.participations.exists() else set()
        had = Assignment.objects.filter(rater=rater, state__in=["open", "submitted", "skipped"]).values("pair")
        wanted = {
            one.pair_id
            for one in Slot.objects.filter(queue=queue, state="open").exclude(pair__in=had).select_related("pair__item")
            if one.lane != HIDDEN and set(one.pair.item.tags) & known <= mine
        }
        Passage.objects.update(swept_at=timezone.now())
        Passage.objects.get_or_create(queue=queue, rater=rater, lane="", defaults={"swept_at": timezone.now()})
        assert {one.pair_id for one in work_through(queue, rater)} == wanted, rater


def step(chance, project, queue, rater, tags):
    held = Assignment.objects.filter(queue=queue, rater=rater, state="open").first()
    what = chance.randrange(9)
    if what < 5:
        of_managers(what, chance, project, queue, rater, tags)
    elif held is None:
        claim(queue=queue, rater=rater)
    elif what == 5:
        skip(assignment=held, rater=rater, reason=chance.choice(["broken", "upsetting"]))
    elif what == 6:
        release(assignment=held, rater=rater)
    elif not open_pair(assignment=held, rater=rater).refused:
        submit(assignment=held, rater=rater, body=BODY)


def of_managers(what, chance, project, queue, rater, tags):
    if what == 0:
        key = chance.choice(tags)
        existing = project.topics.filter(key=key).first()
        remove_topic(topic=existing, by=None) if existing else topic(project, key, daily_pairs=1000)
    elif what == 1:
        known = list(project.topics.order_by("key").values_list("key", flat=True))
        choose_topics(project=project, rater=rater, keys=chance.sample(known, chance.randrange(len(known) + 1)))
    elif what == 2:
        make.pair(project, tags=chance.sample(tags, chance.randrange(4)))
    elif what == 3:
        change_queue(queue=queue, by=None, overlap=chance.randint(1, 3))
    else:
        expire_stale(queue=queue, now=timezone.now() + timedelta(days=1))


def check_lanes(project):
    known = set(project.topics.values_list("key", flat=True))
    for slot in Slot.objects.filter(project=project, state="open").select_related("pair__item", "queue"):
        assert slot.lane in (" ".join(sorted(set(slot.pair.item.tags) & known)), HIDDEN)
        assert slot.lane in ("", HIDDEN, *slot.queue.lanes)


def test_control_a_slot_that_keeps_its_rank_is_lost(project, cast, monkeypatch):
    """Why a slot gets a new rank with its new lane: Rui has passed the old one there."""
    later = topic(project, "later")
    moving = make.pair(project, tags=["later"])
    make.pairs(project, 3)
    queue, rui = make.queue(project), cast["Rui"]
    work_through(queue, rui)
    Passage.objects.filter(rater=rui).update(swept_at=timezone.now())
    monkeypatch.setattr(
        "labeling.actions.lanes._TAGGED", moves._TAGGED.replace("rank = placed.rank", "rank = slot.rank")
    )
    remove_topic(topic=later, by=None)
    assert moving.slots.get().lane == ""
    assert claim(queue=queue, rater=rui) is None
    monkeypatch.undo()
    Slot.objects.update(lane="")
    remove_topic(topic=topic(project, "later"), by=None)
    assert claim(queue=make.queue(project), rater=rui).pair_id == moving.pk


def work_through(queue, rater):
    """What a rater gets until there is nothing left, answering each."""
    seen = []
    while (held := claim(queue=queue, rater=rater)) is not None:
        if open_pair(assignment=held, rater=rater).refused:
            continue
        seen.append(held)
        submit(assignment=held, rater=rater, body=BODY)
    return seen
