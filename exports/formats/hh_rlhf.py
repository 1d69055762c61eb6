"""`hh-rlhf`: the two transcripts of Anthropic's helpful and harmless data (Bai et al. 2022), and nothing else."""

from __future__ import annotations

from typing import Any

import pyarrow as pa
from django.utils.translation import gettext_noop as _

from exports.formats.columns import Format, transcript
from exports.recipes.majority import Outcome


def _rows(outcome: Outcome) -> list[dict[str, Any]]:
    written = transcript(outcome)
    if written is None:
        return []
    prompt, chosen, rejected = written
    return [{"chosen": prompt + chosen, "rejected": prompt + rejected}]


FORMAT = Format(
    name="hh-rlhf",
    title="HH-RLHF",
    description=_("Two transcripts of Human and Assistant turns."),
    trainer="code written for Anthropic/hh-rlhf",
    schema=pa.schema([("chosen", pa.string()), ("rejected", pa.string())]),
    rows=_rows,
    columns={
        "chosen": _("the conversation as “Human:” and “Assistant:” turns, with the preferred response last"),
        "rejected": _(
            "the same conversation with the other response; a system turn opens the first human turn of both"
        ),
    },
    use="""\
from datasets import load_dataset

rows = load_dataset("{directory}", split="train")  # the columns of load_dataset("Anthropic/hh-rlhf")
print(rows[0]["chosen"])
""",
)
