"""Who may work on a queue: each rule first with who it lets in, then with who it does not. Rui and Rosa rate."""

from datetime import UTC, datetime, timedelta

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from labeling.actions import leasing
from labeling.actions.annotate import submit
from labeling.actions.assign import claim, expire_stale, release, skip
from labeling.actions.queues import change_queue, close_queue, create_queue, reopen_queue
from labeling.actions.refusals import Refused
from labeling.models import Assignment, AuditEntry, Membership, Participation, RaterProfile, RaterStanding
from labeling.reports.admission import Why, why_not
from labeling.reports.home import open_queues
from tests import make

pytestmark = pytest.mark.django_db
BODY = {"judgments": {"helpfulness": {"preference": -1}}}


@pytest.fixture
def desk():
    project = make.project(overlap=3)
    people = make.cast(project)
    make.pairs(project, 4)
    return make.queue(project), people["Rui"], people["Rosa"]


def only(queue, **rules):
    return change_queue(queue=queue, by=None, **rules)


def reads(user, *languages):
    RaterProfile.objects.update_or_create(user=user, defaults={"languages": list(languages)})


def standing(queue, user, low):
    helpful = queue.project.criteria.get(key="helpfulness")
    numbers = {"mean": 0.9, "low": low, "high": 0.95, "poor": 0.01}
    RaterStanding.objects.create(project=queue.project, criterion=helpful, rater=user, **numbers)


RULES = {
    "named": (Why.NOT_NAMED, lambda rui: {"raters": [rui.pk]}, lambda queue, rui: None),
    "role": (
        Why.ROLE,
        lambda rui: {"role": "adjudicator"},
        lambda queue, rui: Membership.objects.create(project=queue.project, user=rui, role="adjudicator"),
    ),
    "language": (
        Why.LANGUAGE,
        lambda rui: {"speaks": True},
        lambda queue, rui: reads(rui, "en"),
    ),
    "qualified": (
        Why.NOT_QUALIFIED,
        lambda rui: {"qualified": True},
        lambda queue, rui: Participation.objects.create(project=queue.project, user=rui, qualified_at=timezone.now()),
    ),
    "reliability": (
        Why.RELIABILITY,
        lambda rui: {"least_reliability": 0.75},
        lambda queue, rui: standing(queue, rui, 0.75),
    ),
}


@pytest.mark.parametrize("rule", RULES)
def test_a_rule_lets_in_whom_it_means_and_nobody_else(desk, rule):
    queue, rui, rosa = desk
    why, rules, fulfil = RULES[rule]
    fulfil(queue, rui)
    queue = only(queue, **rules(rui))
    assert why_not(queue, rui) is None and claim(queue=queue, rater=rui) is not None
    assert why_not(queue, rosa) == why and claim(queue=queue, rater=rosa) is None
    assert [one.queue.pk for one in open_queues(rui)] == [queue.pk] and open_queues(rosa) == []


@pytest.mark.parametrize("rule", RULES)
def test_who_holds_a_pair_when_a_rule_comes_may_finish_it(desk, rule):
    queue, rui, rosa = desk
    held = claim(queue=queue, rater=rosa)
    queue = only(queue, **RULES[rule][1](rui))
    assert claim(queue=queue, rater=rosa).pk == held.pk and open_queues(rosa)[0].held
    assert submit(assignment=held, rater=rosa, body=BODY, then_claim=True).following is None


def test_every_rule_that_is_set_must_hold(desk):
    queue, rui, rosa = desk
    queue = only(queue, raters=[rui.pk, rosa.pk], qualified=True, least_reliability=0.6)
    Participation.objects.create(project=queue.project, user=rui, qualified_at=timezone.now())
    assert why_not(queue, rui) == Why.RELIABILITY and why_not(queue, rosa) == Why.NOT_QUALIFIED
    standing(queue, rui, 0.6)
    assert why_not(queue, rui) is None


def test_reliability_is_that_of_the_queues_own_question(desk):
    queue, rui, _ = desk
    standing(queue, rui, 0.9)
    queue = only(queue, least_reliability=0.8, criterion=queue.project.criteria.get(key="overall"))
    assert why_not(queue, rui) == Why.RELIABILITY
    assert why_not(only(queue, criterion=None), rui) is None


