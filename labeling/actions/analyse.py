"""Compute a project's reports off the request: a row first, and each report stored as soon as it is there.

Who asks twice while an analysis waits gets the one that waits. The clock asks where enough is new.
"""

from __future__ import annotations

import time
from datetime import timedelta
from typing import Any

from django.db import connection, transaction
from django.utils import timezone

from labeling.audit import record
from labeling.models import Analysis, Finding, Project, User
from labeling.models.jobs import LostJob
from labeling.reports.analysis.catalogue import REPORTS
from labeling.reports.analysis.loading import load
from labeling.reports.analysis.source import Source

ENOUGH_NEW = 300  # annotations
SOON = timedelta(minutes=5)  # after which fewer will do
FLOOR = timedelta(seconds=30)  # between the end of one and the next
SHARE = 10  # an analysis that took a second waits so many before the next
STEP_SECONDS = 120.0
KEPT = 20
TOLD_FOR = timedelta(seconds=60)
PATIENCE = timedelta(minutes=10)  # with a worker's one report: on a busy machine it outlasts a job's usual lease


@transaction.atomic
def ask(*, project: Project, by: User | None) -> Analysis:
    """An analysis of everything, waiting; the one that waits already, if there is one."""
    Project.objects.select_for_update(no_key=True).get(pk=project.pk)
    waiting: Analysis | None = project.analyses.filter(state=Analysis.State.WAITING).order_by("pk").first()
    if waiting is not None:
        return waiting
    made = Analysis.objects.create(project=project, asked_by=by)
    if by is not None:
        record(by, "analysis.asked", made, project_id=project.pk)
    return made


def run_step(analysis: Analysis, *, seconds: float = STEP_SECONDS) -> bool:
    """Compute reports for about `seconds`, at least one. True when some are left; one that another worker holds is left
    alone."""
    if not analysis.take():
        return False
    try:
        return _go_on(analysis, time.monotonic() + seconds)
    except LostJob:
        return False


def _go_on(analysis: Analysis, end: float) -> bool:
    done = set(Finding.objects.filter(analysis=analysis).values_list("name", flat=True))
    left = [name for name in REPORTS if name not in done]
    analysis.keep(lease_until=timezone.now() + PATIENCE)
    judged = load(analysis.project)
    if not done:
        analysis.keep(lease_until=timezone.now() + PATIENCE, up_to=judged.up_to, judgments=len(judged))
    source = Source(analysis.project, judged)
    for number, name in enumerate(left):
        report = REPORTS[name](source)
        data = report.as_json(computed_at=judged.moment, judgments=len(judged))
        with transaction.atomic():
            analysis.keep(attempts=0, lease_until=timezone.now() + PATIENCE)
            Finding.objects.update_or_create(
                project=analysis.project, name=name,
                defaults={"analysis": analysis, "data": data, "created_at": timezone.now()},
            )  # fmt: skip
        if time.monotonic() > end and number + 1 < len(left):
            analysis.keep(state=Analysis.State.WAITING, lease_until=timezone.now() + TOLD_FOR)
            return True
    analysis.finish()
    _forget_older(analysis)
    return False


def _forget_older(analysis: Analysis) -> None:
    """Their findings are the newer one's by now."""
    over = [Analysis.State.DONE, Analysis.State.FAILED]
    kept = analysis.project.analyses.order_by("-pk").values_list("pk", flat=True)[:KEPT]
    old = analysis.project.analyses.filter(state__in=over, findings=None).exclude(pk__in=list(kept))
    old.delete()


def analyses_to_nudge() -> list[int]:
    """Ids of analyses that nobody computes and nobody was told of for a minute; they count as told from now on."""
    now = timezone.now()
    due = Analysis.objects.due().exclude(state=Analysis.State.WAITING, lease_until__gt=now)
    ids = list(due.order_by("pk").values_list("pk", flat=True)[:100])
    Analysis.objects.filter(pk__in=ids, state=Analysis.State.WAITING).update(lease_until=now + TOLD_FOR)
    return ids


# Of each project: when its newest analysis ended and how long it took, whether one is under way, what is new since, and
# whether something was withdrawn or given back since.
_NEWS = """
SELECT p.id, a.id IS NULL OR a.finished_at < %(now)s - greatest(%(floor)s, (a.finished_at - a.created_at) * %(share)s),
       a.id IS NULL OR a.finished_at < %(now)s - %(soon)s, coalesce(new.n, 0),
       EXISTS (SELECT 1 FROM labeling_withdrawal w WHERE w.project_id = p.id
               AND (w.created_at > a.created_at OR w.lifted_at > a.created_at))
FROM labeling_project p
LEFT JOIN LATERAL (
    SELECT * FROM labeling_analysis WHERE project_id = p.id AND state = 'done' ORDER BY id DESC LIMIT 1) a ON true
LEFT JOIN LATERAL (
    SELECT count(*) AS n FROM (
        SELECT 1 FROM labeling_annotation t WHERE t.project_id = p.id AND t.current AND t.transaction >= (
            CASE WHEN coalesce(a.up_to, 0)::text::xid8 < pg_snapshot_xmax(pg_current_snapshot())
                 THEN coalesce(a.up_to, 0)::text::xid8 ELSE '0' END)
        LIMIT %(enough)s) AS few) new ON true
WHERE NOT EXISTS (SELECT 1 FROM labeling_analysis u WHERE u.project_id = p.id AND u.state IN ('waiting', 'running'))
"""


def ask_where_there_is_news() -> list[Analysis]:
    """One statement reads at most ENOUGH_NEW rows a project, along the feed's index."""
    with connection.cursor() as cursor:
        times: dict[str, Any] = {"floor": FLOOR, "soon": SOON, "share": SHARE, "enough": ENOUGH_NEW}
        cursor.execute(_NEWS, times | {"now": timezone.now()})
        due = [
            row[0] for row in cursor.fetchall() if row[1] and (row[3] >= ENOUGH_NEW or (row[2] and row[3]) or row[4])
        ]
    return [ask(project=project, by=None) for project in Project.objects.filter(pk__in=due).order_by("pk")]


def ask_for_all() -> list[Analysis]:
    """Everything anew, whatever is new: of every project with an answer."""
    judged = Project.objects.filter(annotations__current=True).distinct().order_by("pk")
    return [ask(project=project, by=None) for project in judged]
