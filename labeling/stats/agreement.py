"""How often people say the same, as a number that anybody can check."""

from __future__ import annotations

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
