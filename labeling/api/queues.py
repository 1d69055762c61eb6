"""Queues and their rules. Whom a queue is for and what is mixed in is for managers, not for raters, to know."""

from __future__ import annotations

from typing import Any

from django.db import transaction
from drf_spectacular.utils import extend_schema
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from labeling.access import MANAGERS, project_for, queue_for
from labeling.actions.people import find_raters
from labeling.actions.queue_rules import MOST_WORDS, RANGES
from labeling.actions.queues import change_queue, close_queue, create_queue, reopen_queue
from labeling.actions.refusals import Refused
from labeling.api.base import Endpoint, StrictSerializer, read
from labeling.models import Criterion, Membership, Project, Queue, User

MOST_NAMED = 1000
_OTHER_ROLES = [choice for choice in Membership.Role.choices if choice[0] != Membership.Role.RATER]


def _number(name: str, help_text: str, **more: Any) -> serializers.IntegerField:
    least, most, _said = RANGES[name]
    return serializers.IntegerField(
        min_value=int(least), max_value=int(most), required=False, help_text=help_text, **more
    )


def _share(name: str, help_text: str, **more: Any) -> serializers.FloatField:
    least, most, _said = RANGES[name]
    return serializers.FloatField(min_value=least, max_value=most, required=False, help_text=help_text, **more)


def _words(longest: int, help_text: str) -> serializers.ListField:
    child = serializers.CharField(max_length=longest)
    return serializers.ListField(child=child, max_length=MOST_WORDS, required=False, help_text=help_text)


def _yes(help_text: str) -> serializers.BooleanField:
    return serializers.BooleanField(required=False, help_text=help_text)


class QueueRules(StrictSerializer):
    name = serializers.CharField(max_length=120)
    paused = _yes("Gives out nothing for now.")
    closed = _yes("Gives out nothing any more, until it is opened again. Leases that are open may be finished.")
    # which pairs
    languages = _words(35, "Only items in these languages; empty takes all, as for the other filters.")
    tags = _words(100, "Only items with one of these.")
    categories = _words(100, "Only items whose metadata names one of these as `category`.")
    batches = serializers.ListField(
        child=serializers.IntegerField(min_value=1),
        max_length=MOST_NAMED,
        required=False,
        help_text="Only items of these imports, by id.",
    )
    pairing = serializers.ChoiceField(
        choices=Queue.Pairing.choices, required=False, help_text="Which pairs of an item with more than two responses."
    )
    # who
    raters = serializers.ListField(
        child=serializers.EmailField(max_length=254),
        max_length=MOST_NAMED,
        required=False,
        help_text="Only these raters of the project, by address; empty lets all in.",
    )
    role = serializers.ChoiceField(
        choices=_OTHER_ROLES, required=False, allow_blank=True, help_text="Only raters who hold this role as well."
    )
    speaks = _yes("Only pairs in languages that the rater's profile names.")
    qualified = _yes("Only raters who have qualified.")
    least_reliability = _share(
        "least_reliability", "Only raters at least so reliable, at the lower end of the interval.", allow_null=True
    )
    daily_pairs = _number("daily_pairs", "Most pairs a person and day (UTC); 0 sets no limit.")
    # how many raters
    stopping = serializers.ChoiceField(
        choices=Queue.Stopping.choices, required=False, help_text="When a pair has enough raters."
    )
    overlap = _number("overlap", "Raters wanted a pair, when it is the same for all.")
    criterion = serializers.SlugField(
        max_length=40,
        required=False,
        allow_null=True,
        help_text="The preference that decides when a pair is settled, by key; null takes the project's first.",
    )
    least = _number("least", "Fewest raters a pair, when it adapts.")
    most = _number("most", "Most raters a pair, when it adapts.")
    sure = _share("sure", "How probable the better side has to be before a pair is settled.")
    trusted_singles = _yes("One clear answer of a rater known to be reliable may settle a pair.")
    audit_percent = _number("audit_percent", "Pairs drawn at random that always get the audit's overlap, in percent.")
    audit_overlap = _number("audit_overlap", "Raters of an audited pair.")
    # what is mixed in
    gold_percent = _number("gold_percent", "Pairs with a known answer among what a rater gets, in percent.")
    repeat_percent = _number("repeat_percent", "Pairs that come back to their rater, sides swapped, in percent.")
    repeat_after_days = _number("repeat_after_days", "How old the first answer is before a pair may come back.")
    # order and pace
    order = serializers.ChoiceField(choices=Queue.Order.choices, required=False, help_text="Of its pairs.")
    priority = _number("priority", "Raters are offered the queue with the highest first.")
    lease_seconds = _number("lease_seconds", "How long a rater holds a pair.")
    blur_images = _yes("Images stay blurred, and unloaded, until the rater opens them.")


