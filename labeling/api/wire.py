"""Bytes to data and back: JSON by orjson within limits, and files sent as a bare body."""

from __future__ import annotations

from collections.abc import Mapping
from typing import IO, Any

import orjson
from django.conf import settings
from django.core.files.uploadedfile import TemporaryUploadedFile
from django.utils.datastructures import MultiValueDict
from rest_framework.exceptions import ParseError
from rest_framework.negotiation import BaseContentNegotiation
from rest_framework.parsers import BaseParser, DataAndFiles
from rest_framework.renderers import BaseRenderer
from rest_framework.request import Request

from labeling.api.problems import TooLarge

LARGEST_BODY = 1024 * 1024
DEEPEST = 32
CHUNK = 1024 * 1024


class JsonRenderer(BaseRenderer):
    media_type = "application/json"
    format = "json"
    charset = None

    def render(
        self, data: Any, accepted_media_type: str | None = None, renderer_context: Mapping[str, Any] | None = None
    ) -> bytes:
        return b"" if data is None else orjson.dumps(data)


class OnlyJson(BaseContentNegotiation):
    """The API speaks JSON whatever the caller would like to hear; saying so is cheaper than a 406."""

    def select_parser(self, request: Request, parsers: Any) -> Any:
        kind = (request.content_type or "").partition(";")[0].strip().lower()
        return next((parser for parser in parsers if parser.media_type == kind), None)

    def select_renderer(self, request: Request, renderers: Any, format_suffix: str | None = None) -> tuple[Any, str]:
        return renderers[0], renderers[0].media_type


class JsonParser(BaseParser):
    media_type = "application/json"

    def parse(
        self, stream: IO[Any], media_type: str | None = None, parser_context: Mapping[str, Any] | None = None
    ) -> Any:
        body = stream.read(LARGEST_BODY + 1)
        if len(body) > LARGEST_BODY:
            raise TooLarge(f"A JSON body has at most {LARGEST_BODY // 1024} KiB. Files go to /imports/.")
        try:
            data = orjson.loads(body)
        except orjson.JSONDecodeError as error:
            raise ParseError(f"This is not JSON: line {error.lineno}, column {error.colno}: {error.msg}.") from None
        if body.count(b"[") + body.count(b"{") > DEEPEST and _deeper_than(data, DEEPEST):
            raise ParseError(f"This JSON is nested deeper than {DEEPEST} levels.")
        return data


class LinesParser(BaseParser):
    """A bare NDJSON body, kept on disk as it comes, read as if it were the multipart field `file`."""

    media_type = "application/x-ndjson"

    def parse(
        self, stream: IO[Any], media_type: str | None = None, parser_context: Mapping[str, Any] | None = None
    ) -> DataAndFiles[Any, Any]:
        kept = TemporaryUploadedFile("body.jsonl", self.media_type, 0, None)
        size = 0
        while chunk := stream.read(CHUNK):
            size += len(chunk)
            if size > settings.UPLOAD_LIMIT:
                kept.close()
                raise TooLarge(f"A file has at most {settings.UPLOAD_LIMIT // 1024**2} MiB here. Send it in parts.")
            kept.write(chunk)
        kept.size = size
        kept.seek(0)
        return DataAndFiles({}, MultiValueDict({"file": [kept]}))


def _deeper_than(data: Any, most: int) -> bool:
    level = [data]
    for _ in range(most):
        level = [inner for outer in level for inner in _inside(outer)]
        if not level:
            return False
    return True


def _inside(data: Any) -> list[Any]:
    if isinstance(data, dict):
        return [inner for inner in data.values() if isinstance(inner, dict | list)]
    return [inner for inner in data if isinstance(inner, dict | list)] if isinstance(data, list) else []
