"""`axolotl`: messages with a chosen and a rejected message, as Axolotl's chat_template.default reads them."""

from __future__ import annotations

from typing import Any

import pyarrow as pa
from django.utils.translation import gettext_noop as _

from exports.formats.columns import MESSAGES, Format, answer
from exports.recipes.majority import Outcome

MESSAGE = MESSAGES.value_type


def _rows(outcome: Outcome) -> list[dict[str, Any]]:
    return [
        {
            "messages": outcome.prompt,
            "chosen": answer(outcome.chosen.text),
            "rejected": answer(outcome.rejected.text),
        }
    ]


FORMAT = Format(
    name="axolotl",
    title="Axolotl",
    description=_("Messages, and one chosen and one rejected message."),
    trainer="Axolotl, rl: dpo",
    schema=pa.schema([("messages", MESSAGES), ("chosen", MESSAGE), ("rejected", MESSAGE)]),
    rows=_rows,
    columns={
        "messages": _("the conversation up to the responses, as a list of role and content"),
        "chosen": _("the preferred response, as role and content"),
        "rejected": _("the other response, in the same shape"),
    },
    use="""\
# in the configuration for axolotl train:
rl: dpo
datasets:
  - path: {directory}
    split: train
    type: chat_template.default
""",
)
