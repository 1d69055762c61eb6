"""What a researcher does with exports: request, build (a worker does), delete."""

from __future__ import annotations

import logging
import shutil
import time
from collections.abc import Callable
from contextlib import suppress
from datetime import timedelta
from functools import partial
from pathlib import Path
from typing import Any

from django.conf import settings
from django.db import transaction
from django.utils import timezone
from django.utils.translation import gettext as _

from exports import files
from exports.assembly import LEDGER, Base, Built, Progress, build
from exports.formats import FORMATS
from exports.models import Export, ExportFile
from exports.recipes import Recipe, read_recipe
from exports.segments import Segment
from exports.sharing import PLAN, drawn_up, further_processes, write_some
from exports.stored import checked_recipe
from exports.writers import crc32_of, sha256_of
from labeling.actions.refusals import Refused
from labeling.actions.webhooks import announce
from labeling.audit import record
from labeling.models import AuditEntry, LostJob, Project, User, Webhook
from labeling.models.jobs import LEASE, MOST_ATTEMPTS

logger = logging.getLogger(__name__)

SECONDS_A_STEP = 240
UNFINISHED = (Export.State.WAITING, Export.State.RUNNING)


@transaction.atomic
def request_export(
    *,
    project: Project,
    by: User | None,
    recipe: Any,
    name: str = "",
    since: Export | None = None,
    as_of: Export | None = None,
) -> Export:
    """A new export, to be built by a worker. `recipe` is a name or a JSON object; raises Refused.

    With `since`, only what is new or changed against that snapshot. With `as_of`, of the judgments that one was made
    of, but for what was withdrawn afterwards.
    """
    read = checked_recipe(project, recipe)
    title = " ".join(name.split())[:120] or f"{read.format}, {', '.join(read.criteria)}"[:120]
    fixed: dict[str, Any] = {}
    if since is not None:
        fixed = {"since": _to_count_from(since, read), "since_hash": since.content_hash}
    if as_of is not None:
        withdrawals = list(project.withdrawals.filter(lifted_at=None).order_by("pk").values_list("pk", flat=True))
        fixed |= {"judgments_as_of": as_of.judgments_as_of, "withdrawals": withdrawals}
    export = Export.objects.create(project=project, name=title, recipe=read.as_json(), created_by=by, **fixed)
    record(by, "export.requested", export, project_id=project.pk, recipe=export.recipe)
    return export


@transaction.atomic
def delete_export(*, export: Export, by: User) -> None:
    """Remove an export with its files. A worker that builds it finds out and stops."""
    record(by, "export.deleted", export, project_id=export.project_id, name=export.name, number=export.number)
    transaction.on_commit(partial(files.discard, export.pk))
    export.delete()


def build_export(*, export: Export, seconds: float = SECONDS_A_STEP, invite: Callable[[], None] | None = None) -> bool:
    """Build an export, or a part of it; True when nothing is left to do for this worker.

    A large one is shared with others, who are asked by `invite` and come in by `help_export`.

    Every write names the worker's fencing number. What an earlier attempt finished is kept, and it reads the
    judgments of the first attempt. Files can be fetched only after the last statement here.
    """
    if not export.take():
        return True
    try:
        built = _build(export, time.monotonic() + seconds, invite)
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


def help_export(*, export: Export, seconds: float = SECONDS_A_STEP) -> bool:
    """Write a stretch of an export that another worker builds on this machine's files; False if there is none to do.

    Writes nothing but files of its scratch, which count only once their record is there.
    """
    scratch = files.scratch_of(export.pk)
    if not (scratch / PLAN).exists():
        return False
    plan = drawn_up(export.project, read_recipe(export.recipe), scratch)

    def still_wanted(segment: Segment, rows: int) -> None:
        if not Export.objects.filter(pk=export.pk, state__in=UNFINISHED, judgments_as_of=plan.as_of).exists():
            raise LostJob(f"export {export.pk}")

    try:
        return write_some(scratch, plan, still_wanted, share=settings.EXPORT_WORKERS, until=time.monotonic() + seconds)
    except (LostJob, FileNotFoundError):
        return False


def due_exports() -> list[int]:
    """Exports that wait for a worker, or were left by one."""
    return list(Export.objects.filter(pk__in=Export.objects.due()).order_by("pk").values_list("pk", flat=True))


def sweep_scratch() -> None:
    """Remove unfinished files of exports that are over or deleted."""
    here = files.scratch_ids()
    unfinished = Export.objects.filter(pk__in=here, state__in=UNFINISHED)
    for export_id in set(here) - set(unfinished.values_list("pk", flat=True)):
        files.discard_scratch(export_id)


def write_export(*, project: Project, recipe: Any, to: Path, workers: int = 1) -> Built:
    """Write an export to a directory of this machine, now; raises Refused. `to` appears complete or not at all.

    With more `workers`, that many less one further processes help.
    """
    read = checked_recipe(project, recipe)
    to = to.absolute()
    if to.exists() and (not to.is_dir() or any(to.iterdir())):
        said = _("%(path)s is there already and not an empty directory. Choose another, or empty it.")
        raise Refused("invalid", said % {"path": to})
    scratch = to.with_name(f".{to.name}.unfinished")
    shutil.rmtree(scratch, ignore_errors=True)
    try:
        to.parent.mkdir(parents=True, exist_ok=True)
        with further_processes(workers - 1, scratch):
            built = build(project, read, scratch, lambda progress: None, share=workers)
        if built is None:
            raise AssertionError("a build without a time limit runs to its end")
        built.directory.rename(to)
    except OSError as problem:
        said = _("%(path)s cannot be written: %(problem)s.") % {"path": to, "problem": problem.strerror or problem}
        raise Refused("invalid", said) from problem
    finally:
        shutil.rmtree(scratch, ignore_errors=True)
    return Built(to, built.manifest, built.raters)


