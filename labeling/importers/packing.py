"""Bytes in: what a file is packed with, and how much of it is worth reading.

Contents decide, not names; a name only decides between what contents cannot tell apart.
"""

from __future__ import annotations

import gzip
import io
import tempfile
import zipfile
import zlib
from typing import IO, Any, cast

import pyarrow as pa

MOST_UNPACKED = 8 * 1024**3
MOST_RATIO = 200
RATIO_COUNTS_FROM = 32 * 1024**2
BLOCK = 1024 * 1024
_GZIP, _ZSTD, _ZIP = b"\x1f\x8b", b"\x28\xb5\x2f\xfd", b"PK\x03\x04"
_PACKINGS = {"gz": "gzip", "zst": "zstd"}


class Unreadable(Exception):
    """The file as a whole cannot be read; the message is one sentence for whoever sent it."""


class _Borrowed(io.RawIOBase):
    """A file for a reader that closes what it reads: closing this leaves the file open."""

    def __init__(self, file: IO[bytes]) -> None:
        self._file = file

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Any) -> int:
        block = self._file.read(len(buffer))
        buffer[: len(block)] = block
        return len(block)


class Unpacked(io.RawIOBase):
    """The bytes inside a file, gzip and Zstandard undone, within limits; `position` counts the file's own bytes."""

    def __init__(self, file: IO[bytes], name: str = "") -> None:
        self._file = file
        self._read = 0
        file.seek(0)
        magic = file.read(4)
        file.seek(0)
        self.packing = _packing(magic, name)
        self._source = self._open()

    def _open(self) -> Any:
        if self.packing == "gzip":
            return gzip.GzipFile(fileobj=self._file, mode="rb")
        if self.packing == "zstd":
            return pa.CompressedInputStream(pa.PythonFile(_Borrowed(self._file), mode="r"), "zstd")
        return self._file

    @property
    def position(self) -> int:
        return self._file.tell()

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Any) -> int:
        try:
            block = self._next(len(buffer))
        except (OSError, EOFError, zlib.error, zipfile.BadZipFile, pa.ArrowException) as error:
            raise Unreadable(self._damage(error)) from error
        self._read += len(block)
        self._stay_within_limits()
        buffer[: len(block)] = block
        return len(block)

    def _next(self, size: int) -> bytes:
        """At most `size` bytes; what a damaged gzip file holds before the damage comes out as well."""
        return cast(bytes, self._source.read1(size) if self.packing == "gzip" else self._source.read(size))

    def _stay_within_limits(self) -> None:
        if self._read > MOST_UNPACKED:
            raise Unreadable(f"The file holds more than {MOST_UNPACKED // 1024**3} GB; split it.")
        if self.packing and self._read > RATIO_COUNTS_FROM and self._read > MOST_RATIO * self.position:
            raise Unreadable(
                f"The file unpacks to more than {MOST_RATIO} times its size, which no real text does; send it unpacked."
            )

    def _damage(self, error: Exception) -> str:
        if not self.packing:
            return f"The file cannot be read: {error}."
        return f"The {self.packing} file is cut short or damaged after {self._read:,} unpacked bytes; send it again."


def check_packing(file: IO[bytes], name: str) -> None:
    """Read a packed file to its end once, so that a damaged one is known before anything of it is kept."""
    unpacked = Unpacked(file, name)
    if not unpacked.packing:
        return
    lines, buffer = 0, bytearray(BLOCK)
    try:
        while size := unpacked.readinto(buffer):
            lines += buffer.count(b"\n", 0, size)
    except Unreadable as error:
        raise Unreadable(f"{error} It could be read up to line {lines + 1}; nothing of it was kept.") from error


def unpack_aside(unpacked: Unpacked) -> IO[bytes]:
    """The unpacked bytes in a temporary file without a name, for what cannot be read from front to back."""
    whole = cast(IO[bytes], tempfile.TemporaryFile())  # noqa: SIM115 - whoever asked for it closes it
    buffer = bytearray(BLOCK)
    try:
        while size := unpacked.readinto(buffer):
            whole.write(memoryview(buffer)[:size])
    except BaseException:
        whole.close()
        raise
    whole.seek(0)
    return whole


def plain_name(name: str) -> str:
    """The name without the suffix of its packing, in lower case."""
    stem, _, suffix = name.lower().rpartition(".")
    return stem if suffix in _PACKINGS else name.lower()


def check_head(head: bytes) -> None:
    """Refuse what is certainly not rows of text, by its first bytes."""
    if not head:
        raise Unreadable("The file is empty.")
    if head.startswith((_GZIP, _ZSTD)):
        raise Unreadable("The file is packed twice; unpack it once and send it again.")
    if head.startswith(_ZIP):
        raise Unreadable("There is a ZIP archive in the packed file; send the archive itself.")
    if head.startswith((b"\xff\xfe", b"\xfe\xff")):
        raise Unreadable("The file is not UTF-8: it begins like UTF-16; save it as UTF-8.")
    odd = [place for place, byte in enumerate(head) if byte < 32 and byte not in b"\t\n\r\f\x1b"]
    if len(odd) > len(head) // 20:
        raise Unreadable(
            f"The file is not text: byte {odd[0] + 1} is 0x{head[odd[0]]:02X}, and there are many like it."
        )


def _packing(magic: bytes, name: str) -> str:
    """ "gzip", "zstd" or "" for none."""
    named = _PACKINGS.get(name.lower().rpartition(".")[2], "")
    found = "gzip" if magic.startswith(_GZIP) else "zstd" if magic.startswith(_ZSTD) else ""
    if named and not found and magic:
        raise Unreadable(f"The file is named like {named} but is not packed with it; give it the name it should have.")
    return found
