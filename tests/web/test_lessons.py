"""Getting in, as a manager arranges it: consent text, lessons, what qualifies, who is where."""

from __future__ import annotations

import csv
import io
from typing import Any

import pytest
from django.test import Client

from labeling.actions.assign import claim, release
from labeling.actions.gold import learn_gold
from labeling.actions.queues import change_queue, create_queue
from labeling.actions.topics import add_topic
from labeling.models import ConsentText, Criterion, GoldAnswer, Item, Lesson, Pair, Participation, Project, Slot, User
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
def mara(project: Project) -> Client:
    return signed_in(User.objects.get(name="Mara"))


def path(project: Project, more: str = "") -> str:
    return f"/projects/{project.slug}/getting-in/{more}"


def add(mara: Client, pair: Pair, stage: str = "practice") -> Any:
    return mara.post(path(pair.project, "lessons/new/"), {"pair": pair.pk, "stage": stage}, follow=True)


def gold(pair: Pair) -> list[tuple[Any, ...]]:
    rows = GoldAnswer.objects.filter(pair=pair).order_by("criterion__position", "response_id")
    return list(rows.values_list("criterion__key", "preference", "both_bad", "rating", "safe"))


# --- the consent text -----------------------------------------------------------------------------


def test_publishing_and_ending_a_consent_text(mara: Client, project: Project) -> None:
    page = mara.post(path(project, "consent/"), {"do": "preview", "text": "*Please*"}).text
    assert "<em>Please</em>" in page and not ConsentText.objects.exists()
    mara.post(path(project, "consent/"), {"do": "publish", "text": "*Please*\r\nagree"})
    first = ConsentText.objects.get()
    assert (first.version, first.text, first.author) == (1, "*Please*\nagree", User.objects.get(name="Mara"))
    refused = mara.post(path(project, "consent/"), {"do": "publish", "text": "*Please*\nagree"})
    assert refused.status_code == 422 and "Nothing has changed" in refused.text
    mara.post(path(project, "consent/"), {"do": "publish", "text": "Better"})
    page = mara.get(path(project)).text
    assert "Version 2" in page
    mara.post(path(project, "consent/"), {"do": "stop"})
    assert "No consent is asked for." in mara.get(path(project)).text
    assert "Nothing has changed" in mara.post(path(project, "consent/"), {"do": "stop"}, follow=True).text
    assert list(ConsentText.objects.order_by("version").values_list("version", "text")) == [
        (1, "*Please*\nagree"), (2, "Better"), (3, ""),
    ]  # fmt: skip
    page = mara.get(path(project, "consent/")).text
    assert "No consent was asked for from here on." in page and "<em>Please</em>" in page


def test_a_consent_text_needs_text(mara: Client, project: Project) -> None:
    for text in ("", "   \n"):
        answer = mara.post(path(project, "consent/"), {"do": "publish", "text": text})
        assert answer.status_code == 422
    assert not ConsentText.objects.exists()


def test_the_preview_stores_nothing(mara: Client, project: Project) -> None:
    page = mara.post(path(project, "consent/preview/"), {"text": "# Title\n\n<script>x</script>"}).text
    assert "Title" in page and "<script>x" not in page and "<html" not in page and not ConsentText.objects.exists()


# --- lessons --------------------------------------------------------------------------------------


def test_pairs_are_found_by_number_id_words_and_known_answers(mara: Client, project: Project) -> None:
    made = make.pair(project, "Boil it.", external_id="kettle-7", gold={"helpfulness": 1})
    other = make.pair(project, "Stir it.")

    def found(query: str) -> set[int]:
        page = mara.get(path(project, f"lessons/new/?{query}")).text
        return {one.pk for one in (made, other) if f'name="pair" value="{one.pk}"' in page}

    assert found("") == {made.pk, other.pk}
    assert found("known=1") == {made.pk}
    assert found("q=kettle") == found("q=boil") == {made.pk}
    assert found("q=stir") == {other.pk}
    assert made.pk in found(f"q={made.pk}")
    assert found("q=%00nothing") == set()


