"""`nemo-rl`: a context and its completions in order of rank, as NVIDIA's NeMo-RL reads preferences."""

from __future__ import annotations

from typing import Any

import pyarrow as pa
from django.utils.translation import gettext_noop as _

from exports.formats.columns import MESSAGES, Format, answer
from exports.recipes.majority import Outcome

COMPLETIONS = pa.list_(pa.struct([("rank", pa.int32()), ("completion", MESSAGES)]))


def _rows(outcome: Outcome) -> list[dict[str, Any]]:
    ranked = (outcome.chosen, outcome.rejected)
    completions = [{"rank": rank, "completion": [answer(side.text)]} for rank, side in enumerate(ranked)]
    return [{"context": outcome.prompt, "completions": completions}]


FORMAT = Format(
    name="nemo-rl",
    title="NeMo-RL",
    description=_("Context and ranked completions."),
    trainer="NeMo-RL, DPO and reward model",
    schema=pa.schema([("context", MESSAGES), ("completions", COMPLETIONS)]),
    rows=_rows,
    columns={
        "context": _("the conversation up to the responses, as a list of role and content"),
        "completions": _(
            "both responses, each a list of one assistant message under `completion`; `rank` 0 is preferred"
        ),
    },
    use="""\
# in the configuration of NeMo-RL's DPO:
data:
  train:
    dataset_name: PreferenceDataset
    data_path: {directory}/data/train-00000-of-00001.jsonl
""",
)
