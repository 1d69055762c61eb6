"""The rater's loop: claim, keep a draft, submit, skip. The hot path: plain dictionaries, few queries."""

from __future__ import annotations

from typing import Any

from django.conf import settings
from django.urls import reverse
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import OpenApiExample, OpenApiParameter, PolymorphicProxySerializer, extend_schema
from rest_framework import serializers
from rest_framework.exceptions import ValidationError
from rest_framework.request import Request
from rest_framework.response import Response

from labeling.access import RATERS, assignment_for, queue_for
from labeling.actions.annotate import MOST_REVISIONS, save_draft, submit
from labeling.actions.assign import release, renew, skip
from labeling.actions.care import claim_opened
from labeling.actions.facts import POINTERS, VIEWPORTS
from labeling.actions.gold_results import have_told
from labeling.actions.own_words import asked_in_advance
from labeling.actions.refusals import Refused
from labeling.actions.turning_away import refuse_if_not_for
from labeling.api.base import Endpoint, StrictSerializer, read
from labeling.api.images import CONTENT, content_shape
from labeling.api.projects import CriterionShape, criterion_shape
from labeling.consistency import RULES
from labeling.models import Annotation, Assignment, GoldAnswer, Queue, User
from labeling.models import Response as ModelResponse
from labeling.models.queues import GOLD
from labeling.reports.admission import Why
from labeling.reports.desk import Shown, open_assignment, shown
from labeling.reports.entry import Step, next_step
from labeling.reports.missed import known_body, missed

BODY = {"judgments", "principle", "active_ms", "kept_hints", "instrument", "viewport", "pointer", "revises"}
ANSWERS = {
    "judgments": {
        "helpfulness": {"preference": -2, "rationale": "A answers the question; B repeats it."},
        "harmlessness": {"preference": 0},
        "safety": {"left": {"safe": False, "categories": ["Privacy"], "severity": 2}, "right": {"safe": True}},
        "reasons": {"chosen": ["Solves the real problem", "Avoids a risk"]},
    },
    "principle": 6,
    "active_ms": 41200,
}


class MessageShape(serializers.Serializer[Any]):
    role = serializers.CharField()
    content = serializers.JSONField(help_text=CONTENT)


class SideShape(serializers.Serializer[Any]):
    content = serializers.JSONField(help_text=CONTENT)


class GuidelineVersion(serializers.Serializer[Any]):
    version = serializers.IntegerField()


class AssignmentShape(serializers.Serializer[Assignment]):
    """What the rater may see, and nothing else: no model, no stored order, no known answer."""

    id = serializers.IntegerField()
    expires_at = serializers.DateTimeField(help_text="Renew before this, or another rater may get the pair.")
    language = serializers.CharField()
    conversation = MessageShape(many=True)
    left = SideShape()
    right = SideShape(allow_null=True, help_text="Null for an item with a single response.")
    criteria = CriterionShape(many=True)
    instrument = serializers.IntegerField(help_text="The version of these questions; send it with the answers.")
    own_words = serializers.BooleanField(
        help_text="Whether a reason in own words is asked for before anything is answered."
    )
    guideline = GuidelineVersion(allow_null=True)
    draft = serializers.DictField(allow_null=True, help_text="What was kept of unfinished answers.")


class AnnotationBody(serializers.Serializer[Any]):
    """Answers by criterion, as the rater saw the pair: a negative preference is for the left."""

    judgments = serializers.DictField(child=serializers.JSONField(), help_text="Criterion key → answer.")
    principle = serializers.IntegerField(
        required=False,
        min_value=1,
        allow_null=True,
        help_text="Number of the principle that decided, of the guideline's version that the assignment names.",
    )
    active_ms = serializers.IntegerField(required=False, min_value=0, max_value=86_400_000)
    kept_hints = serializers.ListField(
        child=serializers.ChoiceField(choices=list(RULES)),
        required=False,
        help_text="Contradictions that the rater was asked about and meant.",
    )
    instrument = serializers.IntegerField(
        required=False, min_value=1, help_text="As the assignment said; left out, the project's current one."
    )
    viewport = serializers.ChoiceField(choices=VIEWPORTS, required=False, help_text="The size of the rater's screen.")
    pointer = serializers.ChoiceField(choices=POINTERS, required=False, help_text="How most of it was answered.")
    revises = serializers.IntegerField(
        required=False,
        min_value=0,
        max_value=MOST_REVISIONS,
        help_text="The revision these answers change, 0 for the first answer. Sent again with the same number they "
        "change nothing, however late; other answers are then refused (`answered_already`). Left out, answers that "
        "differ revise whatever is current.",
    )


