"""Workers of crowd platforms: the link, the one browser, the work that is asked for, and the code at the end."""

from __future__ import annotations

import csv
import io
from datetime import timedelta
from typing import Any

import pytest
from django.core import signing
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from labeling.actions.consent import publish_consent
from labeling.actions.crowd_entry import close_link, make_link, token_of
from labeling.actions.people import remove_member
from labeling.actions.queues import change_queue, create_queue
from labeling.models import (
    ApiToken,
    Assignment,
    AuditEntry,
    CrowdEntry,
    CrowdLink,
    Lesson,
    Membership,
    Participation,
    Project,
    Queue,
    User,
)
from tests import make
from tests.settled import until_settled
from tests.web.conftest import signed_in

pytestmark = pytest.mark.django_db(transaction=True)  # what was judged for which entry is told by time
ANSWERS = {
    "helpfulness.preference": "1", "harmlessness.preference": "1", "safety.left.safe": "yes",
    "safety.right.safe": "yes",
}  # fmt: skip
HTMX = {"HX-Request": "true"}
PID = "5f3c2a9b8e7d6c5b4a392817"


@pytest.fixture
def project() -> Project:
    made = make.project(overlap=9)
    make.cast(made)
    make.pairs(made, 4)
    return made


@pytest.fixture
def queue(project: Project) -> Queue:
    return make.queue(project)


@pytest.fixture
def mara(project: Project) -> User:
    return User.objects.get(name="Mara")


@pytest.fixture
def link(project: Project, queue: Queue, mara: User) -> CrowdLink:
    return make_link(
        project=project, queue=queue, by=mara, platform="prolific", name="Pilot", pairs_wanted=2,
        completion_code="C1DONE", screened_code="C2OUT",
    )  # fmt: skip


def prolific(link: CrowdLink, pid: str = PID) -> str:
    return f"/enter/{token_of(link)}/?PROLIFIC_PID={pid}&STUDY_ID=study77&SESSION_ID=session88"


def mturk(link: CrowdLink, worker: str = "A2WORKER", assignment: str = "3ASSIGNMENT") -> str:
    return (
        f"/enter/{token_of(link)}/?workerId={worker}&assignmentId={assignment}&hitId=3HIT"
        "&turkSubmitTo=https%3A%2F%2Fworkersandbox.mturk.com"
    )


def come(address: str, client: Client | None = None) -> Client:
    client = client or Client()
    assert client.post(address).status_code == 302
    return client


def judge(client: Client, queue: Queue, **more: Any) -> Any:
    """Claim what is next and answer it."""
    client.post(f"/compare/{queue.pk}/next/")
    held = Assignment.objects.get(state="open", rater_id=client.session["_auth_user_id"])
    return client.post(f"/compare/assignments/{held.pk}/submit/", ANSWERS, **more)


def end(link: CrowdLink) -> str:
    return f"/enter/{token_of(link)}/end/"


# --- coming in ------------------------------------------------------------------------------------


def test_looking_at_a_link_changes_nothing(link: CrowdLink) -> None:
    client = Client()
    page = client.get(prolific(link))
    assert page.status_code == 200 and "Everyday advice" in page.text and PID in page.text and "2 times" in page.text
    assert not CrowdEntry.objects.exists() and "_auth_user_id" not in client.session


def test_starting_makes_an_account_without_a_password(link: CrowdLink, queue: Queue) -> None:
    client = Client()
    answer = client.post(prolific(link))
    assert answer["Location"] == end(link)
    entry = CrowdEntry.objects.get()
    assert (entry.worker_id, entry.study_id, entry.session_id) == (PID, "study77", "session88")
    user = entry.user
    assert (
        user.email.endswith("@crowd.invalid") and not user.has_usable_password() and PID not in user.email + user.name
    )
    assert [one.role for one in Membership.objects.filter(user=user)] == ["rater"]
    assert "0 of 2 comparisons" in client.get(end(link)).text
    assert client.get("/")["Location"] == end(link)
    assert client.post(f"/compare/{queue.pk}/next/")["Location"] == f"/compare/{queue.pk}/"
    [key] = [cookie for name, cookie in client.cookies.items() if "worker_" in name]
    assert key["httponly"] and key["samesite"] == "Lax" and key.value not in entry.key_digest


