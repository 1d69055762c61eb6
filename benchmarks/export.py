"""Judged pairs to Parquet and JSON Lines, against PostgreSQL's own COPY … TO STDOUT of the same join.

A pair has a question of 160 characters, two answers of 512, and one annotation with a preference on two criteria and a
verdict on the safety of each answer. Two limits, both COPY of the very query that the export reads: as anybody's
session runs it, and with the memory that the export gives its own session to sort in. Beside them stands COPY of a
lighter join: conversation, both texts and the preference; no order, no adding up, no safety.

`BENCH_PAIRS=1000000` runs it with a million, `BENCH_ROUNDS=1` once. A worker that exports has exported before: what
Python loads for the first time counts for nobody. The figure of two workers is wall time, so it means something only on
a machine with two idle cores; beside the median of some rounds stands the best of each, which others disturbed least.
Both workers are running when the clock starts.
"""

from __future__ import annotations

import os
import statistics
import subprocess
import sys
import tempfile
from dataclasses import dataclass
from typing import Any

import psycopg
from django.db import connection
from django.db.backends.base.base import BaseDatabaseWrapper

from benchmarks.stage import Stage, own_cpu
from exports.recipes import Recipe
from exports.rows import Reader, frozen_connection
from labeling.actions.people import create_person
from labeling.actions.projects import create_project
from labeling.models import Batch, Criterion, Project

PAIRS, ROUNDS = int(os.environ.get("BENCH_PAIRS", "100000")), int(os.environ.get("BENCH_ROUNDS", "3"))
SMALL, TINY = 20_000, 100
# In a process of its own, so that its memory is that of the export and nothing else.
EXPORT = """
import resource, sys, django
django.setup()
from pathlib import Path
from benchmarks.stage import peak_megabytes
from exports.actions import write_export
from labeling.models import Project
recipe = {{"format": "{format}", "file": "{file}", "filters": {{"batches": {batches}}}}} | {more}
project = Project.objects.get(slug="exporting")
write_export(project=project, recipe=recipe | {{"filters": {{"batches": ["tiny"]}}}}, to=Path(sys.argv[1]) / "tiny")
used = resource.getrusage(resource.RUSAGE_SELF)
before = used.ru_utime + used.ru_stime
built = write_export(project=project, recipe=recipe, to=Path(sys.argv[1]) / "out")
used = resource.getrusage(resource.RUSAGE_SELF)
assert built.manifest["pairs"] == {pairs}, built.manifest
print(used.ru_utime + used.ru_stime - before, peak_megabytes())
"""
SHARED = """
import sys, time, django
django.setup()
from pathlib import Path
from exports.assembly import build
from exports.recipes import read_recipe
from exports.sharing import further_processes
from labeling.models import Project
recipe, scratch = {{"format": "dpo", "file": "jsonl"}}, Path(sys.argv[1]) / "scratch"
project = Project.objects.get(slug="exporting")
tiny = read_recipe(recipe | {{"filters": {{"batches": ["tiny"]}}}})
build(project, tiny, Path(sys.argv[1]) / "tiny", lambda progress: None)
with further_processes({workers} - 1, scratch):
    time.sleep({seconds})
    began = time.monotonic()
    built = build(project, read_recipe(recipe), scratch, lambda progress: None, share={workers})
    print(time.monotonic() - began, built.manifest["content_hash"])
"""
LOADED = 4  # seconds until a further process waits for something to do
JOIN = """
COPY (
    SELECT i.fingerprint, i.conversation, f.content, s.content, j.preference, j.both_bad, j.text
    FROM labeling_annotation a JOIN labeling_judgment j ON j.annotation_id = a.id
    JOIN labeling_pair p ON p.id = a.pair_id JOIN labeling_item i ON i.id = p.item_id
    JOIN labeling_response f ON f.id = p.first_id JOIN labeling_response s ON s.id = p.second_id
    WHERE a.project_id = {project} AND a.current AND j.criterion_id = {criterion}
) TO STDOUT"""
FILL = """
CREATE OR REPLACE FUNCTION pg_temp.prose(seed text, pieces int) RETURNS text LANGUAGE sql AS $$
    SELECT string_agg(translate(md5(seed || k), '0123456789abcdef', 'etaoinshrdlu cmf'), '')
    FROM generate_series(1, pieces) k
$$;
WITH item AS (
    INSERT INTO labeling_item (project_id, batch_id, external_id, fingerprint, conversation, conversation_html,
        language, tags, metadata)
    SELECT %(project)s, %(batch)s, '', encode(sha256(('item ' || %(batch)s || ' ' || n)::bytea), 'hex'),
        jsonb_build_array(jsonb_build_object('role', 'user', 'content', pg_temp.prose('q' || n, 5))), '[]',
        'en', '{}', '{}'
    FROM generate_series(1, %(pairs)s) n RETURNING id
), response AS (
    INSERT INTO labeling_response (project_id, item_id, position, fingerprint, content, model_name, html, renderer)
    SELECT %(project)s, id, side, encode(sha256(text::bytea), 'hex'), text, '', '', 0
    FROM (SELECT id, side, pg_temp.prose(id || '-' || side, 16) AS text FROM item, generate_series(0, 1) side) answers
    RETURNING id, item_id
), pair AS (
    INSERT INTO labeling_pair (project_id, item_id, first_id, second_id)
    SELECT %(project)s, item_id, min(id), max(id) FROM response GROUP BY item_id RETURNING id, first_id, second_id
), assignment AS (
    INSERT INTO labeling_assignment (project_id, queue_id, pair_id, rater_id, guideline_id, state, swapped,
        claimed_at, ended_at, skip_reason, skip_comment)
    SELECT %(project)s, %(queue)s, id, %(rater)s, %(guideline)s, 'submitted', id %% 2 = 0, now(), now(), '', ''
    FROM pair RETURNING id, pair_id
), annotation AS (
    INSERT INTO labeling_annotation (project_id, assignment_id, pair_id, rater_id, guideline_id, revision, current,
        body_digest, created_at)
    SELECT %(project)s, id, pair_id, %(rater)s, %(guideline)s, 1, true, '', now() FROM assignment
    RETURNING id, pair_id
)
INSERT INTO labeling_judgment (project_id, annotation_id, criterion_id, response_id, preference, both_bad, safe,
    categories, text)
SELECT %(project)s, a.id, c.id, CASE c.nth WHEN 3 THEN p.first_id WHEN 4 THEN p.second_id END,
    CASE WHEN c.nth < 3 THEN 1 + abs(hashint8(a.id * c.nth)) %% 3 END
        * CASE WHEN hashint8(a.id) %% 2 = 0 THEN 1 ELSE -1 END,
    false, CASE WHEN c.nth > 2 THEN a.id %% 5 > 0 END, '{}',
    CASE WHEN c.nth = 1 AND a.id %% 4 = 0 THEN 'It answers.' ELSE '' END
FROM annotation a JOIN pair p ON p.id = a.pair_id,
    (VALUES (1, %(helpfulness)s), (2, %(harmlessness)s), (3, %(safety)s), (4, %(safety)s)) c (nth, id)
"""


