"""Known answers that are mixed into the work: how hard each is, how many there are, and which imports bring more."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta

from django.db.models import Case, Count, Exists, F, FloatField, OuterRef, Q, QuerySet, When
from django.db.models.functions import Cast
from django.utils import timezone

from labeling.models import Batch, Dispute, GoldPair, GoldResult, Item, Participation, Project, Queue, User
from labeling.reports.entry import sensitive

LATELY = timedelta(days=7)
ADVISED = 40  # known answers a language: fewer are soon recognised


@dataclass(frozen=True, slots=True)
class Tongue:
    """How many pairs of a language are mixed in now."""

    language: str
    pairs: int

    @property
    def is_few(self) -> bool:
        return self.pairs < ADVISED


@dataclass(frozen=True, slots=True)
class Paused:
    """A paused rater with their newest checks: known answers met and looked at, since they were last resumed."""

    participation: Participation
    right: int
    known: int


def gold_pairs(project: Project) -> QuerySet[GoldPair]:
    """Those mixed in, the hardest first, what nobody answered yet after them; then the retired, newest first."""
    share = Case(
        When(shown__gt=0, then=Cast(F("right"), FloatField()) / F("shown")), default=None, output_field=FloatField()
    )
    rows = GoldPair.objects.filter(project=project).select_related("pair__item")
    rows = rows.annotate(share=share, objections=Count("disputes", filter=Q(disputes__outcome="")))
    retired = Case(When(retired_at=None, then=0), default=1)
    return rows.order_by(retired, F("retired_at").desc(), F("share").asc(nulls_last=True), "-shown", "pk")


def languages_of_gold(project: Project) -> list[Tongue]:
    """The languages of the project's items with how many known answers are mixed in. Two queries."""
    spoken = Item.objects.filter(project=project).order_by().values_list("language", flat=True).distinct()
    active = GoldPair.objects.filter(project=project, retired_at=None).order_by()
    counts = dict(active.values_list("pair__item__language").annotate(Count("pk")))
    return [Tongue(language, counts.get(language, 0)) for language in sorted(spoken[:20])]


def batches_with_gold(project: Project) -> list[Batch]:
    """Imports that brought known answers of which some are not mixed in yet; newest first. One query."""
    used = GoldPair.objects.filter(pair__item=OuterRef("pk"))
    items = Item.objects.filter(batch=OuterRef("pk"), gold__isnull=False).exclude(Exists(used)).exclude(sensitive("pk"))
    return list(Batch.objects.filter(Exists(items), project=project).order_by("-created_at")[:20])


def lately_warned(rater: User) -> list[Project]:
    """Projects that told this rater lately that answers differed from what is known. One query."""
    mine = Participation.objects.filter(user=rater, warned_at__gte=timezone.now() - LATELY, paused_at=None)
    return [one.project for one in mine.select_related("project").order_by("project__name")]


def lately_answered(rater: User) -> list[Dispute]:
    """This rater's objections that were answered lately, newest first. One query."""
    mine = Dispute.objects.filter(rater=rater, answered_at__gte=timezone.now() - LATELY)
    return list(mine.select_related("project", "annotation").order_by("-answered_at")[:10])


def mixing_queues(project: Project) -> QuerySet[Queue]:
    return project.queues.filter(gold_percent__gt=0, closed_at=None).order_by("pk")


def open_disputes(project: Project) -> int:
    return Dispute.objects.filter(project=project, outcome="").count()


def paused_people(project: Project) -> list[Paused]:
    """Who gets no pair until a manager has looked, the longest waiting first. Two queries."""
    rows = Participation.objects.filter(project=project, paused_at__isnull=False).select_related("user")
    people = list(rows.order_by("paused_at"))
    since = {one.user_id: one.resumed_at for one in people}
    results = GoldResult.objects.filter(project=project, rater__in=since, set_aside=False)
    tallies = {pk: [0, 0] for pk in since}
    for rater, right, at in results.values_list("rater", "right", "created_at"):
        resumed = since[rater]
        if resumed is None or at > resumed:
            tallies[rater][0] += right
            tallies[rater][1] += 1
    return [Paused(one, *tallies[one.user_id]) for one in people]