class DecidingShape(serializers.Serializer[Any]):
    number = serializers.IntegerField()
    text = serializers.CharField()


class FeedbackShape(serializers.Serializer[Any]):
    known = serializers.DictField(help_text="As the judgments of an annotation, left and right as you saw them.")
    explanation = serializers.CharField()
    principle = DecidingShape(allow_null=True)


class AnnotationShape(serializers.Serializer[Annotation]):
    id = serializers.IntegerField(allow_null=True, help_text="Null for a pair that you had judged some time before.")
    assignment = serializers.IntegerField()
    revision = serializers.IntegerField(help_text="1, and one more for each time the answers were changed.")
    created_at = serializers.DateTimeField()
    feedback = FeedbackShape(
        allow_null=True,
        help_text="Where the answer had been agreed on before and yours was another one: what is known, and why. "
        "Disagree with `/assignments/{id}/dispute/`.",
    )


class AnnotationAndNext(serializers.Serializer[Any]):
    annotation = AnnotationShape()
    next = AssignmentShape(allow_null=True, help_text="Null when there is nothing more for this rater now.")


class AssignmentState(serializers.Serializer[Assignment]):
    id = serializers.IntegerField()
    state = serializers.ChoiceField(choices=Assignment.State.choices)
    expires_at = serializers.DateTimeField(allow_null=True)


class SkipReasons(StrictSerializer):
    reason = serializers.ChoiceField(choices=Assignment.SkipReason.choices, required=False, allow_blank=True)
    comment = serializers.CharField(max_length=1000, required=False, allow_blank=True)


SUBMITTED = PolymorphicProxySerializer(
    component_name="Submitted", serializers=[AnnotationShape, AnnotationAndNext], resource_type_field_name=None
)
_OVER = ["lease_lost", "skipped", "released", "already_submitted"]


class Claim(Endpoint):
    @extend_schema(
        operation_id="claim",
        request=None,
        responses={200: AssignmentShape, 204: None},
        extensions={"x-problems": ["not_ready", *(why.value for why in Why)]},
    )
    def post(self, request: Request, pk: int) -> Response:
        """The next pair for you, or 204 when there is none now. Claiming again returns the one you have open.

        Where a project asks for consent, practice or a qualification first, that is done on its pages. Pairs of a
        sensitive topic only come to raters who chose it, within its daily cap and at most three in a row; what is
        given out counts as shown. Where a queue is closed, or its rules give you nothing now (you are paused, it is
        for others, or you had the day's pairs), a problem says which and what can be done.
        """
        queue = queue_for(self.user, pk, RATERS)
        _refuse_unready(queue, self.user)
        assignment = claim_opened(queue=queue, rater=self.user)
        if assignment is None:
            refuse_if_not_for(queue, self.user)
        return Response(status=204) if assignment is None else Response(assignment_shape(shown(assignment)))


class Renew(Endpoint):
    @extend_schema(operation_id="renew", request=None, responses=AssignmentState, extensions={"x-problems": _OVER})
    def post(self, request: Request, pk: int) -> Response:
        """Hold the pair for another lease time, as often as needed."""
        return Response(_state(renew(assignment=assignment_for(self.user, pk), rater=self.user)))


class Release(Endpoint):
    @extend_schema(operation_id="release", request=None, responses=AssignmentState, extensions={"x-problems": _OVER})
    def post(self, request: Request, pk: int) -> Response:
        """Give the pair back without an answer. You may meet it again."""
        return Response(_state(release(assignment=assignment_for(self.user, pk), rater=self.user)))


class Skip(Endpoint):
    @extend_schema(
        operation_id="skip", request=SkipReasons, responses=AssignmentState, extensions={"x-problems": _OVER}
    )
    def post(self, request: Request, pk: int) -> Response:
        """Leave the pair to others for good, with a reason if you like. It never counts against you."""
        assignment = assignment_for(self.user, pk)
        return Response(_state(skip(assignment=assignment, rater=self.user, **read(SkipReasons, request))))


class Draft(Endpoint):
    @extend_schema(
        operation_id="save_draft",
        request=OpenApiTypes.OBJECT,
        responses={204: None},
        extensions={"x-problems": ["not_open"]},
    )
    def put(self, request: Request, pk: int) -> Response:
        """Keep unfinished answers, up to 64 KB of any JSON object; the assignment carries them as `draft`."""
        assignment = assignment_for(self.user, pk)
        if not isinstance(request.data, dict):
            raise ValidationError({"draft": ["Must be an object."]})
        save_draft(assignment=assignment, rater=self.user, draft=request.data)
        return Response(status=204)


