"""When a pair has enough, and who else is asked. Mara manages; the raters are numbered."""

from datetime import timedelta

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from labeling.actions.annotate import submit
from labeling.actions.assign import claim
from labeling.actions.finished import watch_queues
from labeling.actions.queues import change_queue, create_queue
from labeling.actions.settle import queues_with_news, settle, settle_anew
from labeling.actions.standings import learn_standings, to_review
from labeling.actions.withdrawals import withdraw_item, withdraw_rater
from labeling.models import Annotation, GoldPair, GoldResult, Queue, QueuedPair, RaterStanding, Settling, Slot
from labeling.tasks import settle_queues, settle_queues_anew
from tests import make

pytestmark = pytest.mark.django_db


@pytest.fixture
def project():
    return make.project(overlap=2)


@pytest.fixture
def queue(project):
    return make.queue(project)


@pytest.fixture
def raters(project):
    return [make.member(project, f"rater{number}", "rater") for number in range(8)]


def adapt(queue, **rules):
    return change_queue(queue=queue, by=None, **({"stopping": "model", "audit_percent": 0} | rules))


def judge(queue, rater, preference, **harm):
    """The next pair of this rater, judged in stored order."""
    held = claim(queue=queue, rater=rater)
    assert held is not None, "there is a pair for this rater"
    shown = -preference if held.swapped else preference
    submit(assignment=held, rater=rater, body={"judgments": {"helpfulness": {"preference": shown}} | harm})
    return held.pair_id


def slots(pair):
    return sorted(pair.slots.values_list("state", flat=True))


def known(pair):
    return QueuedPair.objects.get(pair=pair)


# --- two, and a third -----------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("first", "second", "asked"), [(2, 1, 2), (-1, -3, 2), (0, 0, 2), (1, -1, 3), (0, 1, 3), (-3, 0, 3)]
)
def test_a_third_exactly_when_the_sides_differ(queue, raters, first, second, asked):
    queue, pair = adapt(queue, stopping="third"), make.pair(queue.project)
    judge(queue, raters[0], first)
    judge(queue, raters[1], second)
    settle_queues()
    assert len(slots(pair)) == asked
    assert (claim(queue=queue, rater=raters[2]) is None) == (asked == 2)


def test_without_the_clock_a_claim_that_finds_nothing_asks_the_third(queue, raters):
    queue, pair = adapt(queue, stopping="third"), make.pair(queue.project)
    judge(queue, raters[0], 1)
    judge(queue, raters[1], -1)
    assert judge(queue, raters[2], 1) == pair.pk
    assert claim(queue=queue, rater=raters[3]) is None
    assert known(pair).state == "settled" and known(pair).judgments == 3


# --- by the model ---------------------------------------------------------------------------------


def test_who_agree_settle_a_pair_and_who_differ_are_joined_one_at_a_time(queue, raters):
    queue = adapt(queue, sure=0.7)
    agreed, disputed = make.pair(queue.project), make.pair(queue.project)
    for rater in raters[:2]:
        first = judge(queue, rater, 1)
        second = judge(queue, rater, 1 if rater == raters[0] else -1)
        assert (first, second) == (agreed.pk, disputed.pk)
    settle(queue=queue)
    assert known(agreed).state == "settled" and known(agreed).first_better < 0.3 and known(agreed).settled_at
    assert known(disputed).state == "collecting" and known(disputed).first_better == pytest.approx(0.5)
    assert slots(agreed) == ["done", "done"] and slots(disputed) == ["done", "done", "open"]


def test_a_pair_on_which_people_differ_is_contested_after_four(queue, raters):
    queue, pair = adapt(queue), make.pair(queue.project)
    for place, rater in enumerate(raters[:4]):
        judge(queue, rater, 1 if place % 2 else -1)
    assert claim(queue=queue, rater=raters[4]) is None
    found = known(pair)
    assert (found.state, found.wanted, found.people_differ > 0.6) == ("contested", 4, True)
    assert found.share == pytest.approx(0.5) and 0 < found.more_would_tell < 0.4


def test_looking_twice_changes_nothing(queue, raters):
    queue, pair = adapt(queue), make.pair(queue.project)
    judge(queue, raters[0], 1)
    judge(queue, raters[1], -1)
    settle(queue=queue)
    before = list(QueuedPair.objects.values()), list(Slot.objects.order_by("pk").values())
    settle(queue=queue)
    settle(queue=queue)
    assert (list(QueuedPair.objects.values()), list(Slot.objects.order_by("pk").values())) == before
    assert Settling.objects.get().days == {timezone.now().date().isoformat(): 2}
    assert known(pair).judgments == 2


