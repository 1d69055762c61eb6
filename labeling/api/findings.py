"""Every report of the newest analysis, whole or one table at a time, and the verb that computes them anew."""

from __future__ import annotations

from typing import Any

from django.http import Http404
from django.http.response import HttpResponseBase
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import extend_schema
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from labeling.access import MANAGERS, RESEARCHERS, project_for
from labeling.actions.analyse import ask
from labeling.api.base import Endpoint
from labeling.models import Analysis
from labeling.reports.findings import NAMES, Found, age, find, find_all
from labeling.spreadsheets import csv_download
from labeling.tasks import enqueue_analysis


class AnalysisShape(serializers.Serializer[Any]):
    id = serializers.IntegerField()
    state = serializers.ChoiceField(choices=Analysis.State.choices)
    judgments = serializers.IntegerField(help_text="Single answers that were counted.")
    error = serializers.CharField()
    created_at = serializers.DateTimeField()
    finished_at = serializers.DateTimeField(allow_null=True)


class ReportLine(serializers.Serializer[Any]):
    name = serializers.CharField()
    computed_at = serializers.DateTimeField()
    judgments = serializers.IntegerField(help_text="Single answers that were counted.")
    tables = serializers.ListField(child=serializers.CharField())


class ReportsShape(serializers.Serializer[Any]):
    analysis = AnalysisShape(allow_null=True, help_text="The newest that is done.")
    running = serializers.BooleanField(help_text="Whether a newer one is on its way.")
    new = serializers.IntegerField(help_text="Annotations since, at most 10,000 are counted.")
    reports = ReportLine(many=True)


class SentenceShape(serializers.Serializer[Any]):
    code = serializers.CharField()
    text = serializers.CharField(help_text="In English.")
    about = serializers.DictField(child=serializers.JSONField())
    values = serializers.DictField(child=serializers.JSONField())
    verb = serializers.CharField(help_text="What a manager could do about it; empty where there is nothing to do.")


class TableShape(serializers.Serializer[Any]):
    columns = serializers.ListField(child=serializers.CharField())
    rows = serializers.ListField(child=serializers.ListField(child=serializers.JSONField()))


class ReportShape(serializers.Serializer[Any]):
    name = serializers.CharField()
    computed_at = serializers.DateTimeField()
    judgments = serializers.IntegerField(help_text="Single answers that were counted.")
    figures = serializers.DictField(child=serializers.JSONField())
    sentences = SentenceShape(many=True)
    tables = serializers.DictField(child=TableShape())


class Reports(Endpoint):
    @extend_schema(operation_id="list_reports", responses=ReportsShape)
    def get(self, request: Request, slug: str) -> Response:
        """Which reports there are, when they were computed, and what is new since."""
        project = project_for(self.user, slug, RESEARCHERS)
        known, found = age(project), find_all(project, *NAMES)
        lines = [
            {"name": one.name, "computed_at": one.computed_at, "judgments": one.judgments, "tables": list(one.tables)}
            for one in (found[name] for name in NAMES if name in found)
        ]
        analysis = analysis_shape(known.newest) if known.newest else None
        return Response({"analysis": analysis, "running": known.running, "new": known.new, "reports": lines})

    @extend_schema(operation_id="compute_reports", request=None, responses={202: AnalysisShape})
    def post(self, request: Request, slug: str) -> Response:
        """Compute all of them anew, for managers. Asked again while one waits, it is that one."""
        project = project_for(self.user, slug, MANAGERS)
        analysis = ask(project=project, by=self.user)
        enqueue_analysis(analysis)
        return Response(analysis_shape(analysis), status=202)


class OneReport(Endpoint):
    @extend_schema(operation_id="read_report", responses=ReportShape)
    def get(self, request: Request, slug: str, name: str) -> Response:
        """One report: figures, sentences and tables. Raters are pseudonyms."""
        found = _found(self, slug, name)
        names = ("code", "text", "about", "values", "verb")
        sentences = [{each: getattr(one, each) for each in names} for one in found.sentences]
        return Response(
            {
                "name": found.name, "computed_at": found.computed_at, "judgments": found.judgments,
                "figures": found.figures, "sentences": sentences, "tables": found.tables,
            }
        )  # fmt: skip


class OneTable(Endpoint):
    @extend_schema(operation_id="read_report_table", responses=TableShape)
    def get(self, request: Request, slug: str, name: str, table: str) -> Response:
        """One table of a report."""
        return Response(_table(_found(self, slug, name), table))


class OneTableAsCsv(Endpoint):
    @extend_schema(operation_id="download_report_table", responses={(200, "text/csv"): OpenApiTypes.BINARY})
    def get(self, request: Request, slug: str, name: str, table: str) -> HttpResponseBase:
        """The same as a CSV file for spreadsheets."""
        found = _table(_found(self, slug, name), table)
        return csv_download(f"{slug}-{name}-{table}.csv", found["columns"], found["rows"])


def analysis_shape(analysis: Analysis) -> dict[str, Any]:
    names = ("state", "judgments", "error", "created_at", "finished_at")
    return {"id": analysis.pk} | {name: getattr(analysis, name) for name in names}


def _found(endpoint: Endpoint, slug: str, name: str) -> Found:
    found = find(project_for(endpoint.user, slug, RESEARCHERS), name)
    if found is None:
        raise Http404
    return found


def _table(found: Found, name: str) -> dict[str, Any]:
    table: dict[str, Any] | None = found.tables.get(name)
    if table is None:
        raise Http404
    return table
