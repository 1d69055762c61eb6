"""Deciding: what is found to be in dispute, what a decision does, and what is refused."""

from __future__ import annotations

from typing import Any

import pytest
from django.db import IntegrityError, transaction

from labeling.actions.adjudicate import MOST_AT_ONCE, answer_escalation, decide, decide_in_bulk, escalate, hold
from labeling.actions.annotate import submit
from labeling.actions.assign import claim, skip
from labeling.actions.disagreements import look_for_disagreements, look_through_everything
from labeling.actions.queues import change_queue, create_queue
from labeling.actions.refusals import Refused
from labeling.actions.withdrawals import withdraw_item, withdraw_rater
from labeling.models import (
    Adjudication,
    Annotation,
    Assignment,
    AuditEntry,
    Disagreement,
    GoldPair,
    Pair,
    Project,
    QueuedPair,
    Slot,
    User,
)
from labeling.reports.disagreements import Chosen, Cursor, counted, disagreements, next_for, page
from tests import make

pytestmark = pytest.mark.django_db
SPLIT, SAFETY, MARKED = "split", "safety", "marked"


@pytest.fixture
def project() -> Project:
    return make.project(overlap=2)


@pytest.fixture
def people(project: Project) -> dict[str, User]:
    return make.cast(project) | {"Ruth": make.member(project, "Ruth", "rater")}


def judge(rater: User, pair: Pair, **said: Any) -> Annotation:
    """In stored order: `helpfulness`, `harmlessness`, `safe` of first and second."""
    queue = make.queue(pair.project)
    held = Assignment.objects.filter(pair=pair, rater=rater).first()
    if held is None:
        slot = Slot.objects.filter(queue=queue, pair=pair, state="open").order_by("number").first()
        if slot is not None:
            Slot.objects.filter(pk=slot.pk).update(state="leased")
        held = Assignment.objects.create(
            project=pair.project,
            queue=queue,
            slot=slot,
            pair=pair,
            rater=rater,
            guideline=pair.project.guidelines.get(),
        )
    body: dict[str, Any] = {key: {"preference": said[key]} for key in ("helpfulness", "harmlessness") if key in said}
    if "safe" in said:
        body["safety"] = dict(zip(("left", "right"), ({"safe": one} for one in said["safe"]), strict=True))
    return submit(assignment=held, rater=rater, body={"judgments": body}).annotation


def torn(people: dict[str, User], pair: Pair, far: int = 3) -> Pair:
    judge(people["Rui"], pair, helpfulness=-far)
    judge(people["Rosa"], pair, helpfulness=far)
    return pair


def kinds(project: Project) -> dict[int, list[str]]:
    look_for_disagreements()
    return {row.pair_id: row.kinds for row in Disagreement.objects.filter(project=project)}


def settle(pair: Pair, by: User, preference: int = 2, reason: str = "It answers.") -> list[Adjudication]:
    return decide(pair=pair, by=by, body={"judgments": {"helpfulness": {"preference": preference}}}, reason=reason)


# --- finding them -----------------------------------------------------------------------------------


def test_pairs_without_a_majority_are_found_once_everybody_has_answered(
    project: Project, people: dict[str, User]
) -> None:
    divided, agreed, waiting, tied = make.pairs(project, 4)
    judge(people["Rui"], divided, helpfulness=-3)
    assert kinds(project) == {}
    judge(people["Rosa"], divided, helpfulness=1)
    for name, said in (("Rui", 1), ("Rosa", 3)):
        judge(people[name], agreed, helpfulness=said)
    judge(people["Rui"], waiting, helpfulness=1)
    for name in ("Rui", "Rosa"):
        judge(people[name], tied, helpfulness=0)
    assert kinds(project) == {divided.pk: [SPLIT]}
    judge(people["Rosa"], divided, helpfulness=-1)  # a change of mind ends it
    assert kinds(project) == {}


def test_safe_for_some_and_unsafe_for_others(project: Project, people: dict[str, User]) -> None:
    project.queues.update(overlap=3)
    pair = make.pair(project)
    for name, second in (("Rui", True), ("Rosa", True), ("Ruth", False)):
        judge(people[name], pair, helpfulness=1, safe=(True, second))
    assert kinds(project) == {pair.pk: [SAFETY]}
    row = Disagreement.objects.get()
    assert row.criteria == [project.criteria.get(key="safety").pk] and row.judgments == 3


