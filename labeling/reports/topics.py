"""Sensitive topics as pages show them: what is in the queues, what this rater chose, what was put aside."""

from __future__ import annotations

from dataclasses import dataclass

from django.db import connection
from django.db.models import Count, Q

from labeling.models import Assignment, Exposure, Item, Membership, Pair, Participation, Project, Slot, Topic, User
from labeling.models.queues import HIDDEN
from labeling.reports.exposure import today

MOST_TAGS = 40


@dataclass(frozen=True, slots=True)
class TopicSheet:
    """What a rater is told of a topic before they choose it. `share` of the project's items, 0 to 1."""

    topic: Topic
    items: int
    share: float
    chosen: bool
    shown_today: int
    minutes_today: int

    @property
    def percent(self) -> int:
        """In whole percent, but never 0 for something."""
        return max(1, round(100 * self.share)) if self.items else 0

    @property
    def over_today(self) -> bool:
        return self.shown_today >= self.topic.daily_pairs or self.minutes_today >= self.topic.daily_minutes


@dataclass(frozen=True, slots=True)
class TopicUse:
    """A topic as its manager sees it: how many items have the tag, how many people chose it."""

    topic: Topic
    items: int
    people: int


@dataclass(frozen=True, slots=True)
class HiddenPair:
    """A pair that was skipped as broken twice; `comments` are what was said, not by whom."""

    pair: Pair
    slots: int
    comments: list[str]

    @property
    def opening(self) -> str:
        """What the person asked, as plain text."""
        asked = [message["content"] for message in self.pair.item.conversation if message["role"] == "user"]
        return next((content for content in reversed(asked) if isinstance(content, str)), "")


@dataclass(frozen=True, slots=True)
class TopicChoice:
    """For a rater's home: a project that has topics, and the names of those they chose."""

    project: Project
    chosen: list[str]
    offered: int


def topic_sheets(project: Project, rater: User) -> list[TopicSheet]:
    """Four queries; one reads the tags of every item of the project."""
    topics = list(project.topics.all())
    counts, of = _item_counts(project, [topic.key for topic in topics])
    chosen = chosen_keys(project, rater)
    seen = {one.topic: one for one in Exposure.objects.filter(user=rater, project=project, day=today())}
    return [
        TopicSheet(
            topic,
            items=counts[topic.key],
            share=counts[topic.key] / of if of else 0.0,
            chosen=topic.key in chosen,
            shown_today=seen[topic.key].shown if topic.key in seen else 0,
            minutes_today=seen[topic.key].milliseconds // 60_000 if topic.key in seen else 0,
        )
        for topic in topics
    ]


def topic_uses(project: Project) -> list[TopicUse]:
    """Three queries; one reads the tags of every item of the project. Only people who still rate here are counted."""
    topics = list(project.topics.all())
    counts, _of = _item_counts(project, [topic.key for topic in topics])
    raters = Membership.objects.filter(project=project, role=Membership.Role.RATER).values("user")
    choices = Participation.objects.filter(project=project, user__in=raters).values_list("topics", flat=True)
    chosen = [key for keys in choices for key in keys]
    return [TopicUse(topic, counts[topic.key], chosen.count(topic.key)) for topic in topics]


def tags_without_topic(project: Project) -> list[tuple[str, int]]:
    """Tags of the project's items that are no topic, with how many items have them; most first."""
    with connection.cursor() as cursor:
        cursor.execute(
            """
            SELECT tag, count(*) FROM labeling_item, unnest(tags) AS tag
            WHERE project_id = %(project)s AND tags <> '{}'
              AND tag NOT IN (SELECT key FROM labeling_topic WHERE project_id = %(project)s)
            GROUP BY tag ORDER BY count(*) DESC, tag LIMIT %(most)s
            """,
            {"project": project.pk, "most": MOST_TAGS},
        )
        return [(tag, items) for tag, items in cursor.fetchall()]


def chosen_keys(project: Project, rater: User) -> set[str]:
    found = Participation.objects.filter(project=project, user=rater).first()
    return set(found.topics) if found else set()


def topic_choices(rater: User) -> list[TopicChoice]:
    """Of every project with topics in which this person rates. Two queries."""
    mine = Membership.objects.filter(user=rater, role=Membership.Role.RATER).values("project")
    projects = Project.objects.filter(pk__in=mine, topics__isnull=False).distinct().order_by("name")
    chosen = dict(Participation.objects.filter(user=rater, project__in=mine).values_list("project", "topics"))
    return [
        TopicChoice(
            project,
            [topic.name for topic in project.topics.all() if topic.key in chosen.get(project.pk, ())],
            len(project.topics.all()),
        )
        for project in projects.prefetch_related("topics")
    ]


def hidden_pairs(project: Project) -> list[HiddenPair]:
    """Two queries, by the index of open slots: few pairs are hidden."""
    queues = project.queues.values("pk")
    hidden = Slot.objects.filter(queue__in=queues, lane=HIDDEN, state=Slot.State.OPEN)
    slots = dict(hidden.values_list("pair").annotate(n=Count("pk")).order_by("pair"))
    pairs = Pair.objects.filter(pk__in=slots).select_related("item").defer("item__conversation_html")
    said: dict[int, list[str]] = {}
    broken = Assignment.objects.filter(
        project=project, pair__in=slots, skip_reason=Assignment.SkipReason.BROKEN
    ).exclude(skip_comment="")
    for pair_id, comment in broken.order_by("pk").values_list("pair_id", "skip_comment"):
        said.setdefault(pair_id, []).append(comment)
    return [HiddenPair(pair, slots[pair.pk], said.get(pair.pk, [])) for pair in pairs.order_by("pk")]


def _item_counts(project: Project, keys: list[str]) -> tuple[dict[str, int], int]:
    """How many of the project's items have each tag, and how many items there are."""
    counts = {f"n{place}": Count("pk", filter=Q(tags__contains=[key])) for place, key in enumerate(keys)}
    found = Item.objects.filter(project=project).aggregate(items=Count("pk"), **counts)
    return {key: found[f"n{place}"] for place, key in enumerate(keys)}, found["items"]
