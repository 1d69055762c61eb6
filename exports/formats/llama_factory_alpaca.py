"""`llama-factory-alpaca`: the last question, what was said before it, and two answers, with the dataset_info.json."""

from __future__ import annotations

import pyarrow as pa
from django.utils.translation import gettext_noop as _

from exports.formats.columns import TEXTS, Format, Row
from exports.formats.llama_factory import dataset_info, turns
from exports.recipes.majority import Outcome


def _rows(outcome: Outcome) -> list[Row]:
    said = turns(outcome.prompt)
    if said is None:
        return []
    system, conversation = said
    texts = [turn["value"] for turn in conversation]
    return [
        {
            "instruction": texts[-1],
            "input": "",
            "chosen": outcome.chosen.text,
            "rejected": outcome.rejected.text,
            "system": system,
            "history": [[texts[place], texts[place + 1]] for place in range(0, len(texts) - 1, 2)],
        }
    ]


FORMAT = Format(
    name="llama-factory-alpaca",
    title=_("LLaMA-Factory, alpaca"),
    description=_("Instruction, history and two answers, with dataset_info.json."),
    trainer="LLaMA-Factory, stages dpo and rm",
    schema=pa.schema(
        [
            ("instruction", pa.string()),
            ("input", pa.string()),
            ("chosen", pa.string()),
            ("rejected", pa.string()),
            ("system", pa.string()),
            ("history", pa.list_(TEXTS)),
        ]
    ),
    rows=_rows,
    beside=dataset_info(
        {
            "ranking": True,
            "columns": {
                "prompt": "instruction",
                "query": "input",
                "chosen": "chosen",
                "rejected": "rejected",
                "system": "system",
                "history": "history",
            },
        }
    ),
    columns={
        "instruction": _("the last question"),
        "input": _("always empty"),
        "chosen": _("the preferred response"),
        "rejected": _("the other response"),
        "system": _("the system turn, or empty"),
        "history": _("earlier questions with their answers"),
    },
    use="""\
# llamafactory-cli train dpo.yaml, with these lines in it:
stage: dpo
dataset_dir: {directory}
dataset: annotate_train
""",
)
