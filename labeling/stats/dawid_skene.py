"""Which answer is right, and how each rater errs, learned from each other (Dawid and Skene 1979)."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from labeling.stats.counts import Floats, Ints

SMALLEST = 1e-10


@dataclass(frozen=True, slots=True)
class Crowd:
    """`posterior` (units, classes): P(class | answers). `prior` (classes). `confusion` (raters, classes, classes):
    P(answer | class), the true class first. `steps` taken, and the largest `change` of a posterior in the last one."""

    posterior: Floats
    prior: Floats
    confusion: Floats
    loglik: float
    steps: int
    change: float

    def accuracy(self) -> Floats:
        """Of each rater, P(answer is the class), for classes as frequent as the prior says; shape (raters,)."""
        return np.asarray(np.einsum("rcc,c->r", self.confusion, self.prior), dtype=np.float64)


def dawid_skene(
    unit: Ints,
    rater: Ints,
    answer: Ints,
    *,
    classes: int,
    steps: int = 1000,
    tolerance: float = 1e-12,
    smoothing: float = 0.0,
) -> Crowd:
    """Fit by expectation and maximisation from the soft majority, until no posterior moves by more than `tolerance`.

    One (unit, rater, answer) a judgment, each numbered from 0 without gaps; a rater may answer a unit several times.
    `smoothing` is added to the diagonal of every rater's confusion counts, four of it being a firm belief that raters
    are mostly right; with 0, counts of answers that a rater has used are kept at 1e-10 at least, so that an answer
    never seen with a class does not rule the class out.
    """
    units, raters = int(unit.max()) + 1, int(rater.max()) + 1
    votes = np.zeros((units, classes))
    np.add.at(votes, (unit, answer), 1)
    posterior = votes / votes.sum(1, keepdims=True)
    change, taken = np.inf, 0
    while taken < steps and change > tolerance:
        prior, confusion = _learn(posterior, unit, rater, answer, raters, smoothing)
        moved, loglik = _expect(prior, confusion, unit, rater, answer, units)
        change = float(np.abs(moved - posterior).max())
        posterior, taken = moved, taken + 1
    return Crowd(posterior, prior, confusion, loglik, taken, change)


def _learn(
    posterior: Floats, unit: Ints, rater: Ints, answer: Ints, raters: int, smoothing: float
) -> tuple[Floats, Floats]:
    classes = posterior.shape[1]
    cell = rater * classes + answer
    seen = np.stack([np.bincount(cell, posterior[unit, c], raters * classes) for c in range(classes)], axis=1)
    counts = seen.reshape(raters, classes, classes).transpose(0, 2, 1)
    used = np.bincount(cell, minlength=raters * classes).reshape(raters, 1, classes) > 0
    believed: Floats = np.where(used, np.maximum(counts, SMALLEST), counts)
    if smoothing:
        believed = counts + smoothing * np.eye(classes)
    return posterior.mean(0), believed / believed.sum(2, keepdims=True)


def _expect(
    prior: Floats, confusion: Floats, unit: Ints, rater: Ints, answer: Ints, units: int
) -> tuple[Floats, float]:
    with np.errstate(divide="ignore"):
        told = np.log(confusion[rater, :, answer])
        start = np.log(prior)
    joint = start + np.stack([np.bincount(unit, told[:, c], units) for c in range(len(prior))], axis=1)
    whole = np.logaddexp.reduce(joint, axis=1)
    return np.exp(joint - whole[:, None]), float(whole.sum())
