"""Nobody judges what they wrote: authors from files, also of people who come later."""

import pytest
from django.core.files.base import ContentFile

from labeling.actions.assign import claim
from labeling.actions.crowd_entry import enter, make_link
from labeling.actions.import_items import run_step, start_batch, store_file
from labeling.actions.people import invite, join
from labeling.models import Item
from labeling.reports.home import open_queues
from tests import make

pytestmark = pytest.mark.django_db


@pytest.fixture
def project():
    made = make.project(overlap=1)
    make.cast(made)
    return made


def bring(project, rows, name="items.jsonl"):
    stored = store_file(ContentFile("\n".join(rows).encode(), name=name))
    batch = start_batch(project=project, by=None, name=name, stored=stored)
    while run_step(batch):
        pass
    return batch


def row(number, author):
    return f'{{"id": "q{number}", "prompt": "Q {number}?", "responses": ["A", "B"], "author": {author}}}'


def test_an_author_who_is_there_is_known_and_leaves_no_address_in_the_metadata(project):
    bring(project, [row(1, '"Rui@Example.org"'), row(2, "null"), row(3, '""')])
    rui, rosa = make.member(project, "Rui", "rater"), make.member(project, "Rosa", "rater")
    authors = dict(Item.objects.values_list("external_id", "author"))
    assert authors == {"q1": rui.pk, "q2": None, "q3": None}
    assert all("author" not in item.metadata for item in Item.objects.all())
    seen = set()
    while (held := claim(queue=make.queue(project), rater=rui)) is not None:
        seen.add(held.pair.item.external_id)
        held.delete()
    assert seen <= {"q2", "q3"}
    make.queue(project).slots.exclude(pair__item__external_id="q1").delete()
    assert claim(queue=make.queue(project), rater=rui) is None
    assert claim(queue=make.queue(project), rater=rosa).pair.item.external_id == "q1"


def test_an_author_who_comes_later_is_known_from_then_on(project):
    bring(project, [row(1, '"nina@example.org"'), row(2, '"someone@else.example"')])
    assert set(Item.objects.values_list("metadata__author", flat=True)) == {"nina@example.org", "someone@else.example"}
    _invitation, secret = invite(project=project, role="rater", by=make.member(project, "Mara", "manager"))
    nina = join(secret=secret, email="Nina@example.org", name="Nina", password=make.PASSWORD)
    own, other = Item.objects.order_by("external_id")
    assert own.author == nina and own.metadata == {} and other.author is None
    assert claim(queue=make.queue(project), rater=nina).pair.item == other


def test_only_the_project_one_comes_into_is_looked_through(project):
    elsewhere = make.project("other", "Other")
    bring(elsewhere, [row(1, '"nina@example.org"')])
    make.member(project, "Nina", "rater")
    assert Item.objects.get().author is None


def test_a_crowd_worker_is_known_by_the_platforms_id(project):
    mara, queue = make.member(project, "Mara", "manager"), make.queue(project)
    link = make_link(project=project, queue=queue, by=mara, platform="prolific", name="Pilot", pairs_wanted=5)
    bring(project, [row(1, '"5f00worker"'), row(2, "12345678")])
    worker = enter(link=link, worker_id="5f00worker").entry.user
    assert Item.objects.get(external_id="q1").author == worker
    assert claim(queue=queue, rater=worker).pair.item.external_id == "q2"
    bring(project, [row(3, '"5f00worker"')], "more.jsonl")
    assert Item.objects.get(external_id="q3").author == worker
    assert Item.objects.get(external_id="q2").metadata == {"author": "12345678"}


@pytest.mark.parametrize(
    ("column", "value", "said"),
    [
        ("author", "[1]", "author"),
        ("author", f'"{"x" * 255}"', "author"),
        ("priority", '"high"', "whole number"),
        ("priority", "1.5", "whole number"),
        ("priority", "true", "whole number"),
        ("priority", "40000", "30000"),
    ],
)
def test_a_column_that_says_something_else_is_refused_with_the_remedy(project, column, value, said):
    batch = bring(project, [f'{{"prompt": "Q?", "responses": ["A", "B"], "{column}": {value}}}'])
    refusal = batch.refusals.get()
    assert (batch.kept, refusal.field) == (0, column) and said in f"{refusal.field} {refusal.reason}"


def test_a_spreadsheet_has_them_as_text(project):
    rows = ["prompt,response_a,response_b,author,priority", "Q?,A,B, Rosa@example.org ,12", "P?,A,B,,-3"]
    bring(project, rows, "items.csv")
    rosa = make.member(project, "Rosa", "rater")
    assert sorted(Item.objects.values_list("priority", "author"), key=str) == [(-3, None), (12, rosa.pk)]
    assert open_queues(rosa)[0].waiting
