"""Finding the pairs that a person has to decide on. Asked by the clock, and by the verbs that decide.

A pair is looked at as a whole, from what is stored now: so looking is the same whatever changed, and doing it twice
changes nothing. What counts as divided:

* of a preference: no answer (first, second, same, neither) has more than half of the raters;
* of safety: at least one rater says safe and one says unsafe.

Both only where nobody is asked any more, on a criterion without a decision. `split` is the standard deviation of the
answers between -1 (the strongest grade for the first response, or unsafe) and 1: 1 for two raters at opposite ends.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from datetime import timedelta

from django.db import connection, transaction
from django.db.models import Exists, OuterRef, Q
from django.utils import timezone

from labeling.models import (
    Adjudication,
    Assignment,
    AuditEntry,
    Disagreement,
    DisagreementSearch,
    Pair,
    Project,
    QueuedPair,
    Withdrawal,
)
from labeling.reports.counted import COUNTS

AT_ONCE = 5_000  # pairs a statement
SWEPT_AT_ONCE = 20_000  # pairs a tick of the clock, when all are looked through
ACTS = 300  # of the audit log, the newest: among them is any change of a queue since the last look
OVERLAP = timedelta(minutes=2)  # what ended just before the last look may have become visible after it
MARKS = (Assignment.SkipReason.CANNOT_TELL, Assignment.SkipReason.BROKEN)

_LOOK = f"""
WITH asked AS (
    SELECT pair.id, NOT EXISTS (
            SELECT FROM labeling_queue queue JOIN labeling_slot slot ON slot.queue_id = queue.id
            WHERE queue.project_id = %(project)s AND queue.closed_at IS NULL AND slot.pair_id = pair.id
              AND slot.state <> 'done' AND slot.lane NOT IN ('=', '!')
        ) AND NOT EXISTS (
            SELECT FROM labeling_queue queue JOIN labeling_slot slot ON slot.queue_id = queue.id
            LEFT JOIN labeling_queuedpair known ON known.queue_id = queue.id AND known.pair_id = pair.id
            WHERE queue.project_id = %(project)s AND queue.closed_at IS NULL AND queue.stopping <> 'fixed'
              AND slot.pair_id = pair.id AND slot.lane <> '=' AND coalesce(known.state, 'collecting') = 'collecting'
        ) AS complete
    FROM labeling_pair pair
    WHERE pair.id = ANY(%(pairs)s) AND pair.project_id = %(project)s
      AND NOT EXISTS (SELECT FROM labeling_lesson lesson WHERE lesson.pair_id = pair.id)
      AND NOT EXISTS (SELECT FROM labeling_goldpair gold WHERE gold.pair_id = pair.id AND gold.retired_at IS NULL)
      AND NOT EXISTS (
        SELECT FROM labeling_withdrawal gone WHERE gone.item_id = pair.item_id AND gone.lifted_at IS NULL)
), decides AS (
    SELECT queue.id, coalesce(queue.criterion_id, (
        SELECT id FROM labeling_criterion
        WHERE project_id = %(project)s AND kind = 'preference' ORDER BY position, id LIMIT 1)) AS criterion_id
    FROM labeling_queue queue WHERE queue.project_id = %(project)s
), votes AS (
    SELECT a.pair_id, a.id AS annotation_id, j.criterion_id, j.response_id, c.kind,
        CASE WHEN j.both_bad THEN 'neither' ELSE coalesce(sign(j.preference)::text, j.safe::text) END AS said,
        CASE WHEN j.both_bad THEN 0 WHEN j.safe IS NULL THEN j.preference::float8 / c.strengths
            WHEN j.safe THEN 1 ELSE -1 END AS grade
    FROM asked JOIN labeling_annotation a ON a.pair_id = asked.id AND a.project_id = %(project)s
    LEFT JOIN (labeling_judgment j JOIN labeling_criterion c ON c.id = j.criterion_id
        AND c.kind IN ('preference', 'safety')) ON j.annotation_id = a.id
    WHERE {COUNTS}
), tallies AS (
    SELECT votes.pair_id, criterion_id, response_id, kind, count(*) AS raters, stddev_pop(grade) AS split,
        greatest(
            count(*) FILTER (WHERE said = '-1'), count(*) FILTER (WHERE said = '0'),
            count(*) FILTER (WHERE said = '1'), count(*) FILTER (WHERE said = 'neither'),
            count(*) FILTER (WHERE said = 'true'), count(*) FILTER (WHERE said = 'false')) AS most
    FROM votes JOIN asked ON asked.id = votes.pair_id AND asked.complete WHERE criterion_id IS NOT NULL
    GROUP BY votes.pair_id, criterion_id, response_id, kind
), divided AS (
    SELECT pair_id, criterion_id, split, CASE kind WHEN 'safety' THEN 'safety' ELSE 'split' END AS kind FROM tallies
    WHERE raters > 1 AND CASE kind WHEN 'safety' THEN most < raters ELSE 2 * most <= raters END
      AND NOT EXISTS (
        SELECT FROM labeling_adjudication d WHERE d.pair_id = tallies.pair_id AND d.current
          AND d.criterion_id = tallies.criterion_id AND d.response_id IS NOT DISTINCT FROM tallies.response_id)
      AND NOT EXISTS (
        SELECT FROM labeling_queuedpair known JOIN decides ON decides.id = known.queue_id
        WHERE known.pair_id = tallies.pair_id AND known.state = 'settled'
          AND decides.criterion_id = tallies.criterion_id)
), reasons AS (
    SELECT pair_id, kind, criterion_id, split FROM divided
  UNION ALL
    SELECT known.pair_id, known.state, decides.criterion_id, coalesce((
            SELECT max(split) FROM tallies t
            WHERE t.pair_id = known.pair_id AND t.criterion_id = decides.criterion_id), 0)
    FROM asked JOIN labeling_queuedpair known ON known.pair_id = asked.id AND known.state IN ('contested', 'full')
    JOIN decides ON decides.id = known.queue_id
    WHERE NOT EXISTS (
        SELECT FROM labeling_adjudication d
        WHERE d.pair_id = known.pair_id AND d.current AND d.criterion_id = decides.criterion_id)
  UNION ALL
    SELECT DISTINCT skipped.pair_id, 'marked', NULL::bigint, 0::float8
    FROM asked JOIN labeling_assignment skipped ON skipped.project_id = %(project)s AND skipped.pair_id = asked.id
    WHERE skipped.state = 'skipped' AND skipped.skip_reason = ANY(%(marks)s)
      AND NOT EXISTS (SELECT FROM labeling_adjudication d WHERE d.pair_id = skipped.pair_id AND d.current)
  UNION ALL
    SELECT passed.pair_id, 'escalated', NULL, 0
    FROM labeling_escalation passed WHERE passed.pair_id = ANY(%(pairs)s) AND passed.closed_at IS NULL
), found AS (
    SELECT pair_id, array_agg(DISTINCT kind::text ORDER BY kind::text) AS kinds,
        coalesce(array_agg(DISTINCT criterion_id) FILTER (WHERE criterion_id IS NOT NULL), '{{}}') AS criteria,
        least(1, max(split)) AS split,
        (SELECT count(DISTINCT annotation_id) FROM votes WHERE votes.pair_id = reasons.pair_id) AS judgments
    FROM reasons GROUP BY pair_id
), gone AS (
    DELETE FROM labeling_disagreement
    WHERE pair_id = ANY(%(pairs)s) AND pair_id NOT IN (SELECT pair_id FROM found)
)
INSERT INTO labeling_disagreement AS known (project_id, pair_id, kinds, criteria, judgments, split, found_at)
SELECT %(project)s, pair_id, kinds, criteria, judgments, split, now() FROM found ORDER BY pair_id
ON CONFLICT (pair_id) DO UPDATE SET
    kinds = excluded.kinds, criteria = excluded.criteria, judgments = excluded.judgments, split = excluded.split
