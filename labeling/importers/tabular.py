"""CSV and TSV → rows of text. A quote inside a quoted field is doubled; line ends inside one are kept as they are."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterator

from labeling.importers.checks import MOST_FIELD
from labeling.importers.drafts import Refused
from labeling.importers.packing import Unreadable
from labeling.importers.rows import MOST_LINE, Placed, lines

DELIMITERS = ",\t;"
csv.field_size_limit(MOST_LINE)


def table(reader: io.BufferedReader, skip: int) -> Iterator[Placed]:
    texts = _Texts(reader)
    rows = csv.reader(texts, delimiter=_delimiter(texts), strict=True)
    header = _header(rows)
    number = 0
    while True:
        line = texts.number + 1
        try:
            values = next(rows)
        except StopIteration:
            return
        except csv.Error as error:
            found: Placed = line, Refused(line, "", _complaint(str(error), line, texts.number))
        else:
            if not values:
                continue
            found = line, _row(line, header, values)
        number += 1
        if number > skip:
            yield found


class _Texts:
    """Physical lines as text, the next one to be seen ahead. A byte that is not UTF-8 becomes a lone surrogate."""

    def __init__(self, reader: io.BufferedReader) -> None:
        self._lines = lines(reader)
        self._ahead: str | None = None
        self.number = 0

    def __iter__(self) -> Iterator[str]:
        return self

    def __next__(self) -> str:
        text, self._ahead = self._ahead if self._ahead is not None else self._read(), None
        self.number += 1
        return text

    def peek(self) -> str:
        if self._ahead is None:
            self._ahead = self._read()
        return self._ahead

    def _read(self) -> str:
        raw = next(self._lines)[1]
        return "x" * (MOST_FIELD + 1) if raw is None else raw.decode(errors="surrogateescape")


def _delimiter(texts: _Texts) -> str:
    """The separator most frequent in the first line; a spreadsheet's line `sep=;` names it."""
    try:
        first = texts.peek()
    except StopIteration:
        raise Unreadable("The file is empty.") from None
    stated = first.rstrip("\r\n").removeprefix("sep=")
    if len(stated) == 1 and first.startswith("sep=") and stated in DELIMITERS:
        next(texts)
        return stated
    return max(DELIMITERS, key=first.count)


def _header(rows: Iterator[list[str]]) -> list[str]:
    try:
        header = [name.strip().casefold() for name in next(rows)]
    except (csv.Error, StopIteration):
        raise Unreadable(
            "The first line is not a header; it must name the columns, such as id,prompt,response_a,response_b."
        ) from None
    if len(set(header)) < len(header):
        twice = next(name for place, name in enumerate(header) if name in header[:place])
        raise Unreadable(f"The header names the column “{twice[:80]}” twice; give each column its own name.")
    return header


def _row(line: int, header: list[str], values: list[str]) -> dict[str, str] | Refused:
    if len(values) != len(header):
        return Refused(
            line,
            "",
            f"has {len(values)} fields, but the header names {len(header)}; quote fields that contain the separator",
        )
    return dict(zip(header, values, strict=True))


def _complaint(error: str, line: int, last: int) -> str:
    if "unexpected end of data" in error:
        remedy = "close it, or double a quote that is meant as text"
        return f"opens a quote that is never closed: lines {line} to {last} went into it; {remedy}"
    if "expected after" in error:
        return 'has a quote inside a quoted field; double it, as in "she said ""yes"""'
    if "new-line" in error:
        return "has a bare carriage return outside quotes; end lines with LF or CRLF"
    return f"cannot be taken apart: {error}"
