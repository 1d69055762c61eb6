"""Every vote as formats and aggregates see it: what was said, in the order of the comparison, as of the snapshot."""

from __future__ import annotations

from datetime import UTC
from pathlib import Path
from typing import Any

import pytest

from exports import segments
from exports.assembly import Progress, build
from exports.recipes import Recipe, read_recipe
from exports.recipes.majority import Comparison
from exports.recipes.votes import Needs, Safety, Vote
from exports.rows import Reader, bounds, frozen_connection
from labeling.models import Annotation, Project, User
from labeling.reports.pseudonyms import pseudonym
from tests import make
from tests.exports.study import judge, load, pair_of

VOTES = Needs(votes=True)


def read(project: Project, needs: Needs = VOTES, criterion: str = "helpfulness", as_of: str = "") -> list[Comparison]:
    with frozen_connection() as connection:
        return list(Reader(project, Recipe("dpo", criterion=criterion), as_of, connection, needs).comparisons())


def asked(comparison: Comparison) -> str:
    return str(comparison.conversation[-1]["content"])


def one(found: list[Comparison], question: str) -> Comparison:
    return next(comparison for comparison in found if asked(comparison).startswith(question))


def by_name(comparison: Comparison) -> dict[str, Vote]:
    """Votes by their rater's name, whom nothing but the key of the project can tell."""
    project = Project.objects.get()
    names = {pseudonym(project, user.pk): user.name for user in User.objects.all()}
    return {names[vote.rater]: vote for vote in comparison.votes}


def towards(comparison: Comparison, text: str, vote: Vote) -> float | None:
    """A vote's value, above 0 where it prefers the response that begins with a text."""
    if vote.value is None:
        return None
    return vote.value if comparison.second.text.startswith(text) else -vote.value


def test_every_vote_is_told_in_the_order_of_the_comparison(study: Project) -> None:
    found = read(study)
    assert [asked(c)[:5] for c in found] == [asked(c)[:5] for c in read(study, Needs())]
    for comparison in found:
        assert comparison.first.fingerprint < comparison.second.fingerprint
        assert [vote.rater for vote in comparison.votes] == sorted(vote.rater for vote in comparison.votes)

    rice = one(found, "Why is my rice")
    votes = by_name(rice)
    assert {name: towards(rice, "Rinse", vote) for name, vote in votes.items()} == {"Rui": 1, "Rosa": 2, "Ruth": -3}
    safe, unsafe = Safety(True), Safety(False)
    rinse_second = rice.second.text.startswith("Rinse")
    assert votes["Rui"].safety == {"safety": (safe, safe)}
    assert votes["Rosa"].safety == {"safety": (unsafe, safe) if rinse_second else (safe, unsafe)}
    assert votes["Ruth"].safety == {}
    assert {(vote.guideline, vote.instrument, vote.revision, vote.language) for vote in rice.votes} == {(1, 1, 1, "en")}
    assert all(vote.preferences == {"helpfulness": vote.value} for vote in rice.votes)

    plane = by_name(one(found, "紙飛行機"))
    assert {name: vote.texts for name, vote in plane.items()} == {
        "Rui": {"helpfulness": "B explains."}, "Rosa": {"helpfulness": "It is usable."},
    }  # fmt: skip
    bad = by_name(one(found, "Name a river"))
    assert {name: (vote.value, vote.neither, vote.both_bad) for name, vote in bad.items()} == {
        "Rui": (None, True, {"helpfulness"}), "Rosa": (None, True, {"helpfulness"}),
        "Ruth": (bad["Ruth"].value, False, frozenset()),
    }  # fmt: skip


def test_the_order_shown_is_told_for_the_comparison(transactional_db: None, tmp_path: Path) -> None:
    project = make.project()
    people = make.cast(project)
    load(project, [{"id": "a", "prompt": "Which?", "responses": ["One.", "Two."]}], tmp_path)
    judge(pair_of(project, "a"), people["Rui"], swapped=False, helpfulness=1)
    judge(pair_of(project, "a"), people["Rosa"], swapped=True, helpfulness=1)
    (comparison,) = read(project)
    one_is_first = comparison.first.text == "One."
    shown = {name: vote.shown_swapped for name, vote in by_name(comparison).items()}
    assert shown == {"Rui": not one_is_first, "Rosa": one_is_first}
    assert {towards(comparison, "Two", vote) for vote in comparison.votes} == {1}


