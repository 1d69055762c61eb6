"""What queues that know when to stop save: simulated crowds, and real judgments, through the real claim and submit.

Each crowd works through the same pairs under several values of `sure`; the cost is read off between them where the
labels are as often right as the majority of a fixed three is. Targets: shared/measurement, section 4.5.
"""

from __future__ import annotations

import json
import os
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from django.db import connection

from annotate.local.var import ROOT
from benchmarks.crowd import make_queue, make_raters
from benchmarks.driving import Outcome, work_through
from benchmarks.simulated import (
    GOOD,
    Crowd,
    Floats,
    Ints,
    alpha,
    calibration_error,
    cost_at,
    fixed,
    make_crowd,
    overconfident,
    vote,
)
from benchmarks.stage import Stage
from labeling.actions.queues import change_queue
from labeling.models import Annotation, GoldPair, GoldResult, Judgment, Queue, User

DATA = ROOT.parent / "shared" / "data" / "dices350" / "judgments.jsonl"
SEEDS = range(1000, 1000 + int(os.environ.get("BENCH_SEEDS", "5")))
SURE = {"one": (0.55, 0.60), "two": (0.55, 0.62), "warm": (0.55, 0.60), "dices": (0.55, 0.62, 0.70, 0.80, 0.90)}
PARTS = os.environ.get("BENCH_PARTS", "one,two,dices,warm,audit").split(",")
SIDE = {"unsafe": -1, "safe": 1, "unsure": 0}
OFTEN = 5  # times the baseline is drawn, so that its own chance is small


@dataclass(frozen=True, slots=True)
class Figures:
    cost: float
    accuracy: float
    calibration: float
    overconfident: float
    good_flagged: int
    good: int
    flagged: int


def main(stage: Stage) -> None:
    with connection.cursor() as cursor:
        cursor.execute("SET synchronous_commit = off")  # nothing here is about speed
    if "one" in PARTS:
        _sweep("trusted singles", 3000, SURE["one"], {"trusted_singles": True})
    if "two" in PARTS:
        _sweep("at least 2", 1500, SURE["two"], {"least": 2})
    if "warm" in PARTS:
        _sweep("trusted singles, raters known", 3000, SURE["warm"], {"trusted_singles": True}, warm=60)
    if "audit" in PARTS:
        _audit()
    if "dices" in PARTS:
        _dices()


def _sweep(name: str, pairs: int, sure: Sequence[float], rules: dict[str, object], warm: int = 0) -> None:
    print(f"\n{name}: {pairs:,} pairs, 40 raters, seeds {SEEDS[0]} to {SEEDS[-1]}", flush=True)
    three, five = [], []
    found: dict[float, list[Figures]] = {value: [] for value in sure}
    for seed in SEEDS:
        chance = np.random.default_rng(seed)
        crowd = make_crowd(chance, pairs=pairs)
        three.append(float(np.mean([fixed(chance, crowd, 3) for _ in range(OFTEN)])))
        five.append(float(np.mean([fixed(chance, crowd, 5) for _ in range(OFTEN)])))
        for value in sure:
            slug = f"{name}-{seed}-{value}".replace(" ", "-").replace(".", "-").replace(",", "")
            outcome = _run(slug, crowd, chance, {"stopping": "model", "audit_percent": 0, "sure": value} | rules, warm)
            found[value].append(_figures(outcome, crowd))
    for value in sure:
        print(f"  sure {value:.2f}: {_said(found[value])}", flush=True)
    points = [
        (float(np.mean([one.cost for one in found[value]])), float(np.mean([one.accuracy for one in found[value]])))
        for value in sure
    ]
    for overlap, accuracy in ((3, float(np.mean(three))), (5, float(np.mean(five)))):
        cost = cost_at(points, accuracy)
        saved = f"{cost:.2f} a pair, {1 - cost / overlap:.1%} saved" if cost else "not reached"
        print(f"  fixed {overlap}: right on {accuracy:.2%}; as right at {saved}", flush=True)


