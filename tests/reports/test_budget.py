"""What stopping saved, by numbers that can be counted by hand; and on the queue's page."""

from datetime import timedelta

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from labeling.actions.queues import change_queue
from labeling.models import QueuedPair, Settling
from labeling.reports.budget import budget
from tests import make

pytestmark = pytest.mark.django_db
FATES = (("settled", 2, 0.9), ("settled", 2, 0.05), ("settled", 3, 0.81), ("contested", 4, 0.5), ("collecting", 1, 0.7))


@pytest.fixture
def queue():
    project = make.project(overlap=2)
    pairs = make.pairs(project, 8)
    queue = change_queue(queue=make.queue(project), by=None, stopping="model", audit_percent=0)
    for pair, (state, judgments, first) in zip(pairs, FATES, strict=False):
        QueuedPair.objects.create(
            queue=queue, pair=pair, state=state, judgments=judgments, wanted=judgments, first_better=first
        )
    return queue


def test_the_meter_adds_up(queue):
    found = budget(queue)
    assert (found.settled, found.contested, found.in_progress, found.not_started) == (3, 1, 1, 3)
    assert (found.spent, found.pairs, found.done) == (12, 8, 4)
    assert found.per_settled == pytest.approx(11 / 4)
    assert found.saved_of_three == pytest.approx(1 - 11 / 12) and found.saved_of_most == pytest.approx(1 - 11 / 20)
    assert [(one.judgments, one.pairs, one.percent) for one in found.needed] == [(2, 2, 50), (3, 1, 25), (4, 1, 25)]
    assert found.sure == [1, 0, 0, 1, 1, 0, 1, 1] and sum(found.sure) == 5
    assert found.finish is None


def test_a_queue_of_fixed_overlap_has_none(queue):
    assert budget(change_queue(queue=queue, by=None, stopping="fixed")) is None


def test_the_end_is_foretold_by_the_days_behind(queue):
    today = timezone.now().date()
    look = Settling.objects.get_or_create(queue=queue)[0]
    look.days = {(today - timedelta(days=n)).isoformat(): 2 for n in range(1, 4)}
    look.save()
    even = budget(queue).finish
    assert even.per_day == 2 and even.day == today + timedelta(days=5) and even.give == 0
    look.days = {(today - timedelta(days=n)).isoformat(): count for n, count in ((1, 4), (2, 0), (3, 2))}
    look.save()
    uneven = budget(queue).finish
    assert uneven.per_day == 2 and uneven.give > 2


def test_it_costs_two_queries(queue):
    with CaptureQueriesContext(connection) as queries:
        budget(queue)
    assert len(queries) == 2


def test_the_queues_page_shows_it_and_the_polled_part_does_not(queue, client):
    client.force_login(make.member(queue.project, "Mara", "manager"))
    address = f"/projects/{queue.project.slug}/queues/{queue.pk}/"
    page = client.get(address).content.decode()
    assert "2.75" in page and "a fixed 3 would be 3.00" in page and "8% fewer judgments than 3" in page
    assert "Not checked yet" in page
    Settling.objects.update_or_create(queue=queue, defaults={"audit_off": -0.031, "audit_answers": 1200})
    assert "1,200 answers to audit pairs: off by 3 points" in client.get(address).content.decode()
    assert 'id="budget"' not in client.get(address, headers={"HX-Request": "true"}).content.decode()
    change_queue(queue=queue, by=None, stopping="fixed")
    assert 'id="budget"' not in client.get(address).content.decode()
