"""croissant.json: the same files for catalogues, after MLCommons' Croissant 1.1 and its words for responsible AI."""

from __future__ import annotations

from typing import Any

import pyarrow as pa

from exports.account import Account, DataFile

_SPECIFICATIONS = ["http://mlcommons.org/croissant/1.1", "http://mlcommons.org/croissant/RAI/1.0"]
_IN_CROISSANT = (
    "citeAs", "column", "excludes", "annotation", "equivalentProperty", "extract", "field", "fileObject",
    "fileProperty", "fileSet", "format", "includes", "isArray", "arrayShape", "isLiveDataset", "jsonPath", "key", "md5",
    "containedIn", "parentField", "path", "readLines", "recordSet", "references", "regex", "repeated", "replace",
    "samplingRate", "sdVersion", "separator", "source", "subField", "transform", "unArchive", "value",
)  # fmt: skip
_CONTEXT: dict[str, Any] = {
    "@language": "en",
    "@vocab": "https://schema.org/",
    "conformsTo": "dct:conformsTo",
    "cr": "http://mlcommons.org/croissant/",
    "data": {"@id": "cr:data", "@type": "@json"},
    "dataType": {"@id": "cr:dataType", "@type": "@vocab"},
    "dct": "http://purl.org/dc/terms/",
    "examples": {"@id": "cr:examples", "@type": "@json"},
    "rai": "http://mlcommons.org/croissant/RAI/",
    "sc": "https://schema.org/",
    **{name: f"cr:{name}" for name in _IN_CROISSANT},
}
_ENCODINGS = {"parquet": "application/x-parquet", "jsonl": "application/jsonlines", "csv": "text/csv"}


def croissant(account: Account, told: dict[str, Any]) -> dict[str, Any]:
    """`told` are the properties about people and care (`rai:…`). No address and no day of making: the same judgments
    have the same description wherever it is made."""
    facts = account.facts
    name = f"{account.project.slug}-{account.recipe.format}"
    days = [f"{day}T00:00:00" for day in (facts.first_day, facts.last_day) if day]
    return {
        "@context": _CONTEXT,
        "@type": "sc:Dataset",
        "conformsTo": _SPECIFICATIONS,
        "name": name,
        "description": f"Human preferences of the project {' '.join(account.project.name.split())}.",
        "version": "1.0.0",
        "url": f"urn:annotate:{name}",
        "inLanguage": account.languages,
        "keywords": ["preference", account.recipe.format],
        **({"datePublished": str(facts.last_day), "rai:dataCollectionTimeframe": days} if days else {}),
        **told,
        "distribution": [_file(file, account.recipe.file) for file in account.files],
        "recordSet": [_record_set(file, account.format.schema) for file in account.files],
    }


def _file(file: DataFile, kind: str) -> dict[str, Any]:
    return {
        "@type": "cr:FileObject", "@id": file.path, "name": file.path, "contentUrl": file.path,
        "contentSize": f"{file.size} B", "encodingFormat": _ENCODINGS[kind], "sha256": file.sha256,
    }  # fmt: skip


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
        described |= {"isArray": True, "arrayShape": "-1"}
        of = of.value_type
    if not pa.types.is_struct(of):
        return described | {"dataType": _type(of), "source": source}
    parts = [
        {
            "@type": "cr:Field", "@id": f"{name}/{part.name}", "name": f"{name}/{part.name}",
            "dataType": _type(part.type), "source": source | {"transform": {"jsonPath": part.name}},
        }
        for part in of
    ]  # fmt: skip
    return described | {"subField": parts, "source": source}


def _type(column: pa.DataType) -> str:
    if pa.types.is_boolean(column):
        return "sc:Boolean"
    if pa.types.is_integer(column):
        return "sc:Integer"
    return "sc:Float" if pa.types.is_floating(column) else "sc:Text"
