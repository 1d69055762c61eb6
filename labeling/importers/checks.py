"""The checks that every value of a row passes: what PostgreSQL can hold, and how a refusal speaks of what it cannot.

A value that fails raises `Problem`, which the reading turns into a `Refused` with the row's line.
"""

from __future__ import annotations

import math
from datetime import date
from decimal import Decimal
from typing import Any

MOST_FIELD = 1024 * 1024
MOST_DEPTH = 50


class Problem(Exception):
    """One row cannot be taken; `reason` says why and what to do."""

    def __init__(self, field: str, reason: str) -> None:
        super().__init__(f"{field}: {reason}")
        self.field = field
        self.reason = reason


def text(value: Any, field: str, *, most: int = MOST_FIELD, blank: bool = False) -> str:
    """`value` if it is text that can be stored and, unless `blank`, has something to read."""
    if value is None:
        raise Problem(field, "is missing; every row needs it")
    if not isinstance(value, str):
        raise Problem(field, f"is {kind_of(value)} where text is due; put it in quotes if it is meant as text")
    if not blank and (not value or value.isspace()):
        raise Problem(field, "is empty; leave the row out or fill it in")
    return storable(value, field, most=most)


def storable(value: str, field: str, *, most: int = MOST_FIELD) -> str:
    """`value` unless PostgreSQL cannot hold it: U+0000, half a surrogate pair, more than `most` characters."""
    if len(value) > most:
        raise Problem(field, f"has {len(value):,} characters; at most {most:,} are taken")
    if "\0" in value:
        raise Problem(field, "contains the character U+0000, which no database text can hold; remove it")
    if not value.isascii():
        try:
            value.encode()
        except UnicodeEncodeError as error:
            raise Problem(field, _not_unicode(value, error.start)) from None
    return value


def storable_json(value: Any, field: str, depth: int = 1) -> Any:
    """`value` as JSON that PostgreSQL can hold, exactly; dates and decimals (from Parquet) become text."""
    if depth > MOST_DEPTH:
        raise Problem(field.partition("[")[0].partition(".")[0], f"is nested deeper than {MOST_DEPTH}; flatten it")
    if isinstance(value, str):
        return storable(value, field)
    if value is None or isinstance(value, (bool, int)):
        return value
    if isinstance(value, float):
        return _number(value, field)
    if isinstance(value, dict):
        return {storable(str(k), field): storable_json(v, f"{field}.{k}", depth + 1) for k, v in value.items()}
    if isinstance(value, (list, tuple)):
        return [storable_json(each, f"{field}[{n}]", depth + 1) for n, each in enumerate(value)]
    if isinstance(value, (date, Decimal)):
        return str(value)
    raise Problem(field, f"is {kind_of(value)}, which JSON cannot hold; leave the column out or turn it into text")


def _number(value: float, field: str) -> float:
    if not math.isfinite(value):
        raise Problem(field, "is not a finite number; use null")
    return value


def kind_of(value: Any) -> str:
    if value is None:
        return "null"
    names = {
        bool: "true or false",
        int: "a number",
        float: "a number",
        list: "a list",
        dict: "an object",
        bytes: "binary",
    }
    return names.get(type(value), f"a {type(value).__name__}")


def quoted(value: Any) -> str:
    if not isinstance(value, str):
        return kind_of(value)
    return f"“{value[:40]}”" if value.isprintable() else "not readable text"


def _not_unicode(value: str, start: int) -> str:
    """Bytes that were not UTF-8 arrive as U+DC80 to U+DCFF (surrogateescape), escapes as any other surrogate."""
    code = ord(value[start])
    if 0xDC80 <= code <= 0xDCFF:
        place = len(value[:start].encode(errors="surrogateescape")) + 1
        return f"is not UTF-8 (byte {place} of the field is 0x{code - 0xDC00:02X}); save the file as UTF-8"
    return f"has half of a surrogate pair (\\u{code:04x}) at character {start + 1}, which is no character; remove it"
