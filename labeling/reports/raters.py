"""What each rater of a project has done, by pseudonym."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from django.db import connection

from labeling.models import Project
from labeling.reports.counted import COUNTS
from labeling.reports.pseudonyms import pseudonym

_RATERS = f"""
WITH work AS (
    SELECT a.id, a.rater_id, a.active_ms, a.created_at, s.swapped
    FROM labeling_annotation a JOIN labeling_assignment s ON s.id = a.assignment_id
    WHERE a.project_id = %(project)s AND {COUNTS}
), answers AS (
    SELECT work.rater_id, count(*) AS judgments,
           count(*) FILTER (WHERE j.preference <> 0) AS decided,
           count(*) FILTER (WHERE j.preference <> 0 AND (j.preference < 0) <> work.swapped) AS chose_left
    FROM work JOIN labeling_judgment j ON j.annotation_id = work.id GROUP BY work.rater_id
)
SELECT work.rater_id, count(*) AS annotations, coalesce(min(answers.judgments), 0), coalesce(min(answers.decided), 0),
       coalesce(min(answers.chose_left), 0),
       percentile_cont(0.5) WITHIN GROUP (ORDER BY work.active_ms) AS median_active_ms, max(work.created_at)
FROM work LEFT JOIN answers USING (rater_id) GROUP BY work.rater_id ORDER BY annotations DESC, work.rater_id
"""  # noqa: S608


@dataclass(frozen=True, slots=True)
class RaterWork:
    """`judgments` counts single answers; `decided` those preferences that took a side, `chose_left` the shown left."""

    user_id: int
    pseudonym: str
    annotations: int
    judgments: int
    decided: int
    chose_left: int
    median_active_ms: int | None
    last_at: Any

    @property
    def left_share(self) -> float | None:
        return self.chose_left / self.decided if self.decided else None


def project_raters(project: Project) -> list[RaterWork]:
    """Busiest first. One query; reads every annotation that counts and its judgments."""
    with connection.cursor() as cursor:
        cursor.execute(_RATERS, {"project": project.pk})
        return [
            RaterWork(
                user_id=user_id,
                pseudonym=pseudonym(project, user_id),
                annotations=annotations,
                judgments=judgments,
                decided=decided,
                chose_left=chose_left,
                median_active_ms=None if median is None else round(median),
                last_at=last_at,
            )
            for user_id, annotations, judgments, decided, chose_left, median, last_at in cursor
        ]
