"""A CSV file for people with spreadsheets: no cell can become a formula, and the browser never shows it as a page."""

from __future__ import annotations

import csv
import unicodedata
from collections.abc import Iterable, Iterator
from typing import Any

from django.http import StreamingHttpResponse
from django.utils.http import content_disposition_header

# What a spreadsheet takes for the beginning of a formula, its full-width forms too; the apostrophe so that taking
# one away always gives back the text.
_TRIGGERS = frozenset("=+-@|%\t\r\n'\N{FULLWIDTH EQUALS SIGN}\N{FULLWIDTH PLUS SIGN}\N{FULLWIDTH HYPHEN-MINUS}"
                      "\N{FULLWIDTH COMMERCIAL AT}\N{MINUS SIGN}")  # fmt: skip


class _Line:
    """What csv.writer writes to: the line comes back from `writerow`."""

    def write(self, line: str) -> str:
        return line


def csv_download(name: str, header: list[str], rows: Iterable[Iterable[Any]]) -> StreamingHttpResponse:
    """An attachment that streams; text cells that could start a formula get an apostrophe in front."""
    answer = StreamingHttpResponse(_lines(header, rows), content_type="text/csv; charset=utf-8")
    answer["Content-Disposition"] = content_disposition_header(True, name) or "attachment"
    answer["Content-Security-Policy"] = "sandbox; default-src 'none'"
    return answer


def _lines(header: list[str], rows: Iterable[Iterable[Any]]) -> Iterator[str]:
    writer: Any = csv.writer(_Line(), quoting=csv.QUOTE_ALL)
    yield writer.writerow(header)
    for row in rows:
        yield writer.writerow([harmless(cell) if isinstance(cell, str) else cell for cell in row])


def harmless(cell: str) -> str:
    return f"'{cell}" if _first_visible(cell) in _TRIGGERS else cell


def _first_visible(cell: str) -> str:
    return next((sign for sign in cell if sign in _TRIGGERS or unicodedata.category(sign) not in ("Zs", "Cf")), "")
