"""The bytes of finished exports over HTTP: one file, or all of them in a zip, whole or the range that is asked for."""

from __future__ import annotations

import re
from collections.abc import Callable, Generator, Iterator
from pathlib import PurePosixPath

from django.http import Http404, HttpRequest, HttpResponse, HttpResponseBase, StreamingHttpResponse
from django.utils.http import content_disposition_header

from exports.archive import Archive
from exports.files import checksummed, chunks
from exports.models import Export, ExportFile

_RANGE = re.compile(r"bytes=(\d{0,18})-(\d{0,18})")
# What a browser gets is a file for the disk, never a page of this site.
_HEADERS = {
    "Cache-Control": "private, no-store",
    "Content-Security-Policy": "sandbox; default-src 'none'",
    "Cross-Origin-Resource-Policy": "same-origin",
    "X-Content-Type-Options": "nosniff",
}
Read = Callable[[int, int], Generator[bytes]]


def file_response(request: HttpRequest, file: ExportFile) -> HttpResponseBase:
    """The file, or the part of it that the Range header asks for (RFC 9110, one range), or 416."""
    name = PurePosixPath(file.path).name
    return _response(request, name, file.size, file.sha256, lambda start, end: chunks(file, start, end))


def archive_response(request: HttpRequest, export: Export) -> HttpResponseBase:
    """Every file in one zip, made while it is sent, so nothing is kept of it; in parts too."""
    name = f"{export.project.slug}-{export.recipe['format']}-{export.pk}"
    try:
        archive = Archive(checksummed(export), name)
    except OSError as missing:
        raise Http404("a stored file is gone") from missing
    return _response(request, f"{name}.zip", archive.size, archive.etag, archive.read)


def begins(request: HttpRequest) -> bool:
    """Whether a request asks for a download from its beginning on, and not for a later part of one."""
    found = _RANGE.fullmatch(request.headers.get("Range", ""))
    return request.method == "GET" and (found is None or not found[1] or int(found[1]) == 0)


def _response(request: HttpRequest, name: str, size: int, digest: str, read: Read) -> HttpResponseBase:
    etag = f'"{digest}"'
    part = _part(request, size, etag)
    disposition = content_disposition_header(as_attachment=True, filename=name) or "attachment"
    headers = _HEADERS | {"Content-Type": "application/octet-stream", "Content-Disposition": disposition}
    headers |= {"Accept-Ranges": "bytes", "ETag": etag}
    if part is None:
        return HttpResponse(status=416, headers=headers | {"Content-Range": f"bytes */{size}"})
    start, end = part
    whole = part == (0, size)
    headers["Content-Length"] = str(end - start)
    if not whole:
        headers["Content-Range"] = f"bytes {start}-{end - 1}/{size}"
    if request.method == "HEAD":
        return HttpResponse(headers=headers, status=200 if whole else 206)
    return StreamingHttpResponse(_Begun(read(start, end)), status=200 if whole else 206, headers=headers)


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


class _Begun:
    """An iterator that has read its first piece, so that a file that is not there is a 404 and no broken answer.

    Closes what it reads from also when the response is closed before it began.
    """

    def __init__(self, pieces: Generator[bytes]) -> None:
        self._pieces = pieces
        try:
            self._first: bytes | None = next(pieces, b"")
        except OSError as missing:
            raise Http404("the stored file is gone") from missing

    def __iter__(self) -> Iterator[bytes]:
        first, self._first = self._first, None
        if first:
            yield first
        yield from self._pieces

    def close(self) -> None:
        self._pieces.close()
