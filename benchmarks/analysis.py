"""Every report of a project with a million judgments, from nothing, in one process: seconds and megabytes.

Each report is also given as a multiple of reading the judgments, which no computation of them can avoid.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Any

from django.db import connection

from benchmarks.crowd import WORDS, analyze, make_raters
from benchmarks.stage import Stage, own_cpu, peak_megabytes
from labeling.actions.analyse import ask, run_step
from labeling.actions.projects import create_project
from labeling.models import Analysis, Batch, Finding, Project, RaterProfile
from labeling.reports.analysis.catalogue import REPORTS
from labeling.reports.analysis.loading import load
from labeling.reports.analysis.source import Source

PAIRS, RATERS, MODELS = 345_000, 500, 20
MOST_SECONDS, MOST_MEGABYTES = 120, 1024
# About 2.6 a pair on helpfulness, a tenth of them on harmlessness too, a twentieth on the safety of both responses.
SEEDS = (
    """
    INSERT INTO labeling_item (project_id, batch_id, external_id, fingerprint, conversation, conversation_html,
                               language, tags, metadata)
    SELECT %(project)s, CASE WHEN n %% 5 = 0 THEN %(other)s ELSE %(batch)s END, 'made-' || n,
           encode(sha256(convert_to(%(project)s || '-' || n, 'UTF8')), 'hex'),
           jsonb_build_array(jsonb_build_object('role', 'user', 'content', 'Question ' || n)), '[]',
           (ARRAY['en', 'zh-Hans', 'zh-Hant', 'fr'])[1 + n %% 4],
           ARRAY[(ARRAY['medicine', 'law', 'code', 'home', 'faith', 'travel', 'money', 'red-team'])[1 + n %% 8]],
           jsonb_build_object('category', (ARRAY['open', 'closed', 'rewrite', 'chat', 'facts'])[1 + n %% 5])
    FROM generate_series(1, %(pairs)s) AS n
    """,
    """
    INSERT INTO labeling_response (project_id, item_id, position, fingerprint, content, model_name, html, renderer)
    SELECT %(project)s, item.id, place, encode(sha256(convert_to(item.id || '-' || place, 'UTF8')), 'hex'),
           CASE WHEN (item.id + place) %% 3 = 0 THEN E'# Answer\\n\\n- ' ELSE '' END
               || 'Answer ' || place || ' to ' || item.id || ': '
               || repeat(%(words)s, 3 + ((item.id * 7 + place * 3) %% 9)::int),
           'model-' || (item.id * 7 + place * (1 + item.id %% (%(models)s - 1))) %% %(models)s, '', 1
    FROM labeling_item item CROSS JOIN generate_series(0, 1) AS place
    WHERE item.project_id = %(project)s ORDER BY item.id, place
    """,
    """
    INSERT INTO labeling_pair (project_id, item_id, first_id, second_id)
    SELECT %(project)s, item_id, min(id), max(id) FROM labeling_response
    WHERE project_id = %(project)s GROUP BY item_id ORDER BY item_id
    """,
    # every pair has two to five raters who lie next to each other, from a place that the pair's number draws
    """
    CREATE TEMPORARY TABLE visit AS
    SELECT nextval(pg_get_serial_sequence('labeling_assignment', 'id')) AS assignment,
           nextval(pg_get_serial_sequence('labeling_annotation', 'id')) AS annotation, pair.id AS pair,
           pair.first_id, pair.second_id, rater.id AS rater, random() < 0.5 AS swapped,
           timestamptz '2026-01-05' + random() * interval '100 days' AS at, 3000 + (random() * 90000)::int AS ms,
           (hashint8(pair.id) %% 1000) / 450.0
               + (random() + random() + random() - 1.5) * (1.5 + rater.place %% 5) AS leaning
    FROM labeling_pair pair
    CROSS JOIN LATERAL generate_series(0, (ARRAY[1, 1, 1, 1, 1, 1, 2, 2, 2, 4])[1 + (pair.id %% 10)::int]) AS step
    JOIN (SELECT id, row_number() OVER (ORDER BY id) - 1 AS place FROM unnest(%(raters)s::bigint[]) AS id) rater
         ON rater.place = (abs(hashint8(pair.id)::bigint) + step * 17) %% %(rater_count)s
    WHERE pair.project_id = %(project)s
    """,
    """
    INSERT INTO labeling_assignment (id, project_id, pair_id, rater_id, state, swapped, claimed_at, ended_at,
                                     skip_reason, skip_comment)
    SELECT assignment, %(project)s, pair, rater, 'submitted', swapped, at, at, '', '' FROM visit
    """,
    """
    INSERT INTO labeling_annotation (id, project_id, assignment_id, pair_id, rater_id, guideline_id, revision, current,
                                     body_digest, active_ms, created_at)
    SELECT annotation, %(project)s, assignment, pair, rater, %(guideline)s, 1, true, '', ms, at FROM visit
    """,
    """
    INSERT INTO labeling_judgment (project_id, annotation_id, criterion_id, preference, both_bad, categories, text)
    SELECT %(project)s, annotation, %(helpfulness)s, greatest(-3, least(3, round(leaning)))::int, false,
           '{}'::varchar[], ''
    FROM visit
    UNION ALL
    SELECT %(project)s, annotation, %(harmlessness)s, greatest(-3, least(3, round(2 * random() - leaning)))::int, false,
           '{}'::varchar[], ''
    FROM visit WHERE pair %% 10 = 1
    """,
    """
    INSERT INTO labeling_judgment (project_id, annotation_id, criterion_id, response_id, both_bad, safe, categories,
                                   severity, text)
    SELECT %(project)s, annotation, %(safety)s, response, false, is_safe,
           CASE WHEN is_safe THEN '{}'::varchar[] ELSE '{Privacy}' END, CASE WHEN is_safe THEN NULL ELSE 2 END, ''
    FROM (SELECT annotation, unnest(ARRAY[first_id, second_id]) AS response FROM visit WHERE pair %% 20 = 1) two,
         LATERAL (SELECT hashint8(response) %% 10 + 3 * random() > -6 AS is_safe) called
    """,
)  # fmt: skip


def main(stage: Stage) -> None:
    project = _seed()
    analysis = ask(project=project, by=None)
    before, wall = stage.server_cpu() + own_cpu(), time.perf_counter()
    while run_step(analysis, seconds=600):
        continue
    wall = time.perf_counter() - wall
    cpu, peak = stage.server_cpu() + own_cpu() - before, peak_megabytes()
    analysis = Analysis.objects.get(pk=analysis.pk)
    stored = sum(len(str(data)) for data in Finding.objects.filter(project=project).values_list("data", flat=True))
    counted = f"{analysis.judgments:,} judgments, {PAIRS:,} pairs, {RATERS} raters"
    print(f"{counted}: all {len(REPORTS)} reports, {analysis.state}")
    print(f"  {wall:.0f} s, {cpu:.0f} s of CPU with PostgreSQL's (at most {MOST_SECONDS})")
    print(f"  {peak} MB at most (of {MOST_MEGABYTES}); the findings are {stored / 1e6:.1f} MB of JSON")
    _one_by_one(project)


def _one_by_one(project: Project) -> None:
    begun = time.process_time()
    judged = load(project)
    reading = time.process_time() - begun
    print(f"  reading them: {reading:.1f} s of CPU")
    source = Source(project, judged)
    _timed("texts", lambda: source.texts, reading)
    for name, report in REPORTS.items():
        _timed(name, lambda report=report: report(source), reading)  # type: ignore[misc]


def _timed(name: str, run: Callable[[], object], reading: float) -> None:
    begun = time.process_time()
    run()
    took = time.process_time() - begun
    print(f"  {name:<14}{took:6.1f} s of CPU, {took / reading:4.1f} times the reading")


def _seed() -> Project:
    project = create_project(slug="analysed", name="analysed", by=None)
    raters = make_raters(project.queues.get(), RATERS)
    for place, rater in enumerate(raters):
        RaterProfile.objects.create(
            user=rater, languages=[("en", "zh-Hans", "fr")[place % 3]], demographics_consent_at=project.created_at,
            demographics={"age": ("18-29", "30-49", "50+")[place % 3], "gender": ("f", "m")[place % 2]},
        )  # fmt: skip
    keys = dict(project.criteria.values_list("key", "pk"))
    facts: dict[str, Any] = {
        "project": project.pk, "pairs": PAIRS, "models": MODELS, "words": WORDS, "rater_count": RATERS,
        "raters": [rater.pk for rater in raters], "guideline": project.guidelines.get(version=1).pk,
        "batch": Batch.objects.create(project=project, name="made", state=Batch.State.DONE).pk,
        "other": Batch.objects.create(project=project, name="made later", state=Batch.State.DONE).pk,
        "helpfulness": keys["helpfulness"], "harmlessness": keys["harmlessness"], "safety": keys["safety"],
    }  # fmt: skip
    with connection.cursor() as cursor:
        for table in ("annotation", "judgment"):  # a million triggers would tell nothing
            cursor.execute(f"ALTER TABLE labeling_{table} DISABLE TRIGGER USER")
        for seed in SEEDS:
            cursor.execute(seed, facts)
        for table in ("annotation", "judgment"):
            cursor.execute(f"ALTER TABLE labeling_{table} ENABLE TRIGGER USER")
    analyze()
    return project
