"""Our own row, and plain columns: formats that name the responses without judging them."""

from __future__ import annotations

from labeling.importers.checks import Problem
from labeling.importers.drafts import ItemDraft, ResponseDraft, Row, conversation, item_draft, response

_NATIVE = frozenset({"conversation", "prompt", "responses"})
_PLAIN = frozenset({"prompt", "response_a", "response_b", "model_a", "model_b"})
_SINGLE = frozenset({"prompt", "response", "model"})


def is_native(row: Row) -> bool:
    return "responses" in row


def native(line: int, row: Row) -> ItemDraft:
    """`conversation` (or `prompt`) and `responses`: [{"content", "model"}] or texts."""
    if row.get("conversation") is not None and row.get("prompt") is not None:
        raise Problem("prompt", "stands beside conversation; give one of the two")
    name = "prompt" if row.get("prompt") is not None else "conversation"
    responses = row.get("responses")
    if not isinstance(responses, list):
        raise Problem("responses", 'is not a list; give [{"content": …}, …]')
    return item_draft(
        line,
        row,
        conversation=conversation(row.get(name), name),
        responses=(_response(each, f"responses[{place}]") for place, each in enumerate(responses)),
        used=_NATIVE,
    )


def _response(value: object, field: str) -> ResponseDraft:
    if isinstance(value, str):
        return response(value, field)
    if not isinstance(value, dict):
        raise Problem(field, 'is not a response; give {"content": …, "model": …}')
    return response(value.get("content"), f"{field}.content", value.get("model"), f"{field}.model")


def is_plain(row: Row) -> bool:
    return "prompt" in row and ("response_a" in row or "response" in row)


def plain(line: int, row: Row) -> ItemDraft:
    """`prompt,response_a,response_b[,model_a,model_b]`, or `prompt,response[,model]` for a single response to rate."""
    if "response" in row and "response_a" not in row:
        sides, used = [("response", "model")], _SINGLE
    else:
        sides, used = [("response_a", "model_a"), ("response_b", "model_b")], _PLAIN
    return item_draft(
        line,
        row,
        conversation=conversation(row.get("prompt"), "prompt"),
        responses=[response(row.get(side), side, row.get(model), model) for side, model in sides],
        used=used,
    )
