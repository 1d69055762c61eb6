"""Where raters differ and what was decided: for adjudicators' programs, and the decisions for researchers'."""

from __future__ import annotations

from typing import Any

from django.urls import reverse
from django.utils.http import urlencode
from drf_spectacular.utils import OpenApiExample, OpenApiParameter, extend_schema
from rest_framework import serializers
from rest_framework.exceptions import ValidationError
from rest_framework.request import Request
from rest_framework.response import Response

from labeling.access import ADJUDICATORS, RESEARCHERS, pair_to_decide, project_for
from labeling.actions.adjudicate import decide
from labeling.api.base import LIST_PARAMETERS, Endpoint, StrictSerializer, page_of, paged, read, read_limit
from labeling.models import Adjudication, Disagreement, Project
from labeling.reports.decisions import decisions_of
from labeling.reports.disagreements import MOST_COUNTED, Chosen, Cursor, counted, page
from labeling.reports.pseudonyms import pseudonym


class DisagreementShape(serializers.Serializer[Disagreement]):
    """A pair on which somebody has to decide."""

    pair = serializers.IntegerField()
    item = serializers.CharField(allow_null=True, help_text="As it was imported.")
    language = serializers.CharField(allow_blank=True)
    tags = serializers.ListField(child=serializers.CharField())
    kinds = serializers.ListField(child=serializers.ChoiceField(choices=Disagreement.Kind.choices))
    criteria = serializers.ListField(child=serializers.CharField(), help_text="On which raters differ, by key.")
    judgments = serializers.IntegerField(help_text="Raters whose answers count.")
    split = serializers.FloatField(help_text="0 to 1: how far apart, on the criterion that divides most.")
    found_at = serializers.DateTimeField()


class DisagreementPage(serializers.Serializer[Any]):
    next = serializers.CharField(allow_null=True)
    count = serializers.IntegerField(help_text=f"{MOST_COUNTED + 1} stands for more than {MOST_COUNTED}.")
    results = DisagreementShape(many=True)


class DecisionBody(StrictSerializer):
    """A decision in stored order: a negative preference is for the first response, which is “left”."""

    judgments = serializers.DictField(
        child=serializers.JSONField(), help_text="Criterion key → answer: preferences, ratings, safe or unsafe."
    )
    reason = serializers.CharField(max_length=4000, help_text="Why. Raters of the pair may read it.")
    principle = serializers.IntegerField(
        required=False, allow_null=True, min_value=1, help_text="Number of the current guideline's that decided."
    )
    seen = serializers.IntegerField(
        required=False, min_value=0, help_text="The newest decision on the pair that you know of, 0 for none; then a "
        "newer one is not overwritten unread (`decided_meanwhile`).",
    )  # fmt: skip


class AdjudicationShape(serializers.Serializer[Adjudication]):
    """One decision on one criterion, in stored order. A later one takes its place; both stay."""

    id = serializers.IntegerField()
    pair = serializers.IntegerField()
    item = serializers.CharField(allow_null=True)
    criterion = serializers.CharField()
    response = serializers.ChoiceField(choices=["first", "second"], allow_null=True, help_text="Of safety and rating.")
    preference = serializers.IntegerField(allow_null=True)
    both_bad = serializers.BooleanField()
    rating = serializers.IntegerField(allow_null=True)
    safe = serializers.BooleanField(allow_null=True)
    reason = serializers.CharField()
    principle = serializers.IntegerField(allow_null=True)
    guideline = serializers.IntegerField(allow_null=True, help_text="The version that was current.")
    current = serializers.BooleanField(help_text="Whether no later one took its place.")
    in_bulk = serializers.BooleanField()
    adjudicator = serializers.CharField(help_text="A pseudonym, of the same kind as raters'.")
    created_at = serializers.DateTimeField()


class DecidedShape(serializers.Serializer[Any]):
    decisions = AdjudicationShape(many=True)