def test_the_further_apart_the_higher_on_the_list(project: Project, people: dict[str, User]) -> None:
    near, far, middle = (
        torn(people, pair, grade) for pair, grade in zip(make.pairs(project, 3), (1, 3, 2), strict=True)
    )
    look_for_disagreements()
    rows = page(project, Chosen(), None, 2)
    assert [row.pair_id for row in rows.rows] == [far.pk, middle.pk] and rows.following is not None
    cursor = Cursor.parse(str(rows.following))
    assert cursor == rows.following
    after = page(project, Chosen(), cursor, 2)
    assert [row.pair_id for row in after.rows] == [near.pk] and after.following is None
    assert counted(project, Chosen()) == 3
    assert Cursor.parse("1.0_x") is None and Cursor.parse("nan_1") is None


def test_filters(project: Project, people: dict[str, User]) -> None:
    english = torn(people, make.pair(project, language="en", tags=["law"]))
    german = torn(people, make.pair(project, language="de"))
    judge(people["Rui"], english, helpfulness=-1, safe=(True, True))
    judge(people["Rosa"], english, helpfulness=1, safe=(True, False))
    other = create_queue(project=project, by=None, name="Law", tags=["law"])
    look_through_everything()
    look_for_disagreements()
    key = {criterion.key: criterion.pk for criterion in project.criteria.all()}

    def found(**asked: str) -> set[int]:
        return set(disagreements(project, Chosen.of(asked)).values_list("pair", flat=True))

    Slot.objects.filter(queue=other).delete()
    look_through_everything()
    look_for_disagreements()
    assert found() == {english.pk, german.pk}
    assert found(language="de") == {german.pk} and found(tag="law") == {english.pk}
    assert found(criterion=str(key["safety"])) == {english.pk} and found(kind="safety") == {english.pk}
    assert found(kind="nonsense", queue="x", criterion="") == {english.pk, german.pk}
    assert found(queue=str(other.pk)) == set() and found(queue=str(make.queue(project).pk)) == {english.pk, german.pk}


def test_what_a_rater_could_not_tell_or_found_broken(project: Project, people: dict[str, User]) -> None:
    pair = make.pair(project)
    held = claim(queue=make.queue(project), rater=people["Rui"])
    assert held is not None
    skip(assignment=held, rater=people["Rui"], reason="cannot_tell", comment="")
    assert kinds(project) == {pair.pk: [MARKED]}
    settle(pair, people["Ada"])
    assert kinds(project) == {}


def test_an_adaptive_queue_says_itself_when_it_gives_up(project: Project, people: dict[str, User]) -> None:
    queue = make.queue(project)
    project.queues.update(stopping="third", least=2, most=3)
    pair = torn(people, make.pair(project))
    assert kinds(project) == {}
    row = QueuedPair.objects.create(queue=queue, pair=pair, wanted=3, state="collecting")
    assert kinds(project) == {}
    row.state = "contested"
    row.save()
    assert kinds(project) == {pair.pk: ["contested", SPLIT]}
    row.state = "settled"
    row.save()
    look_through_everything()
    assert kinds(project) == {}


def test_gold_lessons_and_what_is_withdrawn_are_nothing_to_decide(project: Project, people: dict[str, User]) -> None:
    gold, gone, aside = (torn(people, pair) for pair in make.pairs(project, 3))
    GoldPair.objects.create(project=project, pair=gold, source="hand")
    withdraw_item(item=gone.item, by=people["Mara"])
    assert kinds(project) == {aside.pk: [SPLIT]}
    withdraw_rater(project=project, rater=people["Rui"], by=people["Mara"])
    assert kinds(project) == {}


def test_looking_again_changes_nothing_and_a_new_overlap_is_noticed(project: Project, people: dict[str, User]) -> None:
    pair = torn(people, make.pair(project))
    look_for_disagreements()
    before = Disagreement.objects.values().get()
    for _ in range(2):
        look_through_everything()
        look_for_disagreements()
    assert Disagreement.objects.values().get() == before
    Slot.objects.create(
        project=project, queue=make.queue(project), pair=pair, number=3, rank=99, swapped=False, state="open"
    )
    look_through_everything()
    assert kinds(project) == {}


# --- deciding ---------------------------------------------------------------------------------------


def test_a_decision_stands_beside_the_judgments_and_ends_the_disagreement(
    project: Project, people: dict[str, User]
) -> None:
    pair = torn(people, make.pair(project))
    look_for_disagreements()
    (made,) = settle(pair, people["Ada"], 2)
    assert (made.preference, made.reason, made.adjudicator, made.in_bulk) == (2, "It answers.", people["Ada"], False)
    assert made.guideline == project.guidelines.get()
    assert not Disagreement.objects.exists() and Annotation.objects.filter(current=True).count() == 2
    entry = AuditEntry.objects.get(act="pair.decided")
    assert (entry.actor_id, entry.target_id, entry.data) == (people["Ada"].pk, pair.pk, {"decisions": [made.pk]})


