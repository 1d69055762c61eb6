"""Does an export teach what was put in? Marked answers are preferred, as much as the mark says, one in ten wrongly.

That the rows say so is looked at here. That a reward model learns it, and learns it no more once chosen and rejected
are swapped, is what check_signal.py shows: it needs the trainers, which `./run check-trainers` installs.
"""

from __future__ import annotations

import importlib
import os
import random
import subprocess
from pathlib import Path
from types import ModuleType
from typing import Any

import orjson
import pyarrow.parquet as pq
import pytest
from django.core.management import call_command

from annotate.local.var import ROOT
from exports.actions import write_export
from labeling.models import Project
from tests import make
from tests.exports.study import load

SHARED = ROOT.parent / "shared" / "formats"
PYTHON = ROOT / "var" / "trainers-venv" / "bin" / "python"
PAIRS, STEPS = 1500, 400  # half as many of either sometimes leave the margin unlearned
pytestmark = pytest.mark.skipif(not SHARED.exists(), reason="the checkers are not beside this checkout")


@pytest.fixture
def signal(monkeypatch: pytest.MonkeyPatch) -> ModuleType:
    monkeypatch.setattr(os, "environ", dict(os.environ))
    monkeypatch.syspath_prepend(SHARED)
    return importlib.import_module("check_signal")


@pytest.fixture
def taught(transactional_db: None, tmp_path: Path, signal: ModuleType) -> Path:
    """An export for reward models of a crowd that prefers the marked answers."""
    project = make.project()
    pairs = signal.synth(PAIRS, random.Random(7), signal.NOISE)
    _judge(project, pairs, tmp_path)
    recipe = {"format": "reward", "split": {"test": 0.2}}
    return write_export(project=project, recipe=recipe, to=tmp_path / "out").directory


def _judge(project: Project, pairs: list[dict[str, Any]], folder: Path) -> None:
    rows = [{"id": str(n), "prompt": p["prompt"], "responses": [p["a"], p["b"]]} for n, p in enumerate(pairs)]
    load(project, rows, folder)
    said = folder / "said.jsonl"
    said.write_bytes(
        b"\n".join(
            orjson.dumps(
                {
                    "item_id": str(number), "rater_id": "crowd", "criterion": "helpfulness", "choice": pair["winner"],
                    "strength": pair["strength"],
                }
            )
            for number, pair in enumerate(pairs)
        )
    )  # fmt: skip
    call_command("import_judgments", project.slug, str(said), raters="external", verbosity=0)


def rows_of(export: Path) -> list[dict[str, Any]]:
    return [row for path in sorted((export / "data").iterdir()) for row in pq.read_table(path).to_pylist()]


def swap(export: Path) -> None:
    """What an exporter would write that took the sides for each other."""
    for path in (export / "data").iterdir():
        table = pq.read_table(path)
        names = {"chosen": "rejected", "rejected": "chosen"}
        pq.write_table(table.rename_columns([names.get(name, name) for name in table.column_names]), path)


def agreement(signal: ModuleType, rows: list[dict[str, Any]]) -> float:
    marked = [signal.grade(r["chosen"][-1]["content"]) > signal.grade(r["rejected"][-1]["content"]) for r in rows]
    return float(sum(marked) / len(marked))


def test_the_rows_say_what_the_crowd_said(signal: ModuleType, taught: Path) -> None:
    rows = rows_of(taught)
    assert len(rows) >= PAIRS - 5
    assert abs(agreement(signal, rows) - (1 - signal.NOISE)) < 0.03
    for row in rows:
        strength = max(signal.grade(row[side][-1]["content"]) for side in ("chosen", "rejected"))
        assert row["margin"] == strength
    swap(taught)
    assert agreement(signal, rows_of(taught)) < 0.2


@pytest.mark.timeout(1800)
@pytest.mark.skipif(not PYTHON.exists(), reason="the trainers are not installed: ./run check-trainers does it")
def test_a_reward_model_learns_it_and_not_from_swapped_sides(taught: Path) -> None:
    right = _check(taught)
    assert right["ok"], right
    swap(taught)
    wrong = _check(taught)
    assert not wrong["ok"] and "SWAPPED" in wrong["msg"]


def _check(export: Path) -> dict[str, Any]:
    argv = ["nice", "-n", "15", str(PYTHON), str(SHARED / "check_signal.py"), str(export), "--steps", str(STEPS)]
    said = subprocess.run(argv, capture_output=True, text=True, check=False, timeout=1200).stdout
    result: dict[str, Any] = orjson.loads(said.rpartition("RESULT ")[2])
    return result