class Annotate(Endpoint):
    @extend_schema(
        operation_id="submit",
        request=AnnotationBody,
        parameters=[OpenApiParameter("claim", str, enum=["next"], description="Answer with the next assignment too.")],
        responses={201: SUBMITTED, 200: SUBMITTED},
        examples=[OpenApiExample("Answers", ANSWERS, request_only=True)],
        extensions={
            "x-problems": [
                "lease_lost",
                "skipped",
                "already_yours",
                "answered_already",
                "revise_closed",
                "not_opened",
            ]
        },
    )
    def post(self, request: Request, pk: int) -> Response:
        """Submit the answers: 201, or 200 when the same answers were there already, so that sending again is safe.

        Other answers than before are a revision, while the project allows it. With `?claim=next` the reply holds
        `annotation` and `next`. An answer that comes too late to count is kept as the assignment's draft.
        """
        assignment, then_claim = assignment_for(self.user, pk), _wants_next(request)
        _refuse_unknown(request.data)
        done = submit(assignment=assignment, rater=self.user, body=request.data, then_claim=then_claim)
        status = 201 if done.created else 200
        annotation = _annotation(done.annotation, _feedback(assignment, self.user))
        if not then_claim:
            return Response(annotation, status=status)
        following = done.following
        if following is not None and assignment.queue is not None:
            following = claim_opened(queue=assignment.queue, rater=self.user, given=following)
        shape = following and assignment_shape(shown(following))
        return Response({"annotation": annotation, "next": shape}, status=status)


def assignment_shape(what: Shown) -> dict[str, Any]:
    """Named field by field, so that nothing reaches a rater by being added to a model."""
    return {
        "id": what.assignment.pk,
        "expires_at": what.expires_at,
        "language": what.item.language,
        "conversation": [_message(turn) for turn in what.item.conversation],
        "left": _side(what.left),
        "right": _side(what.right) if what.right else None,
        "criteria": [criterion_shape(criterion) for criterion in what.criteria],
        "instrument": what.assignment.project.instrument,
        "own_words": asked_in_advance(what.assignment.project.rationale, what.assignment.pk),
        "guideline": None if what.guideline_version is None else {"version": what.guideline_version},
        "draft": what.assignment.draft,
    }


def _refuse_unready(queue: Queue, rater: User) -> None:
    """One query for who is ready; who has a pair open keeps it."""
    step = next_step(queue.project, rater).step
    if step != Step.READY and open_assignment(queue, rater) is None:
        where = settings.PUBLIC_URL + reverse("welcome", args=[queue.project.slug])
        raise Refused("not_ready", f"The step “{step}” comes before the first pair: {where}", {"step": str(step)})


def _message(turn: dict[str, Any]) -> dict[str, Any]:
    return {"role": turn["role"], "content": content_shape(turn["content"])}


def _side(response: ModelResponse) -> dict[str, Any]:
    return {"content": content_shape(response.content if response.parts is None else response.parts)}


def _wants_next(request: Request) -> bool:
    wanted = request.query_params.get("claim")
    if wanted not in (None, "next"):
        raise ValidationError({"claim": ["Leave it out, or send ?claim=next."]})
    return wanted == "next"


def _refuse_unknown(body: Any) -> None:
    if isinstance(body, dict) and (unknown := body.keys() - BODY):
        raise ValidationError({name: [f"Unknown field. Known: {', '.join(sorted(BODY))}."] for name in unknown})


def _feedback(assignment: Assignment, rater: User) -> dict[str, Any] | None:
    """Nothing but for a known answer that was not met; then they have been told by this very answer."""
    if assignment.lane != GOLD:
        return None
    found = missed(assignment, rater)
    if found is None:
        return None
    have_told(project_id=assignment.project_id, rater=rater, assignment_id=assignment.pk)
    known = GoldAnswer.objects.filter(pair=assignment.pair_id).select_related("criterion", "pair")
    return {
        "known": known_body(known, first_id=known[0].pair.first_id, swapped=assignment.swapped) if known else {},
        "explanation": found.gold.explanation,
        "principle": found.principle and {"number": found.principle.number, "text": found.principle.text},
    }


def _annotation(annotation: Annotation, feedback: dict[str, Any] | None) -> dict[str, Any]:
    return {
        "id": annotation.pk,
        "assignment": annotation.assignment_id,
        "revision": annotation.revision,
        "created_at": annotation.created_at,
        "feedback": feedback,
    }


def _state(assignment: Assignment) -> dict[str, Any]:
    is_open = assignment.state == Assignment.State.OPEN
    return {"id": assignment.pk, "state": assignment.state, "expires_at": assignment.lease_until if is_open else None}
