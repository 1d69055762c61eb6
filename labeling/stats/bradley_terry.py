"""How strong each model is, from who was preferred to whom (Bradley and Terry 1952); ties as themselves: `davidson`."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from labeling.stats.counts import Floats, Ints

WIN, TIE, LOSS = 0, 1, 2


@dataclass(frozen=True, slots=True)
class Strengths:
    """`theta` (models,): natural log of strength, mean 0. `cov` (models, models): of theta, under that sum.
    `tie`: Davidson's nu, None where a tie counts as half a win a side. `loglik`: of the fit."""

    theta: Floats
    cov: Floats
    tie: float | None
    loglik: float

    @property
    def error(self) -> Floats:
        """Standard errors of theta, shape (models,)."""
        return np.sqrt(np.maximum(np.diag(self.cov), 0.0))

    def wins_against(self, one: int, other: int) -> float:
        """P(`one` is preferred to `other`), of comparisons that take a side."""
        return float(1 / (1 + np.exp(self.theta[other] - self.theta[one])))

    def best(self, draws: int = 1000, seed: int = 0) -> Floats:
        """Of each model, P(it is the strongest), by drawing theta from its normal approximation; shape (models,)."""
        rng = np.random.default_rng(seed)
        drawn = rng.multivariate_normal(self.theta, self.cov, size=draws, method="eigh")
        return np.bincount(drawn.argmax(1), minlength=len(self.theta)) / draws


def bradley_terry(left: Ints, right: Ints, outcome: Ints, models: int) -> Strengths:
    """Maximum likelihood, a tie being half a win for each side; `cov` from the inverse Fisher information.

    One (left, right, outcome) a comparison; outcome WIN means that `left` was preferred. Needs `components` to be one:
    a model that always wins has no finite strength.
    """
    won = np.where(outcome == WIN, 1.0, np.where(outcome == TIE, 0.5, 0.0))
    theta = np.zeros(models)
    centre = np.full((models, models), 1 / models)
    for _ in range(100):
        chance = 1 / (1 + np.exp(theta[right] - theta[left]))
        gap = won - chance
        gradient = np.bincount(left, gap, models) - np.bincount(right, gap, models)
        information = _laplacian(left, right, chance * (1 - chance), models)
        step = np.linalg.solve(information + centre, gradient)
        theta = theta + step
        if np.abs(step).max() < 1e-12:
            break
    theta = theta - theta.mean()
    chance = 1 / (1 + np.exp(theta[right] - theta[left]))
    information = _laplacian(left, right, chance * (1 - chance), models)
    loglik = float((won * np.log(chance) + (1 - won) * np.log1p(-chance)).sum())
    return Strengths(theta, np.linalg.inv(information + centre) - centre, None, loglik)


def components(left: Ints, right: Ints, models: int) -> Ints:
    """The group of each model, numbered from 0, such that models of different groups were never compared, not even by
    way of others; shape (models,). Strengths of different groups cannot be ranked."""
    parent = np.arange(models)

    def root(of: int) -> int:
        while parent[of] != of:
            parent[of] = parent[parent[of]]
            of = int(parent[of])
        return of

    for one, other in np.unique(np.stack([left, right], axis=1), axis=0):
        parent[root(int(one))] = root(int(other))
    _, group = np.unique([root(model) for model in range(models)], return_inverse=True)
    return group.astype(np.int64)


def _laplacian(left: Ints, right: Ints, weight: Floats, models: int) -> Floats:
    """The information that comparisons hold about differences of strength."""
    off = np.bincount(left * models + right, weight, models * models).reshape(models, models)
    off = off + off.T
    return np.asarray(np.diag(off.sum(1)) - off, dtype=np.float64)