# --- languages ------------------------------------------------------------------------------------


def test_a_pair_goes_to_who_reads_its_language(desk):
    queue, rui, rosa = desk
    chinese = make.pair(queue.project, language="zh-Hant")
    reads(rui, "zh")
    reads(rosa, "en-GB")
    english = make.pair(queue.project, language="en")
    queue = only(queue, speaks=True)
    queue.slots.exclude(pair__in=[chinese, english]).delete()
    assert claim(queue=queue, rater=rui).pair_id == chinese.pk
    assert claim(queue=queue, rater=rosa).pair_id == english.pk
    for rater in (rui, rosa):
        skip(assignment=claim(queue=queue, rater=rater), rater=rater)
        assert claim(queue=queue, rater=rater) is None, "what is left is in a language that they do not read"


def test_of_a_queue_in_one_language_only_the_rater_is_asked(desk):
    queue, rui, rosa = desk
    make.pair(queue.project, language="zh")
    queue = create_queue(project=queue.project, by=None, name="Chinese", languages=["zh"], speaks=True)
    reads(rui, "zh-Hans")
    reads(rosa, "en")
    with CaptureQueriesContext(connection) as queries:
        assert claim(queue=queue, rater=rui) is not None
    assert not any("item.language" in query["sql"] for query in queries)
    assert why_not(queue, rosa) == Why.LANGUAGE


# --- a paused person, a closed queue --------------------------------------------------------------


def test_a_paused_rater_gets_nothing_until_they_go_on(desk):
    queue, rui, rosa = desk
    held = claim(queue=queue, rater=rui)
    mine = Participation.objects.create(project=queue.project, user=rui, paused_at=timezone.now())
    assert why_not(queue, rui) == Why.PAUSED and why_not(queue, rosa) is None
    assert submit(assignment=held, rater=rui, body=BODY, then_claim=True).following is None
    assert claim(queue=queue, rater=rui) is None and claim(queue=queue, rater=rosa) is not None
    [shown] = open_queues(rui)
    assert not shown.can_start and shown.why_not == Why.PAUSED
    Participation.objects.filter(pk=mine.pk).update(paused_at=None)
    assert claim(queue=queue, rater=rui) is not None


def test_a_closed_queue_gives_nothing_out_and_goes_on_when_it_is_opened_again(desk):
    queue, rui, rosa = desk
    held = claim(queue=queue, rater=rui)
    queue = close_queue(queue=queue, by=None)
    close_queue(queue=queue, by=None)
    assert claim(queue=queue, rater=rosa) is None and why_not(queue, rosa) == Why.CLOSED
    assert claim(queue=queue, rater=rui).pk == held.pk
    assert submit(assignment=held, rater=rui, body=BODY, then_claim=True).following is None
    assert open_queues(rosa) == []
    queue = reopen_queue(queue=queue, by=None)
    assert claim(queue=queue, rater=rosa) is not None
    acts = list(AuditEntry.objects.filter(act__startswith="queue.").order_by("id").values_list("act", flat=True))
    assert acts[-2:] == ["queue.closed", "queue.reopened"] and acts.count("queue.closed") == 1


# --- the day's pairs ------------------------------------------------------------------------------


def test_the_days_pairs_are_counted_with_the_one_that_is_open(desk):
    queue, rui, rosa = desk
    queue = only(queue, daily_pairs=2)
    first = claim(queue=queue, rater=rui)
    assert why_not(queue, rui) is None
    second = submit(assignment=first, rater=rui, body=BODY, then_claim=True).following
    assert why_not(queue, rui) == Why.QUOTA, "the second is open"
    assert submit(assignment=second, rater=rui, body=BODY, then_claim=True).following is None
    assert claim(queue=queue, rater=rui) is None and claim(queue=queue, rater=rosa) is not None
    [shown] = open_queues(rui)
    assert not shown.can_start and shown.why_not == Why.QUOTA


