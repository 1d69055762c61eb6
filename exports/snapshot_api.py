"""Snapshots over HTTP: what lies between two of them, and what is withdrawn."""

from __future__ import annotations

from typing import Any

from drf_spectacular.utils import OpenApiParameter, extend_schema
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from exports.access import exports_for
from exports.comparing import KINDS, WHYS, between
from exports.models import Export
from exports.tasks import enqueue_export
from exports.withdrawn import settle_withdrawals
from labeling.access import MANAGERS, RESEARCHERS, project_for
from labeling.actions.refusals import Refused
from labeling.actions.withdrawals import find_item, find_rater, withdraw_item, withdraw_rater
from labeling.api.base import LIST_PARAMETERS, Endpoint, StrictSerializer, page_of, paged, read, read_limit
from labeling.models import Project, Withdrawal


class ChangeShape(serializers.Serializer[Any]):
    change = serializers.ChoiceField(choices=KINDS)
    comparison_id = serializers.CharField()
    before = serializers.CharField(allow_blank=True, help_text="first, second, tie, both_bad or mixed; empty: no row.")
    after = serializers.CharField(allow_blank=True)
    why = serializers.ListField(child=serializers.ChoiceField(choices=WHYS))


class FieldShape(serializers.Serializer[Any]):
    field = serializers.CharField()
    before = serializers.JSONField(allow_null=True)
    after = serializers.JSONField(allow_null=True)


class BetweenShape(serializers.Serializer[Any]):
    """`counts` are of all changes; `results` one page of them, `next` the `cursor` of the next page."""

    before = serializers.IntegerField()
    after = serializers.IntegerField()
    counts = serializers.DictField(child=serializers.IntegerField())
    why = serializers.DictField(child=serializers.IntegerField())
    recipe = FieldShape(many=True)
    next = serializers.CharField(allow_null=True)
    results = ChangeShape(many=True)


class Compared(Endpoint):
    @extend_schema(
        operation_id="compare_exports",
        parameters=[
            OpenApiParameter("one", int, required=True, description="Id of a snapshot."),
            OpenApiParameter("other", int, required=True, description="Id of another; the earlier one is `before`."),
            OpenApiParameter("kind", str, enum=KINDS, description="Only such changes in `results`."),
            *LIST_PARAMETERS,
        ],
        responses=BetweenShape,
    )
    def get(self, request: Request, slug: str) -> Response:
        """What came in, went out, turned around or changed between two snapshots, and why."""
        project, asked = project_for(self.user, slug, RESEARCHERS), request.query_params
        one, other = (self._snapshot(project, name) for name in ("one", "other"))
        kind = asked.get("kind", "")
        if kind and kind not in KINDS:
            raise Refused("invalid", f"There is no kind “{kind}”.", {"kind": f"One of: {', '.join(KINDS)}."})
        found = between(one, other, kind=kind, after=asked.get("cursor", ""), page=read_limit(request))
        changes = [
            {"change": c.kind, "comparison_id": c.comparison_id, "before": c.before, "after": c.after, "why": c.why}
            for c in found.changes
        ]
        recipe = [{"field": each.path, "before": each.one, "after": each.other} for each in found.recipe]
        counts = {kind: found.kinds[kind] for kind in KINDS}
        return Response(
            {
                "before": found.before.pk, "after": found.after.pk, "counts": counts, "why": dict(found.whys),
                "recipe": recipe, "next": found.following or None, "results": changes,
            }
        )  # fmt: skip

    def _snapshot(self, project: Project, field: str) -> Export:
        given = self.request.query_params.get(field, "")
        pk = int(given) if given.isascii() and given.isdecimal() and len(given) < 19 else 0
        found = exports_for(self.user).filter(project=project, pk=pk).first()
        if found is None:
            said = "There is no such snapshot in this project."
            raise Refused("invalid", said, {field: said})
        return found


class NewWithdrawal(StrictSerializer):
    item = serializers.CharField(max_length=255, required=False, help_text="Its id, as it was imported.")
    rater = serializers.CharField(max_length=254, required=False, help_text="E-mail address or pseudonym.")
    note = serializers.CharField(max_length=300, required=False, allow_blank=True)
    closes = serializers.BooleanField(default=False, help_text="Close the files of snapshots that hold it.")


class WithdrawalShape(serializers.Serializer[Withdrawal]):
    id = serializers.IntegerField()
    why = serializers.ChoiceField(choices=Withdrawal.Why.choices)
    item = serializers.CharField(allow_null=True)
    note = serializers.CharField(allow_blank=True)
    closes = serializers.BooleanField()
    created_at = serializers.DateTimeField()


class Withdrawals(Endpoint):
    @extend_schema(operation_id="list_withdrawals", parameters=LIST_PARAMETERS, responses=page_of(WithdrawalShape))
    def get(self, request: Request, slug: str) -> Response:
        """What is in no dataset any more, newest first."""
        rows = project_for(self.user, slug, MANAGERS).withdrawals.select_related("item")
        return Response(paged(request, rows, withdrawal_shape, "-id"))

    @extend_schema(operation_id="withdraw", request=NewWithdrawal, responses={201: WithdrawalShape})
    def post(self, request: Request, slug: str) -> Response:
        """Leave an item, or what a rater judged until now, out of every dataset from now on.

        Snapshots that hold it are marked as superseded, and made again without it.
        """
        project, asked = project_for(self.user, slug, MANAGERS), read(NewWithdrawal, request)
        item, rater = asked.pop("item", None), asked.pop("rater", None)
        if (item is None) == (rater is None):
            raise Refused("invalid", "Name an item or a rater, and not both.", {"item": "one of item and rater"})
        if item is not None:
            made = withdraw_item(item=find_item(project=project, name=item), by=self.user, **asked)
        else:
            rated = find_rater(project=project, name=rater or "")
            made = withdraw_rater(project=project, rater=rated, by=self.user, **asked)
        for successor in settle_withdrawals():
            enqueue_export(successor)
        return Response(withdrawal_shape(made), status=201)


def withdrawal_shape(withdrawal: Withdrawal) -> dict[str, Any]:
    names = ("id", "why", "note", "closes", "created_at")
    item = withdrawal.item.external_id if withdrawal.item else None
    return {name: getattr(withdrawal, name) for name in names} | {"item": item}
