"""What a researcher does with exports: preview, request, build (a worker does), delete."""

from __future__ import annotations

import logging
import shutil
import time
from collections import Counter
from contextlib import suppress
from dataclasses import dataclass
from datetime import timedelta
from functools import partial
from pathlib import Path
from typing import Any

from django.db import transaction
from django.utils import timezone
from django.utils.translation import gettext as _

from exports import files
from exports.assembly import Built, Progress, build
from exports.card import Step, funnel
from exports.formats import FORMATS
from exports.models import Export, ExportFile
from exports.recipes import Recipe, find_recipe, read_recipe
from exports.recipes.majority import Outcome, decide, undecided
from exports.rows import Reader
from exports.writers import sha256_of
from labeling.actions.refusals import Refused
from labeling.audit import record
from labeling.models import Criterion, LostJob, Project, User
from labeling.models.jobs import LEASE, MOST_ATTEMPTS

logger = logging.getLogger(__name__)

PREVIEWED = 10
SECONDS_A_STEP = 240


@dataclass(frozen=True, slots=True)
class Preview:
    """Rows as they would be written, and of how many pairs at most: only building finds unfit texts."""

    recipe: Recipe
    outcomes: list[Outcome]
    pairs: int
    dropped: Counter[str]

    @property
    def rows(self) -> list[dict[str, Any]]:
        return [row for _, rows in FORMATS[self.recipe.format].made(self.outcomes) for row in rows][:PREVIEWED]

    @property
    def total(self) -> int:
        return (self.pairs - self.dropped.total()) * FORMATS[self.recipe.format].rows_each

    @property
    def steps(self) -> list[Step]:
        return funnel(self.pairs, self.dropped)


@transaction.atomic
def request_export(*, project: Project, by: User, recipe: Any, name: str = "") -> Export:
    """A new export, to be built by a worker. `recipe` is a name or a JSON object; raises Refused."""
    read = checked_recipe(project, recipe)
    title = " ".join(name.split())[:120] or f"{read.format}, {read.criterion}"
    export = Export.objects.create(project=project, name=title, recipe=read.as_json(), created_by=by)
    record(by, "export.requested", export, project_id=project.pk, recipe=export.recipe)
    return export


@transaction.atomic
def delete_export(*, export: Export, by: User) -> None:
    """Remove an export with its files. A worker that builds it finds out and stops."""
    paths = list(export.files.values_list("path", flat=True))
    record(by, "export.deleted", export, project_id=export.project_id, name=export.name)
    transaction.on_commit(partial(files.discard, export.pk, paths))
    export.delete()


@transaction.atomic
def preview(*, project: Project, recipe: Any) -> Preview:
    """The first rows of a recipe and what it would leave out, without building it. Reads every judged pair's counts."""
    read = checked_recipe(project, recipe)
    reader = Reader(project, read, needs=FORMATS[read.format].needs)
    least, takes = read.filters.min_judgments, FORMATS[read.format].takes
    dropped: Counter[str] = Counter()
    shown: list[int] = []
    judged = 0
    for comparison, pair_id in reader.outcomes():
        judged += 1
        reason = undecided(comparison, least, takes)
        if reason and reason not in takes:
            dropped[reason] += 1
        elif comparison.images:
            dropped["images"] += 1
        elif len(shown) < 2 * PREVIEWED:
            shown.append(pair_id)
    pairs = reader.pairs()
    dropped["unjudged"] += pairs - judged
    few = reader.of_pairs(shown)
    found = (decide(c, takes=takes, min_judgments=least, rationales=read.rationales) for c in few)
    outcomes = [each for each in found if isinstance(each, Outcome)]
    return Preview(read, outcomes[:PREVIEWED], pairs, dropped)


def checked_recipe(project: Project, recipe: Any) -> Recipe:
    """A recipe that fits this project; raises Refused("invalid") naming what the project does not have."""
    read = find_recipe(recipe)
    errors: dict[str, str] = {}
    preferences = project.criteria.filter(kind=Criterion.Kind.PREFERENCE).values_list("key", flat=True)
    # what has a use for every answer can be of a project that asks for no preference at all
    fit = project.criteria.values_list("key", flat=True) if "unjudged" in FORMATS[read.format].takes else preferences
    if read.criterion not in fit:
        errors["criterion"] = _("No such preference. This project has: %(known)s.") % {"known": ", ".join(fit)}
    for field, names in (("queues", project.queues), ("batches", project.batches)):
        known = set(names.values_list("name", flat=True))
        for name in set(getattr(read.filters, field)) - known:
            said = _("There is no “%(name)s”. This project has: %(known)s.")
            errors[f"filters.{field}"] = said % {"name": name, "known": ", ".join(sorted(known)[:20])}
    if errors:
        raise Refused("invalid", _("This recipe does not fit the project."), errors)
    return read


