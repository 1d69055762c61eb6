"""A zip of stored files whose every byte is known before it is read: so it has a length and can be had in parts.

Nothing is compressed (data is packed already) and nothing in it depends on when or where it is made, so the same files
are the same archive for ever. Layout: APPNOTE 6.3 of PKWARE, with ZIP64 where a size or an offset needs it.
"""

from __future__ import annotations

import struct
from collections.abc import Generator, Sequence
from dataclasses import dataclass
from hashlib import sha256

from exports.files import chunks
from exports.models import ExportFile

_LOCAL, _CENTRAL, _END, _END64, _LOCATOR = b"PK\3\4", b"PK\1\2", b"PK\5\6", b"PK\6\6", b"PK\6\7"
_MOST_32, _MOST_16 = 0xFFFFFFFF, 0xFFFF
_NAMES_ARE_UTF8 = 0x800
_FIRST_DAY = 0x21  # 1 January 1980, the beginning of the format's time
_PLAIN, _LARGE = 20, 45  # versions needed to read
_UNIX, _MODE = 3 << 8, 0o100644 << 16


@dataclass(frozen=True, slots=True)
class Piece:
    """Some bytes of the archive: its own, or those of a file."""

    size: int
    of: bytes | ExportFile

    def read(self, start: int, end: int) -> Generator[bytes]:
        if isinstance(self.of, bytes):
            yield self.of[start:end]
        else:
            yield from chunks(self.of, start, end)


class Archive:
    """All `files` in one folder. Each must have its `crc32`."""

    def __init__(self, files: Sequence[ExportFile], folder: str) -> None:
        self.pieces: list[Piece] = []
        directory, offset = bytearray(), 0
        for file in files:
            name = f"{folder}/{file.path}".encode()
            head = _local(file, name)
            self.pieces += [Piece(len(head), head), Piece(file.size, file)]
            directory += _central(file, name, offset)
            offset += len(head) + file.size
        tail = bytes(directory) + _end(len(files), len(directory), offset)
        self.pieces.append(Piece(len(tail), tail))
        self.size = offset + len(tail)
        known = "\n".join([folder, *(f"{file.sha256} {file.path}" for file in files)])
        self.etag = sha256(known.encode()).hexdigest()

    def read(self, start: int, end: int) -> Generator[bytes]:
        """The bytes from `start` to before `end`; only files that lie in between are opened."""
        place = 0
        for piece in self.pieces:
            first, last = max(start - place, 0), min(end - place, piece.size)
            if first < last:
                yield from piece.read(first, last)
            place += piece.size


def _local(file: ExportFile, name: bytes) -> bytes:
    large = file.size >= _MOST_32
    size = _MOST_32 if large else file.size
    extra = struct.pack("<HHQQ", 1, 16, file.size, file.size) if large else b""
    head = struct.pack(
        "<4sHHHHHLLLHH", _LOCAL, _LARGE if large else _PLAIN, _NAMES_ARE_UTF8, 0, 0, _FIRST_DAY,
        _crc(file), size, size, len(name), len(extra),
    )  # fmt: skip
    return head + name + extra


def _central(file: ExportFile, name: bytes, offset: int) -> bytes:
    large, far = file.size >= _MOST_32, offset >= _MOST_32
    sizes = [file.size, file.size] if large else []
    numbers = sizes + ([offset] if far else [])
    extra = struct.pack(f"<HH{len(numbers)}Q", 1, 8 * len(numbers), *numbers) if numbers else b""
    size = _MOST_32 if large else file.size
    version = _LARGE if numbers else _PLAIN
    head = struct.pack(
        "<4sHHHHHHLLLHHHHHLL", _CENTRAL, _UNIX | _LARGE, version, _NAMES_ARE_UTF8, 0, 0, _FIRST_DAY, _crc(file),
        size, size, len(name), len(extra), 0, 0, 0, _MODE, _MOST_32 if far else offset,
    )  # fmt: skip
    return head + name + extra


def _end(files: int, size: int, offset: int) -> bytes:
    large = files >= _MOST_16 or size >= _MOST_32 or offset >= _MOST_32
    before = b""
    if large:
        before = struct.pack(
            "<4sQHHLLQQQQ", _END64, 44, _UNIX | _LARGE, _LARGE, 0, 0, files, files, size, offset
        ) + struct.pack("<4sLQL", _LOCATOR, 0, offset + size, 1)
    count, most = min(files, _MOST_16), (min(size, _MOST_32), min(offset, _MOST_32))
    return before + struct.pack("<4sHHHHLLH", _END, 0, 0, count, count, *most, 0)


def _crc(file: ExportFile) -> int:
    if file.crc32 is None:
        raise ValueError(f"{file.path} has no checksum")
    return file.crc32