def _to_count_from(since: Export, recipe: Recipe) -> Export:
    """The snapshot itself; raises Refused where no recipe, or not this one, can count from it."""
    if since.state != Export.State.DONE:
        raise Refused("invalid", _("Nothing can count from a snapshot that is not done."), {"since": "not done"})
    if FORMATS[since.recipe["format"]].needs.whole != FORMATS[recipe.format].needs.whole:
        said = _("One is made of whole conversations, the other of pairs.")
        raise Refused("invalid", _("This recipe cannot count from that snapshot."), {"since": said})
    return since


def _build(export: Export, until: float, invite: Callable[[], None] | None) -> Built | None:
    def report(progress: Progress) -> None:
        # The first rows of a large project are long in coming, and nothing can renew the lease meanwhile.
        patience = LEASE + timedelta(seconds=progress.pairs / 10_000)
        export.keep(
            lease_until=timezone.now() + patience, judgments_as_of=progress.as_of, withdrawals=progress.withdrawals,
            rows_total=progress.pairs, rows_read=progress.read, rows_written=progress.written,
            bytes_written=progress.size,
        )  # fmt: skip

    if export.since_hash and export.since is None:
        raise Refused("invalid", _("The snapshot that this one counts from was deleted."))
    with files.ledger_of(export.since) as base:
        return build(
            export.project,
            read_recipe(export.recipe),
            files.scratch_of(export.pk),
            report,
            as_of=export.judgments_as_of,
            withdrawals=export.withdrawals,
            since=Base(base, export.since_hash) if base else None,
            until=until,
            share=settings.EXPORT_WORKERS if invite else 1,
            invite=invite,
        )


def _publish(export: Export, built: Built) -> None:
    """Files first, then the rows that make them reachable. The lock keeps out a worker that was presumed dead."""
    listed = built.manifest["files"]
    own = built.directory / "manifest.json"
    listed = [*listed, {"path": own.name, "rows": None, "bytes": own.stat().st_size, "sha256": sha256_of(own)}]
    files.upload(export.pk, built.directory, [file["path"] for file in listed])
    sums = {file["path"]: crc32_of(built.directory / file["path"]) for file in listed}
    files.keep_ledger(export.pk, built.directory.parent / LEDGER)
    with transaction.atomic():
        Project.objects.select_for_update(no_key=True).get(pk=export.project_id)
        Export.objects.select_for_update().filter(pk=export.pk).first()
        export.keep()
        files.publish_by_rename(export.pk, built.directory)
        ExportFile.objects.bulk_create(
            ExportFile(
                export=export,
                path=f["path"],
                sha256=f["sha256"],
                size=f["bytes"],
                rows=f["rows"],
                crc32=sums[f["path"]],
            )
            for f in listed
        )
        export.finish(
            manifest=built.manifest,
            number=_next_number(export),
            content_hash=built.manifest["content_hash"],
            raters=built.raters,
            withdrawals_seen=max(export.withdrawals, default=0),
            rows_read=export.rows_total,
            rows_written=built.manifest["rows"],
            bytes_written=sum(file["bytes"] for file in listed),
            error="",
        )
        record(
            None, "export.finished", export, project_id=export.project_id, rows=built.manifest["rows"],
            number=export.number, content_hash=export.content_hash,
        )  # fmt: skip
        described = {"id": export.pk, "name": export.name, "version": export.version, "rows": export.rows_written}
        described |= {"bytes": export.bytes_written, "content_hash": export.content_hash, "recipe": export.recipe}
        announce(export.project, Webhook.Event.SNAPSHOT_READY, {"export": described})
    files.discard_scratch(export.pk)


def _next_number(export: Export) -> int:
    """One above every number that the name ever had in the project, also those of deleted snapshots."""
    mine = Export.objects.filter(project=export.project_id, name=export.name)
    deleted = AuditEntry.objects.filter(
        project_id=export.project_id, act="export.deleted", data__name=export.name, data__number__isnull=False
    )
    known = [*mine.values_list("number", flat=True), *deleted.values_list("data__number", flat=True)]
    return max((number for number in known if number), default=0) + 1


def _give_up(export: Export, reason: str) -> None:
    with suppress(LostJob):
        export.fail(reason)
        files.discard(export.pk)


def _set_back(export: Export, problem: Exception) -> None:
    """Leave an export to a later attempt, or fail it for good when there have been enough."""
    reason = f"{type(problem).__name__}: {problem}"
    if export.attempts >= MOST_ATTEMPTS:
        _give_up(export, f"Given up after {MOST_ATTEMPTS} attempts. The last one ended with {reason}")
        return
    with suppress(LostJob):
        export.keep(error=reason, lease_until=timezone.now())