def test_no_more_judgments_are_wanted_of_a_decided_pair(project: Project, people: dict[str, User]) -> None:
    queue = make.queue(project)
    half, untouched = make.pairs(project, 2)
    judge(people["Rui"], half, helpfulness=1)
    queue.refresh_from_db()
    assert queue.pair_count == 2
    for pair in (half, untouched):
        settle(pair, people["Ada"])
    queue.refresh_from_db()
    assert queue.pair_count == 1 and not Slot.objects.filter(state="open").exists()
    assert claim(queue=queue, rater=people["Rosa"]) is None
    change_queue(queue=queue, by=None, overlap=5)
    assert not Slot.objects.filter(state="open").exists()
    again = create_queue(project=project, by=None, name="Another")
    assert again.pair_count == 0 and not Slot.objects.filter(queue=again).exists()


def test_a_later_decision_takes_the_place_and_the_first_stays_to_be_read(
    project: Project, people: dict[str, User]
) -> None:
    pair = torn(people, make.pair(project))
    (first,) = settle(pair, people["Ada"], 2)
    (second,) = settle(pair, people["Mara"], -1, "The other one is true.")
    first.refresh_from_db()
    assert (first.current, second.current, first.preference) == (False, True, 2)
    with pytest.raises(Refused) as refused:
        settle(pair, people["Mara"], -1, "The other one is true.")
    assert refused.value.code == "unchanged"
    with pytest.raises(IntegrityError), transaction.atomic():
        Adjudication.objects.filter(pk=second.pk).update(preference=3)


def test_decisions_on_safety_are_of_each_response(project: Project, people: dict[str, User]) -> None:
    pair = make.pair(project)
    for name, second in (("Rui", True), ("Rosa", False)):
        judge(people[name], pair, helpfulness=1, safe=(True, second))
    assert kinds(project) == {pair.pk: [SAFETY]}
    body = {"judgments": {"safety": {"left": {"safe": True}, "right": {"safe": False}}}}
    made = decide(pair=pair, by=people["Ada"], body=body, reason="It tells how.")
    assert {one.response_id: one.safe for one in made} == {pair.first_id: True, pair.second_id: False}
    assert kinds(project) == {}


def test_who_judged_or_wrote_it_does_not_decide(project: Project, people: dict[str, User]) -> None:
    make.member(project, "Rui", "adjudicator")
    pair = torn(people, make.pair(project))
    own = make.pair(project, author=people["Ada"])
    look_for_disagreements()
    for each, by in ((pair, people["Rui"]), (own, people["Ada"])):
        with pytest.raises(Refused) as refused:
            settle(each, by)
        assert refused.value.code == "judged_yourself"
    assert next_for(people["Rui"], project, Chosen(), None) is None
    assert next_for(people["Ada"], project, Chosen(), None) == Disagreement.objects.get()


def test_what_was_decided_meanwhile_is_not_overwritten_unread(project: Project, people: dict[str, User]) -> None:
    pair = torn(people, make.pair(project))
    (first,) = settle(pair, people["Ada"])
    body = {"judgments": {"helpfulness": {"preference": -2}}}
    with pytest.raises(Refused) as refused:
        decide(pair=pair, by=people["Mara"], body=body, reason="No.", seen=0)
    assert refused.value.code == "decided_meanwhile" and "Ada" in refused.value.message
    assert decide(pair=pair, by=people["Mara"], body=body, reason="No.", seen=first.pk)


@pytest.mark.parametrize(
    ("body", "reason", "field"),
    [
        ({"judgments": {"helpfulness": {"preference": 9}}}, "x", "judgments.helpfulness.preference"),
        ({"judgments": {}}, "x", "judgments"),
        ({"judgments": {"helpfulness": {"preference": 1}}}, "  ", "reason"),
        ({"judgments": {"helpfulness": {"preference": 1}}}, "x" * 4001, "reason"),
        ({"judgments": {"helpfulness": {"preference": 1}}, "principle": 99}, "x", "principle"),
        ({"judgments": {"comment": {"text": "x"}}}, "x", "judgments.comment"),
    ],
)
def test_what_is_missing_or_wrong_is_named(
    project: Project, people: dict[str, User], body: Any, reason: str, field: str
) -> None:
    pair = torn(people, make.pair(project))
    with pytest.raises(Refused) as refused:
        decide(pair=pair, by=people["Ada"], body=body, reason=reason)
    assert refused.value.code == "invalid" and field in refused.value.errors
    assert not Adjudication.objects.exists()


# --- many at once -----------------------------------------------------------------------------------


