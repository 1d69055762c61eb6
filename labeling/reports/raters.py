"""What each rater of a project has done, by pseudonym, as the newest analysis found it."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from labeling.models import Project
from labeling.reports.findings import Found, find


@dataclass(frozen=True, slots=True)
class RaterWork:
    """`judgments` counts single answers; `decided` those preferences that took a side, `chose_left` the shown left.

    `figures` are all the report's cells of the rater, `flags` what a manager should look at, each (code, sentence,
    verb).
    """

    pseudonym: str
    annotations: int
    judgments: int
    decided: int
    chose_left: int
    median_active_ms: int | None
    last_at: datetime
    figures: dict[str, Any]
    flags: list[tuple[str, str, str]]

    @property
    def left_share(self) -> float | None:
        return self.chose_left / self.decided if self.decided else None


def project_raters(project: Project) -> list[RaterWork]:
    """Busiest first; nobody before the first analysis. One query."""
    found = find(project, "raters")
    return [] if found is None else of_raters(found)


def of_raters(found: Found) -> list[RaterWork]:
    said: dict[str, list[tuple[str, str, str]]] = {}
    for sentence in found.sentences:
        code = sentence.code.removeprefix("rater_")
        said.setdefault(str(sentence.about.get("rater")), []).append((code, sentence.text, sentence.verb))
    return [
        RaterWork(
            pseudonym=row["rater"],
            annotations=row["annotations"],
            judgments=row["judgments"],
            decided=row["decided"],
            chose_left=row["left"],
            median_active_ms=row["median_active_ms"],
            last_at=datetime.fromisoformat(row["last_at"]),
            figures=row,
            flags=said.get(row["rater"], []),
        )
        for row in found.rows("raters")
    ]
