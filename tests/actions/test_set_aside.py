"""Setting a rater's judgments aside, and bringing them back: exactly as many answers as were wanted, always."""

from __future__ import annotations

from typing import Any

import pytest

from labeling.actions.annotate import submit
from labeling.actions.assign import claim
from labeling.actions.queues import change_queue
from labeling.actions.refusals import Refused
from labeling.actions.set_aside import lift, set_aside
from labeling.actions.withdrawals import withdraw_rater
from labeling.models import Annotation, Assignment, Project, Queue, Slot, User
from labeling.reports.progress import queue_progress
from labeling.reports.set_aside import counted_of, effect_of
from tests import make
from tests.web.conftest import signed_in

pytestmark = pytest.mark.django_db
BODY: dict[str, Any] = {"judgments": {"helpfulness": {"preference": 1}}}


@pytest.fixture
def project() -> Project:
    made = make.project(overlap=2)
    make.cast(made)
    make.pairs(made, 3)
    return made


@pytest.fixture
def queue(project: Project) -> Queue:
    return make.queue(project)


def person(name: str) -> User:
    return User.objects.get(name=name)


def judge(queue: Queue, name: str) -> int:
    """Everything there is for this person. Returns how many."""
    rater, done = person(name), 0
    while (held := claim(queue=queue, rater=rater)) is not None:
        submit(assignment=held, rater=rater, body=BODY)
        done += 1
    return done


def slots(queue: Queue) -> dict[str, int]:
    found: dict[str, int] = {}
    for state in Slot.objects.filter(queue=queue).values_list("state", flat=True):
        found[state] = found.get(state, 0) + 1
    return found


def aside(project: Project, name: str = "Rui") -> Any:
    return set_aside(project=project, rater=person(name), by=person("Mara"), note="in a hurry")


def test_its_pairs_get_other_answers_and_nobody_is_asked_twice(project: Project, queue: Queue) -> None:
    assert judge(queue, "Rui") == judge(queue, "Rosa") == 3
    effect = effect_of(project, person("Rui"))
    assert (effect.judged, effect.total, {one.left for one in effect.reopens}) == (3, 3, {1})
    made = aside(project)
    assert (made.why, made.closes, made.note) == ("rater", False, "in a hurry")
    assert slots(queue) == {"open": 3, "done": 3}
    assert queue_progress([queue])[0].pairs_done == 0
    assert judge(queue, "Rui") == 0 == judge(queue, "Rosa")
    make.member(project, "Ida", "rater")
    assert judge(queue, "Ida") == 3
    assert slots(queue) == {"done": 6}


def test_lifted_they_take_open_slots_again(project: Project, queue: Queue) -> None:
    judge(queue, "Rui")
    judge(queue, "Rosa")
    made = aside(project)
    make.member(project, "Ida", "rater")
    held = claim(queue=queue, rater=person("Ida"))
    assert held is not None
    submit(assignment=held, rater=person("Ida"), body=BODY)
    lift(withdrawal=made, by=person("Mara"))
    assert slots(queue) == {"done": 6}, "no slot is left over"
    assert counted_of(project, person("Rui")).count() == 3
    assert Assignment.objects.filter(rater__name="Rui", slot=None).count() == 1, "one counts beyond what was wanted"
    assert judge(queue, "Ida") == 0
    with pytest.raises(Refused, match="already"):
        lift(withdrawal=made, by=person("Mara"))


def test_what_is_held_while_it_is_lifted_is_left_alone(project: Project, queue: Queue) -> None:
    judge(queue, "Rui")
    judge(queue, "Rosa")
    made = aside(project)
    make.member(project, "Ida", "rater")
    held = claim(queue=queue, rater=person("Ida"))
    lift(withdrawal=made, by=person("Mara"))
    assert held is not None and slots(queue) == {"done": 5, "leased": 1}
    submit(assignment=held, rater=person("Ida"), body=BODY)
    assert slots(queue) == {"done": 6}


