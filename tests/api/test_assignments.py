"""The rater's loop over HTTP: claim, draft, submit, skip."""

from datetime import timedelta

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from labeling.actions.assign import expire_stale
from labeling.actions.guidelines import publish_guideline
from labeling.actions.queues import change_queue
from labeling.models import Annotation, Assignment, Judgment, Membership, Project
from tests import make

pytestmark = pytest.mark.django_db
BODY = {"judgments": {"helpfulness": {"preference": -2}}, "active_ms": 41200}
OTHER = {"judgments": {"helpfulness": {"preference": 1}}}


def claim(study, name="Rui"):
    return study["api"][name].post(f"/queues/{study['queue'].pk}/claim/").json()


def submit(study, assignment, body=None, name="Rui", then=""):
    return study["api"][name].post(f"/assignments/{assignment['id']}/annotation/{then}", BODY if body is None else body)


def test_an_assignment_has_exactly_what_a_rater_may_see(study):
    got = claim(study)
    assert got.keys() == {
        "id", "expires_at", "language", "conversation", "left", "right", "criteria", "guideline", "draft",
        "instrument", "own_words",
    }  # fmt: skip
    assert got["left"].keys() == got["right"].keys() == {"content"}
    assert got["guideline"] == {"version": 1} and got["draft"] is None
    assert got["conversation"][0].keys() == {"role", "content"}
    assignment = Assignment.objects.get()
    left, right = assignment.pair.first.content, assignment.pair.second.content
    assert [got["left"]["content"], got["right"]["content"]] == ([right, left] if assignment.swapped else [left, right])


def test_no_model_no_order_no_gold_reaches_a_rater(study):
    make.pair(study["project"], gold={"helpfulness": 2}, metadata={"secret": "deep-thought"}, external_id="known-42")
    Project.objects.update()
    for _ in range(3):
        answer = study["api"]["Rui"].post(f"/queues/{study['queue'].pk}/claim/")
        text = answer.content.decode()
        for hidden in ("model-0", "model-1", "swapped", "gold", "deep-thought", "known-42", "first", "second"):
            assert hidden not in text.replace("First answer", "").replace("Second answer", ""), hidden
        submit(study, answer.json())


def test_a_single_response_is_on_the_left(study):
    study["queue"].slots.all().delete()
    make.pair(study["project"], second=None)
    assert claim(study)["right"] is None


def test_claiming_again_returns_the_open_one_and_nothing_left_is_204(study):
    first = claim(study)
    assert claim(study)["id"] == first["id"]
    submit(study, first)
    submit(study, claim(study))
    answer = study["api"]["Rui"].post(f"/queues/{study['queue'].pk}/claim/")
    assert (answer.status_code, answer.content) == (204, b"")


def test_a_paused_queue_has_nothing(study):
    change_queue(queue=study["queue"], by=None, paused=True)
    assert study["api"]["Rui"].post(f"/queues/{study['queue'].pk}/claim/").status_code == 204


@pytest.mark.parametrize("name", ["Mara", "Noor", "Ada", "Otto"])
def test_only_raters_claim(study, name):
    assert study["api"][name].post(f"/queues/{study['queue'].pk}/claim/").status_code == 404


def test_submit_stores_and_sending_again_changes_nothing(study):
    got = claim(study)
    first = submit(study, got)
    assert first.status_code == 201 and first.json()["revision"] == 1
    again = submit(study, got)
    assert again.status_code == 200 and again.json() == first.json()
    assert Annotation.objects.count() == 1
    judgment = Judgment.objects.get()
    assert judgment.preference == (2 if Assignment.objects.get().swapped else -2)


def test_other_answers_are_a_revision_while_it_is_allowed(study):
    got = claim(study)
    submit(study, got)
    changed = submit(study, got, OTHER)
    assert changed.status_code == 201 and changed.json()["revision"] == 2
    Project.objects.update(revise_minutes=0)
    late = submit(study, got)
    assert late.status_code == 409 and late.json()["code"] == "revise_closed"


def test_a_body_that_says_what_it_revises_is_safe_to_send_at_any_time(study):
    assignment = claim(study)
    assert submit(study, assignment, BODY | {"revises": 0}).status_code == 201
    assert submit(study, assignment, OTHER | {"revises": 1}).json()["revision"] == 2
    for old in (BODY | {"revises": 0}, OTHER | {"revises": 1}):
        again = submit(study, assignment, old)
        assert again.status_code == 200 and again.json()["revision"] == 2
    for outdated in (OTHER | {"revises": 0}, BODY | {"revises": 1}):
        refused = submit(study, assignment, outdated)
        assert refused.status_code == 409 and refused.json()["code"] == "answered_already"
    assert submit(study, assignment, BODY | {"revises": 3}).status_code == 400
    assert Annotation.objects.count() == 2


