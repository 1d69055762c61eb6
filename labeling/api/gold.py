"""Known answers, what raters object to, and what managers decide about raters."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import extend_schema
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from labeling.access import (
    ADJUDICATORS,
    MANAGERS,
    any_dispute_for,
    any_gold_pair_for,
    assignment_for,
    project_for,
    withdrawal_for,
)
from labeling.actions import checks
from labeling.actions.disputes import LONGEST, answer_dispute, disagree
from labeling.actions.gold_pairs import (
    LONGEST_EXPLANATION,
    LONGEST_WHY,
    make_gold,
    retire_gold,
    take_in_gold,
    tell_by_hand,
)
from labeling.actions.refusals import Refused
from labeling.actions.set_aside import lift, set_aside
from labeling.actions.withdrawals import LONGEST_NOTE, find_rater
from labeling.api.base import LIST_PARAMETERS, Endpoint, StrictSerializer, page_of, paged, read
from labeling.models import Dispute, GoldPair, Pair, Participation, Withdrawal
from labeling.reports.gold import gold_pairs
from labeling.reports.pseudonyms import pseudonym
from labeling.reports.set_aside import effect_of

NAMED = {"x-problems": ["invalid"]}  # nobody who judged here has this name
NAMED_OR_UNCHANGED = {"x-problems": ["invalid", "unchanged"]}


class GoldShape(serializers.Serializer[GoldPair]):
    id = serializers.IntegerField()
    pair = serializers.IntegerField()
    item = serializers.CharField(allow_null=True, help_text="Its own id, as it was imported.")
    source = serializers.ChoiceField(choices=GoldPair.Source.choices)  # type: ignore[assignment]  # a field of this name
    explanation = serializers.CharField()
    principle = serializers.IntegerField(allow_null=True)
    shown = serializers.IntegerField(help_text="Answers it has had.")
    right = serializers.IntegerField(help_text="Of those, the ones that met every known answer.")
    retired_at = serializers.DateTimeField(allow_null=True)
    retired_why = serializers.CharField()


class NewGold(StrictSerializer):
    pair = serializers.IntegerField(min_value=1, required=False, help_text="Left out: all that imports brought.")
    judgments = serializers.DictField(
        child=serializers.JSONField(),
        required=False,
        help_text="What is known, as in an annotation, the first response on the left; left out, what an import knew.",
    )
    explanation = serializers.CharField(max_length=LONGEST_EXPLANATION, required=False, allow_blank=True, default="")
    principle = serializers.IntegerField(min_value=1, max_value=32_767, required=False, allow_null=True, default=None)


class TakenIn(serializers.Serializer[Any]):
    made = serializers.IntegerField()
    more = serializers.IntegerField(help_text="Wait for another call.")
    left_out = serializers.DictField(child=serializers.IntegerField(), help_text="How many, by the code that says why.")


class Retiring(StrictSerializer):
    why = serializers.CharField(max_length=LONGEST_WHY, required=False, allow_blank=True, default="")


class Golds(Endpoint):
    @extend_schema(operation_id="list_gold", parameters=LIST_PARAMETERS, responses=page_of(GoldShape))
    def get(self, request: Request, slug: str) -> Response:
        """Pairs with known answers that are or were mixed into the work, newest first."""
        rows = gold_pairs(project_for(self.user, slug, MANAGERS)).order_by()
        return Response(paged(request, rows, gold_shape, "-id"))

    @extend_schema(
        operation_id="make_gold",
        request=NewGold,
        responses={201: GoldShape, 200: TakenIn},
        extensions={
            "x-problems": [
                "nothing_known", "already_gold", "shown_enough", "already_a_lesson", "sensitive_pair", "found_broken",
                "withdrawn", "held_now",
            ]
        },
    )  # fmt: skip
    def post(self, request: Request, slug: str) -> Response:
        """Mix a pair with known answers into the work: 201. Without `pair`, all that imports brought: 200, counts."""
        project, asked = project_for(self.user, slug, MANAGERS), read(NewGold, request)
        number, known = asked.pop("pair", None), asked.pop("judgments", None)
        if number is None:
            done = take_in_gold(project=project, by=self.user)
            made, more = done.pop("made", 0), done.pop("more", 0)
            return Response({"made": made, "more": more, "left_out": done})
        pair = Pair.objects.filter(project=project, pk=number).first()
        if pair is None:
            raise Refused("invalid", "This project has no such pair.", {"pair": "unknown"})
        if known is None:
            gold = make_gold(pair=pair, by=self.user, source=GoldPair.Source.IMPORT, **asked)
        else:
            gold = tell_by_hand(pair=pair, by=self.user, body={"judgments": known}, known=set(known), **asked)
        return Response(gold_shape(gold), status=201)


class RetireGold(Endpoint):
    @extend_schema(operation_id="retire_gold", request=Retiring, responses=GoldShape)
    def post(self, request: Request, pk: int) -> Response:
        """Show it no more. What was answered stays; a pair that was not shown often enough is ordinary work again."""
        gold = any_gold_pair_for(self.user, pk)
        retire_gold(gold=gold, by=self.user, **read(Retiring, request))
        gold.refresh_from_db()
        return Response(gold_shape(gold))


class DisputeShape(serializers.Serializer[Dispute]):
    id = serializers.IntegerField()
    pair = serializers.IntegerField()
    principle = serializers.IntegerField(allow_null=True)
    rater = serializers.CharField(help_text="The pseudonym used in the feed and in exports.")
    text = serializers.CharField()
    outcome = serializers.CharField(help_text="Empty while it is open; upheld or rejected.")
    answer = serializers.CharField()
    created_at = serializers.DateTimeField()
    answered_at = serializers.DateTimeField(allow_null=True)


class DisputeAnswer(StrictSerializer):
    outcome = serializers.ChoiceField(choices=Dispute.Outcome.choices)
    answer = serializers.CharField(max_length=LONGEST, help_text="The rater reads it.")


class Objection(StrictSerializer):
    text = serializers.CharField(max_length=LONGEST)


class Disputes(Endpoint):
    @extend_schema(operation_id="list_disputes", parameters=LIST_PARAMETERS, responses=page_of(DisputeShape))
    def get(self, request: Request, slug: str) -> Response:
        """Known answers that raters hold to be wrong, newest first."""
        rows = project_for(self.user, slug, ADJUDICATORS).disputes.select_related("gold_pair", "project")
        return Response(paged(request, rows, dispute_shape, "-id"))


class AnswerDispute(Endpoint):
    @extend_schema(
        operation_id="answer_dispute",
        request=DisputeAnswer,
        responses=DisputeShape,
        extensions={"x-problems": ["unchanged"]},
    )
    def post(self, request: Request, pk: int) -> Response:
        """Decide. Upheld, what was measured by the pair counts for nobody, and it is shown no more."""
        found = any_dispute_for(self.user, pk)
        return Response(dispute_shape(answer_dispute(dispute=found, by=self.user, **read(DisputeAnswer, request))))


class Disagree(Endpoint):
    @extend_schema(
        operation_id="disagree",
        request=Objection,
        responses={201: OpenApiTypes.OBJECT},
        extensions={"x-problems": ["nothing_to_dispute", "disputed_already"]},
    )
    def post(self, request: Request, pk: int) -> Response:
        """Say why a known answer that you were told of is wrong, or the guideline behind it."""
        assignment = assignment_for(self.user, pk)
        made = disagree(assignment=assignment, rater=self.user, **read(Objection, request))
        return Response({"id": made.pk, "outcome": made.outcome}, status=201)


class RaterState(serializers.Serializer[Participation]):
    rater = serializers.CharField()
    paused_at = serializers.DateTimeField(allow_null=True)
    paused_why = serializers.CharField()
    warned_at = serializers.DateTimeField(allow_null=True)


class Pausing(StrictSerializer):
    why = serializers.CharField(
        max_length=checks.LONGEST_WHY, required=False, allow_blank=True, default="", help_text="The rater reads it."
    )


class OneRater(Endpoint):
    """A verb about a rater, who is named by pseudonym."""

    def tell(self, verb: Callable[..., Participation], slug: str, rater: str, **how: Any) -> Response:
        project = project_for(self.user, slug, MANAGERS)
        person = find_rater(project=project, name=rater)
        mine = verb(project=project, rater=person, by=self.user, **how)
        told = {name: getattr(mine, name) for name in ("paused_at", "paused_why", "warned_at")}
        return Response({"rater": pseudonym(project, person.pk)} | told)


class WarnRater(OneRater):
    @extend_schema(operation_id="warn_rater", request=None, responses=RaterState, extensions=NAMED)
    def post(self, request: Request, slug: str, rater: str) -> Response:
        """Tell the rater, on their home page, that answers differed from what is known."""
        return self.tell(checks.warn_rater, slug, rater)


class PauseRater(OneRater):
    @extend_schema(operation_id="pause_rater", request=Pausing, responses=RaterState, extensions=NAMED_OR_UNCHANGED)
    def post(self, request: Request, slug: str, rater: str) -> Response:
        """Give the rater no pair until they are resumed. What they hold they may finish; what they judged stays."""
        project_for(self.user, slug, MANAGERS)
        return self.tell(checks.pause_rater, slug, rater, **read(Pausing, request))


class ResumeRater(OneRater):
    @extend_schema(operation_id="resume_rater", request=None, responses=RaterState, extensions=NAMED_OR_UNCHANGED)
    def post(self, request: Request, slug: str, rater: str) -> Response:
        """Let the rater go on. Checks from before do not pause them again."""
        return self.tell(checks.resume_rater, slug, rater)


class Note(StrictSerializer):
    note = serializers.CharField(max_length=LONGEST_NOTE, required=False, allow_blank=True, default="")


class ReopenedShape(serializers.Serializer[Any]):
    pair = serializers.IntegerField()
    queue = serializers.IntegerField()
    left = serializers.IntegerField(help_text="Answers of others that count on.")


class EffectShape(serializers.Serializer[Any]):
    judged = serializers.IntegerField(help_text="Pairs of which this rater's answer counts now.")
    total = serializers.IntegerField(help_text="Pairs that would be asked again.")
    reopens = ReopenedShape(many=True, help_text="The first of them, those with the fewest answers left first.")


class AsideShape(serializers.Serializer[Withdrawal]):
    id = serializers.IntegerField()
    rater = serializers.CharField()
    note = serializers.CharField()
    created_at = serializers.DateTimeField()
    lifted_at = serializers.DateTimeField(allow_null=True)


class SetAside(Endpoint):
    @extend_schema(operation_id="preview_set_aside", responses=EffectShape, extensions=NAMED)
    def get(self, request: Request, slug: str, rater: str) -> Response:
        """What setting the rater's judgments aside would do."""
        project = project_for(self.user, slug, MANAGERS)
        effect = effect_of(project, find_rater(project=project, name=rater))
        reopens = [{"pair": one.pair_id, "queue": one.queue_id, "left": one.left} for one in effect.reopens]
        return Response({"judged": effect.judged, "total": effect.total, "reopens": reopens})

    @extend_schema(operation_id="set_aside", request=Note, responses={201: AsideShape}, extensions=NAMED_OR_UNCHANGED)
    def post(self, request: Request, slug: str, rater: str) -> Response:
        """What the rater judged until now counts no more, and its pairs get other answers. It can be lifted."""
        project = project_for(self.user, slug, MANAGERS)
        person = find_rater(project=project, name=rater)
        made = set_aside(project=project, rater=person, by=self.user, **read(Note, request))
        return Response(aside_shape(made), status=201)


