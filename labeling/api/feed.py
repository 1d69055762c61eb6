"""The feed of current annotations, for researchers' programs."""

from __future__ import annotations

from typing import Any

from django.urls import reverse
from django.utils.http import urlencode
from drf_spectacular.utils import OpenApiParameter, extend_schema
from rest_framework import serializers
from rest_framework.exceptions import ValidationError
from rest_framework.request import Request
from rest_framework.response import Response

from labeling.access import RESEARCHERS, project_for
from labeling.api.base import Endpoint, read_limit
from labeling.reports.feed import Cursor, page


class FeedItem(serializers.Serializer[Any]):
    id = serializers.IntegerField()
    external_id = serializers.CharField(allow_null=True, help_text="As it was imported.")
    language = serializers.CharField()


class FeedResponse(serializers.Serializer[Any]):
    id = serializers.IntegerField()
    model = serializers.CharField(allow_null=True)
    content = serializers.CharField()


class FeedAnnotation(serializers.Serializer[Any]):
    """One annotation in stored order: a negative preference is for `first`."""

    id = serializers.IntegerField()
    assignment = serializers.IntegerField(help_text="The same for all revisions of an answer.")
    revision = serializers.IntegerField()
    item = FeedItem()
    pair = serializers.IntegerField()
    first = FeedResponse()
    second = FeedResponse(allow_null=True)
    swapped = serializers.BooleanField(help_text="Whether `second` was shown on the left.")
    judgments = serializers.DictField(
        child=serializers.JSONField(), help_text="Criterion key → answer; sides are `first`, `second`."
    )
    rater = serializers.CharField(help_text="A pseudonym, the same throughout this project.")
    guideline = serializers.IntegerField(allow_null=True, help_text="The version the rater worked under.")
    principle = serializers.IntegerField(
        allow_null=True, help_text="Number of that version's principle that decided, if the rater named one."
    )
    claimed_at = serializers.DateTimeField()
    created_at = serializers.DateTimeField()
    active_ms = serializers.IntegerField(allow_null=True)
    withdrawn = serializers.BooleanField(help_text="Set aside by a manager: not to be used, unless that is lifted.")


class Feed(serializers.Serializer[Any]):
    next = serializers.CharField(help_text="The address to read on from: now, if `more`, or any time later.")
    previous = serializers.CharField(allow_null=True, help_text="Always null: the feed is read forwards.")
    cursor = serializers.CharField(help_text="The `after` of `next`, to be kept.")
    more = serializers.BooleanField(help_text="Whether `next` has something already.")
    results = FeedAnnotation(many=True)


class Annotations(Endpoint):
    @extend_schema(
        operation_id="list_annotations",
        parameters=[
            OpenApiParameter("after", str, description="A cursor from before."),
            OpenApiParameter("limit", int),
        ],
        responses=Feed,
    )
    def get(self, request: Request, slug: str) -> Response:
        """Every current annotation, oldest first; with `after`, only what came since.

        `next` is always given and stays good: keep it, and ask again tomorrow for what is new. A changed answer
        comes as a new annotation of the same `assignment`, with a higher `revision`. What was given under a consent
        that was taken back is not in the feed any more; what was withdrawn otherwise comes as `withdrawn`.
        """
        project = project_for(self.user, slug, RESEARCHERS)
        after, limit = _after(request), read_limit(request)
        found = page(project, after, limit)
        cursor = str(found.end)
        address = reverse("api:annotations", args=[slug]) + "?" + urlencode({"after": cursor, "limit": str(limit)})
        return Response(
            {
                "next": request.build_absolute_uri(address),
                "previous": None,
                "cursor": cursor,
                "more": len(found.rows) == limit,
                "results": found.rows,
            }
        )


def _after(request: Request) -> Cursor:
    text = request.query_params.get("after", "")
    try:
        return Cursor.parse(text) if text else Cursor()
    except ValueError:
        raise ValidationError(
            {"after": ["This is no cursor of this feed. Leave it out to start from the beginning."]}
        ) from None
