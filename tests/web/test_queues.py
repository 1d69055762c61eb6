"""A queue's page: what is open and held, pause, rules, and a new queue."""

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from labeling.actions.assign import claim
from labeling.actions.queues import change_queue
from labeling.models import AuditEntry, Participation, Queue
from tests import make

pytestmark = pytest.mark.django_db
RULES = {"name": "Every pair", "overlap": "2", "lease_minutes": "20"}


@pytest.fixture
def address(study):
    return f"/projects/advice/queues/{study['queue'].pk}/"


def text(answer):
    return " ".join(answer.content.decode().split())


def test_it_says_what_is_open_and_who_holds_what(study, mara, address):
    claim(queue=study["queue"], rater=study["people"]["Rui"])
    page = text(mara.get(address))
    assert "0 answered" in page and "1 being judged" in page and "3 open" in page
    assert '<th scope="row">Rui</th>' in page and "minutes from now" in page
    moving = text(mara.get(address, headers={"HX-Request": "true"}))
    assert moving.startswith('<section class="kpis"') and 'id="holds"' in moving and "Rules" not in moving


def test_holders_are_found_in_one_query(study, mara, address):
    claim(queue=study["queue"], rater=study["people"]["Rui"])
    with CaptureQueriesContext(connection) as one:
        mara.get(address)
    claim(queue=study["queue"], rater=study["people"]["Rosa"])
    with CaptureQueriesContext(connection) as two:
        mara.get(address)
    assert len(one) == len(two) <= 8


def test_pause_and_resume(study, mara, address):
    assert "Pause the queue" in text(mara.get(address))
    assert mara.post(address + "pause/", {"paused": "1"}).status_code == 302
    assert Queue.objects.get().paused and "Resume the queue" in text(mara.get(address))
    mara.post(address + "pause/")
    assert not Queue.objects.get().paused
    assert AuditEntry.objects.filter(act="queue.changed").count() == 2


def test_rules_are_changed_at_once(study, mara, address):
    answer = mara.post(address + "change/", {"name": "All", "overlap": "3", "lease_minutes": "1.5"})
    assert answer.status_code == 302
    queue = Queue.objects.get()
    assert (queue.name, queue.overlap, queue.lease_seconds, queue.slots.count()) == ("All", 3, 90, 6)


@pytest.mark.parametrize(
    "wrong",
    [
        {"overlap": "0"},
        {"overlap": "51"},
        {"lease_minutes": "0"},
        {"lease_minutes": "x"},
        {"name": ""},
        {"overlap": ""},
    ],
)
def test_rules_out_of_range_are_said_and_not_kept(study, mara, address, wrong):
    answer = mara.post(address + "change/", RULES | wrong)
    assert answer.status_code == 422 and "errorlist" in text(answer)
    assert Queue.objects.get().overlap == 2


def test_a_taken_name_is_said_at_the_name(study, mara, address):
    make_new(mara, name="Second")
    answer = mara.post(address + "change/", RULES | {"name": "Second"})
    assert answer.status_code == 422 and "already has a queue named" in text(answer)


def make_new(client, **typed):
    return client.post("/projects/advice/queues/new/", {"name": "New", "overlap": "1", "lease_minutes": "10", **typed})


def test_a_new_queue_takes_what_its_filters_let_through(study, mara):
    make.pair(study["project"], language="zh", tags=["law", "hard"])
    assert mara.get("/projects/advice/queues/new/").status_code == 200
    answer = make_new(mara, languages="zh, ja", tags=" law ,")
    queue = Queue.objects.get(name="New")
    assert answer["Location"] == f"/projects/advice/queues/{queue.pk}/"
    assert (queue.languages, queue.tags, queue.pair_count) == (["zh", "ja"], ["law"], 1)


def test_a_new_queue_with_a_taken_name_or_a_filter_too_long(study, mara):
    assert make_new(mara, name="Every pair").status_code == 422
    assert "longer than 35" in text(make_new(mara, languages="x" * 36))


@pytest.mark.parametrize("name", ["Rui", "Noor", "Ada", "Otto"])
def test_only_managers_have_these_pages(study, address, name):
    client = study["as_"][name]
    assert client.get(address).status_code == 404
    assert client.post(address + "pause/", {"paused": "1"}).status_code == 404
    assert client.post(address + "change/", RULES | {"overlap": "5"}).status_code == 404
    assert client.get("/projects/advice/queues/new/").status_code == 404
    assert make_new(client).status_code == 404
    queue = Queue.objects.get()
    assert (queue.paused, queue.overlap) == (False, 2)


def test_a_queue_is_only_found_under_its_own_project(study, mara):
    other = make.project("other", "Other")
    make.member(other, "Mara", "manager")
    assert mara.get(f"/projects/advice/queues/{make.queue(other).pk}/").status_code == 404
    foreign = make.queue(make.project("third", "Third"))
    assert mara.get(f"/projects/third/queues/{foreign.pk}/").status_code == 404


def test_an_empty_queue_has_a_page(study, mara):
    made = make_new(mara, tags="nothing has this")
    assert mara.get(made["Location"]).status_code == 200


def test_a_paused_queue_says_so_on_the_overview(study, mara):
    change_queue(queue=study["queue"], by=None, paused=True)
    assert "Paused" in text(mara.get("/projects/advice/"))


# --- all rules ------------------------------------------------------------------------------------


