"""`llama-factory`: ShareGPT turns with the dataset_info.json that LLaMA-Factory looks them up in."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import orjson
import pyarrow as pa
from django.utils.translation import gettext_noop as _

from exports.formats.columns import Format
from exports.recipes.majority import Outcome

TURN = pa.struct([("from", pa.string()), ("value", pa.string())])
SPEAKERS = {"user": "human", "assistant": "gpt"}


def _rows(outcome: Outcome) -> list[dict[str, Any]]:
    said = turns(outcome.prompt)
    if said is None:
        return []
    system, conversation = said
    return [
        {
            "conversations": conversation,
            "system": system,
            "chosen": {"from": "gpt", "value": outcome.chosen.text},
            "rejected": {"from": "gpt", "value": outcome.rejected.text},
        }
    ]


def turns(prompt: list[dict[str, str]]) -> tuple[str, list[dict[str, str]]] | None:
    """The system turn, or the empty string, and the others in turn; None for a conversation with a tool's turn, or
    that the assistant opens: the loader would skip it unsaid."""
    system = prompt[0]["content"] if prompt[0]["role"] == "system" else ""
    said = prompt[1:] if system else prompt
    if [turn["role"] for turn in said] != ["user", "assistant"] * (len(said) // 2) + ["user"]:
        return None
    return system, [{"from": SPEAKERS[turn["role"]], "value": turn["content"]} for turn in said]


def dataset_info(entry: dict[str, Any]) -> Callable[[list[str]], dict[str, bytes]]:
    """An entry a file: `annotate_train`, `annotate_test`, with a number where a split has several files."""

    def info(names: list[str]) -> dict[str, bytes]:
        entries = {}
        for name in names:
            split, _, rest = name.rpartition("/")[2].partition("-")
            number, _, count = rest.partition(".")[0].partition("-of-")
            key = f"annotate_{split}" if int(count) == 1 else f"annotate_{split}_{int(number):05}"
            entries[key] = {"file_name": name, **entry}
        return {"dataset_info.json": orjson.dumps(entries, option=orjson.OPT_INDENT_2 | orjson.OPT_APPEND_NEWLINE)}

    return info


FORMAT = Format(
    name="llama-factory",
    title="LLaMA-Factory",
    description=_("ShareGPT turns, with dataset_info.json."),
    trainer="LLaMA-Factory, stages dpo and rm",
    schema=pa.schema(
        [("conversations", pa.list_(TURN)), ("system", pa.string()), ("chosen", TURN), ("rejected", TURN)]
    ),
    rows=_rows,
    beside=dataset_info(
        {
            "formatting": "sharegpt",
            "ranking": True,
            "columns": {"messages": "conversations", "chosen": "chosen", "rejected": "rejected", "system": "system"},
        }
    ),
    columns={
        "conversations": _("the turns up to the responses, as a list of from (human, gpt) and value"),
        "system": _("the system turn, or empty"),
        "chosen": _("the preferred response, as from and value"),
        "rejected": _("the other response, in the same shape"),
    },
    use="""\
# llamafactory-cli train dpo.yaml, with these lines in it:
stage: dpo
dataset_dir: {directory}
dataset: annotate_train
""",
)