@dataclass(frozen=True)
class Run:
    """`cpu`: seconds of the exporting process and PostgreSQL; `megabytes`: the process's peak."""

    cpu: float
    megabytes: int


def main(stage: Stage) -> None:
    project = create_project(slug="exporting", name="exporting", by=None)
    for batch, pairs in (("tiny", TINY), ("small", SMALL), ("rest", PAIRS - SMALL - TINY)):
        _fill(project, batch, pairs)
    with connection.cursor() as cursor:
        cursor.execute("VACUUM ANALYZE")
    kinds = [("dpo", "parquet"), ("dpo", "jsonl"), ("reward", "parquet")]
    limits: dict[str, list[float]] = {"usual": [], "own": [], "bare": []}
    found: dict[tuple[str, str], list[Run]] = {kind: [] for kind in kinds}
    for _ in range(ROUNDS):
        limits["usual"].append(_copy_same(stage, project, connection))
        with frozen_connection() as frozen:
            limits["own"].append(_copy_same(stage, project, frozen))
        limits["bare"].append(_copy_bare(stage, project))
        for kind in kinds:
            found[kind].append(_export(stage, *kind, [], PAIRS))
    rates = {name: PAIRS / statistics.median(seconds) for name, seconds in limits.items()}
    print(f"COPY TO STDOUT of the same join: {rates['usual']:,.0f} rows a CPU second (client and PostgreSQL)")
    print(f"the same with the export's memory to sort in: {rates['own']:,.0f}")
    print(f"COPY TO STDOUT of texts and one preference, in any order: {rates['bare']:,.0f}")
    for (name, file), runs in found.items():
        rate = PAIRS / statistics.median(run.cpu for run in runs)
        least = 0.6 if file == "jsonl" else 0.5
        print(
            f"{name} to {file}: {rate:,.0f} pairs a CPU second, {rate / rates['usual']:.2f} of COPY (at least {least}),"
            f" {rate / rates['own']:.2f} of the second, {rate / rates['bare']:.2f} of the third; "
            f"peak {max(run.megabytes for run in runs)} MB (below 300)"
        )
    small = _export(stage, "dpo", "parquet", ["small"], SMALL).megabytes
    large = max(run.megabytes for run in found["dpo", "parquet"])
    print(f"peak at {PAIRS:,} pairs against {SMALL:,}: {large / small:.2f}")
    _consensus(stage, statistics.median(run.cpu for run in found["dpo", "parquet"]))
    _shared()


