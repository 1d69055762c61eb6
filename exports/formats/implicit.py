"""`dpo-implicit`: two whole conversations that differ in their last answer, as Anthropic's data and others come."""

from __future__ import annotations

from typing import Any

import pyarrow as pa
from django.utils.translation import gettext_noop as _

from exports.formats.columns import MESSAGES, PROVENANCE, PROVENANCE_COLUMNS, Format, answer, provenance
from exports.recipes.majority import Outcome


def _rows(outcome: Outcome) -> list[dict[str, Any]]:
    return [
        {
            "chosen": [*outcome.prompt, answer(outcome.chosen.text)],
            "rejected": [*outcome.prompt, answer(outcome.rejected.text)],
            **provenance(outcome),
        }
    ]


FORMAT = Format(
    name="dpo-implicit",
    title=_("DPO, implicit prompt"),
    description=_("Whole conversations; the trainer finds the prompt they share."),
    trainer="trl DPOTrainer",
    schema=pa.schema([("chosen", MESSAGES), ("rejected", MESSAGES), *PROVENANCE]),
    rows=_rows,
    columns={
        "chosen": _("the conversation with the preferred response, as a list of role and content"),
        "rejected": _("the same conversation with the other response"),
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
