"""The API described: OpenAPI for programs, a page for people, both from the endpoints themselves.

Both are public: they say the same on every installation, and hold nothing of this one.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache
from typing import Any

import orjson
from django.contrib.auth.decorators import login_not_required
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_safe
from drf_spectacular.generators import SchemaGenerator

from labeling.api.problems import STATUS, TITLES

METHODS = ("get", "post", "put", "patch", "delete")
OPENAPI = "application/vnd.oai.openapi+json"


@dataclass(frozen=True, slots=True)
class Field:
    name: str
    type: str
    required: bool
    description: str


@dataclass(frozen=True, slots=True)
class Operation:
    id: str
    method: str
    path: str
    summary: str
    text: str
    parameters: list[Field]
    body: list[Field]
    example: str
    answers: list[tuple[str, str, list[Field]]]


@cache
def api_schema() -> dict[str, Any]:
    """OpenAPI 3 as data. Takes a good part of a second, so a process makes it once."""
    schema: dict[str, Any] = SchemaGenerator().get_schema(request=None, public=True)  # type: ignore[no-untyped-call]
    return schema


@login_not_required
@require_safe
def schema_json(request: HttpRequest) -> HttpResponse:
    return HttpResponse(orjson.dumps(api_schema(), option=orjson.OPT_INDENT_2), content_type=OPENAPI)


@login_not_required
@require_safe
def docs(request: HttpRequest) -> HttpResponse:
    problems = [(code, STATUS.get(code), title) for code, title in TITLES.items()]
    return render(request, "labeling/api_docs.html", {"groups": _groups(), "problems": problems})


@cache
def _groups() -> list[tuple[str, list[Operation]]]:
    """Operations by the first word of their path, in the order of the paths."""
    schema, groups = api_schema(), dict[str, list[Operation]]()
    for path, methods in schema["paths"].items():
        for method in METHODS:
            if method in methods:
                operation = _operation(schema, path, method, methods[method])
                groups.setdefault(methods[method]["tags"][0], []).append(operation)
    return list(groups.items())


def _operation(schema: dict[str, Any], path: str, method: str, found: dict[str, Any]) -> Operation:
    summary, _, text = found.get("description", "").partition("\n\n")
    parameters = [
        Field(one["name"], _type(one["schema"]), one.get("required", False), one.get("description", ""))
        for one in found.get("parameters", [])
        if one["in"] == "query"
    ]
    body: dict[str, Any] = next(iter(found.get("requestBody", {}).get("content", {}).values()), {})
    example = next((one["value"] for one in body.get("examples", {}).values()), None)
    return Operation(
        id=found["operationId"],
        method=method.upper(),
        path=path,
        summary=summary,
        text=text,
        parameters=parameters,
        body=_fields(schema, body.get("schema", {})),
        example=orjson.dumps(example, option=orjson.OPT_INDENT_2).decode() if example is not None else "",
        answers=[
            (status, one.get("description", ""), _answer(schema, one)) for status, one in found["responses"].items()
        ],
    )


def _answer(schema: dict[str, Any], response: dict[str, Any]) -> list[Field]:
    content = response.get("content", {}).get("application/json", {})
    return _fields(schema, content.get("schema", {}))


def _fields(schema: dict[str, Any], shape: dict[str, Any]) -> list[Field]:
    """The fields of an object, with those of a single list in it or of several alternatives; references followed."""
    if ref := shape.get("$ref"):
        return _fields(schema, schema["components"]["schemas"][ref.rpartition("/")[2]])
    found: list[Field] = []
    for alternative in [*shape.get("oneOf", []), *shape.get("allOf", [])]:
        found += _fields(schema, alternative)
    required = shape.get("required", [])
    for name, inner in shape.get("properties", {}).items():
        found.append(Field(name, _type(inner), name in required, inner.get("description", "")))
    return found


def _type(shape: dict[str, Any]) -> str:
    if ref := shape.get("$ref"):
        return str(ref.rpartition("/")[2])
    if shape.get("type") == "array":
        return f"list of {_type(shape['items'])}"
    for several in ("oneOf", "allOf", "anyOf"):
        if several in shape:
            return " or ".join(dict.fromkeys(_type(inner) for inner in shape[several]))
    if values := shape.get("enum"):
        return ", ".join(str(value) for value in values if value not in (None, ""))
    return str(shape.get("format") or shape.get("type") or "any JSON")
