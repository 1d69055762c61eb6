"""Planning a study: what it would find and cost under several rules, by simulation; a queue made of one; what happened.

A plan is a row first. A worker simulates (`simulate`) on at most MOST_SIMULATED pairs, which stand for all; the clock
notes afterwards what happened in the queue that was made of it.
"""

from __future__ import annotations

import math
import statistics
from collections.abc import Iterable
from typing import Any

from django.db import transaction
from django.db.models import Q
from django.utils import timezone
from django.utils.translation import gettext as _

from labeling.actions.queues import create_queue
from labeling.actions.refusals import Refused
from labeling.audit import record
from labeling.models import Criterion, LostJob, Project, Queue, StudyPlan, User
from labeling.reports.plans import measured_accuracies, what_happened
from labeling.stats.crowd import Crowd, Rule, draw, run

MOST_SIMULATED, MOST_RATERS = 1_500, 200
SEEDS = (11, 12, 13, 14, 15)
NORMAL_95 = 1.96
CROWDS = {
    "trained": Crowd(0.75, 0.97, spam=0.0), "mixed": Crowd(0.60, 0.95, spam=0.05), "open": Crowd(0.60, 0.95, spam=0.15),
}  # fmt: skip
MEASURED = "measured"
MOST_PAIRS = 10_000_000
# Each number of a plan: its least, its most.
NUMBERS: dict[str, tuple[float, float]] = {
    "pairs": (1, MOST_PAIRS), "raters": (2, 10_000), "seconds": (1, 3_600), "price": (0, 10_000),
    "gold_percent": (0, 50), "hours_a_day": (0.1, 24), "wished": (0.5, 0.999), "most": (2, 9),
}  # fmt: skip
OVERLAPS, SURES = (1, 2, 3, 4, 5, 7), (0.7, 0.8, 0.9)
MOST_ATTEMPTS_TOLD = 100


@transaction.atomic
def plan_study(*, project: Project, by: User, name: str, asked: dict[str, Any]) -> StudyPlan:
    """A plan that waits for a worker. `asked` has NUMBERS by name, "crowd", "overlaps", "third", "sures", "trusted".

    Raises Refused("invalid") naming each wrong field.
    """
    errors = _wrong(project, asked) | ({} if name.strip() else {"name": _("Give it a name.")})
    if errors:
        raise Refused("invalid", _("Some of these numbers cannot be planned with."), errors)
    kept = dict(asked)
    if kept["crowd"] == MEASURED:
        kept["accuracies"] = [round(one, 4) for one in measured_accuracies(project)]
    plan = StudyPlan.objects.create(project=project, name=name.strip()[:120], asked=kept, created_by=by)
    record(by, "plan.made", plan, project_id=project.pk, name=plan.name)
    return plan


def simulate(plan: StudyPlan) -> None:
    """Work a plan out, if nobody else does. Seconds of one core; the lease is renewed after every run."""
    if not plan.take():
        return
    try:
        plan.finish(found=_simulated(plan))
    except LostJob:
        return
    except Exception as problem:
        plan.fail(f"{type(problem).__name__}: {problem}"[:500])
        raise


def plans_to_nudge() -> list[int]:
    """Plans that nobody works out."""
    return list(StudyPlan.objects.due().order_by("pk").values_list("pk", flat=True)[:MOST_ATTEMPTS_TOLD])


@transaction.atomic
def make_queue(*, plan: StudyPlan, by: User, row: int) -> Queue:
    """A queue of all pairs by the rules of one row. Raises Refused("not_worked_out", "already_made" or "invalid")."""
    held = StudyPlan.objects.select_for_update(of=("self",)).select_related("project").get(pk=plan.pk)
    if held.found is None:
        raise Refused("not_worked_out", _("This plan is not worked out yet."))
    if held.queue_id is not None:
        raise Refused("already_made", _("A queue was made of this plan already."))
    rows = held.found["rows"]
    if not 0 <= row < len(rows):
        raise Refused("invalid", _("Choose one of the rules of the plan."), {"row": "unknown"})
    settings = queue_rules(rows[row]["rule"]) | {"gold_percent": int(held.asked["gold_percent"])}
    queue = create_queue(project=held.project, by=by, name=_free_name(held), **settings)
    held.queue, held.found["row"] = queue, row
    held.save(update_fields=["queue", "found"])
    record(by, "plan.queue_made", held, project_id=held.project_id, queue=queue.pk, row=row)
    return queue


def queue_rules(rule: dict[str, Any]) -> dict[str, Any]:
    """A rule of a plan as the settings of a queue."""
    if rule["sure"]:
        names = ("sure", "least", "most")
        return {"stopping": Queue.Stopping.MODEL, "trusted_singles": rule["trusted"]} | {n: rule[n] for n in names}
    if rule["third"]:
        return {"stopping": Queue.Stopping.THIRD, "least": 2, "most": 3}
    return {"stopping": Queue.Stopping.FIXED, "overlap": rule["overlap"]}


def note_what_happened() -> None:
    """The clock: beside each plan with a queue, what came of it so far."""
    for plan in StudyPlan.objects.exclude(queue=None).exclude(found=None).select_related("queue", "project"):
        assert plan.queue is not None, "the query says so"
        known = plan.found or {}
        first = plan.project.criteria.filter(kind=Criterion.Kind.PREFERENCE).first()
        happened = what_happened(plan.queue, plan.queue.criterion_id or (first.pk if first else None))
        if happened != {k: v for k, v in known.get("happened", {}).items() if k != "at"}:
            StudyPlan.objects.filter(pk=plan.pk).update(
                found=known | {"happened": happened | {"at": timezone.now().isoformat()}}
            )


