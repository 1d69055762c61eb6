"""The page on which a manager sees and changes what raters are asked, and what the rater meets of it."""

from __future__ import annotations

import re
from typing import Any

import pytest
from django.test import Client

from labeling.actions.annotate import submit
from labeling.actions.assign import claim
from labeling.models import Annotation, Assignment, AuditEntry, Criterion, Judgment, Project
from labeling.taxonomies import TAXONOMIES
from tests import make

pytestmark = pytest.mark.django_db

PAGE = "/projects/advice/criteria/"
HTMX = {"HX-Request": "true"}
CALM = {
    "helpfulness": {"preference": 1}, "harmlessness": {"preference": 0},
    "safety": {"left": {"safe": False, "categories": ["Privacy"], "severity": 1}, "right": {"safe": True}},
}  # fmt: skip
FORMS: dict[str, dict[str, Any]] = {
    "helpfulness": {
        "name": "More helpful", "question": "Which one?", "better_word": "more helpful", "strengths": "3",
        "allow_tie": "on", "allow_both_bad": "on", "grades": "", "asked": "always", "guideline_section": "",
    },
    "safety": {
        "name": "Safe", "question": "", "severities": "3", "taxonomy": "short", "categories": "", "asked": "always",
        "guideline_section": "",
    },
}  # fmt: skip


def judge(study: dict[str, Any], body: dict[str, Any] = CALM) -> None:
    held = claim(queue=study["queue"], rater=study["people"]["Rui"])
    assert held is not None
    submit(assignment=held, rater=study["people"]["Rui"], body={"judgments": body})


def instrument() -> int:
    return Project.objects.get().instrument


def text(answer: Any) -> str:
    return " ".join(answer.content.decode().split())


# --- the page ---------------------------------------------------------------------------------------


def test_it_shows_the_questions_as_raters_see_them(study: dict[str, Any], mara: Client) -> None:
    page = text(mara.get(PAGE))
    assert "version 1 of this instrument" in page and "It began as “Helpful and harmless”" in page
    assert "7 steps, the same allowed, or neither" in page and "safe or unsafe, 9 categories, 3 severities" in page
    preview = page.partition("As raters see it")[2]
    for asked in ('aria-label="A is clearly safer"', "Neither is acceptable", "Refuses too much", "In your own words"):
        assert asked in preview
    assert "What is unsafe in A?" in preview


@pytest.mark.parametrize("name", ["Rui", "Ada", "Noor", "Otto"])
def test_to_others_there_is_no_such_page(study: dict[str, Any], name: str) -> None:
    other = study["as_"][name]
    assert other.get(PAGE).status_code == 404
    for address in ("safety/", "safety/move/", "safety/ask/", "add/text/"):
        assert other.post(PAGE + address, FORMS["safety"]).status_code == 404
    for address in ("hints", "own-words"):
        assert other.post(f"/projects/advice/{address}/", {"gap": "2", "at": "4"}).status_code == 404
    assert instrument() == 1 and Criterion.objects.count() == 5


def test_what_is_not_there_is_not_found(study: dict[str, Any], mara: Client) -> None:
    make.project(slug="other", name="Other").criteria.create(key="elsewhere", name="Elsewhere", kind="text")
    assert mara.get(f"{PAGE}add/poetry/").status_code == 404
    assert mara.get(f"{PAGE}elsewhere/").status_code == 404


# --- adding -----------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("kind", "typed", "asks"),
    [
        ("preference", {"strengths": "2", "grades": "a little better\nbetter"}, 'aria-label="A is a little better"'),
        ("rating", {"minimum": "0", "maximum": "4", "grades": ""}, 'value="0" id="fresh-left-rating-first"'),
        ("safety", {"severities": "2", "taxonomy": "siuo"}, "Other category…"),
        ("reasons", {"categories": "Shorter\nKinder"}, 'value="Kinder"'),
        ("text", {"min_words": "10", "max_words": "50"}, "10 to 50 words"),
    ],
)
def test_a_question_of_each_kind_is_added(
    study: dict[str, Any], mara: Client, kind: str, typed: dict[str, str], asks: str
) -> None:
    assert mara.get(f"{PAGE}add/{kind}/").status_code == 200
    answer = mara.post(f"{PAGE}add/{kind}/", {"key": "fresh", "name": "Fresh", "asked": "always"} | typed)
    assert answer.status_code == 302, text(answer)
    made = Criterion.objects.get(key="fresh")
    assert (made.kind, made.position, instrument()) == (kind, 5, 2)
    entry = AuditEntry.objects.get(act="criterion.added")
    assert (entry.actor_id, entry.data["key"]) == (study["people"]["Mara"].pk, "fresh")
    assert asks in mara.get(PAGE).text
    rui = study["as_"]["Rui"]
    rui.post(f"/compare/{study['queue'].pk}/next/")
    assert asks in rui.get(f"/compare/{study['queue'].pk}/").text


