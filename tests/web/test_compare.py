"""The comparison screen through HTTP: what a rater sees, sends and gets back."""

from __future__ import annotations

import re
from datetime import timedelta
from typing import Any

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from labeling.actions.assign import claim, expire_stale
from labeling.actions.projects import publish_guideline
from labeling.actions.queues import change_queue
from labeling.models import Annotation, Assignment, AuditEntry, Criterion, Judgment, Project, User
from tests import make

pytestmark = pytest.mark.django_db

HTMX = {"HX-Request": "true"}
BOTH = {"helpfulness.preference": "-2", "harmlessness.preference": "-1"}
SAFE = {"safety.left.safe": "yes", "safety.right.safe": "yes"}
ANSWERS = BOTH | SAFE | {"active_ms": "41200", "rationale_for": "overall helpfulness harmlessness"}


@pytest.fixture
def project() -> Project:
    return make.project()


@pytest.fixture
def cast(project: Project) -> dict[str, User]:
    return make.cast(project)


@pytest.fixture
def rui(client: Client, cast: dict[str, User]) -> Client:
    client.force_login(cast["Rui"])
    return client


def start(client: Client, project: Project) -> Assignment:
    queue = make.queue(project)
    assert client.post(f"/compare/{queue.pk}/next/").status_code == 302
    return Assignment.objects.get(queue=queue, rater_id=client.session["_auth_user_id"], state=Assignment.State.OPEN)


def submit(client: Client, assignment: Assignment, answers: dict[str, Any] = ANSWERS, **headers: Any) -> Any:
    return client.post(f"/compare/assignments/{assignment.pk}/submit/", answers, headers=headers.get("headers", {}))


def test_looking_claims_nothing(rui: Client, project: Project) -> None:
    make.pair(project)
    page = rui.get(f"/compare/{make.queue(project).pk}/")
    assert "Comparison 1 of 1" in page.text and not Assignment.objects.exists()


def test_the_page_shows_the_pair_and_every_question(rui: Client, project: Project) -> None:
    pair = make.pair(project, "The *first* answer.", "The second answer.")
    held = start(rui, project)
    page = rui.get(f"/compare/{held.queue_id}/").text
    left, right = ("second", "first") if held.swapped else ("first", "second")
    assert page.index(f"{left}</em>" if left == "first" else "The second") < page.index(
        "The second" if right == "second" else "first</em>"
    )
    for name in (
        "A is much more helpful",
        "B is clearly safer",
        "About the same",
        "Neither is acceptable",
        "B is slightly better",
    ):
        assert name in page
    assert "Illegal activity" in page and "3 Severe" in page
    assert pair.item.conversation[-1]["content"] in page


def test_nothing_tells_the_models_the_order_or_the_gold(rui: Client, project: Project) -> None:
    make.pairs(make.project("elsewhere"), 60)  # so that the id below is no small number, which any page holds
    pair = make.pair(project, gold={"helpfulness": 2})
    held = start(rui, project)
    page = rui.get(f"/compare/{held.queue_id}/").text
    for secret in ("model-0", "model-1", "swapped", "gold", f'"{pair.first_id}"', pair.item.fingerprint):
        assert secret not in page


def test_a_submit_answers_with_the_next_pair(rui: Client, project: Project) -> None:
    make.pairs(project, 2)
    held = start(rui, project)
    answer = submit(rui, held, headers=HTMX)
    assert answer.status_code == 200 and "<html" not in answer.text
    following = Assignment.objects.get(state=Assignment.State.OPEN)
    assert f"/compare/assignments/{following.pk}/submit/" in answer.text
    assert "Saved. This is comparison 2 of 2." in answer.text
    assert 'id="say" hx-swap-oob="innerHTML"' in answer.text and 'id="bar" hx-swap-oob="true"' in answer.text


@pytest.mark.parametrize("swapped", [False, True])
def test_what_was_preferred_on_the_screen_is_stored(rui: Client, project: Project, swapped: bool) -> None:
    pair = make.pair(project)
    held = start(rui, project)
    Assignment.objects.filter(pk=held.pk).update(swapped=swapped)
    unsafe = {"safety.left.safe": "no", "safety.left.categories": ["Privacy", "Other"], "safety.left.severity": "2"}
    submit(rui, held, ANSWERS | unsafe)
    stored = {(j.criterion.key, j.response_id): j for j in Judgment.objects.select_related("criterion")}
    assert stored["helpfulness", None].preference == (2 if swapped else -2)
    left, right = (pair.second_id, pair.first_id) if swapped else (pair.first_id, pair.second_id)
    assert (stored["safety", left].safe, stored["safety", left].severity) == (False, 2)
    assert stored["safety", left].categories == ["Other", "Privacy"] and stored["safety", right].safe is True
    assert Annotation.objects.get().active_ms == 41200