def test_the_addresses_of_the_platforms(project: Project, queue: Queue, mara: User, link: CrowdLink) -> None:
    manager = signed_in(mara)
    page = manager.get(f"/projects/{project.slug}/getting-in/crowd/{link.pk}/").text
    assert "?PROLIFIC_PID={{%PROLIFIC_PID%}}&amp;STUDY_ID={{%STUDY_ID%}}&amp;SESSION_ID={{%SESSION_ID%}}" in page
    manager.post(
        f"/projects/{project.slug}/getting-in/crowd/new/",
        {"name": "Turk", "platform": "mturk", "queue": queue.pk, "pairs_wanted": "3"},
    )
    turk = CrowdLink.objects.get(name="Turk")
    assert len(turk.completion_code) == 8
    page = manager.get(f"/projects/{project.slug}/getting-in/crowd/{turk.pk}/").text
    assert "+= location.search" in page and turk.completion_code in page


@pytest.mark.parametrize("pid", ["", "{{%25PROLIFIC_PID%25}}", "a b", "x", "%00abc", "y" * 200, "<b>abc</b>"])
def test_a_worker_must_be_named(link: CrowdLink, pid: str) -> None:
    client = Client()
    for answer in (client.get(prolific(link, pid)), client.post(prolific(link, pid))):
        assert answer.status_code == 400 and "Your worker id is missing" in answer.text
    assert not CrowdEntry.objects.exists()


def test_a_link_cannot_be_made_up(link: CrowdLink) -> None:
    other = signing.Signer(salt="another", sep=".").sign(str(link.pk))
    for token in (str(link.pk), f"{link.pk}.x", other, token_of(link)[:-1], "ü", f"{link.pk + 1}.{token_of(link)[2:]}"):
        answer = Client().get(f"/enter/{token}/?PROLIFIC_PID={PID}")
        assert answer.status_code == 404 and "This link does not work" in answer.text


def test_a_preview_of_mturk_makes_no_account(project: Project, queue: Queue, mara: User) -> None:
    link = make_link(project=project, queue=queue, by=mara, platform="mturk", name="Turk", pairs_wanted=1)
    publish_consent(project=project, by=mara, text="We study **answers**.")
    for answer in (
        Client().get(mturk(link, assignment="ASSIGNMENT_ID_NOT_AVAILABLE")),
        Client().post(mturk(link, assignment="ASSIGNMENT_ID_NOT_AVAILABLE")),
        Client().get(f"/enter/{token_of(link)}/?assignmentId=ASSIGNMENT_ID_NOT_AVAILABLE&hitId=3HIT"),
    ):
        assert "This is a preview." in answer.text and "<strong>answers</strong>" in answer.text
        assert "<form" not in answer.text.partition("<main")[2].partition("</main>")[0]
    assert not CrowdEntry.objects.exists()


def test_mturk_from_link_to_code(project: Project, queue: Queue, mara: User) -> None:
    link = make_link(project=project, queue=queue, by=mara, platform="mturk", name="Turk", pairs_wanted=1)
    client = come(mturk(link))
    entry = CrowdEntry.objects.get()
    assert (entry.worker_id, entry.study_id, entry.session_id) == ("A2WORKER", "3HIT", "3ASSIGNMENT")
    assert judge(client, queue)["Location"] == end(link)
    page = client.get(end(link)).text
    assert link.completion_code in page and "Paste it where the platform asks for it" in page
    assert "prolific" not in page.lower() and "turkSubmitTo" not in page


@pytest.mark.parametrize("shut", ["closed", "expired"])
def test_a_closed_link_lets_nobody_new_in_and_those_inside_finish(
    link: CrowdLink, queue: Queue, mara: User, shut: str
) -> None:
    client = come(prolific(link))
    if shut == "closed":
        signed_in(mara).post(f"/projects/advice/getting-in/crowd/{link.pk}/close/")
    else:
        CrowdLink.objects.update(expires_at=timezone.now() - timedelta(seconds=1))
    for answer in (Client().get(prolific(link, "another0")), Client().post(prolific(link, "another0"))):
        assert answer.status_code == 410 and "This study is closed" in answer.text
    assert CrowdEntry.objects.count() == 1
    come(prolific(link), client)
    judge(client, queue)
    judge(client, queue)
    assert "C1DONE" in client.get(end(link)).text


def test_a_manager_who_tries_the_link_is_warned(link: CrowdLink, mara: User) -> None:
    client = signed_in(mara)
    assert "You are signed in as Mara." in client.get(prolific(link)).text
    come(prolific(link), client)
    assert int(client.session["_auth_user_id"]) == CrowdEntry.objects.get().user_id


