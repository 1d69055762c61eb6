"""Columns, types and examples of every format."""

from __future__ import annotations

import json
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from exports.formats import FORMATS
from exports.formats.columns import EXAMPLES, comparison_id
from exports.recipes.majority import Preferred, Side

SHARED = Path(__file__).parents[3] / "shared" / "formats"
MESSAGES = pa.list_(pa.struct([("role", pa.string()), ("content", pa.string())]))


def test_the_columns_that_trainers_read() -> None:
    provenance = {
        "comparison_id": pa.string(), "strength": pa.int32(), "rationale": pa.string(),
        "chosen_safe": pa.bool_(), "rejected_safe": pa.bool_(),
    }  # fmt: skip
    sides = {"chosen": MESSAGES, "rejected": MESSAGES}
    assert dict(zip(FORMATS["dpo"].schema.names, FORMATS["dpo"].schema.types, strict=True)) == {
        "prompt": MESSAGES, **sides, **provenance,
    }  # fmt: skip
    reward = FORMATS["reward"].schema
    assert dict(zip(reward.names, reward.types, strict=True)) == {**sides, **provenance, "margin": pa.float32()}


@pytest.mark.parametrize("name", FORMATS)
def test_every_column_is_explained_and_in_the_example(name: str) -> None:
    made = FORMATS[name]
    example = json.loads(made.example)
    assert list(made.columns) == made.schema.names == list(example)
    pa.RecordBatch.from_pylist([example], schema=made.schema).validate(full=True)


def test_there_is_no_stray_example() -> None:
    assert {path.stem for path in EXAMPLES.iterdir()} == set(FORMATS)


def test_the_id_is_of_what_was_compared_and_not_of_who_won() -> None:
    a, b = (Side(name * 64, name, 1, 1.0, 0, 0, []) for name in "ab")
    one = Preferred("i" * 64, "", [], a, b, 1.0, 1, "")
    other = Preferred("i" * 64, "", [], b, a, 3.0, 3, "why")
    elsewhere = Preferred("j" * 64, "", [], a, b, 1.0, 1, "")
    assert comparison_id(one) == comparison_id(other) != comparison_id(elsewhere)
    assert len(comparison_id(one)) == 32


@pytest.mark.skipif(not SHARED.exists(), reason="the samples are not beside this checkout")
@pytest.mark.parametrize("name", FORMATS)
def test_the_types_are_those_of_the_samples(name: str) -> None:
    sample = pq.read_schema(SHARED / "samples/good/hub_parquet" / name / "train-00000-of-00001.parquet")
    assert FORMATS[name].schema.equals(sample, check_metadata=False)
