"""The registry of formats, and a file read through it: container, format and place are found out, then rows stream."""

from __future__ import annotations

import io
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from itertools import islice
from pathlib import Path
from typing import IO

from labeling.importers import formats, verdicts
from labeling.importers.drafts import ItemDraft, Problem, Refused, Row
from labeling.importers.json_array import json_array
from labeling.importers.packing import BLOCK, Unpacked, Unreadable, check_head, check_packing, plain_name, seekable
from labeling.importers.parquet import ParquetRows
from labeling.importers.rows import BOM, Placed, json_lines
from labeling.importers.tabular import table

_EXAMPLES = Path(__file__).parent / "examples"
_LOOKED_AT = 100
_HEAD = 8192


@dataclass(frozen=True, slots=True)
class Format:
    """`fits` looks at one row's columns; `read` makes a draft of a row or raises Problem. `example` is a file's name."""

    label: str
    columns: str
    fits: Callable[[Row], bool]
    read: Callable[[int, Row], ItemDraft]
    example: str

    @property
    def example_text(self) -> str:
        return (_EXAMPLES / self.example).read_text()


# The order is the order of guessing: the most particular columns come first.
FORMATS: dict[str, Format] = {
    "native": Format("Annotate", "conversation or prompt, responses", formats.is_native, formats.native, "native.jsonl"),
    "plain": Format(
        "Plain columns", "prompt, response_a, response_b", formats.is_plain, formats.plain, "plain.csv"
    ),
    "pku_saferlhf": Format(
        "PKU-SafeRLHF", "prompt, response_0, response_1", verdicts.is_pku_saferlhf, verdicts.pku_saferlhf, "pku_saferlhf.jsonl"
    ),
    "helpsteer": Format(
        "HelpSteer2 and 3 preference", "context, response1, response2", verdicts.is_helpsteer, verdicts.helpsteer, "helpsteer.jsonl"
    ),
    "hh_rlhf": Format("Anthropic HH-RLHF", "chosen, rejected", verdicts.is_hh_rlhf, verdicts.hh_rlhf, "hh_rlhf.jsonl"),
    "ultrafeedback": Format(
        "UltraFeedback-binarized",
        "prompt, chosen, rejected, score_chosen",
        verdicts.is_ultrafeedback,
        verdicts.ultrafeedback,
        "ultrafeedback.jsonl",
    ),
    "trl": Format("TRL preference", "prompt (optional), chosen, rejected", verdicts.is_trl, verdicts.trl, "trl.jsonl"),
}


class ItemFile:
    """One file of items, open for reading in any order. Whatever is wrong with it as a whole is an Unreadable.

    `name` is what its sender called it: a hint, never a path. `format` is one of FORMATS, or empty to guess.
    """

    def __init__(self, file: IO[bytes], *, name: str = "", format: str = "") -> None:
        self._file = file
        self._sent_name = name
        self._name = plain_name(name)
        self._unpacked = Unpacked(file, name)
        self._size = file.seek(0, io.SEEK_END)
        file.seek(0)
        self._parquet: ParquetRows | None = None
        self.format = format
        if format and format not in FORMATS:
            raise Unreadable(f"There is no format “{format}”; use one of {', '.join(FORMATS)}.")

    def check(self) -> None:
        """Everything that can be known before a row is kept; costs the unpacking of the whole file if it is packed."""
        check_packing(self._file, self._sent_name)
        self.recognise()

    def recognise(self) -> None:
        """Find the format by the first rows."""
        first: list[Row | Refused] = [row for _, row in islice(self._rows(0), _LOOKED_AT)]
        found = [name for name in ([self.format] if self.format else FORMATS) if _fits(name, first)]
        if not found:
            raise Unreadable(_not_recognised(first, self.format))
        self.format = found[0]

    def drafts(self, skip: int = 0) -> Iterator[ItemDraft | Refused]:
        """Every row after the first `skip` as what it becomes."""
        read = FORMATS[self.format].read
        for line, row in self._rows(skip):
            if isinstance(row, Refused):
                yield row
                continue
            try:
                yield read(line, row)
            except Problem as problem:
                yield Refused(line, problem.field, problem.reason)

    @property
    def bytes_read(self) -> int:
        """How far into the file as it is stored; for Parquet in proportion to its rows."""
        if self._parquet and self._parquet.total:
            return self._size * self._parquet.position // self._parquet.total
        return min(self._size, self._unpacked.position)

    def _rows(self, skip: int) -> Iterator[Placed]:
        self._file.seek(0)
        self._unpacked = Unpacked(self._file, self._sent_name)
        reader = io.BufferedReader(self._unpacked, BLOCK)
        head = reader.peek(_HEAD)[:_HEAD]
        if head.startswith(b"PAR1"):
            self._file.seek(0)
            self._parquet = ParquetRows(seekable(Unpacked(self._file), self._file))
            return self._parquet.rows(skip)
        check_head(head)
        if self._name.endswith(".parquet"):
            raise Unreadable("The file is named like Parquet but is none; give it the name it should have.")
        text = head.removeprefix(BOM).lstrip()
        if self._name.endswith((".csv", ".tsv")):
            return table(reader, skip)
        if text.startswith(b"["):
            return json_array(reader, skip)
        if text.startswith(b"{") or self._name.endswith((".jsonl", ".ndjson", ".json")):
            return json_lines(reader, skip)
        return table(reader, skip)


def _fits(name: str, rows: list[Row | Refused]) -> bool:
    return any(FORMATS[name].fits(row) for row in rows if not isinstance(row, Refused))


def _not_recognised(rows: list[Row | Refused], format: str) -> str:
    """Why no format was found: no rows at all, none that could be taken apart, or columns nobody knows."""
    if not rows:
        return "The file has no rows."
    known = [row for row in rows if not isinstance(row, Refused)]
    if not known:
        refused = next(row for row in rows if isinstance(row, Refused))
        return f"No row could be read; line {refused.line} {refused.reason}."
    columns = ", ".join(str(name)[:40] for name in list(known[0])[:12])
    wanted = [FORMATS[format]] if format else FORMATS.values()
    return f"The columns are not known: found {columns}; needed {'; or '.join(each.columns for each in wanted)}."
