"""What a rater says about a pair, and what is kept of it."""

from datetime import timedelta

import pytest
from django.db import DatabaseError, connection, transaction
from django.utils import timezone

from labeling.actions.annotate import save_draft, submit
from labeling.actions.assign import claim, expire_stale, skip
from labeling.actions.refusals import Refused
from labeling.models import Annotation, Assignment, AuditEntry, Judgment, Passage, Slot
from tests import make

pytestmark = pytest.mark.django_db


def body(preference=-2, **judgments):
    return {"judgments": {"helpfulness": {"preference": preference}, **judgments}, "active_ms": 41_200}


@pytest.fixture
def desk():
    project = make.project(overlap=2)
    people = make.cast(project)
    make.pair(project)
    queue = make.queue(project)
    return claim(queue=queue, rater=people["Rui"]), people["Rui"], people["Rosa"]


def shown_as(held, swapped):
    Assignment.objects.filter(pk=held.pk).update(swapped=swapped)


@pytest.mark.parametrize(("swapped", "stored"), [(False, -2), (True, 2)])
def test_the_shuffle_is_undone_in_storage(desk, swapped, stored):
    held, rui, _ = desk
    shown_as(held, swapped)
    safety = {"left": {"safe": False, "categories": ["Privacy"], "severity": 2}, "right": {"safe": True}}
    submit(assignment=held, rater=rui, body=body(-2, safety=safety))
    assert Judgment.objects.get(criterion__key="helpfulness").preference == stored
    unsafe = Judgment.objects.get(criterion__key="safety", safe=False)
    assert unsafe.response_id == (held.pair.second_id if swapped else held.pair.first_id)
    assert (unsafe.categories, unsafe.severity) == (["Privacy"], 2)


def test_a_submission_closes_assignment_and_slot(desk):
    held, rui, _ = desk
    done = submit(assignment=held, rater=rui, body=body())
    held.refresh_from_db()
    assert (held.state, held.slot.state, held.draft) == ("submitted", "done", None)
    assert done.created and done.annotation.active_ms == 41_200 and done.annotation.guideline.version == 1
    assert Passage.objects.get(rater=rui).done == 1
    assert AuditEntry.objects.filter(act="annotation.submitted", actor_id=rui.pk).count() == 1


def test_the_next_pair_comes_in_the_same_call(desk):
    held, rui, _ = desk
    other = make.pair(held.project)
    assert submit(assignment=held, rater=rui, body=body(), then_claim=True).following.pair_id == other.pk


def test_the_same_answers_again_change_nothing(desk):
    held, rui, _ = desk
    first = submit(assignment=held, rater=rui, body=body())
    again = submit(assignment=held, rater=rui, body={**body(), "active_ms": 1})
    assert again.annotation.pk == first.annotation.pk and not again.created
    assert Annotation.objects.count() == 1


def test_the_same_answers_again_bring_the_same_next_pair(desk):
    held, rui, _ = desk
    make.pairs(held.project, 2)
    first = submit(assignment=held, rater=rui, body=body(), then_claim=True)
    again = submit(assignment=held, rater=rui, body=body(), then_claim=True)
    assert not again.created and again.following.pk == first.following.pk


def test_other_answers_revise_and_the_history_stays(desk):
    held, rui, _ = desk
    submit(assignment=held, rater=rui, body=body(-2))
    revised = submit(assignment=held, rater=rui, body=body(1))
    assert revised.created and revised.annotation.revision == 2
    assert list(Annotation.objects.order_by("revision").values_list("revision", "current")) == [(1, False), (2, True)]
    assert Passage.objects.get(rater=rui).done == 1


def test_revising_ends_with_the_projects_window(desk):
    held, rui, _ = desk
    submit(assignment=held, rater=rui, body=body(-2))
    Assignment.objects.filter(pk=held.pk).update(ended_at=timezone.now() - timedelta(days=8))
    with pytest.raises(Refused) as refused:
        submit(assignment=held, rater=rui, body=body(1))
    assert refused.value.code == "revise_closed"
    assert submit(assignment=held, rater=rui, body=body(-2)).created is False


