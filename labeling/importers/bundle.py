"""Rows and a folder of images → one archive, so that whatever goes on with the import has all of it."""

from __future__ import annotations

import tempfile
import zipfile
from collections.abc import Iterable
from pathlib import Path, PurePosixPath
from shutil import copyfileobj
from typing import IO, cast

from labeling.importers.archives import DATA
from labeling.importers.packing import Unpacked, Unreadable, plain_name


def bundle(rows: IO[bytes], name: str, folder: Path, images: Iterable[str]) -> IO[bytes]:
    """A zip in a temporary file: the rows under their own name, and those of `images` that lie in the folder.

    A name that leads out of the folder, by itself or by a link, is left out, and its row refused by the reading.
    """
    inside = PurePosixPath(plain_name(name)).name
    if not inside.endswith(DATA):
        raise Unreadable(f"With images beside it the file needs a name that ends in one of {', '.join(DATA)}.")
    made = cast(IO[bytes], tempfile.TemporaryFile())  # noqa: SIM115 - whoever asked for it closes it
    home = folder.resolve()
    with zipfile.ZipFile(made, "w", zipfile.ZIP_STORED) as archive:
        with archive.open(zipfile.ZipInfo(inside), "w", force_zip64=True) as into:
            copyfileobj(Unpacked(rows, name), into)
        for image in sorted({*images} - {inside}):
            path = _within(home, image)
            if path is not None:
                archive.write(path, image)
    made.seek(0)
    return made


def _within(home: Path, image: str) -> Path | None:
    try:
        path = (home / image).resolve()
        return path if path.is_relative_to(home) and path.is_file() else None
    except (OSError, ValueError):  # a name that no file can have
        return None
