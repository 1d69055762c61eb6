"""A queue's page: what is open and held, pause, rules, and a new queue."""

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from labeling.actions.assign import claim
from labeling.actions.queues import change_queue
from labeling.models import AuditEntry, Queue
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