def test_a_pair_that_was_given_back_does_not_count_and_yesterdays_do_not(desk):
    queue, rui, _ = desk
    queue = only(queue, daily_pairs=1)
    release(assignment=claim(queue=queue, rater=rui), rater=rui)
    skip(assignment=claim(queue=queue, rater=rui), rater=rui)
    done = claim(queue=queue, rater=rui)
    submit(assignment=done, rater=rui, body=BODY)
    assert claim(queue=queue, rater=rui) is None
    midnight = datetime.now(UTC).replace(hour=0, minute=0, second=0, microsecond=0)
    Assignment.objects.filter(pk=done.pk).update(ended_at=midnight - timedelta(seconds=1))
    assert claim(queue=queue, rater=rui) is not None
    Assignment.objects.filter(pk=done.pk).update(ended_at=midnight)
    expire_stale(queue=queue, now=timezone.now() + timedelta(days=1))
    assert claim(queue=queue, rater=rui) is None


def test_a_claim_that_counted_too_early_is_taken_back(desk, monkeypatch):
    """As when an answer of the other tab was not in yet: what the statement counted is not enough."""
    queue, rui, _ = desk
    queue = only(queue, daily_pairs=1)
    submit(assignment=claim(queue=queue, rater=rui), rater=rui, body=BODY)
    monkeypatch.setattr(leasing, "rules_of", lambda queue: ())
    assert claim(queue=queue, rater=rui) is None
    assert queue.slots.filter(state="leased").count() == 0 and Assignment.objects.filter(state="open").count() == 0


# --- one's own texts, and what a plain queue pays ----------------------------------------------------


def test_nobody_judges_what_they_wrote(desk):
    queue, rui, rosa = desk
    queue.slots.all().delete()
    own = make.pair(queue.project, author=rui)
    assert claim(queue=queue, rater=rui) is None and not open_queues(rui)[0].waiting
    assert claim(queue=queue, rater=rosa).pair_id == own.pk
    other = make.pair(queue.project, author=rosa)
    assert claim(queue=queue, rater=rui).pair_id == other.pk


def test_a_plain_queue_is_claimed_with_one_statement_that_asks_no_rule(desk):
    queue, rui, _ = desk
    with CaptureQueriesContext(connection) as queries:
        claim(queue=queue, rater=rui)
    asked = [query["sql"] for query in queries if not query["sql"].startswith(("SAVEPOINT", "RELEASE"))]
    assert len(asked) == 2, "the look for an open pair, and the claim"
    for rule in ("raterstanding", "raterprofile", "membership", "qualified", "daily", "goldpair", "language"):
        assert rule not in asked[1]


@pytest.mark.parametrize(
    ("rules", "field"),
    [
        ({"overlap": 0}, "overlap"),
        ({"lease_seconds": 0}, "lease_seconds"),
        ({"gold_percent": 51}, "gold_percent"),
        ({"repeat_percent": 21}, "repeat_percent"),
        ({"repeat_after_days": 0}, "repeat_after_days"),
        ({"daily_pairs": -1}, "daily_pairs"),
        ({"least_reliability": 0.4}, "least_reliability"),
        ({"sure": 0.5}, "sure"),
        ({"audit_overlap": 1}, "audit_overlap"),
        ({"least": 6}, "least"),
        ({"most": 1}, "most"),
        ({"order": "best"}, "order"),
        ({"pairing": "some"}, "pairing"),
        ({"stopping": "never"}, "stopping"),
        ({"role": "rater"}, "role"),
        ({"batches": [0]}, "batches"),
        ({"tags": [""]}, "tags"),
        ({"languages": ["x" * 36]}, "languages"),
        ({"priority": 1001}, "priority"),
    ],
)
def test_a_rule_out_of_its_range_is_refused_by_name_and_nothing_is_kept(desk, rules, field):
    queue, *_ = desk
    with pytest.raises(Refused) as refused:
        only(queue, **rules)
    assert (refused.value.code, set(refused.value.errors)) == ("invalid", {field})
    with pytest.raises(Refused):
        create_queue(project=queue.project, by=None, name="New", **rules)
    assert queue.project.queues.count() == 1


def test_only_raters_and_questions_of_the_project_may_be_named(desk):
    queue, rui, _ = desk
    otto = make.person("Olga")
    for rules in ({"raters": [rui.pk, otto.pk]}, {"criterion": queue.project.criteria.get(key="safety")}):
        with pytest.raises(Refused) as refused:
            only(queue, **rules)
        assert set(refused.value.errors) == set(rules)
