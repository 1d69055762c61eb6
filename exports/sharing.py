"""Who writes which segments of a build: one worker or several, on one directory, each its own stretch.

`plan.json` says what is built; whoever finds it can help. A segment is claimed by a lock on a file, which the system
gives back when its holder dies, so a killed worker holds nothing up. Two that wrote the same segment would write the
same bytes, and a segment counts only once its record is there.
"""

from __future__ import annotations

import fcntl
import os
import secrets
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import orjson
from django.conf import settings

from exports.formats import format_of
from exports.learning import learn
from exports.recipes import Recipe, read_recipe
from exports.recipes.majority import Comparison
from exports.rows import Reader, bounds, frozen_connection
from exports.segments import Segment, finished_segment, record_name, segments_for, write_segment
from exports.writers import sync_directory, write_file
from labeling.models import Project

PLAN, SINCE = "plan.json", "since.bin"
PAUSE = 0.1
Report = Callable[[Segment, int], None]


@dataclass(frozen=True, slots=True)
class Plan:
    """All that a worker must know. `judged` pairs have a judgment, of `pairs` that the filters take."""

    project: int
    recipe: dict[str, Any]
    as_of: str
    withdrawals: list[int]
    pairs: int
    judged: int
    segments: int


def drawn_up(
    project: Project, recipe: Recipe, scratch: Path, as_of: str = "", withdrawals: Sequence[int] | None = None
) -> Plan:
    """The plan that lies in `scratch`, or a new one: of the judgments of an earlier attempt, or of those there are."""
    path = scratch / PLAN
    if path.exists():
        return Plan(**orjson.loads(path.read_bytes()))
    with frozen_connection() as connection:
        needs = format_of(recipe).needs
        reader = Reader(project, recipe, as_of, connection, needs, withdrawals if as_of else None)
        judged = reader.judged()
        plan = Plan(
            project.pk, recipe.as_json(), reader.as_of, reader.withdrawals, reader.pairs(), judged, segments_for(judged)
        )
    made = write_file(scratch / f"{PLAN}.{secrets.token_hex(4)}", orjson.dumps(plan))
    made.path.rename(path)
    sync_directory(scratch)
    return plan


def write_all(scratch: Path, plan: Plan, report: Report, *, share: int = 1, until: float | None = None) -> bool:
    """Write what is free, and wait for what others write; False if `until` (of time.monotonic) came first."""
    while write_free(scratch, plan, report, share=share, until=until):
        if all((scratch / record_name(number)).exists() for number in range(plan.segments)):
            return True
        report(Segment(), 0)
        time.sleep(PAUSE)
        if until is not None and time.monotonic() > until:
            break
    return False


def write_free(scratch: Path, plan: Plan, report: Report, *, share: int = 1, until: float | None = None) -> bool:
    """Write as long as anything is free; False if `until` came first."""
    while write_some(scratch, plan, report, share=share, until=until):
        if until is not None and time.monotonic() > until:
            return False
    return True


def write_some(scratch: Path, plan: Plan, report: Report, *, share: int = 1, until: float | None = None) -> bool:
    """Write one stretch of free segments: of `share` workers, this one's part. False if none was free."""
    with _claimed(scratch, plan.segments, share) as numbers:
        if not numbers:
            return False
        recipe = read_recipe(plan.recipe)
        since = scratch / SINCE
        with frozen_connection() as connection:
            project = Project.objects.get(pk=plan.project)
            known = learn(project, recipe, plan.as_of, connection, withdrawals=plan.withdrawals)
            needs = format_of(recipe).needs
            reader = Reader(project, recipe, plan.as_of, connection, needs, plan.withdrawals)
            stretches = [bounds(number, plan.segments, whole=needs.whole) for number in numbers]
            some = len(numbers) < plan.segments
            stream = reader.comparisons((stretches[0][0], stretches[-1][1]) if some else None)
            for number, part in zip(numbers, _cut(stream, [end for _, end in stretches]), strict=True):
                base = since if since.exists() else None
                write_segment(scratch, number, plan.segments, part, recipe, known, report, base)
                if until is not None and time.monotonic() > until:
                    break
    return True


@contextmanager
def further_processes(number: int, scratch: Path) -> Iterator[None]:
    """So many processes beside this one, which load while the plan is drawn up and then help to carry it out."""
    argv = [sys.executable, "-m", "django", "help_build", str(scratch), "--share", str(number + 1)]
    started = [subprocess.Popen(argv, cwd=settings.BASE_DIR) for _ in range(number)]
    try:
        yield
    finally:
        for process in started:
            process.terminate()
            process.wait()


def await_plan(scratch: Path) -> Plan | None:
    """The plan that the process which started this one draws up; None if that ends without one."""
    starter = os.getppid()
    while not (scratch / PLAN).exists():
        if os.getppid() != starter:
            return None
        time.sleep(PAUSE / 5)
    return Plan(**orjson.loads((scratch / PLAN).read_bytes()))


def checked(scratch: Path, plan: Plan) -> list[int]:
    """The segments that are finished, after those were forgotten whose files are not as recorded."""
    found = []
    for number in range(plan.segments):
        if finished_segment(scratch, number, check=True) is not None:
            found.append(number)
        else:
            (scratch / record_name(number)).unlink(missing_ok=True)
    return found


def _cut(stream: Iterator[Comparison], ends: list[str]) -> Iterator[Iterator[Comparison]]:
    """The stream in pieces; each must be read to its end before the next."""
    following = next(stream, None)

    def piece(end: str) -> Iterator[Comparison]:
        nonlocal following
        while following is not None and (following.key or following.first.fingerprint) < end:
            yield following
            following = next(stream, None)

    yield from map(piece, ends)


@contextmanager
def _claimed(scratch: Path, segments: int, share: int) -> Iterator[list[int]]:
    """The first stretch of segments that are neither finished nor another's, held until the end of the block.

    A query costs something by itself, so a stretch is as long as can be: everything, where nobody else is at work any
    more, or this worker's part.
    """
    free = [number for number in range(segments) if not (scratch / record_name(number)).exists()]
    alone = share == 1 or (0 < len(free) < segments and not _anybody(scratch, free))
    most = len(free) if alone else -(-len(free) // share)
    held: dict[int, int] = {}
    try:
        for number in free:
            if held and number != max(held) + 1:
                break
            handle = _lock(scratch, number)
            if handle is not None:
                held[number] = handle
            elif held:
                break
            if len(held) == most:
                break
        yield list(held)
    finally:
        for handle in held.values():
            os.close(handle)


def _anybody(scratch: Path, numbers: list[int]) -> bool:
    for number in numbers:
        handle = _lock(scratch, number)
        if handle is None:
            return True
        os.close(handle)
    return False


def _lock(scratch: Path, number: int) -> int | None:
    """A handle that holds the segment until it is closed; None if another holds it, or it was finished just now."""
    handle = os.open(scratch / f"{record_name(number)}.lock", os.O_RDWR | os.O_CREAT, 0o600)
    try:
        fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        os.close(handle)
        return None
    if (scratch / record_name(number)).exists():
        os.close(handle)
        return None
    return handle
