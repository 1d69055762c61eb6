"""One study in every format, against rows that a person has read."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pytest

from exports import ballots
from exports.actions import write_export
from exports.formats import FORMATS
from labeling.models import Project, User
from tests.exports.study import rich

GOLDEN = Path(__file__).parent / "golden" / "formats"


@pytest.fixture
def told(transactional_db: None, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Project:
    """The rich study, with names for pseudonyms, which differ from one run to the next."""
    monkeypatch.setattr(ballots, "pseudonym", lambda project, pk: User.objects.get(pk=pk).name.lower())
    return rich(tmp_path)


@pytest.mark.parametrize("name", FORMATS)
def test_the_rows_of_every_format(told: Project, tmp_path: Path, name: str) -> None:
    recipe: dict[str, Any] = {"format": name, "file": "jsonl", "split": {"test": 0}}
    write_export(project=told, recipe=recipe, to=tmp_path / "out")
    data = (tmp_path / "out/data/train-00000-of-00001.jsonl").read_text(encoding="utf-8")
    data = re.sub(r'"day":"\d{4}-\d\d-\d\d"', '"day":"2026-01-01"', data)
    assert data == (GOLDEN / f"{name}.jsonl").read_text(encoding="utf-8")


def test_there_is_no_stray_golden_file() -> None:
    assert {path.stem for path in GOLDEN.iterdir()} == set(FORMATS)