class Disagreements(Endpoint):
    @extend_schema(
        operation_id="list_disagreements",
        parameters=[
            *LIST_PARAMETERS,
            OpenApiParameter("kind", str, description="Why it is here.", enum=Disagreement.Kind.values),
            OpenApiParameter("criterion", str, description="A criterion on which raters differ, by key."),
            OpenApiParameter("queue", int),
            OpenApiParameter("language", str),
            OpenApiParameter("tag", str),
        ],
        responses=DisagreementPage,
    )
    def get(self, request: Request, slug: str) -> Response:
        """Pairs that wait for a decision, the most split first.

        Kept by the clock: what was just said shows within half a minute.
        """
        project = project_for(self.user, slug, ADJUDICATORS)
        keys = dict(project.criteria.values_list("pk", "key"))
        chosen, limit = _chosen(request, keys), read_limit(request)
        text = request.query_params.get("cursor", "")
        after = Cursor.parse(text)
        if text and after is None:
            raise ValidationError({"cursor": ["This is no cursor of this list. Take one from `next`."]})
        found = page(project, chosen, after, limit)
        following = None
        if found.following:
            query = request.query_params.dict() | {"cursor": str(found.following)}
            address = reverse("api:disagreements", args=[slug]) + "?" + urlencode(query)
            following = request.build_absolute_uri(address)
        rows = [_disagreement(row, keys) for row in found.rows]
        return Response({"next": following, "count": counted(project, chosen), "results": rows})


class Decisions(Endpoint):
    @extend_schema(
        operation_id="decide",
        request=DecisionBody,
        responses={201: DecidedShape},
        extensions={"x-problems": ["unchanged", "judged_yourself", "decided_meanwhile"]},
        examples=[
            OpenApiExample(
                "A decision",
                value={
                    "judgments": {"helpfulness": {"preference": 2}},
                    "reason": "Only the second says when to stop.",
                    "principle": 3,
                },
                request_only=True,
            )
        ],
    )
    def post(self, request: Request, slug: str, pk: int) -> Response:
        """Decide on criteria of a pair. Nobody decides on what they judged (`judged_yourself`)."""
        pair = pair_to_decide(self.user, slug, pk)
        body = read(DecisionBody, request)
        sent = {name: body[name] for name in ("judgments", "principle") if body.get(name) is not None}
        made = decide(pair=pair, by=self.user, body=sent, reason=body["reason"], seen=body.get("seen"))
        rows = decisions_of(pair.project).filter(pk__in=[one.pk for one in made])
        return Response({"decisions": [_shape(pair.project, one) for one in rows]}, status=201)


class Adjudications(Endpoint):
    @extend_schema(
        operation_id="list_adjudications",
        parameters=[*LIST_PARAMETERS, OpenApiParameter("current", bool, description="Only those that stand.")],
        responses=page_of(AdjudicationShape),
    )
    def get(self, request: Request, slug: str) -> Response:
        """Every decision, newest first, also those that another took the place of."""
        project = project_for(self.user, slug, RESEARCHERS)
        rows = decisions_of(project)
        if request.query_params.get("current", "").lower() in ("1", "true"):
            rows = rows.filter(current=True)
        return Response(paged(request, rows, lambda one: _shape(project, one), "-id"))


def _chosen(request: Request, keys: dict[int, str]) -> Chosen:
    asked = request.query_params.dict()
    if wanted := asked.get("criterion"):
        found = next((pk for pk, key in keys.items() if key == wanted), None)
        if found is None:
            raise ValidationError({"criterion": [f"No such criterion. This project has: {', '.join(keys.values())}."]})
        asked["criterion"] = str(found)
    return Chosen.of(asked)


def _disagreement(row: Disagreement, keys: dict[int, str]) -> dict[str, Any]:
    item = row.pair.item
    return {
        "pair": row.pair_id, "item": item.external_id or None, "language": item.language, "tags": item.tags,
        "kinds": row.kinds, "criteria": [keys[pk] for pk in row.criteria if pk in keys], "judgments": row.judgments,
        "split": row.split, "found_at": row.found_at,
    }  # fmt: skip


def _shape(project: Project, one: Adjudication) -> dict[str, Any]:
    side = None if one.response_id is None else "first" if one.response_id == one.pair.first_id else "second"
    names = (
        "id", "preference", "both_bad", "rating", "safe", "reason", "principle", "current", "in_bulk", "created_at",
    )  # fmt: skip
    return {name: getattr(one, name) for name in names} | {
        "pair": one.pair_id, "item": one.pair.item.external_id or None, "criterion": one.criterion.key,
        "response": side, "guideline": one.guideline.version if one.guideline else None,
        "adjudicator": pseudonym(project, one.adjudicator_id),
    }  # fmt: skip