def test_a_lesson_knows_what_the_import_knew_and_leaves_the_queues(mara: Client, project: Project) -> None:
    pair, work = make.pair(project, gold={"helpfulness": -2, "nonsense": 1, "harmlessness": 9}), make.pair(project)
    second = create_queue(project=project, by=None, name="Second")
    page = add(mara, pair)
    assert "It is a lesson now" in page.text and gold(pair) == [("helpfulness", -2, False, None, None)]
    assert set(Slot.objects.values_list("pair", flat=True)) == {work.pk}
    for queue in (make.queue(project), second):
        queue.refresh_from_db()
        assert queue.pair_count == 1
    later = create_queue(project=project, by=None, name="Later")
    change_queue(queue=later, by=None, overlap=5)
    assert set(Slot.objects.values_list("pair", flat=True)) == {work.pk}


def test_a_removed_lesson_is_work_again(mara: Client, project: Project) -> None:
    pair, queue = make.pair(project, gold={"helpfulness": 1}), make.queue(project)
    add(mara, pair), add(mara, pair, "qualification")
    practice, qualification = Lesson.objects.order_by("stage")
    mara.post(path(project, f"lessons/{practice.pk}/remove/"))
    assert not Slot.objects.exists()
    mara.post(path(project, f"lessons/{qualification.pk}/remove/"))
    queue.refresh_from_db()
    assert Slot.objects.filter(pair=pair, state="open").count() == 3 and queue.pair_count == 1


def test_what_was_judged_of_a_lessons_pair_stays(mara: Client, project: Project) -> None:
    pair, queue, rui = make.pair(project), make.queue(project), User.objects.get(name="Rui")
    held = claim(queue=queue, rater=rui)
    assert held is not None
    Slot.objects.filter(assignment=held).update(state="done")
    add(mara, pair)
    change_queue(queue=queue, by=None, overlap=4)
    assert Slot.objects.get().state == "done"
    queue.refresh_from_db()
    assert queue.pair_count == 1
    mara.post(path(project, f"lessons/{Lesson.objects.get().pk}/remove/"))
    assert sorted(Slot.objects.values_list("state", flat=True)) == ["done", "open", "open", "open"]


def test_a_pair_that_a_rater_holds_is_no_lesson_yet(mara: Client, project: Project) -> None:
    pair, rui = make.pair(project), User.objects.get(name="Rui")
    held = claim(queue=make.queue(project), rater=rui)
    assert held is not None
    assert "A rater has this pair open just now." in add(mara, pair).text
    assert not Lesson.objects.exists() and Slot.objects.count() == 3
    release(assignment=held, rater=rui)
    assert "It is a lesson now" in add(mara, pair).text and not Slot.objects.exists()


def test_a_sensitive_pair_is_no_lesson(mara: Client, project: Project) -> None:
    rui = User.objects.get(name="Rui")
    Project.objects.filter(pk=project.pk).update(support="Write to Ada.")
    lesson = make.lesson(project)
    Item.objects.filter(pk=lesson.pair.item_id).update(tags=["hate"])
    add_topic(project=project, by=None, key="hate", name="Hate")
    assert "Of a sensitive topic: not shown" in mara.get(path(project)).text
    assert next_step(project, rui).step == "ready"
    Item.objects.filter(pk=lesson.pair.item_id).update(tags=[])
    assert next_step(project, rui).step == "guideline"
    assert "raters see by their choice only" in add(mara, make.pair(project, tags=["hate"])).text
    assert Lesson.objects.count() == 1


def test_the_same_pair_is_one_lesson_of_a_stage(mara: Client, project: Project) -> None:
    pair = make.pair(project)
    add(mara, pair)
    assert "is a lesson of this stage already" in add(mara, pair).text
    assert "Choose practice or qualification." in add(mara, pair, "exam").text
    assert Lesson.objects.count() == 1


def test_a_pair_of_another_project_is_none_here(mara: Client, project: Project) -> None:
    elsewhere = make.pair(make.project("other", "Other"))
    for number in (elsewhere.pk, "x", ""):
        answer = mara.post(path(project, "lessons/new/"), {"pair": number, "stage": "practice"})
        assert answer.status_code == 404


