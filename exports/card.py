"""The dataset card and the manifest, which travel with the rows. Nothing names a person."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import asdict, dataclass
from hashlib import sha256
from typing import Any

import numpy as np
import orjson
import pyarrow as pa
from django.conf import settings
from django.template.loader import render_to_string
from django.utils import translation
from django.utils.translation import gettext_noop as _

from exports import ai_act
from exports.account import Account
from exports.recipes.majority import DROPPED
from exports.recipes.words import margin_of, told
from exports.writers import written_schema
from labeling.models import Criterion

LONGEST_GUIDELINE = 20_000  # characters; longer ones are named by their hash alone
_SIZES = [(1_000, "n<1K"), (10_000, "1K<n<10K"), (100_000, "10K<n<100K"), (1_000_000, "100K<n<1M")]


@dataclass(frozen=True, slots=True)
class Step:
    """A line of the funnel: how many pairs are left after it, how many it cost, and why."""

    name: str
    left: int
    lost: int
    percent: int
    why: str


_STEPS = {
    "unjudged": _("Judged"),
    "too_few": _("Judged often enough"),
    "both_bad": _("At least one acceptable"),
    "tie": _("Not a tie"),
    "spread": _("Similar grades"),
    "weak": _("A grade above the weakest"),
    "uncertain": _("A label that is sure enough"),
    "small_group": _("Of a group that is large enough"),
    "conflict": _("Preferences that point one way"),
    "preferred_unsafe": _("Not the unsafe one preferred"),
    "unsafe": _("The chosen response is safe"),
    "duplicate": _("Counted once"),
    "images": _("Without images"),
    "same_text": _("Different texts"),
    "conversation": _("A conversation trainers take"),
    "unsuited": _("What the format holds"),
    "unchanged": _("New or changed"),
}


def funnel(pairs: int, dropped: Counter[str]) -> list[Step]:
    """From all pairs to the rows, in the order of the rule. Most steps that cost nothing are left out."""
    left = pairs
    steps = [Step(_("Pairs"), left, 0, 100 if left else 0, "")]
    for reason, name in _STEPS.items():
        left -= dropped[reason]
        if dropped[reason] or reason in ("unjudged", "tie"):
            percent = round(100 * left / pairs) if pairs else 0
            steps.append(Step(name, left, dropped[reason], percent, DROPPED[reason] if dropped[reason] else ""))
    return steps


def card(account: Account) -> bytes:
    """README.md: YAML that `datasets.load_dataset` reads, then the card for people. Always in English."""
    splits = {split: f"data/{split}-*" for split in ("train", "test") if any(f.split == split for f in account.files)}
    criterion = account.criterion
    context = {
        "account": account,
        "format": account.format,
        "recipe": dump(account.recipe.as_json()).decode().strip(),
        "title": _line(account.project.name),
        "pretty_name": _json(f"{_line(account.project.name)}: {account.recipe.format}"),
        "languages": [_json(language) for language in account.languages],
        "by_language": [
            (language or "not told", account.totals.languages[language]) for language in _languages(account)
        ],
        "size": next((name for most, name in _SIZES if account.rows < most), "n>1M"),
        "splits": splits,
        "features": "".join(_features(written_schema(account.recipe.file, account.format.schema), 2)),
        "columns": account.format.columns,
        "graded": not {"margin", "strength"}.isdisjoint(account.format.columns),
        "counts": {split: sum(f.rows for f in account.files if f.split == split) for split in splits},
        "funnel": funnel(account.pairs, account.totals.dropped),
        "strengths": sorted(account.totals.strengths.items()),
        "told": told(account.recipe),
        "margin": margin_of(account.recipe),
        "criterion": criterion,
        "question": _line(criterion.question),
        "scales": [(each, _line(each.name), _scale(each)) for each in account.criteria],
        "pointed": criterion.asked == Criterion.Asked.ON_CONFLICT,
        "guidelines": [
            (guide, count, digest, _fenced(guide.text) if len(guide.text) <= LONGEST_GUIDELINE else "")
            for guide, count, digest in account.guidelines
        ],
        "given": sorted(given for given, _, _ in account.facts.raters),
        "care": [_line(said) for said in ai_act.care(account.project)],
        "documentation": [(*_asked(each),) for each in ai_act.documentation(account)],
        "summary": [(*_asked(each),) for each in ai_act.public_summary(account)],
        "software": _software(),
        "use": account.format.use.format(directory="PATH/OF/THIS/FOLDER"),
    }
    with translation.override("en"):
        text = render_to_string("exports/card.md", context)
    return (re.sub(r"\n{3,}", "\n\n", text).strip() + "\n").encode()


def told_of_people(account: Account) -> dict[str, Any]:
    """The properties of Croissant's vocabulary of responsible AI that can be answered."""
    agreement, length, position = account.agreement, account.length, account.position
    found = {
        "rai:dataCollection": "Pairs of responses of language models, compared by people side by side.",
        "rai:dataCollectionType": ["Others"],
        "rai:dataAnnotationProtocol": f"{_line(account.criterion.question)} {_scale(account.criterion)}.".strip(),
        "rai:dataAnnotationPlatform": ["Annotate"],
        "rai:annotationsPerItem": f"{account.facts.annotations} annotations of {account.pairs} pairs",
        "rai:machineAnnotationTools": ["none"],
        "rai:dataUseCases": [account.format.trainer],
        "rai:dataLimitations": ["A label is what most raters preferred under the guideline. Others may differ."],
    }
    if agreement.alpha is not None:
        found["rai:dataAnnotationAnalysis"] = [f"Krippendorff's alpha (nominal, on sides) {agreement.alpha}"]
    biases = []
    if position.share is not None:
        biases.append(f"left response chosen in {position.share} of {position.sided} judgments")
    if length.longer is not None:
        biases.append(f"longer response chosen in {length.longer} of {length.labels} labels")
    return found | ({"rai:dataBiases": biases} if biases else {})


