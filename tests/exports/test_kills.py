"""SIGKILL at every phase of a build, in a process of its own, while raters go on submitting and others look on."""

from __future__ import annotations

import signal
import threading
import zipfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from hashlib import sha256
from io import BytesIO
from pathlib import Path
from typing import Any

import pytest
from django.db import connection
from django.http import Http404
from django.test import RequestFactory

from exports import segments
from exports.access import file_for
from exports.actions import build_export, due_exports, request_export
from exports.downloads import archive_response
from exports.files import open_file
from exports.models import Export, ExportFile
from labeling.models import Annotation, Project, User
from tests import make
from tests.exports.processes import python
from tests.exports.study import judge
from tests.exports.test_jobs import abandon, finished

RECIPE = {"format": "dpo", "file": "jsonl", "split": {"test": 0.3}}
A_SECOND = 20
# Ends itself as a crash would at the so manieth call of a function, after or before it is carried out.
PROGRAM = """
import os, signal, sys
from importlib import import_module
import django
django.setup()
from exports import segments
from exports.actions import build_export
from exports.models import Export
segments.PAIRS_A_SEGMENT = 2
pk, place, call, after = int(sys.argv[1]), sys.argv[2], int(sys.argv[3]), sys.argv[4] == "after"
if place:
    module, *names, last = place.split(":")
    target = import_module(module)
    for name in names:
        target = getattr(target, name)
    original, calls = getattr(target, last), []
    def killing(*args, **kwargs):
        calls.append(None)
        made = original(*args, **kwargs) if after or len(calls) != call else None
        if len(calls) == call:
            os.kill(os.getpid(), signal.SIGKILL)
        return made
    setattr(target, last, killing)
build_export(export=Export.objects.get(pk=pk))
"""
PHASES = [
    ("exports.sharing:write_file", 1, "before"),  # the plan
    ("exports.sharing:write_segment", 1, "before"),
    ("exports.sharing:write_segment", 2, "after"),
    ("exports.segments:_Writing:take", 2, "after"),  # an open shard
    ("os:fsync", 1, "before"),
    ("os:fsync", 4, "before"),
    ("exports.segments:_Writing:finish", 3, "after"),  # between a shard's files and its record
    ("exports.assembly:_gather", 1, "after"),
    ("exports.assembly:write_file", 1, "after"),  # README.md
    ("exports.assembly:write_file", 3, "before"),  # manifest.json
    ("exports.assembly:write_file", 3, "after"),
    ("exports.files:keep_ledger", 1, "after"),
    ("exports.files:publish_by_rename", 1, "after"),  # between the rename and the commit
    ("exports.models:Export:finish", 1, "after"),
]


def build_in_a_process(export: Export, place: str = "", call: int = 0, when: str = "before") -> int:
    process = python("-c", PROGRAM, str(export.pk), place, str(call), when)
    said, _ = process.communicate(timeout=100)
    assert process.returncode in (0, -signal.SIGKILL), said
    return process.returncode


@contextmanager
def meanwhile(act: Callable[[], None], a_second: float) -> Iterator[list[Exception]]:
    """Do something again and again in a thread; what it raised is in the list at the end."""
    over, raised = threading.Event(), list[Exception]()

    def going_on() -> None:
        try:
            while not over.wait(1 / a_second):
                act()
        except Exception as problem:
            raised.append(problem)
        finally:
            connection.close()

    thread = threading.Thread(target=going_on)
    thread.start()
    try:
        yield raised
    finally:
        over.set()
        thread.join()


@pytest.fixture
def submitting(study: Project) -> Callable[[], None]:
    """One more submission, by the next of many raters, on the study's own pairs."""
    pairs = list(study.pairs.order_by("pk"))
    raters = [make.member(study, f"Rater{number}", "rater") for number in range(40)]
    supply = ((pair, rater) for rater in raters for pair in pairs)

    def submit() -> None:
        found = next(supply, None)
        if found is not None:
            judge(*found, helpfulness=2)

    return submit


