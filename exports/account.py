"""Everything that the descriptions of a finished export speak of, computed once, in the build."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from functools import cached_property
from hashlib import sha256
from math import isnan

import numpy as np
from django.db.models import QuerySet

from exports.formats import Format, format_of
from exports.recipes import Recipe
from exports.recipes.recipe import SURE
from exports.rows import Facts
from exports.segments import Segment
from labeling.models import ConsentText, Criterion, Guideline, Project
from labeling.stats.biases import position_by_rater, wilson
from labeling.stats.coefficients import krippendorff_alpha, percent
from labeling.stats.counts import interval

FEWEST_PAIRS, FEWEST_SIDED, FEWEST_LABELS = 50, 200, 300
PLACES = 3  # rounded, so that the last bits of a sum are the same on every machine


@dataclass(frozen=True, slots=True)
class DataFile:
    path: str
    split: str
    rows: int
    size: int
    sha256: str


@dataclass(frozen=True, slots=True)
class Agreement:
    """On sides (first, second, tie, neither), over comparisons with two answers or more. `alpha` is Krippendorff's,
    nominal, with a 95 % bootstrap interval; None where the least data is not there."""

    comparisons: int
    percent: float | None
    alpha: float | None
    low: float | None
    high: float | None


@dataclass(frozen=True, slots=True)
class Position:
    """How often the left response was chosen, of judgments that took a side; `z` against one half, by rater."""

    sided: int
    share: float | None
    z: float | None


@dataclass(frozen=True, slots=True)
class Length:
    """How often the longer response was chosen, of labels between responses of different length, with Wilson's 95 %
    interval. `classes`: labels by how long the chosen one is, against the rejected one."""

    labels: int
    longer: float | None
    low: float | None
    high: float | None
    classes: list[int]


@dataclass(frozen=True)
class Account:
    """`totals` are those of all segments; `since` the content hash of the snapshot that this one counts from."""

    project: Project
    recipe: Recipe
    facts: Facts
    pairs: int
    totals: Segment
    files: list[DataFile]
    since: str = ""

    @property
    def format(self) -> Format:
        return format_of(self.recipe)

    @property
    def rows(self) -> int:
        return sum(file.rows for file in self.files)

    @property
    def languages(self) -> list[str]:
        """Of the rows, the most frequent first."""
        found = self.totals.languages
        return sorted((language for language in found if language), key=lambda language: (-found[language], language))

    @property
    def adjudicated(self) -> dict[str, int]:
        """Labels that are an adjudicator's decision, and how many people decided."""
        return {"rows": self.totals.adjudicated, "people": len(self.totals.adjudicators)}

    @property
    def noise(self) -> float | None:
        """The mean chance that a label is wrong, where raters' reliability was learned; the ε of robust losses."""
        totals = self.totals
        if self.recipe.aggregate not in SURE or not totals.sided:
            return None
        return round(1 - totals.certainty / (10_000 * totals.sided), 4)

    @cached_property
    def criteria(self) -> list[Criterion]:
        return list(self.project.criteria.all())

    @property
    def criterion(self) -> Criterion:
        return next(each for each in self.criteria if each.key == self.recipe.criterion)

    @cached_property
    def guidelines(self) -> list[tuple[Guideline, int, str]]:
        """Each that was judged under, how many annotations, and the SHA-256 of its text; by version."""
        used = Guideline.objects.filter(project=self.project, version__in=self.facts.guidelines).order_by("version")
        return [(each, self.facts.guidelines[each.version or 0], _hashed(each.text)) for each in used]

    @cached_property
    def consents(self) -> list[tuple[int, str]]:
        """The versions that were in force while people judged: number and SHA-256 of the text."""
        if self.facts.last_day is None:
            return []
        texts: QuerySet[ConsentText] = self.project.consent_texts.filter(created_at__date__lte=self.facts.last_day)
        return [(each.version, _hashed(each.text)) for each in texts.order_by("version") if each.text]

    @cached_property
    def agreement(self) -> Agreement:
        return _agreement(self.totals.shapes)

    @cached_property
    def position(self) -> Position:
        sided = [(lefts, sided) for _, sided, lefts in self.facts.raters if sided]
        total = sum(sided for _, sided in sided)
        if total < FEWEST_SIDED:
            return Position(total, None, None)
        found = position_by_rater(*np.array(sided, dtype=np.float64).T)
        return Position(total, round(found.share, PLACES), _rounded(found.z))

    @cached_property
    def length(self) -> Length:
        found = self.totals.lengths
        longer, shorter = (sum(n for key, n in found.items() if key[1] == sign) for sign in "+-")
        classes = [sum(n for key, n in found.items() if key[0] == str(place)) for place in range(5)]
        if longer + shorter < FEWEST_LABELS:
            return Length(longer + shorter, None, None, None, classes)
        low, high = wilson(longer, longer + shorter)
        share = longer / (longer + shorter)
        return Length(longer + shorter, round(share, PLACES), round(low, PLACES), round(high, PLACES), classes)


def _agreement(shapes: Counter[str]) -> Agreement:
    table = sorted((tuple(map(int, shape.split(","))), times) for shape, times in shapes.items())
    twice = [(shape, times) for shape, times in table if sum(shape) >= 2]
    comparisons = sum(times for _, times in twice)
    if comparisons < FEWEST_PAIRS:
        return Agreement(comparisons, None, None, None, None)
    counts = np.array([shape for shape, _ in twice], dtype=np.int64)
    times = np.array([times for _, times in twice], dtype=np.int64)
    weights = times.astype(np.float64)
    alpha = _rounded(krippendorff_alpha(counts, weights=weights))
    if alpha is None:
        return Agreement(comparisons, _rounded(percent(counts, weights)), None, None, None)
    low, high = interval(counts, lambda rows, drawn: krippendorff_alpha(rows, weights=drawn), times=times)
    return Agreement(comparisons, _rounded(percent(counts, weights)), alpha, _rounded(low), _rounded(high))


def _rounded(value: float) -> float | None:
    return None if isnan(value) else round(value, PLACES)


def _hashed(text: str) -> str:
    return sha256(text.encode()).hexdigest()
