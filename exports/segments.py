"""The long part of a build, in steps that survive a kill: each segment of the stream becomes files of its own.

A segment is one of so many stretches of the stream's hashes; how many, follows from the number of judged pairs.
So segment 7 is the same rows whoever writes it, and several workers write different ones at the same time. Its files
are on the disk before its record is, and the record holds their hashes; a later attempt keeps the segments whose files
still fit.
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

from exports import ledger
from exports.formats import format_of
from exports.formats.columns import Row
from exports.recipes import Recipe, Split
from exports.recipes.deciding import Deciding, Known
from exports.recipes.majority import SIDE, Comparison, Outcome
from exports.rows import bounds
from exports.writers import WRITERS, Hashed, Writer, sha256_of, sync_directory, write_file

PAIRS_A_SEGMENT = 50_000
ROWS_A_GROUP = 2_500
WITHDRAWN = "withdrawn"
Stream = Iterator[Comparison]
# A comparison, what became rows of it, those rows, and why if there are none.
Made = tuple[Comparison, list[Outcome], list[Row], str]


@dataclass(frozen=True, slots=True)
class Part:
    """A file of a segment, under a name that says nothing about how many there will be."""

    split: str
    name: str
    rows: int
    size: int
    sha256: str


@dataclass(slots=True)
class Segment:
    """What became of a stretch of the stream: its files, and what was counted on the way.

    `shapes`: how many comparisons had so many raters for the first, the second, a tie, and neither ("2,1,0,0").
    `lengths`: how many labels chose a response of which length, as `relative_length` says.
    """

    parts: list[Part] = field(default_factory=list)
    beside: list[Part] = field(default_factory=list)
    pairs: int = 0
    judgments: int = 0
    dropped: Counter[str] = field(default_factory=Counter)
    strengths: Counter[int] = field(default_factory=Counter)
    languages: Counter[str] = field(default_factory=Counter)
    shapes: Counter[str] = field(default_factory=Counter)
    lengths: Counter[str] = field(default_factory=Counter)
    sided: int = 0  # labels with a side, and the sum of their p_chosen in ten-thousandths, which adds up exactly
    certainty: int = 0
    adjudicators: Counter[str] = field(default_factory=Counter)  # labels that are somebody's decision, by pseudonym
    adjudicated: int = 0

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
            parts=[Part(**part) for part in plain["parts"]],
            beside=[Part(**part) for part in plain["beside"]],
            pairs=plain["pairs"],
            judgments=plain["judgments"],
            strengths=Counter({int(strength): rows for strength, rows in plain["strengths"].items()}),
            sided=plain["sided"],
            certainty=plain["certainty"],
            adjudicators=Counter(plain["adjudicators"]),
            adjudicated=plain["adjudicated"],
            dropped=Counter(plain["dropped"]),
            languages=Counter(plain["languages"]),
            shapes=Counter(plain["shapes"]),
            lengths=Counter(plain["lengths"]),
        )

    @classmethod
    def together(cls, segments: list[Segment]) -> Segment:
        """What was counted in all of them; the files stay with each."""
        return cls(
            pairs=sum(segment.pairs for segment in segments),
            judgments=sum(segment.judgments for segment in segments),
            sided=sum(segment.sided for segment in segments),
            certainty=sum(segment.certainty for segment in segments),
            adjudicated=sum(segment.adjudicated for segment in segments),
            adjudicators=sum((segment.adjudicators for segment in segments), Counter()),
            dropped=sum((segment.dropped for segment in segments), Counter()),
            strengths=sum((segment.strengths for segment in segments), Counter()),
            languages=sum((segment.languages for segment in segments), Counter()),
            shapes=sum((segment.shapes for segment in segments), Counter()),
            lengths=sum((segment.lengths for segment in segments), Counter()),
        )


def segments_for(pairs: int) -> int:
    """Into how many segments a stream of so many judged pairs is cut."""
    return max(1, -(-pairs // PAIRS_A_SEGMENT))


def finished_segment(directory: Path, number: int, *, check: bool = False) -> Segment | None:
    """A segment that is on the disk; with `check`, only if its files still hash as recorded."""
    record = directory / record_name(number)
    if not record.exists():
        return None
    segment = Segment.of_json(record.read_bytes())
    files = [(directory / part.name, part) for part in [*segment.parts, *segment.beside]]
    if check and not all(path.exists() and sha256_of(path) == part.sha256 for path, part in files):
        return None
    return segment


def write_segment(
    directory: Path,
    number: int,
    segments: int,
    stream: Stream,
    recipe: Recipe,
    known: Known,
    on_group: Callable[[Segment, int], None],
    since: Path | None = None,
) -> Segment:
    """Take a stretch of the stream to files; without `since` all of it, else what differs from that ledger.

    `on_group` is called with the unfinished segment and the rows written after every few thousand comparisons; what it
    raises ends the writing, and leaves nothing that counts.
    """
    base = _Base(since, number, segments, format_of(recipe).needs.whole)
    with _Writing(directory, number, recipe, known, base) as writing, _uncollected():
        while taken := _portion(stream, ROWS_A_GROUP):
            writing.take(taken)
            on_group(writing.segment, writing.rows)
        segment = writing.finish()
    on_group(segment, segment.rows)
    record = write_file(directory / f"{record_name(number)}.{secrets.token_hex(4)}", segment.as_json())
    record.path.rename(directory / record_name(number))
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


class _Base:
    """What an earlier snapshot says of a stretch: what of it is the same, and what is no more."""

    def __init__(self, path: Path | None, number: int, segments: int, whole: bool) -> None:
        self.entries: dict[bytes, ledger.Entry] = {}
        if path is not None:
            start, end = map(ledger.edge, bounds(number, segments, whole=whole))
            with path.open("rb") as file:
                self.entries = {entry.key: entry for entry in ledger.read(file, ledger.width(whole), start, end)}

    def is_new(self, entry: ledger.Entry) -> bool:
        """Also takes note that the comparison is still there."""
        before = self.entries.pop(entry.key, None)
        if before is not None and before.code >= ledger.ROW > entry.code:
            self.entries[entry.key] = before
        return before != entry

    def gone(self, reasons: dict[bytes, str]) -> bytes:
        """The rows that there were and are no more, each with why, in the order of their keys."""
        lines = [
            {"comparison_id": entry.comparison_id, "why": reasons.get(key, WITHDRAWN)}
            for key, entry in sorted(self.entries.items())
            if entry.code >= ledger.ROW
        ]
        return b"".join(orjson.dumps(line, option=orjson.OPT_APPEND_NEWLINE) for line in lines)


class _Writing:
    """The open files of one segment. They get their names when they are complete."""

    def __init__(self, directory: Path, number: int, recipe: Recipe, known: Known, base: _Base) -> None:
        self.directory, self.number, self.recipe, self.base = directory, number, recipe, base
        self.format, self.writer = format_of(recipe), WRITERS[recipe.file]
        self.decide = Deciding(recipe, self.format.takes, known)
        self.told = ledger.told_columns(self.format.schema)
        self.incremental = bool(base.entries)
        self.segment = Segment()
        self.rows = 0
        self.open: dict[str, tuple[Hashed, Writer]] = {}
        self.written: Counter[str] = Counter()
        self.entries = self._file("ledger")
        self.reasons: dict[bytes, str] = {}

    def __enter__(self) -> _Writing:
        return self

    def __exit__(self, *problem: object) -> None:
        for out, writer in self.open.values():
            with suppress(OSError):  # there is a problem already; this one is only its echo
                writer.close()
            out.drop()
        self.entries.drop()

    def take(self, taken: list[Comparison]) -> None:
        made = list(self._made(taken) if self.format.gather is None else self._made_together(taken))
        entries = [ledger.entry_of(one, outcomes, rows, self.told) for one, outcomes, rows, _ in made]
        self.entries.write(ledger.packed(entries))
        new = self._new(made, entries) if self.incremental else None
        kept: list[Outcome] = []
        reasons: list[str] = []
        splits: dict[str, list[list[Row]]] = {}
        written: set[int] = set()  # rows that were made of several comparisons stand beside each of them
        for _, outcomes, rows, reason in made:
            if not rows:
                reasons.append(reason)
            elif new is not None and id(rows) not in new:
                reasons.append("unchanged")
            else:
                kept += outcomes
                if id(rows) not in written:
                    written.add(id(rows))
                    apart = len(outcomes) > 1 and self.format.gather is None
                    groups = list(filter(None, map(self.format.rows, outcomes))) if apart else [rows]
                    splits.setdefault(split_of(outcomes[0].prompt, self.recipe.split), []).extend(groups)
        self._count(taken, kept, reasons)
        for split, groups in splits.items():
            portion = self.format.arrange(groups) if self.format.arrange else list(chain.from_iterable(groups))
            self._writer(split).write(portion)
            self.written[split] += len(portion)
            self.rows += len(portion)

    def _made(self, taken: list[Comparison]) -> Iterator[Made]:
        rows_of = self.format.rows
        for one in taken:
            found = self.decide(one)
            if isinstance(found, str):
                yield one, [], [], found
            elif len(found) == 1:
                yield one, found, rows_of(found[0]), "unsuited"
            else:
                yield one, found, list(chain.from_iterable(map(rows_of, found))), "unsuited"

    def _made_together(self, taken: list[Comparison]) -> Iterator[Made]:
        """Where rows are made of whole conversations: each comparison beside the rows that it went into."""
        found = [self.decide(one) for one in taken]
        used: dict[int, tuple[list[Outcome], list[Row]]] = {}
        for outcomes, rows in self.format.made(chain.from_iterable(f for f in found if not isinstance(f, str))):
            for outcome in outcomes if rows else ():
                used.setdefault(id(outcome.comparison), ([], rows))[0].append(outcome)
        for one, decided in zip(taken, found, strict=True):
            outcomes, rows = used.get(id(one), ([], []))
            yield one, outcomes, rows, decided if isinstance(decided, str) else "unsuited"

    def finish(self) -> Segment:
        for split in sorted(self.open):
            out, writer = self.open.pop(split)
            writer.close()
            self._keep(self.segment.parts, split, out, self.writer.suffix, self.written[split])
        self.entries.close()
        self._keep(self.segment.beside, "ledger", self.entries, "bin", 0)
        if gone := self.base.gone(self.reasons):
            out = self._file("removed")
            out.write(gone)
            out.close()
            self._keep(self.segment.beside, "removed", out, "jsonl", gone.count(b"\n"))
        return self.segment

    def _new(self, made: list[Made], entries: list[ledger.Entry]) -> set[int]:
        """The rows (by id) of which a comparison is not as it was; and note why others have none."""
        for (_, _, rows, reason), entry in zip(made, entries, strict=True):
            if not rows:
                self.reasons[entry.key] = reason
        # All are asked, because asking takes note that a comparison is still there.
        told = [(id(rows), self.base.is_new(entry)) for (_, _, rows, _), entry in zip(made, entries, strict=True)]
        return {rows for rows, is_new in told if is_new}

    def _count(self, taken: list[Comparison], kept: list[Outcome], reasons: list[str]) -> None:
        # By lists that are counted at once: a step of Python for each row and figure would take a fifth of the time.
        segment, pairs = self.segment, sum([comparison.pairs for comparison in taken])
        segment.pairs += pairs
        segment.dropped.update(reasons)
        segment.dropped["duplicate"] += pairs - len(taken)
        for shape, times in Counter([(c.first.raters, c.second.raters, c.ties, c.both_bad) for c in taken]).items():
            segment.judgments += sum(shape) * times
            segment.shapes["{},{},{},{}".format(*shape)] += times
        segment.languages.update([outcome.language for outcome in kept])
        decided = [outcome.decided_by for outcome in kept if outcome.decided_by]
        segment.adjudicated += len(decided)
        segment.adjudicators.update(chain.from_iterable(decided))
        sided = [outcome for outcome in kept if outcome.kind == SIDE]
        segment.sided += len(sided)
        segment.strengths.update([outcome.strength for outcome in sided])
        for sure, times in Counter([outcome.p_chosen for outcome in sided]).items():
            segment.certainty += round(10_000 * sure) * times
        segment.lengths.update([relative_length(len(each.chosen.text), len(each.rejected.text)) for each in sided])

    def _writer(self, split: str) -> Writer:
        if split not in self.open:
            out = self._file(split)
            self.open[split] = out, self.writer(out, self.format.schema)
        return self.open[split][1]

    def _file(self, name: str) -> Hashed:
        return Hashed(self.directory / f"{name}-{self.number:05}.{secrets.token_hex(4)}.tmp")

    def _keep(self, among: list[Part], split: str, out: Hashed, suffix: str, rows: int) -> None:
        name = f"{split}-{self.number:05}.{suffix}"
        out.path.rename(self.directory / name)
        among.append(Part(split, name, rows, out.size, out.sha256))


def relative_length(chosen: int, rejected: int) -> str:
    """How long the chosen response is, in characters, against the rejected one: up to 1/2, 4/5, 5/4, 2, or above (0 to
    4), and whether that is longer (+), shorter (-) or the same (=)."""
    if chosen == rejected:
        return "2="
    if chosen < rejected:
        return "0-" if 2 * chosen <= rejected else "1-" if 5 * chosen <= 4 * rejected else "2-"
    return "2+" if 4 * chosen <= 5 * rejected else "3+" if chosen <= 2 * rejected else "4+"


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


def record_name(number: int) -> str:
    return f"segment-{number:05}.json"