def test_screen_and_hand_are_optional_and_checked(study):
    assignment = claim(study)
    for odd in ({"viewport": "wall"}, {"pointer": "nose"}, {"pointer": 3}, {"revises": "first"}, {"revises": -1}):
        refused = submit(study, assignment, BODY | odd)
        assert refused.status_code == 400 and refused.json()["errors"].keys() == odd.keys()
    assert submit(study, assignment, BODY | {"viewport": "tablet", "pointer": "touch"}).status_code == 201
    assert Annotation.objects.values_list("viewport", "pointer").get() == ("tablet", "touch")


def test_the_next_pair_comes_in_the_same_round_trip(study):
    got = claim(study)
    both = submit(study, got, then="?claim=next")
    assert both.status_code == 201
    assert both.json()["annotation"]["assignment"] == got["id"]
    following = both.json()["next"]
    assert following["id"] != got["id"] and following.keys() == got.keys()
    assert submit(study, got, then="?claim=next").json()["next"]["id"] == following["id"], (
        "sent again after a lost reply"
    )
    assert submit(study, following, then="?claim=next").json()["next"] is None


def test_submit_and_claim_take_at_most_twelve_queries(study):
    make.pairs(study["project"], 3)
    got = submit(study, claim(study), then="?claim=next").json()["next"]
    with CaptureQueriesContext(connection) as queries:
        answer = submit(study, got, then="?claim=next")
    assert answer.json()["next"] is not None
    statements = [one["sql"] for one in queries if "SAVEPOINT" not in one["sql"]]
    assert len(statements) <= 12, "\n".join(statements)


def test_a_claim_takes_at_most_seven_queries(study):
    study["api"]["Rui"].get("/projects/")
    with CaptureQueriesContext(connection) as queries:
        claim(study)
    statements = [one["sql"] for one in queries if "SAVEPOINT" not in one["sql"]]
    assert len(statements) <= 7, "\n".join(statements)


@pytest.mark.parametrize(
    ("body", "path"),
    [
        ({"judgments": {"helpfulness": {"preference": 4}}}, "judgments.helpfulness.preference"),
        ({"judgments": {"helpfulness": {"preference": True}}}, "judgments.helpfulness.preference"),
        ({"judgments": {"kindness": {"preference": 1}}}, "judgments.kindness"),
        ({"judgments": {"safety": {"left": {"safe": True}}}}, "judgments.safety.right"),
        ({"judgments": {}}, "judgments"),
        ({}, "judgments"),
        ({**BODY, "active_ms": -1}, "active_ms"),
        ({**BODY, "rater": "Rosa"}, "rater"),
    ],
)
def test_wrong_answers_are_named_by_path_and_nothing_is_stored(study, body, path):
    got = claim(study)
    answer = submit(study, got, body)
    assert answer.status_code == 400 and path in answer.json()["errors"]
    assert not Annotation.objects.exists()


def test_any_other_claim_parameter_is_refused(study):
    assert submit(study, claim(study), then="?claim=all").json()["errors"].keys() == {"claim"}
    assert not Annotation.objects.exists()


def test_a_draft_is_kept_and_comes_back_with_the_claim(study):
    got, api = claim(study), study["api"]["Rui"]
    assert (
        api.put(f"/assignments/{got['id']}/draft/", {"judgments": {"helpfulness": {"preference": 1}}}).status_code
        == 204
    )
    assert claim(study)["draft"] == {"judgments": {"helpfulness": {"preference": 1}}}
    assert api.put(f"/assignments/{got['id']}/draft/", {"x": "y" * 70_000}).json()["code"] == "invalid"
    assert api.put(f"/assignments/{got['id']}/draft/", ["list"]).status_code == 400
    submit(study, got)
    assert api.put(f"/assignments/{got['id']}/draft/", {}).json()["code"] == "not_open"


def test_renew_starts_the_lease_again(study):
    got = claim(study)
    soon = timezone.now() + timedelta(seconds=5)
    Assignment.objects.update(lease_until=soon)
    answer = study["api"]["Rui"].post(f"/assignments/{got['id']}/renew/")
    assert answer.status_code == 200 and answer.json()["state"] == "open"
    assert Assignment.objects.get().lease_until > soon


def test_release_gives_the_pair_back(study):
    got, api = claim(study), study["api"]["Rui"]
    assert api.post(f"/assignments/{got['id']}/release/").json() == {
        "id": got["id"],
        "state": "released",
        "expires_at": None,
    }
    answer = api.post(f"/assignments/{got['id']}/renew/")
    assert answer.status_code == 409 and answer.json()["code"] == "released"


