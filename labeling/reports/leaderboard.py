"""How often each model's response was preferred: counts. Strengths (Bradley-Terry) are not computed yet."""

from __future__ import annotations

from dataclasses import dataclass

from django.db import connection

from labeling.models import Criterion
from labeling.reports.counted import COUNTS

_COUNTS = f"""
WITH games AS (
    SELECT first.model_name AS first, second.model_name AS second, j.preference, j.both_bad
    FROM labeling_annotation a
    JOIN labeling_judgment j ON j.annotation_id = a.id AND j.criterion_id = %(criterion)s
    JOIN labeling_pair p ON p.id = a.pair_id
    JOIN labeling_response first ON first.id = p.first_id
    JOIN labeling_response second ON second.id = p.second_id
    WHERE a.project_id = %(project)s AND {COUNTS}
), sides AS (
    SELECT first AS model, preference < 0 AS won, preference > 0 AS lost, preference = 0 AS tied, both_bad FROM games
    WHERE first <> '' AND second <> '' AND first <> second
    UNION ALL
    SELECT second, preference > 0, preference < 0, preference = 0, both_bad FROM games
    WHERE first <> '' AND second <> '' AND first <> second
)
SELECT model, count(*) FILTER (WHERE won), count(*) FILTER (WHERE tied), count(*) FILTER (WHERE lost),
       count(*) FILTER (WHERE both_bad), 0
FROM sides GROUP BY model
UNION ALL
SELECT '', 0, 0, 0, 0, count(*) FROM games WHERE first = '' OR second = '' OR first = second
"""  # noqa: S608


@dataclass(frozen=True, slots=True)
class Standing:
    model: str
    wins: int
    ties: int
    losses: int
    both_bad: int

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
    """`left_out` judgments are of pairs in which a model is not named, or meets itself."""

    criterion: Criterion
    standings: list[Standing]
    left_out: int


def leaderboard(criterion: Criterion) -> Leaderboard:
    """Every judgment that counts, of one preference criterion. One query; reads all of them."""
    with connection.cursor() as cursor:
        cursor.execute(_COUNTS, {"project": criterion.project_id, "criterion": criterion.pk})
        rows = cursor.fetchall()
    standings = [Standing(*row[:5]) for row in rows if row[0]]
    standings.sort(key=lambda one: (-one.win_share, one.model))
    return Leaderboard(criterion, standings, next(row[5] for row in rows if not row[0]))
