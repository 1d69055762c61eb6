"""A simulated crowd at the real doors: raters claim and submit through the actions, and the clock ticks between."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

import numpy as np

from benchmarks.simulated import Floats, Ints
from labeling.actions.annotate import submit
from labeling.actions.assign import claim
from labeling.actions.settle import settle, settle_anew
from labeling.actions.standings import to_review
from labeling.models import Annotation, Assignment, Queue, QueuedPair, User

IN_FLIGHT = 10  # pairs held at once
TICK, REVIEW = 10, 150  # judgments between two looks by the clock; and between two looks at who is to be reviewed


@dataclass
class Outcome:
    """Of each pair in order of ids: P(first is better) and judgments; `flagged` raters, ever, by their places."""

    first: Floats
    judgments: Ints
    audited: Ints
    spent: int
    flagged: set[int] = field(default_factory=set)

    @property
    def labels(self) -> Ints:
        """1 where the first response is taken to be the better one."""
        return (self.first > 0.5).astype(int)

    @property
    def sure(self) -> Floats:
        return np.maximum(self.first, 1 - self.first)


def work_through(
    queue: Queue,
    raters: Sequence[User],
    answer: Callable[[int, int], int],
    chance: np.random.Generator,
    *,
    volume: Floats,
    criterion: str = "helpfulness",
) -> Outcome:
    """Let the crowd work until nobody gets anything more. `answer` (pair, rater), by their places, is a preference in
    stored order."""
    places = {pair: place for place, pair in enumerate(queue.project.pairs.order_by("pk").values_list("pk", flat=True))}
    numbers = {rater.pk: number for number, rater in enumerate(raters)}
    held: deque[tuple[Assignment, int]] = deque()
    found_nothing: set[int] = set()
    flagged: set[int] = set()
    spent = 0
    while True:
        at_work = {rater for _, rater in held}
        free = [rater for rater in range(len(raters)) if rater not in at_work and rater not in found_nothing]
        if free and len(held) < IN_FLIGHT:
            rater = int(chance.choice(free, p=volume[free] / volume[free].sum()))
            assignment = claim(queue=queue, rater=raters[rater])
            if assignment is None:
                found_nothing.add(rater)
            else:
                held.append((assignment, rater))
            continue
        if not held:
            if not settle(queue=queue) and _nobody_gets_any(queue, raters, held):
                break
            found_nothing.clear()
            continue
        assignment, rater = held.popleft()
        preference = answer(places[assignment.pair_id], rater)
        shown = -preference if assignment.swapped else preference
        body = {"judgments": {criterion: {"preference": shown}}}
        submit(assignment=assignment, rater=raters[rater], body=body)
        spent += 1
        if spent % TICK == 0 and settle(queue=queue):
            found_nothing.clear()
        if spent % REVIEW == 0:
            flagged |= {numbers[one.rater_id] for one in to_review(queue.project)}
    settle_anew(queue=queue)
    flagged |= {numbers[one.rater_id] for one in to_review(queue.project)}
    return _outcome(queue, len(places), flagged)


def _nobody_gets_any(queue: Queue, raters: Sequence[User], held: deque[tuple[Assignment, int]]) -> bool:
    """Everybody asks once more; the first who gets a pair goes on with it."""
    for number, rater in enumerate(raters):
        assignment = claim(queue=queue, rater=rater)
        if assignment is not None:
            held.append((assignment, number))
            return False
    return True


def _outcome(queue: Queue, pairs: int, flagged: set[int]) -> Outcome:
    rows = QueuedPair.objects.filter(queue=queue).order_by("pair").values_list("first_better", "judgments", "audit")
    first, judgments, audited = (np.array(column) for column in zip(*rows, strict=True))
    assert len(first) == pairs, "every pair was judged"
    spent = Annotation.objects.filter(project=queue.project_id, current=True).count()
    assert spent == judgments.sum(), "what was judged was looked at"
    return Outcome(first.astype(float), judgments.astype(int), audited.astype(int), spent, flagged)
