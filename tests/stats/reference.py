"""Reference figures: published tables (here), real judgments and what independent libraries make of them (beside the
checkout; tests/reports/analysis has copies of their answers, without the texts)."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

from labeling.stats.counts import Ints, count_table

PUBLISHED = Path(__file__).parent / "published"
DATA = Path(__file__).parents[3] / "shared" / "data"
Line = dict[str, Any]


class Answers(NamedTuple):
    """Judgments by number, with the names the numbers stand for."""

    unit: Ints
    rater: Ints
    answer: Ints
    units: list[str]
    raters: list[str]
    classes: list[Any]

    @property
    def counts(self) -> Ints:
        return count_table(self.unit, self.answer, len(self.units), len(self.classes))


def figures(name: str) -> Line:
    found: Line = json.loads(_place(f"reference/{name}.json").read_text())
    return found


def lines(path: str) -> list[Line]:
    return [json.loads(line) for line in _place(path).read_text().splitlines()]


def _place(path: str) -> Path:
    here = PUBLISHED / path
    return here if here.exists() else DATA / path


def answers(
    rows: list[Line], classes: list[Any], answer: Callable[[Line], Any], keep: Callable[[Line], bool] = lambda row: True
) -> Answers:
    """The kept rows whose answer is one of the classes; of a rater's on the same item and seq the last one counts."""
    kept: dict[tuple[Any, ...], Line] = {}
    for row in rows:
        if keep(row) and answer(row) in classes:
            kept[row["item_id"], row["rater_id"], row.get("seq", 1)] = row
    units = sorted({key[0] for key in kept})
    raters = sorted({key[1] for key in kept})
    at_unit, at_rater = {name: n for n, name in enumerate(units)}, {name: n for n, name in enumerate(raters)}
    told = [(at_unit[row["item_id"]], at_rater[row["rater_id"]], classes.index(answer(row))) for row in kept.values()]
    table = np.array(told, dtype=np.int64)
    return Answers(table[:, 0], table[:, 1], table[:, 2], units, raters, classes)
