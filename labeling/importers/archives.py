"""An archive of one data file and the images that its rows name: .zip, or .tar packed like any other file.

Nothing is ever unpacked to a name from the archive: files are read by name out of it, within limits. An archive with
a name that points outside, a link, a name twice, or another archive in it is refused as a whole.
"""

from __future__ import annotations

import io
import struct
import tarfile
import unicodedata
import zipfile
import zlib
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import PurePosixPath
from typing import IO, Any, cast

from labeling.importers.packing import MOST_RATIO, MOST_UNPACKED, RATIO_COUNTS_FROM, Unreadable

MOST_ENTRIES = 200_000
MOST_HEADER = 64 * 1024 * 1024
DATA = (".jsonl", ".ndjson", ".json", ".csv", ".tsv", ".parquet")
_PACKED = (".zip", ".tar", ".tgz", ".gz", ".zst", ".bz2", ".xz", ".7z", ".rar")
_BLOCK = 1024 * 1024
_DAMAGE = (zipfile.BadZipFile, zlib.error, EOFError, OSError, NotImplementedError, RuntimeError, struct.error)


class NoFile(Exception):
    """A file cannot be read out of the archive; the message goes on after its name."""


@dataclass(frozen=True, slots=True)
class Entry:
    """`packed` is how many bytes of the archive it takes; `place` is what its kind of archive finds it by."""

    name: str
    size: int
    packed: int
    place: Any
    fault: str = ""


class Archive:
    """What both kinds have: the data file, and any other file by its name."""

    def __init__(self, entries: Iterable[Entry], size: int) -> None:
        files = _checked(entries, size)
        self.entry = _data_file(files)
        self._files = files
        self._folder = PurePosixPath(self.entry.name).parent

    @property
    def name(self) -> str:
        return PurePosixPath(self.entry.name).name

    def data(self) -> IO[bytes]:
        """The data file from its beginning."""
        raise NotImplementedError

    @property
    def seeks(self) -> bool:
        """Whether jumping about in the data file is cheap."""
        raise NotImplementedError

    def check(self) -> None:
        """Read the data file to its end."""
        data = self.data()
        try:
            while data.read(_BLOCK):
                pass
        except _DAMAGE as error:
            raise Unreadable(f"“{self.name}” in the archive is damaged; pack and send it again.") from error

    def read(self, name: str, most: int) -> bytes:
        """A file by its name, seen from the data file or from the top, up to one byte more than `most`."""
        wanted = _plain(name)
        if wanted is None:
            raise NoFile("is no name of a file in the archive; write it as the archive does, such as images/1.png")
        entry = self._files.get(str(self._folder / wanted)) or self._files.get(wanted)
        if entry is None:
            raise NoFile("is not in the archive; put the file in, or correct the name")
        try:
            return self._bytes(entry, most + 1)
        except _DAMAGE as error:
            raise NoFile("is damaged in the archive; pack and send it again") from error

    def _bytes(self, entry: Entry, most: int) -> bytes:
        raise NotImplementedError


def open_archive(file: IO[bytes], size: int) -> Archive | None:
    """The archive that the file is, or None; `file` is not packed otherwise. Raises Unreadable."""
    file.seek(0)
    head = file.read(512)
    file.seek(0)
    if head.startswith((b"PK\x03\x04", b"PK\x05\x06")):
        return _Zip(file, size)
    return _Tar(file, size) if is_tar(head) else None


def is_tar(head: bytes) -> bool:
    return head[257:262] == b"ustar"


class _Zip(Archive):
    seeks = False

    def __init__(self, file: IO[bytes], size: int) -> None:
        _check_directory(file, size)
        try:
            self._zip = zipfile.ZipFile(file)
        except (*_DAMAGE, ValueError) as error:
            raise Unreadable("The zip archive is cut short or damaged; send it again.") from error
        super().__init__((_of_zip(info) for info in self._zip.infolist() if not info.is_dir()), size)
        if self.entry.size > RATIO_COUNTS_FROM and self.entry.size > MOST_RATIO * self.entry.packed:
            raise Unreadable(
                f"“{self.name}” unpacks to more than {MOST_RATIO} times its size, which no real text does."
            )

    def data(self) -> IO[bytes]:
        try:
            return self._zip.open(self.entry.place)
        except _DAMAGE as error:
            raise Unreadable("The zip archive is damaged; send it again.") from error

    def _bytes(self, entry: Entry, most: int) -> bytes:
        with self._zip.open(entry.place) as opened:
            return opened.read(most)


class _Tar(Archive):
    seeks = True

    def __init__(self, file: IO[bytes], size: int) -> None:
        self._file = file
        try:
            with tarfile.open(fileobj=cast(IO[bytes], _Headers(file)), mode="r:") as members:
                super().__init__((_of_tar(member) for member in members if not member.isdir()), size)
        except (tarfile.TarError, OSError, ValueError, OverflowError) as error:
            raise Unreadable("The tar archive is cut short or damaged; send it again.") from error

    def data(self) -> IO[bytes]:
        return cast(IO[bytes], _Section(self._file, self.entry.place, self.entry.size))

    def _bytes(self, entry: Entry, most: int) -> bytes:
        self._file.seek(entry.place)
        data = self._file.read(min(most, entry.size))
        if len(data) < min(most, entry.size):
            raise EOFError
        return data


