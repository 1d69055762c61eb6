"""JSON lines → rows with their place in the file, one at a time; and what every container of rows shares.

A row is `(line, values)`, or `(line, Refused)` when it could not be taken apart. Blank lines are not rows.
`skip` leaves out that many rows without looking into them.
"""

from __future__ import annotations

import io
import json
from collections.abc import Iterator
from functools import lru_cache
from typing import Any

import orjson

from labeling.importers.drafts import Refused

MOST_LINE = 10 * 1024 * 1024
BOM = b"\xef\xbb\xbf"
# Sixteen digits in a row, looked for in a row whose digits are all 0: a tenth of what a pattern takes.
_DIGITS = bytes.maketrans(b"123456789", b"000000000")
_LONG_NUMBER = b"0" * 16
_NO_OBJECT = 'is not an object; a row is {"prompt": …, …}'

Placed = tuple[int, dict[str, Any] | Refused]


def json_lines(reader: io.BufferedReader, skip: int) -> Iterator[Placed]:
    rows = ((line, raw) for line, raw in lines(reader) if raw is None or raw.strip())
    for number, (line, raw) in enumerate(rows):
        if number >= skip:
            yield line, parse(line, raw)


def parse(line: int, raw: bytes | None) -> dict[str, Any] | Refused:
    """One row's JSON; the fast parser where it is exact, the careful one where a key twice or a long number hides."""
    if raw is None:
        return Refused(line, "", f"is longer than {MOST_LINE // 1024**2} MB; leave it out or shorten it")
    try:
        row = orjson.loads(raw)
    except orjson.JSONDecodeError:
        return _parse_carefully(line, raw)
    if not isinstance(row, dict):
        return Refused(line, "", _NO_OBJECT)
    return _parse_carefully(line, raw) if _is_doubtful(raw, row) else row


def _is_doubtful(raw: bytes, row: dict[str, Any]) -> bool:
    """Whether the fast parser may have rounded a number or dropped a repeated key."""
    many = len(row) > 100
    if many or _LONG_NUMBER in raw.translate(_DIGITS):
        return True
    return max(map(raw.count, _quoted(tuple(row))), default=0) > 1


@lru_cache(1000)
def _quoted(names: tuple[str, ...]) -> list[bytes]:
    """Every row of a file has the same keys."""
    return [b'"%s"' % name.encode() for name in names]


def _parse_carefully(line: int, raw: bytes) -> dict[str, Any] | Refused:
    try:
        row = json.loads(raw.decode(), object_pairs_hook=_without_repeats, parse_constant=_no_constant)
    except UnicodeDecodeError as error:
        place = f"byte {error.start + 1} is 0x{raw[error.start]:02X}"
        return Refused(line, "", f"is not UTF-8 ({place}); save the file as UTF-8")
    except RecursionError:
        return Refused(line, "", "is nested too deeply to be read; flatten it")
    except json.JSONDecodeError as error:
        return Refused(
            line, "", f"is not JSON: {error.msg} at character {error.pos + 1}; one complete object a row is due"
        )
    except ValueError as error:
        return Refused(line, "", str(error))
    return row if isinstance(row, dict) else Refused(line, "", _NO_OBJECT)


def _without_repeats(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found: dict[str, Any] = {}
    for name, value in pairs:
        if name in found:
            raise ValueError(f"has the key “{name[:80]}” twice; keep one of them")
        found[name] = value
    return found


def _no_constant(name: str) -> None:
    raise ValueError(f"contains {name}, which is not JSON; use null")


def lines(reader: io.BufferedReader) -> Iterator[tuple[int, bytes | None]]:
    """Physical lines by LF only, numbered from 1; None stands for one that is too long."""
    number = 0
    while raw := reader.readline(MOST_LINE + 1):
        number += 1
        if number == 1:
            raw = raw.removeprefix(BOM)
        if len(raw) <= MOST_LINE:
            yield number, raw
            continue
        while raw and not raw.endswith(b"\n"):
            raw = reader.readline(MOST_LINE)
        yield number, None
