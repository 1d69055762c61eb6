"""`axolotl-reward`: one question and two answers, as Axolotl's bradley_terry.chat_template reads them."""

from __future__ import annotations

import pyarrow as pa
from django.utils.translation import gettext_noop as _

from exports.formats.columns import Format, Row, single_turn
from exports.recipes.majority import Outcome


def _rows(outcome: Outcome) -> list[Row]:
    """None of a conversation with earlier turns: the reader has no place for them."""
    asked = single_turn(outcome.prompt)
    if asked is None:
        return []
    system, question = asked
    return [{"system": system, "input": question, "chosen": outcome.chosen.text, "rejected": outcome.rejected.text}]


FORMAT = Format(
    name="axolotl-reward",
    title=_("Axolotl, reward model"),
    description=_("One question, one chosen and one rejected answer."),
    trainer="Axolotl, reward_model: true",
    schema=pa.schema([(name, pa.string()) for name in ("system", "input", "chosen", "rejected")]),
    rows=_rows,
    columns={
        "system": _("the system turn, or empty"),
        "input": _("the only question"),
        "chosen": _("the preferred response"),
        "rejected": _("the other response"),
    },
    use="""\
# in the configuration for axolotl train:
reward_model: true
datasets:
  - path: {directory}
    split: train
    type: bradley_terry.chat_template
""",
)