def test_bit_by_bit_it_finds_what_is_found_from_nothing(queue, raters):
    queue = adapt(queue)
    make.pairs(queue.project, 6)
    for place, rater in enumerate(raters):
        for number in range(6):
            if (held := claim(queue=queue, rater=rater)) is not None:
                preference = 1 if (place + number) % 3 else -2
                shown = -preference if held.swapped else preference
                submit(assignment=held, rater=rater, body={"judgments": {"helpfulness": {"preference": shown}}})
        settle(queue=queue)
    settle_anew(queue=queue)
    fields = ("pair", "state", "wanted", "judgments", "first_better", "share", "people_differ")
    found = list(QueuedPair.objects.order_by("pair").values(*fields))
    standings = list(RaterStanding.objects.order_by("rater").values("rater", "mean", "low", "high", "poor"))
    QueuedPair.objects.all().delete()
    RaterStanding.objects.all().delete()
    Settling.objects.all().delete()
    settle_queues_anew()
    assert list(QueuedPair.objects.order_by("pair").values(*fields)) == found
    assert list(RaterStanding.objects.order_by("rater").values("rater", "mean", "low", "high", "poor")) == standings


def trust(project, rater, low):
    RaterStanding.objects.update_or_create(
        project=project, criterion=project.criteria.get(key="helpfulness"), rater=rater,
        defaults={"mean": min(low + 0.05, 0.97), "low": low, "high": 0.97, "poor": 0, "judgments": 200},
    )  # fmt: skip


@pytest.mark.parametrize(
    ("low", "preference", "severity", "audit", "settles"),
    [(0.80, 2, 0, 0, True), (0.80, 3, 1, 0, True), (0.75, 3, 0, 0, False), (0.80, 1, 0, 0, False),
     (0.80, 3, 2, 0, False), (0.80, 3, 0, 100, False), (0.80, 0, 0, 0, False)],
)  # fmt: skip
def test_one_clear_answer_of_a_trusted_rater_may_settle(queue, raters, low, preference, severity, audit, settles):
    queue = adapt(queue, trusted_singles=True, sure=0.6, audit_percent=audit)
    pair = make.pair(queue.project)
    assert len(slots(pair)) == (5 if audit else 1)
    trust(queue.project, raters[0], low)
    unsafe = {"safe": False, "categories": ["Physical injury"], "severity": severity}
    judge(queue, raters[0], preference, **({"safety": {"left": unsafe, "right": {"safe": True}}} if severity else {}))
    settle(queue=queue)
    assert (known(pair).state == "settled") == settles
    if not settles:
        assert "open" in slots(pair)


# --- the audit ------------------------------------------------------------------------------------


def audited(queue):
    made = Slot.objects.filter(queue=queue).values_list("pair", "number")
    return {pair for pair, number in made if number == 5}


def test_the_audit_is_drawn_by_a_hash_and_a_larger_share_only_adds(queue):
    make.pairs(queue.project, 60)
    queue = adapt(queue, audit_percent=20)
    fifth = audited(queue)
    half = audited(adapt(queue, audit_percent=50))
    assert 2 <= len(fifth) <= 25 and fifth < half
    assert audited(adapt(queue, audit_percent=20)) == fifth
    assert audited(adapt(queue, audit_percent=0)) == set()
    assert Slot.objects.filter(queue=queue).count() == 120


def test_an_audited_pair_is_judged_to_its_end_whatever_is_known(queue, raters):
    queue, pair = adapt(queue, audit_percent=100, audit_overlap=4, sure=0.6), make.pair(queue.project)
    for rater in raters[:4]:
        judge(queue, rater, 3)
    assert claim(queue=queue, rater=raters[4]) is None
    assert known(pair).audit and known(pair).state == "settled" and known(pair).judgments == 4


# --- rules that change ----------------------------------------------------------------------------


def test_a_change_of_what_is_sure_reopens_and_settles_at_once(queue, raters):
    queue, pair = adapt(queue, sure=0.6), make.pair(queue.project)
    for rater in raters[:2]:
        judge(queue, rater, 1)
    settle(queue=queue)
    assert known(pair).state == "settled"
    queue = adapt(queue, sure=0.99)
    assert known(pair).state == "collecting" and slots(pair) == ["done", "done", "open"]
    adapt(queue, sure=0.6)
    assert known(pair).state == "settled" and slots(pair) == ["done", "done"]


def test_between_fixed_and_adapting_what_was_judged_counts(queue, raters):
    change_queue(queue=queue, by=None, overlap=3)
    pairs = make.pairs(queue.project, 2)
    for rater in raters[:2]:
        judge(queue, rater, 1)
        judge(queue, rater, 1 if rater == raters[0] else -1)
    queue = adapt(queue, stopping="third")
    assert [len(slots(pair)) for pair in pairs] == [2, 3]
    queue = adapt(queue, stopping="fixed", overlap=4)
    assert [len(slots(pair)) for pair in pairs] == [4, 4]


def test_a_new_queue_that_adapts_begins_with_the_fewest(project):
    make.pairs(project, 3)
    for rules, asked in (({}, 2), ({"least": 3}, 3), ({"least": 1}, 2), ({"trusted_singles": True}, 1)):
        made = create_queue(project=project, by=None, name=f"{rules}", stopping="model", audit_percent=0, **rules)
        assert Slot.objects.filter(queue=made).count() == 3 * asked


# --- what is set aside ----------------------------------------------------------------------------


