"""Progress, agreement, raters and models: the reports of a project, for managers and researchers.

All but progress come from the newest analysis, and say when that was.
"""

from __future__ import annotations

from typing import Any

from drf_spectacular.utils import OpenApiParameter, extend_schema
from rest_framework import serializers
from rest_framework.exceptions import ValidationError
from rest_framework.request import Request
from rest_framework.response import Response

from labeling.access import RESEARCHERS, project_for
from labeling.api.base import Endpoint
from labeling.models import Criterion, Project
from labeling.reports.agreement import COEFFICIENT, DEFINITION, project_agreement
from labeling.reports.findings import age
from labeling.reports.leaderboard import leaderboard
from labeling.reports.overview import overview
from labeling.reports.raters import project_raters

METHOD = "davidson"
NOTE = (
    "Strengths by Bradley and Terry with ties as Davidson has them, in natural logarithms with mean 0; 95 % intervals "
    "from errors clustered by prompt. `figures.plain` counts a tie as half a win. Models of different components were "
    "never compared with each other and have no common ranking."
)
NEW = "Annotations since, at most 10,000 are counted."
_FIGURES = "Every column of the report, see docs/guide.md; null where a number is not defined."


class QueueProgressShape(serializers.Serializer[Any]):
    id = serializers.IntegerField()
    name = serializers.CharField()
    paused = serializers.BooleanField()
    slots = serializers.IntegerField(help_text="Answers wanted: pairs times overlap.")
    open = serializers.IntegerField()
    leased = serializers.IntegerField()
    done = serializers.IntegerField()
    pairs = serializers.IntegerField()
    pairs_done = serializers.IntegerField(help_text="Pairs with every answer wanted.")


class ProgressShape(serializers.Serializer[Any]):
    items = serializers.IntegerField()
    pairs = serializers.IntegerField()
    annotations = serializers.IntegerField()
    raters = serializers.IntegerField()
    queues = QueueProgressShape(many=True)


class CriterionAgreementShape(serializers.Serializer[Any]):
    criterion = serializers.CharField()
    value = serializers.FloatField(allow_null=True, help_text="0 to 1; null without two answers to compare.")
    units = serializers.IntegerField(help_text="Pairs (or responses) with at least two answers.")
    comparisons = serializers.IntegerField(help_text="Comparisons of two raters.")
    said = serializers.CharField(help_text="What the figures mean, in one or two sentences.")
    figures = serializers.DictField(child=serializers.JSONField(), help_text=_FIGURES)


class AgreementShape(serializers.Serializer[Any]):
    computed_at = serializers.DateTimeField(allow_null=True, help_text="Of the analysis; null before the first.")
    new = serializers.IntegerField(help_text=NEW)
    coefficient = serializers.CharField()
    definition = serializers.CharField()
    criteria = CriterionAgreementShape(many=True)


class FlagShape(serializers.Serializer[Any]):
    code = serializers.CharField()
    said = serializers.CharField(help_text="Two numbers.")
    verb = serializers.CharField(help_text="What a manager could do: pause, review or talk.")


class RaterShape(serializers.Serializer[Any]):
    rater = serializers.CharField(help_text="The pseudonym used in the feed and in exports.")
    annotations = serializers.IntegerField(help_text="Pairs judged.")
    judgments = serializers.IntegerField(help_text="Single answers.")
    median_active_ms = serializers.IntegerField(allow_null=True)
    left_share = serializers.FloatField(
        allow_null=True, help_text="Of preferences that took a side, the share for the left."
    )
    decided = serializers.IntegerField(help_text="Preferences that took a side.")
    last_at = serializers.DateTimeField()
    flags = FlagShape(many=True)
    figures = serializers.DictField(child=serializers.JSONField(), help_text=_FIGURES)


class RatersShape(serializers.Serializer[Any]):
    computed_at = serializers.DateTimeField(allow_null=True, help_text="Of the analysis; null before the first.")
    new = serializers.IntegerField(help_text=NEW)
    raters = RaterShape(many=True)


class StandingShape(serializers.Serializer[Any]):
    model = serializers.CharField()
    wins = serializers.IntegerField()
    ties = serializers.IntegerField()
    losses = serializers.IntegerField()
    both_bad = serializers.IntegerField()
    comparisons = serializers.IntegerField()
    win_share = serializers.FloatField(help_text="Wins and half the ties, of all that named a winner or a tie.")
    figures = serializers.DictField(child=serializers.JSONField(), help_text=_FIGURES)