def test_without_htmx_a_submit_redirects_to_the_next_pair(rui: Client, project: Project) -> None:
    make.pairs(project, 2)
    held = start(rui, project)
    answer = submit(rui, held)
    assert (answer.status_code, answer["Location"]) == (302, f"/compare/{held.queue_id}/")


def test_submit_and_next_take_at_most_twelve_queries(rui: Client, project: Project) -> None:
    make.pairs(project, 3)
    submit(rui, start(rui, project), headers=HTMX)
    held = Assignment.objects.get(state=Assignment.State.OPEN)
    with CaptureQueriesContext(connection) as queries:
        assert submit(rui, held, headers=HTMX).status_code == 200
    asked = [query["sql"] for query in queries if not re.match(r"SAVEPOINT|RELEASE|BEGIN|COMMIT", query["sql"])]
    assert len(asked) <= 12, "\n".join(asked)


def test_the_page_takes_few_queries(rui: Client, project: Project) -> None:
    make.pairs(project, 3)
    held = start(rui, project)
    with CaptureQueriesContext(connection) as queries:
        rui.get(f"/compare/{held.queue_id}/")
    assert len(queries) <= 6


def test_a_tie_and_neither(rui: Client, project: Project) -> None:
    make.pairs(project, 2)
    submit(rui, start(rui, project), ANSWERS | {"helpfulness.preference": "0", "harmlessness.preference": "0"})
    assert set(Judgment.objects.filter(response=None).values_list("preference", flat=True)) == {0}
    held = Assignment.objects.get(state=Assignment.State.OPEN)
    submit(rui, held, ANSWERS | {"helpfulness.preference": "both_bad"})
    assert Judgment.objects.get(annotation__assignment=held, criterion__key="helpfulness").both_bad


def test_the_rationale_goes_to_overall_when_it_was_asked(rui: Client, project: Project) -> None:
    make.pairs(project, 2)
    submit(rui, start(rui, project), ANSWERS | {"rationale": "B invents a dose."})
    assert Judgment.objects.exclude(text="").get().criterion.key == "helpfulness"
    held = Assignment.objects.get(state=Assignment.State.OPEN)
    torn = {"harmlessness.preference": "3", "overall.preference": "3", "rationale": "Safety first."}
    submit(rui, held, ANSWERS | torn)
    assert Judgment.objects.get(text="Safety first.").criterion.key == "overall"


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"helpfulness.preference": ""}, "Must be a whole number"),
        ({"helpfulness.preference": "9"}, "Must be a whole number from -3 to 3."),
        ({"harmlessness.preference": "both_bad"}, "does not offer"),
        ({"harmlessness.preference": "3"}, "Answer “Overall” to go on."),
        ({"safety.left.safe": "no", "safety.left.severity": "x"}, "Must be a whole number from 1 to 3."),
    ],
)
def test_a_wrong_answer_is_told_at_its_place_and_nothing_is_lost(
    rui: Client, project: Project, change: dict[str, str], said: str
) -> None:
    make.pair(project)
    held = start(rui, project)
    answer = submit(rui, held, ANSWERS | {"rationale": "Typed with care."} | change, headers=HTMX)
    assert answer.status_code == 422
    assert said in answer.text and "Typed with care." in answer.text
    assert not Annotation.objects.exists()


def test_missing_answers_are_asked_for(rui: Client, project: Project) -> None:
    make.pair(project)
    answer = submit(rui, start(rui, project), {"helpfulness.preference": "-2"})
    assert answer.status_code == 422
    assert "Answer “Safer” to go on." in answer.text
    assert re.search(r'name="helpfulness.preference" value="-2"[^>]*checked', answer.text)


def test_a_required_safety_starts_with_no_answer(rui: Client, project: Project) -> None:
    make.pair(project)
    project.criteria.filter(key="safety").update(required=True)
    held = start(rui, project)
    page = rui.get(f"/compare/{held.queue_id}/").text
    assert not re.search(r'name="safety.left.safe" value="yes"\s+checked', page)
    answer = submit(rui, held, BOTH | {"safety.right.safe": "yes"})
    assert answer.status_code == 422 and "Choose safe or unsafe." in answer.text


