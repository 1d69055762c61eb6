"""How far each rater is to be trusted on a preference of a project, learned from all that was judged there."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import timedelta
from typing import Any

import numpy as np
from django.db import connection, transaction
from django.utils import timezone

from labeling.models import Criterion, Project, Queue, RaterStanding, Settling
from labeling.models.queues import GOLD
from labeling.reports.counted import COUNTS
from labeling.stats.evidence import Crowd, Standing, foretell, learn
from labeling.stats.votes import Votes, votes_of

LEARN_AFTER, LEARN_EVERY = 300, timedelta(minutes=5)  # judgments, time: whichever comes first
LEAST_JUDGMENTS, SURELY_POOR = 20, 0.95

# Every vote by the criterion that counts, also of imported judgments; known answers are told by their results.
_VOTES = f"""
SELECT a.pair_id, a.rater_id, judgment.preference, judgment.both_bad
FROM labeling_annotation a JOIN labeling_assignment judged ON judged.id = a.assignment_id
JOIN labeling_judgment judgment ON judgment.annotation_id = a.id AND judgment.criterion_id = %(criterion)s
 AND judgment.response_id IS NULL AND (judgment.preference IS NOT NULL OR judgment.both_bad)
WHERE a.project_id = %(project)s AND judged.lane <> '{GOLD}' AND {COUNTS}
"""  # noqa: S608 (constants of ours)
_KNOWN = f"""
SELECT result.rater_id, count(*) FILTER (WHERE result."right"), count(*)
FROM labeling_goldresult result JOIN labeling_annotation a ON a.id = result.annotation_id
WHERE result.project_id = %(project)s AND result.criterion_id = %(criterion)s AND NOT result.set_aside AND {COUNTS}
GROUP BY result.rater_id
"""  # noqa: S608 (constants of ours)
_KEEP = """
INSERT INTO labeling_raterstanding
    (project_id, criterion_id, rater_id, judgments, mean, low, high, poor, computed_at)
SELECT %(project)s, %(criterion)s, found.*, now()
FROM unnest(%(raters)s::bigint[], %(judgments)s::int[], %(mean)s::float8[], %(low)s::float8[], %(high)s::float8[],
            %(poor)s::float8[]) AS found
ORDER BY 3
ON CONFLICT (project_id, criterion_id, rater_id) DO UPDATE SET judgments = excluded.judgments, mean = excluded.mean,
    low = excluded.low, high = excluded.high, poor = excluded.poor, computed_at = excluded.computed_at
"""


# The answers to audited pairs, and which of them were the first two.
_AUDITED = f"""
SELECT a.pair_id, a.rater_id, judgment.preference, judgment.both_bad,
       row_number() OVER (PARTITION BY a.pair_id ORDER BY a.id) <= 2
FROM labeling_queuedpair known
JOIN labeling_annotation a ON a.project_id = %(project)s AND a.pair_id = known.pair_id AND {COUNTS}
JOIN labeling_assignment judged ON judged.id = a.assignment_id AND judged.queue_id = %(queue)s
 AND judged.lane <> '{GOLD}'
JOIN labeling_judgment judgment ON judgment.annotation_id = a.id AND judgment.criterion_id = %(criterion)s
 AND judgment.response_id IS NULL AND judgment.preference <> 0
WHERE known.queue_id = %(queue)s AND known.audit
"""  # noqa: S608 (constants of ours)


@dataclass(frozen=True, slots=True)
class Learned:
    raters: list[int]
    crowd: Crowd
    standing: Standing


def criterion_of(queue: Queue) -> Criterion | None:
    """The preference that decides in a queue: its own, or the project's first."""
    if queue.criterion_id is not None:
        return queue.criterion
    return queue.project.criteria.filter(kind=Criterion.Kind.PREFERENCE).first()


def is_due(look: Settling) -> bool:
    waited = timezone.now() - look.learned_at > LEARN_EVERY
    return look.unlearned >= LEARN_AFTER or (look.unlearned > 0 and waited)


