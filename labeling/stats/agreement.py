"""How often people say the same. Numbers in, numbers out."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class PercentAgreement:
    """`share` of all comparisons of two raters on the same unit in which both gave the same answer; None without any.

    Not corrected for chance: two raters who guess between two answers agree half of the time.
    """

    units: int
    comparisons: int
    agreeing: int

    @property
    def share(self) -> float | None:
        return self.agreeing / self.comparisons if self.comparisons else None


def percent_agreement(units: Iterable[Sequence[int]]) -> PercentAgreement:
    """Observed agreement, pooled over units. A unit is how many raters gave each answer: [2, 0, 1].

    A unit with n answers holds n(n-1)/2 comparisons; units with fewer than two answers say nothing and are left out.
    """
    used = comparisons = agreeing = 0
    for counts in units:
        answers = sum(counts)
        if answers < 2:
            continue
        used += 1
        comparisons += answers * (answers - 1) // 2
        agreeing += sum(count * (count - 1) // 2 for count in counts)
    return PercentAgreement(used, comparisons, agreeing)
