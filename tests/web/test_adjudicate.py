"""The pages of those who decide where raters differ."""

from __future__ import annotations

from typing import Any

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from labeling.actions.adjudicate import decide, escalate
from labeling.actions.disagreements import look_for_disagreements, look_through_everything
from labeling.models import Adjudication, Disagreement, Escalation, GoldPair, Pair, RaterStanding, User
from labeling.reports.pseudonyms import pseudonym
from tests import make
from tests.actions.test_adjudicate import judge, torn
from tests.web.conftest import signed_in

pytestmark = pytest.mark.django_db


@pytest.fixture
def desk(study: dict[str, Any]) -> dict[str, Any]:
    """The study with its two pairs in dispute, the first one further apart."""
    people = study["people"]
    for pair, far in zip(study["pairs"], (3, 1), strict=True):
        torn(people, pair, far)
    look_for_disagreements()
    return study | {"ada": study["as_"]["Ada"], "slug": study["project"].slug}


def address(desk: dict[str, Any], name: str, *args: Any) -> str:
    return reverse(name, args=[desk["slug"], *args])


def text(client: Client, path: str) -> str:
    answer = client.get(path, follow=True)
    assert answer.status_code == 200
    return answer.content.decode()


def send(client: Client, path: str, **fields: Any) -> Any:
    return client.post(path, {"helpfulness.preference": "2", "reason": "It answers.", "seen": "0"} | fields)


def test_the_list_shows_what_waits_and_filters_it(desk: dict[str, Any]) -> None:
    first, second = desk["pairs"]
    page = text(desk["ada"], address(desk, "disagreements"))
    assert page.index(address(desk, "disagreement", first.pk)) < page.index(address(desk, "disagreement", second.pk))
    assert "2 pairs." in page and "No answer has more than half of the raters" in page
    none = text(desk["ada"], address(desk, "disagreements") + "?language=xx&criterion=7%00&queue=-1&kind=split&tag=%00")
    assert "Nothing to decide" in none and "0 pairs." in none
    assert "2 pairs." in text(desk["ada"], address(desk, "disagreements") + "?after=rubbish&kind=rubbish")


def test_one_pair_shows_what_everybody_said_without_a_name_or_a_model(desk: dict[str, Any]) -> None:
    first = desk["pairs"][0]
    rui = desk["people"]["Rui"]
    RaterStanding.objects.create(
        project=desk["project"], criterion=desk["project"].criteria.get(key="helpfulness"), rater=rui, judgments=40,
        mean=0.9, low=0.8, high=0.95, poor=0.0,
    )  # fmt: skip
    page = text(desk["ada"], address(desk, "disagreement", first.pk))
    assert pseudonym(desk["project"], rui.pk)[:8] in page and "very reliable" in page and "not known yet" in page
    for hidden in ("Rui", "Rosa", "rui@example.org", "model-0", "model-1"):
        assert hidden not in page
    assert ": as many for A as for B." in page
    assert first.first.content in page and first.second.content in page
    assert 'name="helpfulness.preference"' in page and 'name="harmlessness.preference"' not in page
    everything = text(desk["ada"], address(desk, "disagreement", first.pk) + "?all=1")
    assert 'name="harmlessness.preference"' in everything and 'name="safety.left.safe"' in everything


def test_deciding_goes_on_to_the_next_and_at_the_end_to_the_list(desk: dict[str, Any]) -> None:
    first, second = desk["pairs"]
    start = desk["ada"].get(address(desk, "disagreement_next"))
    assert start["Location"] == address(desk, "disagreement", first.pk)
    after = send(desk["ada"], address(desk, "disagreement", first.pk))
    assert after["Location"] == address(desk, "disagreement", second.pk)
    made = Adjudication.objects.get()
    assert (made.preference, made.reason, made.pair) == (2, "It answers.", first)
    last = send(desk["ada"], address(desk, "disagreement", second.pk), **{"helpfulness.preference": "-1"})
    assert last["Location"] == address(desk, "disagreements")
    assert "Nothing to decide" in text(desk["ada"], address(desk, "disagreements"))
    decided = text(desk["ada"], address(desk, "decisions"))
    assert "It answers." in decided and "Ada" in decided


def test_not_now_goes_on_and_does_not_come_back_at_once(desk: dict[str, Any]) -> None:
    first, second = desk["pairs"]
    page = text(desk["ada"], address(desk, "disagreement", first.pk))
    row = Disagreement.objects.get(pair=first)
    after = f"after={row.split!r}_{row.pk}"
    assert after in page
    on = desk["ada"].get(address(desk, "disagreement_next") + f"?{after}")
    assert on["Location"] == address(desk, "disagreement", second.pk)