@pytest.mark.parametrize(("place", "call", "when"), PHASES)
def test_killed_at_a_phase_it_ends_in_the_same_hashes(
    study: Project,
    stored: Path,
    monkeypatch: pytest.MonkeyPatch,
    submitting: Callable[[], None],
    place: str,
    call: int,
    when: str,
) -> None:
    monkeypatch.setattr(segments, "PAIRS_A_SEGMENT", 2)
    noor = User.objects.get(name="Noor")
    undisturbed = request_export(project=study, by=noor, recipe=RECIPE)
    build_export(export=undisturbed)
    expected = finished(undisturbed)
    export = request_export(project=study, by=noor, recipe=RECIPE, as_of=undisturbed)

    def look() -> None:
        """Whatever can be fetched is whole."""
        for file in ExportFile.objects.filter(export=export.pk):
            with open_file(file) as content:
                assert sha256(content.read()).hexdigest() == file.sha256

    before = Annotation.objects.count()
    with meanwhile(submitting, A_SECOND) as unsubmitted, meanwhile(look, 50) as unread:
        assert build_in_a_process(export, place, call, when) == -signal.SIGKILL
        assert not ExportFile.objects.filter(export=export).exists()
        with pytest.raises(Http404):
            file_for(noor, export.pk, "manifest.json")
        abandon(export)
        assert export.pk in due_exports()
        assert build_export(export=export)
    assert not unsubmitted and not unread and Annotation.objects.count() > before
    assert finished(export) == expected
    assert export.content_hash == undisturbed.content_hash
    assert sorted(p.name for p in stored.iterdir()) == sorted([str(undisturbed.pk), str(export.pk), "unfinished"])
    assert not list((stored / "unfinished").iterdir())
    kept = {
        p.relative_to(stored / str(export.pk)).as_posix() for p in (stored / str(export.pk)).rglob("*") if p.is_file()
    }
    assert kept == set(expected)


def test_delivered_twice_it_is_built_once(study: Project, stored: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Two workers at the same time, and the message once more when all is over."""
    monkeypatch.setattr(segments, "PAIRS_A_SEGMENT", 2)
    undisturbed = request_export(project=study, by=None, recipe=RECIPE)
    build_export(export=undisturbed)
    export = request_export(project=study, by=None, recipe=RECIPE)
    both = [python("-c", PROGRAM, str(export.pk), "", "0", "") for _ in range(2)]
    for process in both:
        said, _ = process.communicate(timeout=100)
        assert process.returncode == 0, said
    assert build_in_a_process(export) == 0
    assert finished(export) == finished(undisturbed)
    assert (export.number, export.fence) == (2, 1)


def test_a_killed_helper_holds_nothing_up(study: Project, stored: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(segments, "PAIRS_A_SEGMENT", 2)
    undisturbed = request_export(project=study, by=None, recipe=RECIPE)
    build_export(export=undisturbed)
    export = request_export(project=study, by=None, recipe=RECIPE)
    helping = PROGRAM.replace(
        "build_export(export=Export.objects.get(pk=pk))", "help_export(export=Export.objects.get(pk=pk))"
    )
    helping = helping.replace("import build_export", "import help_export")

    def invite() -> None:
        process = python(
            "-c", helping, str(export.pk), "exports.segments:_Writing:take", "1", "after", EXPORT_WORKERS="3"
        )
        process.communicate(timeout=100)
        assert process.returncode == -signal.SIGKILL

    assert build_export(export=export, invite=invite)
    assert finished(export) == finished(undisturbed)
    assert not list((stored / "unfinished").iterdir())


def test_an_archive_that_breaks_off_cannot_be_opened(study: Project, stored: Path) -> None:
    export = request_export(project=study, by=None, recipe=RECIPE)
    build_export(export=export)
    finished(export)
    response: Any = archive_response(RequestFactory().get("/"), export)
    chunks = [bytes(chunk) for chunk in response.streaming_content if chunk]
    assert set(zipfile.ZipFile(BytesIO(b"".join(chunks))).namelist())
    for part in (chunks[:-1], chunks[: len(chunks) // 2]):
        with pytest.raises(zipfile.BadZipFile):
            zipfile.ZipFile(BytesIO(b"".join(part)))
