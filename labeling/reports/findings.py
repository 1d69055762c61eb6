"""What the newest analysis of a project found, read from its rows: nothing is computed here."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Any, Self

from django.db import connection

from labeling.models import Analysis, Finding, Project
from labeling.reports.analysis.shape import rows_of
from labeling.reports.sayings import say

NAMES = (
    "agreement", "raters", "models", "safety", "biases", "conflicts", "contested", "trends", "distributions", "groups",
)  # fmt: skip
MOST_NEW = 10_000


@dataclass(frozen=True, slots=True)
class Said:
    """One sentence in the reader's language, with what it is about and what could be done."""

    code: str
    text: str
    about: dict[str, Any]
    values: dict[str, Any]
    verb: str

    @classmethod
    def of(cls, sentence: dict[str, Any]) -> Self:
        return cls(sentence["code"], say(sentence), sentence["about"], sentence["values"], sentence["verb"])


@dataclass(frozen=True, slots=True)
class Found:
    """A report as it was stored."""

    name: str
    data: dict[str, Any]

    @property
    def computed_at(self) -> datetime:
        return datetime.fromisoformat(self.data["computed_at"])

    @property
    def judgments(self) -> int:
        return int(self.data["judgments"])

    @property
    def figures(self) -> dict[str, Any]:
        return dict(self.data["figures"])

    @property
    def tables(self) -> dict[str, Any]:
        return dict(self.data["tables"])

    @property
    def sentences(self) -> list[Said]:
        return [Said.of(sentence) for sentence in self.data["sentences"]]

    def rows(self, table: str) -> list[dict[str, Any]]:
        return rows_of(self.data, table)


@dataclass(frozen=True, slots=True)
class Age:
    """How old what is shown is. `new` annotations since, at most MOST_NEW are counted; `running`: a newer one is on its
    way."""

    newest: Analysis | None
    new: int
    running: bool


def find(project: Project, name: str) -> Found | None:
    """None before the first analysis, and for a name there is not. One query."""
    row = Finding.objects.filter(project=project, name=name).values_list("data", flat=True).first()
    return None if row is None else Found(name, row)


def find_all(project: Project, *names: str) -> dict[str, Found]:
    """Those of the named reports that there are. One query."""
    rows = Finding.objects.filter(project=project, name__in=names).values_list("name", "data")
    return {name: Found(name, data) for name, data in rows}


def find_said(project: Project, *names: str) -> dict[str, list[Said]]:
    """Only what the named reports say, without their tables. One query."""
    rows = Finding.objects.filter(project=project, name__in=names).values_list("name", "data__sentences")
    return {name: [Said.of(sentence) for sentence in sentences] for name, sentences in rows}


def age(project: Project) -> Age:
    """Two queries; what is new is counted along the feed's index, from where the analysis ended."""
    newest, running = None, False
    for analysis in project.analyses.order_by("-pk")[:5]:
        if analysis.state == Analysis.State.DONE:
            newest = analysis
            break
        running |= not analysis.is_over
    return Age(newest, new_annotations(project.pk, newest.up_to if newest else 0), running)


def new_annotations(project_id: int, up_to: int, most: int = MOST_NEW) -> int:
    """Current annotations from this transaction on, counted up to `most`. One query.

    A number that this server has not reached yet is of a restored database, where everything is new.
    """
    with connection.cursor() as cursor:
        cursor.execute(
            """
            SELECT count(*) FROM (
                SELECT 1 FROM labeling_annotation
                WHERE project_id = %(project)s AND current AND transaction >= (
                    CASE WHEN %(up_to)s::text::xid8 < pg_snapshot_xmax(pg_current_snapshot())
                         THEN %(up_to)s::text::xid8 ELSE '0' END)
                LIMIT %(most)s) AS new
            """,
            {"project": project_id, "up_to": str(up_to), "most": most},
        )
        return int(cursor.fetchone()[0])