class _Headers(io.RawIOBase):
    """A tar file for a reader of its headers, which are small: a long one is an attack on the memory."""

    def __init__(self, file: IO[bytes]) -> None:
        self._file = file

    def read(self, size: int = -1) -> bytes:
        if not 0 <= size <= _BLOCK:
            raise OSError("a header of this size is none")
        return self._file.read(size)

    def seek(self, offset: int, whence: int = io.SEEK_SET) -> int:
        return self._file.seek(offset, whence)

    def tell(self) -> int:
        return self._file.tell()


class _Section(io.RawIOBase):
    """A stretch of a file as a file of its own."""

    def __init__(self, file: IO[bytes], start: int, size: int) -> None:
        self._file, self._start, self._size, self._at = file, start, size, 0

    def readable(self) -> bool:
        return True

    def seekable(self) -> bool:
        return True

    def readinto(self, buffer: Any) -> int:
        self._file.seek(self._start + self._at)
        data = self._file.read(max(0, min(len(buffer), self._size - self._at)))
        buffer[: len(data)] = data
        self._at += len(data)
        return len(data)

    def seek(self, offset: int, whence: int = io.SEEK_SET) -> int:
        self._at = offset + {io.SEEK_SET: 0, io.SEEK_CUR: self._at, io.SEEK_END: self._size}[whence]
        return self._at

    def tell(self) -> int:
        return self._at


def _check_directory(file: IO[bytes], size: int) -> None:
    """A zip's list of files is read as a whole, so its size is looked at first: it may say what it likes."""
    file.seek(max(0, size - 66_000))
    tail = file.read()
    file.seek(0)
    end, end64 = tail.rfind(b"PK\x05\x06"), tail.rfind(b"PK\x06\x06")
    listed = [struct.unpack_from("<I", tail, end + 12)[0]] if 0 <= end <= len(tail) - 22 else []
    listed += [struct.unpack_from("<Q", tail, end64 + 40)[0]] if 0 <= end64 <= len(tail) - 56 else []
    if any(MOST_HEADER < bytes_listed != 0xFFFFFFFF for bytes_listed in listed):
        raise Unreadable(_too_many())


def _of_zip(info: zipfile.ZipInfo) -> Entry:
    fault = ""
    if info.flag_bits & 0x1:
        fault = "is encrypted"
    elif info.compress_type not in (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED):
        fault = "is packed in an unusual way (use the plain zip of every system)"
    elif (info.external_attr >> 28) not in (0, 0o10):  # of the file type in a Unix mode, which some do not write
        fault = "is a link or device, not a file"
    return Entry(info.orig_filename, info.file_size, info.compress_size, info, fault)


def _of_tar(member: tarfile.TarInfo) -> Entry:
    fault = "" if member.isreg() and not member.issparse() else "is a link or device, not a file"
    return Entry(member.name, member.size, member.size, member.offset_data, fault)


def _checked(entries: Iterable[Entry], size: int) -> dict[str, Entry]:
    """The files by plain name, if nothing is wrong with any of them."""
    files: dict[str, Entry] = {}
    packed = unpacked = 0
    for entry in entries:
        name = _checked_name(entry)
        if name in files:
            raise Unreadable(f"The archive holds {_shown(name)} twice; keep one of them.")
        files[name] = entry
        packed, unpacked = packed + entry.packed, unpacked + entry.size
        if len(files) > MOST_ENTRIES:
            raise Unreadable(_too_many())
        if packed > size:
            raise Unreadable("The archive is cut short or damaged, or its files overlap; pack it again.")
        if unpacked > MOST_UNPACKED:
            raise Unreadable(f"The archive holds more than {MOST_UNPACKED // 1024**3} GB; split it.")
    return files


def _checked_name(entry: Entry) -> str:
    name = _plain(entry.name)
    if name is None:
        raise Unreadable(f"The archive names a file outside itself, {_shown(entry.name)}; pack it with plain names.")
    if entry.fault:
        raise Unreadable(f"{_shown(entry.name)} in the archive {entry.fault}; pack it again without.")
    if name.lower().endswith(_PACKED):
        raise Unreadable(f"The archive holds another one, {_shown(name)}; put its files in directly.")
    return name


def _data_file(files: dict[str, Entry]) -> Entry:
    """The one file of rows. What systems put beside files is not looked at."""
    found = [name for name in files if name.lower().endswith(DATA) and not _is_of_a_system(name)]
    if not found:
        raise Unreadable(f"The archive holds no data file; put one of {', '.join(DATA)} in, beside its images.")
    if len(found) > 1:
        raise Unreadable(f"The archive holds several data files ({_shown(found[0])}, {_shown(found[1])}); send one.")
    entry = files[found[0]]
    return Entry(found[0], entry.size, entry.packed, entry.place)


def _is_of_a_system(name: str) -> bool:
    return any(part.startswith(".") or part == "__MACOSX" for part in name.split("/"))


def _plain(name: str) -> str | None:
    """A relative name without detours, in one spelling of its letters; None for any other."""
    if not name or "\\" in name or name.startswith("/") or any(ord(sign) < 32 for sign in name) or name[1:2] == ":":
        return None
    parts = [part for part in name.split("/") if part not in ("", ".")]
    return None if ".." in parts or not parts else unicodedata.normalize("NFC", "/".join(parts))


def _too_many() -> str:
    return f"The archive lists more than {MOST_ENTRIES:,} files; split it."


def _shown(name: str) -> str:
    return f"“{name[-60:]}”" if name.isprintable() else repr(name[-60:])
