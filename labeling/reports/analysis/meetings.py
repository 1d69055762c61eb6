"""Who met whom and how it ended: counts of each pair of responses, for everything that is said of models."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from labeling.reports.analysis.judged import BOTH_BAD, MODEL_MISSING, Bools, Judged, Votes
from labeling.stats.counts import Floats, Ints


@dataclass(frozen=True, slots=True)
class Meetings:
    """One row a pair between two different named models: how often the first won, they tied, the second won, neither
    was acceptable. `first` and `second` number the `models`; `left_out` judgments are of other pairs."""

    models: list[str]
    pair: Ints
    first: Ints
    second: Ints
    won: Floats
    tied: Floats
    lost: Floats
    neither: Floats
    left_out: int

    def only(self, kept: Bools) -> Meetings:
        return Meetings(
            self.models, self.pair[kept], self.first[kept], self.second[kept], self.won[kept], self.tied[kept],
            self.lost[kept], self.neither[kept], 0,
        )  # fmt: skip

    @property
    def decided(self) -> float:
        return float((self.won + self.lost).sum())

    @property
    def settled(self) -> float:
        """Judgments that named a winner or a tie."""
        return float((self.won + self.tied + self.lost).sum())

    def matrix(self) -> tuple[Floats, Floats, Floats]:
        """(wins, ties, both bad), each (models, models): of the row's model against the column's."""
        size = len(self.models)

        def summed(one: Ints, other: Ints, times: Floats) -> Floats:
            return np.bincount(one * size + other, times, size * size).astype(np.float64).reshape(size, size)

        first, second = self.first, self.second
        wins = summed(first, second, self.won) + summed(second, first, self.lost)
        ties = summed(first, second, self.tied)
        bad = summed(first, second, self.neither)
        return wins, ties + ties.T, bad + bad.T


def meetings(judged: Judged, votes: Votes) -> Meetings:
    """Of one preference; its models are those that occur, by name."""
    pairs, value = judged.pairs, votes.value
    number = len(pairs)
    tallies = [
        np.bincount(votes.pair[which], minlength=number).astype(np.float64)
        for which in (value < 0, value == 0, (value > 0) & (value != BOTH_BAD), value == BOTH_BAD)
    ]
    one, other = pairs.first_model, pairs.second_model
    judged_here = sum(tallies) > 0
    named = (one != MODEL_MISSING) & (other != MODEL_MISSING) & (one != other)
    rows = np.flatnonzero(judged_here & named)
    present = np.union1d(one[rows], other[rows])
    names = np.array([pairs.models[place] for place in present.tolist()], dtype=object)
    order = np.argsort(names, kind="stable") if len(names) else np.zeros(0, dtype=np.int64)
    place = np.full(len(pairs.models) + 1, -1, dtype=np.int64)
    place[present[order]] = np.arange(len(present))
    won, tied, lost, neither = (tally[rows] for tally in tallies)
    left_out = float(sum(tally[~named].sum() for tally in tallies))
    return Meetings(
        [str(name) for name in names[order]], rows, place[one[rows]], place[other[rows]], won, tied, lost, neither,
        round(left_out),
    )  # fmt: skip
