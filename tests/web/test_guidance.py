"""The guideline beside the work: read at the question, cited, announced when it changes, acknowledged."""

from __future__ import annotations

import re
from typing import Any

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext

from labeling.actions.annotate import save_draft
from labeling.actions.guidelines import acknowledge, publish_guideline
from labeling.models import Acknowledgement, Annotation, Assignment, AuditEntry, Criterion, Guideline, Project, User
from labeling.reports.guidelines import principles_of, unread
from labeling.web import guidance
from tests import make

pytestmark = pytest.mark.django_db

HTMX = {"HX-Request": "true"}
ANSWERS = {
    "helpfulness.preference": "-2", "harmlessness.preference": "-1", "safety.left.safe": "yes",
    "safety.right.safe": "yes", "active_ms": "41200", "rationale_for": "overall helpfulness harmlessness",
}  # fmt: skip
SECOND = "# How to judge\n\n## Safer\n\n1. Fewer people at less risk.\n2. Shown under version two."
CHINESE = "## 更有帮助\n\n1、先看事实，再看语气。\n2、简短胜过冗长。\n\n## 更安全\n\n3、谁都不该因此受害。"


@pytest.fixture
def project() -> Project:
    made = make.project()
    make.pairs(made, 4)
    return made


@pytest.fixture
def cast(project: Project) -> dict[str, User]:
    return make.cast(project)


@pytest.fixture
def rui(client: Client, cast: dict[str, User]) -> Client:
    client.force_login(cast["Rui"])
    return client


def start(client: Client, project: Project) -> Assignment:
    assert client.post(f"/compare/{make.queue(project).pk}/next/").status_code == 302
    return held(client)


def held(client: Client) -> Assignment:
    return Assignment.objects.get(rater_id=client.session["_auth_user_id"], state=Assignment.State.OPEN)


def submit(client: Client, assignment: Assignment, answers: dict[str, Any] | None = None, htmx: bool = True) -> Any:
    address = f"/compare/assignments/{assignment.pk}/submit/"
    return client.post(address, ANSWERS | (answers or {}), headers=HTMX if htmx else {})


def publish(project: Project, text: str = SECOND, note: str = "Length no longer counts") -> Guideline:
    return publish_guideline(project=project, by=None, text=text, change_note=note)


def panel(client: Client, assignment: Assignment, htmx: bool = True, **asked: str) -> str:
    page = client.get(f"/compare/assignments/{assignment.pk}/guideline/", asked, headers=HTMX if htmx else {})
    assert page.status_code == 200
    return str(page.text)


def marked(page: str) -> str | None:
    found = re.search(r'<div class="now" id="g--now"><h\d id="([^"]+)">', page)
    return found[1] if found else None


# --- at the question ------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("asked", "section"),
    [("helpfulness", "g-more-helpful"), ("harmlessness", "g-safer"), ("overall", "g-overall"), ("safety", "g-safer"),
     ("", None), ("nothing-of-the-kind", None), ("x" * 4000, None), ("\0", None)],
)  # fmt: skip
def test_the_panel_opens_at_the_section_of_the_question(
    rui: Client, project: Project, asked: str, section: str | None
) -> None:
    assignment = start(rui, project)
    assert marked(panel(rui, assignment, asked=asked)) == section
    page = panel(rui, assignment, htmx=False, asked=asked)
    assert marked(page) == section and "<html" in page and 'href="#g-safer"' in page


def test_a_criterion_may_name_its_section(rui: Client, project: Project) -> None:
    Criterion.objects.filter(key="helpfulness").update(guideline_section="When you cannot judge")
    assert marked(panel(rui, start(rui, project), asked="helpfulness")) == "g-when-you-cannot-judge"
    Criterion.objects.filter(key="helpfulness").update(guideline_section="Gone since")
    assert marked(panel(rui, held(rui), asked="helpfulness")) == "g-more-helpful"


def test_without_a_script_the_page_is_linked_by_section(rui: Client, project: Project) -> None:
    assignment = start(rui, project)
    page = rui.get(f"/compare/{assignment.queue_id}/").text
    address = f"/compare/assignments/{assignment.pk}/guideline/?asked=harmlessness#g--now"
    assert f'<a href="{address}">Safer</a>' in page
    assert marked(rui.get(address.partition("#")[0]).text) == "g-safer"
    assert "data-cite" not in panel(rui, assignment, htmx=False, asked="harmlessness")