@pytest.mark.parametrize(
    ("kind", "typed", "says"),
    [
        ("text", {"key": "safety"}, "already a question with this key"),
        ("text", {"key": "Not a key"}, "small letters"),
        ("text", {"min_words": "9", "max_words": "3"}, "at least as many"),
        ("text", {"asked": "on_conflict"}, "Select a valid choice"),
        ("rating", {"minimum": "5", "maximum": "5"}, "lies above the lowest"),
        ("rating", {"minimum": "1", "maximum": "3", "grades": "bad\ngood"}, "3, not 2"),
        ("preference", {"strengths": "5"}, "less than or equal to 4"),
        ("preference", {"strengths": "2", "grades": "one"}, "2, not 1"),
        ("reasons", {"categories": "Only one"}, "at least two"),
        ("safety", {"severities": "3", "categories": "A › B › C"}, "below one domain"),
        ("safety", {"severities": "9", "taxonomy": "made-up"}, "Select a valid choice"),
        ("reasons", {"categories": "x" * 121 + "\ny"}, "121"),
    ],
)
def test_a_question_that_cannot_be_asked(
    study: dict[str, Any], mara: Client, kind: str, typed: dict[str, str], says: str
) -> None:
    usual = {"key": "fresh", "name": "Fresh", "asked": "always", "min_words": "0", "max_words": "0"}
    answer = mara.post(f"{PAGE}add/{kind}/", usual | typed)
    assert answer.status_code == 422 and says in text(answer)
    assert instrument() == 1 and Criterion.objects.count() == 5


# --- changing ---------------------------------------------------------------------------------------


def test_without_answers_everything_may_change(study: dict[str, Any], mara: Client) -> None:
    typed = FORMS["helpfulness"] | {"strengths": "4", "allow_both_bad": "", "name": "Better"}
    typed.pop("allow_tie")
    assert mara.post(f"{PAGE}helpfulness/", typed).status_code == 302
    made = Criterion.objects.get(key="helpfulness")
    assert (made.strengths, made.allow_tie, made.allow_both_bad, made.name) == (4, False, False, "Better")
    entry = AuditEntry.objects.get(act="criterion.changed")
    assert entry.data["before"]["strengths"] == 3 and entry.data["after"]["strengths"] == 4
    assert entry.data["instrument"] == instrument() == 2


def test_a_taxonomy_brings_its_categories(study: dict[str, Any], mara: Client) -> None:
    assert mara.post(f"{PAGE}safety/", FORMS["safety"] | {"taxonomy": "beavertails"}).status_code == 302
    made = Criterion.objects.get(key="safety")
    assert made.categories == TAXONOMIES["beavertails"].categories and made.taxonomy == "beavertails"
    own = FORMS["safety"] | {"taxonomy": "", "categories": "Ours\nOurs › Worse"}
    assert mara.post(f"{PAGE}safety/", own).status_code == 302
    made.refresh_from_db()
    assert (made.categories, made.taxonomy) == (["Ours", "Ours › Worse"], "")


@pytest.mark.parametrize(
    ("key", "typed"),
    [
        ("helpfulness", {"strengths": "2"}),
        ("helpfulness", {"allow_tie": ""}),
        ("helpfulness", {"allow_both_bad": ""}),
        ("safety", {"severities": "4"}),
        ("safety", {"taxonomy": "beavertails"}),
        ("safety", {"taxonomy": "", "categories": "Illegal activity"}),
    ],
)
def test_what_answers_would_no_longer_mean_is_refused_with_the_way_out(
    study: dict[str, Any], mara: Client, key: str, typed: dict[str, str]
) -> None:
    judge(study)
    before = Criterion.objects.filter(key=key).values().get()
    sent = {name: value for name, value in (FORMS[key] | typed).items() if value != "" or not name.startswith("allow")}
    answer = mara.post(f"{PAGE}{key}/", sent)
    assert answer.status_code == 422
    assert "Stop asking this question and add a new one beside it." in text(answer)
    assert Criterion.objects.filter(key=key).values().get() == before and instrument() == 1


def test_words_may_change_and_categories_that_nobody_used_may_go(study: dict[str, Any], mara: Client) -> None:
    judge(study)
    typed = FORMS["helpfulness"] | {"question": "Which one would you send?", "grades": "just\nplainly\nby far"}
    assert mara.post(f"{PAGE}helpfulness/", typed).status_code == 302
    fewer = FORMS["safety"] | {"taxonomy": "", "categories": "Privacy\nOther"}
    assert mara.post(f"{PAGE}safety/", fewer).status_code == 302
    assert Criterion.objects.get(key="safety").categories == ["Privacy", "Other"]
    assert instrument() == 3


