"""Rows to files: Parquet, JSON Lines and CSV, hashed as they are written, the same rows always the same bytes."""

from __future__ import annotations

import csv
import io
import os
import zlib
from collections.abc import Iterable
from contextlib import suppress
from hashlib import sha256
from pathlib import Path
from typing import IO, Any, Protocol

import orjson
import pyarrow as pa
import pyarrow.parquet as pq

from labeling.spreadsheets import harmless

# Fixed by name, so that another version's defaults do not change the bytes. Only roles repeat enough for a dictionary.
_PARQUET = {
    "version": "2.6",
    "data_page_version": "1.0",
    "compression": "zstd",
    "compression_level": 1,
    "use_dictionary": [f"{column}.list.element.role" for column in ("prompt", "chosen", "rejected")],
    "write_statistics": False,
    "store_schema": False,
}
# So few that joining, hashing and writing them stays in the processor's cache, in memory that is used again.
_LINES_AT_ONCE = 64
# Some readers split text at these as if they were line ends.
_LINE_ENDS = {each.encode(): rb"\u%04x" % ord(each) for each in "\u2028\u2029\u0085"}


class Hashed:
    """A new file that is hashed while it is written, and on the disk once it is closed."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.size = 0
        self.closed = False
        self._digest = sha256()
        self._file: IO[bytes] = path.open("wb")

    @property
    def sha256(self) -> str:
        return self._digest.hexdigest()

    def write(self, data: bytes) -> int:
        self._digest.update(data)
        written = self._file.write(data)
        self.size += written
        return written

    def tell(self) -> int:
        return self.size

    def flush(self) -> None:
        self._file.flush()

    def close(self) -> None:
        if not self.closed:
            self.closed = True
            self._file.flush()
            os.fsync(self._file.fileno())
            self._file.close()

    def drop(self) -> None:
        """Close without caring whether it is complete."""
        self.closed = True
        with suppress(OSError):
            self._file.close()


class Writer(Protocol):
    """Takes rows in portions; every portion becomes a row group of a Parquet file."""

    suffix: str

    def __init__(self, out: Hashed, schema: pa.Schema) -> None: ...

    def write(self, rows: list[dict[str, Any]]) -> None: ...

    def close(self) -> None: ...


class ParquetWriter:
    suffix = "parquet"

    def __init__(self, out: Hashed, schema: pa.Schema) -> None:
        self._out, self._schema = out, schema
        self._writer = pq.ParquetWriter(out, schema, **_PARQUET)

    def write(self, rows: list[dict[str, Any]]) -> None:
        self._writer.write_batch(pa.RecordBatch.from_pylist(rows, schema=self._schema))

    def close(self) -> None:
        self._writer.close()
        self._out.close()


class JsonLinesWriter:
    suffix = "jsonl"

    def __init__(self, out: Hashed, schema: pa.Schema) -> None:
        self._out = out

    def write(self, rows: list[dict[str, Any]]) -> None:
        for start in range(0, len(rows), _LINES_AT_ONCE):
            some = rows[start : start + _LINES_AT_ONCE]
            lines = b"".join([orjson.dumps(row, option=orjson.OPT_APPEND_NEWLINE) for row in some])
            if not lines.isascii():
                for character, escaped in _LINE_ENDS.items():
                    lines = lines.replace(character, escaped)
            self._out.write(lines)

    def close(self) -> None:
        self._out.close()


class CsvWriter:
    """For spreadsheets: RFC 4180, UTF-8, a header in every file. Lists are JSON in a cell, nothing is an empty one.

    A text that a spreadsheet could run gets an apostrophe in front, one that begins with an apostrophe too: whoever
    takes one away from each cell that has it gets every text back as it was.
    """

    suffix = "csv"

    def __init__(self, out: Hashed, schema: pa.Schema) -> None:
        self._out = out
        self._write([schema.names])

    def write(self, rows: list[dict[str, Any]]) -> None:
        self._write([map(_cell, row.values()) for row in rows])

    def close(self) -> None:
        self._out.close()

    def _write(self, rows: Iterable[Iterable[Any]]) -> None:
        text = io.StringIO(newline="")
        csv.writer(text).writerows(rows)
        self._out.write(text.getvalue().encode())


def _cell(value: Any) -> Any:
    if isinstance(value, str):
        return harmless(value)
    if isinstance(value, bool | list | dict):
        return orjson.dumps(value).decode()
    return value


def written_schema(file: str, schema: pa.Schema) -> pa.Schema:
    """The types with which a file comes back. A CSV knows texts, and numbers of which some may be missing."""
    if file != "csv":
        return schema
    number = pa.float32()
    return pa.schema([(f.name, number if f.type in (pa.int32(), number) else pa.string()) for f in schema])


WRITERS: dict[str, type[Writer]] = {"parquet": ParquetWriter, "jsonl": JsonLinesWriter, "csv": CsvWriter}


def write_file(path: Path, data: bytes) -> Hashed:
    """A whole small file at once."""
    out = Hashed(path)
    out.write(data)
    out.close()
    return out


def sync_directory(*paths: Path) -> None:
    """Make renames and new names in these directories survive a crash of the machine."""
    for path in paths:
        handle = os.open(path, os.O_RDONLY)
        try:
            os.fsync(handle)
        finally:
            os.close(handle)


def sha256_of(path: Path) -> str:
    digest = sha256()
    with path.open("rb") as file:
        for chunk in _chunks(file):
            digest.update(chunk)
    return digest.hexdigest()


def crc32_of(path: Path) -> int:
    found = 0
    with path.open("rb") as file:
        for chunk in _chunks(file):
            found = zlib.crc32(chunk, found)
    return found


def _chunks(file: IO[bytes]) -> Iterable[bytes]:
    while chunk := file.read(1 << 20):
        yield chunk
