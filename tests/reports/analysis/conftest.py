"""Real judgments brought in as external raters', and analysed as any project is: through the database."""

from __future__ import annotations

import io
import json
from pathlib import Path
from typing import Any

import pytest
from django.core.files.base import ContentFile

from labeling.actions.analyse import ask, run_step
from labeling.actions.import_items import run_step as import_step
from labeling.actions.import_items import start_batch, store_file
from labeling.actions.import_judgments import Imported, external_email, import_judgments
from labeling.importers.containers import RowFile
from labeling.models import Project, User
from labeling.reports.findings import NAMES as REPORTS
from labeling.reports.findings import Found, find_all
from labeling.reports.pseudonyms import pseudonym
from tests import make

REAL = Path(__file__).parent / "real"
Line = dict[str, Any]


class Analysed:
    """A project of one data set: its findings, what the reference says, and the raters' own names."""

    def __init__(self, real: Line, project: Project) -> None:
        self.expected: Line = real["expected"]
        self.real = real
        self.project = project
        self.found = findings(project)
        people = User.objects.filter(annotations__project=project).distinct()
        ids = {external_email(project, name): name for name in real["raters"]}
        self.names = {pseudonym(project, person.pk): ids[person.email] for person in people}

    def rows(self, report: str, table: str, **equal: Any) -> list[Line]:
        found = self.found[report].rows(table)
        return [row for row in found if all(row[name] == value for name, value in equal.items())]

    def row(self, report: str, table: str, **equal: Any) -> Line:
        [found] = self.rows(report, table, **equal)
        return found


def read(name: str) -> Line:
    found: Line = json.loads((REAL / f"{name}.json").read_text())
    return found


def findings(project: Project) -> dict[str, Found]:
    analysis = ask(project=project, by=None)
    assert run_step(analysis) is False
    analysis.refresh_from_db()
    assert (analysis.state, analysis.error) == ("done", "")
    return find_all(project, *REPORTS)


def bring_items(project: Project, rows: list[Line]) -> None:
    content = ContentFile("".join(json.dumps(row) + "\n" for row in rows).encode())
    batch = start_batch(project=project, by=None, name="items.jsonl", stored=store_file(content))
    while import_step(batch):
        continue
    batch.refresh_from_db()
    assert batch.kept == len(rows), batch.error


def bring_judgments(project: Project, rows: list[Line]) -> Imported:
    content = "".join(json.dumps(row) + "\n" for row in rows)
    done = import_judgments(project=project, by=None, source=RowFile(io.BytesIO(content.encode()), name="said.jsonl"))
    assert not done.refused, done.refused[:3]
    return done


def items_of(real: Line, *, single: bool = False) -> list[Line]:
    """Texts of our own, as long as the originals where that is known: a Chinese character is a word."""
    made = []
    for number, (first, second, *words) in enumerate(real["items"]):
        row: Line = {"id": f"i{number}", "prompt": f"Question {number}"}
        if single:
            model = {"model": real["models"][first]} if real["models"][first] else {}
            made.append(row | model | {"response": f"Answer {number}"})
            continue
        texts = ["字" * size for size in words[0]] if words else [f"Answer {number}", f"Other answer {number}"]
        if texts[0] == texts[1]:
            texts[1] += "。"  # no word
        models = {f"model_{side}": real["models"][which] for side, which in (("a", first), ("b", second))}
        made.append(row | {"response_a": texts[0], "response_b": texts[1]} | {k: v for k, v in models.items() if v})
    return made


def said(real: Line, answer: Any) -> list[Line]:
    """One row an answer; `answer` makes its cells from what was said, or several from a list."""
    made = []
    for number, answers in enumerate(real["said"]):
        for rater, *values in answers:
            head = {"item_id": f"i{number}", "rater_id": real["raters"][rater]}
            cells = answer(*values)
            made += [head | each for each in (cells if isinstance(cells, list) else [cells])]
    return made


@pytest.fixture
def analysed(db):
    """A function: the data set of that name, its answers made into rows, analysed."""

    def of(name: str, answer: Any, *, single: bool = False) -> Analysed:
        real = read(name)
        project = make.project(slug=name, name=name)
        project.criteria.update(allow_both_bad=False)
        bring_items(project, items_of(real, single=single))
        bring_judgments(project, said(real, answer))
        return Analysed(real, project)

    return of
