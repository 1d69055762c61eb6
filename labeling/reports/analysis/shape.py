"""What every report looks like, so that pages, files and programs need to know one thing only.

A finding is plain JSON and the same for every reader: keys and numbers, no words. What a number means is a `Sentence`,
a code with its figures, which `labeling/reports/sayings.py` says in the reader's language.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

VERSION = 1
Cell = str | int | float | bool | None


@dataclass(frozen=True, slots=True)
class Sentence:
    """`code` names what is said, `about` of whom or what (a criterion's key, a pseudonym), `values` its figures.

    `verb` is the one thing a manager could do about it; empty where there is nothing to do.
    """

    code: str
    about: Mapping[str, Cell] = field(default_factory=dict)
    values: Mapping[str, Cell] = field(default_factory=dict)
    verb: str = ""

    def as_json(self) -> dict[str, Any]:
        return {"code": self.code, "about": clean(self.about), "values": clean(self.values), "verb": self.verb}


@dataclass(slots=True)
class Table:
    """Named columns and rows of plain cells, each row as long as there are columns."""

    columns: Sequence[str]
    rows: list[list[Any]] = field(default_factory=list)

    def add(self, **cells: Any) -> None:
        """Append a row by the columns' names; a column that is not named is empty. KeyError for any other name."""
        known = dict.fromkeys(self.columns)
        for name, cell in cells.items():
            if name not in known:
                raise KeyError(name)
            known[name] = clean(cell)
        self.rows.append(list(known.values()))

    def as_json(self) -> dict[str, Any]:
        return {"columns": list(self.columns), "rows": self.rows}


@dataclass(slots=True)
class Report:
    """One report: `tables` by name, single `figures` by name, and what is to be said of them, most important first."""

    tables: dict[str, Table] = field(default_factory=dict)
    figures: dict[str, Any] = field(default_factory=dict)
    sentences: list[Sentence] = field(default_factory=list)

    def say(self, code: str, about: Mapping[str, Cell] | None = None, verb: str = "", **values: Any) -> None:
        self.sentences.append(Sentence(code, about or {}, values, verb))

    def as_json(self, *, computed_at: datetime, judgments: int) -> dict[str, Any]:
        return {
            "version": VERSION,
            "computed_at": computed_at.isoformat(),
            "judgments": judgments,
            "figures": clean(self.figures),
            "sentences": [sentence.as_json() for sentence in self.sentences],
            "tables": {name: table.as_json() for name, table in self.tables.items()},
        }


def clean(value: Any) -> Any:
    """As JSON takes it: no NaN and no infinity (null), numpy's numbers as Python's own."""
    if isinstance(value, Mapping):
        return {str(key): clean(each) for key, each in value.items()}
    if isinstance(value, str) or value is None or isinstance(value, bool):
        return value
    if isinstance(value, Iterable):
        return [clean(each) for each in value]
    number = value.item() if hasattr(value, "item") else value
    return None if isinstance(number, float) and not math.isfinite(number) else number


def rows_of(data: Mapping[str, Any], table: str) -> list[dict[str, Any]]:
    """A stored finding's table as one dictionary a row; none where the finding has no such table."""
    found = data.get("tables", {}).get(table)
    return [dict(zip(found["columns"], row, strict=True)) for row in found["rows"]] if found else []
