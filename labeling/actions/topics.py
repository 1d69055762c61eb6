"""Sensitive topics: what a manager says of them, and what each rater chooses to see.

Nobody sees one they did not choose.

A topic that comes or goes moves its pairs between lanes. Where a topic becomes worse, or goes, everybody's choice of it
is taken back first, in a transaction of its own: claims lock the choice before anything of a queue, so whoever holds
queues must not wait for it.
"""

from __future__ import annotations

import re
from collections.abc import Collection
from typing import Any

from django.contrib.postgres.fields import ArrayField
from django.db import models, transaction
from django.db.models import F, Func, Value
from django.utils.translation import gettext as _

from labeling.actions.assign import release
from labeling.actions.lanes import relane
from labeling.actions.refusals import Refused
from labeling.audit import record
from labeling.models import Assignment, Participation, Project, Topic, User
from labeling.models.care import MILD, SEVERE
from labeling.models.queues import EVERYDAY, GOLD, LONGEST_LANE

KEY = re.compile(r"^[\w-]{1,40}\Z")
CHANGEABLE = frozenset({"name", "description", "severity", "daily_pairs", "daily_minutes"})
MOST_PAIRS, MOST_MINUTES = 1000, 24 * 60
USUAL_PAIRS, SEVERE_PAIRS = 20, 5


@transaction.atomic
def add_topic(*, project: Project, by: User | None, key: str, name: str, **about: Any) -> Topic:
    """A topic for the items with the tag `key`; their open pairs leave the everyday lane at once.

    Without a number of its own, a topic of the worst kind is capped at 5 pairs a day, any other at 20.
    """
    Project.objects.select_for_update(no_key=True).get(pk=project.pk)
    keys = list(project.topics.values_list("key", flat=True))
    _check_key(key, keys)
    about.setdefault("daily_pairs", SEVERE_PAIRS if about.get("severity") == SEVERE else USUAL_PAIRS)
    _check(about | {"name": name})
    topic = Topic.objects.create(project=project, key=key, name=name.strip(), **about)
    moved = relane(project_id=project.pk, keys=[key])
    record(by, "topic.added", topic, project_id=project.pk, key=key, name=topic.name, moved=moved, **about)
    return topic


def change_topic(*, topic: Topic, by: User, **changes: Any) -> Topic:
    """Change what is said of a topic, and its caps. If it becomes worse, those who chose it are asked again."""
    if unknown := changes.keys() - CHANGEABLE:
        raise Refused("unchangeable", _("A topic keeps its tag."), dict.fromkeys(unknown, "fixed"))
    _check(changes)
    if changes.get("severity", topic.severity) > topic.severity:
        _take_back(topic, by)
    with transaction.atomic():
        before = {name: getattr(topic, name) for name in changes}
        for name, value in changes.items():
            setattr(topic, name, value)
        topic.save(update_fields=list(changes))
        record(by, "topic.changed", topic, project_id=topic.project_id, key=topic.key, before=before, after=changes)
    return topic


def remove_topic(*, topic: Topic, by: User) -> int:
    """Make the pairs of a topic everyday questions, unless another topic has them too. Returns how many slots moved."""
    _take_back(topic, by)
    with transaction.atomic():
        Project.objects.select_for_update(no_key=True).get(pk=topic.project_id)
        record(by, "topic.removed", topic, project_id=topic.project_id, key=topic.key, name=topic.name)
        key, _rows = topic.key, topic.delete()
        return relane(project_id=topic.project_id, keys=[key])


@transaction.atomic
def choose_topics(*, project: Project, rater: User, keys: Collection[str]) -> Participation:
    """What this rater agrees to see, from now on: exactly these. An open pair that they left out goes back.

    A pair that is just being submitted or skipped in another tab is left to end there.
    """
    known = set(project.topics.values_list("key", flat=True))
    if unknown := set(keys) - known:
        said = _("This project has no topic “%(key)s”.") % {"key": sorted(unknown)[0]}
        raise Refused("invalid", said, {"topics": "unknown"})
    Participation.objects.get_or_create(project=project, user=rater)
    mine = Participation.objects.select_for_update(no_key=True).get(project=project, user=rater)
    chosen = sorted(keys)
    if chosen != mine.topics:
        mine.topics = chosen
        mine.save(update_fields=["topics"])
        record(rater, "topics.chosen", mine, project_id=project.pk, topics=chosen)
    held = Assignment.objects.filter(project=project, rater=rater, state=Assignment.State.OPEN)
    for one in held.exclude(lane__in=[EVERYDAY, GOLD]).select_for_update(skip_locked=True):
        if not set(one.lane.split()) & known <= set(chosen):
            release(assignment=one, rater=rater)
    return mine


def stop_topics(*, assignment: Assignment, rater: User) -> Participation:
    """No more of what this pair is about: its topics are taken out of the rater's choice, and the pair goes back."""
    project = assignment.project
    mine = Participation.objects.filter(project=project, user=rater).first()
    kept = set(mine.topics if mine else ()) - set(assignment.lane.split())
    return choose_topics(project=project, rater=rater, keys=kept & set(project.topics.values_list("key", flat=True)))


@transaction.atomic
def _take_back(topic: Topic, by: User) -> None:
    """Out of everybody's choice."""
    chose = Participation.objects.filter(project=topic.project_id, topics__contains=[topic.key])
    without = Func(
        F("topics"), Value(topic.key), function="array_remove", output_field=ArrayField(models.CharField(max_length=40))
    )
    if people := chose.update(topics=without):
        record(by, "topic.choices_taken_back", topic, project_id=topic.project_id, key=topic.key, people=people)


def _check_key(key: str, others: list[str]) -> None:
    if not KEY.match(key):
        said = _("A tag of letters, digits, hyphens and underscores, at most 40.")
        raise Refused("invalid", said, {"key": said})
    if key in others:
        said = _("There is a topic for the tag “%(key)s” already.") % {"key": key}
        raise Refused("topic_taken", said, {"key": said})
    # an item may have every topic, and its lane names them all
    if len(" ".join([*others, key])) > LONGEST_LANE:
        said = _("The tags of all topics together may have %(most)s characters.") % {"most": LONGEST_LANE}
        raise Refused("invalid", said, {"key": said})


def _check(about: dict[str, Any]) -> None:
    errors = {}
    if not about.get("name", "x").strip():
        errors["name"] = _("A topic needs a name.")
    if not MILD <= about.get("severity", MILD) <= SEVERE:
        errors["severity"] = _("From 1 to 3.")
    for field, most in (("daily_pairs", MOST_PAIRS), ("daily_minutes", MOST_MINUTES)):
        if not 1 <= about.get(field, 1) <= most:
            errors[field] = _("From 1 to %(most)s.") % {"most": most}
    if errors:
        raise Refused("invalid", " ".join(errors.values()), errors)