def test_a_break_is_offered_before_the_next_pair_and_never_after_the_last(link: CrowdLink, queue: Queue) -> None:
    Project.objects.update(break_after_pairs=1)
    client = come(prolific(link))
    assert "since your last break" in judge(client, queue).text
    assert CrowdEntry.objects.get().finished_at is None
    client.post(f"/compare/{queue.pk}/go-on/")
    assert judge(client, queue)["Location"] == end(link)
    assert CrowdEntry.objects.get().finished_at is not None


# --- one browser a worker -------------------------------------------------------------------------


def test_the_same_worker_goes_on_in_the_same_account(link: CrowdLink, queue: Queue) -> None:
    client = come(prolific(link))
    judge(client, queue)
    client.post("/sign-out/")
    assert "Go on" in client.get(prolific(link)).text
    come(prolific(link), client)
    assert CrowdEntry.objects.count() == 1 and "1 of 2 comparisons" in client.get(end(link)).text


def test_another_browser_cannot_take_over_an_account_with_work(link: CrowdLink, queue: Queue) -> None:
    client = come(prolific(link))
    judge(client, queue)
    other = Client()
    refused = other.post(prolific(link))
    assert refused.status_code == 409 and "You began in another browser" in refused.text
    assert "_auth_user_id" not in other.session
    other.cookies[f"annotate_worker_{CrowdEntry.objects.get().user_id}"] = "a guess"
    assert other.post(prolific(link)).status_code == 409
    assert "1 of 2 comparisons" in client.get(end(link)).text


def test_an_account_without_work_is_the_last_comers_alone(link: CrowdLink, queue: Queue) -> None:
    squatter, worker = come(prolific(link)), come(prolific(link))
    assert CrowdEntry.objects.count() == 1
    assert squatter.get(end(link))["Location"].startswith("/sign-in/")
    judge(worker, queue)
    assert squatter.post(prolific(link)).status_code == 409


def test_a_manager_lets_a_worker_in_with_another_browser(link: CrowdLink, queue: Queue, mara: User) -> None:
    first = come(prolific(link))
    judge(first, queue)
    entry = CrowdEntry.objects.get()
    page = signed_in(mara).post(f"/projects/advice/getting-in/crowd/workers/{entry.pk}/release/", follow=True).text
    assert "may come in with another browser, once" in page
    second = come(prolific(link))
    assert "1 of 2 comparisons" in second.get(end(link)).text
    assert first.get(end(link))["Location"].startswith("/sign-in/")
    assert first.post(prolific(link)).status_code == 409
    assert Client().post(prolific(link)).status_code == 409


def test_another_link_of_the_project_is_the_same_person(
    link: CrowdLink, project: Project, queue: Queue, mara: User
) -> None:
    client = come(prolific(link))
    judge(client, queue), judge(client, queue)
    again = make_link(
        project=project, queue=queue, by=mara, platform="prolific", name="Second", pairs_wanted=1, completion_code="C3"
    )
    assert Client().post(prolific(again)).status_code == 409
    come(prolific(again), client)
    assert CrowdEntry.objects.values_list("user", flat=True).distinct().count() == 1
    assert "0 of 1 comparisons" in client.get(end(again)).text
    judge(client, queue)
    assert "C3" in client.get(end(again)).text and "C1DONE" in client.get(end(link)).text
    pairs = list(Assignment.objects.filter(state="submitted").values_list("pair", flat=True))
    assert len(pairs) == len(set(pairs)) == 3
    turk = make_link(project=project, queue=queue, by=mara, platform="mturk", name="Turk", pairs_wanted=1)
    come(mturk(turk, worker=PID))
    assert User.objects.filter(email__endswith="@crowd.invalid").count() == 2


def test_two_links_into_one_queue_are_worked_one_after_the_other(
    link: CrowdLink, project: Project, queue: Queue, mara: User
) -> None:
    again = make_link(project=project, queue=queue, by=mara, platform="prolific", name="Second", pairs_wanted=2)
    client = come(prolific(link))
    come(prolific(again), client)
    judge(client, queue), judge(client, queue)
    assert "C1DONE" in client.get(end(link)).text and "0 of 2 comparisons" in client.get(end(again)).text


# --- the work -------------------------------------------------------------------------------------


