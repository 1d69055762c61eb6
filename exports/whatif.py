"""What a recipe would give, before it is built: how many rows, at what cost, how sure, and against another recipe.

It is looked at while somebody waits, so the work is bounded: of a project with more than MOST_LOOKED judgments, one
pair in so many stands for the others, and the figures are “about”. What depends on the texts only shows in the build.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from math import isnan
from typing import Any

import numpy as np
from django.db import connection, transaction

from exports import queries
from exports.card import Step, funnel
from exports.formats import Format, format_of
from exports.learning import learn, learn_trust
from exports.recipes import Recipe
from exports.recipes.aggregates import Lean
from exports.recipes.deciding import Deciding, Judged
from exports.recipes.majority import Comparison, Outcome
from exports.recipes.recipe import HARD, ONE_COIN, SURE
from exports.recipes.trust import Trust, points
from exports.recipes.votes import Needs
from exports.rows import SETTINGS, Reader
from labeling.models import Annotation, Project
from labeling.stats.coefficients import krippendorff_alpha

PREVIEWED = 10
MOST_LOOKED = 12_000
RUN = 32  # pairs side by side
# A part is fetched row by row through the indexes; the planner would rather read whole tables.
OF_A_PART = ("enable_seqscan = off", "enable_hashjoin = off", "random_page_cost = 1.1")
FEWEST_FOR_ALPHA, FEWEST_FOR_ACCURACY = 50, 30
Label = tuple[int, str]


@dataclass(slots=True)
class Look:
    """One recipe over a part of the judgments. `labels`: side by (pair, group). `counts`: where answers point, a row a
    comparison, and of those that give a label. `sure`: how likely each label is right as one coin a rater
    tells it, `told`: as the recipe does. `twice`: of how many pairs that two or more judged.
    `adjudicated`: labels that are a decision."""

    dropped: Counter[str] = field(default_factory=Counter)
    judged: int = 0
    rows: int = 0
    labels: dict[Label, int] = field(default_factory=dict)
    before: list[list[int]] = field(default_factory=list)
    after: list[list[int]] = field(default_factory=list)
    sure: list[float] = field(default_factory=list)
    told: list[float] = field(default_factory=list)
    twice: int = 0
    adjudicated: int = 0
    shown: list[int] = field(default_factory=list)


@dataclass(frozen=True, slots=True)
class Against:
    """What becomes of the labels of another recipe: the same, turned around, gone, and new ones."""

    name: str
    same: int
    flipped: int
    gone: int
    new: int
    rows: int
    accuracy: float | None

    @property
    def accuracy_percent(self) -> int:
        return round(100 * (self.accuracy or 0))


@dataclass(frozen=True, slots=True)
class WhatIf:
    """`every` is 1, or how many pairs each one that was looked at stands for. α is Krippendorff's, nominal, on which
    response was preferred; `accuracy` is the share of labels that name the better response, as far as raters'
    reliability tells; `epsilon` what the recipe leaves of doubt. None where there is too little to say so."""

    recipe: Recipe
    format: Format
    every: int
    pairs: int
    dropped: Counter[str]
    total: int
    outcomes: list[Outcome]
    alpha_before: float | None
    alpha_after: float | None
    accuracy: float | None
    epsilon: float | None
    against: Against | None
    adjudicated: int = 0

    @property
    def rows(self) -> list[dict[str, Any]]:
        return [row for _, rows in self.format.made(self.outcomes) for row in rows][:PREVIEWED]

    @property
    def accuracy_percent(self) -> int:
        return round(100 * (self.accuracy or 0))

    @property
    def tells_certainty(self) -> bool:
        return self.recipe.aggregate in SURE or self.recipe.labels != HARD

    @property
    def steps(self) -> list[Step]:
        return funnel(self.pairs, self.dropped)

    def as_json(self) -> dict[str, Any]:
        steps = [{"step": step.name, "left": step.left, "lost": step.lost, "why": step.why} for step in self.steps]
        against = self.against and {name: getattr(self.against, name) for name in Against.__slots__}
        return {
            "recipe": self.recipe.as_json(), "about": self.every > 1, "pairs": self.pairs, "rows": self.total,
            "funnel": steps, "alpha_before": self.alpha_before, "alpha_after": self.alpha_after,
            "accuracy": self.accuracy, "epsilon": self.epsilon, "against": against, "preview": self.rows,
            "adjudicated": self.adjudicated,
        }  # fmt: skip


@transaction.atomic
def what_if(project: Project, recipe: Recipe, against: tuple[str, Recipe] | None = None) -> WhatIf:
    """What `recipe` would give now, and against another one by its name. Both must fit the project."""
    with connection.cursor() as cursor:
        for setting in SETTINGS:
            cursor.execute(f"SET LOCAL {setting}")
    judgments = Annotation.objects.filter(project=project, current=True).count()
    every = max(1, -(-judgments // MOST_LOOKED))
    sample = _sample(project, every)
    reader, deciding, look = _look(project, recipe, sample)
    pairs = reader.pairs()
    dropped = Counter({reason: lost * every for reason, lost in look.dropped.items()})
    dropped["unjudged"] += max(0, pairs - look.judged * every)
    against_it = None if against is None else _against(project, look, every, sample, *against)
    return WhatIf(
        recipe, format_of(recipe), every, pairs, dropped, look.rows * every, _previewed(reader, deciding, look.shown),
        _alpha(look.before), _alpha(look.after), _accuracy(look), _noise(look, recipe), against_it,
        look.adjudicated * every,
    )  # fmt: skip


def _sample(project: Project, every: int) -> list[int] | None:
    """The judged pairs that stand for the others, or None if all are looked at."""
    if every == 1:
        return None
    with connection.cursor() as cursor:
        cursor.execute(queries.SAMPLED, {"project": project.pk, "every": every, "run": RUN})
        found = list(cursor.fetchone()[0] or [])
        for setting in OF_A_PART:
            cursor.execute(f"SET LOCAL {setting}")
    return found


def _look(project: Project, recipe: Recipe, sample: Sequence[int] | None) -> tuple[Reader, Deciding, Look]:
    made = format_of(recipe)
    reader = Reader(project, recipe, needs=made.needs | Needs(answers=True), sample=sample)
    deciding = Deciding(recipe, made.takes, learn(project, recipe, "", connection, sample))
    trust = deciding.known.trust
    if recipe.aggregate != ONE_COIN:
        trust = learn_trust(project, replace(recipe, aggregate=ONE_COIN), "", connection, sample)
    return reader, deciding, look_at(reader, deciding, trust, made)


def look_at(reader: Reader, deciding: Deciding, trust: Mapping[str, Trust], made: Format) -> Look:
    """Decide on every pair that the reader brings, as far as the votes alone decide."""
    look = Look()
    for comparison, pair in reader.outcomes():
        look.judged += 1
        _count(look, list(deciding.judged(comparison)), comparison, pair, deciding, trust, made)
    return look


def _count(
    look: Look, judged: list[Judged], comparison: Comparison, pair: int, deciding: Deciding,
    trust: Mapping[str, Trust], made: Format,
) -> None:  # fmt: skip
    answers = [answer for one in judged for answer in one.answers]
    counted = Counter(points(grade) for _, grade in answers)
    row = [counted[0], counted[1], counted[2]]
    look.before.append(row)
    kept = [one for one in judged if isinstance(one.found, Lean) or one.found in deciding.takes]
    if not kept or comparison.images:
        look.dropped["images" if kept else _reason(judged, comparison)] += 1
        return
    look.after.append(row)
    look.rows += len(kept) * made.rows_each
    look.twice += len(answers) > 1
    look.adjudicated += sum(1 for one in kept if one.decided_by)
    if len(look.shown) < 2 * PREVIEWED:
        look.shown.append(pair)
    for one in kept:
        if isinstance(one.found, Lean):
            side = look.labels.get((pair, one.group), 0) + one.found.side
            look.labels[pair, one.group] = side
            look.told.append(one.found.p_chosen)
            believed = trust[one.key].of(one.answers) if one.key in trust else None
            if believed is not None:
                look.sure.append(believed[0] if one.found.side < 0 else 1 - believed[0])


def _reason(judged: list[Judged], comparison: Comparison) -> str:
    found = next((one.found for one in judged if isinstance(one.found, str)), "")
    return found or ("small_group" if comparison.votes else "unjudged")


def _previewed(reader: Reader, deciding: Deciding, shown: list[int]) -> list[Outcome]:
    found = [deciding(comparison) for comparison in reader.of_pairs(shown)] if shown else []
    return [outcome for each in found if not isinstance(each, str) for outcome in each][:PREVIEWED]


def _against(
    project: Project, ours: Look, every: int, sample: Sequence[int] | None, name: str, recipe: Recipe
) -> Against:
    theirs = _look(project, recipe, sample)[2]
    both = ours.labels.keys() & theirs.labels.keys()
    flipped = sum(1 for label in both if ours.labels[label] * theirs.labels[label] < 0)
    return Against(
        name, (len(both) - flipped) * every, flipped * every, (len(theirs.labels) - len(both)) * every,
        (len(ours.labels) - len(both)) * every, theirs.rows * every, _accuracy(theirs),
    )  # fmt: skip


def _alpha(counts: list[list[int]]) -> float | None:
    if sum(1 for row in counts if sum(row) > 1) < FEWEST_FOR_ALPHA:
        return None
    alpha = krippendorff_alpha(np.array(counts, dtype=np.int64))
    return None if isnan(alpha) else round(alpha, 3)


def _noise(look: Look, recipe: Recipe) -> float | None:
    """The ε of robust losses: the mean chance that a label is wrong."""
    if recipe.aggregate not in SURE or not look.told:
        return None
    return round(1 - sum(look.told) / len(look.told), 4)


def _accuracy(look: Look) -> float | None:
    """Nobody's reliability is known where hardly a pair was judged twice."""
    if look.twice < FEWEST_FOR_ACCURACY or not look.sure:
        return None
    return round(sum(look.sure) / len(look.sure), 3)