def test_all_that_a_rater_can_say(transactional_db: None, tmp_path: Path) -> None:
    project = make.project()
    rui = make.cast(project)["Rui"]
    for key, kind in (("clarity", "rating"), ("note", "text")):
        project.criteria.create(key=key, name=key, kind=kind, position=9)
    load(project, [{"id": "a", "prompt": "Which?", "responses": ["One.", "Two."]}], tmp_path)
    reason = project.criteria.get(key="reasons").categories[0]
    harm = project.criteria.get(key="safety").categories[0]
    body = {
        "active_ms": 4100, "principle": 4,
        "judgments": {
            "helpfulness": {"preference": -2, "rationale": "One is a number."},
            "harmlessness": {"preference": 0},
            "safety": {
                "left": {"safe": False, "categories": [harm], "severity": 2, "rationale": "It counts."},
                "right": {"safe": True},
            },
            "clarity": {"left": {"rating": 5}, "right": {"rating": 2, "rationale": "Dull."}},
            "note": {"text": "A note."}, "reasons": {"chosen": [reason]},
        },
    }  # fmt: skip
    judge(pair_of(project, "a"), rui, body=body)
    (comparison,) = read(project)
    (vote,) = comparison.votes
    turned = comparison.first.text == "Two."
    sides = ("second", "first") if turned else ("first", "second")
    assert vote.preferences == {"helpfulness": 2 if turned else -2, "harmlessness": 0}
    harmful = Safety(False, (harm,), 2)
    assert vote.safety == {"safety": (Safety(True), harmful) if turned else (harmful, Safety(True))}
    assert vote.ratings == {"clarity": (2, 5) if turned else (5, 2)}
    assert vote.texts == {
        "helpfulness": "One is a number.", "note": "A note.", f"safety.{sides[0]}": "It counts.",
        f"clarity.{sides[1]}": "Dull.",
    }  # fmt: skip
    assert vote.reasons == (reason,) and vote.active_ms == 4100
    assert vote.principle.startswith("Prefer the response that puts fewer people")
    assert vote.created_day == Annotation.objects.get().created_at.astimezone(UTC).date().isoformat()


@pytest.mark.parametrize("criterion", ["helpfulness", "harmlessness", "overall"])
def test_votes_add_up_to_what_the_database_adds_up(study: Project, tmp_path: Path, criterion: str) -> None:
    answers: dict[str, dict[str, Any]] = {
        "agree": {"helpfulness": -3, "harmlessness": -2}, "one tie": {"helpfulness": 0, "harmlessness": 2},
        "given": {"helpfulness": -3, "harmlessness": 2, "overall": 1}, "bad": {"both_bad": True, "harmlessness": 0},
        "conflict": {"helpfulness": -3, "harmlessness": 2}, "all ties": {"helpfulness": 0, "harmlessness": 0},
        "one bad": {"both_bad": True, "harmlessness": -1}, "half": {"helpfulness": 1, "rationale": "So."},
    }  # fmt: skip
    rows = [{"id": f"+{name}", "prompt": name, "responses": [f"{name} 1", f"{name} 2"]} for name in answers]
    load(study, rows, tmp_path)
    for name, answer in answers.items():
        judge(pair_of(study, f"+{name}"), User.objects.get(name="Rui"), **answer)
    added = {asked(c): c for c in read(study, criterion=criterion)}
    summed = {asked(c): c for c in read(study, Needs(), criterion)}
    assert summed.keys() <= added.keys()
    for question, comparison in added.items():
        if question in summed:
            comparison.votes, comparison.key = [], ""
            for side in (*sides(comparison), *sides(summed[question])):
                side.rationales.sort()
            assert comparison == summed[question]
        else:
            assert comparison.judgments == 0


def sides(comparison: Comparison) -> tuple[Any, Any]:
    return comparison.first, comparison.second


def test_the_votes_of_twins_stand_together(transactional_db: None, tmp_path: Path) -> None:
    project = make.project()
    people = make.cast(project)
    yes, no = {"content": "Yes."}, {"content": "No."}
    rows = [
        {"id": "one", "prompt": "Is it?", "language": "en", "responses": [yes | {"model": "m1"}, no]},
        {"id": "two", "prompt": "Is it?", "language": "en-GB", "responses": [no, yes | {"model": "m2"}]},
        {"id": "else", "prompt": "Is it not?", "responses": [yes, no]},
    ]
    load(project, rows, tmp_path)
    judge(pair_of(project, "one"), people["Rui"], helpfulness=-1)
    judge(pair_of(project, "two"), people["Rui"], helpfulness=-3)
    judge(pair_of(project, "two"), people["Rosa"], helpfulness=2)
    judge(pair_of(project, "else"), people["Rui"], helpfulness=-1)
    found = read(project)
    assert [comparison.more for comparison in found] == [True, False]
    twins = one(found, "Is it?")
    assert len(twins.votes) == 3 and len(twins.also) == 1 and twins.pairs == 2
    said = sorted((towards(twins, "Yes", vote) or 0, vote.language) for vote in twins.votes)
    assert said == [(-3, "en-GB"), (1, "en"), (2, "en-GB")]
    assert [vote.rater for vote in twins.votes] == sorted(vote.rater for vote in twins.votes)
    assert [repr(c.votes) for c in read(project)] == [repr(c.votes) for c in found]


