"""What the tests of importers share: bytes in, drafts and refusals out."""

from __future__ import annotations

import io
import json
from collections.abc import Iterable
from typing import Any

from labeling.importers import ItemDraft, ItemFile, Refused


def read(content: bytes, name: str = "", format_name: str = "", skip: int = 0) -> tuple[list[ItemDraft], list[Refused]]:
    source = ItemFile(io.BytesIO(content), name=name, format_name=format_name)
    source.check()
    rows = list(source.drafts(skip))
    return [row for row in rows if isinstance(row, ItemDraft)], [row for row in rows if isinstance(row, Refused)]


def lines(rows: Iterable[Any]) -> bytes:
    return b"".join(json.dumps(row).encode() + b"\n" for row in rows)


def pair(**columns: Any) -> dict[str, Any]:
    return {"prompt": "Which?", "response_a": "This.", "response_b": "That.", **columns}


def only_refusal(**columns: Any) -> Refused:
    """The refusal of a row with these columns among rows that are fine."""
    drafts, refused = read(lines([pair(), pair(**columns), pair(prompt="And this?")]))
    assert len(drafts) == 2
    assert len(refused) == 1
    assert refused[0].line == 2
    return refused[0]
