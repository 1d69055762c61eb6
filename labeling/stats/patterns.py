"""Whether somebody reads or only presses keys: runs of one key, few different keys, two keys in turn.

What is usual depends on what the rater answers at all, so a sequence is held against shuffles of itself.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from labeling.stats.counts import Floats, Ints

SHUFFLES = 1000
LONGEST = 400  # answers looked at: the last ones


@dataclass(frozen=True, slots=True)
class Pattern:
    """`run`: the longest run of one key; `usual_run` what nineteen of twenty shuffles stay below; `run_p` how many
    shuffles have one as long. `entropy`: bits of the keys. `turns`: lag-1 autocorrelation of “the same key as before”,
    -1 when two keys take turns; `turns_p` how many shuffles alternate as much."""

    keys: int
    run: int
    usual_run: int
    run_p: float
    entropy: float
    turns: float
    turns_p: float


def pattern(key: Ints, *, shuffles: int = SHUFFLES, seed: int = 0) -> Pattern:
    """Of one rater's keys in the order of time, at least two; the last LONGEST of them."""
    key = np.unique(key[-LONGEST:], return_inverse=True)[1].reshape(-1)
    rng = np.random.default_rng(seed)
    drawn = rng.permuted(np.tile(key, (shuffles, 1)), axis=1)
    run, runs = int(_longest_run(key[None, :])[0]), _longest_run(drawn)
    turns, usual = float(_changes(key[None, :])[0]), _changes(drawn)
    share = np.bincount(key) / len(key)
    return Pattern(
        keys=len(key), run=run, usual_run=int(np.quantile(runs, 0.95)), run_p=_tail(int((runs >= run).sum()), shuffles),
        entropy=float(-(share * np.log2(share)).sum()) + 0.0, turns=_correlation(key),
        turns_p=_tail(int((usual >= turns).sum()), shuffles),
    )  # fmt: skip


def _tail(as_much: int, of: int) -> float:
    return (as_much + 1) / (of + 1)


def _longest_run(keys: Ints) -> Ints:
    """Of each row."""
    size = keys.shape[1]
    same = keys[:, 1:] == keys[:, :-1]
    place = np.arange(1, size)
    broken = np.where(same, 0, place)
    longest: Ints = (place - np.maximum.accumulate(broken, axis=1) + 1).max(1, initial=1)
    return longest


def _changes(keys: Ints) -> Floats:
    """How often a key follows that is not the one before, of each row."""
    return np.asarray((keys[:, 1:] != keys[:, :-1]).mean(1), dtype=np.float64)


def _correlation(key: Ints) -> float:
    """Of each key with the one before; 0 where all are the same."""
    if len(key) < 3:
        return 0.0
    one, other = key[:-1] - key[:-1].mean(), key[1:] - key[1:].mean()
    spread = float(np.sqrt((one**2).sum() * (other**2).sum()))
    return float((one * other).sum()) / spread if spread else 0.0
