"""Which pairs a queue takes and in which order, changed while people work. Rui and Rosa rate."""

from hashlib import sha256
from itertools import combinations

import pytest
from django.core.files.base import ContentFile

from labeling.actions.annotate import submit
from labeling.actions.assign import claim, release
from labeling.actions.import_items import run_step, start_batch, store_file
from labeling.actions.pairing import add_telling_pairs
from labeling.actions.queues import add_slots, change_queue, create_queue
from labeling.models import Assignment, AuditEntry, Batch, Item, Pair, Queue, Response
from labeling.tasks import watch_queues
from tests import make

pytestmark = pytest.mark.django_db
BODY = {"judgments": {"helpfulness": {"preference": -1}}}


@pytest.fixture
def project():
    made = make.project(overlap=2)
    make.cast(made)
    return made


@pytest.fixture
def rui(project):
    return make.member(project, "Rui", "rater")


@pytest.fixture
def rosa(project):
    return make.member(project, "Rosa", "rater")


def change(queue, **rules):
    return change_queue(queue=queue, by=None, **rules)


def open_of(queue, pair):
    return queue.slots.filter(pair=pair, state="open").count()


def inside(queue):
    return set(queue.slots.values_list("pair", flat=True))


def many(project, responses):
    """An item with so many responses and all of their pairs, in no queue yet."""
    pair = make.pair(project)
    item = pair.item
    for place in range(2, responses):
        Response.objects.create(
            project=project, item=item, position=place, content=f"Answer {place}",
            fingerprint=sha256(f"{item.pk}-{place}".encode()).hexdigest(),
            model_name=f"model-{place}", html="", renderer=0,
        )  # fmt: skip
    ids = sorted(item.responses.values_list("pk", flat=True))
    for first, second in combinations(ids, 2):
        Pair.objects.get_or_create(project=project, item=item, first_id=first, second_id=second)
    project.queues.get().slots.all().delete()
    return item


# --- filters --------------------------------------------------------------------------------------


FILTERS = {
    "languages": ({"language": "zh"}, ["zh"]),
    "tags": ({"tags": ["law", "hard"]}, ["law"]),
    "categories": ({"metadata": {"category": "health"}}, ["health", "money"]),
}


@pytest.mark.parametrize("name", FILTERS)
def test_a_filter_takes_what_fits_when_it_is_made_when_it_comes_and_by_import(project, name):
    fields, wanted = FILTERS[name]
    fits, other = make.pair(project, **fields), make.pair(project)
    made = create_queue(project=project, by=None, name="Filtered", overlap=1, **{name: wanted})
    assert inside(made) == {fits.pk}
    later, _another = make.pair(project, **fields), make.pair(project)
    assert inside(made) == {fits.pk, later.pk}
    changed = change(make.queue(project), **{name: wanted})
    assert inside(changed) == {fits.pk, later.pk} and changed.pair_count == 2
    everything = change(changed, **{name: []})
    assert other.pk in inside(everything) and everything.pair_count == 4


def test_a_queue_of_some_imports(project):
    first = make.pair(project)
    other = Batch.objects.create(project=project, name="second file")
    second = make.pair(project)
    Item.objects.filter(pk=second.item_id).update(batch=other)
    queue = change(make.queue(project), batches=[other.pk])
    assert inside(queue) == {second.pk}
    assert inside(change(queue, batches=[other.pk, first.item.batch_id])) == {first.pk, second.pk}


def test_what_is_leased_or_done_stays_when_a_pair_no_longer_fits(project, rui, rosa):
    queue, pair = make.queue(project), make.pair(project, tags=["law"])
    done = claim(queue=queue, rater=rui)
    submit(assignment=done, rater=rui, body=BODY)
    held = claim(queue=queue, rater=rosa)
    queue = change(queue, tags=["health"], overlap=3)
    assert sorted(queue.slots.values_list("state", flat=True)) == ["done", "leased"] and queue.pair_count == 1
    release(assignment=held, rater=rosa)
    assert list(queue.slots.values_list("state", flat=True)) == ["done"], "a slot that comes back goes"
    queue = change(queue, tags=["law", "health"])
    assert (open_of(queue, pair), queue.slots.count(), queue.pair_count) == (2, 3, 1)


