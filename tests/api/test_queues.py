"""All rules of a queue over HTTP, and what a claim says to whom it gives nothing."""

import pytest
from django.utils import timezone

from labeling.models import Participation, Queue
from tests import make

pytestmark = pytest.mark.django_db
RULES = {
    "languages": ["en"], "tags": ["law"], "categories": ["health"], "pairing": "informative", "raters": [],
    "role": "adjudicator", "speaks": True, "qualified": True, "least_reliability": 0.7, "daily_pairs": 30,
    "stopping": "model", "overlap": 4, "criterion": "overall", "least": 1, "most": 6, "sure": 0.9,
    "trusted_singles": True, "audit_percent": 8, "audit_overlap": 4, "gold_percent": 3, "repeat_percent": 2,
    "repeat_after_days": 9, "order": "oldest", "priority": -2, "lease_seconds": 90, "blur_images": True,
    "paused": True,
}  # fmt: skip


def test_every_rule_is_made_read_and_changed(study):
    mara = study["api"]["Mara"]
    made = mara.post("/projects/advice/queues/", {"name": "Careful", **RULES, "raters": ["rui@example.org"]})
    assert made.status_code == 201, made.json()
    shape = made.json()
    assert {name: shape[name] for name in RULES} == RULES | {"raters": ["rui@example.org"]}
    assert mara.get(f"/queues/{shape['id']}/").json() == shape
    usual = {"criterion": None, "least_reliability": None, "role": "", "raters": [], "tags": [], "stopping": "fixed"}
    changed = mara.patch(f"/queues/{shape['id']}/", usual).json()
    assert {name: changed[name] for name in usual} == usual and changed["gold_percent"] == 3


def test_a_queue_is_closed_and_opened_again(study):
    mara, queue = study["api"]["Mara"], study["queue"]
    shut = mara.patch(f"/queues/{queue.pk}/", {"closed": True}).json()
    assert shut["closed"] and shut["closed_at"]
    said = study["api"]["Rui"].post(f"/queues/{queue.pk}/claim/")
    assert (said.status_code, said.json()["code"]) == (409, "queue_closed")
    assert mara.patch(f"/queues/{queue.pk}/", {"closed": False}).json()["closed_at"] is None
    assert study["api"]["Rui"].post(f"/queues/{queue.pk}/claim/").status_code == 200


@pytest.mark.parametrize(
    ("rules", "field"),
    [
        ({"raters": ["noor@example.org"]}, "raters"),
        ({"criterion": "safety"}, "criterion"),
        ({"batches": [1]}, "batches"),
        ({"least": 9}, "least"),
        ({"sure": 1}, "sure"),
        ({"role": "rater"}, "role"),
        ({"gold_percent": 51}, "gold_percent"),
        ({"qualifed": True}, "qualifed"),
    ],
)
def test_what_is_wrong_is_named(study, rules, field):
    answer = study["api"]["Mara"].patch(f"/queues/{study['queue'].pk}/", rules)
    assert (answer.status_code, answer.json()["code"]) == (400, "invalid") and field in answer.json()["errors"]
    assert Queue.objects.get().least == 2


def test_raters_do_not_learn_whom_a_queue_is_for_or_what_is_mixed_in(study):
    study["api"]["Mara"].patch(f"/queues/{study['queue'].pk}/", {"gold_percent": 5, "raters": ["rui@example.org"]})
    [seen] = study["api"]["Rui"].get("/projects/advice/").json()["queues"]
    assert not seen.keys() & {"gold_percent", "raters", "repeat_percent"}
    assert study["api"]["Rui"].get(f"/queues/{study['queue'].pk}/").status_code == 404


def test_a_claim_says_why_there_is_nothing_for_this_person(study):
    queue, mara, rui = study["queue"], study["api"]["Mara"], study["api"]["Rui"]
    for rules, code in (
        ({"raters": ["rosa@example.org"]}, "not_named"),
        ({"raters": [], "role": "adjudicator"}, "role_missing"),
        ({"role": "", "speaks": True}, "language_missing"),
        ({"speaks": False, "qualified": True}, "not_qualified"),
        ({"qualified": False, "least_reliability": 0.9}, "not_reliable_enough"),
    ):
        assert mara.patch(f"/queues/{queue.pk}/", rules).status_code == 200
        said = rui.post(f"/queues/{queue.pk}/claim/")
        assert (said.status_code, said.json()["code"]) == (403, code)
    mara.patch(f"/queues/{queue.pk}/", {"least_reliability": None})
    mine = Participation.objects.create(
        project=queue.project, user=study["people"]["Rui"], paused_at=timezone.now(), paused_why="5 of 12 differ."
    )
    said = rui.post(f"/queues/{queue.pk}/claim/").json()
    assert said["code"] == "rater_paused" and "5 of 12 differ." in said["detail"] and "Mara" in said["detail"]
    mine.delete()
    mara.patch(f"/queues/{queue.pk}/", {"daily_pairs": 1})
    held = rui.post(f"/queues/{queue.pk}/claim/").json()
    rui.post(f"/assignments/{held['id']}/annotation/", {"judgments": {"helpfulness": {"preference": 1}}})
    assert rui.post(f"/queues/{queue.pk}/claim/").json()["code"] == "quota_reached"
    assert make.queue(study["project"]).slots.filter(state="leased").count() == 0
