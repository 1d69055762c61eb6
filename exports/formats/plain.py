"""`dpo-plain`: prompt and answers as strings, for base models that know no chat template."""

from __future__ import annotations

from typing import Any

import pyarrow as pa
from django.utils.translation import gettext_noop as _

from exports.formats.columns import PROVENANCE, PROVENANCE_COLUMNS, Format, provenance, transcript
from exports.recipes.majority import Outcome


def _rows(outcome: Outcome) -> list[dict[str, Any]]:
    # The space belongs to the answer: a tokeniser joins it to the first word.
    written = transcript(outcome)
    if written is None:
        return []
    prompt, chosen, rejected = written
    return [{"prompt": prompt, "chosen": chosen, "rejected": rejected, **provenance(outcome)}]


FORMAT = Format(
    name="dpo-plain",
    title=_("DPO, plain text"),
    description=_("Prompt, chosen, rejected as strings."),
    trainer="trl DPOTrainer",
    schema=pa.schema([("prompt", pa.string()), ("chosen", pa.string()), ("rejected", pa.string()), *PROVENANCE]),
    rows=_rows,
    columns={
        "prompt": _("the conversation as “Human:” and “Assistant:” turns, ending with the assistant's cue"),
        "chosen": _("the preferred response after one space"),
        "rejected": _("the other response after one space"),
        **PROVENANCE_COLUMNS,
    },
    use="""\
from datasets import load_dataset
from trl import DPOConfig, DPOTrainer

rows = load_dataset("{directory}", split="train")
trainer = DPOTrainer(
    model="Qwen/Qwen3-0.6B-Base",
    args=DPOConfig(output_dir="dpo", beta=0.1),
    train_dataset=rows,
)
trainer.train()
""",
)