def every_rule(study):
    return {
        "name": "Careful", "languages": "en, zh", "tags": "law", "categories": "health", "pairing": "connected",
        "batches": [str(study["pairs"][0].item.batch_id)], "raters": [str(study["people"]["Rui"].pk)],
        "role": "adjudicator", "speaks": "on", "qualified": "on", "least_reliability": "77.5", "daily_pairs": "40",
        "stopping": "model", "overlap": "4", "criterion": "overall", "least": "1", "most": "7", "sure": "85",
        "trusted_singles": "on", "audit_percent": "10", "audit_overlap": "6", "gold_percent": "4",
        "repeat_percent": "2", "repeat_after_days": "14", "order": "priority", "priority": "3", "lease_minutes": "5",
        "blur_images": "on",
    }  # fmt: skip


def test_every_rule_is_kept_shown_again_and_told_in_words(study, mara, address):
    assert mara.post(address + "change/", every_rule(study)).status_code == 302
    queue = Queue.objects.get()
    kept = {name: getattr(queue, name) for name in ("least_reliability", "sure", "lease_seconds", "raters", "role")}
    assert kept == {
        "least_reliability": 0.775, "sure": 0.85, "lease_seconds": 300, "raters": [study["people"]["Rui"].pk],
        "role": "adjudicator",
    }  # fmt: skip
    assert (queue.criterion.key, queue.order, queue.pairing) == ("overall", "priority", "connected")
    form = text(mara.get(address + "change/"))
    for shown in ('value="77.5"', 'value="85"', 'value="health"', 'value="en, zh"', 'value="14"'):
        assert shown in form
    page = text(mara.get(address))
    for said in ("Rui", "with the role Adjudicator", "reliable to 77.5% or more", "1 to 7, until 85% sure"):
        assert said in page
    assert mara.post(address + "change/", every_rule(study)).status_code == 302
    assert "saved a queue" in text(mara.get("/projects/advice/"))


@pytest.mark.parametrize(
    ("wrong", "said"),
    [
        ({"least": "6", "most": "5", "stopping": "model"}, "must not be more than the most (5)"),
        ({"gold_percent": "51"}, "less than or equal to 50"),
        ({"sure": "100"}, "less than or equal to 99"),
        ({"least_reliability": "40"}, "greater than or equal to 50"),
        ({"raters": ["999999"]}, "Select a valid choice"),
        ({"criterion": "safety"}, "Select a valid choice"),
        ({"role": "rater"}, "Select a valid choice"),
        ({"categories": "x" * 101}, "longer than 100"),
    ],
)
def test_a_rule_that_is_wrong_is_said_at_its_field(study, mara, address, wrong, said):
    answer = mara.post(address + "change/", RULES | wrong)
    assert answer.status_code == 422 and said in text(answer) and "Nothing was saved" in text(answer)
    assert Queue.objects.get().overlap == 2


def test_close_and_open_again(study, mara, address):
    assert mara.post(address + "close/", {"closed": "1"}).status_code == 302
    page = text(mara.get(address))
    assert "Closed" in page and "Open it again" in page and "Pause the queue" not in page
    assert "This queue is closed" in study["as_"]["Rui"].get(f"/compare/{study['queue'].pk}/").text
    assert "closed the queue" in text(mara.get("/projects/advice/"))
    mara.post(address + "close/")
    assert Queue.objects.get().closed_at is None


def test_all_queues_are_paused_at_once(study, mara):
    make_new(mara)
    mara.post("/projects/advice/queues/pause/", {"paused": "1"})
    assert all(Queue.objects.values_list("paused", flat=True)) and "Resume all" in text(mara.get("/projects/advice/"))
    mara.post("/projects/advice/queues/pause/")
    assert not any(Queue.objects.values_list("paused", flat=True))


def test_who_may_not_work_reads_why_and_whom_to_ask(study):
    queue, rui = study["queue"], study["as_"]["Rui"]
    Participation.objects.create(
        project=study["project"], user=study["people"]["Rui"], paused_at=timezone.now(), paused_why="5 of 12 differ."
    )
    for answer in (rui.get(f"/compare/{queue.pk}/"), rui.post(f"/compare/{queue.pk}/next/")):
        said = text(answer)
        assert "Your work here is paused" in said and "5 of 12 differ." in said and "You can ask: Mara." in said
        assert 'data-key="Enter"' not in said
    home = text(rui.get("/"))
    assert "Your work is paused" in home and "Start" not in home


def test_a_queue_for_others_is_not_on_the_home_page(study):
    change_queue(queue=study["queue"], by=None, raters=[study["people"]["Rosa"].pk])
    assert "Everyday advice" not in text(study["as_"]["Rui"].get("/"))
    assert "small group" in text(study["as_"]["Rui"].get(f"/compare/{study['queue'].pk}/"))
    assert "Everyday advice" in text(study["as_"]["Rosa"].get("/"))


def test_the_queue_with_the_highest_priority_is_offered_first(study, mara):
    make_new(mara, name="Urgent", priority="5")
    home = text(study["as_"]["Rui"].get("/"))
    assert home.index("Urgent") < home.index("Every pair")


def test_the_count_has_no_end_where_something_is_mixed_in(study):
    rui, queue = study["as_"]["Rui"], study["queue"]
    rui.post(f"/compare/{queue.pk}/next/")
    assert "Comparison 1 of 2" in text(rui.get(f"/compare/{queue.pk}/"))
    change_queue(queue=queue, by=None, repeat_percent=5)
    page = text(rui.get(f"/compare/{queue.pk}/"))
    assert "Comparison 1</h1>" in page.replace(" <", "<") and "1 of 2" not in page