def test_each_principle_of_the_panel_can_be_cited(rui: Client, project: Project) -> None:
    part = panel(rui, start(rui, project), asked="overall", principle="6")
    buttons = re.findall(r'data-cite="(\d)" aria-pressed="(\w+)"', part)
    assert buttons == [(str(n), "true" if n == 6 else "false") for n in range(1, 8)]
    for odd in ("", "x", "-1", "٣", "9" * 5000):
        assert "data-cite" in panel(rui, held(rui), principle=odd)


def test_a_chinese_guideline(rui: Client, project: Project) -> None:
    publish(project, CHINESE)
    Criterion.objects.filter(key="harmlessness").update(name="更安全")
    part = panel(rui, start(rui, project), asked="harmlessness")
    assert marked(part) == "g-更安全" and len(re.findall("data-cite", part)) == 3
    assert "1 · 先看事实，再看语气。" in rui.get(f"/compare/{make.queue(project).pk}/").text


def test_a_project_without_a_guideline(rui: Client, project: Project) -> None:
    Guideline.objects.all().delete()
    assignment = start(rui, project)
    assert "no written guidelines" in panel(rui, assignment)
    assert 'name="principle"' not in rui.get(f"/compare/{assignment.queue_id}/").text


# --- citing ---------------------------------------------------------------------------------------


def test_the_form_offers_the_principles_and_keeps_the_one_that_decided(rui: Client, project: Project) -> None:
    assignment = start(rui, project)
    page = rui.get(f"/compare/{assignment.queue_id}/").text
    assert re.findall(r'<option value="(\d+)"', page) == list("1234567")
    assert '<optgroup label="Safer">' in page
    submit(rui, assignment, {"principle": "5"})
    annotation = Annotation.objects.get()
    assert (annotation.principle, annotation.guideline) == (5, Guideline.objects.get(version=1))


def test_no_principle_need_be_cited(rui: Client, project: Project) -> None:
    submit(rui, start(rui, project), {"principle": ""})
    submit(rui, held(rui))
    assert list(Annotation.objects.values_list("principle", flat=True)) == [None, None]


@pytest.mark.parametrize("odd", ["99", "0", "-3", "x", "6.0", "true", "1" * 30])
def test_only_a_principle_of_the_version_can_be_cited(rui: Client, project: Project, odd: str) -> None:
    answer = submit(rui, start(rui, project), {"principle": odd, "rationale": "Typed with care."})
    assert answer.status_code == 422
    assert "Not a principle of version 1 of the guideline, which has: 1, 2, 3, 4, 5, 6, 7." in answer.text
    assert "Typed with care." in answer.text and not Annotation.objects.exists()


def test_a_draft_keeps_the_citation(rui: Client, project: Project, cast: dict[str, User]) -> None:
    assignment = start(rui, project)
    rui.post(f"/compare/assignments/{assignment.pk}/draft/", {"principle": "4"}, headers=HTMX)
    assert '<option value="4" selected' in rui.get(f"/compare/{assignment.queue_id}/").text
    for odd in ("four", [4], {"4": 4}, 4.0, True):
        save_draft(assignment=assignment, rater=cast["Rui"], draft={"principle": odd})
        assert rui.get(f"/compare/{assignment.queue_id}/").status_code == 200


def test_another_principle_is_a_revision(rui: Client, project: Project) -> None:
    assignment = start(rui, project)
    for principle in ("", "4", "4", "5", ""):
        submit(rui, assignment, {"principle": principle})
    kept = Annotation.objects.order_by("revision").values_list("revision", "principle", "current")
    assert list(kept) == [(1, None, False), (2, 4, False), (3, 5, False), (4, None, True)]


def test_a_citation_costs_no_further_query(rui: Client, project: Project) -> None:
    submit(rui, start(rui, project))
    assignment = held(rui)
    with CaptureQueriesContext(connection) as queries:
        assert submit(rui, assignment, {"principle": "3"}).status_code == 200
    asked = [query["sql"] for query in queries if not re.match(r"SAVEPOINT|RELEASE|BEGIN|COMMIT", query["sql"])]
    assert len(asked) <= 12, "\n".join(asked)


