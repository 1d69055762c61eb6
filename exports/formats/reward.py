"""`reward`: two whole conversations and by how much one is better, for training a reward model."""

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
            "margin": outcome.margin,
        }
    ]


FORMAT = Format(
    name="reward",
    title=_("Reward model"),
    description=_("Whole conversations, chosen and rejected, with a margin from the strength."),
    trainer="trl RewardTrainer",
    schema=pa.schema([("chosen", MESSAGES), ("rejected", MESSAGES), *PROVENANCE, ("margin", pa.float32())]),
    rows=_rows,
    columns={
        "chosen": _("the conversation with the preferred response, as a list of role and content"),
        "rejected": _("the same conversation with the other response"),
        **PROVENANCE_COLUMNS,
        "margin": _("mean preference of all raters towards the chosen side; smaller where they doubt, never below 0"),
    },
    use="""\
from datasets import load_dataset
from trl import RewardConfig, RewardTrainer

rows = load_dataset("{directory}", split="train")
trainer = RewardTrainer(
    model="Qwen/Qwen3-0.6B",
    args=RewardConfig(output_dir="reward"),
    train_dataset=rows,
)
trainer.train()
""",
)