def learn_standings(*, queue: Queue) -> None:
    """Learn of the raters by the queue's criterion anew, and have its pairs looked at again by what was found.

    Reads without locks; writes in a transaction of its own, or the caller's, under the queue's row.
    """
    criterion = criterion_of(queue)
    seen = Settling.objects.filter(queue=queue).values_list("unlearned", flat=True).first() or 0
    found = _learned(queue.project, criterion, graded=queue.trusted_singles) if criterion else None
    with transaction.atomic():
        Queue.objects.select_for_update(no_key=True).get(pk=queue.pk)
        look, _ = Settling.objects.get_or_create(queue=queue)
        if criterion and found:
            _keep(queue.project, criterion, found)
            look.kinds = found.crowd.kinds.tolist()
            look.grades = _grades(found)
            look.audit_off, look.audit_answers = _checked(queue, criterion, found)
        look.unlearned, look.learned_at, look.passing = max(0, look.unlearned - seen), timezone.now(), 0
        look.save()


def to_review(project: Project) -> list[RaterStanding]:
    """Raters who are poor almost certainly, the surest first: to be paused until somebody has looked. One query."""
    poor = RaterStanding.objects.filter(project=project, judgments__gte=LEAST_JUDGMENTS, poor__gt=SURELY_POOR)
    return list(poor.select_related("rater", "criterion").order_by("-poor", "rater"))


def _learned(project: Project, criterion: Criterion, *, graded: bool) -> Learned | None:
    facts = {"project": project.pk, "criterion": criterion.pk}
    with connection.cursor() as cursor:
        cursor.execute(_VOTES, facts)
        rows = cursor.fetchall()
        cursor.execute(_KNOWN, facts)
        known = {rater: (right, all_) for rater, right, all_ in cursor.fetchall()}
    pairs, raters = sorted({row[0] for row in rows}), sorted({row[1] for row in rows} | set(known))
    if not raters:
        return None
    votes: Votes = votes_of(rows, pairs, raters)
    right, told = (np.array([known.get(rater, (0, 0))[place] for rater in raters], dtype=int) for place in (0, 1))
    crowd, standing = learn(votes, pairs=len(pairs), raters=len(raters), right=right, known=told, graded=graded)
    return Learned(raters, crowd, standing)


def _checked(queue: Queue, criterion: Criterion, found: Learned) -> tuple[float | None, int]:
    """On audited pairs: what the first two answers foretell of the others, against what the others said."""
    with connection.cursor() as cursor:
        cursor.execute(_AUDITED, {"project": queue.project_id, "queue": queue.pk, "criterion": criterion.pk})
        rows = cursor.fetchall()
    pairs = sorted({row[0] for row in rows})
    foretold, answers = foretell(
        votes_of([row[:4] for row in rows], pairs, found.raters),
        np.array([row[4] for row in rows], dtype=bool),
        replace(found.crowd, grades=None, habits=None),
        pairs=len(pairs),
    )
    return (foretold if answers else None), answers


def _grades(found: Learned) -> dict[str, Any] | None:
    """What is known of how grades are used, as plain JSON."""
    tables, habits = found.crowd.grades, found.crowd.habits
    if tables is None or habits is None:
        return None
    mine = zip(found.raters, habits.tolist(), strict=True)
    return {"tables": tables.tolist(), "habits": {str(rater): habit for rater, habit in mine}}


def _keep(project: Project, criterion: Criterion, found: Learned) -> None:
    standing = found.standing
    with connection.cursor() as cursor:
        cursor.execute(
            _KEEP,
            {
                "project": project.pk,
                "criterion": criterion.pk,
                "raters": found.raters,
                "judgments": standing.judgments.tolist(),
                "mean": standing.mean.tolist(),
                "low": standing.low.tolist(),
                "high": standing.high.tolist(),
                "poor": standing.poor.tolist(),
            },
        )
    # of whom nothing counts any more, nothing is known
    RaterStanding.objects.filter(project=project, criterion=criterion).exclude(rater__in=found.raters).delete()