def test_a_leased_pair_that_fits_no_more_leaves_nothing_behind(project, rui):
    queue = make.queue(project)
    make.pair(project)
    held = claim(queue=queue, rater=rui)
    queue = change(queue, languages=["zh"])
    release(assignment=held, rater=rui)
    queue.refresh_from_db()
    assert (queue.slots.count(), queue.pair_count) == (0, 0)


def test_filters_are_changed_by_the_rules_that_stand_not_by_those_once_read(project):
    stale, queue = make.queue(project), make.queue(project)
    change(queue, tags=["law"])
    pair = make.pair(project)
    add_slots(queue=stale, pair_ids=[pair.pk])
    assert inside(queue) == set()


# --- order ----------------------------------------------------------------------------------------


def order_of(queue, rater):
    """The pairs as the rater gets them."""
    got = []
    while (held := claim(queue=queue, rater=rater)) is not None:
        submit(assignment=held, rater=rater, body=BODY)
        got.append(held.pair_id)
    return got


def test_by_priority_the_highest_first(project, rui):
    pairs = {make.pair(project, priority=number).pk: number for number in (0, 5, -3, 9, 5)}
    queue = change(make.queue(project), order="priority")
    assert [pairs[pk] for pk in order_of(queue, rui)] == [9, 5, 5, 0, -3]


def test_the_oldest_first(project, rui):
    pairs = [pair.pk for pair in make.pairs(project, 6)]
    queue = change(make.queue(project), order="oldest")
    pairs += [pair.pk for pair in make.pairs(project, 2)]
    assert order_of(queue, rui) == pairs


def test_a_new_order_holds_for_what_a_rater_has_passed_too(project, rui, rosa):
    """Rui passed everything that Rosa then gave back; by the new order it comes again, the highest first."""
    queue = change(make.queue(project), overlap=1)
    pairs = {make.pair(project, priority=number).pk: number for number in (1, 2, 3, 4)}
    held = claim(queue=queue, rater=rui)
    release(assignment=held, rater=rui)
    queue = change(queue, order="priority")
    assert [pairs[pk] for pk in order_of(queue, rui)] == [4, 3, 2, 1]
    assert order_of(queue, rosa) == []


def jsonl(*priorities):
    rows = [
        f'{{"prompt": "Q {number} {place}?", "priority": {number}, "responses": ["A {place}", "B {place}"]}}'
        for place, number in enumerate(priorities)
    ]
    return "\n".join(rows).encode()


def bring(project, *priorities):
    stored = store_file(ContentFile(jsonl(*priorities), name="items.jsonl"))
    batch = start_batch(project=project, by=None, name="items.jsonl", stored=stored)
    while run_step(batch):
        pass
    assert batch.kept == len(priorities), batch.error
    return batch


def test_an_import_goes_where_its_priorities_belong(project, rui):
    queue = change(make.queue(project), order="priority")
    bring(project, 1, 7, 3)
    before = list(queue.slots.order_by("pk").values_list("rank", flat=True))
    bring(project, 0)
    assert list(queue.slots.order_by("pk").values_list("rank", flat=True))[: len(before)] == before, "nothing moved"
    bring(project, 5, 9)
    numbers = dict(Pair.objects.values_list("pk", "item__priority"))
    assert [numbers[pk] for pk in order_of(queue, rui)] == [9, 7, 5, 3, 1, 0]


# --- which pairs of an item -----------------------------------------------------------------------


def graph(item, pairs):
    """Whether the pairs connect all responses of the item."""
    edges = [(pair.first_id, pair.second_id) for pair in item.pairs.filter(pk__in=pairs)]
    reached = {edges[0][0]}
    for _ in edges:
        reached |= {end for edge in edges if reached & set(edge) for end in edge}
    return len(reached) == item.responses.count()


@pytest.mark.parametrize("responses", [2, 3, 4, 7])
def test_as_few_pairs_as_connect(project, responses):
    items = [many(project, responses) for _ in range(4)]
    queue = create_queue(project=project, by=None, name="Connected", overlap=1, pairing="connected")
    again = create_queue(project=project, by=None, name="Again", overlap=1, pairing="connected")
    assert inside(queue) == inside(again), "the same each time"
    for item in items:
        assert item.pairs.filter(pk__in=inside(queue)).count() == responses - 1 and graph(item, inside(queue))
    assert queue.slots.count() == Queue.objects.get(pk=queue.pk).pair_count == 4 * (responses - 1)


