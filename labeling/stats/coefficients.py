"""Coefficients of agreement, from a table of counts (see `counts`). Missing answers are simply not counted.

`weights` says how often each row counts (a bootstrap's draw); without it, once. A coefficient that is not defined
(nobody was asked twice, or everybody always says the same) is NaN.
"""

from __future__ import annotations

from typing import Literal

import numpy as np

from labeling.stats.counts import Floats, Ints

Metric = Literal["nominal", "ordinal", "interval", "ratio"]


def percent(counts: Ints, weights: Floats | None = None) -> float:
    """The mean over units with at least two answers of the share of pairs of raters that agree."""
    table, answers, times = _twice(counts, weights)
    same = (table * (table - 1)).sum(1) / (answers * (answers - 1))
    return _divide(float((times * same).sum()), float(times.sum()))


def percent_pooled(counts: Ints) -> float:
    """Agreeing pairs of raters of all units together, as a share of all pairs of raters."""
    table, answers, _ = _twice(counts, None)
    return _divide(float((table * (table - 1)).sum()), float((answers * (answers - 1)).sum()))


def krippendorff_alpha(
    counts: Ints, metric: Metric = "nominal", weights: Floats | None = None, values: Floats | None = None
) -> float:
    """Krippendorff's alpha, 1 - observed / expected disagreement (Krippendorff 2011, by coincidences).

    `values` are what the categories stand for, for the interval and ratio metrics; without it 0, 1, 2…
    """
    table, answers, times = _twice(counts, weights)
    share = times / (answers - 1)
    coincidences = (table * share[:, None]).T @ table
    coincidences[np.diag_indices_from(coincidences)] -= (table * share[:, None]).sum(0)
    totals = coincidences.sum(1)
    total = float(totals.sum())
    distance = distances(metric, totals, values)
    expected = float((np.outer(totals, totals) * distance).sum())
    return 1 - _divide(float((coincidences * distance).sum()) * (total - 1), expected)


def fleiss_kappa(counts: Ints, weights: Floats | None = None) -> float:
    """Fleiss' kappa (1971), generalised to units with different numbers of answers as Gwet does: a category's
    prevalence is the mean of its share over all units with an answer."""
    prevalence = _prevalence(counts, weights)
    return _corrected(percent(counts, weights), float((prevalence**2).sum()))


def weighted_kappa(counts: Ints, agreement: Floats, weights: Floats | None = None) -> float:
    """Fleiss' kappa with partial agreement, (categories, categories) with 1 on its diagonal, for any number of raters;
    of two raters who share a prevalence it is their weighted kappa."""
    prevalence = _prevalence(counts, weights)
    return _corrected(_near(counts, agreement, weights), float(prevalence @ agreement @ prevalence))


def gwet_ac1(counts: Ints, weights: Floats | None = None) -> float:
    """Gwet's AC1 (2008): chance agreement stays small where one category is rare. Zero columns are categories too."""
    prevalence = _prevalence(counts, weights)
    chance = float((prevalence * (1 - prevalence)).sum()) / (len(prevalence) - 1)
    return _corrected(percent(counts, weights), chance)


def gwet_ac2(counts: Ints, agreement: Floats, weights: Floats | None = None) -> float:
    """Gwet's AC2: AC1 with partial agreement. `agreement` is (categories, categories), 1 on its diagonal."""
    prevalence = _prevalence(counts, weights)
    size = len(prevalence)
    chance = float(agreement.sum()) * float((prevalence * (1 - prevalence)).sum()) / (size * (size - 1))
    return _corrected(_near(counts, agreement, weights), chance)


def brennan_prediger(counts: Ints, weights: Floats | None = None) -> float:
    """Agreement corrected for raters who would pick every category alike (Brennan and Prediger 1981)."""
    return _corrected(percent(counts, weights), 1 / counts.shape[1])


def cohen_kappa(one: Ints, other: Ints, categories: int, agreement: Floats | None = None) -> float:
    """Cohen's kappa of two raters over the units both judged; with `agreement` (1 on the diagonal), weighted."""
    table = np.zeros((categories, categories))
    np.add.at(table, (one, other), 1)
    total = table.sum()
    if not total:
        return float("nan")
    table /= total
    partial = np.eye(categories) if agreement is None else agreement
    chance = float((np.outer(table.sum(1), table.sum(0)) * partial).sum())
    return _corrected(float((table * partial).sum()), chance)


def partial_agreement(categories: int, power: int = 1) -> Floats:
    """Weights for ordered categories: 1 on the diagonal, 0 between the ends; power 1 is linear, 2 quadratic."""
    place = np.arange(categories)
    near: Floats = 1 - (np.abs(place[:, None] - place[None, :]) / max(1, categories - 1)) ** power
    return near


def _near(counts: Ints, agreement: Floats, weights: Floats | None) -> float:
    """The mean over units of how far pairs of raters agree, a near answer counting in part."""
    table, answers, times = _twice(counts, weights)
    same = (table * (table @ agreement - 1)).sum(1) / (answers * (answers - 1))
    return _divide(float((times * same).sum()), float(times.sum()))


def _twice(counts: Ints, weights: Floats | None) -> tuple[Floats, Floats, Floats]:
    """The rows with two answers or more, their numbers of answers, and how often each counts."""
    answers = counts.sum(1)
    enough = answers >= 2
    times = np.ones(int(enough.sum())) if weights is None else weights[enough]
    return counts[enough].astype(np.float64), answers[enough].astype(np.float64), times


def _prevalence(counts: Ints, weights: Floats | None) -> Floats:
    answers = counts.sum(1)
    some = answers >= 1
    times = np.ones(int(some.sum())) if weights is None else weights[some]
    shares = counts[some] / answers[some][:, None]
    mean: Floats = (shares * times[:, None]).sum(0) / times.sum() if times.sum() else np.zeros(counts.shape[1])
    return mean


def distances(metric: Metric, totals: Floats, values: Floats | None = None) -> Floats:
    """Squared differences of the categories, by how they are measured; shape (…, categories, categories).

    `totals` (…, categories) says how often each was given, which the ordinal metric goes by.
    """
    if metric == "ordinal":
        return _ordinal(totals)
    stands_for = np.arange(totals.shape[-1], dtype=np.float64) if values is None else values
    one, other = stands_for[:, None], stands_for[None, :]
    if metric == "nominal":
        return np.asarray(one != other, dtype=np.float64) * np.ones((*totals.shape, 1))
    apart, both = one - other, one + other
    if metric == "interval":
        return np.square(apart) * np.ones((*totals.shape, 1))
    share: Floats = np.divide(apart, both, out=np.zeros_like(both), where=both != 0)
    return np.square(share) * np.ones((*totals.shape, 1))


def _ordinal(totals: Floats) -> Floats:
    place = np.arange(totals.shape[-1])
    low, high = np.minimum(place[:, None], place[None, :]), np.maximum(place[:, None], place[None, :])
    below = np.concatenate([np.zeros((*totals.shape[:-1], 1)), np.cumsum(totals, axis=-1)], axis=-1)
    between = below[..., high + 1] - below[..., low] - (totals[..., low] + totals[..., high]) / 2
    return np.where(low == high, 0.0, np.square(between))


def _corrected(observed: float, chance: float) -> float:
    return _divide(observed - chance, 1 - chance)


def _divide(part: float, whole: float) -> float:
    return part / whole if whole else float("nan")