WHERE (known.kinds, known.criteria, known.judgments, known.split)
    IS DISTINCT FROM (excluded.kinds, excluded.criteria, excluded.judgments, excluded.split)
"""  # noqa: S608 (constants of this module)

_WINDOW = "SELECT pg_snapshot_xmin(s)::text::bigint, pg_snapshot_xmax(s)::text::bigint FROM pg_current_snapshot() s"
_JUDGED = """
SELECT DISTINCT pair_id FROM labeling_annotation
WHERE project_id = %s AND current AND transaction >= %s::text::xid8 AND transaction < %s::text::xid8
"""


def look_at(project_id: int, pairs: Iterable[int]) -> None:
    """Note of each pair of the project whether somebody has to decide on it, and why. One statement for AT_ONCE."""
    ids = sorted(set(pairs))
    for start in range(0, len(ids), AT_ONCE):
        part = ids[start : start + AT_ONCE]
        with transaction.atomic(), connection.cursor() as cursor:
            cursor.execute(_LOOK, {"project": project_id, "pairs": part, "marks": list(MARKS)})


def look_for_disagreements() -> None:
    """The clock: in every project, at pairs of which something was said, marked, settled or withdrawn since."""
    for project in Project.objects.order_by("pk"):
        _look_since(project)


def look_through_everything() -> None:
    """The clock, at night: have all pairs looked at anew, in parts, by the ticks that follow."""
    DisagreementSearch.objects.update(swept_to=0)


def _look_since(project: Project) -> None:
    began = timezone.now()
    with connection.cursor() as cursor:
        cursor.execute(_WINDOW)
        oldest, newest = cursor.fetchone()
    search, _ = DisagreementSearch.objects.get_or_create(project=project, defaults={"up_to": oldest})
    if search.up_to > newest:  # a restored dump, whose transactions another server counted
        search.up_to, search.swept_to = oldest, 0
    since = search.looked_at - OVERLAP
    newest_acts = AuditEntry.objects.filter(project_id=project.pk).order_by("-pk")[:ACTS].values_list("act", "at")
    if any(at >= since and act.startswith("queue.") for act, at in newest_acts):
        search.swept_to = search.swept_to or 0
    touched = {*_judged(project, search.up_to, oldest), *_marked(project, since), *_given_up(project)}
    look_at(project.pk, {*touched, *_withdrawn(project, since)})
    search.swept_to = _sweep(project, search.swept_to)
    search.up_to, search.looked_at = oldest, began
    search.save()


def _judged(project: Project, since: int, until: int) -> list[int]:
    with connection.cursor() as cursor:
        cursor.execute(_JUDGED, [project.pk, str(since), str(until)])
        return [row[0] for row in cursor.fetchall()]


def _marked(project: Project, since: object) -> Iterable[int]:
    skipped = Assignment.objects.filter(project=project, state=Assignment.State.SKIPPED, skip_reason__in=MARKS)
    return skipped.filter(ended_at__gte=since).values_list("pair", flat=True)


def _given_up(project: Project) -> Iterable[int]:
    """Contested pairs, and those that the most raters did not settle, which nobody has noted or decided yet."""
    given_up = QueuedPair.objects.filter(
        queue__project=project, state__in=[QueuedPair.State.CONTESTED, QueuedPair.State.FULL]
    )
    known = Disagreement.objects.filter(pair=OuterRef("pair"))
    decided = Adjudication.objects.filter(pair=OuterRef("pair"), current=True)
    return given_up.filter(~Exists(known), ~Exists(decided)).values_list("pair", flat=True)


def _withdrawn(project: Project, since: object) -> Iterator[int]:
    changed = Withdrawal.objects.filter(project=project).filter(Q(created_at__gte=since) | Q(lifted_at__gte=since))
    for withdrawal in changed:
        if withdrawal.item_id is not None:
            yield from Pair.objects.filter(item=withdrawal.item_id).values_list("pk", flat=True)
        else:
            mine = Assignment.objects.filter(
                project=project, rater=withdrawal.rater_id, state=Assignment.State.SUBMITTED
            )
            yield from mine.values_list("pair", flat=True)


def _sweep(project: Project, start: int | None) -> int | None:
    """One part of a look through all pairs; where the next begins, or None at the end."""
    if start is None:
        return None
    pairs: Sequence[int] = list(
        Pair.objects.filter(project=project, pk__gt=start).order_by("pk").values_list("pk", flat=True)[:SWEPT_AT_ONCE]
    )
    look_at(project.pk, pairs)
    return pairs[-1] if len(pairs) == SWEPT_AT_ONCE else None
