"""`kto`: single answers that are desirable or not, for Kahneman-Tversky optimisation. Unpaired."""

from __future__ import annotations

from typing import Any

import pyarrow as pa
from django.utils.translation import gettext_noop as _

from exports.formats.columns import MESSAGES, Format, Row, answer, comparison_id
from exports.recipes.majority import BOTH_BAD, SIDE, Outcome


def _rows(outcome: Outcome) -> list[dict[str, Any]]:
    name = comparison_id(outcome)
    labelled = ((outcome.chosen, outcome.kind == SIDE), (outcome.rejected, False))
    return [
        {"prompt": outcome.prompt, "completion": [answer(side.text)], "label": label, "comparison_id": name}
        for side, label in labelled
    ]


def apart(outcomes: list[list[Row]]) -> list[Row]:
    """The two answers of a prompt as far apart as the portion allows, and the labels mixed.

    KTOTrainer reads in order and estimates the reference point from neighbours, so two answers to one prompt side by
    side, or a run of equal labels, would bend it.
    """
    half = len(outcomes) // 2
    turned = outcomes[half:] + outcomes[:half]
    return [row for one, other in zip(outcomes, turned, strict=True) for row in (one[0], other[1])]


FORMAT = Format(
    name="kto",
    title="KTO",
    description=_("Single answers, desirable or not. When neither is acceptable, both are undesirable."),
    trainer="trl KTOTrainer",
    schema=pa.schema(
        [("prompt", MESSAGES), ("completion", MESSAGES), ("label", pa.bool_()), ("comparison_id", pa.string())]
    ),
    rows=_rows,
    takes=frozenset({SIDE, BOTH_BAD}),
    rows_each=2,
    arrange=apart,
    columns={
        "prompt": _("the conversation up to the response, as a list of role and content"),
        "completion": _("one response, as a list of one assistant message"),
        "label": _("true if it was preferred; false if the other was, or if most raters found neither acceptable"),
        "comparison_id": _("what it was compared in, as a hash of the texts; two rows have it"),
    },
    use="""\
from datasets import load_dataset
from trl.experimental.kto import KTOConfig, KTOTrainer

rows = load_dataset("{directory}", split="train")
trainer = KTOTrainer(
    model="Qwen/Qwen3-0.6B",
    args=KTOConfig(output_dir="kto"),
    train_dataset=rows,
)
trainer.train()
""",
)
