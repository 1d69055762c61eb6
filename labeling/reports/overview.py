"""How far a project is, as its overview and the API show it. A large one is counted by the clock, not by who looks.

Counting the slots and answers of a large project takes a second. So the clock counts them when there is something new,
and keeps what it found in the cache for a while; a page that finds nothing there counts itself.
"""

from __future__ import annotations

import logging
from dataclasses import dataclass
from typing import Any

from django.core.cache import cache
from django.db.models import Sum
from redis.exceptions import RedisError

from labeling.models import AuditEntry, Project, Queue
from labeling.reports.activity import Day, by_day
from labeling.reports.progress import ProjectProgress, project_progress

logger = logging.getLogger(__name__)

LARGE = 20_000  # pairs in the queues of a project
KEPT_SECONDS = 600


@dataclass(frozen=True, slots=True)
class Overview:
    progress: ProjectProgress
    days: list[Day]


def overview(project: Project) -> Overview:
    """What the clock has kept, else counted now: four queries."""
    queues = list(project.queues.order_by("id"))
    if sum(queue.pair_count for queue in queues) >= LARGE:
        kept = _read(project)
        if kept is not None:
            return kept[1]
    return _count(project, queues)


def _count(project: Project, queues: list[Queue]) -> Overview:
    return Overview(project_progress(project, queues), by_day(project))


def keep_overviews() -> int:
    """Count every large project in which something was done since, and keep it. Returns how many were counted."""
    counted = 0
    large = Project.objects.annotate(pairs_queued=Sum("queues__pair_count")).filter(pairs_queued__gte=LARGE)
    for project in large.order_by("pk"):
        newest = AuditEntry.objects.filter(project_id=project.pk).order_by("-pk").values_list("pk", flat=True).first()
        kept = _read(project)
        if kept is not None and kept[0] == newest:
            continue
        _write(project, newest, _count(project, list(project.queues.order_by("id"))))
        counted += 1
    return counted


def _key(project: Project) -> str:
    return f"overview:{project.pk}"


def _read(project: Project) -> tuple[Any, Overview] | None:
    """(the newest entry of the log by then, what was found), or none; also where there is no cache to ask."""
    try:
        found: tuple[Any, Overview] | None = cache.get(_key(project))
    except RedisError as error:
        logger.warning("no cache (%s); the overview counts itself", error)
        return None
    return found


def _write(project: Project, newest: Any, found: Overview) -> None:
    try:
        cache.set(_key(project), (newest, found), KEPT_SECONDS)
    except RedisError as error:
        logger.warning("no cache (%s); nothing is kept", error)
