"""`helpsteer3`: the columns of HelpSteer3-Preference (Wang et al. 2025): two responses and a grade from −3 to 3."""

from __future__ import annotations

import pyarrow as pa
from django.utils.translation import gettext_noop as _

from exports.formats.columns import MESSAGES, Format, Row, compared
from exports.recipes.majority import SIDE, TIE, Comparison, Outcome
from exports.recipes.votes import Needs
from labeling.importers.verdicts import LANGUAGES

MOST = 3
WORDS = {code: word for word, code in LANGUAGES.items()}
OPINION = pa.struct(
    [("score", pa.int32()), ("reasoning", pa.string()), ("feedback1", pa.string()), ("feedback2", pa.string())]
)


def _rows(outcome: Outcome) -> list[Row]:
    pair = compared(outcome)
    given = [vote for vote in pair.votes if vote.value is not None]
    scores = [_score(vote.value or 0) for vote in given]
    return [
        {
            "domain": pair.domain or "general",
            "language": _language(pair),
            "context": outcome.prompt,
            "response1": pair.first.text,
            "response2": pair.second.text,
            "overall_preference": _score(sum(scores) / len(scores)) if scores else 0,
            "individual_preference": [
                {"score": score, "reasoning": vote.texts.get(vote.criterion, ""), "feedback1": "", "feedback2": ""}
                for vote, score in zip(given, scores, strict=True)
            ],
        }
    ]


def _score(value: float) -> int:
    """The nearest whole number, halves away from 0, within the scale."""
    size = min(int(abs(value) + 0.5), MOST)
    return size if value > 0 else -size


def _language(pair: Comparison) -> str:
    """In words, as the dataset has it, or as the item's file stated it; a code that has none stays a code."""
    return pair.stated_language or WORDS.get(pair.language.partition("-")[0], pair.language)


FORMAT = Format(
    name="helpsteer3",
    title="HelpSteer3",
    description=_("Two responses and a grade from −3 to 3, with every rater's grade. Ties stay."),
    trainer="code written for nvidia/HelpSteer3",
    schema=pa.schema(
        [
            ("domain", pa.string()),
            ("language", pa.string()),
            ("context", MESSAGES),
            ("response1", pa.string()),
            ("response2", pa.string()),
            ("overall_preference", pa.int32()),
            ("individual_preference", pa.list_(OPINION)),
        ]
    ),
    rows=_rows,
    takes=frozenset({SIDE, TIE}),
    needs=Needs(votes=True),
    columns={
        "domain": _("`domain` of the item's metadata, or general"),
        "language": _("the item's language, in English words where the dataset has one"),
        "context": _("the conversation up to the responses, as a list of role and content"),
        "response1": _("one response"),
        "response2": _("the other response"),
        "overall_preference": _(
            "mean of all grades, rounded, halves away from 0: below 0 the first is better, 0 is a tie"
        ),
        "individual_preference": _("each rater's grade as `score`, with their words as `reasoning`"),
    },
    use="""\
from datasets import load_dataset

rows = load_dataset("{directory}", split="train")  # the columns of nvidia/HelpSteer3, preference
print(rows[0]["overall_preference"])
""",
)
