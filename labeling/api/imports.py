"""Items by file: a batch is stored and waits for a worker; its counts and refusals can be watched."""

from __future__ import annotations

from typing import Any, cast

from django.conf import settings
from django.core.files import File
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import extend_schema
from rest_framework import serializers
from rest_framework.exceptions import ValidationError
from rest_framework.parsers import MultiPartParser
from rest_framework.request import Request
from rest_framework.response import Response

from labeling.access import MANAGERS, batch_for, project_for
from labeling.actions.import_items import start_batch, store_file
from labeling.api.base import LIST_PARAMETERS, Endpoint, StrictSerializer, page_of, paged
from labeling.api.problems import TooLarge
from labeling.api.wire import LinesParser
from labeling.importers import FORMATS
from labeling.models import Batch, Refusal
from labeling.tasks import enqueue_import

PARTS = {"file", "format"}


class NewImport(StrictSerializer):
    file = serializers.FileField(
        help_text="JSONL, JSON, CSV or Parquet, plain or as .gz or .zst; or a .zip of it and its images."
    )
    format = serializers.ChoiceField(
        choices=sorted(FORMATS), required=False, help_text="Guessed from the file if left out."
    )


class RefusalShape(serializers.Serializer[Refusal]):
    line = serializers.IntegerField()
    field = serializers.CharField()
    reason = serializers.CharField()


class BatchShape(serializers.Serializer[Batch]):
    id = serializers.IntegerField()
    name = serializers.CharField()
    format = serializers.CharField(help_text="Empty until it is known.")
    state = serializers.ChoiceField(choices=Batch.State.choices)
    percent = serializers.IntegerField()
    read = serializers.IntegerField(help_text="Rows so far; in the end kept + duplicate + refused.")
    kept = serializers.IntegerField()
    duplicate = serializers.IntegerField(help_text="Rows whose item was there already.")
    refused = serializers.IntegerField()
    sha256 = serializers.CharField()
    error = serializers.CharField(help_text="Why the file as a whole could not be read; empty if it could.")
    created_at = serializers.DateTimeField()
    finished_at = serializers.DateTimeField(allow_null=True)


class BatchAndRefusals(BatchShape):
    refusals = page_of(RefusalShape)


class Imports(Endpoint):
    parser_classes = (MultiPartParser, LinesParser)

    @extend_schema(
        operation_id="start_import",
        request={"multipart/form-data": NewImport, "application/x-ndjson": OpenApiTypes.BINARY},
        responses={202: BatchShape},
    )
    def post(self, request: Request, slug: str) -> Response:
        """Send a file, or native rows as an NDJSON body: 202 with the batch, which a worker then reads.

        Bad rows are refused one by one, with line, field and reason; the others are kept. An item that is there
        already is counted as a duplicate, so that sending a file twice is safe.
        """
        project = project_for(self.user, slug, MANAGERS)
        content, format_name = _read(request)
        with content:  # the storage may have moved it, which only its closing finds out quietly
            stored = store_file(content)
        name = content.name or "body.jsonl"
        batch = start_batch(project=project, by=self.user, name=name, stored=stored, format_name=format_name)
        enqueue_import(batch)
        return Response(batch_shape(batch), status=202)


class OneImport(Endpoint):
    @extend_schema(operation_id="read_import", parameters=LIST_PARAMETERS, responses=BatchAndRefusals)
    def get(self, request: Request, pk: int) -> Response:
        """A batch: how far it is, what was kept, and a page of the refused rows in the file's order."""
        batch = batch_for(self.user, pk)
        refusals = paged(request, batch.refusals.all(), refusal_shape, "line", "id")
        return Response(batch_shape(batch) | {"refusals": refusals})


def batch_shape(batch: Batch) -> dict[str, Any]:
    names = ("id", "name", "format", "state", "percent", "read", "kept", "duplicate", "refused", "sha256", "error",
             "created_at", "finished_at")  # fmt: skip
    return {name: getattr(batch, name) for name in names}


def refusal_shape(refusal: Refusal) -> dict[str, Any]:
    return {"line": refusal.line, "field": refusal.field, "reason": refusal.reason}


def _read(request: Request) -> tuple[File[bytes], str]:
    """The file and its format, empty if it is to be guessed."""
    if int(request.META.get("CONTENT_LENGTH") or 0) > settings.UPLOAD_LIMIT:
        raise TooLarge(f"A file has at most {settings.UPLOAD_LIMIT // 1024**2} MiB here. Send it in parts.")
    sent = cast("dict[str, Any]", request.data)
    format_name = str(sent.get("format", ""))
    errors = {name: [f"Unknown field. Known: {', '.join(sorted(PARTS))}."] for name in sent.keys() - PARTS}
    content = request.FILES.get("file")
    if content is None or not content.size:
        errors["file"] = ["Send a file with at least one row: a multipart field `file`, or a body of NDJSON."]
    if format_name and format_name not in FORMATS:
        errors["format"] = [f"Unknown format. Known: {', '.join(sorted(FORMATS))}."]
    if errors:
        raise ValidationError(errors)
    return content, format_name