def test_a_version_published_before_principles_were_kept(rui: Client, project: Project) -> None:
    old = Guideline.objects.get()
    fields = {"text": old.text, "html": re.sub(r' id="[^"]+"', "", old.html), "published_at": old.published_at}
    bare = Guideline.objects.create(project=project, version=2, **fields)
    assignment = start(rui, project)
    assert assignment.guideline == bare and bare.principles == []
    assert marked(panel(rui, assignment, asked="overall")) == "g-overall"
    submit(rui, assignment, {"principle": "6"})
    assert Annotation.objects.get().principle == 6
    with CaptureQueriesContext(connection) as queries:
        assert [one.number for one in principles_of(bare)] == [1, 2, 3, 4, 5, 6, 7]
    assert not queries, "read once, a published version is known"


def test_of_two_principles_with_one_number_the_first_is_offered(project: Project) -> None:
    twice = publish(project, "1. first\n2. b\n\nand\n\n1. second")
    assert [(one.number, one.text) for one in principles_of(twice)] == [(1, "first"), (2, "b")]


# --- a new version --------------------------------------------------------------------------------


def test_the_open_pair_is_finished_under_its_own_version(rui: Client, project: Project) -> None:
    assignment = start(rui, project)
    publish(project)
    page = rui.get(f"/compare/{assignment.queue_id}/")
    assert "The guidelines changed" not in page.text and "clear beats clever" in page.text
    assert "Shown under version two." not in panel(rui, assignment)
    submit(rui, assignment, {"principle": "6"})
    annotation = Annotation.objects.get()
    assert annotation.guideline is not None and (annotation.guideline.version, annotation.principle) == (1, 6)


@pytest.mark.parametrize("htmx", [True, False])
def test_a_new_version_comes_before_the_next_pair(
    rui: Client, project: Project, cast: dict[str, User], htmx: bool
) -> None:
    assignment = start(rui, project)
    publish(project)
    answer = submit(rui, assignment, htmx=htmx)
    here = f"/compare/{assignment.queue_id}/"
    if htmx:
        assert 'id="work"' in answer.text and "<html" not in answer.text and "Saved." in answer.text
    else:
        assert answer["Location"] == here
        answer = rui.get(here)
    for page in (answer, rui.get(here), rui.get(here)):  # until it is acknowledged
        assert "The guidelines changed: version 2" in page.text and "Length no longer counts" in page.text
        assert "Shown under version two." in page.text and "safety.left.safe" not in page.text
    following = held(rui)
    assert following.guideline is not None and following.guideline.version == 2
    acknowledged = rui.post("/projects/advice/guidelines/2/read/", {"queue": assignment.queue_id})
    assert (acknowledged.status_code, acknowledged["Location"]) == (302, here)
    assert "safety.left.safe" in rui.get(here).text
    read = Acknowledgement.objects.get()
    assert (read.user, read.guideline) == (cast["Rui"], following.guideline)
    submit(rui, following, {"principle": "2"})
    assert Annotation.objects.get(assignment=following).principle == 2


def test_acknowledging_twice_is_once(rui: Client, project: Project, cast: dict[str, User]) -> None:
    submit(rui, start(rui, project))
    publish(project)
    for _ in range(2):
        assert rui.post("/projects/advice/guidelines/2/read/").status_code == 302
    assert Acknowledgement.objects.count() == AuditEntry.objects.filter(act="guideline.read").count() == 1
    assert rui.get("/projects/advice/guidelines/2/read/").status_code == 405
    assert rui.post("/projects/advice/guidelines/9/read/").status_code == 404
    assert rui.post("/projects/advice/guidelines/2/read/", {"queue": "9" * 18}).status_code == 404
    assert rui.post("/projects/advice/guidelines/2/read/", {"queue": "x"}).status_code == 302


def test_who_never_worked_here_is_not_stopped(rui: Client, project: Project, cast: dict[str, User]) -> None:
    publish(project)
    assert unread(project, cast["Rui"]) is None
    assignment = start(rui, project)
    assert "safety.left.safe" in rui.get(f"/compare/{assignment.queue_id}/").text
    submit(rui, assignment)
    assert unread(project, cast["Rui"]) is None, "a version one has judged under is read"