def test_a_single_response_is_judged_whatever_the_pairing(project):
    alone = make.pair(project, second=None)
    for pairing in ("connected", "informative", "all"):
        made = create_queue(project=project, by=None, name=pairing, pairing=pairing)
        assert inside(made) == {alone.pk}


def test_the_pairing_is_changed_while_people_work(project, rui):
    item = many(project, 4)
    queue = create_queue(project=project, by=None, name="All", overlap=1)
    held = claim(queue=queue, rater=rui)
    submit(assignment=held, rater=rui, body=BODY)
    few = change(queue, pairing="connected")
    connecting = {pair.pk for pair in item.pairs.all() if open_of(few, pair)} | {held.pair_id}
    assert few.pair_count == len(inside(few)) == len(connecting) and graph(item, inside(few))
    everything = change(few, pairing="all")
    assert everything.pair_count == len(inside(everything)) == 6 == everything.slots.count()


def test_from_all_to_informative_what_was_begun_is_finished(project, rui):
    item = many(project, 4)
    queue = create_queue(project=project, by=None, name="All", overlap=2)
    begun = claim(queue=queue, rater=rui)
    submit(assignment=begun, rater=rui, body=BODY)
    queue = change(queue, pairing="informative")
    assert queue.slots.filter(pair=begun.pair).count() == 2
    assert queue.pair_count == len(inside(queue)) in (3, 4) and graph(item, inside(queue))


# --- the pairs that tell most ---------------------------------------------------------------------


def judge_by(queue, rater, strength):
    """The rater works through the queue, preferring the stronger response; `strength` by response id."""
    judged = []
    while (held := claim(queue=queue, rater=rater)) is not None:
        pair = held.pair
        first_wins = strength[pair.first_id] > strength[pair.second_id]
        left_wins = first_wins != held.swapped
        body = {"judgments": {"helpfulness": {"preference": -1 if left_wins else 1}}}
        submit(assignment=held, rater=rater, body=body)
        judged.append(pair.pk)
    return judged


def test_pairs_are_added_step_by_step_until_the_order_is_clear(project, rui):
    item = many(project, 5)
    strength = {pk: place for place, pk in enumerate(item.responses.order_by("pk").values_list("pk", flat=True))}
    queue = create_queue(project=project, by=None, name="Telling", overlap=1, pairing="informative", sure=0.8)
    assert len(inside(queue)) == 4
    assert add_telling_pairs(queue=queue) == 0, "nothing was answered"
    judged = judge_by(queue, rui, strength)
    assert 4 <= len(judged) <= 10, "how many depends on which pairs connect them"
    assert add_telling_pairs(queue=queue) == 0 and queue.slots.exclude(state="done").count() == 0
    assert AuditEntry.objects.filter(act="queue.pairs_added").count() == len(judged) - 4
    assert Queue.objects.get(pk=queue.pk).pair_count == len(judged)


def test_who_is_hard_to_please_gets_every_pair(project, rui):
    """Sure to 99 % of an order that one rater tells: no pair is left out, and then it ends."""
    item = many(project, 4)
    strength = {pk: place for place, pk in enumerate(item.responses.order_by("pk").values_list("pk", flat=True))}
    queue = create_queue(project=project, by=None, name="Telling", overlap=1, pairing="informative", sure=0.99)
    assert len(judge_by(queue, rui, strength)) == 6


def test_the_clock_takes_the_step_too_but_not_of_a_queue_that_rests(project, rui):
    item = many(project, 4)
    queue = create_queue(project=project, by=None, name="Telling", overlap=1, pairing="informative", sure=0.99)
    for _ in range(3):
        submit(assignment=claim(queue=queue, rater=rui), rater=rui, body=BODY)
    change(queue, paused=True)
    watch_queues()
    assert len(inside(queue)) == 3
    change(queue, paused=False)
    watch_queues()
    assert len(inside(queue)) == 4 and item.pairs.count() == 6
    held = claim(queue=queue, rater=rui)
    release(assignment=held, rater=rui)
    assert len(inside(queue)) == 4, "a pair that was added comes back like any other"
    assert Assignment.objects.filter(queue=queue, state="released").exists() and Item.objects.count() == 1