def rules_of(asked: dict[str, Any]) -> list[Rule]:
    """The rules that a plan sets side by side."""
    most = int(asked["most"])
    rules = [Rule(overlap=int(overlap)) for overlap in asked["overlaps"]]
    rules += [Rule(third=True)] if asked["third"] else []
    rules += [Rule(sure=sure, most=most) for sure in asked["sures"]]
    rules += [Rule(sure=sure, most=most, trusted=True) for sure in asked["sures"] if asked["trusted"]]
    return rules


def _simulated(plan: StudyPlan) -> dict[str, Any]:
    asked, rules = plan.asked, rules_of(plan.asked)
    crowd = CROWDS.get(asked["crowd"]) or Crowd(spam=0.0, accuracies=tuple(asked["accuracies"]))
    pairs, raters = min(int(asked["pairs"]), MOST_SIMULATED), min(int(asked["raters"]), MOST_RATERS)
    places = max([2, *(max(rule.overlap, rule.most if rule.sure else 0, 3 * rule.third) for rule in rules)])
    found: list[list[tuple[float, float]]] = [[] for _rule in rules]
    agree = []
    for seed in SEEDS:
        drawn = draw(crowd, pairs=max(pairs, 100), raters=raters, places=places, seed=seed)
        agree.append(float((drawn.right[:, 0] == drawn.right[:, 1]).mean()))
        for place, rule in enumerate(rules):
            one = run(drawn, rule, seed)
            found[place].append((one.accuracy, one.judgments))
        plan.keep()
    rows = [_row(asked, rule, runs) for rule, runs in zip(rules, found, strict=True)]
    return {
        "rows": rows, "cheapest": _cheapest(rows, asked["wished"]), "agree": round(statistics.mean(agree), 4),
        "simulated": pairs, "runs": len(SEEDS),
    }  # fmt: skip


def _row(asked: dict[str, Any], rule: Rule, runs: list[tuple[float, float]]) -> dict[str, Any]:
    """One rule: accuracy with the range in which 95 of 100 such studies end, judgments, hours, cost, days."""
    accuracy = statistics.mean(run[0] for run in runs)
    off = NORMAL_95 * statistics.stdev(run[0] for run in runs)
    each = statistics.mean(run[1] for run in runs)
    judgments = math.ceil(each * asked["pairs"] * (1 + asked["gold_percent"] / 100))
    hours = judgments * asked["seconds"] / 3600
    return {
        "rule": {
            "overlap": rule.overlap, "third": rule.third, "sure": rule.sure, "least": rule.least, "most": rule.most,
            "trusted": rule.trusted,
        },
        "accuracy": round(accuracy, 4), "low": round(max(0.0, accuracy - off), 4),
        "high": round(min(1.0, accuracy + off), 4), "judgments_a_pair": round(each, 3), "judgments": judgments,
        "hours": round(hours, 1), "cost": round(hours * asked["price"], 2),
        "days": math.ceil(hours / (asked["raters"] * asked["hours_a_day"])),
    }  # fmt: skip


def _cheapest(rows: list[dict[str, Any]], wished: float) -> int | None:
    """The place of the row with the fewest judgments that reaches the wished accuracy."""
    enough = [(row["judgments"], place) for place, row in enumerate(rows) if row["accuracy"] >= wished]
    return min(enough)[1] if enough else None


def _wrong(project: Project, asked: dict[str, Any]) -> dict[str, str]:
    errors = {}
    for name, (least, most) in NUMBERS.items():
        value = asked.get(name)
        if not isinstance(value, int | float) or isinstance(value, bool) or not least <= value <= most:
            errors[name] = _("From %(least)s to %(most)s.") % {"least": f"{least:g}", "most": f"{most:g}"}
    if asked.get("crowd") not in (*CROWDS, MEASURED):
        errors["crowd"] = _("Choose one of the crowds.")
    elif asked["crowd"] == MEASURED and not measured_accuracies(project):
        errors["crowd"] = _("Too few raters of this project are known yet. Choose another crowd.")
    if not _among(asked.get("overlaps"), OVERLAPS) or not _among(asked.get("sures"), SURES):
        errors["overlaps"] = _("Choose among what is offered.")
    elif not errors.keys() & {"most"} and not rules_of(asked | {"third": bool(asked.get("third"))}):
        errors["overlaps"] = _("Choose at least one rule.")
    elif asked.get("trusted") and not asked["sures"]:
        errors["trusted"] = _("Say how sure to be as well.")
    return errors


def _among(chosen: Any, offered: Iterable[float]) -> bool:
    return isinstance(chosen, list) and set(chosen) <= set(offered)


def _free_name(plan: StudyPlan) -> str:
    """The plan's name, or with a number behind it where a queue is called so."""
    start = plan.name[:110]
    alike = Q(name=plan.name) | Q(name__startswith=f"{start} ")
    taken = set(plan.project.queues.filter(alike).values_list("name", flat=True))
    names = [plan.name, *(f"{start} {number}" for number in range(2, len(taken) + 3))]
    return next(name for name in names if name not in taken)
