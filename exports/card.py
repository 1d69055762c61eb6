"""What travels with the rows: the dataset card, the manifest, a Croissant description. Nothing names a person."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Any

import orjson
import pyarrow as pa
from django.conf import settings
from django.template.loader import render_to_string
from django.utils.translation import gettext_noop as _

from exports.formats import Format, format_of
from exports.recipes import Recipe
from exports.recipes.majority import DROPPED, MARGIN
from exports.recipes.recipe import SURE
from exports.rows import Facts
from exports.segments import Segment
from exports.writers import written_schema
from labeling.models import Criterion, Project

_SIZES = [(1_000, "n<1K"), (10_000, "1K<n<10K"), (100_000, "10K<n<100K"), (1_000_000, "100K<n<1M")]
_CROISSANT = {
    "@language": "en", "@vocab": "https://schema.org/", "citeAs": "cr:citeAs", "column": "cr:column",
    "conformsTo": "dct:conformsTo", "equivalentProperty": "cr:equivalentProperty",
    "examples": {"@id": "cr:examples", "@type": "@json"}, "isLiveDataset": "cr:isLiveDataset",
    "rai": "http://mlcommons.org/croissant/RAI/", "samplingRate": "cr:samplingRate",
    "cr": "http://mlcommons.org/croissant/", "data": {"@id": "cr:data", "@type": "@json"},
    "dataType": {"@id": "cr:dataType", "@type": "@vocab"}, "dct": "http://purl.org/dc/terms/", "extract": "cr:extract",
    "field": "cr:field", "fileObject": "cr:fileObject", "fileProperty": "cr:fileProperty", "fileSet": "cr:fileSet",
    "format": "cr:format", "includes": "cr:includes", "isArray": "cr:isArray", "arrayShape": "cr:arrayShape",
    "jsonPath": "cr:jsonPath", "key": "cr:key", "md5": "cr:md5", "parentField": "cr:parentField", "path": "cr:path",
    "recordSet": "cr:recordSet", "references": "cr:references", "regex": "cr:regex", "repeated": "cr:repeated",
    "replace": "cr:replace", "sc": "https://schema.org/", "separator": "cr:separator", "source": "cr:source",
    "subField": "cr:subField", "transform": "cr:transform",
}  # fmt: skip
_ENCODINGS = {"parquet": "application/x-parquet", "jsonl": "application/jsonlines", "csv": "text/csv"}


@dataclass(frozen=True, slots=True)
class DataFile:
    path: str
    split: str
    rows: int
    size: int
    sha256: str


@dataclass(frozen=True, slots=True)
class Account:
    """Everything the descriptions say of a finished export. `totals` are those of all its segments."""

    project: Project
    recipe: Recipe
    facts: Facts
    pairs: int
    totals: Segment
    files: list[DataFile]

    @property
    def format(self) -> Format:
        return format_of(self.recipe)

    @property
    def rows(self) -> int:
        return sum(file.rows for file in self.files)

    @property
    def languages(self) -> list[str]:
        """Of the rows, the most frequent first."""
        found = self.totals.languages
        return sorted((language for language in found if language), key=lambda language: (-found[language], language))

    @property
    def noise(self) -> float | None:
        """The mean chance that a label is wrong, where raters' reliability was learned; the ε of robust losses."""
        totals = self.totals
        if self.recipe.aggregate not in SURE or not totals.sided:
            return None
        return round(1 - totals.certainty / (10_000 * totals.sided), 4)

    @property
    def criterion(self) -> Criterion:
        return self.project.criteria.get(key=self.recipe.criterion)


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
    """README.md: YAML that `datasets.load_dataset` reads, then the card for people."""
    splits = {split: f"data/{split}-*" for split in ("train", "test") if any(f.split == split for f in account.files)}
    criterion = account.criterion
    facts = account.facts
    text = render_to_string(
        "exports/card.md",
        {
            "account": account,
            "format": account.format,
            "recipe": _json(account.recipe.as_json()),
            "title": _line(account.project.name),
            "pretty_name": _json(f"{_line(account.project.name)}: {account.recipe.format}"),
            "languages": [_json(language) for language in account.languages],
            "size": next((name for most, name in _SIZES if account.rows < most), "n>1M"),
            "splits": splits,
            "features": "".join(_features(written_schema(account.recipe.file, account.format.schema), 2)),
            "columns": account.format.columns,
            "graded": not {"margin", "strength"}.isdisjoint(account.format.columns),
            "counts": {split: sum(f.rows for f in account.files if f.split == split) for split in splits},
            "funnel": funnel(account.pairs, account.totals.dropped),
            "strengths": sorted(account.totals.strengths.items()),
            "criterion": criterion,
            "question": _line(criterion.question),
            "pointed": criterion.asked == Criterion.Asked.ON_CONFLICT,
            "left_percent": round(100 * facts.left_preferred / facts.sides_preferred)
            if facts.sides_preferred
            else None,
            "use": account.format.use.format(directory="PATH/OF/THIS/FOLDER"),
        },
    )
    return (re.sub(r"\n{3,}", "\n\n", text).strip() + "\n").encode()


