"""OpenAPI: what drf-spectacular cannot know by itself. Problems are added to every operation in one place."""

from __future__ import annotations

from typing import Any

from labeling.api.problems import MEDIA_TYPE, STATUS, TITLES

EVERYWHERE = {401: "The token is missing, unknown, expired or revoked."}
WITH_PATH = {404: "There is nothing here, or nothing that this token may see."}
WITH_BODY = {
    400: "A field is missing, unknown or outside its range; `errors` names it.",
    413: "The body is too large.",
    415: "The content type is not read here.",
}
_CODES = STATUS | {"forbidden": 403}

PROBLEM = {
    "type": "object",
    "description": "RFC 9457 problem details.",
    "required": ["type", "title", "status", "detail", "code"],
    "properties": {
        "type": {"type": "string", "format": "uri-reference", "description": "Where the problem is explained."},
        "title": {"type": "string"},
        "status": {"type": "integer"},
        "detail": {"type": "string", "description": "A sentence for people that says what to do."},
        "code": {"type": "string", "description": "For programs; never changes.", "examples": ["lease_lost"]},
        "errors": {
            "type": "object",
            "description": "What is wrong, by the path of the field: `judgments.helpfulness.preference`.",
            "additionalProperties": {"type": "string"},
        },
    },
}


def add_problems(result: dict[str, Any], generator: Any, request: Any, public: bool) -> dict[str, Any]:
    """A postprocessing hook: every operation says which problems it may answer with. `x-problems` lists refusals."""
    result["components"].setdefault("schemas", {})["Problem"] = PROBLEM
    for path, methods in result["paths"].items():
        for operation in methods.values():
            responses = operation["responses"]
            for status, text in sorted(_problems(path, operation).items()):
                responses[str(status)] = {
                    "description": text,
                    "content": {MEDIA_TYPE: {"schema": {"$ref": "#/components/schemas/Problem"}}},
                }
    return result


def _problems(path: str, operation: dict[str, Any]) -> dict[int, str]:
    found = dict(EVERYWHERE)
    if "{" in path:
        found |= WITH_PATH
    if "requestBody" in operation:
        found |= WITH_BODY
    elif any(parameter["in"] == "query" for parameter in operation.get("parameters", [])):
        found[400] = "A query parameter is not understood; `errors` names it."
    for code in operation.get("x-problems", []):
        text = f"`{code}`: {TITLES[code]}."
        found[_CODES[code]] = f"{found[_CODES[code]]} {text}" if _CODES[code] in found else text
    return found
