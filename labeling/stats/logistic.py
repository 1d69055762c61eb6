"""Logistic regression by Newton's method, with errors that allow rows of one cluster to go together."""

from __future__ import annotations

from dataclasses import dataclass
from math import sqrt

import numpy as np

from labeling.stats.counts import Floats, Ints


@dataclass(frozen=True, slots=True)
class Weights:
    """`weights` (columns,) and their covariance (columns, columns), the sandwich clustered without correction."""

    weights: Floats
    cov: Floats

    @property
    def error(self) -> Floats:
        return np.asarray(np.sqrt(self.cov.diagonal().clip(min=0)), dtype=np.float64)

    def ratio(self, one: int, other: int) -> tuple[float, float]:
        """`weights[one] / weights[other]` and its error, by the delta method."""
        top, bottom = float(self.weights[one]), float(self.weights[other])
        slope = np.zeros(len(self.weights))
        slope[one], slope[other] = 1 / bottom, -top / bottom**2
        return top / bottom, sqrt(max(0.0, float(slope @ self.cov @ slope)))


def logistic(design: Floats, won: Floats, cluster: Ints, *, times: Floats | None = None, ridge: float = 0.0) -> Weights:
    """Fit P(won) = 1 / (1 + exp(-design @ weights)).

    `won` is the share that won of the `times` that a row stands for; `ridge` keeps a column finite that tells all.
    """
    many = np.ones(len(won)) if times is None else times
    weights: Floats = np.zeros(design.shape[1])
    firm = ridge * np.eye(len(weights))
    for _ in range(30):
        chance = _chance(design, weights)
        information = design.T @ (design * (many * chance * (1 - chance))[:, None]) + firm
        step = np.linalg.solve(information, design.T @ (many * (won - chance)) - ridge * weights)
        weights = np.asarray(weights + step, dtype=np.float64)
        if float(np.abs(step).max()) < 1e-10:
            break
    _, group = np.unique(cluster, return_inverse=True)
    residuals = design * (many * (won - _chance(design, weights)))[:, None]
    scores = np.column_stack([np.bincount(group, residuals[:, column]) for column in range(len(weights))])
    inverse = np.linalg.inv(information)
    return Weights(weights, inverse @ (scores.T @ scores) @ inverse)


def _chance(design: Floats, weights: Floats) -> Floats:
    chance: Floats = 1 / (1 + np.exp(-np.clip(design @ weights, -500, 500)))
    return chance
