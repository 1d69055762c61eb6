"""A whole export, from a recipe to a finished directory, in steps that can be taken up again by another process.

`scratch/segment-00000.json`, `scratch/train-00000.parquet` and so on hold what is done so far. At the end
`scratch/dataset/` is put together: data/…, README.md, croissant.json, and manifest.json last.
"""

from __future__ import annotations

import shutil
import time
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from exports.card import Account, DataFile, card, croissant, dump, manifest
from exports.formats import format_of
from exports.learning import learn
from exports.recipes import Recipe
from exports.rows import Reader, frozen_connection
from exports.segments import Segment, finished_segments, write_segment
from exports.writers import WRITERS, sync_directory, write_file
from labeling.actions.refusals import Refused
from labeling.models import Project


@dataclass(frozen=True, slots=True)
class Progress:
    """How far a build is; `pairs` counts those without a judgment as read."""

    pairs: int
    read: int
    written: int
    size: int
    as_of: str


@dataclass(frozen=True, slots=True)
class Built:
    """A finished directory and what its manifest says."""

    directory: Path
    manifest: dict[str, Any]


def build(
    project: Project,
    recipe: Recipe,
    scratch: Path,
    on_progress: Callable[[Progress], None],
    *,
    as_of: str = "",
    pairs: int = 0,
    until: float | None = None,
) -> Built | None:
    """Write the export of `recipe` under `scratch`, going on from what is there; None if `until` came first.

    `as_of` and `pairs` are those of an earlier attempt's `Progress`, or left out. `until` is a time of
    `time.monotonic`. Raises Refused when no row remains, and whatever `on_progress` raises.
    """
    scratch.mkdir(parents=True, exist_ok=True)
    with frozen_connection() as connection:
        reader = Reader(project, recipe, as_of, connection, format_of(recipe).needs)
        pairs = pairs or reader.pairs()
        facts = reader.facts()
        unjudged = max(0, pairs - facts.judged_pairs)
        on_progress(Progress(pairs, unjudged, 0, 0, reader.as_of))
        segments = finished_segments(scratch)
        known = learn(project, recipe, as_of, connection)
        stream = reader.comparisons(segments[-1].last if segments else None)
        while True:
            report = _reporting(segments, unjudged, pairs, reader.as_of, on_progress)
            segment = write_segment(scratch, len(segments), stream, recipe, known, report)
            if segment is None:
                break
            segments.append(segment)
            if until is not None and time.monotonic() > until:
                return None
    totals = _totals(segments)
    totals.dropped["unjudged"] += pairs - totals.pairs
    files = _gather(scratch, segments, recipe)
    account = Account(project, recipe, facts, pairs, totals, files)
    if not account.rows:
        raise Refused("invalid", _nothing_left(account))
    return Built(scratch / "dataset", _describe(scratch / "dataset", account))


def _reporting(
    done: list[Segment], unjudged: int, pairs: int, as_of: str, on_progress: Callable[[Progress], None]
) -> Callable[[Segment, int], None]:
    read, rows, size = (sum(getattr(s, name) for s in done) for name in ("pairs", "rows", "size"))

    def report(current: Segment, written: int) -> None:
        on_progress(Progress(pairs, unjudged + read + current.pairs, rows + written, size + current.size, as_of))

    return report


def _totals(segments: list[Segment]) -> Segment:
    return Segment(
        pairs=sum(segment.pairs for segment in segments),
        judgments=sum(segment.judgments for segment in segments),
        dropped=sum((segment.dropped for segment in segments), Counter()),
        strengths=sum((segment.strengths for segment in segments), Counter()),
        languages=sum((segment.languages for segment in segments), Counter()),
        sided=sum(segment.sided for segment in segments),
        certainty=sum(segment.certainty for segment in segments),
    )


def _gather(scratch: Path, segments: list[Segment], recipe: Recipe) -> list[DataFile]:
    """Give the parts their final names, which say how many there are. A split without rows has no file."""
    dataset = scratch / "dataset"
    shutil.rmtree(dataset, ignore_errors=True)
    (dataset / "data").mkdir(parents=True)
    parts = [part for segment in segments for part in segment.parts]
    splits = {part.split for part in parts}
    files = []
    for split in sorted(splits):
        mine = [part for part in parts if part.split == split]
        # So few rows that all fell to the test split: they are no test of anything.
        name = split if "train" in splits else "train"
        for number, part in enumerate(mine):
            path = f"data/{name}-{number:05}-of-{len(mine):05}.{WRITERS[recipe.file].suffix}"
            (scratch / part.name).rename(dataset / path)
            files.append(DataFile(path, name, part.rows, part.size, part.sha256))
    return sorted(files, key=lambda file: file.path)


def _describe(dataset: Path, account: Account) -> dict[str, Any]:
    extra = []
    made = {"README.md": card(account), "croissant.json": croissant(account)}
    if account.format.beside:
        made |= account.format.beside([file.path for file in account.files])
    for name, data in made.items():
        out = write_file(dataset / name, data)
        extra.append({"path": name, "split": None, "rows": None, "bytes": out.size, "sha256": out.sha256})
    described = manifest(account, extra)
    sync_directory(dataset / "data", dataset)
    write_file(dataset / "manifest.json", dump(described))
    sync_directory(dataset)
    return described


def _nothing_left(account: Account) -> str:
    costs = ", ".join(
        f"{count} {reason.replace('_', ' ')}" for reason, count in account.totals.dropped.items() if count
    )
    why = costs or "there are none"
    return f"No row is left of {account.pairs} pairs ({why}). Collect judgments, or loosen the recipe."
