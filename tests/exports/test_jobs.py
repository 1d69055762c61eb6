"""An export as a job: it reads the judgments of its first attempt, survives its worker, shows nothing unfinished."""

from __future__ import annotations

import shutil
import time
from collections.abc import Callable
from datetime import timedelta
from hashlib import sha256
from pathlib import Path
from typing import Any

import psycopg
import pytest
from django.db import connection
from django.http import Http404
from django.utils import timezone

from exports import actions, assembly, files, segments, sharing, tasks
from exports.access import file_for
from exports.actions import build_export, delete_export, due_exports, request_export, sweep_scratch
from exports.files import scratch_of
from exports.models import Export, ExportFile
from exports.recipes import read_recipe
from exports.whatif import what_if
from labeling.actions.refusals import Refused
from labeling.models import AuditEntry, LostJob, Project, User
from labeling.models.jobs import MOST_ATTEMPTS
from tests.exports.study import judge, pair_of

RECIPE = {"format": "dpo", "file": "jsonl", "split": {"test": 0.3}}


@pytest.fixture
def noor(study: Project) -> User:
    return User.objects.get(name="Noor")


def asked(project: Project, by: User, **recipe: Any) -> Export:
    return request_export(project=project, by=by, recipe=RECIPE | recipe)


def manifest(export: Export) -> dict[str, Any]:
    found: dict[str, Any] | None = export.manifest
    assert found is not None
    return found


def finished(export: Export) -> dict[str, str]:
    """The hashes of a done export, checked against the stored bytes."""
    export.refresh_from_db()
    assert export.state == Export.State.DONE, export.error
    return dict(export.files.values_list("path", "sha256"))


def abandon(export: Export) -> None:
    """As the clock would: the lease of a worker that is gone runs out."""
    Export.objects.filter(pk=export.pk).update(lease_until=timezone.now() - timedelta(seconds=1))
    export.refresh_from_db()


class Killed(BaseException):
    """What ends an attempt in the middle; not an Exception, so that nothing tidies up after it."""


def kill_at(monkeypatch: pytest.MonkeyPatch, target: Any, name: str, call: int = 1) -> None:
    """The `call`-th call of `target.name` ends the attempt, once."""
    original: Callable[..., Any] = getattr(target, name)
    calls = []

    def killing(*args: Any, **kwargs: Any) -> Any:
        calls.append(name)
        if len(calls) == call:
            raise Killed
        return original(*args, **kwargs)

    monkeypatch.setattr(target, name, killing)


def test_from_the_request_to_the_files(study: Project, noor: User, stored: Path) -> None:
    export = asked(study, noor)
    assert (export.state, export.recipe["split"]["seed"], export.name) == ("waiting", 7, "dpo, helpfulness")
    assert build_export(export=export)
    hashes = finished(export)
    on_disk = {
        str(path.relative_to(stored / str(export.pk))): sha256(path.read_bytes()).hexdigest()
        for path in (stored / str(export.pk)).rglob("*")
        if path.is_file()
    }
    assert hashes == on_disk and "manifest.json" in hashes and not scratch_of(export.pk).exists()
    assert (export.rows_total, export.rows_read, export.rows_written, export.percent) == (7, 7, 4, 100)
    assert export.bytes_written == sum(file.size for file in export.files.all())
    acts = AuditEntry.objects.filter(target_type="export").values_list("act", "actor_id")
    assert list(acts) == [("export.requested", noor.pk), ("export.finished", None)]