class LeaderboardShape(serializers.Serializer[Any]):
    computed_at = serializers.DateTimeField(allow_null=True, help_text="Of the analysis; null before the first.")
    new = serializers.IntegerField(help_text=NEW)
    criterion = serializers.CharField()
    method = serializers.CharField()
    note = serializers.CharField()
    left_out = serializers.IntegerField(help_text="Judgments of pairs with an unnamed model, or one model twice.")
    models = StandingShape(many=True, help_text="Strongest first.")
    alike = serializers.ListField(
        child=serializers.ListField(child=serializers.CharField()), help_text="Models that cannot be told apart."
    )
    figures = serializers.DictField(child=serializers.JSONField(), help_text=_FIGURES)


class Progress(Endpoint):
    @extend_schema(operation_id="read_progress", responses=ProgressShape)
    def get(self, request: Request, slug: str) -> Response:
        """How far the project and each queue have come."""
        progress = overview(project_for(self.user, slug, RESEARCHERS)).progress
        names = ("slots", "open", "leased", "done", "pairs", "pairs_done")
        queues = [
            {"id": one.queue.pk, "name": one.queue.name, "paused": one.queue.paused}
            | {name: getattr(one, name) for name in names}
            for one in progress.queues
        ]
        return Response(
            {name: getattr(progress, name) for name in ("items", "pairs", "annotations", "raters")} | {"queues": queues}
        )


class Agreement(Endpoint):
    @extend_schema(operation_id="read_agreement", responses=AgreementShape)
    def get(self, request: Request, slug: str) -> Response:
        """How far raters agree, criterion by criterion, with the coefficient named."""
        project = project_for(self.user, slug, RESEARCHERS)
        criteria = [
            {
                "criterion": one.criterion.key,
                "value": one.agreement.share,
                "units": one.agreement.units,
                "comparisons": one.agreement.comparisons,
                "said": one.said,
                "figures": one.headline,
            }
            for one in project_agreement(project)
        ]
        head = {"coefficient": COEFFICIENT, "definition": str(DEFINITION)}
        return Response(_age(project) | head | {"criteria": criteria})


class Raters(Endpoint):
    @extend_schema(operation_id="read_raters", responses=RatersShape)
    def get(self, request: Request, slug: str) -> Response:
        """What each rater has done, busiest first, under the pseudonym used everywhere in the project's data."""
        project = project_for(self.user, slug, RESEARCHERS)
        names = ("annotations", "judgments", "median_active_ms", "left_share", "decided", "last_at", "figures")
        rows = [
            {
                "rater": one.pseudonym,
                "flags": [dict(zip(("code", "said", "verb"), flag, strict=True)) for flag in one.flags],
            }
            | {name: getattr(one, name) for name in names}
            for one in project_raters(project)
        ]
        return Response(_age(project) | {"raters": rows})


class Leaderboard(Endpoint):
    @extend_schema(
        operation_id="read_leaderboard",
        parameters=[OpenApiParameter("criterion", str, description="A preference criterion; the first if left out.")],
        responses=LeaderboardShape,
    )
    def get(self, request: Request, slug: str) -> Response:
        """How strong each model is on one criterion, and how often it was preferred, tied and not preferred."""
        project = project_for(self.user, slug, RESEARCHERS)
        board = leaderboard(_criterion(project, request.query_params.get("criterion")))
        names = ("model", "wins", "ties", "losses", "both_bad", "comparisons", "win_share", "figures")
        models = [{name: getattr(one, name) for name in names} for one in board.standings]
        head = {"criterion": board.criterion.key, "method": METHOD, "note": NOTE, "left_out": board.left_out}
        tail = {"models": models, "alike": board.brackets, "figures": board.figures}
        return Response(_age(project) | head | tail)


def _age(project: Project) -> dict[str, Any]:
    found = age(project)
    return {"computed_at": found.newest.finished_at if found.newest else None, "new": found.new}


def _criterion(project: Project, key: str | None) -> Criterion:
    preferences = list(project.criteria.filter(kind=Criterion.Kind.PREFERENCE))
    found = next((one for one in preferences if key in (None, one.key)), None)
    if found is None:
        known = ", ".join(one.key for one in preferences) or "none"
        raise ValidationError({"criterion": [f"No such preference criterion. This project has: {known}."]})
    return found
