"""Reads a project's judgments into arrays, in binary and in one pass: a million of them are some tens of megabytes.

All that changes is in one statement, so it is of one moment; what else is read (pairs, items) never changes.
"""

from __future__ import annotations

import time
from collections.abc import Iterator
from typing import Any

import numpy as np
from django.db import connection
from numpy.typing import NDArray

from labeling.models import Criterion, Project, Queue
from labeling.models.queues import GOLD
from labeling.reports.analysis.judged import BOTH_BAD, MODEL_MISSING, Given, Items, Judged, Named, Pairs
from labeling.reports.counted import COUNTS
from labeling.reports.pseudonyms import pseudonym
from labeling.stats.counts import Ints

Records = NDArray[np.void]
_HEAD = 19  # bytes before the first row of a binary COPY
_AT_ONCE = 50_000
_TYPES = {"int8": ">i8", "int4": ">i4", "int2": ">i2", "float8": ">f8"}
# (name, PostgreSQL's type, what) of each column. None may be null: all rows are then of one length.
_ANSWERS = (
    ("annotation", "int8", "a.id"),
    ("pair", "int8", "a.pair_id"),
    ("rater", "int8", "a.rater_id"),
    ("guideline", "int8", "coalesce(a.guideline_id, 0)"),
    ("at", "float8", "extract(epoch FROM a.created_at)"),
    ("active_ms", "int4", "coalesce(a.active_ms, -1)"),
    ("swapped", "int2", "s.swapped::int"),
    ("gold", "int2", f"(s.lane = '{GOLD}')::int"),
    ("queue", "int8", "coalesce(s.queue_id, 0)"),
    ("criterion", "int8", "j.criterion_id"),
    ("side", "int2", "CASE WHEN j.response_id IS NULL THEN 0 WHEN j.response_id = p.first_id THEN 1 ELSE 2 END"),
    ("value", "int2", f"CASE WHEN j.both_bad THEN {BOTH_BAD} ELSE coalesce(j.preference, j.rating, j.safe::int) END"),
    ("severity", "int2", "coalesce(j.severity, 0)"),
)
_FROM = f"""
FROM labeling_annotation a
JOIN labeling_assignment s ON s.id = a.assignment_id
JOIN labeling_pair p ON p.id = a.pair_id
JOIN labeling_judgment j ON j.annotation_id = a.id
WHERE a.project_id = %s AND {COUNTS} AND j.criterion_id = ANY(%s)
"""
_PAIRS = """
SELECT p.id, p.item_id, p.first_id, coalesce(p.second_id, 0), f.model_name, coalesce(s.model_name, '')
FROM labeling_pair p
JOIN labeling_response f ON f.id = p.first_id LEFT JOIN labeling_response s ON s.id = p.second_id
WHERE p.project_id = %(project)s AND EXISTS (
    SELECT 1 FROM labeling_annotation a WHERE a.project_id = %(project)s AND a.pair_id = p.id AND a.current)
ORDER BY p.id
"""
_ITEMS = """
SELECT i.id, i.language, coalesce(b.name, ''), coalesce(i.metadata->>'category', ''), i.tags
FROM labeling_item i LEFT JOIN labeling_batch b ON b.id = i.batch_id
WHERE i.project_id = %(project)s AND EXISTS (
    SELECT 1 FROM labeling_pair p JOIN labeling_annotation a ON a.pair_id = p.id
    WHERE p.item_id = i.id AND a.project_id = %(project)s AND a.current)
ORDER BY i.id
"""
_AUDITED = """
SELECT DISTINCT k.pair_id FROM labeling_queuedpair k JOIN labeling_queue q ON q.id = k.queue_id
WHERE q.project_id = %s AND k.audit
"""


def load(project: Project) -> Judged:
    """Everything that counts now. Seven queries."""
    kinds = [Criterion.Kind.PREFERENCE, Criterion.Kind.SAFETY, Criterion.Kind.RATING]
    criteria = list(project.criteria.filter(kind__in=kinds))
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_snapshot_xmin(pg_current_snapshot())::text::bigint")
        up_to = cursor.fetchone()[0]
    answers = _read_answers(project, criteria)
    pairs = _read_pairs(project)
    known = _places(pairs.ids, answers["pair"])
    answers = answers[known >= 0]
    items, place = _read_items(project, pairs.item)
    pairs.item = place
    given, of = _given(project, answers, pairs)
    numbers = {criterion.pk: number for number, criterion in enumerate(criteria)}
    ids = np.array(sorted(numbers), dtype=np.int64)
    number = np.array([numbers[pk] for pk in ids.tolist()], dtype=np.int8)
    raters, rater = np.unique(given.rater, return_inverse=True)
    versions, guideline = np.unique(given.guideline, return_inverse=True)
    given.rater, given.guideline = rater.astype(np.int64), guideline.astype(np.int64)
    return Judged(
        criteria=criteria, pairs=pairs, items=items, given=given, raters=raters,
        pseudonyms=[pseudonym(project, pk) for pk in raters.tolist()], guidelines=_versions(project, versions),
        answer_given=of, answer_criterion=number[np.searchsorted(ids, answers["criterion"])] if len(ids) else number,
        answer_side=answers["side"].astype(np.int8), answer_value=answers["value"].astype(np.int16),
        answer_severity=answers["severity"].astype(np.int8), up_to=up_to, now=time.time(),
    )  # fmt: skip


def _read_answers(project: Project, criteria: list[Criterion]) -> Records:
    columns = ", ".join(f"({what})::{kind}" for _, kind, what in _ANSWERS)
    return _copy(f"SELECT {columns} {_FROM}", [project.pk, [one.pk for one in criteria]], _ANSWERS)