class Lift(Endpoint):
    @extend_schema(
        operation_id="lift_withdrawal",
        request=None,
        responses=AsideShape,
        extensions={"x-problems": ["not_lifted", "unchanged"]},
    )
    def post(self, request: Request, pk: int) -> Response:
        """Let a rater's judgments that were set aside count again."""
        return Response(aside_shape(lift(withdrawal=withdrawal_for(self.user, pk), by=self.user)))


def gold_shape(gold: GoldPair) -> dict[str, Any]:
    names = ("id", "source", "explanation", "principle", "shown", "right", "retired_at", "retired_why")
    item = gold.pair.item.external_id or None
    return {name: getattr(gold, name) for name in names} | {"pair": gold.pair_id, "item": item}


def dispute_shape(dispute: Dispute) -> dict[str, Any]:
    names = ("id", "text", "outcome", "answer", "created_at", "answered_at")
    about = {"pair": dispute.gold_pair.pair_id, "principle": dispute.gold_pair.principle}
    rater = pseudonym(dispute.project, dispute.rater_id)
    return {name: getattr(dispute, name) for name in names} | about | {"rater": rater}


def aside_shape(withdrawal: Withdrawal) -> dict[str, Any]:
    names = ("id", "note", "created_at", "lifted_at")
    rater = pseudonym(withdrawal.project, withdrawal.rater_id) if withdrawal.rater_id else ""
    return {name: getattr(withdrawal, name) for name in names} | {"rater": rater}
