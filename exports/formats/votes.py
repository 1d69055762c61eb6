"""`votes`: every judgment, a row a rater and comparison, with all that was said and how it was shown."""

from __future__ import annotations

from typing import Any

import pyarrow as pa
from django.utils.translation import gettext_noop as _

from exports.formats.columns import MESSAGES, TEXTS, Format, Row, compared, comparison_id
from exports.recipes.majority import ANY_KIND, Comparison, Outcome
from exports.recipes.votes import Needs, Safety, Vote

PREFERENCES = pa.list_(
    pa.struct([("criterion", pa.string()), ("preference", pa.int32()), ("both_bad", pa.bool_())]),
)
RATINGS = pa.list_(
    pa.struct([("criterion", pa.string()), ("first", pa.float32()), ("second", pa.float32())]),
)
VERDICTS = pa.list_(
    pa.struct(
        [
            ("criterion", pa.string()),
            ("response", pa.string()),
            ("safe", pa.bool_()),
            ("categories", TEXTS),
            ("severity", pa.int32()),
        ]
    )
)
WORDS = pa.list_(pa.struct([("criterion", pa.string()), ("text", pa.string())]))
SIDES = ("first", "second")


def _rows(outcome: Outcome) -> list[Row]:
    pair = compared(outcome)
    about = {
        "comparison_id": comparison_id(outcome),
        "language": pair.language,
        "prompt": outcome.prompt,
        "first": pair.first.text,
        "second": None if pair.single else pair.second.text,
    }
    return [_row(vote, pair, about) for vote in pair.votes]


def _row(vote: Vote, pair: Comparison, about: dict[str, Any]) -> Row:
    return {
        "comparison_id": about["comparison_id"],
        "rater": vote.rater,
        "criterion": vote.criterion,
        "preference": vote.preferences.get(vote.criterion),
        "both_bad": vote.criterion in vote.both_bad,
        "rationale": vote.texts.get(vote.criterion, ""),
        "shown_swapped": None if pair.single else vote.shown_swapped,
        "day": vote.created_day,
        "active_ms": vote.active_ms,
        "revision": vote.revision,
        "guideline": vote.guideline,
        "instrument": vote.instrument,
        "principle": vote.principle,
        "reasons": list(vote.reasons),
        "kept_hints": list(vote.kept_hints),
        "preferences": _preferences(vote),
        "ratings": [{"criterion": key, "first": one, "second": other} for key, (one, other) in vote.ratings.items()],
        "safety": [
            _safety(key, side, found)
            for key, both in vote.safety.items()
            for side, found in zip(SIDES, both, strict=True)
            if found is not None
        ],
        "texts": [{"criterion": key, "text": text} for key, text in sorted(vote.texts.items())],
        "language": about["language"],
        "prompt": about["prompt"],
        "first": about["first"],
        "second": about["second"],
    }


def _preferences(vote: Vote) -> list[Row]:
    return [
        {"criterion": key, "preference": vote.preferences.get(key), "both_bad": key in vote.both_bad}
        for key in sorted({*vote.preferences, *vote.both_bad})
    ]


def _safety(key: str, side: str, found: Safety) -> Row:
    return {
        "criterion": key,
        "response": side,
        "safe": found.safe,
        "categories": list(found.categories),
        "severity": found.severity,
    }


FORMAT = Format(
    name="votes",
    title=_("Every judgment"),
    description=_("A row a rater and comparison, raters pseudonymous."),
    trainer="your own analysis",
    schema=pa.schema(
        [
            ("comparison_id", pa.string()),
            ("rater", pa.string()),
            ("criterion", pa.string()),
            ("preference", pa.int32()),
            ("both_bad", pa.bool_()),
            ("rationale", pa.string()),
            ("shown_swapped", pa.bool_()),
            ("day", pa.string()),
            ("active_ms", pa.int32()),
            ("revision", pa.int32()),
            ("guideline", pa.int32()),
            ("instrument", pa.int32()),
            ("principle", pa.string()),
            ("reasons", TEXTS),
            ("kept_hints", TEXTS),
            ("preferences", PREFERENCES),
            ("ratings", RATINGS),
            ("safety", VERDICTS),
            ("texts", WORDS),
            ("language", pa.string()),
            ("prompt", MESSAGES),
            ("first", pa.string()),
            ("second", pa.string()),
        ]
    ),
    rows=_rows,
    takes=ANY_KIND,
    needs=Needs(votes=True, singles=True),
    columns={
        "comparison_id": _("what was compared, as a hash of its texts; the same wherever it is exported"),
        "rater": _("who, as a pseudonym that is the same in everything of this project and in nothing else"),
        "criterion": _("the criterion of this export, of which the next three columns are"),
        "preference": _("below 0 the first response is better, above 0 the second, 0 is a tie; null if not answered"),
        "both_bad": _("whether the rater found neither response acceptable"),
        "rationale": _("what the rater wrote; empty if nothing"),
        "shown_swapped": _("whether the second response stood on the left; null if nobody knows"),
        "day": _("when, as a day of UTC"),
        "active_ms": _("time with the pair in view, in milliseconds; null if it was not measured"),
        "revision": _("1 for a first answer, more for one that was changed"),
        "guideline": _("the version of the guideline that the rater had"),
        "instrument": _("the version of the questions that the rater had"),
        "principle": _("the guideline's principle that decided, in its words; empty if the rater named none"),
        "reasons": _("the reasons that the rater chose"),
        "kept_hints": _("contradictions that the rater was asked about and meant"),
        "preferences": _("the answers to all preferences, as criterion, preference and both_bad"),
        "ratings": _("the ratings of both responses, by criterion"),
        "safety": _("verdicts on the responses, by criterion: safe, categories, severity"),
        "texts": _("all that was written, by criterion; of one response under criterion.first or criterion.second"),
        "language": _("the item's language"),
        "prompt": _("the conversation up to the responses, as a list of role and content"),
        "first": _("the first response, in an order that says nothing of how it was shown or judged"),
        "second": _("the second response; null where a single one was judged"),
    },
    use="""\
from datasets import load_dataset

rows = load_dataset("{directory}", split="train").to_pandas()
rows.groupby("rater")["preference"].describe()
""",
)