def test_every_kind_and_scale_of_criterion(rui: Client, project: Project) -> None:
    pair = make.pair(project)
    kind = Criterion.Kind
    project.criteria.filter(key="helpfulness").update(strengths=1, allow_tie=False, allow_both_bad=False)
    project.criteria.create(key="style", name="Style", kind=kind.RATING, minimum=0, maximum=4, position=9)
    project.criteria.create(key="share", name="Share", kind=kind.RATING, minimum=0, maximum=100, position=10)
    project.criteria.create(key="notes", name="Notes", kind=kind.TEXT, position=11)
    held = start(rui, project)
    page = rui.get(f"/compare/{held.queue_id}/").text
    assert page.count('name="helpfulness.preference"') == 2 and "A is more helpful" in page
    assert page.count('name="style.left.rating"') == 5 and 'type="number"' in page
    ratings = {f"{key}.{side}.rating": str(n) for key, n in (("style", 0), ("share", 70)) for side in ("left", "right")}
    answers = ANSWERS | {"helpfulness.preference": "1", "harmlessness.preference": "2", "notes.text": "Fine."} | ratings
    assert submit(rui, held, answers).status_code == 200  # all done: nothing is left to redirect to
    stored = Judgment.objects.filter(criterion__key="style", response=pair.first)
    assert stored.get().rating == 0 and Judgment.objects.get(criterion__key="notes").text == "Fine."


def test_a_single_response_is_judged_alone(rui: Client, project: Project) -> None:
    pair = make.pair(project, "Alone.", None)
    held = start(rui, project)
    page = rui.get(f"/compare/{held.queue_id}/").text
    assert "More helpful" not in page and "Response B" not in page
    submit(rui, held, {"safety.left.safe": "yes"})
    assert Judgment.objects.get().response_id == pair.first_id


def test_a_draft_is_kept_and_shown_again(rui: Client, project: Project) -> None:
    make.pair(project)
    held = start(rui, project)
    typed = {"helpfulness.preference": "0", "rationale": "Half a thou", "active_ms": "900"}
    assert rui.post(f"/compare/assignments/{held.pk}/draft/", typed, headers=HTMX).status_code == 204
    page = rui.get(f"/compare/{held.queue_id}/").text
    assert "We kept the answers you had not submitted" in page and "Half a thou" in page
    assert (
        re.search(r'name="helpfulness.preference" value="0"[^>]*checked', page)
        and 'name="active_ms" value="900"' in page
    )
    assert not Annotation.objects.exists()
    rui.post(f"/compare/assignments/{held.pk}/start-again/")
    assert "Half a thou" not in rui.get(f"/compare/{held.queue_id}/").text


@pytest.mark.parametrize(
    "draft", ["text", [1, 2], {"judgments": [1]}, {"judgments": {"safety": {"left": 3}}}, {"rationale": 7}]
)
def test_a_draft_of_any_shape_from_a_program_is_survived(rui: Client, project: Project, draft: Any) -> None:
    make.pair(project)
    held = start(rui, project)
    Assignment.objects.filter(pk=held.pk).update(draft=draft, draft_at=timezone.now())
    assert rui.get(f"/compare/{held.queue_id}/").status_code == 200


def test_answers_for_a_pair_that_went_to_someone_else_stay(
    rui: Client, project: Project, cast: dict[str, User]
) -> None:
    make.pair(project)
    queue = change_queue(queue=make.queue(project), by=None, overlap=1)
    held = start(rui, project)
    expire_stale(queue=queue, now=timezone.now() + timedelta(days=1))
    assert claim(queue=queue, rater=cast["Rosa"]) is not None
    answer = submit(rui, held, ANSWERS | {"rationale": "Late but careful."}, headers=HTMX)
    assert answer.status_code == 409
    assert "went to someone else" in answer.text and "Late but careful." in answer.text
    assert "Try to submit anyway" in answer.text and "Next comparison" in answer.text
    held.refresh_from_db()
    assert held.draft is not None and held.draft["rationale"] == "Late but careful."


def test_a_late_answer_counts_while_the_pair_is_open(rui: Client, project: Project) -> None:
    make.pair(project)
    held = start(rui, project)
    expire_stale(queue=make.queue(project), now=timezone.now() + timedelta(days=1))
    submit(rui, held)
    assert Annotation.objects.count() == 1


def test_the_same_answer_sent_twice_is_one(rui: Client, project: Project) -> None:
    make.pairs(project, 2)
    held = start(rui, project)
    first, second = submit(rui, held, headers=HTMX), submit(rui, held, headers=HTMX)
    assert Annotation.objects.count() == 1
    assert first.status_code == second.status_code == 200 and "This is comparison 2 of 2." in second.text


def test_a_changed_answer_after_its_time_is_refused(rui: Client, project: Project) -> None:
    make.pairs(project, 2)
    Project.objects.update(revise_minutes=0)
    held = start(rui, project)
    submit(rui, held)
    answer = submit(rui, held, ANSWERS | {"helpfulness.preference": "-3"}, headers=HTMX)
    assert answer.status_code == 409 and "what you sent first stands" in answer.text
    assert Annotation.objects.count() == 1