def _languages(account: Account) -> list[str]:
    return [*account.languages, *([""] if account.totals.languages[""] else [])]


def _scale(criterion: Criterion) -> str:
    kind = Criterion.Kind
    if criterion.kind == kind.PREFERENCE:
        more = [word for word, told in (("a tie", criterion.allow_tie), ("neither", criterion.allow_both_bad)) if told]
        return ", ".join([f"{criterion.strengths} grade{'s' * (criterion.strengths > 1)} a side", *more])
    if criterion.kind == kind.RATING:
        return f"each response from {criterion.minimum} to {criterion.maximum}"
    if criterion.kind == kind.SAFETY:
        harms = f", {len(criterion.categories)} categories of harm" if criterion.categories else ""
        return f"each response safe or not{harms}"
    return "own words" if criterion.kind == kind.TEXT else f"{len(criterion.categories)} reasons to choose from"


def _asked(each: ai_act.Asked) -> tuple[str, str, str]:
    return each.where, each.what, each.answer.replace("|", "\\|") if each.answer else "**missing**"


def _fenced(text: str) -> str:
    """The text as it was typed, in a fence that nothing in it can close."""
    longest = max((len(run) for run in re.findall("`+", text)), default=0)
    fence = "`" * max(3, longest + 1)
    return f"{fence}markdown\n{text.rstrip()}\n{fence}"


def _software() -> dict[str, str]:
    return {"name": "annotate", "version": settings.VERSION, "pyarrow": pa.__version__, "numpy": np.__version__}


def content_hash(files: Iterable[tuple[str, str]]) -> str:
    """SHA-256 over the lines of `sha256sum` for all files but the manifest, by path: (path, SHA-256 of the bytes).

    So whoever has the files can compute it, and the same files have the same hash wherever and whenever they were made.
    """
    return sha256("".join(f"{digest}  {path}\n" for path, digest in sorted(files)).encode()).hexdigest()


def manifest(account: Account, extra: list[dict[str, Any]], judgments: str) -> dict[str, Any]:
    """manifest.json. The recipe and the judgments determine all of it, so the same give the same bytes.

    `judgments` is a hash of what became of every comparison, that is, of the set of judgments under this recipe.
    """
    facts = account.facts
    files = [
        *(
            {"path": f.path, "split": f.split, "rows": f.rows, "bytes": f.size, "sha256": f.sha256}
            for f in account.files
        ),
        *extra,
    ]
    return {
        "content_hash": content_hash((file["path"], file["sha256"]) for file in files),
        "software": _software(),
        "project": {"slug": account.project.slug, "name": account.project.name},
        "recipe": account.recipe.as_json(),
        "since": account.since or None,
        "criterion": {
            "key": account.criterion.key,
            "question": account.criterion.question,
            "strengths": account.criterion.strengths,
        },
        "margin": margin_of(account.recipe),
        "epsilon": account.noise,
        "guidelines": [
            {"version": guide.version, "annotations": count, "sha256": digest}
            for guide, count, digest in account.guidelines
        ],
        "consents": [{"version": version, "sha256": digest} for version, digest in account.consents],
        "judgments": {
            "sha256": judgments,
            "on_criterion": account.totals.judgments,
            "annotations": facts.annotations,
            "raters": len(facts.raters),
            "days": [str(day) if day else None for day in (facts.first_day, facts.last_day)],
        },
        "agreement": asdict(account.agreement),
        **({"adjudicated": account.adjudicated} if account.recipe.decided_first else {}),
        "position": {"left_preferred": facts.left_preferred, "sides_preferred": facts.sides_preferred},
        "length": asdict(account.length),
        "pairs": account.pairs,
        "dropped": {reason: account.totals.dropped[reason] for reason in DROPPED},
        "rows": account.rows,
        "strengths": {str(strength): rows for strength, rows in sorted(account.totals.strengths.items())},
        "files": files,
    }


def dump(data: dict[str, Any]) -> bytes:
    return orjson.dumps(data, option=orjson.OPT_INDENT_2 | orjson.OPT_APPEND_NEWLINE)


def _features(fields: Iterable[pa.Field], depth: int) -> Iterator[str]:
    """The columns as lines of the card's YAML, so that JSON Lines get the same types as Parquet."""
    for field in fields:
        yield f"{' ' * depth}- name: {field.name}\n"
        yield from _feature(field.type, depth + 2)


def _feature(of: pa.DataType, depth: int) -> Iterator[str]:
    margin = " " * depth
    if pa.types.is_struct(of):
        yield f"{margin}struct:\n"
        yield from _features(of, depth)
    elif not pa.types.is_list(of):
        yield f"{margin}dtype: {_yaml_type(of)}\n"
    elif pa.types.is_struct(of.value_type):
        yield f"{margin}list:\n"
        yield from _features(of.value_type, depth)
    elif pa.types.is_list(of.value_type):
        yield f"{margin}list:\n"
        yield from _feature(of.value_type, depth + 2)
    else:
        yield f"{margin}list: {_yaml_type(of.value_type)}\n"


def _yaml_type(column: pa.DataType) -> str:
    return {pa.float32(): "float32", pa.int32(): "int32", pa.bool_(): "bool"}.get(column, "string")


def _json(value: Any) -> str:
    return orjson.dumps(value).decode()


def _line(text: str) -> str:
    """One line of Markdown text: a name must not open a heading, a list or a tag."""
    return re.sub(r"([\\`*_\[\]<>#|])", r"\\\1", " ".join(text.split()))