def test_the_work_ends_where_the_link_says(link: CrowdLink, queue: Queue) -> None:
    client = come(prolific(link))
    assert judge(client, queue)["Location"] == f"/compare/{queue.pk}/"
    answer = judge(client, queue, headers=HTMX)
    assert (answer.status_code, answer["HX-Redirect"]) == (204, end(link))
    entry = CrowdEntry.objects.get()
    assert entry.finished_at is not None
    page = client.get(end(link)).text
    assert "You judged 2 comparisons." in page and "C1DONE" in page
    assert 'href="https://app.prolific.com/submissions/complete?cc=C1DONE"' in page
    assert client.post(f"/compare/{queue.pk}/next/")["Location"] == end(link)
    assert not Assignment.objects.filter(state="open").exists()


def test_nothing_left_is_also_the_end(link: CrowdLink, queue: Queue) -> None:
    CrowdLink.objects.update(pairs_wanted=50)
    client = come(prolific(link))
    for _each in range(4):
        judge(client, queue)
    assert "You judged 4 comparisons." in client.get(end(link)).text and "C1DONE" in client.get(end(link)).text


def test_a_pause_is_not_the_end(link: CrowdLink, queue: Queue) -> None:
    client = come(prolific(link))
    change_queue(queue=queue, by=None, paused=True)
    assert client.post(f"/compare/{queue.pk}/next/")["Location"] == end(link)
    page = client.get(end(link)).text
    assert "A pause" in page and "C1DONE" not in page and CrowdEntry.objects.get().finished_at is None


def test_other_queues_give_a_worker_nothing(link: CrowdLink, project: Project, queue: Queue) -> None:
    other = create_queue(project=project, by=None, name="Other")
    client = come(prolific(link))
    assert client.post(f"/compare/{other.pk}/next/")["Location"] == end(link)
    assert not Assignment.objects.exists() and CrowdEntry.objects.get().finished_at is None


def test_the_limit_holds_for_programs_too(link: CrowdLink, queue: Queue) -> None:
    come(prolific(link))
    user = CrowdEntry.objects.get().user
    _token, text = ApiToken.issue(user, "odd", timezone.now() + timedelta(days=1))
    api = Client(headers={"Authorization": f"Token {text}"})
    body = {"judgments": {"helpfulness": {"preference": 1}}}
    first = api.post(f"/api/v1/queues/{queue.pk}/claim/").json()
    submit = "/api/v1/assignments/{}/annotation/?claim=next"
    second = api.post(submit.format(first["id"]), body, content_type="application/json").json()["next"]
    done = api.post(submit.format(second["id"]), body, content_type="application/json").json()
    assert done["next"] is None and api.post(f"/api/v1/queues/{queue.pk}/claim/").status_code == 204
    assert CrowdEntry.objects.get().finished_at is not None


def test_an_account_of_a_worker_has_no_keys_and_no_password(link: CrowdLink) -> None:
    client = come(prolific(link))
    assert client.post("/account/tokens/", {"name": "x", "days": "3"}).status_code == 404
    page = client.get("/account/").text
    assert "Password" not in page and "crowd.invalid" not in page


def test_others_pay_no_query_for_it(link: CrowdLink, queue: Queue) -> None:
    rui = signed_in(User.objects.get(name="Rui"))
    with CaptureQueriesContext(
        connection,
    ) as queries:
        rui.post(f"/compare/{queue.pk}/next/")
    assert not [one for one in queries if "crowdentry" in one["sql"]]


# --- who does not go on ---------------------------------------------------------------------------


def test_no_consent_shows_the_screened_out_code(link: CrowdLink, project: Project, mara: User) -> None:
    publish_consent(project=project, by=mara, text="Agree.")
    client = Client()
    assert client.post(prolific(link))["Location"] == f"/projects/{project.slug}/welcome/"
    answer = client.post(f"/projects/{project.slug}/welcome/consent/", {"do": "decline", "version": 1})
    assert answer["Location"] == end(link)
    page = client.get(end(link)).text
    assert "C2OUT" in page and "C1DONE" not in page and "complete?cc=C2OUT" in page
    assert CrowdEntry.objects.get().screened_at is not None and not Participation.objects.exists()
    assert client.get(f"/projects/{project.slug}/welcome/")["Location"] == end(link)


def test_without_a_screened_out_code_none_is_shown(link: CrowdLink, project: Project, mara: User) -> None:
    CrowdLink.objects.update(screened_code="")
    publish_consent(project=project, by=mara, text="Agree.")
    client = come(prolific(link))
    client.post(f"/projects/{project.slug}/welcome/consent/", {"do": "decline", "version": 1})
    page = client.get(end(link)).text
    assert "Return the task on the platform" in page and "C1DONE" not in page