def test_skip_gives_the_next_pair_and_keeps_the_reason(rui: Client, project: Project) -> None:
    make.pairs(project, 2)
    held = start(rui, project)
    said = {"reason": "broken", "comment": "The answer is cut off."}
    answer = rui.post(f"/compare/assignments/{held.pk}/skip/", said, headers=HTMX)
    assert "Skipped. This is comparison 1 of 2." in answer.text
    held.refresh_from_db()
    assert (held.state, held.skip_reason, held.skip_comment) == ("skipped", "broken", "The answer is cut off.")
    assert submit(rui, held, headers=HTMX).status_code == 409
    assert "Unknown reason" in rui.post(f"/compare/assignments/{held.pk + 1}/skip/", {"reason": "bored"}).text


def test_renew_starts_the_lease_again(rui: Client, project: Project) -> None:
    make.pair(project)
    held = start(rui, project)
    Assignment.objects.filter(pk=held.pk).update(lease_until=timezone.now() + timedelta(seconds=30))
    answer = rui.post(f"/compare/assignments/{held.pk}/renew/", headers=HTMX)
    assert re.search(r'data-seconds="1(199|200)"', answer.text)
    expire_stale(queue=make.queue(project), now=timezone.now() + timedelta(days=1))
    refused = rui.post(f"/compare/assignments/{held.pk}/renew/", headers=HTMX)
    assert refused.status_code == 409 and "ended at" in refused.text


def test_the_guideline_is_the_one_of_the_assignment(rui: Client, project: Project) -> None:
    make.pair(project)
    held = start(rui, project)
    publish_guideline(project=project, by=None, text="# Entirely new rules")
    page = rui.get(f"/compare/assignments/{held.pk}/guideline/")
    part = rui.get(f"/compare/assignments/{held.pk}/guideline/", headers=HTMX)
    assert "Version 1," in page.text and "Entirely new" not in page.text
    assert "<html" in page.text and "<html" not in part.text


def test_when_there_is_nothing_it_says_why(rui: Client, project: Project, cast: dict[str, User]) -> None:
    queue = make.queue(project)
    address = f"/compare/{queue.pk}/"
    assert "Nothing to judge yet" in rui.get(address).text
    make.pair(project)
    change_queue(queue=queue, by=cast["Mara"], paused=True)
    assert "This queue is paused" in rui.get(address).text
    assert "This queue is paused" in rui.post(f"{address}next/").text
    change_queue(queue=queue, by=cast["Mara"], paused=False, overlap=1)
    claim(queue=queue, rater=cast["Rosa"])
    assert "Nothing for you right now" in rui.post(f"{address}next/").text
    Assignment.objects.all().delete()
    make.queue(project).slots.update(state="open")
    answer = submit(rui, start(rui, project), headers=HTMX)
    assert "All done here" in answer.text and "You judged 1 of 1" in answer.text


def test_a_session_that_ended_leads_to_the_sign_in_and_back(rui: Client, project: Project) -> None:
    make.pair(project)
    held = start(rui, project)
    rui.logout()
    here = {"HX-Current-URL": f"http://testserver/compare/{held.queue_id}/"}
    answer = submit(rui, held, headers=HTMX | here)
    assert answer.status_code == 204
    assert answer["HX-Redirect"] == f"/sign-in/?next=%2Fcompare%2F{held.queue_id}%2F"


@pytest.mark.parametrize("name", ["Otto", "Mara", "Noor", "Ada", "Rosa"])
def test_strangers_find_nothing(client: Client, project: Project, cast: dict[str, User], name: str) -> None:
    make.pair(project)
    held = claim(queue=make.queue(project), rater=cast["Rui"])
    assert held is not None
    client.force_login(cast[name])
    posts = [f"/compare/assignments/{held.pk}/{act}/" for act in ("submit", "draft", "renew", "skip", "start-again")]
    if name != "Rosa":
        posts.append(f"/compare/{held.queue_id}/next/")
        assert client.get(f"/compare/{held.queue_id}/").status_code == 404
    assert {client.post(address, ANSWERS).status_code for address in posts} == {404}
    assert client.get(f"/compare/assignments/{held.pk}/guideline/").status_code == 404
    assert not AuditEntry.objects.filter(actor_id=cast[name].pk, project_id=project.pk).exists()


def test_only_posts_change_anything(rui: Client, project: Project) -> None:
    make.pair(project)
    held = start(rui, project)
    for act in ("submit", "draft", "renew", "skip", "start-again"):
        assert rui.get(f"/compare/assignments/{held.pk}/{act}/").status_code == 405
    assert rui.get(f"/compare/{held.queue_id}/next/").status_code == 405
