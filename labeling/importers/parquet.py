"""Parquet → rows, a few hundred at a time. Extension types are read as what they are stored as; no code is loaded."""

from __future__ import annotations

from collections.abc import Iterator
from typing import IO, Any

import pyarrow as pa
import pyarrow.parquet as pq

from labeling.importers.drafts import Refused
from labeling.importers.packing import MOST_UNPACKED, Unreadable
from labeling.importers.rows import Placed

MOST_ROWS = 5_000_000
_AT_ONCE = 128
_IMAGES_AT_ONCE = 4
_BUFFER = 1024 * 1024


class ParquetRows:
    """`position` of `total` rows; the line of a row is its number, from 1."""

    def __init__(self, file: IO[bytes]) -> None:
        try:
            file.seek(0)
            self._file = pq.ParquetFile(file, buffer_size=_BUFFER, pre_buffer=False)
        except (pa.ArrowException, OSError, ValueError) as error:
            raise Unreadable(f"The Parquet file is cut short or damaged ({_brief(error)}); send it again.") from error
        self.total: int = self._file.metadata.num_rows
        self.position = 0
        self._unpacked = 0
        if self.total > MOST_ROWS:
            raise Unreadable(
                f"The file says it has {self.total:,} rows; at most {MOST_ROWS:,} are taken at once, so split it."
            )

    def rows(self, skip: int) -> Iterator[Placed]:
        groups, self.position = self._groups_after(skip)
        at_once = _IMAGES_AT_ONCE if any(map(_holds_bytes, self._file.schema_arrow.types)) else _AT_ONCE
        try:
            for batch in self._file.iter_batches(batch_size=at_once, row_groups=groups):
                yield from self._placed(batch, skip)
        except (pa.ArrowException, OSError) as error:
            raise Unreadable(f"The Parquet file is damaged after row {self.position:,} ({_brief(error)}).") from error

    def _groups_after(self, skip: int) -> tuple[list[int], int]:
        """The row groups with rows still to read, and how many rows lie before them."""
        before, metadata = 0, self._file.metadata
        for group in range(metadata.num_row_groups):
            size = metadata.row_group(group).num_rows
            if before + size > skip:
                return list(range(group, metadata.num_row_groups)), before
            before += size
        return [], before

    def _placed(self, batch: pa.RecordBatch, skip: int) -> Iterator[Placed]:
        self._unpacked += batch.nbytes
        if self._unpacked > MOST_UNPACKED:
            raise Unreadable(f"The file holds more than {MOST_UNPACKED // 1024**3} GB; split it.")
        for index in range(max(0, skip - self.position), batch.num_rows):
            line = self.position + index + 1
            yield line, _values(batch, index, line)
        self.position += batch.num_rows


def _holds_bytes(kind: pa.DataType) -> bool:
    """Whether there are bytes in the column, such as images, of which a row may have many megabytes."""
    inner = [kind.field(place).type for place in range(kind.num_fields)]
    return pa.types.is_binary(kind) or pa.types.is_large_binary(kind) or any(map(_holds_bytes, inner))


def _values(batch: pa.RecordBatch, index: int, line: int) -> dict[str, Any] | Refused:
    try:
        return {name: column[index].as_py() for name, column in zip(batch.schema.names, batch.columns, strict=True)}
    except (UnicodeDecodeError, pa.ArrowException, ValueError, OverflowError) as error:
        return Refused(line, "", f"holds a value that cannot be read: {_brief(error)}")


def _brief(error: Exception) -> str:
    return str(error).partition("\n")[0][:120]
