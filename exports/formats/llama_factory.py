"""`llama-factory`: ShareGPT turns with the dataset_info.json that LLaMA-Factory looks them up in."""

from __future__ import annotations

from typing import Any

import orjson
import pyarrow as pa
from django.utils.translation import gettext_noop as _

from exports.formats.columns import Format
from exports.recipes.majority import Outcome

TURN = pa.struct([("from", pa.string()), ("value", pa.string())])
SPEAKERS = {"user": "human", "assistant": "gpt"}


def _rows(outcome: Outcome) -> list[dict[str, Any]]:
    """None for a conversation with a tool's turn, or that the assistant opens: the loader would skip it unsaid."""
    system = outcome.prompt[0]["content"] if outcome.prompt[0]["role"] == "system" else ""
    turns = outcome.prompt[1:] if system else outcome.prompt
    if [turn["role"] for turn in turns] != ["user", "assistant"] * (len(turns) // 2) + ["user"]:
        return []
    return [
        {
            "conversations": [{"from": SPEAKERS[turn["role"]], "value": turn["content"]} for turn in turns],
            "system": system,
            "chosen": {"from": "gpt", "value": outcome.chosen.text},
            "rejected": {"from": "gpt", "value": outcome.rejected.text},
        }
    ]


def _dataset_info(names: list[str]) -> dict[str, bytes]:
    """An entry a file: `annotate_train`, `annotate_test`, with a number where a split has several files."""
    entries = {}
    for name in names:
        split, _, rest = name.rpartition("/")[2].partition("-")
        number, _, count = rest.partition(".")[0].partition("-of-")
        entry = f"annotate_{split}" if int(count) == 1 else f"annotate_{split}_{int(number):05}"
        entries[entry] = {
            "file_name": name,
            "formatting": "sharegpt",
            "ranking": True,
            "columns": {
                "messages": "conversations", "chosen": "chosen", "rejected": "rejected", "system": "system",
            },
        }  # fmt: skip
    return {"dataset_info.json": orjson.dumps(entries, option=orjson.OPT_INDENT_2 | orjson.OPT_APPEND_NEWLINE)}


FORMAT = Format(
    name="llama-factory",
    title="LLaMA-Factory",
    description=_("ShareGPT turns, with dataset_info.json."),
    trainer="LLaMA-Factory, stages dpo and rm",
    schema=pa.schema(
        [("conversations", pa.list_(TURN)), ("system", pa.string()), ("chosen", TURN), ("rejected", TURN)]
    ),
    rows=_rows,
    beside=_dataset_info,
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