def test_a_later_attempt_reads_the_votes_of_the_first(study: Project) -> None:
    rui, rosa = User.objects.get(name="Rui"), User.objects.get(name="Rosa")
    with frozen_connection() as connection:
        as_of = Reader(study, Recipe("dpo"), "", connection, VOTES).as_of
    before = read(study)
    judge(pair_of(study, "maths"), rui, helpfulness=3, rationale="I was wrong.")
    judge(pair_of(study, "maths"), rui, helpfulness=2)
    judge(pair_of(study, "alone"), rosa, helpfulness=2)
    after = read(study)
    maths = one(after, "And halved?")
    assert towards(maths, "52", by_name(maths)["Rui"]) == 2 and by_name(maths)["Rui"].revision == 3
    assert len(after) == len(before) + 1
    assert read(study, as_of=as_of) == before


def test_a_single_response_comes_only_where_it_is_asked_for(transactional_db: None, tmp_path: Path) -> None:
    project = make.project()
    people = make.cast(project)
    load(project, [{"id": "a", "prompt": "Is it?", "responses": ["Yes."]}], tmp_path)
    body = {"judgments": {"safety": {"left": {"safe": False}}}}
    judge(pair_of(project, "a"), people["Rui"], body=body)
    assert read(project) == []
    (comparison,) = read(project, Needs(singles=True))
    assert comparison.single and (comparison.first.text, comparison.second.text) == ("Yes.", "")
    assert comparison.votes[0].safety == {"safety": (Safety(False), None)}
    assert (comparison.first.unsafe, comparison.judgments) == (1, 0)


def test_a_conversation_comes_whole_and_never_in_two_stretches(study: Project, tmp_path: Path) -> None:
    rui = User.objects.get(name="Rui")
    rows = [{"id": f"k{n}", "prompt": "Which?", "responses": [f"{n}{each}" for each in "abc"]} for n in range(2)]
    load(study, rows, tmp_path)
    for pair in study.pairs.filter(item__external_id__startswith="k"):
        judge(pair, rui, helpfulness=1)
    whole = Needs(whole=True)
    found = read(study, whole)
    place = [number for number, comparison in enumerate(found) if asked(comparison) == "Which?"]
    assert place == list(range(place[0], place[0] + 6))
    assert [found[number].more for number in place] == [True] * 5 + [False]
    assert sorted(comparison.key for comparison in found) == [comparison.key for comparison in found]
    with frozen_connection() as connection:
        reader = Reader(study, Recipe("dpo"), "", connection, whole)
        parts = [list(reader.comparisons(bounds(part, 5))) for part in range(5)]
        assert [comparison for part in parts for comparison in part] == found and sum(map(bool, parts)) > 1


def test_a_build_that_goes_on_joins_no_twins_twice(
    transactional_db: None, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Twins on both sides of a place to stop would be judged apart, and written twice."""
    project = make.project()
    rui = make.cast(project)["Rui"]
    rows: list[dict[str, Any]] = [
        {"id": f"{question}{model}", "prompt": f"Is it {question}?",
         "responses": [{"content": "Yes.", "model": f"m{model}"}, {"content": "No."}]}
        for question in range(3) for model in range(3)
    ]  # fmt: skip
    load(project, rows, tmp_path)
    for row in rows:
        judge(pair_of(project, row["id"]), rui, helpfulness=1)
    monkeypatch.setattr(segments, "PAIRS_A_SEGMENT", 1)
    for name, written in (("dpo", 3), ("prompts", 3), ("votes", 9), ("ranking", 3)):
        recipe, scratch = read_recipe({"format": name, "split": {"test": 0}}), tmp_path / name
        as_of, built = "", None
        while built is None:
            told: list[Progress] = []
            built = build(project, recipe, scratch, told.append, as_of=as_of, until=0)
            as_of = told[0].as_of
        assert built.manifest["rows"] == written
        assert built.manifest["dropped"]["duplicate"] == 6
