"""The zip of an export, to the byte: in parts, of any size, the same each time."""

from __future__ import annotations

import io
import random
import zipfile
import zlib
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from django.test import Client

from exports import archive
from exports.actions import build_export, request_export
from exports.archive import Archive
from exports.models import Export, ExportFile
from labeling.models import Project, User


class Sliced(io.RawIOBase):
    """An archive as a file that a zip reader can look into, read by ranges only."""

    def __init__(self, of: Archive) -> None:
        self.of, self.place = of, 0

    def seekable(self) -> bool:
        return True

    def tell(self) -> int:
        return self.place

    def seek(self, offset: int, whence: int = io.SEEK_SET) -> int:
        self.place = offset + {io.SEEK_SET: 0, io.SEEK_CUR: self.place, io.SEEK_END: self.of.size}[whence]
        return self.place

    def read(self, size: int = -1) -> bytes:
        end = self.of.size if size < 0 else min(self.of.size, self.place + size)
        data = b"".join(self.of.read(self.place, end))
        self.place = end
        return data


def entry(path: str, size: int, crc32: int = 0) -> ExportFile:
    return ExportFile(path=path, size=size, sha256="0" * 64, crc32=crc32)


@pytest.fixture
def zeros(monkeypatch: pytest.MonkeyPatch) -> None:
    """Files of nothing but zeros, as long as one likes."""

    def read(file: ExportFile, start: int, end: int) -> Iterator[bytes]:
        yield bytes(end - start)

    monkeypatch.setattr(archive, "chunks", read)


@pytest.mark.parametrize("sizes", [[10], [2**32 - 2, 5], [2**32 - 1], [5 * 2**30, 7, 2**32, 3], [3 * 2**30] * 3])
def test_sizes_and_places_beyond_four_gigabytes(zeros: None, sizes: list[int]) -> None:
    sums = [zlib.crc32(bytes(size)) if size < 100 else 0 for size in sizes]
    files = [entry(f"data/{number}.parquet", *each) for number, each in enumerate(zip(sizes, sums, strict=True))]
    made = Archive(files, "advice")
    with zipfile.ZipFile(Sliced(made)) as read:
        assert [info.file_size for info in read.infolist()] == sizes
        last = read.infolist()[-1]
        assert last.filename == f"advice/data/{len(sizes) - 1}.parquet"
        with read.open(last) as file:
            assert file.read(3) == b"\0\0\0"


def test_more_files_than_sixteen_bits_count(zeros: None) -> None:
    made = Archive([entry(f"{number}", 0) for number in range(65_536)], "many")
    with zipfile.ZipFile(Sliced(made)) as read:
        assert len(read.infolist()) == 65_536


def test_every_range_is_that_of_the_whole(monkeypatch: pytest.MonkeyPatch) -> None:
    texts = {"README.md": b"card", "data/a.jsonl": b"row\n" * 50, "empty": b"", "ünï.txt": b"x"}

    def read(file: ExportFile, start: int, end: int) -> Iterator[bytes]:
        yield texts[file.path][start:end]

    monkeypatch.setattr(archive, "chunks", read)
    made = Archive([entry(path, len(data), zlib.crc32(data)) for path, data in texts.items()], "x")
    whole = b"".join(made.read(0, made.size))
    assert len(whole) == made.size
    assert all(b"".join(made.read(start, made.size)) == whole[start:] for start in range(made.size))
    dice = random.Random(7)
    for _ in range(300):
        start, end = sorted(dice.sample(range(made.size + 1), 2))
        assert b"".join(made.read(start, end)) == whole[start:end]


def test_without_a_checksum_nothing_is_made() -> None:
    with pytest.raises(ValueError, match="checksum"):
        Archive([ExportFile(path="a", size=1, sha256="0" * 64)], "x")


# --- over HTTP ------------------------------------------------------------------------------------


@pytest.fixture
def done(study: Project, stored: Path) -> Export:
    export = request_export(project=study, by=User.objects.get(name="Noor"), recipe="dpo")
    build_export(export=export)
    export.refresh_from_db()
    return export


@pytest.fixture
def noor(study: Project) -> Client:
    client = Client()
    client.force_login(User.objects.get(name="Noor"))
    return client


def body(answer: Any) -> bytes:
    return b"".join(answer.streaming_content)


def test_a_download_that_broke_off_goes_on(noor: Client, done: Export, tmp_path: Path) -> None:
    address = f"/projects/advice/exports/{done.pk}/all.zip"
    whole = noor.get(address)
    data = body(whole)
    assert whole["Content-Length"] == str(len(data)) and whole["Accept-Ranges"] == "bytes"
    rest = noor.get(address, headers={"Range": "bytes=1000-", "If-Range": whole["ETag"]})
    assert (rest.status_code, rest["Content-Range"]) == (206, f"bytes 1000-{len(data) - 1}/{len(data)}")
    kept = tmp_path / "all.zip"
    kept.write_bytes(data[:1000] + body(rest))
    assert kept.read_bytes() == data
    assert zipfile.ZipFile(kept).testzip() is None
    head = noor.head(address)
    assert (head["Content-Length"], head["ETag"], head.content) == (str(len(data)), whole["ETag"], b"")
    beyond = noor.get(address, headers={"Range": f"bytes={len(data)}-"})
    assert (beyond.status_code, beyond["Content-Range"]) == (416, f"bytes */{len(data)}")


def test_the_same_files_are_the_same_archive(noor: Client, done: Export) -> None:
    address = f"/projects/advice/exports/{done.pk}/all.zip"
    first, second = noor.get(address), noor.get(address)
    assert first["ETag"] == second["ETag"] and body(first) == body(second)
    ExportFile.objects.filter(export=done).update(crc32=None)  # as exports were before it was kept
    third = noor.get(address)
    assert third["ETag"] == first["ETag"] and zipfile.ZipFile(io.BytesIO(body(third))).testzip() is None
    assert not ExportFile.objects.filter(crc32=None).exists()


def test_files_that_are_gone_are_not_found(noor: Client, done: Export, stored: Path) -> None:
    for path in (stored / str(done.pk)).rglob("*"):
        if path.is_file():
            path.unlink()
    assert noor.get(f"/projects/advice/exports/{done.pk}/files/README.md").status_code == 404
    ExportFile.objects.update(crc32=None)
    assert noor.get(f"/projects/advice/exports/{done.pk}/all.zip").status_code == 404