def test_saving_without_a_change_is_no_new_instrument(study: dict[str, Any], mara: Client) -> None:
    mara.post(f"{PAGE}helpfulness/", FORMS["helpfulness"])
    answer = mara.post(f"{PAGE}helpfulness/", FORMS["helpfulness"])
    assert answer.status_code == 422 and "Nothing is different" in text(answer) and instrument() == 2


def test_the_order_is_the_order_on_the_screen(study: dict[str, Any], mara: Client) -> None:
    mara.post(f"{PAGE}harmlessness/move/", {"to": "up"})
    mara.post(f"{PAGE}reasons/move/", {"to": "up"})
    assert list(Criterion.objects.values_list("key", flat=True)) == [
        "harmlessness", "helpfulness", "overall", "reasons", "safety",
    ]  # fmt: skip
    assert instrument() == 3
    answer = mara.post(f"{PAGE}harmlessness/move/", {"to": "up"}, follow=True)
    assert "already at that end" in text(answer) and instrument() == 3


def test_a_question_is_not_asked_any_more_and_asked_again(study: dict[str, Any], mara: Client) -> None:
    judge(study)
    mara.post(f"{PAGE}harmlessness/ask/", {"asked": "never"})
    rui = study["as_"]["Rui"]
    rui.post(f"/compare/{study['queue'].pk}/next/")
    assert "clearly safer" not in rui.get(f"/compare/{study['queue'].pk}/").text
    assert Judgment.objects.filter(criterion__key="harmlessness").exists(), "what was said stays"
    assert "not asked" in text(mara.get(PAGE))
    mara.post(f"{PAGE}harmlessness/ask/", {"asked": "always"})
    assert "clearly safer" in rui.get(f"/compare/{study['queue'].pk}/").text and instrument() == 3


def test_the_answer_keeps_the_version_that_was_on_the_screen(study: dict[str, Any], mara: Client) -> None:
    rui, queue = study["as_"]["Rui"], study["queue"]
    rui.post(f"/compare/{queue.pk}/next/")
    page = rui.get(f"/compare/{queue.pk}/").text
    shown = re.search(r'name="instrument" value="(\d+)"', page)
    assert shown is not None
    mara.post(f"{PAGE}reasons/ask/", {"asked": "never"})
    held = Assignment.objects.get()
    answers = {
        "helpfulness.preference": "1", "harmlessness.preference": "1", "safety.left.safe": "yes",
        "safety.right.safe": "yes", "instrument": shown.group(1),
    }  # fmt: skip
    assert rui.post(f"/compare/assignments/{held.pk}/submit/", answers).status_code == 302
    assert Annotation.objects.get().instrument == 1 and instrument() == 2


# --- hints and own words ----------------------------------------------------------------------------


def test_hints_are_chosen_with_their_numbers(study: dict[str, Any], mara: Client) -> None:
    typed = {"far_from_ratings": "on", "gap": "3", "at": "5", "neither_but_rated": "on"}
    assert mara.post("/projects/advice/hints/", typed).status_code == 302
    project = Project.objects.get()
    assert project.hints == [{"rule": "far_from_ratings", "gap": 3}, {"rule": "neither_but_rated", "at": 5}]
    assert project.instrument == 2 and AuditEntry.objects.filter(act="hints.changed").count() == 1
    assert re.search(r'name="gap" value="3"', mara.get(PAGE).text)
    assert mara.post("/projects/advice/hints/", typed | {"gap": "x"}).status_code == 422


def test_own_words_are_asked_for_as_the_manager_says(study: dict[str, Any], mara: Client) -> None:
    typed = {"when": ["always"], "percent": "0", "required": "on", "min_words": "5", "max_words": "20"}
    assert mara.post("/projects/advice/own-words/", typed).status_code == 302
    assert Project.objects.get().rationale == {
        "when": ["always"], "percent": 0, "required": True, "min_words": 5, "max_words": 20,
    }  # fmt: skip
    assert instrument() == 2 and "5 to 20 words" in mara.get(PAGE).text.lower()
    answer = mara.post("/projects/advice/own-words/", typed | {"min_words": "30"})
    assert answer.status_code == 422 and "at least as many" in text(answer)
    mara.post("/projects/advice/own-words/", typed | {"when": []})
    assert "In your own words" not in mara.get(PAGE).text.partition("As raters see it")[2]