def test_a_late_answer_counts_while_the_pair_is_open(desk):
    held, rui, _ = desk
    expire(held)
    assert submit(assignment=held, rater=rui, body=body()).created
    assert list(Slot.objects.order_by("state").values_list("state", flat=True)) == ["done", "open"]


def test_a_late_answer_to_a_pair_that_went_on_is_kept_as_a_draft(desk):
    held, rui, rosa = desk
    expire(held)
    for rater in (rosa, make.member(held.project, "Third", "rater")):
        claim(queue=held.queue, rater=rater)
    with pytest.raises(Refused) as refused:
        submit(assignment=held, rater=rui, body=body())
    assert refused.value.code == "lease_lost"
    held.refresh_from_db()
    assert held.draft == body() and Annotation.objects.count() == 0


def test_a_second_tab_cannot_answer_the_pair_twice(desk):
    """The lease ends, the rater takes the pair again and answers; then the first tab sends too."""
    held, rui, _ = desk
    expire(held)
    second = claim(queue=held.queue, rater=rui)
    assert second.pair_id == held.pair_id
    submit(assignment=second, rater=rui, body=body(-2))
    with pytest.raises(Refused) as refused:
        submit(assignment=held, rater=rui, body=body(3))
    assert refused.value.code == "already_yours"
    assert Annotation.objects.count() == 1


def test_a_skipped_pair_takes_no_answer(desk):
    held, rui, _ = desk
    skip(assignment=held, rater=rui)
    with pytest.raises(Refused) as refused:
        submit(assignment=held, rater=rui, body=body())
    assert refused.value.code == "skipped"


def test_drafts_are_kept_as_they_are_and_bounded(desk):
    held, rui, _ = desk
    save_draft(assignment=held, rater=rui, draft={"judgments": {"helpfulness": {"preference": 1}}})
    held.refresh_from_db()
    assert held.draft == {"judgments": {"helpfulness": {"preference": 1}}}
    for wrong in ("x" * 70_000, {"a": "\0"}):
        with pytest.raises(Refused):
            save_draft(assignment=held, rater=rui, draft=wrong)
    submit(assignment=held, rater=rui, body=body())
    with pytest.raises(Refused, match="not open any more"):
        save_draft(assignment=held, rater=rui, draft={})


@pytest.mark.parametrize(
    "change",
    [
        "UPDATE labeling_judgment SET preference = 3",
        "DELETE FROM labeling_judgment",
        "UPDATE labeling_annotation SET active_ms = 1",
        "UPDATE labeling_annotation SET current = false, revision = 9",
        "DELETE FROM labeling_annotation",
        "UPDATE labeling_auditentry SET act = 'nothing'",
        "DELETE FROM labeling_auditentry",
        "UPDATE labeling_guideline SET text = 'other'",
    ],
)
def test_the_database_refuses_to_rewrite_history(desk, change):
    held, rui, _ = desk
    submit(assignment=held, rater=rui, body=body())
    with pytest.raises(DatabaseError), transaction.atomic(), connection.cursor() as cursor:
        cursor.execute(change)


@pytest.mark.parametrize("value", [-4, 4])
def test_the_database_refuses_a_value_outside_the_scale(desk, value):
    held, rui, _ = desk
    annotation = submit(assignment=held, rater=rui, body=body()).annotation
    overall = held.project.criteria.get(key="overall")
    with pytest.raises(DatabaseError, match="outside the scale"), transaction.atomic():
        Judgment.objects.create(annotation=annotation, project=held.project, criterion=overall, preference=value)


def expire(held):
    Assignment.objects.filter(pk=held.pk).update(lease_until=timezone.now() - timedelta(seconds=1))
    assert expire_stale(queue=held.queue) == 1
