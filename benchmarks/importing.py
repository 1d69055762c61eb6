"""100,000 pairs from a file into the project, rendered and queued, against raw COPY of the same finished rows.

The limit is PostgreSQL taking by COPY, one stream a table, every row that the import leaves behind: items, responses,
pairs, and three slots a pair. The tables are bare ones of the same shape, with the same indexes, unique constraints and
checks; no foreign keys, no triggers, no parsing, no rendering, no fingerprints. Beside it stands the same for items and
responses alone.

`BENCH_PAIRS=20000` runs it with fewer.
"""

from __future__ import annotations

import os
import statistics
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import orjson
from django.core.files import File
from django.core.files.storage import default_storage
from django.db import connection

from annotate.local.var import ROOT
from benchmarks.crowd import WORDS
from benchmarks.stage import Stage, own_cpu
from labeling.actions.import_items import start_batch, store_file
from labeling.actions.projects import create_project

PAIRS, ROUNDS = int(os.environ.get("BENCH_PAIRS", "100000")), 3
TEXTS = ("labeling_item", "labeling_response")
TABLES = (*TEXTS, "labeling_pair", "labeling_slot")
# In a process of its own, so that its memory is that of the import and nothing else.
IMPORT = """
import resource, django
django.setup()
from benchmarks.stage import peak_megabytes
from labeling.actions.import_items import run_step
from labeling.models import Batch
batch = Batch.objects.get(pk={pk})
used = resource.getrusage(resource.RUSAGE_SELF)
before = used.ru_utime + used.ru_stime
while run_step(batch):
    pass
batch.refresh_from_db()
used = resource.getrusage(resource.RUSAGE_SELF)
print(batch.kept, used.ru_utime + used.ru_stime - before, peak_megabytes())
"""


def main(stage: Stage) -> None:
    path = ROOT / "var" / "bench" / "pairs.jsonl"
    _write(path)
    project = create_project(slug="importing", name="importing", by=None)
    with path.open("rb") as content:
        batch = start_batch(project=project, by=None, name=path.name, stored=store_file(File(content, path.name)))
    servers = stage.server_cpu()
    said = subprocess.run(
        [sys.executable, "-c", IMPORT.format(pk=batch.pk)], check=True, capture_output=True, text=True
    ).stdout
    kept, seconds, megabytes = said.split()
    assert int(kept) == PAIRS, said
    cpu = float(seconds) + stage.server_cpu() - servers
    default_storage.delete(batch.storage_name)
    spent = _copy(stage)
    limit, texts = PAIRS / sum(spent.values()), PAIRS / sum(spent[table] for table in TEXTS)
    print(
        f"{PAIRS:,} pairs: {PAIRS / cpu:,.0f} a CPU second (app and PostgreSQL), peak {megabytes} MB (below 300); "
        f"raw COPY of the same rows {limit:,.0f}: {PAIRS / cpu / limit:.2f} of it (at least 0.3); "
        f"of items and responses alone {texts:,.0f}: {PAIRS / cpu / texts:.2f} of it"
    )


def _write(path: Path) -> None:
    """Two answers of about 500 characters; every third with some Markdown, as real ones have."""
    with path.open("wb") as out:
        for number in range(PAIRS):
            plain, marked = f"Answer to {number}: {WORDS * 4}", f"- **{number}**\n- `code`\n\n{WORDS * 4}"
            answers = [
                {"content": marked if number % 3 == 0 else plain, "model": "one"},
                {"content": plain + "!", "model": "two"},
            ]
            row = {"id": f"row-{number}", "prompt": f"Question {number}?", "responses": answers, "language": "en"}
            out.write(orjson.dumps(row) + b"\n")


def _copy(stage: Stage) -> dict[str, float]:
    """CPU seconds a table, of this process and PostgreSQL, to COPY what was just imported into tables of the same
    shape; the median of some rounds."""
    spent: dict[str, list[float]] = {table: [] for table in TABLES}
    with connection.cursor() as cursor:
        for table in TABLES * ROUNDS:
            cursor.execute(f"CREATE TABLE bare_{table} (LIKE {table} INCLUDING ALL)")
            data = b"".join(_out(cursor, table))
            began = own_cpu() + stage.server_cpu()
            with cursor.copy(f"COPY bare_{table} FROM STDIN (FORMAT binary)") as copy:
                copy.write(data)
            spent[table].append(own_cpu() + stage.server_cpu() - began)
            cursor.execute(f"DROP TABLE bare_{table}")
    return {table: statistics.median(rounds) for table, rounds in spent.items()}


def _out(cursor: Any, table: str) -> Iterator[bytes]:
    with cursor.copy(f"COPY {table} TO STDOUT (FORMAT binary)") as copy:
        yield from map(bytes, copy)