class QueueLine(serializers.Serializer[Queue]):
    """What every member may know of a queue."""

    id = serializers.IntegerField()
    name = serializers.CharField()
    overlap = serializers.IntegerField()
    lease_seconds = serializers.IntegerField()
    paused = serializers.BooleanField()
    closed = serializers.BooleanField()
    priority = serializers.IntegerField()
    blur_images = serializers.BooleanField()
    languages = serializers.ListField(child=serializers.CharField())
    tags = serializers.ListField(child=serializers.CharField())
    pairs = serializers.IntegerField(help_text="Pairs in the queue, judged or not.")


class QueueShape(QueueLine):
    categories = serializers.ListField(child=serializers.CharField())
    batches = serializers.ListField(child=serializers.IntegerField())
    pairing = serializers.ChoiceField(choices=Queue.Pairing.choices)
    raters = serializers.ListField(child=serializers.EmailField())
    role = serializers.CharField()
    speaks = serializers.BooleanField()
    qualified = serializers.BooleanField()
    least_reliability = serializers.FloatField(allow_null=True)
    daily_pairs = serializers.IntegerField()
    stopping = serializers.ChoiceField(choices=Queue.Stopping.choices)
    criterion = serializers.CharField(allow_null=True)
    least = serializers.IntegerField()
    most = serializers.IntegerField()
    sure = serializers.FloatField()
    trusted_singles = serializers.BooleanField()
    audit_percent = serializers.IntegerField()
    audit_overlap = serializers.IntegerField()
    gold_percent = serializers.IntegerField()
    repeat_percent = serializers.IntegerField()
    repeat_after_days = serializers.IntegerField()
    order = serializers.ChoiceField(choices=Queue.Order.choices)
    closed_at = serializers.DateTimeField(allow_null=True)


class Queues(Endpoint):
    @extend_schema(
        operation_id="create_queue",
        request=QueueRules,
        responses={201: QueueShape},
        extensions={"x-problems": ["name_taken"]},
    )
    def post(self, request: Request, slug: str) -> Response:
        """A new queue, filled at once with every pair of the project that its filters take, and with later imports.

        Only `name` is needed: then three raters judge each pair, in random order.
        """
        project = project_for(self.user, slug, MANAGERS)
        rules = read(QueueRules, request)
        closed = rules.pop("closed", False)
        with transaction.atomic():
            queue = create_queue(project=project, by=self.user, **_rules(project, rules))
            if closed:
                close_queue(queue=queue, by=self.user)
        queue.refresh_from_db()
        return Response(queue_shape(queue), status=201)


class OneQueue(Endpoint):
    @extend_schema(operation_id="read_queue", responses=QueueShape)
    def get(self, request: Request, pk: int) -> Response:
        """A queue with all its rules, for its project's managers."""
        return Response(queue_shape(queue_for(self.user, pk)))

    @extend_schema(
        operation_id="change_queue", request=QueueRules, responses=QueueShape, extensions={"x-problems": ["name_taken"]}
    )
    def patch(self, request: Request, pk: int) -> Response:
        """Change any rule, pause or resume, close or open again. Send only what changes.

        The new rules hold at once: what raters hold or have judged stays; what is open comes, goes or moves.
        """
        queue = queue_for(self.user, pk)
        changes = read(QueueRules, request, partial=True)
        closed = changes.pop("closed", None)
        with transaction.atomic():
            if changes:
                queue = change_queue(queue=queue, by=self.user, **_rules(queue.project, changes))
            if closed is not None:
                queue = (close_queue if closed else reopen_queue)(queue=queue, by=self.user)
        return Response(queue_shape(queue))


def queue_line(queue: Queue) -> dict[str, Any]:
    names = ("id", "name", "overlap", "lease_seconds", "paused", "priority", "blur_images", "languages", "tags")
    closed = queue.closed_at is not None
    return {name: getattr(queue, name) for name in names} | {"closed": closed, "pairs": queue.pair_count}


def queue_shape(queue: Queue) -> dict[str, Any]:
    """At most two queries, for the raters' addresses and the criterion's key."""
    people = User.objects.filter(pk__in=queue.raters).order_by("email") if queue.raters else User.objects.none()
    own = {
        "raters": list(people.values_list("email", flat=True)),
        "criterion": queue.criterion.key if queue.criterion else None,
    }
    names = QueueShape().fields.keys() - {"closed", "pairs"} - own.keys()
    return queue_line(queue) | {name: getattr(queue, name) for name in names} | own


def _rules(project: Project, read: dict[str, Any]) -> dict[str, Any]:
    """As the verbs take them: people by id, the criterion itself."""
    rules = dict(read)
    if "raters" in rules:
        rules["raters"] = [user.pk for user in find_raters(project=project, emails=rules["raters"])]
    if (key := rules.get("criterion")) is not None:
        rules["criterion"] = project.criteria.filter(key=key, kind=Criterion.Kind.PREFERENCE).first()
        if rules["criterion"] is None:
            said = f"There is no preference “{key}” in this project."
            raise Refused("invalid", said, {"criterion": said})
    return rules
