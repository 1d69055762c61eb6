"""A JSON array as rows: its elements are found by their brackets, so that it need never be in memory as a whole."""

from __future__ import annotations

import io
import re
from collections.abc import Iterator

from labeling.importers.drafts import Refused
from labeling.importers.packing import Unreadable
from labeling.importers.rows import BOM, MOST_LINE, Placed, parse

_TOKEN = re.compile(rb'"(?:[^"\\]++|\\.)*+"|["{}\[\],]', re.DOTALL)
_BLOCK = 64 * 1024


def json_array(reader: io.BufferedReader, skip: int) -> Iterator[Placed]:
    for number, (line, found) in enumerate(_Window(reader).elements()):
        if number >= skip:
            yield line, found if isinstance(found, Refused) else parse(line, found)


class _Window:
    """The bytes from the beginning of the current element on; `line` is where they begin."""

    def __init__(self, reader: io.BufferedReader) -> None:
        self._reader = reader
        self._bytes = b""
        self._searched = 0
        self.line = 1

    def elements(self) -> Iterator[tuple[int, bytes | Refused]]:
        """Every element as it is written, and a refusal of what follows the array."""
        self._grow()
        self._forget(self._bytes.index(b"[") + 1)
        depth = 0
        while span := self._token():
            sign = self._bytes[span[0] : span[1]]
            if depth == 0 and sign in (b",", b"]"):
                yield from self._element(self._bytes[: span[0]])
                self._forget(span[1])
                if sign == b"]":
                    yield from self._rest()
                    return
            else:
                depth = max(0, depth + (sign in (b"{", b"[")) - (sign in (b"}", b"]")))
        yield from self._element(self._bytes)

    def _rest(self) -> Iterator[tuple[int, Refused]]:
        while not self._bytes.strip() and self._grow():
            pass
        for line, found in self._element(self._bytes):
            begins = found[:20].decode(errors="replace")
            yield line, Refused(line, "", f"stands after the end of the array: {begins!r}; put all rows into one array")

    def _element(self, raw: bytes) -> Iterator[tuple[int, bytes]]:
        if found := raw.strip():
            yield self.line + raw[: raw.index(found[:1])].count(b"\n"), found

    def _forget(self, end: int) -> None:
        self.line += self._bytes.count(b"\n", 0, end)
        self._bytes, self._searched = self._bytes[end:], 0

    def _token(self) -> tuple[int, int] | None:
        """Where the next string or bracket is; None at the end of the file."""
        while True:
            found = _TOKEN.search(self._bytes, self._searched)
            if found and found[0] != b'"':
                self._searched = found.end()
                return found.span()
            self._searched = found.start() if found else len(self._bytes)
            if not self._grow():
                return None

    def _grow(self) -> bool:
        """Doubling keeps the search of a long string from starting over too often."""
        if len(self._bytes) > MOST_LINE:
            most = f"{MOST_LINE // 1024**2} MB"
            raise Unreadable(f"The row on line {self.line} is longer than {most}, or its quotes do not match.")
        block = self._reader.read(max(_BLOCK, len(self._bytes)))
        self._bytes += block if self._bytes else block.removeprefix(BOM)
        return bool(block)