def test_known_answers_are_told_in_the_form_of_the_desk(mara: Client, project: Project) -> None:
    Criterion.objects.create(project=project, key="quality", name="Quality", kind="rating", position=8)
    pair = make.pair(project, gold={"helpfulness": 1})
    add(mara, pair)
    lesson = Lesson.objects.get()
    page = mara.get(path(project, f"lessons/{lesson.pk}/")).text
    assert 'name="helpfulness.preference" value="1" ' in page and page.count('name="known"') == 5
    told = {
        "known": ["helpfulness", "safety", "quality"],
        "helpfulness.preference": "-3",
        "harmlessness.preference": "1",
    }
    told |= {
        "safety.left.safe": "no",
        "safety.right.safe": "yes",
        "quality.left.rating": "2",
        "quality.right.rating": "5",
    }
    told |= {"explanation": "Because.", "principle": "", "position": "4"}
    assert mara.post(path(project, f"lessons/{lesson.pk}/"), told).status_code == 302
    lesson.refresh_from_db()
    assert (lesson.explanation, lesson.principle, lesson.position) == ("Because.", None, 4)
    assert gold(pair) == [
        ("helpfulness", -3, False, None, None),
        ("safety", None, False, None, False),
        ("safety", None, False, None, True),
        ("quality", None, False, 2, None),
        ("quality", None, False, 5, None),
    ]
    page = mara.get(path(project, f"lessons/{lesson.pk}/")).text
    assert 'name="known" value="harmlessness" >' in page and 'name="known" value="safety" checked>' in page


def test_what_does_not_fit_is_refused_in_place(mara: Client, project: Project) -> None:
    add(mara, make.pair(project))
    lesson = Lesson.objects.get()
    told = {"known": ["helpfulness"], "helpfulness.preference": "7", "position": "1", "explanation": "Kept"} | SAFE
    answer = mara.post(path(project, f"lessons/{lesson.pk}/"), told)
    assert answer.status_code == 422 and "Must be a whole number from -3 to 3." in answer.text and "Kept" in answer.text
    assert not GoldAnswer.objects.exists()


def test_known_answers_of_an_import_are_learnt_once(project: Project) -> None:
    pair, plain = make.pair(project, gold={"helpfulness": 2, "safety": {"left": "unsafe"}}), make.pair(project)
    single = make.pair(project, second=None, gold={"safety": "unsafe", "helpfulness": 1})
    assert learn_gold(project=project) == 2
    assert learn_gold(project=project) == 0
    assert gold(pair) == [("helpfulness", 2, False, None, None), ("safety", None, False, None, False)]
    assert gold(single) == [("safety", None, False, None, False)] and gold(plain) == []


def test_the_overview_says_which_lessons_are_hard(mara: Client, project: Project) -> None:
    lesson = make.lesson(project, helpfulness=1, harmlessness=1)
    for name in ("Rui", "Rosa"):
        user = User.objects.get(name=name)
        lesson.attempts.create(user=user, number=1, body={}, right=int(name == "Rui"), known=2)
        lesson.attempts.create(user=user, number=2, body={}, right=2, known=2)
    page = mara.get(path(project)).text
    assert "25 %" in page and "None: this step is left out." in page


def test_what_qualifies_is_the_managers(mara: Client, project: Project) -> None:
    assert mara.post(path(project), {"pass_percent": "65", "attempts": "3"}).status_code == 302
    project.refresh_from_db()
    assert (project.pass_percent, project.attempts) == (65, 3)
    assert mara.post(path(project), {"pass_percent": "101", "attempts": "0"}).status_code == 422


def test_who_is_where_as_a_table_and_as_csv(mara: Client, project: Project) -> None:
    lesson = make.lesson(project)
    rui, rosa = User.objects.get(name="Rui"), User.objects.get(name="Rosa")
    User.objects.filter(pk=rosa.pk).update(name="=Rosa()")
    lesson.attempts.create(user=rui, number=1, body={}, right=1, known=1)
    Participation.objects.create(project=project, user=rui)
    page = mara.get(path(project, "people/")).text
    assert "1 of 1" in page and "Guidelines" in page
    answer: Any = mara.get(path(project, "people.csv"))
    text = b"".join(answer.streaming_content).decode()
    rows = list(csv.DictReader(io.StringIO(text)))
    assert {row["name"] for row in rows} == {"Rui", "'=Rosa()"}
    mine = next(row for row in rows if row["name"] == "Rui")
    assert (mine["step"], mine["practice_right"], mine[f"practice_1_pair_{lesson.pair_id}"]) == (
        "guideline",
        "1",
        "1 of 1",
    )


def test_the_table_takes_the_same_queries_for_any_number(
    mara: Client, project: Project, django_assert_max_num_queries: Any
) -> None:
    for number in range(12):
        make.member(project, f"Rater{number}", "rater")
    with django_assert_max_num_queries(12):
        mara.get(path(project, "people/"))