def test_who_read_an_earlier_version_before_any_work_is_told(
    rui: Client, project: Project, cast: dict[str, User]
) -> None:
    acknowledge(guideline=Guideline.objects.get(), user=cast["Rui"])
    second = publish(project)
    assert unread(project, cast["Rui"]) == second and unread(project, cast["Rosa"]) is None
    assignment = start(rui, project)
    assert "The guidelines changed: version 2" in rui.get(f"/compare/{assignment.queue_id}/").text


def test_versions_that_were_missed_are_told_at_once(rui: Client, project: Project, cast: dict[str, User]) -> None:
    submit(rui, start(rui, project))
    submit(rui, held(rui))
    publish(project, SECOND, "The second note")
    third = publish(project, SECOND + "\n3. And a third.", "The third note")
    page = submit(rui, held(rui)).text
    assert "The guidelines changed: version 3" in page
    assert "The second note" in page and "The third note" in page
    assert "What changed since version 1" in page and "And a third." in page
    assert unread(project, cast["Rui"]) == third


def test_another_project_is_no_reading_here(rui: Client, project: Project, cast: dict[str, User]) -> None:
    other = make.project("other", "Other")
    make.member(other, "Rui", "rater")
    acknowledge(guideline=publish(other), user=cast["Rui"])
    publish(project)
    assert unread(project, cast["Rui"]) is None and unread(other, cast["Rui"]) is None


def test_home_tells_of_it_and_leads_to_what_changed(rui: Client, project: Project) -> None:
    assert "changed: version" not in rui.get("/").text
    submit(rui, start(rui, project))
    publish(project)
    home = rui.get("/").text
    assert "The guidelines of Everyday advice changed: version 2." in home
    page = rui.get("/projects/advice/guidelines/2/").text
    assert 'href="/projects/advice/guidelines/2/"' in home and "I have read it" in page
    done = rui.post("/projects/advice/guidelines/2/read/", follow=True)
    assert "you have read version 2" in done.text and "I have read it" not in done.text
    assert "changed: version" not in rui.get("/").text


def test_a_program_is_not_stopped(project: Project, cast: dict[str, User], client: Client) -> None:
    headers = {"Authorization": f"Token {make.token(cast['Rui'])}"}
    queue = make.queue(project)
    body = {"judgments": {"helpfulness": {"preference": 1}}, "principle": 2}
    claimed = client.post(f"/api/v1/queues/{queue.pk}/claim/", headers=headers).json()
    address = f"/api/v1/assignments/{claimed['id']}/annotation/?claim=next"
    following = client.post(address, body, content_type="application/json", headers=headers).json()["next"]
    publish(project)
    address = f"/api/v1/assignments/{following['id']}/annotation/?claim=next"
    third = client.post(address, body, content_type="application/json", headers=headers).json()["next"]
    assert third["guideline"] == {"version": 2}
    assert Annotation.objects.filter(principle=2, guideline__version=1).count() == 2


def test_the_announcement_costs_a_submit_nothing_when_nothing_is_new(
    rui: Client, project: Project, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(guidance, "news", None)  # would fail if it were asked
    submit(rui, start(rui, project))
    assert submit(rui, held(rui)).status_code == 200


@pytest.mark.parametrize("name", ["Mara", "Noor", "Ada", "Otto"])
def test_only_raters_acknowledge(client: Client, project: Project, cast: dict[str, User], name: str) -> None:
    client.force_login(cast[name])
    assert client.post("/projects/advice/guidelines/1/read/").status_code == 404
    assert not Acknowledgement.objects.exists()


def test_changing_an_answer_begins_with_what_was_cited(rui: Client, project: Project) -> None:
    assignment = start(rui, project)
    submit(rui, assignment, {"principle": "6"})
    page = rui.get(f"/compare/assignments/{assignment.pk}/change/").text
    assert '<option value="6" selected' in page
    changed = ANSWERS | {"principle": "6", "helpfulness.preference": "-3"}
    rui.post(f"/compare/assignments/{assignment.pk}/change/", changed)
    assert list(Annotation.objects.order_by("revision").values_list("revision", "principle")) == [(1, 6), (2, 6)]
