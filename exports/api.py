"""Exports over HTTP: ask for one, follow it, fetch its files."""

from __future__ import annotations

from typing import Any

from django.http import HttpResponseBase
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import OpenApiParameter, OpenApiResponse, extend_schema
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from exports.access import export_for, exports_for, file_for
from exports.actions import request_export
from exports.downloads import file_response
from exports.models import Export
from exports.tasks import enqueue_export
from labeling.access import RESEARCHERS, project_for
from labeling.actions.refusals import Refused
from labeling.api.base import LIST_PARAMETERS, Endpoint, StrictSerializer, page_of, paged, read
from labeling.models import Project, User


class NewExport(StrictSerializer):
    recipe = serializers.JSONField(help_text="The name of a recipe (`dpo`, `reward`, …), or a recipe as an object.")
    name = serializers.CharField(max_length=120, required=False, allow_blank=True)
    since = serializers.IntegerField(required=False, help_text="Id of a snapshot: only what is new or changed since.")
    as_of = serializers.IntegerField(required=False, help_text="Id of a snapshot: of the judgments it was made of.")


class FileShape(serializers.Serializer[Any]):
    path = serializers.CharField()
    rows = serializers.IntegerField(allow_null=True, help_text="Of a data file.")
    bytes = serializers.IntegerField()
    sha256 = serializers.CharField()


class ExportLine(serializers.Serializer[Export]):
    """An export and how far it is. `pairs` counts those that were read, judged or not."""

    id = serializers.IntegerField()
    name = serializers.CharField()
    state = serializers.ChoiceField(choices=Export.State.choices)
    percent = serializers.IntegerField()
    pairs = serializers.IntegerField()
    pairs_read = serializers.IntegerField()
    rows = serializers.IntegerField()
    recipe = serializers.DictField()
    error = serializers.CharField(allow_blank=True)
    number = serializers.IntegerField(allow_null=True, help_text="1, 2 … by name; given when it is done.")
    content_hash = serializers.CharField(allow_blank=True, help_text="Over the paths and hashes of its files.")
    since = serializers.IntegerField(allow_null=True, help_text="The snapshot that it counts from.")
    superseded_at = serializers.DateTimeField(allow_null=True)
    superseded_why = serializers.CharField(allow_blank=True)
    superseded_by = serializers.IntegerField(allow_null=True, help_text="What takes its place.")
    closed_at = serializers.DateTimeField(allow_null=True, help_text="Since when its files cannot be fetched.")
    created_at = serializers.DateTimeField()
    finished_at = serializers.DateTimeField(allow_null=True)


class ExportShape(ExportLine):
    """With its files, and the manifest, once it is done."""

    files = FileShape(many=True)
    manifest = serializers.DictField(allow_null=True)


class Exports(Endpoint):
    @extend_schema(operation_id="list_exports", parameters=LIST_PARAMETERS, responses=page_of(ExportLine))
    def get(self, request: Request, slug: str) -> Response:
        """The exports of a project, newest first."""
        project = project_for(self.user, slug, RESEARCHERS)
        return Response(
            paged(request, exports_for(self.user).filter(project=project), export_line, "-created_at", "-id")
        )

    @extend_schema(operation_id="create_export", request=NewExport, responses={202: ExportShape})
    def post(self, request: Request, slug: str) -> Response:
        """Ask for an export of the judgments as they are when it starts. A worker makes it; follow its `state`."""
        project = project_for(self.user, slug, RESEARCHERS)
        asked = read(NewExport, request)
        for name in ("since", "as_of"):
            if name in asked:
                asked[name] = snapshot_in(self.user, project, asked[name], name)
        made = request_export(project=project, by=self.user, **asked)
        enqueue_export(made)
        return Response(export_shape(made), status=202)


class OneExport(Endpoint):
    @extend_schema(operation_id="read_export", responses=ExportShape)
    def get(self, request: Request, pk: int) -> Response:
        """State and progress, and the files once `state` is `done`."""
        return Response(export_shape(export_for(self.user, pk)))


class OneFile(Endpoint):
    @extend_schema(
        operation_id="read_export_file",
        parameters=[OpenApiParameter("Range", str, OpenApiParameter.HEADER, description="One range of bytes.")],
        responses={
            (200, "application/octet-stream"): OpenApiTypes.BINARY,
            (206, "application/octet-stream"): OpenApiTypes.BINARY,
            410: OpenApiResponse(description="Closed: it holds what was withdrawn since."),
            416: OpenApiResponse(description="The range lies outside the file; Content-Range says how long it is."),
        },
    )
    def get(self, request: Request, pk: int, path: str) -> HttpResponseBase:
        """The bytes of a file of a finished export, whole or in part. Its ETag is its SHA-256."""
        return file_response(request._request, file_for(self.user, pk, path))


def snapshot_in(user: User, project: Project, pk: int, field: str) -> Export:
    """A done export of this project; raises Refused naming the field of the request."""
    found = exports_for(user).filter(project=project, pk=pk, state=Export.State.DONE).first()
    if found is None:
        said = "There is no such snapshot in this project."
        raise Refused("invalid", said, {field: said})
    return found


def export_line(export: Export) -> dict[str, Any]:
    names = (
        "id", "name", "state", "percent", "recipe", "error", "number", "content_hash", "superseded_at",
        "superseded_why", "closed_at", "created_at", "finished_at",
    )  # fmt: skip
    counts = {"pairs": export.rows_total, "pairs_read": export.rows_read, "rows": export.rows_written}
    others = {"since": export.since_id, "superseded_by": export.superseded_by_id}
    return {name: getattr(export, name) for name in names} | counts | others


def export_shape(export: Export) -> dict[str, Any]:
    files = [
        {"path": file.path, "rows": file.rows, "bytes": file.size, "sha256": file.sha256} for file in export.files.all()
    ]
    return export_line(export) | {"files": files, "manifest": export.manifest}