def _given(project: Project, answers: Records, pairs: Pairs) -> tuple[Given, Ints]:
    """One row an annotation, in the order of time, and of each answer the row of its annotation."""
    ids, where, of = np.unique(answers["annotation"], return_index=True, return_inverse=True)
    one = answers[where]
    order = np.lexsort((ids, one["at"]))
    one, place = one[order], np.empty(len(order), dtype=np.int64)
    place[order] = np.arange(len(order))
    fixed = Queue.objects.filter(project=project, stopping=Queue.Stopping.FIXED).values_list("pk", flat=True)
    given = Given(
        ids=ids[order], pair=_places(pairs.ids, one["pair"]), rater=one["rater"].astype(np.int64),
        guideline=one["guideline"].astype(np.int64), at=one["at"].astype(np.float64),
        active_ms=one["active_ms"].astype(np.int32), swapped=one["swapped"] == 1, gold=one["gold"] == 1,
        adaptive=~np.isin(one["queue"], [0, *fixed]),
    )  # fmt: skip
    return given, place[of]


def _read_pairs(project: Project) -> Pairs:
    models: dict[str, int] = {}
    rows = [
        (pk, item, first, second, models.setdefault(one, len(models)), models.setdefault(other, len(models)))
        for pk, item, first, second, one, other in _stream(_PAIRS, {"project": project.pk})
    ]
    table = np.array(rows, dtype=np.int64).reshape(-1, 6)
    if "" in models:
        for column in (4, 5):
            table[table[:, column] == models[""], column] = MODEL_MISSING
    with connection.cursor() as cursor:
        cursor.execute(_AUDITED, [project.pk])
        audited = np.array([row[0] for row in cursor.fetchall()], dtype=np.int64)
    ids, item, first, second, one, other = (np.ascontiguousarray(table[:, column]) for column in range(6))
    return Pairs(ids, item, first, second, one, other, list(models), np.isin(ids, audited))


def _read_items(project: Project, wanted: Ints) -> tuple[Items, Ints]:
    """The items, and of each pair (by its item's id) the row of its item."""
    ids: list[int] = []
    names: list[dict[str, int]] = [{}, {}, {}]
    numbers: list[list[int]] = [[], [], []]
    tags: dict[str, int] = {}
    tagged: list[tuple[int, int]] = []
    for pk, language, batch, category, item_tags in _stream(_ITEMS, {"project": project.pk}):
        for place, value in enumerate((language, batch, category)):
            numbers[place].append(names[place].setdefault(value, len(names[place])) if value else -1)
        tagged += [(len(ids), tags.setdefault(tag, len(tags))) for tag in item_tags]
        ids.append(pk)
    language_of, batch_of, category_of = (
        Named(list(known), np.array(each, dtype=np.int64)) for known, each in zip(names, numbers, strict=True)
    )
    table = np.array(tagged, dtype=np.int64).reshape(-1, 2)
    found = np.array(ids, dtype=np.int64)
    items = Items(found, language_of, batch_of, category_of, list(tags), table[:, 0].copy(), table[:, 1].copy())
    return items, _places(found, wanted)


def _versions(project: Project, ids: Ints) -> list[str]:
    versions = dict(project.guidelines.filter(pk__in=ids.tolist()).values_list("pk", "version"))
    return [str(versions.get(pk) or "") for pk in ids.tolist()]


def _places(known: Ints, wanted: NDArray[Any]) -> Ints:
    """Where each wanted id stands among the known ones, which ascend; -1 where it is not."""
    if not len(known):
        return np.full(len(wanted), -1, dtype=np.int64)
    place = np.minimum(np.searchsorted(known, wanted), len(known) - 1)
    return np.where(known[place] == wanted, place, -1)


def _stream(sql: str, parameters: dict[str, Any]) -> Iterator[tuple[Any, ...]]:
    """Rows from a cursor of the server, so that they are never all here at once."""
    with connection.chunked_cursor() as cursor:
        cursor.execute(sql, parameters)
        while rows := cursor.fetchmany(_AT_ONCE):
            yield from rows


def _copy(sql: str, parameters: list[Any], columns: tuple[tuple[str, str, str], ...]) -> Records:
    """The rows of a query whose columns are numbers and never null, by binary COPY: each row has the same bytes."""
    framed: list[Any] = [("fields", ">i2")]
    for name, kind, _ in columns:
        framed += [(f"{name}_size", ">i4"), (name, _TYPES[kind])]
    row = np.dtype(framed)
    kept = np.dtype([(name, _TYPES[kind].replace(">", "=")) for name, kind, _ in columns])
    parts: list[Records] = []
    rest, begun = b"", False
    with connection.cursor() as cursor, cursor.copy(f"COPY ({sql}) TO STDOUT (FORMAT BINARY)", parameters) as copy:
        held: list[bytes] = []
        size = 0
        for block in copy:
            held.append(bytes(block))
            size += len(block)
            if size > 4_000_000:
                rest, begun = _take(b"".join([rest, *held]), begun, row, kept, parts)
                held, size = [], 0
        _take(b"".join([rest, *held]), begun, row, kept, parts)
    return np.concatenate(parts) if parts else np.empty(0, dtype=kept)


def _take(
    data: bytes, begun: bool, row: np.dtype[Any], kept: np.dtype[Any], parts: list[Records]
) -> tuple[bytes, bool]:
    """Adds the whole rows of `data` to `parts` and gives back what is left. The end is a row of -1 fields."""
    start = 0 if begun else _HEAD
    whole = (len(data) - start) // row.itemsize
    found = np.frombuffer(data, dtype=row, count=whole, offset=start)
    taken = np.empty(whole, dtype=kept)
    for name in kept.names or ():
        taken[name] = found[name]
    parts.append(taken)
    return data[start + whole * row.itemsize :], True
