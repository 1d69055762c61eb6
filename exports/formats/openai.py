"""`openai`: the lines that OpenAI's preference fine-tuning takes; others (Together, Fireworks) read them as well."""

from __future__ import annotations

from typing import Any

import pyarrow as pa
from django.utils.translation import gettext_noop as _

from exports.formats.columns import MESSAGES, Format, answer
from exports.recipes.majority import Outcome


def _rows(outcome: Outcome) -> list[dict[str, Any]]:
    return [
        {
            "input": {"messages": outcome.prompt},
            "preferred_output": [answer(outcome.chosen.text)],
            "non_preferred_output": [answer(outcome.rejected.text)],
        }
    ]


FORMAT = Format(
    name="openai",
    title=_("OpenAI preference"),
    description=_("Input, preferred output, non-preferred output."),
    trainer="OpenAI fine-tuning, method dpo",
    schema=pa.schema(
        [
            ("input", pa.struct([("messages", MESSAGES)])),
            ("preferred_output", MESSAGES),
            ("non_preferred_output", MESSAGES),
        ]
    ),
    rows=_rows,
    columns={
        "input": _("the conversation up to the responses, under `messages`"),
        "preferred_output": _("the preferred response, as a list of one assistant message"),
        "non_preferred_output": _("the other response, in the same shape"),
    },
    use="""\
from pathlib import Path

from openai import OpenAI

client = OpenAI()
path = next(Path("{directory}", "data").glob("train-*.jsonl"))
file = client.files.create(file=path.open("rb"), purpose="fine-tune")
client.fine_tuning.jobs.create(
    model="gpt-4.1-mini-2025-04-14", training_file=file.id, method={{"type": "dpo", "dpo": {{}}}}
)
""",
)
