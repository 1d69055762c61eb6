"""A file as a multipart body, sent as it is read."""

from __future__ import annotations

import secrets
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path

CHUNK = 1024 * 1024


def multipart(file: Path, fields: Mapping[str, str]) -> tuple[dict[str, str], Callable[[], Iterator[bytes]]]:
    """Headers, and what makes the body anew for each time that it is sent."""
    boundary = secrets.token_hex(16)
    name = "".join("_" if sign in '"\\' or not sign.isprintable() else sign for sign in file.name)
    head = b"".join(
        f'--{boundary}\r\nContent-Disposition: form-data; name="{key}"\r\n\r\n{value}\r\n'.encode()
        for key, value in fields.items()
    )
    disposition = f'Content-Disposition: form-data; name="file"; filename="{name}"'
    head += f"--{boundary}\r\n{disposition}\r\nContent-Type: application/octet-stream\r\n\r\n".encode()
    tail = f"\r\n--{boundary}--\r\n".encode()

    def body() -> Iterator[bytes]:
        yield head
        with file.open("rb") as source:
            while chunk := source.read(CHUNK):
                yield chunk
        yield tail

    length = len(head) + file.stat().st_size + len(tail)
    return {"Content-Type": f"multipart/form-data; boundary={boundary}", "Content-Length": str(length)}, body