def _run(slug: str, crowd: Crowd, chance: np.random.Generator, rules: dict[str, object], warm: int = 0) -> Outcome:
    queue, raters = _stage(slug, crowd.pairs, crowd.raters)
    if warm:
        _know(queue, raters, chance.binomial(warm, np.clip(crowd.accuracy + 0.02, 0, 0.98)), warm)
    queue = change_queue(queue=queue, by=None, **rules)
    return work_through(
        queue, raters, lambda pair, rater: vote(chance, crowd, pair, rater), chance, volume=crowd.volume
    )


_people: list[User] = []


def _stage(slug: str, pairs: int, raters: int) -> tuple[Queue, list[User]]:
    """A project of its own for each run; the people are the same, and nothing is known of them there."""
    queue = make_queue(slug, pairs)
    if len(_people) < raters:
        _people.extend(make_raters(queue, raters - len(_people)))
    return queue, _people[:raters]


def _know(queue: Queue, raters: list[User], right: Ints, known: int) -> None:
    """An earlier round: each rater has met `right` of `known` answers, told by results and by nothing else."""
    criterion = queue.project.criteria.get(key="helpfulness")
    pair = queue.project.pairs.order_by("pk").first()
    assert pair is not None
    gold = GoldPair.objects.create(project=queue.project, pair=pair, source=GoldPair.Source.HAND)
    for rater, met in zip(raters, right, strict=True):
        for number in range(known):
            done = queue.project.assignments.create(pair=pair, rater=rater, state="expired")
            annotation = Annotation.objects.create(
                project=queue.project, assignment=done, pair=pair, rater=rater, body_digest="", active_ms=None
            )
            GoldResult.objects.create(
                project=queue.project, annotation=annotation, gold_pair=gold, criterion=criterion, rater=rater,
                right=number < int(met),
            )  # fmt: skip


def _figures(outcome: Outcome, crowd: Crowd) -> Figures:
    right = (outcome.labels == crowd.better)[~crowd.split]
    sure = outcome.sure[~crowd.split]
    good = crowd.accuracy >= GOOD
    return Figures(
        cost=outcome.spent / crowd.pairs,
        accuracy=crowd.right(outcome.labels),
        calibration=calibration_error(sure, right),
        overconfident=overconfident(sure, right),
        good_flagged=sum(bool(good[rater]) for rater in outcome.flagged),
        good=int(good.sum()),
        flagged=len(outcome.flagged),
    )


def _said(figures: list[Figures]) -> str:
    mean = {name: np.mean([getattr(one, name) for one in figures]) for name in ("cost", "accuracy", "calibration")}
    good, all_good = sum(one.good_flagged for one in figures), sum(one.good for one in figures)
    return (
        f"{mean['cost']:.3f} a pair, right on {mean['accuracy']:.2%}, calibration error {mean['calibration']:.3f}, "
        f"at most {max(one.overconfident for one in figures):+.3f} too sure above 0.8; to review "
        f"{sum(one.flagged for one in figures)}, of them good {good} of {all_good}"
    )


def _audit() -> None:
    """One pair in ten is judged by five raters, whatever is known of it. Does their agreement tell the crowd's?"""
    print("\naudit: 3,000 pairs, 10 % of them audited", flush=True)
    told, truth = [], []
    for seed in SEEDS:
        chance = np.random.default_rng(seed)
        crowd = make_crowd(chance, pairs=3000)
        rules: dict[str, object] = {"stopping": "model", "audit_percent": 10, "sure": 0.8}
        outcome = _run(f"audit-{seed}", crowd, chance, rules)
        votes, pairs = _audited_votes(f"audit-{seed}", outcome)
        told.append(alpha(votes, pairs))
        truth.append(_true_alpha(chance, crowd))
    off = [one - true for one, true in zip(told, truth, strict=True)]
    print(f"  alpha {np.mean(told):.3f}, of the crowd {np.mean(truth):.3f}: off by {np.mean(off):+.3f} on average")
    print(f"  by seed: {', '.join(f'{one:+.3f}' for one in off)}", flush=True)


