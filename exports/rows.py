"""From the database to comparisons: one stream, in an order that depends on the texts alone.

Which judgments: those that were current in a PostgreSQL snapshot, named by its text (`pg_current_snapshot()`), so
that a second attempt hours later, after more judging and revising, reads exactly the same ones. The order is by the
fingerprints of the two responses, then of the item: it is the same on every machine, looks shuffled to a trainer, and
brings the same two texts of different items side by side.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import date
from itertools import groupby
from typing import Any

import orjson
from django.db import connection
from django.db.backends.base.base import BaseDatabaseWrapper

from exports.recipes import Recipe
from exports.recipes.majority import Comparison, Side
from labeling.models import Criterion, Project

FETCHED_AT_ONCE = 2000
SEPARATOR = "\x1e"
Place = tuple[str, str, str]

# A row is visible if its transaction is. One from "the future" came with a restored dump, whose transactions were
# counted by another server; it is as old as the dump.
_SEEN = "(pg_visible_in_snapshot({0}.transaction, %(as_of)s::pg_snapshot) OR {0}.transaction >= pg_snapshot_xmax(pg_current_snapshot()))"
_COUNTED = f"""
    counted AS MATERIALIZED (
        SELECT a.id, a.pair_id, a.rater_id, a.guideline_id, a.assignment_id, a.created_at
        FROM labeling_annotation a {{scope}}
        WHERE a.project_id = %(project)s AND a.current AND {_SEEN.format("a")}
      UNION ALL  -- what a revision has replaced since
        SELECT a.id, a.pair_id, a.rater_id, a.guideline_id, a.assignment_id, a.created_at
        FROM labeling_annotation newer
        CROSS JOIN LATERAL (
            SELECT * FROM labeling_annotation older
            WHERE older.assignment_id = newer.assignment_id AND {_SEEN.format("older")}
            ORDER BY older.revision DESC LIMIT 1
        ) a {{scope}}
        WHERE newer.project_id = %(project)s AND newer.current AND newer.revision > 1 AND NOT {_SEEN.format("newer")}
    )"""
_SCOPE = "JOIN labeling_pair scope ON scope.id = a.pair_id JOIN labeling_item si ON si.id = scope.item_id AND {filters}"

# The judgments that count, as (annotation, response or none, preference, both_bad, safe, text).
_GIVEN = """
    SELECT annotation_id, response_id, preference, both_bad, safe, text FROM labeling_judgment
    WHERE criterion_id = ANY(%(criteria)s)"""
# A criterion asked only on conflict is answered, where it was not asked, by the side to which the others point.
_POINTED = """
    SELECT annotation_id, response_id, preference, both_bad, safe, text FROM labeling_judgment
    WHERE criterion_id = ANY(%(safety)s)
  UNION ALL
    SELECT annotation_id, NULL,
        CASE WHEN given THEN answer WHEN plus AND minus OR bad THEN NULL WHEN plus OR minus THEN mean ELSE 0 END,
        CASE WHEN given THEN answer IS NULL ELSE bad END, NULL, text
    FROM (
        SELECT annotation_id, bool_or(criterion_id = %(criterion)s) AS given,
            max(preference) FILTER (WHERE criterion_id = %(criterion)s) AS answer,
            coalesce(max(text) FILTER (WHERE criterion_id = %(criterion)s), '') AS text,
            bool_or(preference > 0) IS TRUE AS plus, bool_or(preference < 0) IS TRUE AS minus,
            bool_or(both_bad) AND bool_or(preference <> 0) IS NOT TRUE AS bad,
            avg(preference) FILTER (WHERE preference <> 0) AS mean
        FROM labeling_judgment JOIN counted ON counted.id = annotation_id
        WHERE criterion_id = ANY(%(pointing)s)
        GROUP BY annotation_id
    ) answers"""
_TALLIES = """
    tallies AS (
        SELECT p.id, p.item_id, p.first_id, p.second_id,
            count(*) FILTER (WHERE j.preference < 0) AS first_raters,
            count(*) FILTER (WHERE j.preference > 0) AS second_raters,
            coalesce(sum(-j.preference) FILTER (WHERE j.preference < 0), 0)::float8 AS first_strength,
            coalesce(sum(j.preference) FILTER (WHERE j.preference > 0), 0)::float8 AS second_strength,
            count(*) FILTER (WHERE j.preference = 0) AS ties,
            count(*) FILTER (WHERE j.both_bad) AS both_bad,
            count(*) FILTER (WHERE j.response_id = p.first_id AND j.safe) AS first_safe,
            count(*) FILTER (WHERE j.response_id = p.first_id AND NOT j.safe) AS first_unsafe,
            count(*) FILTER (WHERE j.response_id = p.second_id AND j.safe) AS second_safe,
            count(*) FILTER (WHERE j.response_id = p.second_id AND NOT j.safe) AS second_unsafe,
            string_agg(j.text, %(separator)s) FILTER (WHERE j.preference < 0 AND j.text <> '') AS first_said,
            string_agg(j.text, %(separator)s) FILTER (WHERE j.preference > 0 AND j.text <> '') AS second_said
        FROM counted JOIN labeling_pair p ON p.id = counted.pair_id JOIN ({judgments}) j ON j.annotation_id = counted.id
        WHERE p.second_id IS NOT NULL {among}
        GROUP BY p.id
    )"""
_STREAM = """
    SELECT f.fingerprint, s.fingerprint, i.fingerprint, {texts},
        first_raters, second_raters, first_strength, second_strength, ties, both_bad,
        first_safe, first_unsafe, second_safe, second_unsafe, first_said, second_said, tallies.id
    FROM tallies JOIN labeling_item i ON i.id = item_id
    JOIN labeling_response f ON f.id = first_id JOIN labeling_response s ON s.id = second_id
    {after} ORDER BY least(f.fingerprint, s.fingerprint), greatest(f.fingerprint, s.fingerprint), i.fingerprint"""
_AFTER = """
    WHERE (least(f.fingerprint, s.fingerprint), greatest(f.fingerprint, s.fingerprint), i.fingerprint)
        > (%(low)s, %(high)s, %(item)s)"""
_TEXTS = "i.conversation::text, f.content, s.content"
_NO_TEXTS = "NULL, NULL, NULL"


@dataclass(frozen=True, slots=True)
class Facts:
    """What the card tells about the judgments: annotations in all, of how many raters, when, under which guidelines."""

    annotations: int
    raters: int
    first_id: int | None
    last_id: int | None
    first_day: date | None
    last_day: date | None
    guidelines: dict[int, int]
    left_preferred: int
    sides_preferred: int


class Reader:
    """Reads one project for one recipe, as of a snapshot. All methods see the same rows if the connection is frozen."""

    def __init__(self, project: Project, recipe: Recipe, as_of: str = "", on: BaseDatabaseWrapper | None = None) -> None:
        self.connection = on or connection
        self.as_of = as_of or self._one("SELECT pg_current_snapshot()::text", {})[0]
        criteria = list(Criterion.objects.filter(project=project))
        chosen = next(criterion for criterion in criteria if criterion.key == recipe.criterion)
        self.pointed = chosen.asked == Criterion.Asked.ON_CONFLICT
        preferences = [c.pk for c in criteria if c.kind == Criterion.Kind.PREFERENCE and c.asked == Criterion.Asked.ALWAYS]
        safety = [c.pk for c in criteria if c.kind == Criterion.Kind.SAFETY]
        filters = recipe.filters
        self.values: dict[str, Any] = {
            "project": project.pk, "as_of": self.as_of, "separator": SEPARATOR,
            "criterion": chosen.pk, "criteria": [chosen.pk, *safety], "safety": safety, "pointing": [chosen.pk, *preferences],
            "queues": list(filters.queues), "batches": list(filters.batches),
            "languages": list(filters.languages), "tags": list(filters.tags),
        }  # fmt: skip
        self.filters = _filters(recipe)

    def pairs(self) -> int:
        """Pairs of two responses that the filters take, judged or not."""
        sql = "SELECT count(*) FROM labeling_pair scope {} WHERE scope.project_id = %(project)s AND scope.second_id IS NOT NULL"
        item = f"JOIN labeling_item si ON si.id = scope.item_id AND {self.filters}" if self.filters else ""
        return int(self._one(sql.format(item), self.values)[0])

    def judged_pairs(self) -> int:
        """Those of them with at least one annotation."""
        sql = f"""WITH {self._counted()} SELECT count(DISTINCT p.id) FROM counted
            JOIN labeling_pair p ON p.id = counted.pair_id AND p.second_id IS NOT NULL"""
        return int(self._one(sql, self.values)[0])

    def comparisons(self, after: Place | None = None) -> Iterator[tuple[Comparison, Place]]:
        """Every judged comparison beyond a place, with its own place. Flat memory; one query."""
        sql = self._stream(_TEXTS, _AFTER if after else "")
        values = self.values | (dict(zip(("low", "high", "item"), after, strict=True)) if after else {})
        with self._cursor() as cursor:
            cursor.itersize = FETCHED_AT_ONCE
            cursor.execute(sql, values)
            for place, rows in groupby(cursor, key=lambda row: sorted(row[:2])):
                for comparison in _pool(rows):
                    yield comparison, (*place, comparison.item)

    def outcomes(self) -> Iterator[tuple[Comparison, int]]:
        """As `comparisons`, without texts and so without recognising one comparison in two items, each with its pair's id."""
        with self._cursor() as cursor:
            cursor.itersize = FETCHED_AT_ONCE
            cursor.execute(self._stream(_NO_TEXTS, ""), self.values)
            for row in cursor:
                yield _comparison(row, []), row[-1]

    def of_pairs(self, pair_ids: list[int]) -> list[Comparison]:
        """The comparisons of a few pairs."""
        with self.connection.cursor() as cursor:
            cursor.execute(self._stream(_TEXTS, "", "AND p.id = ANY(%(pairs)s)"), self.values | {"pairs": pair_ids})
            return [_comparison(row, orjson.loads(row[3])) for row in cursor.fetchall()]

    def facts(self) -> Facts:
        totals = self._one(
            f"""WITH {self._counted()} SELECT count(*), count(DISTINCT rater_id), min(id), max(id),
                min(created_at)::date, max(created_at)::date FROM counted""",
            self.values,
        )
        # An imported judgment has no queue: nobody knows which response stood on the left.
        left = self._one(
            f"""WITH {self._counted()} SELECT count(*) FILTER (WHERE (preference < 0) <> swapped), count(*) FROM counted
                JOIN labeling_assignment a ON a.id = assignment_id AND a.queue_id IS NOT NULL
                JOIN labeling_judgment j ON j.annotation_id = counted.id AND j.criterion_id = %(criterion)s
                WHERE preference <> 0""",
            self.values,
        )
        with self.connection.cursor() as cursor:
            cursor.execute(
                f"""WITH {self._counted()} SELECT version, count(*) FROM counted
                    JOIN labeling_guideline g ON g.id = guideline_id GROUP BY version ORDER BY version""",
                self.values,
            )
            return Facts(*totals, guidelines=dict(cursor.fetchall()), left_preferred=left[0], sides_preferred=left[1])

    def _counted(self) -> str:
        return _COUNTED.format(scope=_SCOPE.format(filters=self.filters) if self.filters else "")

    def _stream(self, texts: str, after: str, among: str = "") -> str:
        tallies = _TALLIES.format(judgments=_POINTED if self.pointed else _GIVEN, among=among)
        return f"WITH {self._counted()}, {tallies} {_STREAM.format(texts=texts, after=after)}"

    def _cursor(self) -> Any:
        """A server-side cursor in binary, which costs half of what Django's own does."""
        self.connection.ensure_connection()
        return self.connection.connection.cursor(name="export", binary=True)

    def _one(self, sql: str, values: dict[str, Any]) -> Any:
        with self.connection.cursor() as cursor:
            cursor.execute(sql, values)
            return cursor.fetchone()


