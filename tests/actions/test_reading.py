"""Each kind of answer, read and refused: reasons, lengths in words, what is unsafe, own words."""

import pytest

from labeling.actions.annotate import submit
from labeling.actions.answers import read_answers
from labeling.actions.assign import claim
from labeling.actions.own_words import asked_in_advance, drawn
from labeling.actions.refusals import Refused
from labeling.models import Annotation, Criterion, Judgment, Project
from labeling.wording import count_words
from tests import make

pytestmark = pytest.mark.django_db

CALM = {
    "helpfulness": {"preference": 1}, "harmlessness": {"preference": 0},
    "safety": {"left": {"safe": True}, "right": {"safe": True}},
}  # fmt: skip
TORN = CALM | {"harmlessness": {"preference": -1}, "overall": {"preference": 1}}


@pytest.fixture
def study():
    project = make.project()
    rui = make.member(project, "Rui", "rater")
    make.pair(project)
    return project, rui, claim(queue=make.queue(project), rater=rui)


def send(study, judgments, complete=True, **more):
    project, rui, held = study
    held.project = project
    return submit(assignment=held, rater=rui, body={"judgments": judgments, **more}, complete=complete)


def errors(study, judgments, complete=True, **more):
    with pytest.raises(Refused) as refused:
        send(study, judgments, complete, **more)
    return refused.value.errors


def policy(project, **changes):
    usual = {"when": [], "percent": 0, "required": False, "min_words": 0, "max_words": 0}
    Project.objects.filter(pk=project.pk).update(rationale=usual | changes)


# --- reasons ----------------------------------------------------------------------------------------


def test_reasons_are_stored_without_a_response(study):
    send(study, CALM | {"reasons": {"chosen": ["Clearer", "More accurate", "Clearer"]}})
    stored = Judgment.objects.get(criterion__key="reasons")
    assert stored.categories == ["Clearer", "More accurate"]
    assert (stored.response_id, stored.text, stored.preference) == (None, "", None)


def test_reasons_may_be_left_out_unless_they_are_required(study):
    assert send(study, CALM).created
    study[0].criteria.filter(key="reasons").update(required=True)
    assert "judgments.reasons" in errors(study, CALM | {"harmlessness": {"preference": 1}})


@pytest.mark.parametrize(
    ("answer", "path", "says"),
    [
        ({"chosen": []}, "judgments.reasons.chosen", "at least one"),
        ({}, "judgments.reasons.chosen", "at least one"),
        ({"chosen": ["Prettier"]}, "judgments.reasons.chosen", "More accurate"),
        ({"chosen": "Clearer"}, "judgments.reasons.chosen", "list"),
        ({"chosen": ["Clearer"], "text": "x"}, "judgments.reasons.text", "Unknown field"),
    ],
)
def test_reasons_that_cannot_be(study, answer, path, says):
    assert says in errors(study, CALM | {"reasons": answer})[path]


# --- text -------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("", 0), ("  \n ", 0), ("Two words", 2), ("It's well-made, 3 of 4.", 5), ("直接回答了问题。", 7),
        ("GPT 很好", 3),
        ("東京タワーです", 7), ("— … !", 0), ("هذا أمر شائع", 3), ("हिन्दी में लिखा", 3), ("and/or", 1),
        ("한국어 문장", 2),
    ],
)  # fmt: skip
def test_words_are_counted_in_every_script(text, words):
    assert count_words(text) == words


@pytest.mark.parametrize(
    ("least", "most", "text", "says"),
    [
        (10, 50, "only seven words are in this text", "Needs 10 to 50 words; this has 7."),
        (3, 0, "too short", "Needs at least 3 words; this has 2."),
        (0, 2, "直接回答", "May have at most 2 words; this has 4."),
        (2, 3, "just right", None),
    ],
)
def test_a_text_has_the_length_that_is_asked_for(study, least, most, text, says):
    Criterion.objects.create(project=study[0], key="note", name="Note", kind="text", min_words=least, max_words=most)
    if says is None:
        assert send(study, CALM | {"note": {"text": text}}).created
    else:
        assert errors(study, CALM | {"note": {"text": text}}) == {"judgments.note.text": says}


# --- what is unsafe ---------------------------------------------------------------------------------

UNSAFE = {"safety": {"left": {"safe": False}, "right": {"safe": True}}}
PREFERS_RIGHT = {"helpfulness": {"preference": 1}, "harmlessness": {"preference": 1}}


def test_the_screen_demands_what_is_unsafe_and_how_much(study):
    assert errors(study, PREFERS_RIGHT | UNSAFE) == {
        "judgments.safety.left.categories": "Choose what is unsafe: one or more.",
        "judgments.safety.left.severity": "Choose how serious it is.",
    }
    assert send(study, PREFERS_RIGHT | UNSAFE, complete=False).created, "a program may send less"


