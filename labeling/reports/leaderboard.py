"""How models stand on one preference, as the newest analysis found it."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from labeling.models import Criterion
from labeling.reports.findings import Found, find


@dataclass(frozen=True, slots=True)
class Standing:
    """`figures` are all the report's cells of the model: strength, interval, rank and more."""

    model: str
    wins: int
    ties: int
    losses: int
    both_bad: int
    figures: dict[str, Any] = field(default_factory=dict)

    @property
    def comparisons(self) -> int:
        return self.wins + self.ties + self.losses + self.both_bad

    @property
    def win_share(self) -> float:
        """Wins and half of the ties, of all comparisons that named a winner or a tie; 0.5 without any."""
        settled = self.wins + self.ties + self.losses
        return (self.wins + self.ties / 2) / settled if settled else 0.5


@dataclass(frozen=True, slots=True)
class Leaderboard:
    """Strongest first. `left_out` judgments are of pairs in which a model is not named, or meets itself.

    `brackets` are runs of models that cannot be told apart; `figures` the report's cells of the criterion.
    """

    criterion: Criterion
    standings: list[Standing]
    left_out: int
    brackets: list[list[str]] = field(default_factory=list)
    figures: dict[str, Any] = field(default_factory=dict)


def leaderboard(criterion: Criterion) -> Leaderboard:
    """Of one preference criterion; empty before the first analysis. Two queries."""
    found = find(criterion.project, "models")
    return Leaderboard(criterion, [], 0) if found is None else of_criterion(found, criterion)


def of_criterion(found: Found, criterion: Criterion) -> Leaderboard:
    figures = next((row for row in found.rows("criteria") if row["criterion"] == criterion.key), {})
    standings = [
        Standing(row["model"], int(row["wins"]), int(row["ties"]), int(row["losses"]), int(row["both_bad"]), row)
        for row in found.rows("models")
        if row["criterion"] == criterion.key
    ]
    brackets: dict[int, list[str]] = {}
    for row in found.rows("brackets"):
        if row["criterion"] == criterion.key:
            brackets.setdefault(row["bracket"], []).append(row["model"])
    return Leaderboard(criterion, standings, int(figures.get("left_out") or 0), list(brackets.values()), figures)
