"""A file of rows, whatever it is packed with and written in. Contents decide; the sender's name settles the rest."""

from __future__ import annotations

import io
import weakref
from collections.abc import Iterator
from typing import IO, Any

from labeling.importers.archives import Archive, is_tar, open_archive
from labeling.importers.json_array import json_array
from labeling.importers.packing import Unpacked, Unreadable, check_head, check_packing, plain_name, unpack_aside
from labeling.importers.parquet import ParquetRows
from labeling.importers.rows import BOM, Placed, json_lines
from labeling.importers.tabular import table

_HEAD = 8192
_BUFFER = 64 * 1024  # small, so that the place in the file is near that of the row
_PARQUET = b"PAR1"


class RowFile:
    """One file, open for reading in any order. Whatever is wrong with it as a whole is an Unreadable.

    `name` is what its sender called it: a hint, never a path. In an archive, the rows are those of its data file.
    """

    def __init__(self, file: IO[bytes], *, name: str = "") -> None:
        self._size = file.seek(0, io.SEEK_END)
        self.archive = self._find_archive(file, name)
        self._file = file if self.archive is None else self.archive.data()
        self._data_name = name if self.archive is None else self.archive.name
        self._data_size = self._size if self.archive is None else self.archive.entry.size
        self._name = plain_name(self._data_name)
        self._unpacked = Unpacked(self._file, self._data_name)
        self._parquet: ParquetRows | None = None
        self._whole: IO[bytes] | None = None

    def check_packing(self) -> None:
        """Read a packed file through once, so that a damaged one is known before anything of it is kept."""
        if self.archive is not None and not self.archive.seeks:
            self.archive.check()
        check_packing(self._file, self._data_name)

    def rows(self, skip: int = 0) -> Iterator[Placed]:
        """Every row after the first `skip`, with its line or row number."""
        self._unpacked = Unpacked(self._file, self._data_name)
        reader: io.BufferedReader = io.BufferedReader(self._unpacked, _BUFFER)
        head = reader.peek(_HEAD)[:_HEAD]
        if head.startswith(_PARQUET):
            self._parquet = ParquetRows(self._seekable())
            return self._parquet.rows(skip)
        check_head(head)
        return self._text_rows(reader, head.removeprefix(BOM).lstrip(), skip)

    @property
    def bytes_read(self) -> int:
        """How far into the file as it is stored; for Parquet in proportion to its rows."""
        if self._parquet and self._parquet.total:
            return self._size * self._parquet.position // self._parquet.total
        return self._size * min(self._data_size, self._unpacked.position) // (self._data_size or 1)

    def _seekable(self) -> IO[bytes]:
        """The file itself, or one with what is in it, unpacked once and gone with this object."""
        if not self._unpacked.packing and (self.archive is None or self.archive.seeks):
            return self._file
        if self._whole is None:
            self._whole = self._aside(self._file, self._data_name)
        return self._whole

    def _aside(self, file: IO[bytes], name: str) -> IO[bytes]:
        whole = unpack_aside(Unpacked(file, name))
        weakref.finalize(self, whole.close)
        return whole

    def _find_archive(self, file: IO[bytes], name: str) -> Archive | None:
        """The archive that the file is, or is packed around: a packed one is unpacked once, to be read in any order."""
        unpacked = Unpacked(file, name)
        if not unpacked.packing:
            return open_archive(file, self._size)
        try:
            head: bytes = io.BufferedReader(unpacked, _BUFFER).peek(_HEAD)
        except Unreadable:
            return None  # damaged from the start, which the reading says better
        if not is_tar(head):
            return None
        whole = self._aside(file, name)
        return open_archive(whole, whole.seek(0, io.SEEK_END))

    def _text_rows(self, reader: io.BufferedReader[Any], head: bytes, skip: int) -> Iterator[Placed]:
        if self._name.endswith(".parquet"):
            raise Unreadable("The file is named like Parquet but is none; give it the name it should have.")
        if self._name.endswith((".csv", ".tsv")):
            return table(reader, skip)
        if head.startswith(b"["):
            return json_array(reader, skip)
        if head.startswith(b"{") or self._name.endswith((".jsonl", ".ndjson", ".json")):
            return json_lines(reader, skip)
        return table(reader, skip)
