"""The bytes of finished exports over HTTP: one file, with ranges, or all of them as they are packed into a zip."""

from __future__ import annotations

import re
import zipfile
from collections.abc import Iterator
from pathlib import PurePosixPath
from typing import IO

from django.http import Http404, HttpRequest, HttpResponse, HttpResponseBase, StreamingHttpResponse
from django.utils.http import content_disposition_header

from exports.files import open_file
from exports.models import Export, ExportFile

CHUNK = 256 * 1024
_RANGE = re.compile(r"bytes=(\d{0,18})-(\d{0,18})")
# What a browser gets is a file for the disk, never a page of this site.
_HEADERS = {
    "Cache-Control": "private, no-store",
    "Content-Security-Policy": "sandbox; default-src 'none'",
    "Cross-Origin-Resource-Policy": "same-origin",
    "X-Content-Type-Options": "nosniff",
}


def file_response(request: HttpRequest, file: ExportFile) -> HttpResponseBase:
    """The file, or the part of it that the Range header asks for (RFC 9110, one range), or 416."""
    etag = f'"{file.sha256}"'
    part = _part(request, file.size, etag)
    name = PurePosixPath(file.path).name
    headers = _headers(name) | {"Accept-Ranges": "bytes", "ETag": etag}
    if part is None:
        return HttpResponse(status=416, headers=headers | {"Content-Range": f"bytes */{file.size}"})
    start, end = part
    whole = part == (0, file.size)
    headers["Content-Length"] = str(end - start)
    if not whole:
        headers["Content-Range"] = f"bytes {start}-{end - 1}/{file.size}"
    return StreamingHttpResponse(_Part(_open(file), start, end), status=200 if whole else 206, headers=headers)


def archive_response(export: Export) -> HttpResponseBase:
    """Every file in one zip, made while it is sent, so nothing is kept of it. Data is packed already: it is stored."""
    name = f"{export.project.slug}-{export.recipe['format']}-{export.pk}"
    files = list(export.files.all())
    return StreamingHttpResponse(_zip(files, name), headers=_headers(f"{name}.zip"))


def _headers(name: str) -> dict[str, str]:
    disposition = content_disposition_header(as_attachment=True, filename=name) or "attachment"
    return _HEADERS | {"Content-Type": "application/octet-stream", "Content-Disposition": disposition}


def _part(request: HttpRequest, size: int, etag: str) -> tuple[int, int] | None:
    """Start and end of what is asked for; everything for what is no single range; None for what is not in the file."""
    found = _RANGE.fullmatch(request.headers.get("Range", ""))
    if found is None or request.headers.get("If-Range", etag) != etag:
        return 0, size
    first, last = found.groups()
    if first:
        start, end = int(first), min(int(last) + 1, size) if last else size
    elif last:
        start, end = max(size - int(last), 0), size
    else:
        return 0, size
    return (start, end) if start < end else None


def _open(file: ExportFile) -> IO[bytes]:
    try:
        return open_file(file)
    except OSError as missing:
        raise Http404("the stored file is gone") from missing


class _Part:
    """Some of a file's bytes in chunks. Closes it at the end, or when the response is closed before it began."""

    def __init__(self, file: IO[bytes], start: int, end: int) -> None:
        self.close = file.close
        self._file, self._start, self._left = file, start, end - start

    def __iter__(self) -> Iterator[bytes]:
        with self._file as file:
            file.seek(self._start)
            while self._left and (chunk := file.read(min(CHUNK, self._left))):
                self._left -= len(chunk)
                yield chunk


class _Outlet:
    """What zipfile writes to: keeps the bytes until they are sent."""

    def __init__(self) -> None:
        self.kept = bytearray()

    def write(self, data: bytes) -> int:
        self.kept += data
        return len(data)

    def flush(self) -> None:
        """Nothing to do: `taken` hands on what there is."""

    def taken(self) -> bytes:
        data, self.kept = bytes(self.kept), bytearray()
        return data


def _zip(files: list[ExportFile], name: str) -> Iterator[bytes]:
    outlet = _Outlet()
    with zipfile.ZipFile(outlet, "w", zipfile.ZIP_STORED) as archive:  # type: ignore[call-overload]
        for file in files:
            entry = zipfile.ZipInfo(f"{name}/{file.path}", date_time=(1980, 1, 1, 0, 0, 0))
            with archive.open(entry, "w", force_zip64=True) as into:
                for chunk in _Part(_open(file), 0, file.size):
                    into.write(chunk)
                    yield outlet.taken()
    yield outlet.taken()