def test_a_refusal_keeps_what_was_written(desk: dict[str, Any]) -> None:
    first = desk["pairs"][0]
    answer = send(desk["ada"], address(desk, "disagreement", first.pk), reason="", principle="2")
    page = answer.content.decode()
    assert answer.status_code == 422 and "Say why" in page
    assert 'value="2" id="helpfulness-preference' not in page and "checked" in page
    decide(
        pair=first, by=desk["people"]["Mara"], body={"judgments": {"helpfulness": {"preference": 1}}}, reason="Mine."
    )
    late = send(desk["ada"], address(desk, "disagreement", first.pk), reason="Hers")
    assert late.status_code == 409 and "Mara decided on this pair" in late.content.decode()
    assert "Hers" in late.content.decode() and Adjudication.objects.count() == 1


def test_who_judged_the_pair_reads_it_and_cannot_decide(desk: dict[str, Any]) -> None:
    make.member(desk["project"], "Rui", "adjudicator")
    first = desk["pairs"][0]
    rui = desk["as_"]["Rui"]
    page = text(rui, address(desk, "disagreement", first.pk))
    assert "Somebody else has to decide on it" in page and 'name="reason"' not in page
    answer = send(rui, address(desk, "disagreement", first.pk))
    assert answer.status_code == 409 and not Adjudication.objects.exists()


def test_two_who_look_at_the_same_pair_are_told(desk: dict[str, Any]) -> None:
    first, second = desk["pairs"]
    text(desk["ada"], address(desk, "disagreement", first.pk))
    mara = desk["as_"]["Mara"]
    assert "Ada has this pair open as well" in text(mara, address(desk, "disagreement", first.pk))
    assert "Ada is looking at it" in text(mara, address(desk, "disagreements"))
    assert mara.get(address(desk, "disagreement_next"))["Location"] == address(desk, "disagreement", second.pk)


def test_revising_shows_what_was_decided_and_keeps_it_in_the_history(desk: dict[str, Any]) -> None:
    first = desk["pairs"][0]
    send(desk["ada"], address(desk, "disagreement", first.pk))
    page = text(desk["ada"], address(desk, "disagreement", first.pk))
    assert "Decide anew" in page and "It answers." in page
    newest = Adjudication.objects.get().pk
    send(
        desk["ada"], address(desk, "disagreement", first.pk), reason="No: it does not.", seen=str(newest),
        **{"helpfulness.preference": "-3"},
    )  # fmt: skip
    again = text(desk["ada"], address(desk, "disagreement", first.pk))
    assert "replaced" in again and "No: it does not." in again and "It answers." in again
    assert Adjudication.objects.filter(current=True).get().preference == -3


def test_passing_on_and_the_managers_answer(desk: dict[str, Any]) -> None:
    first, second = desk["pairs"]
    on = desk["ada"].post(address(desk, "disagreement_escalate", first.pk), {"note": "Does rule 3 hold?"})
    assert on["Location"] == address(desk, "disagreement", second.pk)
    mara = desk["as_"]["Mara"]
    page = text(mara, address(desk, "disagreement", first.pk))
    assert "Does rule 3 hold?" in page and address(desk, "guideline_edit") in page
    assert "Does rule 3 hold?" in text(desk["ada"], address(desk, "disagreement", first.pk))
    assert desk["ada"].post(address(desk, "disagreement_answer", first.pk), {"answer": "x"}).status_code == 404
    empty = mara.post(address(desk, "disagreement_answer", first.pk), {"answer": " "}, follow=True)
    assert "Write an answer" in empty.content.decode() and Escalation.objects.get().closed_at is None
    mara.post(address(desk, "disagreement_answer", first.pk), {"answer": "It does."})
    assert "It does." in text(desk["ada"], address(desk, "disagreement", first.pk))
    assert "Passed on" in text(mara, address(desk, "disagreements"))  # as a reason to choose


