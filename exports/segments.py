"""The long part of a build, in steps that survive a kill: each segment of the stream becomes files of its own.

A segment is a fixed number of comparisons in the fixed order of the stream, with what belongs to the last of them, so
segment 7 is the same rows whoever writes it. Its files are on the disk before its record is, and the record holds their
hashes; a later attempt keeps the segments whose files still fit and goes on behind them.
"""

from __future__ import annotations

import gc
import secrets
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from functools import cache
from hashlib import blake2b
from itertools import chain, islice
from pathlib import Path

import orjson

from exports.formats import format_of
from exports.formats.columns import Row
from exports.recipes import Recipe, Split
from exports.recipes.deciding import Deciding, Known
from exports.recipes.majority import SIDE, Comparison, Outcome
from exports.rows import Place, place_of
from exports.writers import WRITERS, Hashed, Writer, sha256_of, sync_directory, write_file

COMPARISONS_A_SEGMENT = 50_000
ROWS_A_GROUP = 2_500
Stream = Iterator[Comparison]


@dataclass(frozen=True, slots=True)
class Part:
    """One data file of a segment, under a name that says nothing about how many there will be."""

    split: str
    name: str
    rows: int
    size: int
    sha256: str


@dataclass(slots=True)
class Segment:
    """What became of a stretch of the stream: its files, and what was counted on the way."""

    last: Place | None = None
    parts: list[Part] = field(default_factory=list)
    pairs: int = 0
    judgments: int = 0
    dropped: Counter[str] = field(default_factory=Counter)
    strengths: Counter[int] = field(default_factory=Counter)
    languages: Counter[str] = field(default_factory=Counter)
    sided: int = 0  # labels with a side, and the sum of their p_chosen in ten-thousandths, which adds up exactly
    certainty: int = 0

    @property
    def rows(self) -> int:
        return sum(part.rows for part in self.parts)

    @property
    def size(self) -> int:
        return sum(part.size for part in self.parts)

    def as_json(self) -> bytes:
        return orjson.dumps(self, option=orjson.OPT_NON_STR_KEYS | orjson.OPT_SORT_KEYS)

    @classmethod
    def of_json(cls, data: bytes) -> Segment:
        plain = orjson.loads(data)
        return cls(
            last=tuple(plain["last"]),
            parts=[Part(**part) for part in plain["parts"]],
            pairs=plain["pairs"],
            judgments=plain["judgments"],
            dropped=Counter(plain["dropped"]),
            strengths=Counter({int(strength): rows for strength, rows in plain["strengths"].items()}),
            languages=Counter(plain["languages"]),
            sided=plain["sided"],
            certainty=plain["certainty"],
        )


def finished_segments(directory: Path) -> list[Segment]:
    """The unbroken run of segments from the first whose files are here and hash as recorded."""
    found: list[Segment] = []
    for number in range(len(list(directory.glob("segment-*.json")))):
        record = directory / _record_name(number)
        if not record.exists():
            break
        segment = Segment.of_json(record.read_bytes())
        files = [(directory / part.name, part) for part in segment.parts]
        if not all(path.exists() and sha256_of(path) == part.sha256 for path, part in files):
            break
        found.append(segment)
    return found


def write_segment(
    directory: Path, number: int, stream: Stream, recipe: Recipe, known: Known, on_group: Callable[[Segment, int], None]
) -> Segment | None:
    """Take the next stretch of the stream to files; None when nothing is left of it.

    `on_group` is called with the unfinished segment and the rows written after every few thousand comparisons; what it
    raises ends the writing, and leaves nothing that counts.
    """
    with _Writing(directory, number, recipe, known) as writing, _uncollected():
        while taken := _portion(stream, min(ROWS_A_GROUP, COMPARISONS_A_SEGMENT - writing.comparisons)):
            writing.take(taken)
            on_group(writing.segment, writing.rows)
        if not writing.comparisons:
            return None
        segment = writing.finish()
    on_group(segment, segment.rows)
    record = write_file(directory / f"{_record_name(number)}.{secrets.token_hex(4)}", segment.as_json())
    record.path.rename(directory / _record_name(number))
    sync_directory(directory)
    return segment


