"""What a plan of a study starts from, as far as this project has measured it; and what then happened in its queue."""

from __future__ import annotations

from typing import Any

from django.db import connection

from labeling.models import Annotation, Pair, Project, Queue, RaterStanding
from labeling.models.queues import GOLD
from labeling.reports.counted import COUNTS
from labeling.wording import count_words

WORDS_A_MINUTE = 240  # as people read
SECONDS_TO_DECIDE = 20  # to choose, beside the reading
FEWEST_TIMES, NEWEST_TIMES = 30, 2_000
LOOKED_AT = 100  # pairs whose texts are counted
FEWEST_RATERS, FEWEST_VOTES = 5, 20

_MEDIAN = """
SELECT count(*), percentile_cont(0.5) WITHIN GROUP (ORDER BY active_ms) / 1000 FROM (
    SELECT active_ms FROM labeling_annotation
    WHERE project_id = %s AND current AND active_ms > 0 ORDER BY transaction DESC, id DESC LIMIT %s
) AS newest
"""
_HAPPENED = f"""
WITH asked AS (
    SELECT pair_id, count(*) FILTER (WHERE state = 'done') AS done, count(*) FILTER (WHERE state <> 'done') AS left_over
    FROM labeling_slot WHERE queue_id = %(queue)s AND lane <> %(gold)s GROUP BY pair_id
), said AS (
    SELECT a.pair_id, a.active_ms, sign(j.preference) AS side FROM labeling_assignment held
    JOIN labeling_annotation a ON a.assignment_id = held.id
    LEFT JOIN labeling_judgment j ON j.annotation_id = a.id AND j.criterion_id = %(criterion)s
    WHERE held.queue_id = %(queue)s AND held.state = 'submitted' AND held.lane <> %(gold)s AND {COUNTS}
), sides AS (
    SELECT pair_id, side, count(*) AS n FROM said WHERE side IS NOT NULL GROUP BY pair_id, side
), pairs AS (
    SELECT pair_id, sum(n) AS m, sum(n * (n - 1)) AS same FROM sides GROUP BY pair_id
)
SELECT (SELECT coalesce(sum(done), 0) FROM asked), (SELECT count(*) FROM asked WHERE done > 0),
    (SELECT count(*) FROM asked WHERE done > 0 AND left_over = 0), (SELECT coalesce(sum(active_ms), 0) FROM said),
    (SELECT avg(same / (m * (m - 1))) FROM pairs WHERE m > 1), (SELECT count(*) FROM pairs WHERE m > 1)
"""  # noqa: S608 (constants of this module)


def seconds_a_judgment(project: Project) -> tuple[int, str]:
    """How long one takes, and how that is known: "measured" here, from the length of the "texts", or a "guess"."""
    with connection.cursor() as cursor:
        cursor.execute(_MEDIAN, [project.pk, NEWEST_TIMES])
        number, median = cursor.fetchone()
    if number >= FEWEST_TIMES:
        return max(1, round(median)), "measured"
    pairs = Pair.objects.filter(project=project).select_related("item", "first", "second").order_by("-pk")
    words = [_words(pair) for pair in pairs.defer("item__conversation_html", "first__html", "second__html")[:LOOKED_AT]]
    if not words:
        return 90, "guess"
    return round(60 * sum(words) / len(words) / WORDS_A_MINUTE) + SECONDS_TO_DECIDE, "texts"


def measured_accuracies(project: Project) -> list[float]:
    """How often each rater of the project finds the better side, on its first preference that is known; empty where
    fewer than FEWEST_RATERS are known."""
    standings = RaterStanding.objects.filter(project=project, judgments__gte=FEWEST_VOTES)
    by_criterion: dict[int, list[float]] = {}
    for criterion, mean in standings.order_by("criterion__position", "pk").values_list("criterion", "mean"):
        by_criterion.setdefault(criterion, []).append(mean)
    return next((found for found in by_criterion.values() if len(found) >= FEWEST_RATERS), [])


def people_at_work(project: Project) -> int:
    """Raters whose judgments there are."""
    return Annotation.objects.filter(project=project, current=True).values("rater").distinct().count()


def what_happened(queue: Queue, criterion_id: int | None) -> dict[str, Any]:
    """Of a queue, without its known answers: judgments, pairs begun and ended, hours, how often two chose one side.

    It reads every answer of the queue, so it is for the clock and never for a page.
    """
    with connection.cursor() as cursor:
        cursor.execute(_HAPPENED, {"queue": queue.pk, "gold": GOLD, "criterion": criterion_id})
        judgments, begun, ended, ms, agree, compared = cursor.fetchone()
    return {
        "judgments": int(judgments), "pairs_begun": begun, "pairs_ended": ended, "pairs": queue.pair_count,
        "hours": round(float(ms) / 3_600_000, 2), "agree": None if agree is None else round(float(agree), 4),
        "compared": compared,
    }  # fmt: skip


def _words(pair: Pair) -> int:
    last = pair.item.conversation[-1]["content"]
    told = last if isinstance(last, str) else " ".join(part.get("text", "") for part in last)
    return sum(count_words(text) for text in (told, pair.first.content, pair.second.content if pair.second else ""))