def test_skip_with_a_reason(study):
    got, api = claim(study), study["api"]["Rui"]
    answer = api.post(f"/assignments/{got['id']}/skip/", {"reason": "language", "comment": "French"})
    assert answer.json()["state"] == "skipped"
    kept = Assignment.objects.get()
    assert (kept.skip_reason, kept.skip_comment) == ("language", "French")
    assert submit(study, got).json()["code"] == "skipped"
    assert claim(study)["id"] != got["id"]


def test_skip_without_a_body_and_with_a_wrong_reason(study):
    got, api = claim(study), study["api"]["Rui"]
    assert "reason" in api.post(f"/assignments/{got['id']}/skip/", {"reason": "lazy"}).json()["errors"]
    assert "why" in api.post(f"/assignments/{got['id']}/skip/", {"why": "x"}).json()["errors"]
    assert api.post(f"/assignments/{got['id']}/skip/").json()["state"] == "skipped"


def test_a_submitted_pair_is_not_given_back(study):
    got, api = claim(study), study["api"]["Rui"]
    submit(study, got)
    for verb in ("renew", "release", "skip"):
        answer = api.post(f"/assignments/{got['id']}/{verb}/")
        assert answer.status_code == 409 and answer.json()["code"] == "already_submitted"


def test_late_is_kept_as_a_draft_when_the_pair_went_to_others(study):
    got = claim(study)
    Assignment.objects.update(lease_until=timezone.now() - timedelta(seconds=1))
    expire_stale(queue=study["queue"])
    pair = Assignment.objects.get(pk=got["id"]).pair
    study["queue"].slots.filter(pair=pair).update(state="done")
    answer = submit(study, got)
    assert answer.status_code == 409 and answer.json()["code"] == "lease_lost"
    assert Assignment.objects.get(pk=got["id"]).draft == BODY


def test_an_expired_assignment_still_counts_while_the_pair_is_open(study):
    got = claim(study)
    Assignment.objects.update(lease_until=timezone.now() - timedelta(seconds=1))
    expire_stale(queue=study["queue"])
    assert submit(study, got).status_code == 201


CALLS = [("post", "renew"), ("post", "release"), ("post", "skip"), ("put", "draft"), ("post", "annotation")]


@pytest.mark.parametrize(("method", "verb"), CALLS)
@pytest.mark.parametrize("name", ["Rosa", "Mara", "Noor", "Otto"])
def test_anothers_assignment_is_not_there(study, method, verb, name):
    got = claim(study)
    assert getattr(study["api"][name], method)(f"/assignments/{got['id']}/{verb}/", BODY).status_code == 404
    assert Assignment.objects.get().state == "open"


def test_who_is_no_rater_any_more_cannot_submit(study):
    got = claim(study)
    Membership.objects.filter(user=study["people"]["Rui"]).delete()
    assert submit(study, got).status_code == 404


def test_the_principle_that_decided_is_stored_and_part_of_the_answer(study):
    assignment = claim(study)
    first = submit(study, assignment, BODY | {"principle": 6})
    assert first.status_code == 201 and Annotation.objects.get().principle == 6
    assert submit(study, assignment, BODY | {"principle": 6}).json() == first.json()
    assert submit(study, assignment, BODY | {"principle": None}).json()["revision"] == 2
    assert submit(study, assignment, BODY).status_code == 200
    assert submit(study, assignment, BODY | {"principle": 2}).json()["revision"] == 3


@pytest.mark.parametrize("odd", [8, 0, -1, "6", 6.0, True, [6], {}])
def test_a_principle_that_the_version_does_not_have(study, odd):
    answer = submit(study, claim(study), BODY | {"principle": odd})
    assert answer.status_code == 400
    said = "Not a principle of version 1 of the guideline, which has: 1, 2, 3, 4, 5, 6, 7."
    assert answer.json()["errors"] == {"principle": said}
    assert not Annotation.objects.exists()


def test_the_principles_are_those_of_the_version_that_was_claimed(study):
    assignment = claim(study)
    publish_guideline(project=study["project"], by=None, text="9. The only one.")
    assert submit(study, assignment, BODY | {"principle": 9}).status_code == 400
    assert submit(study, assignment, BODY | {"principle": 7}).status_code == 201
    following = claim(study)
    assert following["guideline"] == {"version": 2}
    assert submit(study, following, BODY | {"principle": 9}).status_code == 201
    publish_guideline(project=study["project"], by=None, text="No numbers here.")
    make.pair(study["project"])
    refused = submit(study, claim(study), BODY | {"principle": 1}).json()["errors"]
    assert refused == {"principle": "The guideline that this pair is judged under has no numbered principles."}
