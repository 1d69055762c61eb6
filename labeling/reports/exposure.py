"""How much sensitive content people were shown: for the caps, the managers' page and the dataset card. Counts only."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta

from django.db.models import Count, Max, Q, Sum
from django.utils import timezone

from labeling.models import Exposure, Passage, Project, Topic, User
from labeling.models.queues import AWAY

DAYS = 30


@dataclass(frozen=True, slots=True)
class TopicExposure:
    """Of one topic in a whole project: pairs opened, people who opened any, and their judging time."""

    key: str
    shown: int
    people: int
    hours: float


@dataclass(frozen=True, slots=True)
class PersonExposure:
    """What one person was shown of one topic in the last DAYS days, and on the busiest of them."""

    person: User
    topic: str
    shown: int
    minutes: int
    days: int
    busiest: int


def today() -> date:
    """The day that caps and counts go by."""
    return datetime.now(UTC).date()


def capped_topics(project_id: int, user_id: int, lane: str) -> list[Topic]:
    """Which topics of the lane are over for this person today. Two queries."""
    topics = {topic.key: topic for topic in Topic.objects.filter(project=project_id, key__in=lane.split())}
    seen = Exposure.objects.filter(user=user_id, project=project_id, day=today(), topic__in=topics)
    return [topics[one.topic] for one in seen if _is_over(one, topics[one.topic])]


def run_length(project_id: int, user_id: int) -> int:
    """Sensitive pairs that this person opened one after another, up to now, in all queues of the project."""
    rows = Passage.objects.filter(queue__project=project_id, rater=user_id, lane="", run_at__gt=timezone.now() - AWAY)
    return sum(rows.values_list("sensitive_run", flat=True))


def exposure_by_person(project: Project, days: int = DAYS) -> list[PersonExposure]:
    """Most first. Two queries."""
    since = today() - timedelta(days=days - 1)
    rows = (
        Exposure.objects.filter(project=project, day__gte=since)
        .values("user", "topic")
        .annotate(pairs=Sum("shown"), ms=Sum("milliseconds"), days=Count("day"), busiest=Max("shown"))
        .order_by("-pairs", "user", "topic")
    )
    people = User.objects.in_bulk({row["user"] for row in rows})
    return [
        PersonExposure(
            people[row["user"]], row["topic"], row["pairs"], round(row["ms"] / 60_000), row["days"], row["busiest"]
        )
        for row in rows
    ]


def exposure_by_day(project: Project) -> Iterable[tuple[date, User, str, int, int]]:
    """Every count there is, oldest first: day, person, topic, pairs opened, milliseconds. For the CSV."""
    rows = Exposure.objects.filter(project=project).select_related("user").order_by("day", "user", "topic")
    return ((row.day, row.user, row.topic, row.shown, row.milliseconds) for row in rows.iterator())


def project_exposure(project: Project) -> list[TopicExposure]:
    """By topic, most first: what a dataset card says of the people behind it. One query."""
    rows = (
        Exposure.objects.filter(project=project)
        .values("topic")
        .annotate(
            pairs=Sum("shown"), ms=Sum("milliseconds"), people=Count("user", distinct=True, filter=Q(shown__gt=0))
        )
        .order_by("-pairs", "topic")
    )
    return [TopicExposure(row["topic"], row["pairs"], row["people"], row["ms"] / 3_600_000) for row in rows]


def _is_over(seen: Exposure, topic: Topic) -> bool:
    return seen.shown >= topic.daily_pairs or seen.milliseconds >= topic.daily_minutes * 60_000
