"""How strong each model is, from who was preferred to whom: Bradley and Terry 1952, with ties after Davidson 1970."""

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


def davidson(
    left: Ints, right: Ints, outcome: Ints, models: int, *, cluster: Ints | None = None, ridge: float = 1e-3
) -> Strengths:
    """Strengths and the readiness to tie, by Newton's method; a small `ridge` keeps the undefeated finite.

    P(left) = e^a / D, P(right) = e^b / D, P(tie) = nu e^((a+b)/2) / D. With `cluster` (the prompt or the rater of each
    comparison), `cov` is the sandwich that allows comparisons of one cluster to go together.
    """
    theta, log_tie = np.zeros(models), 0.0
    won, tied = (outcome == WIN).astype(np.float64), (outcome == TIE).astype(np.float64)
    lost = (outcome == LOSS).astype(np.float64)
    for _ in range(60):
        fit = _davidson_step(theta, log_tie, left, right, won, tied, lost, ridge)
        step = np.linalg.solve(fit.information, fit.gradient)
        theta, log_tie = theta + step[:models], log_tie + step[models]
        if np.abs(step).max() < 1e-9:
            break
    fit = _davidson_step(theta, log_tie, left, right, won, tied, lost, ridge)
    inverse = np.linalg.inv(fit.information)
    cov = inverse
    if cluster is not None:
        _, group = np.unique(cluster, return_inverse=True)
        scores = np.zeros((int(group.max()) + 1, models + 1))
        np.add.at(scores, (group, left), fit.left)
        np.add.at(scores, (group, right), fit.right)
        scores[:, models] = np.bincount(group, fit.tie)
        cov = inverse @ (scores.T @ scores) @ inverse
    centre = np.eye(models) - 1 / models
    return Strengths(
        theta - theta.mean(), centre @ cov[:models, :models] @ centre.T, float(np.exp(log_tie)), fit.loglik
    )


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


@dataclass(frozen=True, slots=True)
class _Step:
    gradient: Floats
    information: Floats
    left: Floats
    right: Floats
    tie: Floats
    loglik: float


def _davidson_step(
    theta: Floats, log_tie: float, left: Ints, right: Ints, won: Floats, tied: Floats, lost: Floats, ridge: float
) -> _Step:
    models = len(theta)
    a, b = theta[left], theta[right]
    logs = np.stack([a, b, log_tie + (a + b) / 2])
    logs -= np.logaddexp.reduce(logs, axis=0)
    p_left, p_right, p_tie = np.exp(logs)
    mean_left, mean_right = p_left + p_tie / 2, p_right + p_tie / 2
    for_left, for_right, for_tie = won + tied / 2 - mean_left, lost + tied / 2 - mean_right, tied - p_tie
    gradient = np.append(
        np.bincount(left, for_left, models) + np.bincount(right, for_right, models) - ridge * theta,
        for_tie.sum() - ridge * log_tie,
    )
    information = np.zeros((models + 1, models + 1))
    across = p_tie / 4 - mean_left * mean_right
    off = np.bincount(left * models + right, across, models * models).reshape(models, models)
    information[:models, :models] = off + off.T
    diagonal = np.bincount(left, p_left + p_tie / 4 - mean_left**2, models)
    diagonal += np.bincount(right, p_right + p_tie / 4 - mean_right**2, models)
    information[np.arange(models), np.arange(models)] += diagonal + ridge
    with_tie = np.bincount(left, p_tie / 2 - mean_left * p_tie, models)
    with_tie += np.bincount(right, p_tie / 2 - mean_right * p_tie, models)
    information[:models, models] = information[models, :models] = with_tie
    information[models, models] = (p_tie - p_tie**2).sum() + ridge
    loglik = float((won * logs[0] + lost * logs[1] + tied * logs[2]).sum())
    return _Step(gradient, information, for_left, for_right, for_tie, loglik)


def _laplacian(left: Ints, right: Ints, weight: Floats, models: int) -> Floats:
    """The information that comparisons hold about differences of strength."""
    off = np.bincount(left * models + right, weight, models * models).reshape(models, models)
    off = off + off.T
    return np.asarray(np.diag(off.sum(1)) - off, dtype=np.float64)
