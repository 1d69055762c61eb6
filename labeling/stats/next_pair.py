"""Which two responses of one item to compare next: where a comparison would tell most about their order."""

from __future__ import annotations

from math import erf

import numpy as np

from labeling.stats.counts import Floats

# Log strengths are taken to lie about this far around 0 before anything is known: a response that won its only
# comparison is likely better, and not infinitely so.
SPREAD = 1.5


def next_pair(wins: Floats, there: Floats, *, sure: float) -> tuple[int, int] | None:
    """The two responses (numbered as in the arrays, the lower first) that were not paired and tell most; None once the
    order of all that were not paired is clear, each by a probability of at least `sure`.

    `wins` (responses, responses): how often the row was preferred to the column, a tie counting half to each.
    `there` (responses, responses): not zero where the two are a pair already.
    """
    strength, cov = _fit(wins)
    best, most = None, 0.0
    for one in range(len(wins)):
        for other in range(one + 1, len(wins)):
            if there[one, other] or there[other, one]:
                continue
            gap = strength[one] - strength[other]
            variance = cov[one, one] + cov[other, other] - 2 * cov[one, other]
            if _clear(gap, variance) >= sure:
                continue
            chance = 1 / (1 + np.exp(-gap))
            gain = 0.5 * float(np.log1p(chance * (1 - chance) * variance))
            if gain > most:
                best, most = (one, other), gain
    return best


def _fit(wins: Floats) -> tuple[Floats, Floats]:
    """Most probable log strengths and their covariance, of a Bradley-Terry model with a normal prior."""
    responses, games = len(wins), wins + wins.T
    strength = np.zeros(responses)
    prior = np.eye(responses) / SPREAD**2
    information = prior
    for _ in range(50):
        chance = 1 / (1 + np.exp(strength[None, :] - strength[:, None]))
        gradient = (wins - games * chance).sum(1) - strength / SPREAD**2
        weight = games * chance * (1 - chance)
        information = np.diag(weight.sum(1)) - weight + prior
        step = np.linalg.solve(information, gradient)
        strength += step
        if np.abs(step).max() < 1e-8:
            break
    return strength, np.asarray(np.linalg.inv(information), dtype=np.float64)


def _clear(gap: float, variance: float) -> float:
    """P(the one that looks stronger is): at least one half."""
    return 0.5 * (1 + erf(abs(gap) / float(np.sqrt(2 * variance))))