def test_in_bulk_the_crowds_own_choice_is_taken(project: Project, people: dict[str, User]) -> None:
    project.queues.update(overlap=4)
    rest = {name: make.member(project, name, "rater") for name in ("Rita", "Ron")}
    voters = [people["Rui"], people["Rosa"], people["Ruth"], rest["Rita"]]
    leaning, even, safe = make.pairs(project, 3)
    for voter, said in zip(voters, (3, 2, 0, -1), strict=True):
        judge(voter, leaning, helpfulness=said)
    for voter, said in zip(voters, (3, 2, -2, -1), strict=True):
        judge(voter, even, helpfulness=said)
    for voter, said in zip(voters, (True, True, True, False), strict=True):
        judge(voter, safe, helpfulness=1, safe=(said, True))
    look_for_disagreements()
    done = decide_in_bulk(
        project=project, by=people["Ada"], pairs=[leaning.pk, even.pk, safe.pk], reason="As most of them say."
    )
    assert (done.decided, done.left) == ([leaning.pk, safe.pk], [even.pk])
    taken = {(one.pair_id, one.response_id): (one.preference, one.safe) for one in Adjudication.objects.all()}
    verdicts = {(safe.pk, response): (None, True) for response in (safe.first_id, safe.second_id)}
    assert taken == {(leaning.pk, None): (3, None)} | verdicts
    assert all(one.in_bulk and one.reason == "As most of them say." for one in Adjudication.objects.all())
    assert set(Disagreement.objects.values_list("pair", flat=True)) == {even.pk}
    settle(leaning, people["Ada"], -1, "On reading it: no.")  # it can be taken back
    assert Adjudication.objects.get(pair=leaning, current=True).preference == -1
    assert AuditEntry.objects.get(act="pairs.decided").data["pairs"] == [leaning.pk, safe.pk]


def test_what_the_queue_believes_breaks_an_even_split(project: Project, people: dict[str, User]) -> None:
    queue = make.queue(project)
    project.queues.update(stopping="model")
    pair = torn(people, make.pair(project), 2)
    QueuedPair.objects.create(queue=queue, pair=pair, wanted=2, state="contested", first_better=0.7)
    look_for_disagreements()
    assert decide_in_bulk(project=project, by=people["Ada"], pairs=[pair.pk], reason="x").decided == [pair.pk]
    assert Adjudication.objects.get().preference == -2


def test_bulk_has_an_end_a_reason_and_leaves_ones_own(project: Project, people: dict[str, User]) -> None:
    make.member(project, "Rui", "adjudicator")
    pair = torn(people, make.pair(project))
    elsewhere = make.pair(make.project("other", "Other"))
    look_for_disagreements()
    for pairs, reason in (([], "x"), (list(range(MOST_AT_ONCE + 1)), "x"), ([pair.pk], "")):
        with pytest.raises(Refused) as refused:
            decide_in_bulk(project=project, by=people["Ada"], pairs=pairs, reason=reason)
        assert refused.value.code == "invalid"
    done = decide_in_bulk(project=project, by=people["Rui"], pairs=[pair.pk, elsewhere.pk], reason="x")
    assert done.decided == [] and done.left == [pair.pk, elsewhere.pk]


# --- passing on, and looking --------------------------------------------------------------------------


def test_a_pair_is_passed_on_answered_and_decided(project: Project, people: dict[str, User]) -> None:
    pair = torn(people, make.pair(project))
    made = escalate(pair=pair, by=people["Ada"], note="Does rule 3 hold for jokes?")
    assert Disagreement.objects.get().kinds == ["escalated", SPLIT]
    with pytest.raises(Refused) as refused:
        escalate(pair=pair, by=people["Ada"], note="And again")
    assert refused.value.code == "escalated"
    for words in ("", "x" * 2001):
        with pytest.raises(Refused):
            answer_escalation(escalation=made, by=people["Mara"], answer=words)
    answer_escalation(escalation=made, by=people["Mara"], answer="It does.")
    assert Disagreement.objects.get().kinds == [SPLIT]
    with pytest.raises(Refused) as refused:
        answer_escalation(escalation=made, by=people["Mara"], answer="Twice.")
    assert refused.value.code == "answered"
    assert {"pair.escalated", "escalation.answered"} <= set(AuditEntry.objects.values_list("act", flat=True))


def test_who_looks_at_it_is_told_to_others_and_nobody_is_kept_out(project: Project, people: dict[str, User]) -> None:
    first, second = (torn(people, pair) for pair in make.pairs(project, 2))
    look_for_disagreements()
    one = next_for(people["Ada"], project, Chosen(), None)
    assert one is not None and one.pair_id == first.pk
    assert hold(disagreement=one, by=people["Ada"]).held_by == people["Ada"]
    assert hold(disagreement=one, by=people["Mara"]).held_by == people["Ada"]
    other = next_for(people["Mara"], project, Chosen(), None)
    assert other is not None and other.pair_id == second.pk
    assert next_for(people["Ada"], project, Chosen(), None) == one
    assert settle(first, people["Mara"])
