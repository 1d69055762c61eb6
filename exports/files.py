"""Where the files of exports are kept: `exports/<export id>/<path>` of the storage, a folder or a bucket.

Ledgers (exports/ledger.py) are under `ledgers/<export id>`, where no door leads.
"""

from __future__ import annotations

import io
import shutil
import zlib
from collections.abc import Generator, Iterator
from contextlib import contextmanager
from pathlib import Path
from tempfile import NamedTemporaryFile
from typing import IO

from django.conf import settings
from django.core.files.base import File
from django.core.files.storage import FileSystemStorage, default_storage, storages

from exports.models import Export, ExportFile
from exports.writers import sync_directory

CHUNK = 256 * 1024


def scratch_of(export_id: int) -> Path:
    """Where an export is built: in the storage's own folder, so that a rename publishes it, or on this machine."""
    return _unfinished() / str(export_id)


def scratch_ids() -> list[int]:
    """The exports that have unfinished files here."""
    return [int(path.name) for path in _unfinished().glob("*") if path.name.isdigit()]


def publish_by_rename(export_id: int, directory: Path) -> None:
    """Put a finished directory in its place at once, if the storage is a folder."""
    folder = _folder()
    if folder is not None:
        target = folder / str(export_id)
        shutil.rmtree(target, ignore_errors=True)
        directory.rename(target)
        sync_directory(folder)


def upload(export_id: int, directory: Path, paths: list[str]) -> None:
    """Copy finished files to a storage that is no folder. Doing it twice puts the same bytes in the same places."""
    if _folder() is None:
        for path in paths:
            with (directory / path).open("rb") as file:
                default_storage.save(_name(export_id, path), File(file))


def open_file(file: ExportFile) -> IO[bytes]:
    """The stored bytes; raises OSError if somebody took them away."""
    return default_storage.open(_name(file.export_id, file.path), "rb")


def open_part(file: ExportFile, start: int, end: int) -> IO[bytes]:
    """The stored bytes from `start` on, at least to before `end`; raises OSError as `open_file`.

    Of a bucket only these bytes are fetched: what django-storages opens, it reads whole.
    """
    opened = open_file(file)
    if _folder() is not None:
        opened.seek(start)
        return opened
    if start >= end:
        return io.BytesIO()
    body: IO[bytes] = opened.obj.get(Range=f"bytes={start}-{end - 1}")["Body"]  # type: ignore[attr-defined]
    return body


def chunks(file: ExportFile, start: int, end: int) -> Generator[bytes]:
    """The stored bytes from `start` to before `end`, in pieces."""
    with open_part(file, start, end) as opened:
        left = end - start
        while left and (chunk := opened.read(min(CHUNK, left))):
            left -= len(chunk)
            yield chunk


def checksummed(export: Export) -> list[ExportFile]:
    """The files of a finished export, each with its CRC-32. Exports from before it was kept are read once for it."""
    found = list(export.files.all())
    for file in found:
        if file.crc32 is None:
            file.crc32 = 0
            for chunk in chunks(file, 0, file.size):
                file.crc32 = zlib.crc32(chunk, file.crc32)
            ExportFile.objects.filter(pk=file.pk).update(crc32=file.crc32)
    return found


def keep_ledger(export_id: int, path: Path) -> None:
    """Put a finished ledger where only this installation reads it. Doing it twice puts the same bytes there."""
    folder = _folder()
    if folder is not None:
        target = folder.parent / _ledger(export_id)
        target.parent.mkdir(parents=True, exist_ok=True)
        path.rename(target)
        sync_directory(target.parent)
    else:
        with path.open("rb") as file:
            default_storage.save(_ledger(export_id), File(file))


@contextmanager
def ledger_of(export: Export | None) -> Iterator[Path | None]:
    """The ledger of a snapshot as a file of this machine, for the length of the block. Raises OSError if it is gone."""
    folder = _folder()
    if export is None:
        yield None
    elif folder is not None:
        yield folder.parent / _ledger(export.pk)
    else:
        with NamedTemporaryFile(prefix="ledger-") as copy, default_storage.open(_ledger(export.pk), "rb") as stored:
            shutil.copyfileobj(stored, copy)
            copy.flush()
            yield Path(copy.name)


def discard(export_id: int) -> None:
    """Remove what is kept of an export, finished or not."""
    discard_scratch(export_id)
    folder = _folder()
    if folder is not None:
        shutil.rmtree(folder / str(export_id), ignore_errors=True)
        (folder.parent / _ledger(export_id)).unlink(missing_ok=True)
    else:
        for name in [*_stored(f"exports/{export_id}"), _ledger(export_id)]:
            default_storage.delete(name)


def discard_scratch(export_id: int) -> None:
    shutil.rmtree(scratch_of(export_id), ignore_errors=True)


def _unfinished() -> Path:
    return (_folder() or Path(settings.VAR_DIR) / "exports") / "unfinished"


def _folder() -> Path | None:
    storage = storages["default"]
    return Path(storage.path("exports")) if isinstance(storage, FileSystemStorage) else None


def _stored(name: str) -> Iterator[str]:
    """Everything below a name, also what no row knows of because its worker was killed."""
    folders, names = default_storage.listdir(name)
    for each in names:
        yield f"{name}/{each}"
    for each in folders:
        yield from _stored(f"{name}/{each}")


def _ledger(export_id: int) -> str:
    return f"ledgers/{export_id}"


def _name(export_id: int, path: str) -> str:
    return f"exports/{export_id}/{path}"
