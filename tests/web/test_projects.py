"""The overview of a project, its settings, and making a new one."""

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from labeling.actions.analyse import ask, run_step
from labeling.actions.annotate import submit
from labeling.actions.assign import claim
from labeling.models import Batch, Membership, Project
from labeling.web.charts import stack
from tests import make
from tests.web.conftest import signed_in

pytestmark = pytest.mark.django_db
HTMX = {"HX-Request": "true"}


def judge(study, name, preference=1):
    rater = study["people"][name]
    assignment = claim(queue=study["queue"], rater=rater)
    submit(assignment=assignment, rater=rater, body={"judgments": {"helpfulness": {"preference": preference}}})


def text(answer):
    return " ".join(answer.content.decode().split())


def test_the_overview_says_how_far_it_is(study, mara):
    for name in ("Rui", "Rosa"):
        judge(study, name)
    claim(queue=study["queue"], rater=study["people"]["Rui"])
    run_step(ask(project=study["project"], by=None))
    page = text(mara.get("/projects/advice/"))
    assert "1 <small>of 2</small>" in page
    assert "2 answered" in page and "1 being judged" in page and "1 open" in page
    assert "1 comparison of two raters" in page
    assert '<svg class="days"' in page and "Answers a day in the last 28 days: 2 in all" in page
    assert '<td class="r">2</td>' in page, "the figures behind the chart"
    assert "judged" in page and "Every pair" in page


def test_the_moving_parts_come_alone_to_htmx(study, mara):
    judge(study, "Rui")
    page = text(mara.get("/projects/advice/", headers=HTMX))
    assert page.startswith('<section class="kpis" id="figures"')
    assert 'id="tables" hx-swap-oob="true"' in page
    assert "<html" not in page and "Percent agreement" not in page


def test_its_queries_do_not_grow(study, mara):
    mara.get("/projects/advice/")
    with CaptureQueriesContext(connection) as few:
        mara.get("/projects/advice/")
    make.pairs(study["project"], 3)
    Batch.objects.bulk_create(Batch(project=study["project"], name=f"{n}.csv") for n in range(4))
    for name in ("Rui", "Rosa"):
        judge(study, name)
        judge(study, name)
    with CaptureQueriesContext(connection) as many:
        mara.get("/projects/advice/")
    assert len(many) <= len(few) <= 20


def test_an_empty_project_says_what_to_do(study, mara):
    study["project"].queues.all().delete()
    page = text(mara.get("/projects/advice/"))
    assert "There is no queue" in page and "No answers in the last 28 days" in page


@pytest.mark.parametrize(("name", "exports"), [("Noor", True), ("Ada", False)])
def test_others_of_the_project_read_but_have_no_levers(study, name, exports):
    page = text(study["as_"][name].get("/projects/advice/"))
    assert "Everyday advice" in page and ("Export data" in page) is exports
    for lever in ("New queue", "Settings", "People", "Lately", "Imports"):
        assert lever not in page


@pytest.mark.parametrize("name", ["Rui", "Otto"])
def test_to_others_there_is_no_overview(study, name):
    assert study["as_"][name].get("/projects/advice/").status_code == 404


def test_what_was_done_lately_is_in_words(study, mara):
    mara.post("/projects/advice/settings/", {"name": "Advice", "revise_days": "1"})
    for name in ("Rui", "Rosa", "Rui"):
        judge(study, name)
    page = text(mara.get("/projects/advice/"))
    assert "<b>2 people</b> judged 3 pairs" in page
    assert "<b>Mara</b> changed name, description, minutes to change an answer" in page


def test_settings_are_changed(study, mara):
    answer = mara.post("/projects/advice/settings/", {"name": "Advice", "description": "New", "revise_days": "0.5"})
    assert answer.status_code == 302
    project = Project.objects.get(slug="advice")
    assert (project.name, project.description, project.revise_minutes) == ("Advice", "New", 720)
    assert 'value="0.5"' in text(mara.get("/projects/advice/settings/"))


@pytest.mark.parametrize(
    "typed", [{"name": "", "revise_days": "1"}, {"name": "x", "revise_days": "-1"}, {"name": "x", "revise_days": "nan"}]
)
def test_settings_that_are_wrong_are_not_kept(study, mara, typed):
    answer = mara.post("/projects/advice/settings/", typed)
    assert answer.status_code == 422
    assert Project.objects.get().name == "Everyday advice"


def test_a_manager_makes_a_project(study, mara):
    assert mara.get("/projects/new/").status_code == 200
    answer = mara.post("/projects/new/", {"name": "Second", "slug": "second"})
    assert answer["Location"] == "/projects/second/"
    assert Membership.objects.filter(project__slug="second", user=study["people"]["Mara"]).count() == 2


def test_an_operator_makes_the_first_project(client):
    client = signed_in(make.person("Olga", superuser=True))
    assert client.post("/projects/new/", {"name": "First", "slug": "first"}).status_code == 302


@pytest.mark.parametrize("name", ["Rui", "Noor", "Ada", "Otto"])
def test_to_others_there_is_no_such_page(study, name):
    assert study["as_"][name].get("/projects/new/").status_code == 404
    assert study["as_"][name].post("/projects/new/", {"name": "x", "slug": "x"}).status_code == 404
    assert study["as_"][name].get("/projects/advice/settings/").status_code == 404
    assert Project.objects.count() == 1


@pytest.mark.parametrize("slug", ["advice", "Not a slug", "new", "-x", ""])
def test_a_slug_that_cannot_be(study, mara, slug):
    answer = mara.post("/projects/new/", {"name": "Second", "slug": slug})
    assert answer.status_code == 422 and "errorlist" in text(answer)


def test_a_stacked_bar_fills_its_width():
    parts = stack([("done", 1, ""), ("leased", 0, ""), ("open", 3, "")], width=302)
    assert [(part.x, part.width) for part in parts] == [(0, 75), (77, 0), (77, 225)]
    assert all(part.width == 0 for part in stack([("done", 0, "")]))
