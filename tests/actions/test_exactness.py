"""Never more asked than wanted, none stranded, nobody twice: whatever managers and raters do, in whatever order.

The machine is in tests/actions/exactness.py. It has to find each fault that is planted below; a machine that finds
nothing proves nothing.
"""

import pytest
from hypothesis import HealthCheck, Phase, settings
from hypothesis.stateful import run_state_machine_as_test

from labeling.actions import assign, lanes, matching, queues, settle
from labeling.actions.queues import change_queue
from labeling.stats import stopping
from tests import make
from tests.actions.exactness import FRESH, WORKERS, Exactness

pytestmark = [pytest.mark.django_db, pytest.mark.timeout(600)]


@pytest.fixture
def machine():
    project = make.project(overlap=2)
    make.pairs(project, 3)
    raters = [make.member(project, f"rater{number}", "rater") for number in range(WORKERS + FRESH)]
    queue = change_queue(queue=make.queue(project), by=None, audit_percent=0)  # else chance draws who is audited
    return type("Machine", (Exactness,), {"stage": (queue, raters)})


def run(machine, examples):
    usual = settings(
        max_examples=examples, stateful_step_count=20, derandomize=True, deadline=None, database=None,
        phases=[Phase.generate], suppress_health_check=list(HealthCheck),
    )  # fmt: skip
    run_state_machine_as_test(machine, settings=usual)


def test_whatever_happens(machine):
    run(machine, 12)


def without(monkeypatch, module, name, text, instead=""):
    statement = getattr(module, name)
    assert text in statement, "the fault is planted where it was meant to be"
    monkeypatch.setattr(module, name, statement.replace(text, instead))


FAULTS = {
    "surplus stays": lambda patch: without(patch, matching, "_MATCH", "slot.place > wrong.places", "false"),
    "nothing is added": lambda patch: without(patch, matching, "_MATCH", "slot.places > slot.open", "false"),
    "what is held is not counted": lambda patch: without(
        patch, matching, "_MATCH", "slot.state <> 'open' AND void", "slot.state = 'done' AND void"
    ),
    "what was set aside is counted": lambda patch: without(
        patch, matching, "_MATCH", "gone.lifted_at IS NULL AND judged.slot_id", "false AND judged.slot_id"
    ),
    "what was lifted stays aside": lambda patch: [
        without(patch, module, name, "AND gone_rater.lifted_at IS NULL", "")
        for module, name in ((matching, "_MATCH"), (settle, "_VOTES"))
    ] + [without(patch, matching, "_MATCH", "gone.lifted_at IS NULL AND judged.slot_id", "judged.slot_id")],
    "a slot comes back although fewer are wanted": lambda patch: patch.setattr(queues, "match", lambda **_: 0),
    "new rules are not looked at": lambda patch: patch.setattr(queues, "settle_by_new_rules", lambda **_: None),
    "a claim does not look": lambda patch: patch.setattr(assign, "settle_for_claim", lambda **_: False),
    "leases that ended are kept": lambda patch: patch.setattr(assign, "expire_stale", lambda **_: 0),
    "what was brought back is not matched": lambda patch: patch.setattr(lanes, "match", lambda **_: 0),
    "one more than the next": lambda patch: patch.setattr(
        stopping, "_next", lambda rules, judgments: judgments + 2
    ),
    "settled too early": lambda patch: patch.setattr(stopping, "CONTESTED_FROM", 3),
    "answers that were changed count twice": lambda patch: without(
        patch, settle, "_VOTES", "a.current", "true"
    ),
}  # fmt: skip


@pytest.mark.parametrize("fault", FAULTS)
def test_the_machine_finds(machine, monkeypatch, fault):
    FAULTS[fault](monkeypatch)
    with pytest.raises((AssertionError, ExceptionGroup)):
        run(machine, 40)
