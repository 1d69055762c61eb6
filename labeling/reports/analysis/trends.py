"""What changes from week to week: ties, what is called unsafe, what is skipped; and when the guideline did."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import numpy as np
from django.db import connection

from labeling.models import Criterion
from labeling.reports.analysis.judged import Votes
from labeling.reports.analysis.shape import Report, Table
from labeling.reports.analysis.source import Source
from labeling.stats.biases import wilson

LEAST_WEEK, LEAST_WEEKS = 30, 3
SIGMAS = 3.0
_WEEK = 7 * 86_400
_MONDAY = 4 * 86_400  # the first one after 1 January 1970
_SKIPS = """
SELECT floor((extract(epoch FROM ended_at) - %s) / %s)::bigint, count(*), count(*) FILTER (WHERE state = 'skipped')
FROM labeling_assignment
WHERE project_id = %s AND state IN ('submitted', 'skipped') AND queue_id IS NOT NULL AND ended_at IS NOT NULL
GROUP BY 1 ORDER BY 1
"""


def trends(source: Source) -> Report:
    report = Report(
        tables={
            "weeks": Table(("criterion", "what", "week", "judgments", "share", "low", "high", "usual", "out")),
            "skips": Table(("week", "assignments", "skipped", "share", "low", "high")),
            "guidelines": Table(("version", "day")),
        }
    )
    judged = source.judged
    for criterion in judged.criteria:
        votes = judged.votes(criterion, gold=False)
        if len(votes) and criterion.kind == Criterion.Kind.PREFERENCE and "tie" in votes.categories:
            _weeks(report, source, votes, "tie", votes.value == 0)
        if len(votes) and criterion.kind == Criterion.Kind.SAFETY:
            _weeks(report, source, votes, "unsafe", votes.answer == 1)
    with connection.cursor() as cursor:
        cursor.execute(_SKIPS, [_MONDAY, _WEEK, source.project.pk])
        for week, assignments, skipped in cursor.fetchall():
            low, high = wilson(skipped, assignments)
            report.tables["skips"].add(
                week=_day(int(week)), assignments=assignments, skipped=skipped, share=skipped / assignments, low=low,
                high=high,
            )  # fmt: skip
    published = source.project.guidelines.filter(published_at__isnull=False).order_by("version")
    for version, at in published.values_list("version", "published_at"):
        report.tables["guidelines"].add(version=version, day=at.date().isoformat() if at else None)
    return report


def _weeks(
    report: Report, source: Source, votes: Votes, what: str, counted: np.ndarray[tuple[int], np.dtype[np.bool_]]
) -> None:
    """A p-chart: a week is out when it is three deviations or more away from the mean of all."""
    week = np.floor((source.judged.given.at[votes.given] - _MONDAY) / _WEEK).astype(np.int64)
    known, place = np.unique(week, return_inverse=True)
    number, part = np.bincount(place), np.bincount(place[counted], minlength=len(known))
    usual = float(counted.mean())
    for n, (one, of, some) in enumerate(zip(known.tolist(), number.tolist(), part.tolist(), strict=True)):
        low, high = wilson(some, of)
        error = (usual * (1 - usual) / of) ** 0.5
        out = len(known) >= LEAST_WEEKS and of >= LEAST_WEEK and abs(some / of - usual) > SIGMAS * error > 0
        report.tables["weeks"].add(
            criterion=votes.criterion.key, what=what, week=_day(one), judgments=of, share=some / of, low=low, high=high,
            usual=usual, out=bool(out),
        )  # fmt: skip
        if out and n == len(known) - 1:
            report.say(
                f"week_{what}", {"criterion": votes.criterion.key}, "", share=some / of, usual=usual, week=_day(one)
            )


def _day(week: int) -> str:
    """The Monday on which it begins."""
    return (datetime(1970, 1, 1, tzinfo=UTC) + timedelta(seconds=week * _WEEK + _MONDAY)).date().isoformat()