@contextmanager
def frozen_connection() -> Iterator[BaseDatabaseWrapper]:
    """A connection of its own whose statements all see one moment, while the default one goes on writing progress."""
    reader = connection.copy()
    try:
        reader.set_autocommit(False)
        with reader.cursor() as cursor:
            cursor.execute("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ, READ ONLY")
            # Everything will be read; the plan must not bet on the first rows, nor compile for a few seconds' work.
            cursor.execute("SET LOCAL cursor_tuple_fraction = 1; SET LOCAL jit = off; SET LOCAL work_mem = '64MB'")
        yield reader
    finally:
        reader.rollback()
        reader.close()


def _filters(recipe: Recipe) -> str:
    """A condition on the tables `scope` (pair) and `si` (item), or nothing."""
    conditions = {
        "queues": "EXISTS (SELECT 1 FROM labeling_slot t JOIN labeling_queue q ON q.id = t.queue_id"
        " WHERE t.pair_id = scope.id AND q.project_id = %(project)s AND q.name = ANY(%(queues)s))",
        "batches": "EXISTS (SELECT 1 FROM labeling_batch b WHERE b.id = si.batch_id AND b.name = ANY(%(batches)s))",
        "languages": "si.language = ANY(%(languages)s)",
        "tags": "si.tags && %(tags)s::varchar[]",
    }
    return " AND ".join(sql for name, sql in conditions.items() if getattr(recipe.filters, name))


def _pool(rows: Iterable[Any]) -> list[Comparison]:
    """The comparisons among rows with the same two response texts: rows of equal conversations are one."""
    found: dict[str, Comparison] = {}
    for row in rows:
        comparison = _comparison(row, [])
        if row[3] in found:
            found[row[3]].add(comparison)
        else:
            comparison.conversation = orjson.loads(row[3])
            found[row[3]] = comparison
    return list(found.values())


def _comparison(row: Any, conversation: list[dict[str, Any]]) -> Comparison:
    first = Side(row[0], row[4], row[6], row[8], row[12], row[13], _split(row[16]))
    second = Side(row[1], row[5], row[7], row[9], row[14], row[15], _split(row[17]))
    if second.fingerprint < first.fingerprint:
        first, second = second, first
    return Comparison(row[2], conversation, first, second, row[10], row[11])


def _split(said: str | None) -> list[str]:
    return said.split(SEPARATOR) if said else []