def split_of(prompt: list[dict[str, str]], split: Split) -> str:
    """`test` or `train`, by the conversation's text alone: two items that share it fall on the same side."""
    if not split.test:
        return "train"
    digest = _seeded(split.seed).copy()
    digest.update(orjson.dumps(prompt))
    return "test" if int.from_bytes(digest.digest(), "big") < split.test * 2**64 else "train"


@cache
def _seeded(seed: int) -> blake2b:
    return blake2b(digest_size=8, salt=seed.to_bytes(16, "big"))


class _Writing:
    """The open files of one segment. They get their names when they are complete."""

    def __init__(self, directory: Path, number: int, recipe: Recipe, known: Known) -> None:
        self.directory, self.number, self.recipe = directory, number, recipe
        self.format, self.writer = format_of(recipe), WRITERS[recipe.file]
        self.decide = Deciding(recipe, self.format.takes, known)
        self.segment = Segment()
        self.comparisons = self.rows = 0
        self.open: dict[str, tuple[Hashed, Writer]] = {}
        self.written: Counter[str] = Counter()

    def __enter__(self) -> _Writing:
        return self

    def __exit__(self, *problem: object) -> None:
        for out, writer in self.open.values():
            with suppress(OSError):  # there is a problem already; this one is only its echo
                writer.close()
            out.drop()

    def take(self, taken: list[Comparison]) -> None:
        found = [self.decide(one) for one in taken]
        self.segment.dropped.update(reason for reason in found if isinstance(reason, str))
        kept: list[Outcome] = []
        unsuited: set[int] = set()
        rows: dict[str, list[list[Row]]] = {}
        for used, made in self.format.made(chain.from_iterable(each for each in found if not isinstance(each, str))):
            if made:
                kept += used
                rows.setdefault(split_of(used[0].prompt, self.recipe.split), []).append(made)
            else:
                unsuited.update(id(outcome.comparison) for outcome in used)
        self.segment.dropped["unsuited"] += len(unsuited)
        self._count(taken, kept)
        for split, groups in rows.items():
            portion = self.format.arrange(groups) if self.format.arrange else list(chain.from_iterable(groups))
            self._writer(split).write(portion)
            self.written[split] += len(portion)
            self.rows += len(portion)

    def finish(self) -> Segment:
        for split in sorted(self.open):
            out, writer = self.open.pop(split)
            writer.close()
            name = f"{split}-{self.number:05}.{self.writer.suffix}"
            out.path.rename(self.directory / name)
            self.segment.parts.append(Part(split, name, self.written[split], out.size, out.sha256))
        return self.segment

    def _count(self, taken: list[Comparison], kept: list[Outcome]) -> None:
        segment, pairs = self.segment, sum(comparison.pairs for comparison in taken)
        segment.pairs += pairs
        segment.judgments += sum(comparison.judgments for comparison in taken)
        segment.dropped["duplicate"] += pairs - len(taken)
        segment.strengths.update(outcome.strength for outcome in kept if outcome.kind == SIDE)
        sure = [round(10_000 * outcome.p_chosen) for outcome in kept if outcome.kind == SIDE]
        segment.sided += len(sure)
        segment.certainty += sum(sure)
        segment.languages.update(outcome.language for outcome in kept)
        segment.last = place_of(taken[-1])
        self.comparisons += len(taken)

    def _writer(self, split: str) -> Writer:
        if split not in self.open:
            out = Hashed(self.directory / f"{split}-{self.number:05}.{secrets.token_hex(4)}.tmp")
            self.open[split] = out, self.writer(out, self.format.schema)
        return self.open[split][1]


def _portion(stream: Stream, most: int) -> list[Comparison]:
    """So many comparisons, and those that belong to the last of them."""
    taken = list(islice(stream, max(0, most)))
    while taken and taken[-1].more:
        taken.append(next(stream))
    return taken


@contextmanager
def _uncollected() -> Iterator[None]:
    """Rows hold no cycles, and looking for some takes a third of the time."""
    was_on = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if was_on:
            gc.enable()


def _record_name(number: int) -> str:
    return f"segment-{number:05}.json"