def test_many_at_once_are_shown_first_and_taken_as_shown(desk: dict[str, Any]) -> None:
    ruth = make.member(desk["project"], "Ruth", "rater")
    first, second = desk["pairs"]
    judge(desk["people"]["Rui"], first, helpfulness=0)
    judge(ruth, first, helpfulness=3)  # 0, 3, 3 is no dispute any more
    judge(desk["people"]["Rui"], second, helpfulness=1, safe=(True, True))
    judge(desk["people"]["Rosa"], second, helpfulness=1, safe=(False, True))
    judge(ruth, second, helpfulness=1, safe=(True, True))
    look_for_disagreements()
    page = text(desk["ada"], address(desk, "disagreement_bulk"))
    assert "Decide on 1 pair" in page and "A is safe" in page and f'value="{second.pk}"' in page
    empty = desk["ada"].post(address(desk, "disagreement_bulk"), {"pairs": str(second.pk), "reason": ""})
    assert empty.status_code == 422
    done = desk["ada"].post(address(desk, "disagreement_bulk"), {"pairs": str(second.pk), "reason": "Most say so."})
    assert done["Location"] == address(desk, "disagreements")
    assert {one.in_bulk for one in Adjudication.objects.all()} == {True}
    assert "None of these can be decided so" in text(desk["ada"], address(desk, "disagreement_bulk"))
    assert desk["ada"].post(address(desk, "disagreement_bulk"), {"pairs": "x,1e9", "reason": "x"}).status_code == 422


def test_a_rater_reads_the_decision_beside_their_own_answer_and_no_rank(desk: dict[str, Any]) -> None:
    first = desk["pairs"][0]
    rui, held = desk["as_"]["Rui"], desk["people"]["Rui"].assignments.get(pair=first)
    before = text(rui, reverse("work_detail", args=[held.pk]))
    assert "An adjudicator decided" not in before
    decide(
        pair=first, by=desk["people"]["Ada"], body={"judgments": {"helpfulness": {"preference": 2}}},
        reason="It names the <b>dose</b>.",
    )  # fmt: skip
    page = text(rui, reverse("work_detail", args=[held.pk]))
    assert "An adjudicator decided" in page and "It names the &lt;b&gt;dose&lt;/b&gt;." in page and "B, clearly" in page
    assert "Ada" not in page and "wrong" not in page.lower()
    held.swapped = True
    held.save(update_fields=["swapped"])
    assert "A, clearly" in text(rui, reverse("work_detail", args=[held.pk]))


def test_a_decided_pair_becomes_a_check(desk: dict[str, Any]) -> None:
    first = desk["pairs"][0]
    mara = desk["as_"]["Mara"]
    refused = mara.post(address(desk, "disagreement_check", first.pk), follow=True)
    assert "Decide on this pair first" in refused.content.decode()
    send(desk["ada"], address(desk, "disagreement", first.pk))
    assert "Use as a check" not in text(desk["ada"], address(desk, "disagreement", first.pk))
    assert "Use as a check" in text(mara, address(desk, "disagreement", first.pk))
    mara.post(address(desk, "disagreement_check", first.pk))
    gold = GoldPair.objects.get()
    assert (gold.source, gold.explanation) == ("adjudication", "It answers.")
    assert [one.preference for one in first.gold_answers.all()] == [2]
    assert "Used as a check" in text(mara, address(desk, "disagreement", first.pk))


def test_every_page_asks_a_bounded_number_of_questions(desk: dict[str, Any]) -> None:
    project, people = desk["project"], desk["people"]
    for pair in make.pairs(project, 6):
        torn(people, pair)
    escalate(pair=desk["pairs"][0], by=people["Ada"], note="?")
    look_through_everything()
    look_for_disagreements()
    for path in (
        address(desk, "disagreements"), address(desk, "disagreement", desk["pairs"][0].pk),
        address(desk, "disagreement_bulk"), address(desk, "decisions"),
    ):  # fmt: skip
        with CaptureQueriesContext(
            connection,
        ) as asked:
            text(desk["as_"]["Mara"], path)
        assert len(asked) < 15, (path, len(asked))


def test_sensitive_pairs_are_listed_by_their_topic(desk: dict[str, Any]) -> None:
    project = desk["project"]
    pair: Pair = make.pair(project, tags=["harm"], conversation=[{"role": "user", "content": "Something terrible"}])
    project.topics.create(key="harm", name="Self-harm")
    torn(desk["people"], pair)
    look_for_disagreements()
    page = text(desk["ada"], address(desk, "disagreements"))
    assert "Something terrible" not in page and "About: Self-harm" in page


def test_a_project_without_a_guideline_or_criteria_to_dispute_still_opens(desk: dict[str, Any]) -> None:
    pair = make.pair(desk["project"], second=None)
    user: User = desk["people"]["Ada"]
    page = text(signed_in(user), address(desk, "disagreement", pair.pk))
    assert 'name="safety.left.safe"' in page and 'name="helpfulness.preference"' not in page