def test_a_smaller_overlap_is_not_made_up(project: Project, queue: Queue) -> None:
    judge(queue, "Rui")
    judge(queue, "Rosa")
    change_queue(queue=queue, by=None, overlap=1)
    assert effect_of(project, person("Rui")).total == 0
    aside(project)
    assert slots(queue) == {"done": 3}


def test_closed_queues_stay_as_they_are(project: Project, queue: Queue) -> None:
    judge(queue, "Rui")
    Queue.objects.filter(pk=queue.pk).update(closed_at=project.created_at)
    assert effect_of(project, person("Rui")).total == 0
    aside(project)
    assert slots(queue)["done"] == 3


def test_who_comes_back_can_be_set_aside_again(project: Project, queue: Queue) -> None:
    judge(queue, "Rui")
    first = aside(project)
    with pytest.raises(Refused, match="no judgments that count"):
        aside(project)
    make.pairs(project, 2)
    assert judge(queue, "Rui") == 2
    aside(project)
    assert counted_of(project, person("Rui")).count() == 0
    lift(withdrawal=first, by=person("Mara"))
    assert counted_of(project, person("Rui")).count() == 0, "the later one covers them as well"
    assert not Assignment.objects.filter(rater__name="Rui").exclude(slot=None).exists()


def test_somebody_without_judgments_is_refused(project: Project) -> None:
    with pytest.raises(Refused):
        aside(project, "Ada")


def test_what_a_withdrawal_of_old_did_can_be_lifted_too(project: Project, queue: Queue) -> None:
    judge(queue, "Rui")
    made = withdraw_rater(project=project, rater=person("Rui"), by=person("Mara"))
    lift(withdrawal=made, by=person("Mara"))
    assert counted_of(project, person("Rui")).count() == 3 and slots(queue) == {"done": 3, "open": 3}


def test_the_pages_preview_do_and_bring_back(project: Project, queue: Queue) -> None:
    judge(queue, "Rui")
    rui, mara = person("Rui"), signed_in(person("Mara"))
    path = f"/projects/{project.slug}/raters/{rui.pk}/set-aside/"
    page = mara.get(path).text
    assert "3 judged pairs do not count any more" in page and "3 pairs are asked of somebody else:" in page
    page = mara.post(path, {"note": "left side only", "pause": "on"}, follow=True).text
    assert "left side only" in page and "No known answers to go by." in page
    assert Annotation.objects.filter(rater=rui).count() == 3, "nothing is deleted"
    withdrawal = project.withdrawals.get()
    page = mara.post(f"/withdrawals/{withdrawal.pk}/lift/", follow=True).text
    assert "The judgments count again." in page and "left side only" not in page
    refused = mara.post(path, {})
    assert refused.status_code == 302
    assert mara.post(path, {}).status_code == 422


def test_pausing_asks_why_and_goes_back(project: Project, queue: Queue) -> None:
    rui, mara = person("Rui"), signed_in(person("Mara"))
    path = f"/projects/{project.slug}/raters/{rui.pk}"
    assert mara.get(f"{path}/pause/?next=/projects/{project.slug}/people/").status_code == 200
    answer = mara.post(f"{path}/pause/", {"why": "Let us talk.", "next": f"/projects/{project.slug}/people/"})
    assert answer["Location"] == f"/projects/{project.slug}/people/"
    answer = mara.post(f"{path}/pause/", {"next": "https://elsewhere.example/"})
    assert answer["Location"] == f"/projects/{project.slug}/paused/", "never to another site"
    page = signed_in(rui).get(f"/compare/{queue.pk}/", follow=True).text
    assert "Let us talk." in page and claim(queue=queue, rater=rui) is None
    assert "is not paused" not in mara.post(f"{path}/resume/", follow=True).text
    assert "is not paused" in mara.post(f"{path}/resume/", follow=True).text
    mara.post(f"{path}/warn/")
    assert "differed from what is known" in signed_in(rui).get("/").text
    assert mara.post(f"/projects/{project.slug}/raters/{person('Otto').pk}/warn/").status_code == 404
