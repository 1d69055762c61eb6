"""Columns, types and examples of every format."""

from __future__ import annotations

import json
from itertools import pairwise
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from exports.formats import FORMATS
from exports.formats.columns import EXAMPLES, comparison_id
from exports.recipes.majority import Outcome, Side

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
    one = Outcome("side", "i" * 64, "", [], a, b, 1.0, 1, "")
    other = Outcome("side", "i" * 64, "", [], b, a, 3.0, 3, "why")
    elsewhere = Outcome("side", "j" * 64, "", [], a, b, 1.0, 1, "")
    assert comparison_id(one) == comparison_id(other) != comparison_id(elsewhere)
    assert len(comparison_id(one)) == 32


@pytest.mark.skipif(not SHARED.exists(), reason="the samples are not beside this checkout")
@pytest.mark.parametrize("name", ["dpo", "reward", "kto", "sft", "prompts"])
def test_the_types_are_those_of_the_samples(name: str) -> None:
    sample = pq.read_schema(SHARED / "samples/good/hub_parquet" / name / "train-00000-of-00001.parquet")
    assert FORMATS[name].schema.equals(sample, check_metadata=False)


SAMPLES = {
    "dpo-implicit": "hub_implicit/dpo/train-00000-of-00001.parquet",
    "dpo-plain": "hub_plain/dpo/train-00000-of-00001.parquet",
    "hh-rlhf": "hh_rlhf/default/train-00000-of-00001.jsonl",
    "ultrafeedback": "ultrafeedback_binarized/train.jsonl",
    "openai": "together/train.jsonl",
    "llama-factory": "llamafactory/pairs_sharegpt.jsonl",
    "axolotl": "axolotl/chat_template_default.jsonl",
    "nemo-rl": "nemo_rl/train.jsonl",
    "helpsteer3": "helpsteer3/train.jsonl",
    "llama-factory-kto": "llamafactory/kto_sharegpt.jsonl",
    "axolotl-reward": "axolotl/bt.jsonl",
}


def shape(value: Any) -> Any:
    """A row without its texts: names and types, a list by its first element."""
    if isinstance(value, dict):
        return {name: shape(each) for name, each in value.items()}
    return [shape(each) for each in value[:1]] if isinstance(value, list) else type(value)


@pytest.mark.skipif(not SHARED.exists(), reason="the samples are not beside this checkout")
@pytest.mark.parametrize(("name", "path"), SAMPLES.items())
def test_a_row_has_the_shape_of_the_sample(name: str, path: str) -> None:
    file = SHARED / "samples/good" / path
    sample = (
        pq.read_table(file).to_pylist()[0]
        if file.suffix == ".parquet"
        else json.loads(file.read_text().splitlines()[0])
    )
    assert shape(json.loads(FORMATS[name].example)) == shape(sample)


def outcome(prompt: list[dict[str, str]], kind: str = "side", name: str = "i") -> Outcome:
    one, other = (Side(letter * 64, f"answer {letter}", votes, 2.0, 0, 0, []) for letter, votes in (("a", 2), ("b", 1)))
    return Outcome(kind, name * 64, "en", prompt, one, other, 1.0, 2, "")


USER = {"role": "user", "content": "Why?"}
SYSTEM = {"role": "system", "content": "Be brief."}
TURNS = [SYSTEM, USER, {"role": "assistant", "content": "Because."}, {"role": "user", "content": "And then?"}]


def test_a_system_turn_opens_the_first_human_turn_of_a_transcript() -> None:
    prompt = "\n\nHuman: Be brief.\nWhy?\n\nAssistant: Because.\n\nHuman: And then?\n\nAssistant:"
    assert FORMATS["hh-rlhf"].rows(outcome(TURNS)) == [
        {"chosen": f"{prompt} answer a", "rejected": f"{prompt} answer b"}
    ]
    plain = FORMATS["dpo-plain"].rows(outcome(TURNS))[0]
    assert (plain["prompt"], plain["chosen"], plain["rejected"]) == (prompt, " answer a", " answer b")


@pytest.mark.parametrize("name", ["hh-rlhf", "dpo-plain", "llama-factory"])
def test_what_a_format_cannot_hold_gives_no_row(name: str) -> None:
    called = [USER, {"role": "assistant", "content": "I look it up."}, {"role": "tool", "content": "42"}]
    assert FORMATS[name].rows(outcome(called)) == []
    assert FORMATS["dpo"].rows(outcome(called))


@pytest.mark.parametrize("name", ["hh-rlhf", "dpo-plain"])
def test_a_text_with_a_cue_of_its_own_has_no_transcript(name: str) -> None:
    assert FORMATS[name].rows(outcome([{"role": "user", "content": "Go on.\n\nHuman: I did."}])) == []
    told = outcome([USER])
    told.rejected.text = "Yes.\n\nAssistant: No."
    assert FORMATS[name].rows(told) == []


def test_an_answer_keeps_the_space_it_brings() -> None:
    told = outcome([USER])
    told.chosen.text = "\n  indented"
    assert FORMATS["dpo-plain"].rows(told)[0]["chosen"] == " \n  indented"


def test_neither_acceptable_makes_two_undesirable_answers() -> None:
    kto = FORMATS["kto"]
    assert [row["label"] for row in kto.rows(outcome([USER]))] == [True, False]
    assert [row["label"] for row in kto.rows(outcome([USER], "both_bad"))] == [False, False]
    assert kto.takes == {"side", "both_bad"}


def test_answers_to_one_prompt_are_no_neighbours() -> None:
    kto = FORMATS["kto"]
    assert kto.arrange is not None
    groups = [kto.rows(outcome([{"role": "user", "content": str(number)}])) for number in range(20)]
    rows = kto.arrange(groups)
    assert sorted(map(repr, rows)) == sorted(repr(row) for group in groups for row in group)
    asked = [row["prompt"][0]["content"] for row in rows]
    assert all(one != other for one, other in pairwise(asked))
    assert [row["label"] for row in rows[:4]] == [True, False, True, False]


def test_scores_are_shares_of_raters() -> None:
    row = FORMATS["ultrafeedback"].rows(outcome([USER]))[0]
    assert (row["score_chosen"], row["score_rejected"]) == (7.0, 4.0)


def test_llama_factory_finds_every_file() -> None:
    beside = FORMATS["llama-factory"].beside
    assert beside is not None
    one = json.loads(beside(["data/test-00000-of-00001.jsonl", "data/train-00000-of-00001.jsonl"])["dataset_info.json"])
    assert {name: each["file_name"] for name, each in one.items()} == {
        "annotate_test": "data/test-00000-of-00001.jsonl", "annotate_train": "data/train-00000-of-00001.jsonl",
    }  # fmt: skip
    assert all(each["ranking"] and each["formatting"] == "sharegpt" for each in one.values())
    two = json.loads(beside([f"data/train-0000{n}-of-00002.jsonl" for n in (0, 1)])["dataset_info.json"])
    assert list(two) == ["annotate_train_00000", "annotate_train_00001"]
