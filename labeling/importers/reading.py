"""The registry of formats, and a file of items read through it."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from itertools import islice
from pathlib import Path
from typing import IO

from django.utils.translation import gettext_noop as _

from labeling.importers import formats, verdicts
from labeling.importers.checks import Problem
from labeling.importers.containers import RowFile
from labeling.importers.darkroom import Darkroom
from labeling.importers.drafts import ItemDraft, Refused, Row
from labeling.importers.image_columns import with_images
from labeling.importers.packing import Unreadable

_EXAMPLES = Path(__file__).parent / "examples"
_LOOKED_AT = 100


@dataclass(frozen=True, slots=True)
class Format:
    """`fits` looks at the columns of a row; `read` makes a draft of it or raises Problem; `example` names a file."""

    label: str
    columns: str
    fits: Callable[[Row], bool]
    read: Callable[[int, Row], ItemDraft]
    example: str

    @property
    def example_text(self) -> str:
        return (_EXAMPLES / self.example).read_text()


# The order decides where several formats fit: the most particular columns come first.
FORMATS: dict[str, Format] = {
    "native": Format(
        _("Annotate’s own rows"), "conversation or prompt, responses", formats.is_native, formats.native, "native.jsonl"
    ),
    "plain": Format(_("Plain columns"), "prompt, response_a, response_b", formats.is_plain, formats.plain, "plain.csv"),
    "pku_saferlhf": Format(
        "PKU-SafeRLHF",
        "prompt, response_0, response_1",
        verdicts.is_pku_saferlhf,
        verdicts.pku_saferlhf,
        "pku_saferlhf.jsonl",
    ),
    "helpsteer": Format(
        _("HelpSteer2 and 3 preference"),
        "context, response1, response2",
        verdicts.is_helpsteer,
        verdicts.helpsteer,
        "helpsteer.jsonl",
    ),
    "hh_rlhf": Format("Anthropic HH-RLHF", "chosen, rejected", verdicts.is_hh_rlhf, verdicts.hh_rlhf, "hh_rlhf.jsonl"),
    "ultrafeedback": Format(
        "UltraFeedback-binarized",
        "prompt, chosen, rejected, score_chosen",
        verdicts.is_ultrafeedback,
        verdicts.ultrafeedback,
        "ultrafeedback.jsonl",
    ),
    "trl": Format(
        _("TRL preference"), "prompt (optional), chosen, rejected", verdicts.is_trl, verdicts.trl, "trl.jsonl"
    ),
}


class ItemFile(RowFile):
    """A file of items. `format_name` is one of FORMATS, or empty until `recognise` has found it."""

    def __init__(self, file: IO[bytes], *, name: str = "", format_name: str = "") -> None:
        if format_name and format_name not in FORMATS:
            raise Unreadable(f"There is no format “{format_name}”; use one of {', '.join(FORMATS)}.")
        super().__init__(file, name=name)
        self.format_name = format_name

    def check(self) -> None:
        """Everything that can be known before a row is kept; costs the unpacking of the whole file if it is packed."""
        self.check_packing()
        self.recognise()

    def recognise(self) -> None:
        """Find the format that fits most of the first rows."""
        first: list[Row | Refused] = [row for _, row in islice(self.rows(), _LOOKED_AT)]
        fits = {name: _fits(name, first) for name in ([self.format_name] if self.format_name else FORMATS)}
        best = max(fits, key=fits.__getitem__)
        if not fits[best]:
            raise Unreadable(_not_recognised(first, self.format_name))
        self.format_name = best

    def drafts(self, skip: int = 0) -> Iterator[ItemDraft | Refused]:
        """Every row after the first `skip` as what it becomes, its images looked at."""
        darkroom = Darkroom(self.archive)
        for row in self._undeveloped(skip):
            try:
                yield darkroom.developed(row) if isinstance(row, ItemDraft) and row.has_images else row
            except Problem as problem:
                yield Refused(row.line, problem.field, problem.reason)

    def image_names(self, rows: int | None = None) -> Iterator[str]:
        """The names of the files that the first `rows` rows, or all, show as images."""
        for row in islice(self._undeveloped(), rows):
            if isinstance(row, ItemDraft) and row.has_images:
                yield from (part["image"].name for part in row.images if part["image"].name)

    def _undeveloped(self, skip: int = 0) -> Iterator[ItemDraft | Refused]:
        read = FORMATS[self.format_name].read
        for line, row in self.rows(skip):
            if isinstance(row, Refused):
                yield row
                continue
            try:
                yield read(line, with_images(row))
            except Problem as problem:
                yield Refused(line, problem.field, problem.reason)

    def first(self, number: int) -> tuple[list[ItemDraft], list[Refused]]:
        """The first `number` rows of the file, as what is kept and what is refused."""
        rows = list(islice(self.drafts(), number))
        return [row for row in rows if isinstance(row, ItemDraft)], [row for row in rows if isinstance(row, Refused)]


def _fits(name: str, rows: list[Row | Refused]) -> int:
    return sum(FORMATS[name].fits(row) for row in rows if not isinstance(row, Refused))


def _not_recognised(rows: list[Row | Refused], format_name: str) -> str:
    """Why no format was found: no rows at all, none that could be taken apart, or columns nobody knows."""
    if not rows:
        return "The file has no rows."
    known = [row for row in rows if not isinstance(row, Refused)]
    if not known:
        refused = next(row for row in rows if isinstance(row, Refused))
        return f"No row could be read; line {refused.line} {refused.reason}."
    columns = ", ".join(str(name)[:40] for name in list(known[0])[:12])
    wanted = [FORMATS[format_name]] if format_name else FORMATS.values()
    return f"The columns are not known: found {columns}; needed {'; or '.join(each.columns for each in wanted)}."
