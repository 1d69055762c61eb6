"""Votes for one of two responses, or for neither, as arrays."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from labeling.stats.counts import Ints

Flags = npt.NDArray[np.bool_]
FIRST, SECOND, NEITHER = 1, 0, -1
GRADES = 3  # slightly, clearly, and much better, or more

# Pair, rater, preference (signed, in stored order), both bad.
Row = tuple[int, int, int | None, bool]


@dataclass(frozen=True, slots=True)
class Votes:
    """One entry a vote. `pair` and `rater` are numbers from 0; `side` is FIRST, SECOND or NEITHER; `grade` 0 to 2."""

    pair: Ints
    rater: Ints
    side: Ints
    grade: Ints

    def __len__(self) -> int:
        return len(self.pair)

    def part(self, which: slice | Ints) -> Votes:
        return Votes(self.pair[which], self.rater[which], self.side[which], self.grade[which])


def votes_of(rows: Sequence[Row], pairs: Sequence[int], raters: Sequence[int]) -> Votes:
    """A tie and “both bad” are votes for neither. `pairs` and `raters` are sorted and hold all ids of the rows."""
    table = np.array([(pair, rater, preference or 0) for pair, rater, preference, _ in rows], dtype=np.int64)
    table = table.reshape(len(rows), 3)
    preference = table[:, 2]
    side = np.select([preference < 0, preference > 0], [FIRST, SECOND], NEITHER)
    grade = np.clip(np.abs(preference) - 1, 0, GRADES - 1)
    return Votes(np.searchsorted(pairs, table[:, 0]), np.searchsorted(raters, table[:, 1]), side, grade)
