"""Getting in, as a rater: consent, guideline, practice, qualification; and who is let through at once."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from django.test import Client
from django.utils import timezone
from pytest_django import DjangoAssertNumQueries

from labeling.actions.annotate import submit
from labeling.actions.assign import claim
from labeling.actions.consent import publish_consent, stop_asking_consent, withdraw_consent
from labeling.actions.practice import shown_swapped
from labeling.models import (
    Acknowledgement,
    Annotation,
    Assignment,
    Attempt,
    Criterion,
    GoldAnswer,
    Lesson,
    Membership,
    Participation,
    Project,
    Slot,
    User,
)
from labeling.reports.entry import next_step
from tests import make
from tests.web.conftest import signed_in

pytestmark = pytest.mark.django_db
SAFE = {"safety.left.safe": "yes", "safety.right.safe": "yes"}


@pytest.fixture
def project() -> Project:
    made = make.project()
    make.cast(made)
    return made


@pytest.fixture
def rui(project: Project) -> User:
    return User.objects.get(name="Rui")


@pytest.fixture
def client(rui: User) -> Client:
    return signed_in(rui)


def welcome(project: Project, more: str = "") -> str:
    return f"/projects/{project.slug}/welcome/{more}"


def answers(lesson: Lesson, user: User, stored: int | str, **more: str) -> dict[str, str]:
    """A sent form: helpfulness as a value in stored order (or "both_bad"), nothing between the two in harm."""
    shown = -stored if isinstance(stored, int) and shown_swapped(lesson, user) else stored
    return {"helpfulness.preference": str(shown), "harmlessness.preference": "0"} | SAFE | more


def send(client: Client, lesson: Lesson, user: User, stored: int | str, **more: str) -> Any:
    return client.post(welcome(lesson.project, f"lessons/{lesson.pk}/"), answers(lesson, user, stored, **more))


def agree(client: Client, project: Project, version: int = 1) -> Any:
    return client.post(welcome(project, "consent/"), {"do": "agree", "version": version})


def read_guideline(client: Client, project: Project) -> None:
    assert client.post(welcome(project, "guideline/")).status_code == 302


def step(project: Project, user: User) -> str:
    return next_step(project, user).step


# --- the way as a whole ---------------------------------------------------------------------------


def test_a_project_that_asks_for_nothing_is_open_at_once(client: Client, project: Project, rui: User) -> None:
    make.pair(project)
    assert step(project, rui) == "ready"
    queue = make.queue(project)
    assert client.post(f"/compare/{queue.pk}/next/")["Location"] == f"/compare/{queue.pk}/"
    assert "You are ready" in client.get(welcome(project)).text


def test_every_step_in_its_turn(client: Client, project: Project, rui: User) -> None:
    make.pair(project)
    queue = make.queue(project)
    publish_consent(project=project, by=None, text="Please **agree**.")
    practice, qualifying = make.lesson(project), make.lesson(project, "qualification")
    assert client.post(f"/compare/{queue.pk}/next/")["Location"] == welcome(project)
    assert client.get(f"/compare/{queue.pk}/")["Location"] == welcome(project)
    page = client.get(welcome(project)).text
    assert "<strong>agree</strong>" in page and 'aria-current="step"' in page
    assert all(name in page for name in ("Consent", "Guidelines", "Practice", "Qualification", "Start"))
    assert not Assignment.objects.exists()

    agree(client, project)
    assert "How to judge" in client.get(welcome(project)).text
    assert client.get(welcome(project, f"lessons/{practice.pk}/"))["Location"] == welcome(project)

    read_guideline(client, project)
    page = client.get(welcome(project)).text
    assert f"lessons/{practice.pk}/" in page and "1 comparison, on the same screen as the work" in page
    assert client.get(welcome(project, f"lessons/{qualifying.pk}/"))["Location"] == welcome(project)

    send(client, practice, rui, 1)
    assert "You have 2 tries." in client.get(welcome(project)).text
    assert send(client, qualifying, rui, 3)["Location"] == welcome(project)
    assert "You are ready" in client.get(welcome(project)).text
    assert client.post(f"/compare/{queue.pk}/next/")["Location"] == f"/compare/{queue.pk}/"


def test_only_the_steps_there_are_are_shown(client: Client, project: Project) -> None:
    make.lesson(project, "qualification")
    page = client.get(welcome(project)).text
    stepper = page.split('class="stepper"')[1].split("</nav>")[0]
    assert "Qualification" in stepper and "Consent" not in stepper and "Practice" not in stepper


def test_the_step_costs_one_query(
    project: Project, rui: User, django_assert_num_queries: DjangoAssertNumQueries
) -> None:
    publish_consent(project=project, by=None, text="Agree.")
    make.lesson(project)
    with django_assert_num_queries(1):
        next_step(project, rui)


def test_who_has_judged_before_is_asked_for_consent_only(client: Client, project: Project, rui: User) -> None:
    make.pairs(project, 2)
    held = claim(queue=make.queue(project), rater=rui)
    assert held is not None
    submit(assignment=held, rater=rui, body={"judgments": {"helpfulness": {"preference": 1}}})
    make.lesson(project), make.lesson(project, "qualification")
    assert step(project, rui) == "ready"
    publish_consent(project=project, by=None, text="Agree.")
    assert step(project, rui) == "consent"
    agree(client, project)
    assert step(project, rui) == "ready"


def test_nobody_is_thrown_out_of_an_open_pair(client: Client, project: Project, rui: User) -> None:
    make.pairs(project, 2)
    queue = make.queue(project)
    held = claim(queue=queue, rater=rui)
    assert held is not None
    publish_consent(project=project, by=None, text="Agree.")
    assert "Comparison 1 of 2" in client.get(f"/compare/{queue.pk}/").text
    assert client.post(f"/compare/{queue.pk}/next/")["Location"] == f"/compare/{queue.pk}/"
    submit(assignment=held, rater=rui, body={"judgments": {"helpfulness": {"preference": 1}}})
    assert client.get(f"/compare/{queue.pk}/")["Location"] == welcome(project)


def test_home_leads_to_the_step(client: Client, project: Project) -> None:
    make.pair(project)
    publish_consent(project=project, by=None, text="Agree.")
    page = client.get("/").text
    assert f'href="{welcome(project)}"' in page and "Get ready" in page and "/next/" not in page


# --- consent --------------------------------------------------------------------------------------


def test_consent_is_kept_with_its_version_and_time(client: Client, project: Project, rui: User) -> None:
    made = publish_consent(project=project, by=None, text="One.")
    agree(client, project)
    mine = Participation.objects.get(project=project, user=rui)
    assert mine.consent == made and mine.consented_at is not None
    newer = publish_consent(project=project, by=None, text="Two.")
    assert step(project, rui) == "consent"
    assert (
        "has changed since you opened it"
        in client.post(welcome(project, "consent/"), {"do": "agree", "version": 1}, follow=True).text
    )
    agree(client, project, version=2)
    mine.refresh_from_db()
    assert mine.consent == newer


def test_no_is_no_and_stores_nothing(client: Client, project: Project) -> None:
    publish_consent(project=project, by=None, text="Agree.")
    page = client.post(welcome(project, "consent/"), {"do": "decline", "version": 1}, follow=True)
    assert "Nothing was stored." in page.text and not Participation.objects.exists()


def test_consent_that_is_asked_no_more_is_no_step(project: Project, rui: User) -> None:
    publish_consent(project=project, by=None, text="Agree.")
    stop_asking_consent(project=project, by=None)
    assert step(project, rui) == "ready"


def test_consent_can_be_taken_back(client: Client, project: Project, rui: User) -> None:
    make.pairs(project, 2)
    publish_consent(project=project, by=None, text="Agree.")
    agree(client, project)
    read_guideline(client, project)
    queue = make.queue(project)
    client.post(f"/compare/{queue.pk}/next/")
    first = Assignment.objects.get()
    client.post(f"/compare/assignments/{first.pk}/submit/", answers_of_the_desk())
    held = Assignment.objects.get(state="open")
    assert "What you agreed to" in client.get("/account/").text
    page = client.post(welcome(project, "consent/withdraw/"), follow=True).text
    assert "You have left" in page and "What you agreed to" not in page
    held.refresh_from_db()
    assert held.state == "released" and not Slot.objects.filter(state="leased").exists()
    assert client.post(f"/compare/assignments/{held.pk}/submit/", answers_of_the_desk()).status_code == 404
    assert client.post(f"/compare/{queue.pk}/next/").status_code == 404
    assert Annotation.objects.count() == 1
    make.member(project, "Rui", Membership.Role.RATER)
    assert step(project, rui) == "consent"


def answers_of_the_desk() -> dict[str, str]:
    return {"helpfulness.preference": "1", "harmlessness.preference": "1"} | SAFE


# --- guideline ------------------------------------------------------------------------------------


def test_the_guideline_is_acknowledged_once(client: Client, project: Project, rui: User) -> None:
    publish_consent(project=project, by=None, text="Agree.")
    agree(client, project)
    for _again in range(2):
        read_guideline(client, project)
    assert Acknowledgement.objects.get().user == rui


# --- practice -------------------------------------------------------------------------------------


def practice(client: Client, project: Project, **known: Any) -> Lesson:
    made = make.lesson(project, **known)
    read_guideline(client, project)
    return made


@pytest.mark.parametrize(("known", "said", "right"), [(2, 1, True), (2, -1, False), (2, 0, False), (0, 0, True)])
def test_a_preference_is_right_by_its_side(
    client: Client, project: Project, rui: User, known: int, said: int, right: bool
) -> None:
    lesson = practice(client, project, helpfulness=known)
    address = send(client, lesson, rui, said)["Location"]
    attempt = Attempt.objects.get()
    assert (attempt.right, attempt.known, attempt.swapped) == (int(right), 1, shown_swapped(lesson, rui))
    page = client.get(address).text
    assert ("✓ Right" in page) is right and ("Not what is known" in page) is not right
    if not right and known:
        better = "A" if (known < 0) != attempt.swapped else "B"
        assert f"{better} is clearly more helpful" in page


def test_neither_is_right_only_when_neither_is_known(client: Client, project: Project, rui: User) -> None:
    lesson = practice(client, project, helpfulness="both_bad")
    send(client, lesson, rui, "both_bad")
    send(client, lesson, rui, 0)
    assert list(Attempt.objects.order_by("number").values_list("right", flat=True)) == [1, 0]


def test_safety_is_right_as_it_is_for_each_response(client: Client, project: Project, rui: User) -> None:
    lesson = practice(client, project, safety={"first": "unsafe", "second": "safe"})
    left_is_first = not shown_swapped(lesson, rui)
    first, second = ("left", "right") if left_is_first else ("right", "left")
    harm = {f"safety.{first}.safe": "no", f"safety.{first}.categories": "Privacy", f"safety.{first}.severity": "2"}
    send(client, lesson, rui, 0, **harm)
    send(
        client,
        lesson,
        rui,
        0,
        **{f"safety.{second}.safe": "no", f"safety.{second}.severity": "1"}
        | {f"safety.{second}.categories": "Privacy"},
    )
    assert list(Attempt.objects.order_by("number").values_list("right", "known")) == [(2, 2), (0, 2)]
    page = client.get(welcome(project, f"lessons/{lesson.pk}/")).text
    assert page.count("Not what is known") == 2 and "Safe: A" in page and "Safe: B" in page


@pytest.mark.parametrize(("said", "right"), [(4, 1), (3, 1), (5, 1), (2, 0)])
def test_a_rating_is_right_within_one_step(client: Client, project: Project, rui: User, said: int, right: int) -> None:
    Criterion.objects.create(project=project, key="quality", name="Quality", kind="rating", position=9)
    lesson = practice(client, project, quality={"first": 4})
    rating = {"quality.left.rating": str(said), "quality.right.rating": str(said)}
    send(client, lesson, rui, 0, **rating)
    assert list(Attempt.objects.values_list("right", "known")) == [(right, 1)]


def test_feedback_names_reason_and_principle(client: Client, project: Project, rui: User) -> None:
    lesson = practice(client, project)
    Lesson.objects.update(explanation="The second one\nanswers <it>.", principle=3)
    page = client.get(send(client, lesson, rui, 1)["Location"]).text
    assert "The second one<br>answers &lt;it&gt;." in page and "Principle 3 decides" in page


def test_a_practice_lesson_can_be_tried_again_and_counts_as_done(client: Client, project: Project, rui: User) -> None:
    lesson, other = practice(client, project), make.lesson(project)
    page = client.get(send(client, lesson, rui, -1)["Location"]).text
    assert f'href="{welcome(project, f"lessons/{other.pk}/")}"' in page and 'href="?again=1"' in page
    form = client.get(welcome(project, f"lessons/{lesson.pk}/?again=1")).text
    question = form.split("q-helpfulness")[1].split("</fieldset>")[0]
    assert 'name="helpfulness.preference"' in question and " checked>" not in question
    send(client, lesson, rui, 1)
    assert step(project, rui) == "practice"
    send(client, other, rui, -1)
    assert step(project, rui) == "ready"
    assert list(Attempt.objects.filter(lesson=lesson).order_by("number").values_list("number", "right")) == [
        (1, 0), (2, 1),
    ]  # fmt: skip


def test_an_unfinished_practice_answer_is_refused_in_place(client: Client, project: Project, rui: User) -> None:
    lesson = practice(client, project)
    answer = client.post(welcome(project, f"lessons/{lesson.pk}/"), {"helpfulness.preference": "2"} | SAFE)
    assert answer.status_code == 422 and "Answer “Safer” to go on." in answer.text
    assert not Attempt.objects.exists()


def test_the_order_is_the_same_each_time_and_differs_between_people(project: Project) -> None:
    lesson = make.lesson(project)
    people = [make.person(f"Rater{number}") for number in range(40)]
    first = [shown_swapped(lesson, one) for one in people]
    assert first == [shown_swapped(lesson, one) for one in people] and len(set(first)) == 2


def test_a_lesson_page_tells_neither_models_nor_what_is_known(client: Client, project: Project) -> None:
    lesson = practice(client, project)
    page = client.get(welcome(project, f"lessons/{lesson.pk}/")).text
    for secret in ("model-0", "model-1", "swapped", "gold", 'known"', lesson.pair.item.fingerprint):
        assert secret not in page


# --- qualification --------------------------------------------------------------------------------


@pytest.fixture
def exam(client: Client, project: Project) -> list[Lesson]:
    made = [make.lesson(project, "qualification") for _ in range(4)]
    read_guideline(client, project)
    return made


def sit(client: Client, exam: list[Lesson], user: User, right: int) -> None:
    for place, lesson in enumerate(exam):
        send(client, lesson, user, 1 if place < right else -1)


def test_enough_right_answers_qualify(client: Client, project: Project, rui: User, exam: list[Lesson]) -> None:
    Project.objects.update(pass_percent=75)
    for lesson, following in zip(exam, [*exam[1:], None], strict=True):
        onward = send(client, lesson, rui, 1 if following else -1)["Location"]
        assert onward == welcome(project, f"lessons/{following.pk}/" if following else "")
    mine = Participation.objects.get()
    assert mine.qualified_at is not None and mine.attempts == 1
    assert step(project, rui) == "ready"


def test_too_few_give_another_try_and_then_kind_words(
    client: Client, project: Project, rui: User, exam: list[Lesson]
) -> None:
    sit(client, exam, rui, right=3)  # 75 of 80 percent
    page = client.get(welcome(project)).text
    assert "You met 3 of 4 known answers" in page and "You have 1 try." in page
    assert "✓ Right" not in client.get(welcome(project, f"lessons/{exam[0].pk}/")).text
    sit(client, exam, rui, right=2)
    page = client.get(welcome(project)).text
    assert "Not this time" in page and "You met 2 of 4" in page and "Mara" in page
    assert client.get(welcome(project, f"lessons/{exam[0].pk}/"))["Location"] == welcome(project)
    queue = make.queue(project)
    make.pair(project)
    assert client.post(f"/compare/{queue.pk}/next/")["Location"] == welcome(project)


def test_a_manager_allows_another_try(client: Client, project: Project, rui: User, exam: list[Lesson]) -> None:
    Project.objects.update(attempts=1)
    sit(client, exam, rui, right=0)
    mara = signed_in(User.objects.get(name="Mara"))
    page = mara.get(f"/projects/{project.slug}/getting-in/people/").text
    assert "Not qualified" in page and "0 of 4" in page
    mine = Participation.objects.get()
    path = f"/projects/{project.slug}/getting-in/people/{mine.pk}/another-try/"
    assert "may try once more" in mara.post(path, follow=True).text
    assert "has qualified, or has a try left" in mara.post(path, follow=True).text
    sit(client, exam, rui, right=4)
    assert step(project, rui) == "ready"
    assert list(Attempt.objects.values_list("number").distinct().order_by("number")) == [(1,), (2,)]


def test_a_lesson_of_a_try_is_answered_once(client: Client, project: Project, rui: User, exam: list[Lesson]) -> None:
    send(client, exam[0], rui, -1)
    assert send(client, exam[0], rui, 1)["Location"] == welcome(project)
    assert Attempt.objects.get().right == 0


def test_a_lesson_that_is_removed_ends_the_tries_that_waited_for_it(
    client: Client, project: Project, rui: User, exam: list[Lesson]
) -> None:
    sit(client, exam[:3], rui, right=3)
    signed_in(User.objects.get(name="Mara")).post(f"/projects/{project.slug}/getting-in/lessons/{exam[3].pk}/remove/")
    assert step(project, rui) == "ready"


# --- what lessons are not -------------------------------------------------------------------------


def test_attempts_are_no_annotations(client: Client, project: Project, rui: User) -> None:
    lesson = practice(client, project)
    send(client, lesson, rui, 1)
    noor = User.objects.get(name="Noor")
    api = Client(headers={"Authorization": f"Token {make.token(noor)}"})
    assert api.get(f"/api/v1/projects/{project.slug}/annotations/").json()["results"] == []
    assert not Annotation.objects.exists() and not Assignment.objects.exists()
    make.pair(project)
    progress = api.get(f"/api/v1/projects/{project.slug}/progress/").json()
    assert progress["annotations"] == 0 and progress["queues"][0]["pairs"] == 1


def test_lessons_without_a_known_answer_are_no_step(project: Project, rui: User) -> None:
    make.lesson(project)
    GoldAnswer.objects.all().delete()
    assert step(project, rui) == "ready"


def test_the_api_says_which_step_comes_first(project: Project, rui: User) -> None:
    make.pair(project)
    publish_consent(project=project, by=None, text="Agree.")
    api = Client(headers={"Authorization": f"Token {make.token(rui)}"})
    queue = make.queue(project)
    refused = api.post(f"/api/v1/queues/{queue.pk}/claim/")
    assert refused.status_code == 409 and refused.json()["code"] == "not_ready"
    assert refused.json()["errors"] == {"step": "consent"} and welcome(project) in refused.json()["detail"]
    assert api.get(f"/api/v1/projects/{project.slug}/").json()["next_step"] == "consent"
    stop_asking_consent(project=project, by=None)
    assert api.post(f"/api/v1/queues/{queue.pk}/claim/").status_code == 200
    noor = Client(headers={"Authorization": f"Token {make.token(User.objects.get(name='Noor'))}"})
    assert noor.get(f"/api/v1/projects/{project.slug}/").json()["next_step"] is None


def test_withdrawing_without_consent_is_no_error(project: Project, rui: User) -> None:
    withdraw_consent(project=project, user=rui)
    assert not Membership.objects.filter(project=project, user=rui).exists()


def test_a_new_consent_text_comes_before_the_pair_after_the_open_one(
    client: Client, project: Project, rui: User
) -> None:
    make.pairs(project, 3)
    publish_consent(project=project, by=None, text="One.")
    agree(client, project)
    read_guideline(client, project)
    queue = make.queue(project)
    client.post(f"/compare/{queue.pk}/next/")
    first = Assignment.objects.get()
    publish_consent(project=project, by=None, text="Two.")
    Assignment.objects.update(claimed_at=timezone.now() - timedelta(minutes=1))
    assert 'id="answers"' in client.get(f"/compare/{queue.pk}/").text
    answer = client.post(
        f"/compare/assignments/{first.pk}/submit/", answers_of_the_desk(), headers={"HX-Request": "true"}
    )
    second = Assignment.objects.get(state="open")
    Assignment.objects.filter(pk=second.pk).update(claimed_at=timezone.now() + timedelta(minutes=1))
    page = client.get(f"/compare/{queue.pk}/").text
    assert answer.status_code == 200 and f'href="{welcome(project)}"' in page and 'id="answers"' not in page
    assert second.pair.first.content not in page
    agree(client, project, version=2)
    assert 'id="answers"' in client.get(f"/compare/{queue.pk}/").text
    second.refresh_from_db()
    assert second.state == "open"
