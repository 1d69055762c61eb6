"""`sft`: the preferred answers alone, for supervised fine-tuning."""

from __future__ import annotations

from typing import Any

import pyarrow as pa
from django.utils.translation import gettext_noop as _

from exports.formats.columns import MESSAGES, Format, answer, comparison_id
from exports.recipes.majority import Outcome


def _rows(outcome: Outcome) -> list[dict[str, Any]]:
    messages = [*outcome.prompt, answer(outcome.chosen.text)]
    return [{"messages": messages, "comparison_id": comparison_id(outcome)}]


FORMAT = Format(
    name="sft",
    title="SFT",
    description=_("Conversations that end with the preferred response."),
    trainer="trl SFTTrainer",
    schema=pa.schema([("messages", MESSAGES), ("comparison_id", pa.string())]),
    rows=_rows,
    columns={
        "messages": _("the conversation with the preferred response, as a list of role and content"),
        "comparison_id": _("what was compared, as a hash of its texts; the same wherever it is exported"),
    },
    use="""\
from datasets import load_dataset
from trl import SFTConfig, SFTTrainer

rows = load_dataset("{directory}", split="train")
trainer = SFTTrainer(
    model="Qwen/Qwen3-0.6B",
    args=SFTConfig(output_dir="sft"),
    train_dataset=rows,
)
trainer.train()
""",
)
