"""A whole export, from a recipe to a finished directory, in steps that can be taken up again by another process.

`scratch/plan.json` says what is built; `segment-00000.json`, `train-00000.parquet` and so on hold what is done so far,
by this worker and those that help it. At the end `scratch/dataset/` is put together: data/…, README.md, croissant.json,
and manifest.json last; the ledger (exports/ledger.py) lies beside it, because it stays here.
"""

from __future__ import annotations

import shutil
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from exports.account import Account, DataFile
from exports.card import card, dump, manifest, told_of_people
from exports.croissant import croissant
from exports.formats import format_of
from exports.recipes import Recipe
from exports.rows import Reader, frozen_connection
from exports.segments import Part, Segment, finished_segment
from exports.sharing import SINCE, Plan, checked, drawn_up, write_all, write_free
from exports.writers import WRITERS, Hashed, sync_directory, write_file
from labeling.actions.refusals import Refused
from labeling.models import Project

LEDGER, REMOVED = "ledger.bin", "removed.jsonl"


@dataclass(frozen=True, slots=True)
class Progress:
    """How far a build is; `pairs` counts those without a judgment as read."""

    pairs: int
    read: int
    written: int
    size: int
    as_of: str
    withdrawals: list[int]


@dataclass(frozen=True, slots=True)
class Built:
    """A finished directory and what its manifest says, and whose judgments (ids of users) are in it."""

    directory: Path
    manifest: dict[str, Any]
    raters: list[int]


@dataclass(frozen=True, slots=True)
class Base:
    """An earlier snapshot to count from: where its ledger is, and its content hash."""

    ledger: Path
    content_hash: str


def build(
    project: Project,
    recipe: Recipe,
    scratch: Path,
    on_progress: Callable[[Progress], None],
    *,
    as_of: str = "",
    withdrawals: Sequence[int] | None = None,
    since: Base | None = None,
    until: float | None = None,
    share: int = 1,
    invite: Callable[[], None] | None = None,
) -> Built | None:
    """Write the export of `recipe` under `scratch`, going on from what is there; None if `until` came first.

    `as_of` and `withdrawals` are those of an earlier attempt's `Progress`, or left out. `until` is a time of
    `time.monotonic`. With a `share` above 1 others are invited to help, and this worker leaves them their part.
    Raises Refused when no row remains, and whatever `on_progress` raises.
    """
    scratch.mkdir(parents=True, exist_ok=True)
    if since is not None and not (scratch / SINCE).exists():
        shutil.copyfile(since.ledger, scratch / f"{SINCE}.tmp")
        (scratch / f"{SINCE}.tmp").rename(scratch / SINCE)
    plan = drawn_up(project, recipe, scratch, as_of, withdrawals)
    report = _reporting(scratch, plan, on_progress)
    report(Segment(), 0)
    if len(checked(scratch, plan)) < plan.segments > 1 and share > 1 and invite is not None:
        invite()
    share = min(share, plan.segments)
    if not write_free(scratch, plan, report, share=share, until=until):
        return None
    with frozen_connection() as connection:  # while others end what they write
        reader = Reader(project, recipe, plan.as_of, connection, format_of(recipe).needs, plan.withdrawals)
        facts, raters = reader.facts()
    if not write_all(scratch, plan, report, share=share, until=until):
        return None
    segments = [found for number in range(plan.segments) if (found := finished_segment(scratch, number))]
    totals = Segment.together(segments)
    totals.dropped["unjudged"] += plan.pairs - totals.pairs
    files = _gather(scratch, segments, recipe)
    account = Account(project, recipe, facts, plan.pairs, totals, files, since.content_hash if since else "")
    if not account.rows and not _beside(segments, "removed"):
        raise Refused("invalid", _nothing_left(account))
    return Built(scratch / "dataset", _describe(scratch, account, segments), raters)


def _reporting(scratch: Path, plan: Plan, on_progress: Callable[[Progress], None]) -> Callable[[Segment, int], None]:
    """Progress of all workers together: finished segments, and the one at hand."""
    done: dict[int, Segment] = {}

    def report(current: Segment, written: int) -> None:
        for number in range(plan.segments):
            if number not in done and (found := finished_segment(scratch, number)):
                done[number] = found
        pairs, rows, size = (sum(getattr(s, name) for s in done.values()) for name in ("pairs", "rows", "size"))
        read = max(0, plan.pairs - plan.judged) + pairs + current.pairs
        on_progress(Progress(plan.pairs, read, rows + written, size + current.size, plan.as_of, plan.withdrawals))

    return report


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


def _describe(scratch: Path, account: Account, segments: list[Segment]) -> dict[str, Any]:
    dataset = scratch / "dataset"
    made = {"README.md": card(account), "croissant.json": dump(croissant(account, told_of_people(account)))}
    if account.format.beside:
        made |= account.format.beside([file.path for file in account.files])
    if account.since:
        made[REMOVED] = b"".join((scratch / part.name).read_bytes() for part in _beside(segments, "removed"))
    extra = []
    for name, data in made.items():
        out = write_file(dataset / name, data)
        extra.append({"path": name, "split": None, "rows": None, "bytes": out.size, "sha256": out.sha256})
    judgments = _write_ledger(scratch, segments)
    described = manifest(account, extra, judgments)
    sync_directory(dataset / "data", dataset)
    write_file(dataset / "manifest.json", dump(described))
    sync_directory(dataset)
    return described


def _write_ledger(scratch: Path, segments: list[Segment]) -> str:
    """The ledgers of all segments as one; its hash says which judgments these are."""
    out = Hashed(scratch / LEDGER)
    for part in _beside(segments, "ledger"):
        with (scratch / part.name).open("rb") as file:
            while data := file.read(1 << 20):
                out.write(data)
    out.close()
    return out.sha256


def _beside(segments: list[Segment], kind: str) -> list[Part]:
    return [part for segment in segments for part in segment.beside if part.split == kind]


def _nothing_left(account: Account) -> str:
    costs = ", ".join(
        f"{count} {reason.replace('_', ' ')}" for reason, count in account.totals.dropped.items() if count
    )
    why = costs or "there are none"
    return f"No row is left of {account.pairs} pairs ({why}). Collect judgments, or loosen the recipe."
