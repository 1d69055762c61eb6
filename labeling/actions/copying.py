"""Many rows at once: ids drawn from the table's own sequence, then COPY. Runs in the caller's transaction."""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence
from typing import Any

import orjson
from django.db import connection, models


def reserve_ids(model: type[models.Model], number: int) -> list[int]:
    """`number` fresh ids, ascending. What is not used of them is lost, which a sequence is made for.

    The sequence is found once, in a sub-select; beside `nextval` it would be looked for again for every id.
    """
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT nextval((SELECT pg_get_serial_sequence(%s, 'id')::regclass)) FROM generate_series(1, %s)",
            [model._meta.db_table, number],
        )
        return [row[0] for row in cursor.fetchall()]


def copy_rows(
    model: type[models.Model], columns: Sequence[str], rows: Iterable[Sequence[Any]], types: Sequence[str] = ()
) -> None:
    """COPY rows into the model's table; values as psycopg takes them, JSON as text made by `as_json`.

    With the columns' `types` the rows are sent in binary: a third cheaper for long texts, but JSON must be a `Jsonb`.
    """
    with connection.cursor() as cursor:
        names = ", ".join(f'"{column}"' for column in columns)
        form = " (FORMAT binary)" if types else ""
        with cursor.copy(f'COPY "{model._meta.db_table}" ({names}) FROM STDIN{form}') as copy:
            if types:
                copy.set_types(types)
            for row in rows:
                copy.write_row(row)


def check_at_once() -> None:
    """Have keys checked after each statement of this transaction: rows come after what they refer to, and keeping a
    list of what is to be checked at its end costs more."""
    with connection.cursor() as cursor:
        cursor.execute("SET CONSTRAINTS ALL IMMEDIATE")


def as_json(value: Any) -> str:
    """JSON text; integers beyond 64 bits stay exact."""
    try:
        return orjson.dumps(value).decode()
    except TypeError:
        return json.dumps(value, ensure_ascii=False)
