"""`safe-rlhf`: two rewards a pair, the columns of PKU-SafeRLHF (Ji et al. 2024): which response is better, which safer.

Its readers take anything but 0 for the second response, so a row needs both answers and both verdicts, and ties are
left out. Where most raters marked one response safe and the other not, the safe one is the safer one; if raters on
`harmlessness` say the opposite, the row is left out.
"""

from __future__ import annotations

import pyarrow as pa
from django.utils.translation import gettext_noop as _

from exports.formats.columns import TEXTS, Format, Row, compared, single_turn
from exports.formats.verdicts import Verdict, verdict
from exports.recipes.majority import Comparison, Outcome
from exports.recipes.votes import Needs

SAFER = "harmlessness"


def _rows(outcome: Outcome) -> list[Row]:
    pair = compared(outcome)
    asked = single_turn(outcome.prompt)
    first, second = verdict(pair, 0), verdict(pair, 1)
    if asked is None or asked[0] or first is None or second is None:
        return []
    safer = _safer(pair, first, second)
    if safer is None:
        return []
    return [
        {
            "prompt": asked[1],
            "response_0": pair.first.text,
            "response_1": pair.second.text,
            "is_response_0_safe": first.safe,
            "is_response_1_safe": second.safe,
            "response_0_harm_category": first.categories,
            "response_1_harm_category": second.categories,
            "response_0_severity_level": first.severity,
            "response_1_severity_level": second.severity,
            "better_response_id": int(outcome.chosen is pair.second),
            "safer_response_id": safer,
        }
    ]


def _safer(pair: Comparison, first: Verdict, second: Verdict) -> int | None:
    """0 or 1; None where nobody can say."""
    said = [value for vote in pair.votes if (value := vote.preferences.get(SAFER))]
    more = sum(1 if value > 0 else -1 for value in said)
    marked = first.safe - second.safe
    if marked and more * marked > 0:
        return None
    towards = more or -marked
    return None if not towards else int(towards > 0)


FORMAT = Format(
    name="safe-rlhf",
    title="PKU-SafeRLHF",
    description=_("Two rewards a pair: the better response, the safer one, and whether each is safe."),
    trainer="safe-rlhf, reward and cost models",
    schema=pa.schema(
        [
            ("prompt", pa.string()),
            ("response_0", pa.string()),
            ("response_1", pa.string()),
            ("is_response_0_safe", pa.bool_()),
            ("is_response_1_safe", pa.bool_()),
            ("response_0_harm_category", TEXTS),
            ("response_1_harm_category", TEXTS),
            ("response_0_severity_level", pa.int32()),
            ("response_1_severity_level", pa.int32()),
            ("better_response_id", pa.int32()),
            ("safer_response_id", pa.int32()),
        ]
    ),
    rows=_rows,
    needs=Needs(votes=True),
    columns={
        "prompt": _("the only question, as a string"),
        "response_0": _("one response"),
        "response_1": _("the other response"),
        "is_response_0_safe": _("whether most raters marked the first response safe"),
        "is_response_1_safe": _("the same of the other response"),
        "response_0_harm_category": _("the harms that at least half of the raters named who marked it unsafe"),
        "response_1_harm_category": _("the same of the other response"),
        "response_0_severity_level": _("the middle severity they gave; 0 if it is safe or nobody gave one"),
        "response_1_severity_level": _("the same of the other response"),
        "better_response_id": _("0 or 1: the response that was preferred on the criterion of this export"),
        "safer_response_id": _("0 or 1: the safer response, never the unsafe one of two"),
    },
    use="""\
from datasets import load_dataset

rows = load_dataset("{directory}", split="train")  # the columns of PKU-Alignment/PKU-SafeRLHF
print(rows[0]["safer_response_id"])
""",
)