@pytest.mark.parametrize("stopping", ["fixed", "third", "model"])
def test_what_is_set_aside_is_made_up_for_and_comes_back(queue, raters, stopping):
    queue, pair = adapt(queue, stopping=stopping, sure=0.6, overlap=2), make.pair(queue.project)
    for rater in raters[:2]:
        judge(queue, rater, 2)
    settle(queue=queue)
    assert slots(pair) == ["done", "done"]
    withdrawal = withdraw_rater(project=queue.project, rater=raters[0], by=raters[7])
    assert [one.pk for one in queues_with_news()] == [queue.pk]
    settle_queues()
    assert slots(pair) == ["done", "done", "open"]
    withdrawal.lifted_at = timezone.now()
    withdrawal.save()
    settle_queues()
    assert slots(pair) == ["done", "done"]
    assert not Queue.objects.filter(pk__in=[one.pk for one in queues_with_news()], stopping="fixed").exists()


def test_a_claim_that_finds_nothing_makes_up_for_what_was_set_aside(queue, raters):
    pair = make.pair(queue.project)
    for rater in raters[:2]:
        judge(queue, rater, 2)
    withdraw_rater(project=queue.project, rater=raters[0], by=raters[7])
    assert judge(queue, raters[2], 1) == pair.pk
    assert claim(queue=queue, rater=raters[0]) is None, "nobody judges a pair twice, also not who was set aside"


def test_what_they_judge_afterwards_counts(queue, raters):
    make.pair(queue.project)
    judge(queue, raters[0], 2)
    withdraw_rater(project=queue.project, rater=raters[0], by=raters[7])
    later = make.pair(queue.project)
    judge(queue, raters[0], 2)
    settle(queue=queue)
    assert slots(later) == ["done", "open"]


def test_nobody_is_asked_about_an_item_that_was_withdrawn(queue, raters):
    queue, pair = adapt(queue), make.pair(queue.project)
    for rater in raters[:2]:
        judge(queue, rater, 2)
    withdraw_item(item=pair.item, by=raters[7])
    settle(queue=queue)
    assert slots(pair) == ["done", "done"] and known(pair).judgments == 0
    assert claim(queue=queue, rater=raters[2]) is None


# --- raters ---------------------------------------------------------------------------------------


def test_known_answers_tell_who_is_to_be_reviewed(queue, raters):
    queue, pair = adapt(queue), make.pair(queue.project)
    criterion = queue.project.criteria.get(key="helpfulness")
    gold = GoldPair.objects.create(project=queue.project, pair=make.pair(queue.project), source="hand")
    for rater, right in ((raters[0], 25), (raters[1], 8)):
        for number in range(25):
            done = queue.project.assignments.create(pair=pair, rater=rater, state="expired")
            annotation = Annotation.objects.create(
                project=queue.project, assignment=done, pair=pair, rater=rater, body_digest=""
            )
            GoldResult.objects.create(
                project=queue.project, annotation=annotation, gold_pair=gold, criterion=criterion, rater=rater,
                right=number < right,
            )  # fmt: skip
    learn_standings(queue=queue)
    good, poor = (RaterStanding.objects.get(rater=rater) for rater in raters[:2])
    assert poor.poor > 0.95 and good.low > 0.75 > good.poor and good.judgments == 25
    assert [one.rater for one in to_review(queue.project)] == [raters[1]]
    GoldResult.objects.filter(rater=raters[1]).update(set_aside=True)
    learn_standings(queue=queue)
    assert to_review(queue.project) == []


def test_raters_are_learned_of_after_so_many_judgments_or_minutes(queue, raters, monkeypatch):
    queue = adapt(queue)
    make.pairs(queue.project, 3)
    for rater in raters[:2]:
        judge(queue, rater, 1)
    settle(queue=queue)
    assert not RaterStanding.objects.exists()
    Settling.objects.update(learned_at=timezone.now() - timedelta(minutes=6))
    assert [one.pk for one in queues_with_news()] == [queue.pk]
    settle(queue=queue)
    assert RaterStanding.objects.count() == 2 and Settling.objects.get().unlearned == 0
    monkeypatch.setattr("labeling.actions.standings.LEARN_AFTER", 2)
    for rater in raters[2:4]:
        judge(queue, rater, 1)
    settle(queue=queue)
    settle(queue=queue)
    assert RaterStanding.objects.count() == 4


# --- who is told what -----------------------------------------------------------------------------


def test_a_queue_is_not_finished_while_a_third_is_to_be_asked(queue, raters):
    queue = adapt(queue, stopping="third")
    make.pair(queue.project)
    judge(queue, raters[0], 1)
    judge(queue, raters[1], -1)
    assert watch_queues() == []
    judge(queue, raters[2], 1)
    assert watch_queues() == [queue.pk]


def test_a_look_at_news_costs_the_same_however_many_pairs_there_are(queue, raters):
    queue = adapt(queue)
    counts = []
    for number in (2, 12):
        make.pairs(queue.project, number)
        for rater in raters[:2]:
            for _ in range(number):
                judge(queue, rater, 1)
        with CaptureQueriesContext(connection) as queries:
            settle(queue=queue)
        counts.append(len(queries))
    assert counts[0] == counts[1] <= 20