def test_it_does_not_demand_what_is_not_offered(study):
    study[0].criteria.filter(key="safety").update(categories=[], severities=0)
    assert send(study, PREFERS_RIGHT | UNSAFE).created


def test_a_part_of_a_domain_is_a_category_of_its_own(study):
    study[0].criteria.filter(key="safety").update(categories=["Privacy", "Privacy › Malicious Promotion"])
    part = {"safe": False, "categories": ["Privacy › Malicious Promotion"], "severity": 1}
    send(study, PREFERS_RIGHT | {"safety": {"left": part, "right": {"safe": True}}})
    assert Judgment.objects.get(safe=False).categories == ["Privacy › Malicious Promotion"]


# --- own words --------------------------------------------------------------------------------------


def test_own_words_that_are_only_asked_for_may_be_left_out(study):
    policy(study[0], when=["always"])
    assert send(study, CALM).created


def test_own_words_that_are_required_are_refused_when_missing_also_from_programs(study):
    policy(study[0], when=["always"], required=True)
    assert errors(study, CALM) == {"rationale": "Say in your own words what decided it."}
    assert errors(study, {"helpfulness": {"preference": 1}}, complete=False).keys() == {"rationale"}
    said = {"helpfulness": {"preference": 1, "rationale": "B is right."}}
    assert send(study, CALM | said).created


@pytest.mark.parametrize(
    ("when", "judgments"),
    [
        ("conflict", TORN),
        ("severe", PREFERS_RIGHT | {"safety": {
            "left": {"safe": False, "categories": ["Privacy"], "severity": 3}, "right": {"safe": True}}}),
    ],
)  # fmt: skip
def test_they_are_required_where_the_answers_call_for_them(study, when, judgments):
    policy(study[0], when=[when], required=True)
    assert errors(study, judgments).keys() == {"rationale"}
    assert send(study, CALM).created


def test_their_length_is_checked_on_the_screen_and_by_programs_only_where_required(study):
    policy(study[0], when=["always"], min_words=3)
    short = CALM | {"helpfulness": {"preference": 1, "rationale": "too short"}}
    assert errors(study, short) == {"rationale": "Needs at least 3 words; this has 2."}
    assert send(study, short, complete=False).created


def test_without_a_condition_nobody_is_asked(study):
    policy(study[0], when=[], required=True, min_words=5)
    assert send(study, CALM).created


def test_the_sample_is_a_fixed_draw_of_the_share():
    half = {"when": ["sample"], "percent": 50}
    first = [drawn(half, pk) for pk in range(2000)]
    assert first == [drawn(half, pk) for pk in range(2000)]
    assert 900 < sum(first) < 1100
    assert not any(drawn({"when": ["sample"], "percent": 0}, pk) for pk in range(200))
    assert all(drawn({"when": ["sample"], "percent": 100}, pk) for pk in range(200))
    assert not any(drawn({"when": ["conflict"], "percent": 100}, pk) for pk in range(200))
    assert asked_in_advance({"when": ["always"]}, 1)


# --- the instrument and what was kept ---------------------------------------------------------------


def test_the_annotation_keeps_the_instrument_it_was_made_with(study):
    Project.objects.update(instrument=4)
    send(study, CALM)
    assert Annotation.objects.get().instrument == 4


def test_a_page_that_was_open_while_the_questions_changed_says_which_they_were(study):
    Project.objects.update(instrument=4)
    assert "from 1 to 4" in errors(study, CALM, instrument=5)["instrument"]
    send(study, CALM, instrument=3)
    assert Annotation.objects.get().instrument == 3


@pytest.mark.parametrize("kept", ["preferred_unsafe", ["made_up"], [3], {"a": 1}])
def test_kept_hints_are_a_list_of_rules(study, kept):
    assert "preferred_unsafe" in errors(study, CALM, kept_hints=kept)["kept_hints"]


def test_only_what_really_fires_is_recorded_as_kept(study):
    send(study, CALM, kept_hints=["preferred_unsafe"])
    assert Annotation.objects.get().kept_hints == []


def test_a_question_for_conflicts_is_not_demanded_without_one():
    project = make.project()
    project.criteria.filter(key="overall").update(required=True)
    read = {"criteria": list(project.criteria.all()), "pair": make.pair(project), "swapped": False}
    assert read_answers({"judgments": CALM}, **read)
    with pytest.raises(Refused) as refused:
        read_answers({"judgments": CALM | {"harmlessness": {"preference": -1}}}, **read)
    assert refused.value.errors.keys() == {"judgments.overall"}