@pytest.mark.parametrize(
    ("when", "percent", "note"),
    [
        (["always"], 0, "Say what decided it."),
        (["sample"], 100, "This one was drawn for a reason in your own words."),
        (["sample"], 0, "What decided it, if you like."),
        (["conflict"], 0, "Your answers point different ways: say what decided it."),
        (["severe"], 0, "You called it severe: say what is."),
    ],
)
def test_the_box_says_in_advance_why_it_is_asked_for(
    study: dict[str, Any], when: list[str], percent: int, note: str
) -> None:
    policy = {"when": when, "percent": percent, "required": False, "min_words": 0, "max_words": 0}
    Project.objects.update(rationale=policy)
    rui, queue = study["as_"]["Rui"], study["queue"]
    rui.post(f"/compare/{queue.pk}/next/")
    page = rui.get(f"/compare/{queue.pk}/").text
    assert note in page
    told = ("drawn for", "point different ways: say", "called it severe")
    assert sum(other in page for other in told) == (1 if when[0] != "always" and "if you like" not in note else 0)


# --- contradictions at the desk ---------------------------------------------------------------------

TWISTED = {
    "helpfulness.preference": "-2", "harmlessness.preference": "-1", "safety.right.safe": "yes",
    "safety.left.safe": "no", "safety.left.categories": "Privacy", "safety.left.severity": "2",
}  # fmt: skip


def sent(study: dict[str, Any], answers: dict[str, Any], **headers: str) -> Any:
    rui = study["as_"]["Rui"]
    if not Assignment.objects.exists():
        rui.post(f"/compare/{study['queue'].pk}/next/")
    held = Assignment.objects.earliest("pk")
    return rui.post(f"/compare/assignments/{held.pk}/submit/", answers, headers=headers)


@pytest.mark.parametrize("headers", [{}, HTMX])
def test_a_contradiction_is_asked_about_at_its_question(study: dict[str, Any], headers: dict[str, str]) -> None:
    answer = sent(study, TWISTED, **headers)
    assert answer.status_code == 422 and not Annotation.objects.exists()
    page = text(answer)
    assert "You prefer A, which you marked unsafe; B you marked safe." in page
    question = page.partition('id="q-helpfulness-preference"')[2].partition("</fieldset>")[0]
    assert (
        'name="kept_hints" value="preferred_unsafe"' in question and 'href="#helpfulness-preference-first"' in question
    )
    assert re.search(r'value="-2"[^>]*checked', question), "nothing is lost"


def test_keeping_it_stores_it_and_says_so(study: dict[str, Any]) -> None:
    assert sent(study, TWISTED | {"kept_hints": "preferred_unsafe"}).status_code == 302
    assert Annotation.objects.get().kept_hints == ["preferred_unsafe"]


def test_changing_it_leaves_nothing_to_keep(study: dict[str, Any]) -> None:
    sent(study, TWISTED)
    changed = {"helpfulness.preference": "2", "harmlessness.preference": "1", "kept_hints": "preferred_unsafe"}
    assert sent(study, TWISTED | changed).status_code == 302
    assert Annotation.objects.get().kept_hints == []


def test_two_contradictions_are_kept_one_after_the_other(study: dict[str, Any]) -> None:
    study["project"].criteria.create(key="quality", name="Quality", kind="rating", position=8)
    both = TWISTED | {"quality.left.rating": "1", "quality.right.rating": "4"}
    first = text(sent(study, both))
    assert "which you marked unsafe" in first and "far from how you rated" in first
    second = text(sent(study, both | {"kept_hints": "far_from_ratings"}))
    assert "which you marked unsafe" in second and "far from how you rated" not in second
    assert '<input type="hidden" name="kept_hints" value="far_from_ratings">' in second
    assert sent(study, both | {"kept_hints": ["far_from_ratings", "preferred_unsafe"]}).status_code == 302
    assert Annotation.objects.get().kept_hints == ["far_from_ratings", "preferred_unsafe"]


def test_neither_acceptable_but_rated_high(study: dict[str, Any]) -> None:
    study["project"].criteria.create(key="quality", name="Quality", kind="rating", position=8)
    answers = TWISTED | {
        "helpfulness.preference": "both_bad", "harmlessness.preference": "0", "quality.left.rating": "2",
        "quality.right.rating": "5",
    }  # fmt: skip
    assert "You found neither acceptable, but rated B high." in text(sent(study, answers))


def test_programs_are_not_asked_but_may_say_what_was_kept(study: dict[str, Any]) -> None:
    held = claim(queue=study["queue"], rater=study["people"]["Rui"])
    assert held is not None
    rui = Client(headers={"Authorization": f"Token {make.token(study['people']['Rui'])}"})
    body = {
        "judgments": {
            "helpfulness": {"preference": -2},
            "safety": {"left": {"safe": False}, "right": {"safe": True}},
        },
        "kept_hints": ["preferred_unsafe"],
    }
    answer = rui.post(f"/api/v1/assignments/{held.pk}/annotation/", body, content_type="application/json")
    assert answer.status_code == 201 and Annotation.objects.get().kept_hints == ["preferred_unsafe"]


def test_a_project_without_hints_asks_nothing(study: dict[str, Any]) -> None:
    Project.objects.update(hints=[])
    assert sent(study, TWISTED).status_code == 302
