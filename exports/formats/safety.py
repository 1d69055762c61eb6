"""`safety`: single responses with a verdict, for training what stands at a gate: a safety classifier."""

from __future__ import annotations

from collections.abc import Iterator

import pyarrow as pa
from django.utils.translation import gettext_noop as _

from exports.formats.columns import MESSAGES, TEXTS, Format, Made, Row, compared
from exports.formats.verdicts import said_of, verdict_of
from exports.recipes.majority import ANY_KIND, Outcome
from exports.recipes.votes import Needs, Safety


def _verdicts(outcomes: list[Outcome]) -> Iterator[Made]:
    """A response is one row, however many pairs it stands in; raters of all of them count. Of several decisions one
    that found it unsafe stands."""
    texts: dict[str, str] = {}
    said: dict[str, list[tuple[str, Safety]]] = {}
    decided: dict[str, bool] = {}
    used: list[Outcome] = []
    unused: list[Outcome] = []
    for outcome in outcomes:
        pair, told = compared(outcome), False
        for number, side in enumerate((pair.first, pair.second)):
            if side.decided is not None:
                decided[side.fingerprint] = side.decided and decided.get(side.fingerprint, True)
            for each in said_of(pair, number):
                texts[side.fingerprint] = side.text
                said.setdefault(side.fingerprint, []).append(each)
                told = True
        (used if told else unused).append(outcome)
    rows = [
        _row(outcomes[0], name, texts[name], said[name], decided.get(name))
        for name in sorted(said)
        if texts[name].strip()
    ]
    if unused:
        yield unused, []
    if used:
        yield used, rows


def _row(outcome: Outcome, fingerprint: str, text: str, said: list[tuple[str, Safety]], decided: bool | None) -> Row:
    made = verdict_of(said, decided)
    if made is None:
        raise ValueError("there is no verdict of nobody")
    return {
        "prompt": outcome.prompt,
        "response": text,
        "safe": made.safe,
        "categories": made.categories,
        "severity": made.severity,
        "safe_raters": made.safe_raters,
        "unsafe_raters": made.unsafe_raters,
        "response_id": compared(outcome).key[:16] + fingerprint[:16],
    }


FORMAT = Format(
    name="safety",
    title=_("Safety classifier"),
    description=_("Each response once: safe or not, which harms, how severe."),
    trainer="any text classifier",
    schema=pa.schema(
        [
            ("prompt", MESSAGES),
            ("response", pa.string()),
            ("safe", pa.bool_()),
            ("categories", TEXTS),
            ("severity", pa.int32()),
            ("safe_raters", pa.int32()),
            ("unsafe_raters", pa.int32()),
            ("response_id", pa.string()),
        ]
    ),
    gather=_verdicts,
    takes=ANY_KIND - {"conversation"},
    needs=Needs(votes=True, singles=True, whole=True),
    columns={
        "prompt": _("the conversation up to the response, as a list of role and content"),
        "response": _("one response"),
        "safe": _("whether most raters marked it safe; a rater who judged it several times counts once"),
        "categories": _("the harms that at least half of the raters named who marked it unsafe"),
        "severity": _("the middle severity they gave; 0 if it is safe or nobody gave one"),
        "safe_raters": _("raters who marked it safe"),
        "unsafe_raters": _("raters who marked it unsafe"),
        "response_id": _("the conversation and the response, as a hash of their texts"),
    },
    use="""\
from datasets import load_dataset

rows = load_dataset("{directory}", split="train")
labels = [int(not safe) for safe in rows["safe"]]  # 1 is unsafe
""",
)
