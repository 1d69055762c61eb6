"""`ultrafeedback`: the columns of UltraFeedback-binarized (Tunstall et al. 2023), which alignment recipes read."""

from __future__ import annotations

from hashlib import sha256
from typing import Any

import pyarrow as pa
from django.utils.translation import gettext_noop as _

from exports.formats.columns import MESSAGES, Format, answer
from exports.recipes.majority import Outcome, Side


def _rows(outcome: Outcome) -> list[dict[str, Any]]:
    prompt = outcome.prompt[-1]["content"]
    chosen = [*outcome.prompt, answer(outcome.chosen.text)]
    return [
        {
            "prompt": prompt,
            "prompt_id": sha256(prompt.encode()).hexdigest(),
            "chosen": chosen,
            "rejected": [*outcome.prompt, answer(outcome.rejected.text)],
            "messages": chosen,
            "score_chosen": _score(outcome.chosen, outcome.rejected),
            "score_rejected": _score(outcome.rejected, outcome.chosen),
        }
    ]


def _score(side: Side, other: Side) -> float:
    """From 1 to 10 as there; here by the share of raters, of those who took a side, who preferred this one."""
    return round(1 + 9 * side.raters / (side.raters + other.raters), 4)


FORMAT = Format(
    name="ultrafeedback",
    title="UltraFeedback-binarized",
    description=_("Prompt as a string, both conversations, scores from 1 to 10."),
    trainer="alignment-handbook recipes",
    schema=pa.schema(
        [
            ("prompt", pa.string()),
            ("prompt_id", pa.string()),
            ("chosen", MESSAGES),
            ("rejected", MESSAGES),
            ("messages", MESSAGES),
            ("score_chosen", pa.float32()),
            ("score_rejected", pa.float32()),
        ]
    ),
    rows=_rows,
    columns={
        "prompt": _("the last turn before the responses, as a string"),
        "prompt_id": _("SHA-256 of `prompt`"),
        "chosen": _("the conversation with the preferred response, as a list of role and content"),
        "rejected": _("the same conversation with the other response"),
        "messages": _("the same as `chosen`"),
        "score_chosen": _("1 to 10: 1 + 9 × the share of raters who preferred it, of those who took a side"),
        "score_rejected": _("the same of the other response"),
    },
    use="""\
from datasets import load_dataset

rows = load_dataset("{directory}", split="train")  # the columns of HuggingFaceH4/ultrafeedback_binarized
rows = rows.remove_columns(["prompt", "messages"])  # for trl: the whole conversations alone
""",
)