def manifest(account: Account, extra: list[dict[str, Any]]) -> dict[str, Any]:
    """manifest.json. The recipe and the judgments determine all of it, so the same give the same bytes."""
    facts = account.facts
    return {
        "software": {"name": "annotate", "version": settings.VERSION, "pyarrow": pa.__version__},
        "project": {"slug": account.project.slug, "name": account.project.name},
        "recipe": account.recipe.as_json(),
        "criterion": {
            "key": account.criterion.key,
            "question": account.criterion.question,
            "strengths": account.criterion.strengths,
        },
        "margin": MARGIN,
        "epsilon": account.noise,
        "guidelines": [{"version": version, "annotations": count} for version, count in facts.guidelines.items()],
        "judgments": {
            "on_criterion": account.totals.judgments,
            "annotations": facts.annotations,
            "raters": facts.raters,
            "annotation_ids": [facts.first_id, facts.last_id],
            "days": [str(day) if day else None for day in (facts.first_day, facts.last_day)],
        },
        "position": {"left_preferred": facts.left_preferred, "sides_preferred": facts.sides_preferred},
        "pairs": account.pairs,
        "dropped": {reason: account.totals.dropped[reason] for reason in DROPPED},
        "rows": account.rows,
        "strengths": {str(strength): rows for strength, rows in sorted(account.totals.strengths.items())},
        "files": [
            *(
                {"path": f.path, "split": f.split, "rows": f.rows, "bytes": f.size, "sha256": f.sha256}
                for f in account.files
            ),
            *extra,
        ],
    }


def croissant(account: Account) -> bytes:
    """croissant.json: the same files for catalogues, after MLCommons' Croissant 1.0."""
    facts = account.facts
    return dump(
        {
            "@context": _CROISSANT,
            "@type": "sc:Dataset",
            "conformsTo": "http://mlcommons.org/croissant/1.0",
            "name": f"{account.project.slug}-{account.recipe.format}",
            "description": f"Human preferences of the project {_line(account.project.name)}.",
            "version": "1.0.0",
            "url": settings.PUBLIC_URL,
            "inLanguage": account.languages,
            "keywords": ["preference", account.recipe.format],
            **({"datePublished": str(facts.last_day)} if facts.last_day else {}),
            "distribution": [
                {
                    "@type": "cr:FileObject", "@id": f.path, "name": f.path, "contentUrl": f.path,
                    "contentSize": f"{f.size} B", "encodingFormat": _ENCODINGS[account.recipe.file], "sha256": f.sha256,
                }
                for f in account.files
            ],
            "recordSet": [_record_set(f, account.format.schema) for f in account.files],
        }
    )  # fmt: skip


def dump(data: dict[str, Any]) -> bytes:
    return orjson.dumps(data, option=orjson.OPT_INDENT_2 | orjson.OPT_APPEND_NEWLINE)


def _record_set(file: DataFile, schema: pa.Schema) -> dict[str, Any]:
    name = file.path.removeprefix("data/").partition("-of-")[0]
    fields = [
        _field(f"{name}/{column.name}", column.type, {"fileObject": {"@id": file.path}}, {"column": column.name})
        for column in schema
    ]
    return {"@type": "cr:RecordSet", "@id": name, "name": name, "field": fields}


def _field(name: str, of: pa.DataType, file: dict[str, Any], taken: dict[str, Any]) -> dict[str, Any]:
    """A column, with its parts to the first depth: a list of messages has roles and contents."""
    source = file | {"extract": taken}
    described: dict[str, Any] = {"@type": "cr:Field", "@id": name, "name": name}
    if pa.types.is_list(of):
        described["repeated"] = True
        of = of.value_type
    if not pa.types.is_struct(of):
        return described | {"dataType": _croissant_type(of), "source": source}
    parts = [
        {
            "@type": "cr:Field", "@id": f"{name}/{part.name}", "name": f"{name}/{part.name}",
            "dataType": _croissant_type(part.type), "source": source | {"transform": {"jsonPath": part.name}},
        }
        for part in of
    ]  # fmt: skip
    return described | {"subField": parts, "source": source}


def _croissant_type(column: pa.DataType) -> str:
    if pa.types.is_boolean(column):
        return "sc:Boolean"
    if pa.types.is_integer(column):
        return "sc:Integer"
    return "sc:Float" if pa.types.is_floating(column) else "sc:Text"


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