def test_a_later_attempt_reads_the_judgments_of_the_first(
    study: Project, noor: User, stored: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    undisturbed = asked(study, noor)
    build_export(export=undisturbed)
    expected = finished(undisturbed)

    export = asked(study, noor)
    kill_at(monkeypatch, sharing, "write_segment")
    with pytest.raises(Killed):
        build_export(export=export)
    judge(pair_of(study, "alone"), User.objects.get(name="Rosa"), helpfulness=3)  # new
    judge(pair_of(study, "maths"), User.objects.get(name="Rui"), helpfulness=3)  # a revision
    judge(pair_of(study, "maths"), User.objects.get(name="Rui"), helpfulness=2)  # and another
    abandon(export)
    assert build_export(export=export)
    assert finished(export) == expected

    later = asked(study, noor)
    build_export(export=later)
    assert finished(later) != expected and manifest(later)["rows"] == 5


def test_a_judgment_that_commits_while_the_first_attempt_reads_does_not_count(
    study: Project, noor: User, stored: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    original = segments.write_segment

    def judging(*args: Any) -> Any:
        judge(pair_of(study, "alone"), User.objects.get(name="Rui"), helpfulness=3)
        return original(*args)

    monkeypatch.setattr(sharing, "write_segment", judging)
    export = asked(study, noor)
    build_export(export=export)
    finished(export)
    assert manifest(export)["rows"] == 4 and manifest(export)["dropped"]["unjudged"] == 1


@pytest.mark.parametrize(
    ("target", "name", "call"),
    [
        (sharing, "write_segment", 1),
        (sharing, "write_segment", 3),
        (segments, "write_file", 2),
        (segments._Writing, "finish", 2),
        (assembly, "_gather", 1),
        (assembly, "_describe", 1),
        (assembly, "write_file", 1),
        (assembly, "write_file", 3),
        (actions, "_publish", 1),
        (files, "publish_by_rename", 1),
        (Export, "finish", 1),
    ],
)
def test_killed_anywhere_it_ends_in_the_same_bytes(
    study: Project, noor: User, stored: Path, monkeypatch: pytest.MonkeyPatch, target: Any, name: str, call: int
) -> None:
    monkeypatch.setattr(segments, "PAIRS_A_SEGMENT", 2)
    undisturbed = asked(study, noor)
    build_export(export=undisturbed)
    expected = finished(undisturbed)
    assert any("of-00002" in path or "of-00003" in path for path in expected)

    export = asked(study, noor)
    with monkeypatch.context() as patch:
        kill_at(patch, target, name, call)
        with pytest.raises(Killed):
            build_export(export=export)
    assert not ExportFile.objects.filter(export=export).exists()
    for path in expected:
        with pytest.raises(Http404):
            file_for(noor, export.pk, path)
    abandon(export)
    assert export.pk in due_exports()
    assert build_export(export=export)
    assert finished(export) == expected
    assert sorted(p.name for p in stored.iterdir()) == sorted([str(undisturbed.pk), str(export.pk), "unfinished"])


def test_a_later_attempt_goes_on_behind_what_was_finished(
    study: Project, noor: User, stored: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(segments, "PAIRS_A_SEGMENT", 2)
    export = asked(study, noor)
    with monkeypatch.context() as patch:
        kill_at(patch, sharing, "write_segment", 3)
        with pytest.raises(Killed):
            build_export(export=export)
    first = scratch_of(export.pk) / "segment-00000.json"
    second = scratch_of(export.pk) / "ledger-00001.bin"
    assert second.stat().st_size
    before = first.stat().st_mtime_ns
    second.write_bytes(second.read_bytes()[:-1])
    calls: list[int] = []
    original = segments.write_segment

    def counting(*args: Any) -> Any:
        calls.append(args[1])
        return original(*args)

    monkeypatch.setattr(sharing, "write_segment", counting)
    with monkeypatch.context() as patch:
        kill_at(patch, assembly, "_gather")
        abandon(export)
        with pytest.raises(Killed):
            build_export(export=export)
    assert first.stat().st_mtime_ns == before
    assert calls[0] == 1  # the damaged one is written again, the whole one is not
    abandon(export)
    build_export(export=export)
    assert finished(export)


def test_a_long_build_goes_on_in_steps(
    study: Project, noor: User, stored: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(segments, "PAIRS_A_SEGMENT", 2)
    whole, export = asked(study, noor), asked(study, noor)
    build_export(export=whole)
    steps = 0
    while not build_export(export=export, seconds=0):
        steps += 1
        assert (export.state, export.attempts) == ("waiting", 0)
        assert 0 < export.rows_read <= export.rows_total and export.percent < 100
    assert steps == 3
    assert finished(export) == finished(whole)


def test_a_worker_that_lost_its_job_changes_nothing(
    study: Project, noor: User, stored: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    export = asked(study, noor)
    original = actions._publish

    def overtaken(mine: Export, built: Any) -> None:
        other = Export.objects.get(pk=mine.pk)
        abandon(other)
        monkeypatch.setattr(actions, "_publish", original)
        assert build_export(export=other)
        with pytest.raises(LostJob):
            original(mine, built)
        raise LostJob

    monkeypatch.setattr(actions, "_publish", overtaken)
    assert build_export(export=export)
    assert finished(export) and export.fence == 2
    for path, digest in finished(export).items():
        assert sha256((stored / str(export.pk) / path).read_bytes()).hexdigest() == digest


def test_deleted_while_it_is_built(study: Project, noor: User, stored: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    export = asked(study, noor)
    original = segments.write_segment

    def deleting(*args: Any) -> Any:
        delete_export(export=Export.objects.get(pk=export.pk), by=noor)
        return original(*args)

    monkeypatch.setattr(sharing, "write_segment", deleting)
    assert build_export(export=export)
    sweep_scratch()
    assert not list(stored.rglob("*.json*")) and not Export.objects.exists()


def test_delete_takes_the_files(study: Project, noor: User, stored: Path) -> None:
    export = asked(study, noor)
    build_export(export=export)
    delete_export(export=export, by=noor)
    assert not Export.objects.exists() and not [path for path in stored.rglob("*") if path.is_file()]
    assert AuditEntry.objects.filter(act="export.deleted", actor_id=noor.pk).count() == 1


def test_nothing_left_fails_with_a_reason(study: Project, noor: User, stored: Path) -> None:
    export = asked(study, noor, criterion="harmlessness")
    assert build_export(export=export)
    export.refresh_from_db()
    assert export.state == "failed" and "No row is left of 7 pairs" in export.error
    assert not scratch_of(export.pk).exists() and not due_exports()


def test_trouble_is_tried_again_and_in_the_end_told(
    study: Project, noor: User, stored: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    export = asked(study, noor)

    def full(*args: Any) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(sharing, "write_segment", full)
    for attempt in range(1, MOST_ATTEMPTS + 1):
        assert due_exports() == [export.pk]
        assert build_export(export=export)
        export.refresh_from_db()
        assert export.attempts == attempt and "No space left on device" in export.error
    assert export.state == "failed" and due_exports() == []


def test_one_worker_at_a_time(study: Project, noor: User, stored: Path) -> None:
    export = asked(study, noor)
    assert Export.objects.get(pk=export.pk).take()
    assert build_export(export=export)
    export.refresh_from_db()
    assert (export.state, export.fence) == ("running", 1)


def test_scratch_that_nobody_needs_is_swept(study: Project, noor: User, stored: Path) -> None:
    waiting = asked(study, noor)
    for export_id in (waiting.pk, 999_999):
        scratch_of(export_id).mkdir(parents=True)
    sweep_scratch()
    assert scratch_of(waiting.pk).exists() and not scratch_of(999_999).exists()


def test_requests_that_are_refused_leave_nothing(study: Project, noor: User) -> None:
    for recipe in ("best", {"format": "dpo", "criterion": "beauty"}, {"format": "dpo", "x": 1}):
        with pytest.raises(Refused):
            request_export(project=study, by=noor, recipe=recipe)
    assert not Export.objects.exists() and not AuditEntry.objects.filter(target_type="export").exists()


def test_the_preview_is_what_the_build_writes(study: Project, noor: User, stored: Path) -> None:
    found = what_if(study, read_recipe(RECIPE))
    export = asked(study, noor)
    build_export(export=export)
    finished(export)
    assert (found.total, found.pairs) == (manifest(export)["rows"], manifest(export)["pairs"])
    assert {reason: n for reason, n in found.dropped.items() if n} == {
        reason: n for reason, n in manifest(export)["dropped"].items() if n
    }
    shown = {row["comparison_id"] for row in found.rows}
    text = b"".join(path.read_bytes() for path in (stored / str(export.pk) / "data").iterdir()).decode()
    assert len(shown) == 4 and all(each in text for each in shown)
    assert [step.left for step in found.steps] == [7, 6, 5, 4]


def test_a_worker_builds_what_was_asked(study: Project, noor: User, stored: Path, live_worker: Any) -> None:
    export = asked(study, noor)
    tasks.enqueue_export(export)
    wait_until(lambda: Export.objects.get(pk=export.pk).is_over)
    assert finished(export)


def test_the_clock_finds_what_nobody_was_told_of(study: Project, noor: User, stored: Path, live_worker: Any) -> None:
    export = asked(study, noor)
    tasks.nudge_exports.delay()
    wait_until(lambda: Export.objects.get(pk=export.pk).is_over)
    assert finished(export)


@pytest.mark.parametrize("table", ["labeling_response", "exports_exportfile"])
def test_a_killed_worker_is_replaced(study: Project, noor: User, stored: Path, worker_process: Any, table: str) -> None:
    """kill -9 while it reads, and between the rename of the files and the commit that makes them reachable."""
    undisturbed = asked(study, noor)
    build_export(export=undisturbed)
    expected = finished(undisturbed)

    export = asked(study, noor)
    parameters = connection.get_connection_params() | {"autocommit": False}
    with psycopg.connect(
        **{name: parameters[name] for name in ("host", "user", "dbname", "port") if name in parameters}
    ) as lock:
        lock.execute(f"LOCK TABLE {table} IN ACCESS EXCLUSIVE MODE")
        tasks.build_export.delay(export.pk)
        wait_until(lambda: waits_for(table))
        if table == "exports_exportfile":
            assert (stored / str(export.pk) / "manifest.json").exists()
        worker_process.kill()
        lock.rollback()
    export.refresh_from_db()
    assert export.state == "running"
    with pytest.raises(Http404):
        file_for(noor, export.pk, "manifest.json")
    judge(pair_of(study, "alone"), User.objects.get(name="Rosa"), helpfulness=3)
    wait_until(lambda: not waits_for(table))
    worker_process.restart()
    abandon(export)
    tasks.nudge_exports.delay()
    wait_until(lambda: Export.objects.get(pk=export.pk).is_over)
    assert finished(export) == expected
    shutil.rmtree(stored)


def waits_for(table: str) -> bool:
    with connection.cursor() as cursor:
        cursor.execute("SELECT count(*) FROM pg_locks WHERE relation = %s::regclass AND NOT granted", [table])
        return bool(cursor.fetchone()[0])


def wait_until(true: Callable[[], bool], seconds: float = 20) -> None:
    end = time.monotonic() + seconds
    while not true():
        assert time.monotonic() < end, "it did not come about in time"
        time.sleep(0.05)
