"""Handing out over HTTP: links to a snapshot's files for people without an account, and pushes to a hub."""

from __future__ import annotations

from typing import Any

from django.conf import settings
from django.urls import reverse
from django.views.decorators.debug import sensitive_variables
from drf_spectacular.utils import extend_schema
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from exports.access import export_for, link_for
from exports.links import LONGEST_DAYS, make_link, revoke_link
from exports.models import DownloadLink, HubPush
from exports.pushes import LONGEST_TOKEN, request_push
from exports.tasks import enqueue_push
from labeling.api.base import LIST_PARAMETERS, Endpoint, StrictSerializer, page_of, paged, read

_NOT_YET = {"x-problems": ["not_ready", "too_many", "closed"]}


class NewLink(StrictSerializer):
    days = serializers.IntegerField(min_value=1, max_value=LONGEST_DAYS, default=7, help_text="How long it lasts.")
    note = serializers.CharField(max_length=120, required=False, allow_blank=True, help_text="For whom.")


class LinkShape(serializers.Serializer[DownloadLink]):
    id = serializers.IntegerField()
    note = serializers.CharField(allow_blank=True)
    created_at = serializers.DateTimeField()
    expires_at = serializers.DateTimeField()
    revoked_at = serializers.DateTimeField(allow_null=True)
    uses = serializers.IntegerField(help_text="Downloads, counted from their beginning on.")
    last_used_at = serializers.DateTimeField(allow_null=True)


class NewLinkShape(LinkShape):
    url = serializers.CharField(help_text="Shown here and never again.")


class NewPush(StrictSerializer):
    repo_id = serializers.CharField(max_length=193, help_text="Owner and name, as in lab/advice.")
    private = serializers.BooleanField(default=True, help_text="Of a repository that is made by the push.")
    token = serializers.CharField(
        max_length=LONGEST_TOKEN, required=False, write_only=True, help_text="Of the hub; your kept one if left out."
    )


class PushShape(serializers.Serializer[HubPush]):
    id = serializers.IntegerField()
    repo_id = serializers.CharField()
    private = serializers.BooleanField()
    state = serializers.ChoiceField(choices=HubPush.State.choices)
    percent = serializers.IntegerField()
    commit = serializers.CharField(allow_blank=True)
    error = serializers.CharField(allow_blank=True)
    created_at = serializers.DateTimeField()
    finished_at = serializers.DateTimeField(allow_null=True)


class Links(Endpoint):
    @extend_schema(operation_id="list_links", parameters=LIST_PARAMETERS, responses=page_of(LinkShape))
    def get(self, request: Request, pk: int) -> Response:
        """The links to an export, newest first, also those that are over. Their addresses are stored nowhere."""
        return Response(paged(request, export_for(self.user, pk).links.all(), link_line, "-id"))

    @extend_schema(operation_id="make_link", request=NewLink, responses={201: NewLinkShape}, extensions=_NOT_YET)
    @sensitive_variables("secret")
    def post(self, request: Request, pk: int) -> Response:
        """An address that gives the files to whoever has it, until its days, or its maker's right, are over."""
        made, secret = make_link(export=export_for(self.user, pk), by=self.user, **read(NewLink, request))
        return Response(link_line(made) | {"url": settings.PUBLIC_URL + reverse("linked", args=[secret])}, status=201)


class OneLink(Endpoint):
    @extend_schema(operation_id="revoke_link", responses={204: None})
    def delete(self, request: Request, slug: str, pk: int) -> Response:
        """Revoke a link: it leads nowhere from now on. Revoking again changes nothing."""
        revoke_link(link=link_for(self.user, slug, pk), by=self.user)
        return Response(status=204)


class Pushes(Endpoint):
    @extend_schema(operation_id="list_pushes", parameters=LIST_PARAMETERS, responses=page_of(PushShape))
    def get(self, request: Request, pk: int) -> Response:
        """The pushes of an export to a hub, newest first."""
        return Response(paged(request, export_for(self.user, pk).pushes.all(), push_line, "-id"))

    @extend_schema(operation_id="push_export", request=NewPush, responses={202: PushShape}, extensions=_NOT_YET)
    def post(self, request: Request, pk: int) -> Response:
        """Send a finished export to a dataset repository of the hub. The token is removed when the push is over."""
        push = request_push(export=export_for(self.user, pk), by=self.user, **read(NewPush, request))
        enqueue_push(push)
        return Response(push_line(push), status=202)


def link_line(link: DownloadLink) -> dict[str, Any]:
    names = ("id", "note", "created_at", "expires_at", "revoked_at", "uses", "last_used_at")
    return {name: getattr(link, name) for name in names}


def push_line(push: HubPush) -> dict[str, Any]:
    names = ("id", "repo_id", "private", "state", "percent", "commit", "error", "created_at", "finished_at")
    return {name: getattr(push, name) for name in names}
