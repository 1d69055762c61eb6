"""`dpo`: a prompt and two answers to it, for direct preference optimisation and its relatives."""

from __future__ import annotations

from typing import Any

import pyarrow as pa
from django.utils.translation import gettext_noop as _

from exports.formats.columns import MESSAGES, PROVENANCE, PROVENANCE_COLUMNS, Format, answer, provenance
from exports.recipes.majority import Outcome


def _rows(outcome: Outcome) -> list[dict[str, Any]]:
    return [
        {
            "prompt": outcome.prompt,
            "chosen": [answer(outcome.chosen.text)],
            "rejected": [answer(outcome.rejected.text)],
            **provenance(outcome),
        }
    ]


FORMAT = Format(
    name="dpo",
    title="DPO",
    description=_("Prompt, chosen, rejected. Hard labels."),
    trainer="trl DPOTrainer",
    schema=pa.schema([("prompt", MESSAGES), ("chosen", MESSAGES), ("rejected", MESSAGES), *PROVENANCE]),
    rows=_rows,
    columns={
        "prompt": _("the conversation up to the responses, as a list of role and content"),
        "chosen": _("the preferred response, as a list of one assistant message"),
        "rejected": _("the other response, in the same shape"),
        **PROVENANCE_COLUMNS,
    },
    use="""\
from datasets import load_dataset
from trl import DPOConfig, DPOTrainer

rows = load_dataset("{directory}", split="train")
trainer = DPOTrainer(
    model="Qwen/Qwen3-0.6B",
    args=DPOConfig(output_dir="dpo", beta=0.1),
    train_dataset=rows,
)
trainer.train()
""",
)
