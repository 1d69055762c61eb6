"""100,000 pairs from a file into the project, rendered and queued, against raw COPY of the same finished rows.

The limit is PostgreSQL taking by COPY, one stream a table, every row that the import leaves behind: items, responses,
pairs, and three slots a pair. The tables are bare ones of the same shape, with the same indexes, unique constraints and
checks; no foreign keys, no triggers, no parsing, no rendering, no fingerprints. Beside it stands the same for items and
responses alone. Both run in turn; the figures are medians.

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
from labeling.models import Project

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
    imports, copies, texts, peak = [], [], [], 0
    for number in range(ROUNDS):
        project = create_project(slug=f"importing-{number}", name=f"importing {number}", by=None)
        cpu, megabytes = _import(stage, project, path)
        spent = _copy(stage, project)
        imports.append(cpu)
        copies.append(sum(spent.values()))
        texts.append(sum(spent[table] for table in TEXTS))
        peak = max(peak, megabytes)
    rate, limit, some = (PAIRS / statistics.median(rounds) for rounds in (imports, copies, texts))
    print(
        f"{PAIRS:,} pairs: {rate:,.0f} a CPU second (app and PostgreSQL), peak {peak} MB (below 300); "
        f"raw COPY of the same rows {limit:,.0f}: {rate / limit:.2f} of it (at least 0.3); "
        f"of items and responses alone {some:,.0f}: {rate / some:.2f} of it"
    )


def _import(stage: Stage, project: Project, path: Path) -> tuple[float, int]:
    """CPU seconds, of an importing process and PostgreSQL, and the process's peak in megabytes."""
    with path.open("rb") as content:
        batch = start_batch(project=project, by=None, name=path.name, stored=store_file(File(content, path.name)))
    servers = stage.server_cpu()
    argv = [sys.executable, "-c", IMPORT.format(pk=batch.pk)]
    said = subprocess.run(argv, check=True, capture_output=True, text=True).stdout
    kept, seconds, megabytes = said.split()
    assert int(kept) == PAIRS, said
    default_storage.delete(batch.storage_name)
    return float(seconds) + stage.server_cpu() - servers, int(megabytes)


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


def _copy(stage: Stage, project: Project) -> dict[str, float]:
    """CPU seconds a table, of this process and PostgreSQL, to COPY what was just imported into tables of the same
    shape."""
    spent = {}
    with connection.cursor() as cursor:
        for table in TABLES:
            cursor.execute(f"CREATE TABLE bare_{table} (LIKE {table} INCLUDING ALL)")
            data = b"".join(_out(cursor, table, project))
            began = own_cpu() + stage.server_cpu()
            with cursor.copy(f"COPY bare_{table} FROM STDIN (FORMAT binary)") as copy:
                copy.write(data)
            spent[table] = own_cpu() + stage.server_cpu() - began
            cursor.execute(f"DROP TABLE bare_{table}")
    return spent


def _out(cursor: Any, table: str, project: Project) -> Iterator[bytes]:
    rows = f"SELECT * FROM {table} WHERE project_id = {project.pk} ORDER BY id"
    with cursor.copy(f"COPY ({rows}) TO STDOUT (FORMAT binary)") as copy:
        yield from map(bytes, copy)
