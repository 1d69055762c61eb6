"""When a pair has enough judgments. Arrays over pairs in, arrays over pairs out; no row is read here."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from labeling.stats.counts import Floats, Ints
from labeling.stats.votes import Flags

COLLECTING, SETTLED, CONTESTED, FULL = range(4)
MOST_DIFFER, CONTESTED_FROM = 0.6, 4  # bits; judgments
TRUSTED = 0.75  # the lower end of a rater's interval, above which one clear answer may settle a pair
CLEARLY = 1  # the lowest grade that is clear


@dataclass(frozen=True, slots=True)
class Rules:
    """A queue's. `fewest` is what a pair has before anything is known of it, `least` what it has to be settled."""

    third: bool
    fewest: int
    least: int
    most: int
    sure: float
    singles: bool
    audit_overlap: int


@dataclass(frozen=True, slots=True)
class Known:
    """Of each pair: judgments that count, how sure its better side is, bits by which people differ, whether it is drawn
    for the audit, whether its one judgment may settle it, and the judgments for the first side, neither, the second."""

    judgments: Ints
    sure: Floats
    differ: Floats
    audited: Flags
    single: Flags
    sides: Ints


def decide(rules: Rules, known: Known) -> tuple[Ints, Ints]:
    """The state of each pair, and how many raters it is to have."""
    state = _by_thirds(known) if rules.third else _by_model(rules, known)
    goal = np.full_like(known.judgments, 3) if rules.third else _next(rules, known.judgments)
    goal = np.where(known.judgments < rules.fewest, rules.fewest, goal)
    # the audit is of pairs for which nothing was decided on the way
    early = known.audited & (known.judgments < rules.audit_overlap)
    state = np.where(early, COLLECTING, state)
    over = known.audited & ~early & (state == COLLECTING)
    state = np.where(over, FULL, state)
    goal = np.where(known.audited, rules.audit_overlap, goal)
    return state, np.where(state == COLLECTING, goal, known.judgments)


def _by_model(rules: Rules, known: Known) -> Ints:
    many = known.judgments >= rules.least
    enough = many | (rules.singles & (known.judgments == 1) & known.single)
    settled = enough & (known.sure >= rules.sure - 1e-9)
    contested = many & (known.judgments >= CONTESTED_FROM) & (known.differ > MOST_DIFFER)
    full = known.judgments >= rules.most
    return np.select([settled, contested, full], [SETTLED, CONTESTED, FULL], COLLECTING)


def _by_thirds(known: Known) -> Ints:
    """Two that agree, or the larger part of three or more."""
    agreed = 2 * known.sides.max(1, initial=0) > known.judgments
    two = (known.judgments == 2) & agreed
    more = known.judgments > 2
    return np.select([two | (more & agreed), more], [SETTLED, FULL], COLLECTING)


def _next(rules: Rules, judgments: Ints) -> Ints:
    """One more at a time, once the fewest are there: what the next one says may be enough."""
    return np.minimum(np.maximum(judgments + 1, rules.least), rules.most)
