"""Where the files of exports are kept: `exports/<export id>/<path>` of the storage, a folder or a bucket."""

from __future__ import annotations

import shutil
from pathlib import Path
from typing import IO

from django.conf import settings
from django.core.files.base import File
from django.core.files.storage import FileSystemStorage, default_storage, storages

from exports.models import ExportFile
from exports.writers import sync_directory


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


def discard(export_id: int, paths: list[str]) -> None:
    """Remove what is kept of an export, finished or not."""
    discard_scratch(export_id)
    folder = _folder()
    if folder is not None:
        shutil.rmtree(folder / str(export_id), ignore_errors=True)
    else:
        for path in paths:
            default_storage.delete(_name(export_id, path))


def discard_scratch(export_id: int) -> None:
    shutil.rmtree(scratch_of(export_id), ignore_errors=True)


def _unfinished() -> Path:
    return (_folder() or Path(settings.VAR_DIR) / "exports") / "unfinished"


def _folder() -> Path | None:
    storage = storages["default"]
    return Path(storage.path("exports")) if isinstance(storage, FileSystemStorage) else None


def _name(export_id: int, path: str) -> str:
    return f"exports/{export_id}/{path}"
