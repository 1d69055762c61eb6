"""`llama-factory-kto`: ShareGPT turns that end with one answer, and whether it is desirable."""

from __future__ import annotations

import pyarrow as pa
from django.utils.translation import gettext_noop as _

from exports.formats.columns import Format, Row
from exports.formats.kto import apart
from exports.formats.llama_factory import TURN, dataset_info, turns
from exports.recipes.majority import BOTH_BAD, SIDE, Outcome


def _rows(outcome: Outcome) -> list[Row]:
    said = turns(outcome.prompt)
    if said is None:
        return []
    system, conversation = said
    labelled = ((outcome.chosen, outcome.kind == SIDE), (outcome.rejected, False))
    return [
        {
            "conversations": [*conversation, {"from": "gpt", "value": side.text}],
            "system": system,
            "kto_tag": label,
        }
        for side, label in labelled
    ]


FORMAT = Format(
    name="llama-factory-kto",
    title=_("LLaMA-Factory, KTO"),
    description=_("ShareGPT turns with one answer, desirable or not, with dataset_info.json."),
    trainer="LLaMA-Factory, stage kto",
    schema=pa.schema([("conversations", pa.list_(TURN)), ("system", pa.string()), ("kto_tag", pa.bool_())]),
    rows=_rows,
    takes=frozenset({SIDE, BOTH_BAD}),
    rows_each=2,
    arrange=apart,
    beside=dataset_info(
        {
            "formatting": "sharegpt",
            "columns": {"messages": "conversations", "kto_tag": "kto_tag", "system": "system"},
        }
    ),
    columns={
        "conversations": _("the turns with one response, as a list of from (human, gpt) and value"),
        "system": _("the system turn, or empty"),
        "kto_tag": _("true if it was preferred; false if the other was, or if most raters found neither acceptable"),
    },
    use="""\
# llamafactory-cli train kto.yaml, with these lines in it:
stage: kto
dataset_dir: {directory}
dataset: annotate_train
""",
)
