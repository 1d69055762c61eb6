"""Strengths of models from counts a pair of responses: Davidson 1970, clustered, with what else sways raters beside.

A pair needs three numbers only (first, tie, second), so a million judgments cost what their pairs do.
"""

from __future__ import annotations

from dataclasses import dataclass
from itertools import pairwise

import numpy as np

from labeling.stats.bradley_terry import LOSS, TIE, WIN, Strengths
from labeling.stats.counts import Floats, Ints

_CLUSTERS_AT_ONCE = 20_000


@dataclass(frozen=True, slots=True)
class Met:
    """One row a pair of responses: the models that meet, how often each was preferred, and the cluster (its prompt).

    `beside` (pairs, columns) are differences first - second of what may sway raters: length, lists, headings.
    """

    left: Ints
    right: Ints
    won: Floats
    tied: Floats
    lost: Floats
    cluster: Ints
    beside: Floats


@dataclass(frozen=True, slots=True)
class Controlled:
    """`strengths` at equal `beside`, and of each of its columns the weight and its error."""

    strengths: Strengths
    weights: Floats
    errors: Floats


def davidson(
    left: Ints, right: Ints, outcome: Ints, models: int, *, cluster: Ints | None = None, ridge: float = 1e-3
) -> Strengths:
    """The same from one (left, right, outcome) a comparison, each a cluster of its own without `cluster`."""
    won, tied, lost = ((outcome == which).astype(np.float64) for which in (WIN, TIE, LOSS))
    alone = np.arange(len(left)) if cluster is None else cluster
    met = Met(left, right, won, tied, lost, alone, np.zeros((len(left), 0)))
    return davidson_counts(met, models, ridge=ridge).strengths


def davidson_counts(met: Met, models: int, *, ridge: float = 1e-3) -> Controlled:
    """By Newton's method; `cov` is the sandwich over clusters. `ridge` keeps the undefeated finite."""
    columns = met.beside.shape[1]
    at = np.zeros(models + 1 + columns)
    for _ in range(60):
        score, information, _ = _derivatives(met, at, models, ridge)
        step = np.linalg.solve(information, _summed(met, score, models) - ridge * at)
        at = at + step
        if np.abs(step).max() < 1e-9:
            break
    score, information, loglik = _derivatives(met, at, models, ridge)
    inverse = np.linalg.inv(information)
    cov = inverse @ _meat(met, score, models, len(at)) @ inverse
    centre = np.eye(models) - 1 / models
    theta = at[:models] - at[:models].mean()
    strengths = Strengths(theta, centre @ cov[:models, :models] @ centre.T, float(np.exp(at[models])), loglik)
    return Controlled(strengths, at[models + 1 :], np.sqrt(np.maximum(np.diag(cov)[models + 1 :], 0)))


@dataclass(frozen=True, slots=True)
class _Score:
    """By how much each pair would raise its left strength, its right one and the tie; a column beside is (left - right)
    / 2 times its difference."""

    left: Floats
    right: Floats
    tie: Floats


def _derivatives(met: Met, at: Floats, models: int, ridge: float) -> tuple[_Score, Floats, float]:
    sway = met.beside @ at[models + 1 :] / 2
    a, b = at[met.left] + sway, at[met.right] - sway
    logs = np.stack([a, b, at[models] + (a + b) / 2])
    logs -= np.logaddexp.reduce(logs, axis=0)
    p_left, p_right, p_tie = np.exp(logs)
    number = met.won + met.tied + met.lost
    mean_left, mean_right = p_left + p_tie / 2, p_right + p_tie / 2
    score = _Score(
        met.won + met.tied / 2 - number * mean_left, met.lost + met.tied / 2 - number * mean_right,
        met.tied - number * p_tie,
    )  # fmt: skip
    var_left, var_right = number * (p_left + p_tie / 4 - mean_left**2), number * (p_right + p_tie / 4 - mean_right**2)
    across = number * (p_tie / 4 - mean_left * mean_right)
    left_tie, right_tie = number * (p_tie / 2 - mean_left * p_tie), number * (p_tie / 2 - mean_right * p_tie)
    information = ridge * np.eye(len(at))
    off = np.bincount(met.left * models + met.right, across, models * models).reshape(models, models)
    information[:models, :models] += off + off.T
    information[np.arange(models), np.arange(models)] += np.bincount(met.left, var_left, models)
    information[np.arange(models), np.arange(models)] += np.bincount(met.right, var_right, models)
    with_tie = np.bincount(met.left, left_tie, models) + np.bincount(met.right, right_tie, models)
    information[:models, models] += with_tie
    information[models, :models] += with_tie
    information[models, models] += (number * (p_tie - p_tie**2)).sum()
    for column, half in enumerate(met.beside.T / 2, start=models + 1):
        row = np.bincount(met.left, half * (var_left - across), models)
        row += np.bincount(met.right, half * (across - var_right), models)
        information[:models, column] += row
        information[column, :models] += row
        information[models, column] += float((half * (left_tie - right_tie)).sum())
        information[column, models] = information[models, column]
        spread = half * (var_left + var_right - 2 * across)
        information[column, models + 1 :] += spread @ (met.beside / 2)
    loglik = float((met.won * logs[0] + met.lost * logs[1] + met.tied * logs[2]).sum())
    return score, information, loglik


def _summed(met: Met, score: _Score, models: int) -> Floats:
    theta = np.bincount(met.left, score.left, models) + np.bincount(met.right, score.right, models)
    beside = ((score.left - score.right) / 2) @ met.beside
    return np.concatenate([theta, [score.tie.sum()], beside])


def _meat(met: Met, score: _Score, models: int, size: int) -> Floats:
    """The sum over clusters of (the cluster's score) squared, some clusters at a time."""
    order = np.argsort(met.cluster, kind="stable")
    _, group = np.unique(met.cluster[order], return_inverse=True)
    found = np.zeros((size, size))
    edges = np.searchsorted(
        group, np.arange(0, (group[-1] if len(group) else -1) + 1 + _CLUSTERS_AT_ONCE, _CLUSTERS_AT_ONCE)
    )
    for begin, end in pairwise(edges.tolist()):
        rows = order[begin:end]
        if not len(rows):
            continue
        here = group[begin:end] - group[begin]
        scores = np.zeros((int(here[-1]) + 1, size))
        np.add.at(scores, (here, met.left[rows]), score.left[rows])
        np.add.at(scores, (here, met.right[rows]), score.right[rows])
        scores[:, models] = np.bincount(here, score.tie[rows])
        sway = (score.left[rows] - score.right[rows]) / 2
        for column in range(size - models - 1):
            scores[:, models + 1 + column] = np.bincount(here, sway * met.beside[rows, column])
        found += scores.T @ scores
    return found
