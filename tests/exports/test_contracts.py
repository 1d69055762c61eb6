"""What is exported keeps the contracts of the checkers that run the real trainers."""

from __future__ import annotations

import importlib
import os
from collections.abc import Callable
from pathlib import Path
from types import ModuleType
from typing import Any

import orjson
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
import yaml

from exports.actions import write_export
from exports.formats import FORMATS
from exports.recipes.recipe import FORMATS as FILES
from labeling.models import Project
from tests.exports.study import rich

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


def check(contracts: ModuleType, name: str, rows: Rows) -> None:
    """Raises ContractError if the rows are not what the readers of the format rely on."""
    strings = importlib.import_module("check_strings")
    if name in ("dpo", "dpo-implicit", "dpo-plain", "reward", "openrlhf"):
        margin = "required" if name in ("reward", "openrlhf") else None
        contracts.contract_preference(rows, margin=margin, allow_implicit=not name.startswith("dpo"))
    elif name == "openai":
        strings.openai(rows, together=True)
    else:
        known = {
            "kto": contracts.contract_unpaired, "sft": contracts.contract_sft, "prompts": contracts.contract_prompts,
            "hh-rlhf": strings.hh, "safe-rlhf": strings.safe, "helpsteer3": strings.hs3,
        }  # fmt: skip
        known[name](rows)


BROKEN: dict[str, Callable[[dict[str, Any]], Any]] = {
    "kto": lambda row: row.update(label=None),
    "sft": lambda row: row["messages"].pop(),
    "openai": lambda row: row.update(preferred_output=row["non_preferred_output"]),
    "prompts": lambda row: row["prompt"].append({"role": "assistant", "content": "So."}),
    "safe-rlhf": lambda row: row.update(better_response_id=-1),
    "helpsteer3": lambda row: row.update(overall_preference=5),
}
ROWS = {
    "dpo": 4, "dpo-plain": 4, "reward": 4, "openrlhf": 4, "kto": 10, "sft": 4, "hh-rlhf": 4, "openai": 4, "prompts": 6,
    "safe-rlhf": 2, "helpsteer3": 5,
}  # fmt: skip
CHECKED = list(ROWS)


@pytest.mark.parametrize(("name", "file"), [(name, file) for name in CHECKED for file in FILES[name]])
def test_an_export_keeps_the_contract(
    contracts: ModuleType, study: Project, tmp_path: Path, name: str, file: str
) -> None:
    # the plain study has no pair of which the safety of both sides is known by all
    project = rich(tmp_path) if name == "safe-rlhf" else study
    built = write_export(project=project, recipe={"format": name, "file": file}, to=tmp_path / "out")
    rows = rows_of(name, built.directory)
    assert len(rows) == built.manifest["rows"] == ROWS[name]
    check(contracts, name, rows)
    BROKEN.get(name, lambda row: row.update(rejected=row["chosen"]))(rows[0])
    with pytest.raises(contracts.ContractError):
        check(contracts, name, rows)


@pytest.mark.parametrize("name", FORMATS)
def test_every_format_is_written_as_declared(transactional_db: None, tmp_path: Path, name: str) -> None:
    built = write_export(project=rich(tmp_path), recipe={"format": name}, to=tmp_path / "out")
    rows = rows_of(name, built.directory)
    assert len(rows) == sum(file["rows"] or 0 for file in built.manifest["files"]) > 0
    assert all(list(row) == FORMATS[name].schema.names for row in rows)
    pa.RecordBatch.from_pylist(rows, schema=FORMATS[name].schema).validate(full=True)
    features = yaml.safe_load((built.directory / "README.md").read_text().split("---")[1])["dataset_info"][0][
        "features"
    ]
    assert [feature["name"] for feature in features] == FORMATS[name].schema.names
