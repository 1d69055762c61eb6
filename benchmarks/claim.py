"""A claim costs the same in a small queue and a large one, for a new rater and for one 50,000 pairs in.

The limit it is set against is one indexed write of the same connection in the same run: the commit it cannot avoid.
"""

from __future__ import annotations

import statistics
import time
from collections.abc import Callable
from functools import partial

from django.db import connection, transaction

from benchmarks.crowd import analyze, make_queue, make_raters
from benchmarks.stage import Stage, own_cpu
from labeling.actions.annotate import submit
from labeling.actions.assign import claim
from labeling.actions.care import change_care, open_pair
from labeling.actions.queues import create_queue
from labeling.actions.topics import add_topic, choose_topics
from labeling.models import Passage, Queue, User

SMALL, LARGE, FAR = 1_000, 1_000_000, 50_000
TOPICS = ("self-harm", "violence")
ROUNDS = 300
BODY = {"judgments": {"helpfulness": {"preference": 1}}}


def main(stage: Stage) -> None:
    limit = _milliseconds(stage, _bare_write)[0]
    print(f"one indexed write and its commit: {limit:.2f} ms")
    costs = {}
    for pairs in (SMALL, LARGE):
        queue = make_queue(f"claim-{pairs}", pairs)
        new, old = make_raters(queue, 2)
        far = min(FAR, pairs // 2)
        _judge(queue, old, far)
        for rater, who in ((new, "new rater"), (old, f"rater {far:,} pairs in")):
            name = f"{pairs:>9,} pairs, {who}"
            costs[name] = _report(stage, name, limit, partial(_claim_and_submit, queue, rater))
    ratio = max(costs.values()) / min(costs.values())
    print(f"CPU, dearest against cheapest: {ratio:.2f} (1 is: size and history cost nothing)")
    _with_topics(stage, limit)


def _with_topics(stage: Stage, limit: float) -> None:
    """A quarter of the pairs is of each of two topics, a quarter of both: four lanes."""
    costs = {}
    for pairs in (4 * SMALL, LARGE // 10):  # so that each lane has a pair for every round
        queue = _sensitive(f"topics-{pairs}", pairs)
        everyday, new, old = make_raters(queue, 3)
        for rater in (new, old):
            choose_topics(project=queue.project, rater=rater, keys=TOPICS)
        _judge(queue, old, min(FAR, pairs // 2))
        _report(
            stage, f"{pairs:>9,} pairs in four lanes, chose none", limit, partial(_claim_and_submit, queue, everyday)
        )
        for rater, who in ((new, "new"), (old, "half way")):
            name = f"{pairs:>9,} pairs in four lanes, chose two topics, {who}"
            costs[name] = _report(stage, name, limit, partial(_claim_and_submit, queue, rater))
    ratio = max(costs.values()) / min(costs.values())
    print(f"CPU with topics, dearest against cheapest: {ratio:.2f}")


def _sensitive(slug: str, pairs: int) -> Queue:
    """Filled after the topics were there, so that the lanes are mixed in one order."""
    queue = make_queue(slug, pairs)
    project = queue.project
    change_care(project=project, by=None, support="somebody", break_after_minutes=0, break_after_pairs=0)
    with connection.cursor() as cursor:
        cursor.execute(
            """
            UPDATE labeling_item SET tags =
                (ARRAY['{}', '{self-harm}', '{violence}', '{self-harm,violence}'])[1 + id %% 4]::varchar[]
            WHERE project_id = %s
            """,
            [project.pk],
        )
    for key in TOPICS:
        add_topic(project=project, by=None, key=key, name=key, daily_pairs=1000)
    mixed = create_queue(project=project, by=None, name="Four lanes", overlap=3)
    mixed.refresh_from_db()
    analyze()
    return mixed


def _claim_and_submit(queue: Queue, rater: User) -> float:
    """Milliseconds of the claim alone; the submit makes room for the next."""
    began = time.perf_counter()
    held = claim(queue=queue, rater=rater)
    took = time.perf_counter() - began
    assert held is not None
    held.project = queue.project
    if held.lane:
        open_pair(assignment=held, rater=rater)
        Passage.objects.filter(rater=rater, lane="").update(sensitive_run=0)  # the run is not what is measured
    submit(assignment=held, rater=rater, body=BODY)
    return took


def _bare_write() -> float:
    began = time.perf_counter()
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute("UPDATE labeling_project SET description = '' WHERE id = (SELECT min(id) FROM labeling_project)")
    return time.perf_counter() - began


def _report(stage: Stage, name: str, limit: float, one: Callable[[], float]) -> float:
    median, worst, cpu = _milliseconds(stage, one)
    print(
        f"{name}: claim {median:.2f} ms (p95 {worst:.2f}), {median / limit:.1f} x the write; "
        f"claim and submit {cpu:.1f} ms CPU"
    )
    return cpu


def _milliseconds(stage: Stage, one: Callable[[], float]) -> tuple[float, float, float]:
    """Median and 95th percentile of what `one` returns, and CPU of app and servers a round, in milliseconds."""
    for _ in range(20):
        one()
    cpu = own_cpu() + stage.server_cpu()
    took = sorted(one() for _ in range(ROUNDS))
    cpu = own_cpu() + stage.server_cpu() - cpu
    return statistics.median(took) * 1000, took[int(ROUNDS * 0.95)] * 1000, cpu / ROUNDS * 1000


def _judge(queue: Queue, rater: User, number: int) -> None:
    """Let a rater have judged the first `number` pairs, as the verbs would have left it."""
    facts = {"queue": queue.pk, "project": queue.project_id, "rater": rater.pk, "number": number}
    with connection.cursor() as cursor:
        cursor.execute(
            """
            WITH first AS (
                SELECT id, pair_id, rank, swapped, lane FROM labeling_slot
                WHERE queue_id = %(queue)s AND number = 1 ORDER BY rank LIMIT %(number)s
            ), done AS (
                UPDATE labeling_slot SET state = 'done' WHERE id IN (SELECT id FROM first)
            ), made AS (
                INSERT INTO labeling_assignment (project_id, queue_id, slot_id, pair_id, rater_id, state, swapped,
                                                 claimed_at, ended_at, skip_reason, skip_comment)
                SELECT %(project)s, %(queue)s, id, pair_id, %(rater)s, 'submitted', swapped, now(), now(), '', ''
                FROM first
            )
            INSERT INTO labeling_passage (queue_id, rater_id, lane, passed, done)
            SELECT %(queue)s, %(rater)s, lane, max(rank), count(*) FROM first GROUP BY lane
            """,
            facts,
        )
    analyze()
