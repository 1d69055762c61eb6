"""Each format by its example file, which is also what the import page shows; then what each refuses."""

from __future__ import annotations

import json
from dataclasses import asdict
from pathlib import Path
from typing import Any

import pytest

from labeling.importers import FORMATS, ItemDraft
from tests.importers.reading import lines, only_refusal, pair, read

EXAMPLES = Path(__file__).parents[2] / "labeling" / "importers" / "examples"
ASKED = "\n\nHuman: a\n\nAssistant: "
SAID = {"role": "assistant", "content": "a"}
GOLDEN = Path(__file__).parent / "golden"
RARE = ("pictures", "author", "priority")


@pytest.mark.parametrize("name", FORMATS)
def test_the_example_is_recognised_and_read(name):
    path = EXAMPLES / FORMATS[name].example
    drafts, refused = read(path.read_bytes(), path.name)
    assert not refused
    assert [as_json(draft) for draft in drafts] == json.loads((GOLDEN / f"{name}.json").read_text())


def as_json(draft: ItemDraft) -> dict[str, Any]:
    """A draft as its golden file has it: without the fields that few rows fill, where they are empty."""
    row = asdict(draft)
    row["responses"] = [{k: v for k, v in each.items() if k != "parts" or v} for each in row["responses"]]
    return {name: value for name, value in row.items() if name not in RARE or value}


def test_every_example_belongs_to_a_format():
    assert {path.name for path in EXAMPLES.iterdir()} == {each.example for each in FORMATS.values()}


def test_the_format_is_the_one_of_most_rows():
    drafts, refused = read(lines([{"prompt": "Odd?", "responses": ["x", "y"]}, pair(), pair(prompt="And?")]))
    assert (len(drafts), [each.line for each in refused]) == (2, [1])


def test_a_native_row_in_full():
    draft = read((EXAMPLES / "native.jsonl").read_bytes())[0][0]
    assert (draft.line, draft.external_id, draft.language, draft.tags) == (1, "kettle-1", "en", ["household"])
    assert [message["role"] for message in draft.conversation] == ["system", "user"]
    assert [each.model_name for each in draft.responses] == ["north-small", "south-tiny"]
    assert draft.metadata == {"round": 1}
    assert draft.gold == {"helpfulness": -2}


def test_columns_without_a_meaning_become_metadata():
    (draft,), _ = read(lines([pair(id="x", topic="tea", meta={"round": 2}, metadata={"topic": "hidden"}, empty=None)]))
    assert draft.metadata == {"topic": "tea", "round": 2}


def test_a_known_answer_as_a_letter_or_a_number():
    drafts, _ = read(
        lines([pair(prompt=f"{n}?", gold={"helpfulness": value}) for n, value in enumerate(["a", "b", "tie", 3])])
    )
    assert [draft.gold for draft in drafts] == [{"helpfulness": value} for value in (-1, 1, 0, 3)]
    (single,), _ = read(lines([{"prompt": "?!", "response": "x", "gold": {"safety": "unsafe", "quality": 4}}]))
    assert single.gold == {"safety": "unsafe", "quality": 4}


def test_a_single_response_is_to_be_rated():
    (draft,), _ = read(lines([{"prompt": [{"role": "user", "content": "Safe?"}], "response": "No.", "model": "m"}]))
    assert [(each.content, each.model_name) for each in draft.responses] == [("No.", "m")]


def test_a_model_that_said_nothing_is_kept():
    turns = [
        {"role": "user", "content": "Hi"},
        {"role": "assistant", "content": ""},
        {"role": "user", "content": "Hello?"},
    ]
    (draft,), refused = read(lines([{"conversation": turns, "responses": [{"content": ""}, {"content": "Here."}]}]))
    assert not refused
    assert [each.content for each in draft.responses] == ["", "Here."]


def test_text_parts_are_joined():
    parts = [{"type": "text", "text": "One."}, {"type": "text", "text": "Two."}]
    (draft,), _ = read(lines([pair(prompt=[{"role": "user", "content": parts}])]))
    assert draft.conversation == [{"role": "user", "content": "One.\n\nTwo."}]


def test_the_stored_order_does_not_tell_what_was_chosen():
    rows = [{"prompt": f"{n}?", "chosen": f"good {n}", "rejected": f"bad {n}"} for n in range(400)]
    drafts, _ = read(lines(rows))
    first = 0
    for draft in drafts:
        is_first = draft.responses[0].content.startswith("good")
        assert draft.metadata["imported_verdict"] == {"chosen": "first" if is_first else "second"}
        first += is_first
    assert 150 < first < 250
    turned, _ = read(lines({**row, "chosen": row["rejected"], "rejected": row["chosen"]} for row in rows))
    assert [draft.responses for draft in turned] == [draft.responses for draft in drafts]


def test_a_transcript_as_the_prompt():
    row = {"prompt": "\n\nHuman: Hi\n\nAssistant:", "chosen": " Hello.", "rejected": " Go away."}
    (draft,), _ = read(lines([row]))
    assert draft.conversation == [{"role": "user", "content": "Hi"}]
    assert {each.content for each in draft.responses} == {"Hello.", "Go away."}


