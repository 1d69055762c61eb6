"""What is exported keeps the contracts of the checkers that run the real trainers."""

from __future__ import annotations

import importlib
import os
from pathlib import Path
from types import ModuleType
from typing import Any

import orjson
import pyarrow.parquet as pq
import pytest

from exports.actions import write_export
from exports.formats import FORMATS
from labeling.models import Project

SHARED = Path(__file__).parents[3] / "shared" / "formats"


class Rows(list[dict[str, Any]]):
    """As much of a `datasets.Dataset` as the contracts ask for."""

    def __init__(self, name: str, rows: list[dict[str, Any]]) -> None:
        super().__init__(rows)
        schema = FORMATS[name].schema
        self.column_names = schema.names
        named = {"float": "float32"}
        self.features = {
            field.name: type("Feature", (), {"dtype": named.get(str(field.type), str(field.type))}) for field in schema
        }

    def __getitem__(self, key: Any) -> Any:
        return [row[key] for row in self] if isinstance(key, str) else super().__getitem__(key)


@pytest.fixture
def contracts(monkeypatch: pytest.MonkeyPatch) -> ModuleType:
    if not SHARED.exists():
        pytest.skip("the contracts are not beside this checkout")
    monkeypatch.setattr(os, "environ", dict(os.environ))
    monkeypatch.syspath_prepend(SHARED)
    return importlib.import_module("common")


def rows_of(name: str, directory: Path) -> Rows:
    found: list[dict[str, Any]] = []
    for path in sorted((directory / "data").iterdir()):
        if path.suffix == ".parquet":
            found += pq.read_table(path).to_pylist()
        else:
            found += [orjson.loads(line) for line in path.read_bytes().splitlines()]
    return Rows(name, found)


@pytest.mark.parametrize("file", ["parquet", "jsonl"])
@pytest.mark.parametrize("name", FORMATS)
def test_an_export_keeps_the_contract(
    contracts: ModuleType, study: Project, tmp_path: Path, name: str, file: str
) -> None:
    built = write_export(project=study, recipe={"format": name, "file": file}, to=tmp_path / "out")
    rows = rows_of(name, built.directory)
    assert len(rows) == 4
    contracts.contract_preference(
        rows, margin="required" if name == "reward" else None, allow_implicit=name == "reward"
    )
    rows[0]["rejected"] = rows[0]["chosen"]
    with pytest.raises(contracts.ContractError):
        contracts.contract_preference(rows)
