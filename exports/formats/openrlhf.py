"""`openrlhf`: chosen and rejected conversations with a margin, and no other column."""

from __future__ import annotations

from typing import Any

import pyarrow as pa
from django.utils.translation import gettext_noop as _

from exports.formats.columns import MESSAGES, Format, answer
from exports.recipes.majority import Outcome


def _rows(outcome: Outcome) -> list[dict[str, Any]]:
    return [
        {
            "chosen": [*outcome.prompt, answer(outcome.chosen.text)],
            "rejected": [*outcome.prompt, answer(outcome.rejected.text)],
            "margin": outcome.margin,
        }
    ]


FORMAT = Format(
    name="openrlhf",
    title="OpenRLHF",
    description=_("Whole conversations and a margin, for its reward models and DPO."),
    trainer="OpenRLHF train_rm, train_dpo",
    schema=pa.schema([("chosen", MESSAGES), ("rejected", MESSAGES), ("margin", pa.float32())]),
    rows=_rows,
    columns={
        "chosen": _("the conversation with the preferred response, as a list of role and content"),
        "rejected": _("the same conversation with the other response"),
        "margin": _("mean preference of all raters towards the chosen side; smaller where they doubt, never below 0"),
    },
    use="""\
# python -m openrlhf.cli.train_rm --dataset {directory} \\
#     --chosen_key chosen --rejected_key rejected --apply_chat_template
""",
)
