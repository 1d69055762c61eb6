"""`critiques`: why one response is better, in the raters' words, and which principle of the guideline decided."""

from __future__ import annotations

import pyarrow as pa
from django.utils.translation import gettext_noop as _

from exports.formats.columns import MESSAGES, Format, Row, answer, compared, comparison_id
from exports.recipes.majority import Outcome
from exports.recipes.votes import Needs, Vote


def _rows(outcome: Outcome) -> list[Row]:
    """A row a rater on the chosen side who gave a reason in words or named a principle."""
    pair = compared(outcome)
    towards = 1 if outcome.chosen is pair.second else -1
    shared = {
        "prompt": outcome.prompt,
        "chosen": [answer(outcome.chosen.text)],
        "rejected": [answer(outcome.rejected.text)],
        "comparison_id": comparison_id(outcome),
    }
    return [
        {
            "prompt": shared["prompt"],
            "principle": vote.principle,
            "rationale": vote.texts.get(vote.criterion, ""),
            "chosen": shared["chosen"],
            "rejected": shared["rejected"],
            "guideline": vote.guideline,
            "comparison_id": shared["comparison_id"],
        }
        for vote in pair.votes
        if _explains(vote) and (vote.value or 0) * towards > 0
    ]


def _explains(vote: Vote) -> bool:
    return bool(vote.principle or vote.texts.get(vote.criterion))


FORMAT = Format(
    name="critiques",
    title=_("Critiques"),
    description=_("Why one response is better: a rater's words and the principle that decided."),
    trainer="critique models, constitutional methods",
    schema=pa.schema(
        [
            ("prompt", MESSAGES),
            ("principle", pa.string()),
            ("rationale", pa.string()),
            ("chosen", MESSAGES),
            ("rejected", MESSAGES),
            ("guideline", pa.int32()),
            ("comparison_id", pa.string()),
        ]
    ),
    rows=_rows,
    needs=Needs(votes=True),
    columns={
        "prompt": _("the conversation up to the responses, as a list of role and content"),
        "principle": _("the guideline's principle that decided, in its words; empty if the rater named none"),
        "rationale": _("what the rater wrote; empty if nothing"),
        "chosen": _("the preferred response, as a list of one assistant message"),
        "rejected": _("the other response, in the same shape"),
        "guideline": _("the version of the guideline that the rater had"),
        "comparison_id": _("what was compared, as a hash of its texts; the same wherever it is exported"),
    },
    use="""\
from datasets import load_dataset

rows = load_dataset("{directory}", split="train")
named = rows.filter(lambda row: row["principle"] != "")
""",
)