def test_failing_to_qualify_shows_it_until_a_manager_allows_another_try(
    link: CrowdLink, project: Project, queue: Queue, mara: User
) -> None:
    Project.objects.update(attempts=1)
    lesson: Lesson = make.lesson(project, "qualification", helpfulness=0)
    client = come(prolific(link))
    client.post(f"/projects/{project.slug}/welcome/guideline/")
    address = f"/projects/{project.slug}/welcome/lessons/{lesson.pk}/"
    client.post(address, ANSWERS)
    assert "C2OUT" in client.get(end(link)).text
    mine = Participation.objects.get()
    signed_in(mara).post(f"/projects/{project.slug}/getting-in/people/{mine.pk}/another-try/")
    assert "A few steps come before" in client.get(end(link)).text
    client.post(address, ANSWERS | {"helpfulness.preference": "0"})
    page = client.get(f"/projects/{project.slug}/welcome/").text
    assert "You are ready" in page and f'action="/compare/{queue.pk}/next/"' in page


def test_a_worker_who_was_taken_out_does_not_come_back_in(link: CrowdLink, mara: User) -> None:
    client = come(prolific(link))
    user = CrowdEntry.objects.get().user
    remove_member(membership=Membership.objects.get(user=user), by=mara)
    assert "You have left this study" in client.get(end(link)).text
    refused = client.post(prolific(link))
    assert refused.status_code == 403 and "You have left this study" in refused.text
    assert not Membership.objects.filter(user=user).exists()


# --- the manager's side ---------------------------------------------------------------------------


def test_the_list_and_the_csv_say_whom_to_pay(link: CrowdLink, project: Project, queue: Queue, mara: User) -> None:
    client = come(prolific(link))
    judge(client, queue), judge(client, queue)
    idle = come(prolific(link, "idle-worker-1"))
    idle.post(f"/compare/{queue.pk}/next/")
    held = Assignment.objects.get(state="open")
    idle.post(f"/compare/assignments/{held.pk}/skip/", {})
    manager = signed_in(mara)
    page = manager.get(f"/projects/{project.slug}/getting-in/crowd/{link.pk}/").text
    assert "2 workers" in page and "2 of 2" in page and "0 of 2" in page and "Finished" in page
    answer: Any = manager.get(f"/projects/{project.slug}/getting-in/crowd/{link.pk}/workers.csv")
    rows = {row["worker_id"]: row for row in csv.DictReader(io.StringIO(b"".join(answer.streaming_content).decode()))}
    done, other = rows[PID], rows["idle-worker-1"]
    assert (done["state"], done["code"], done["pairs_judged"], done["session_id"]) == (
        "finished", "C1DONE", "2", "session88",
    )  # fmt: skip
    assert (other["state"], other["code"], other["pairs_judged"], other["pairs_skipped"]) == ("working", "", "0", "1")


def test_the_workers_id_is_in_no_dataset_and_no_audit(link: CrowdLink, project: Project, queue: Queue) -> None:
    judge(come(prolific(link)), queue)
    api = Client(headers={"Authorization": f"Token {make.token(User.objects.get(name='Noor'))}"})
    until_settled()
    feed = api.get(f"/api/v1/projects/{project.slug}/annotations/").content.decode()
    assert '"rater"' in feed and PID not in feed and "crowd.invalid" not in feed
    assert not any(PID in str(entry.data) for entry in AuditEntry.objects.all())


@pytest.mark.parametrize(
    ("wrong", "said"),
    [
        ({"pairs_wanted": "0"}, "greater than or equal to 1"),
        ({"expires_at": "2020-01-01T00:00"}, "This time is past."),
        ({"screened_code": "SAME", "completion_code": "SAME"}, "Take another code"),
        ({"queue": "0"}, "Select a valid choice"),
    ],
)
def test_a_link_that_cannot_work_is_refused(
    project: Project, queue: Queue, mara: User, wrong: dict[str, str], said: str
) -> None:
    sent = {"name": "Pilot", "platform": "prolific", "queue": queue.pk, "pairs_wanted": "5"} | wrong
    answer = signed_in(mara).post(f"/projects/{project.slug}/getting-in/crowd/new/", sent)
    assert answer.status_code == 422 and said in answer.text and not CrowdLink.objects.exists()


def test_closing_twice_is_no_error(link: CrowdLink, mara: User) -> None:
    close_link(link=link, by=mara)
    close_link(link=link, by=mara)
    assert AuditEntry.objects.filter(act="crowd_link.closed").count() == 1