def _audited_votes(slug: str, outcome: Outcome) -> tuple[Ints, Ints]:
    ids = sorted(Annotation.objects.filter(project__slug=slug).values_list("pair", flat=True).distinct())
    audited = {pair for pair, drawn in zip(ids, outcome.audited, strict=True) if drawn}
    rows = Judgment.objects.filter(annotation__project__slug=slug, annotation__pair__in=audited)
    said = list(rows.values_list("annotation__pair", "preference"))
    places = np.searchsorted(sorted(audited), [pair for pair, _ in said])
    return np.array([int((preference or 0) < 0) for _, preference in said]), places


def _true_alpha(chance: np.random.Generator, crowd: Crowd, overlap: int = 6) -> float:
    votes, pairs = [], []
    for pair in range(crowd.pairs):
        for rater in chance.choice(crowd.raters, overlap, replace=False, p=crowd.volume):
            votes.append(int(vote(chance, crowd, pair, int(rater)) < 0))
            pairs.append(pair)
    return alpha(np.array(votes), np.array(pairs))


def _dices() -> None:
    """Real judgments of safety, every rater of every item: unsafe is taken for the first side, unsure for a tie."""
    if not DATA.exists():
        print("\nno DICES-350 beside this checkout; nothing replayed")
        return
    said = _recorded()
    items, people = said.shape
    crowd = np.sign(said.sum(1))
    chance = np.random.default_rng(SEEDS[0])
    print(f"\nDICES-350: {items} items, {people} raters, against the majority of all", flush=True)
    baseline = {k: float(np.mean([_match(_majority(chance, said, k), crowd) for _ in range(400)])) for k in (3, 5)}
    points = []
    for sure in SURE["dices"]:
        costs, matches = [], []
        for seed in range(4 * len(SEEDS)):
            outcome = _replay(f"dices-{sure:.2f}-{seed}".replace(".", "-"), said, sure, np.random.default_rng(seed))
            costs.append(outcome.spent / items)
            matches.append(_match(np.where(outcome.first > 0.5, -1, 1), crowd))
        points.append((float(np.mean(costs)), float(np.mean(matches))))
        print(f"  sure {sure:.2f}: {points[-1][0]:.3f} an item, agrees on {points[-1][1]:.2%}", flush=True)
    for overlap, match in baseline.items():
        cost = cost_at(points, match)
        saved = f"{cost:.2f} an item, {1 - cost / overlap:.1%} saved" if cost else "not reached"
        print(f"  fixed {overlap}: agrees on {match:.2%}; the same at {saved}", flush=True)


def _recorded() -> Ints:
    """Answers (items, raters) as signed sides."""
    rows = [json.loads(line) for line in DATA.read_text().splitlines()]
    items = {name: place for place, name in enumerate(sorted({row["item_id"] for row in rows}))}
    raters = {name: place for place, name in enumerate(sorted({row["rater_id"] for row in rows}))}
    said = np.zeros((len(items), len(raters)), dtype=int)
    for row in rows:
        said[items[row["item_id"]], raters[row["rater_id"]]] = SIDE[row["label"]]
    return said


def _majority(chance: np.random.Generator, said: Ints, overlap: int) -> Ints:
    drawn = np.array([chance.choice(row, overlap, replace=False) for row in said]).sum(1)
    return np.where(drawn == 0, chance.choice([-1, 1], len(said)), np.sign(drawn))


def _match(labels: Ints, crowd: Ints) -> float:
    decided = crowd != 0
    return float((labels == crowd)[decided].mean())


def _replay(slug: str, said: Ints, sure: float, chance: np.random.Generator) -> Outcome:
    items, people = said.shape
    queue, raters = _stage(slug, items, people)
    queue = change_queue(queue=queue, by=None, stopping="model", audit_percent=0, sure=sure, least=2)
    volume: Floats = np.full(people, 1 / people)
    return work_through(queue, raters, lambda pair, rater: int(said[pair, rater]), chance, volume=volume)
