"""What the workers of a crowd platform have done of what their link asks for.

A worker has one entry a link, and through several links of a project several entries but one account. Of entries into
the same queue the oldest unfinished one counts; the next begins where it ended, so no pair is paid for twice.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta

from django.db import connection

from labeling.models import CrowdEntry, CrowdLink, Project, Queue, User

_FIGURES = """
WITH entry AS (
    SELECT e.id, e.user_id, l.queue_id, e.entered_at, coalesce(e.finished_at, e.screened_at, 'infinity') AS ended
    FROM labeling_crowdentry e JOIN labeling_crowdlink l ON l.id = e.link_id WHERE e.id = ANY(%(entries)s)
), counted AS (
    SELECT entry.*, greatest(entry.entered_at, max(other.ended) FILTER (WHERE other.ended < 'infinity')) AS started,
           coalesce(bool_or(other.ended = 'infinity' AND (other.entered_at, other.id) < (entry.entered_at, entry.id)),
                    false) AS waits
    FROM entry LEFT JOIN LATERAL (
        SELECT o.id, o.entered_at, coalesce(o.finished_at, o.screened_at, 'infinity') AS ended
        FROM labeling_crowdentry o JOIN labeling_crowdlink l ON l.id = o.link_id
        WHERE o.user_id = entry.user_id AND l.queue_id = entry.queue_id AND o.id <> entry.id
          AND coalesce(o.finished_at, o.screened_at, 'infinity') <= entry.ended
    ) AS other ON true
    GROUP BY entry.id, entry.user_id, entry.queue_id, entry.entered_at, entry.ended
)
SELECT counted.id, count(a.id) FILTER (WHERE a.state = 'submitted'), count(a.id) FILTER (WHERE a.state = 'skipped'),
       coalesce(sum(coalesce(n.active_ms, again.active_ms)), 0), max(a.ended_at)
FROM counted
LEFT JOIN labeling_assignment a ON a.rater_id = counted.user_id AND a.queue_id = counted.queue_id
     AND a.state IN ('submitted', 'skipped') AND NOT counted.waits
     AND a.ended_at >= counted.started AND a.ended_at <= counted.ended
LEFT JOIN labeling_annotation n ON n.assignment_id = a.id AND n.current
LEFT JOIN labeling_secondlook again ON again.assignment_id = a.id
GROUP BY counted.id
"""


@dataclass(frozen=True, slots=True)
class Worker:
    """An entry with its figures: pairs judged and skipped for it, judging time, and when the last answer came."""

    entry: CrowdEntry
    judged: int
    skipped: int
    active: timedelta
    last_at: datetime | None

    @property
    def state(self) -> str:
        if self.entry.screened_at:
            return "screened"
        return "finished" if self.entry.finished_at else "working"

    @property
    def has_enough(self) -> bool:
        return self.judged >= self.entry.link.pairs_wanted

    @property
    def minutes(self) -> int:
        return round(self.active.total_seconds() / 60)


def unfinished(user: User, queue: Queue | None = None) -> CrowdEntry | None:
    """The entry that this account works for, in one queue or anywhere. One query, with link, queue and project."""
    open_entries = CrowdEntry.objects.filter(user=user, finished_at=None, screened_at=None)
    if queue is not None:
        open_entries = open_entries.filter(link__queue=queue)
    return open_entries.select_related("link__queue__project").order_by("entered_at", "pk").first()


def newest(user: User) -> CrowdEntry | None:
    """The entry to speak about: the unfinished one, else the last. At most two queries."""
    entries = CrowdEntry.objects.filter(user=user).select_related("link__queue__project")
    return unfinished(user) or entries.order_by("-entered_at", "-pk").first()


def workers(entries: Iterable[CrowdEntry]) -> list[Worker]:
    """The entries with their figures, in the same order. One query, on the accounts' own assignments."""
    entries = list(entries)
    with connection.cursor() as cursor:
        cursor.execute(_FIGURES, {"entries": [entry.pk for entry in entries]})
        figures = {row[0]: row[1:] for row in cursor.fetchall()}
    made = []
    for entry in entries:
        judged, skipped, active_ms, last_at = figures[entry.pk]
        made.append(Worker(entry, judged, skipped, timedelta(milliseconds=int(active_ms)), last_at))
    return made


def known_worker(project: Project, link: CrowdLink, worker_id: str) -> CrowdEntry | None:
    """The first entry of this worker of the platform, through any link of the project, with its account."""
    same = CrowdEntry.objects.filter(link__project=project, link__platform=link.platform, worker_id=worker_id)
    return same.select_related("user").order_by("pk").first()