def build_export(*, export: Export, seconds: float = SECONDS_A_STEP) -> bool:
    """Build an export, or a part of it; True when nothing is left to do for this worker.

    Every write names the worker's fencing number. What an earlier attempt finished is kept, and it reads the
    judgments of the first attempt. Files can be fetched only after the last statement here.
    """
    if not export.take():
        return True
    try:
        built = _build(export, time.monotonic() + seconds)
        if built is None:
            export.keep(state=Export.State.WAITING, lease_until=None, attempts=0)
            return False
        _publish(export, built)
    except LostJob:
        return True
    except Refused as refused:
        _give_up(export, refused.message)
    except Exception as problem:
        logger.exception("export %s, attempt %s", export.pk, export.attempts)
        _set_back(export, problem)
    return True


def due_exports() -> list[int]:
    """Exports that wait for a worker, or were left by one."""
    return list(Export.objects.filter(pk__in=Export.objects.due()).order_by("pk").values_list("pk", flat=True))


def sweep_scratch() -> None:
    """Remove unfinished files of exports that are over or deleted."""
    here = files.scratch_ids()
    unfinished = Export.objects.filter(pk__in=here, state__in=[Export.State.WAITING, Export.State.RUNNING])
    for export_id in set(here) - set(unfinished.values_list("pk", flat=True)):
        files.discard_scratch(export_id)


def write_export(*, project: Project, recipe: Any, to: Path) -> Built:
    """Write an export to a directory of this machine, now; raises Refused. `to` appears complete or not at all."""
    read = checked_recipe(project, recipe)
    to = to.absolute()
    if to.exists() and (not to.is_dir() or any(to.iterdir())):
        said = _("%(path)s is there already and not an empty directory. Choose another, or empty it.")
        raise Refused("invalid", said % {"path": to})
    scratch = to.with_name(f".{to.name}.unfinished")
    shutil.rmtree(scratch, ignore_errors=True)
    try:
        to.parent.mkdir(parents=True, exist_ok=True)
        built = build(project, read, scratch, lambda progress: None)
        if built is None:
            raise AssertionError("a build without a time limit runs to its end")
        built.directory.rename(to)
    except OSError as problem:
        said = _("%(path)s cannot be written: %(problem)s.") % {"path": to, "problem": problem.strerror or problem}
        raise Refused("invalid", said) from problem
    finally:
        shutil.rmtree(scratch, ignore_errors=True)
    return Built(to, built.manifest)


def _build(export: Export, until: float) -> Built | None:
    def report(progress: Progress) -> None:
        # The first rows of a large project are long in coming, and nothing can renew the lease meanwhile.
        patience = LEASE + timedelta(seconds=progress.pairs / 10_000)
        export.keep(
            lease_until=timezone.now() + patience, judgments_as_of=progress.as_of, rows_total=progress.pairs,
            rows_read=progress.read, rows_written=progress.written, bytes_written=progress.size,
        )  # fmt: skip

    return build(
        export.project,
        read_recipe(export.recipe),
        files.scratch_of(export.pk),
        report,
        as_of=export.judgments_as_of,
        pairs=export.rows_total,
        until=until,
    )


def _publish(export: Export, built: Built) -> None:
    """Files first, then the rows that make them reachable. The lock keeps out a worker that was presumed dead."""
    listed = built.manifest["files"]
    own = built.directory / "manifest.json"
    listed = [*listed, {"path": own.name, "rows": None, "bytes": own.stat().st_size, "sha256": sha256_of(own)}]
    files.upload(export.pk, built.directory, [file["path"] for file in listed])
    with transaction.atomic():
        Export.objects.select_for_update().filter(pk=export.pk).first()
        export.keep()
        files.publish_by_rename(export.pk, built.directory)
        ExportFile.objects.bulk_create(
            ExportFile(export=export, path=f["path"], sha256=f["sha256"], size=f["bytes"], rows=f["rows"])
            for f in listed
        )
        export.finish(
            manifest=built.manifest,
            rows_read=export.rows_total,
            rows_written=built.manifest["rows"],
            bytes_written=sum(file["bytes"] for file in listed),
            error="",
        )
        record(None, "export.finished", export, project_id=export.project_id, rows=built.manifest["rows"])
    files.discard_scratch(export.pk)


def _give_up(export: Export, reason: str) -> None:
    with suppress(LostJob):
        export.fail(reason)
        files.discard_scratch(export.pk)


def _set_back(export: Export, problem: Exception) -> None:
    """Leave an export to a later attempt, or fail it for good when there have been enough."""
    reason = f"{type(problem).__name__}: {problem}"
    if export.attempts >= MOST_ATTEMPTS:
        _give_up(export, f"Given up after {MOST_ATTEMPTS} attempts. The last one ended with {reason}")
        return
    with suppress(LostJob):
        export.keep(error=reason, lease_until=timezone.now())