def _consensus(stage: Stage, plain: float) -> None:
    for aggregate in ("one_coin", "dawid_skene"):
        run = _export(stage, "dpo", "parquet", [], PAIRS, {"aggregate": aggregate})
        print(f"{aggregate}: {run.cpu / plain:.2f} of the plain one's CPU (at most 2), peak {run.megabytes} MB")


def _shared() -> None:
    """One worker and two in turn, by the clock."""
    walls: dict[int, list[float]] = {1: [], 2: []}
    hashes = set()
    for _ in range(ROUNDS):
        for workers, seconds in walls.items():
            program = SHARED.format(workers=workers, seconds=LOADED if workers > 1 else 0)
            wall, content_hash = _said(program)
            seconds.append(float(wall))
            hashes.add(content_hash)
    one, two = (statistics.median(seconds) for seconds in walls.values())
    best = min(walls[1]) / min(walls[2])
    same = "the same hash" if len(hashes) == 1 else f"DIFFERENT HASHES: {hashes}"
    print(
        f"two workers: {one:.1f} s alone, {two:.1f} s shared, {one / two:.2f} times as fast (at least 1.6), "
        f"{best:.2f} by the best of each; {same}"
    )


def _fill(project: Project, name: str, pairs: int) -> None:
    rater = create_person(email=f"{name}@example.org", name=name, password=None)
    batch = Batch.objects.create(project=project, name=name, state=Batch.State.DONE)
    guideline, queue = project.guidelines.get(), project.queues.get()
    criteria = dict(Criterion.objects.filter(project=project).values_list("key", "id"))
    facts = {
        "project": project.pk, "batch": batch.pk, "rater": rater.pk, "guideline": guideline.pk, "queue": queue.pk,
    }  # fmt: skip
    with connection.cursor() as cursor:
        cursor.execute(FILL, criteria | facts | {"pairs": pairs})


def _copy_same(stage: Stage, project: Project, on: BaseDatabaseWrapper) -> float:
    """CPU seconds, of this process and PostgreSQL, for COPY of what the export itself reads."""
    began, servers = own_cpu(), stage.server_cpu()
    on.ensure_connection()
    query, values = Reader(project, Recipe("dpo"), on=on).query()
    cursor = psycopg.ClientCursor(on.connection)
    with cursor.copy(f"COPY ({cursor.mogrify(query, values)}) TO STDOUT") as copy:
        for _ in copy:
            continue
    return own_cpu() - began + stage.server_cpu() - servers


def _copy_bare(stage: Stage, project: Project) -> float:
    """CPU seconds, of this process and PostgreSQL, to read a lighter join to its end."""
    criterion = project.criteria.get(key="helpfulness").pk
    began, servers = own_cpu(), stage.server_cpu()
    with (
        connection.cursor() as cursor,
        cursor.connection.cursor().copy(JOIN.format(project=project.pk, criterion=criterion)) as copy,
    ):
        for _ in copy:
            continue
    return own_cpu() - began + stage.server_cpu() - servers


def _export(stage: Stage, name: str, file: str, batches: list[str], pairs: int, more: Any = None) -> Run:
    program = EXPORT.format(format=name, file=file, batches=batches, pairs=pairs, more=more or {})
    servers = stage.server_cpu()
    seconds, megabytes = _said(program)
    return Run(float(seconds) + stage.server_cpu() - servers, int(megabytes))


def _said(program: str) -> list[str]:
    """The words that a Python program prints, which gets a folder for its files."""
    with tempfile.TemporaryDirectory() as folder:
        argv = [sys.executable, "-c", program, folder]
        return subprocess.run(argv, check=True, capture_output=True, text=True).stdout.split()