def test_helpsteer_names_languages_in_words():
    rows = [
        {"context": [{"role": "user", "content": f"{name}?"}], "response1": "a", "response2": "b", "language": name}
        for name in ("chinese", "python")
    ]
    drafts, _ = read(lines(rows))
    assert [(draft.language, draft.metadata.get("stated_language")) for draft in drafts] == [
        ("zh", None),
        ("", "python"),
    ]


def test_helpsteer_turns_inside_one_text():
    prompt = "Hi\n<extra_id_1>Assistant\nHello.\n<extra_id_1>User\nBye"
    (draft,), _ = read(lines([{"prompt": prompt, "response_1": "a", "response_2": "b"}]))
    assert [message["content"] for message in draft.conversation] == ["Hi", "Hello.", "Bye"]


def test_two_models_may_say_the_same() -> None:
    row = {"prompt": "Hi", "response_a": "Hello.", "response_b": "Hello.", "model_a": "one", "model_b": "two"}
    drafts, refused = read(lines([row, row | {"model_b": "one"}]))
    assert [response.model_name for response in drafts[0].responses] == ["one", "two"]
    assert len(drafts) == len(refused) == 1


@pytest.mark.parametrize(
    ("columns", "field", "reason"),
    [
        ({"prompt": ""}, "prompt", "is empty"),
        ({"prompt": 7}, "prompt", "is a number"),
        ({"prompt": []}, "prompt", "has no message"),
        ({"prompt": [{"role": "robot", "content": "x"}]}, "prompt[0].role", "use one of system, user, assistant, tool"),
        ({"prompt": [{"role": "user", "content": " \n"}]}, "prompt[0].content", "is empty"),
        ({"prompt": [{"role": "user", "content": [{"type": "image"}]}]}, "prompt[0].content[0]", "names no image"),
        ({"prompt": ["hello"]}, "prompt[0]", "a message is"),
        ({"response_a": None}, "response_a", "is missing"),
        ({"response_b": "This."}, "responses", "identical"),
        ({"response_b": "x" * 1_048_577}, "response_b", "at most 1,048,576"),
        ({"model_a": "m" * 201}, "model_a", "at most 200"),
        ({"id": "i" * 256}, "id", "at most 255"),
        ({"id": True}, "id", "is true or false"),
        ({"language": "klingon!"}, "language", "language tag"),
        ({"tags": "a,b"}, "tags", "give a list"),
        ({"tags": ["t" * 101]}, "tags[0]", "at most 100"),
        ({"gold": "a"}, "gold", "give an object"),
        ({"gold": {"helpfulness": 9}}, "gold.helpfulness", "between -4 and 4"),
        ({"meta": "a\0b"}, "meta", "U+0000"),
        ({"meta": {"a\0": 1}}, "meta", "U+0000"),
        ({"response_a": "half \ud800"}, "response_a", "surrogate"),
        ({"meta": "x" * 1_048_570}, "metadata", "larger than"),
    ],
)  # fmt: skip
def test_a_row_is_refused_by_field_and_reason(columns, field, reason):
    refused = only_refusal(**columns)
    assert refused.field == field
    assert reason in refused.reason


@pytest.mark.parametrize(
    ("row", "field", "reason"),
    [
        ({"chosen": f"{ASKED}b{ASKED}d", "rejected": f"{ASKED}y"}, "rejected", "parts from chosen"),
        ({"chosen": f"{ASKED}b\n\nHuman: c", "rejected": f"{ASKED}b\n\nHuman: d"}, "chosen", "must be the assistant's"),
        ({"chosen": [SAID], "rejected": [SAID | {"content": "b"}]}, "chosen", "no message before"),
        ({"chosen": [SAID], "rejected": "b"}, "rejected", "is not a list"),
        ({"chosen": "abc", "rejected": "xyz"}, "chosen", "share no beginning"),
        ({"conversation": "a", "prompt": "b", "responses": ["x", "y"]}, "prompt", "beside conversation"),
        ({"prompt": "b", "responses": "x"}, "responses", "is not a list"),
        ({"prompt": "b", "responses": []}, "responses", "is empty"),
        ({"prompt": "b", "responses": [str(n) for n in range(21)]}, "responses", "at most 20"),
        ({"prompt": "b", "responses": ["x", 5]}, "responses[1]", "is not a response"),
        ({"prompt": "b", "responses": ["x", "y", "z"], "gold": {"helpfulness": 1}}, "gold.helpfulness", "3 responses"),
    ],
)  # fmt: skip
def test_a_row_of_another_format_is_refused(row, field, reason):
    drafts, refused = read(lines([row]))
    assert not drafts
    assert refused[0].field == field
    assert reason in refused[0].reason


def test_the_fingerprint_is_of_conversation_and_answers():
    def fingerprint(**columns: str) -> str:
        return read(lines([pair(**columns)]))[0][0].fingerprint

    same = fingerprint()
    assert fingerprint(id="other", language="en") == same
    assert fingerprint(response_a="That.", response_b="This.") == same
    assert fingerprint(prompt="Which? ") != same
    assert fingerprint(model_a="m") != same
    assert len(same) == 64
