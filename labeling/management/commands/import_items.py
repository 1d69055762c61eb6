"""Read a file of items into a project, to the end, in the foreground."""

from __future__ import annotations

import time
from argparse import ArgumentParser
from math import inf
from pathlib import Path
from typing import Any

from django.core.files import File
from django.core.management.base import BaseCommand, CommandError

from labeling.actions.import_items import Counts, count_rows, run_step, start_batch, store_file
from labeling.importers import FORMATS, ItemFile, Refused, Unreadable
from labeling.models import Batch, Project, Refusal

SHOWN = 20


class Command(BaseCommand):
    help = "Import items from a file: .jsonl, .json, .csv, .tsv or .parquet, each also .gz or .zst."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("project", help="the project's slug")
        parser.add_argument("file", type=Path)
        parser.add_argument(
            "--format",
            dest="format_name",
            default="",
            metavar="NAME",
            help=f"one of {', '.join(FORMATS)}; guessed when left out",
        )
        parser.add_argument("--dry-run", action="store_true", help="only say what would be kept and refused")

    def handle(self, *, project: str, file: Path, format_name: str, dry_run: bool, **options: Any) -> None:
        found = Project.objects.filter(slug=project).first()
        if found is None:
            raise CommandError(f"There is no project “{project}”; make it with create_project.")
        try:
            with file.open("rb") as content:
                source = ItemFile(content, name=file.name, format_name=format_name)
                source.recognise()
                if dry_run:
                    counts, refused = count_rows(found, source)
                    self._say(counts, refused, "would be ")
                    return
                stored = store_file(File(content, name=file.name))
        except OSError as error:
            raise CommandError(f"{file} cannot be read: {error.strerror}.") from error
        except Unreadable as error:
            raise CommandError(str(error)) from error
        self._run(start_batch(project=found, by=None, name=file.name, stored=stored, format_name=format_name))

    def _run(self, batch: Batch) -> None:
        """To the end; if a worker was faster, wait for it, and go on should it die."""
        while not batch.is_over:
            if not run_step(batch, seconds=inf):
                time.sleep(0.2)
                batch.refresh_from_db()
        if batch.state == Batch.State.FAILED:
            raise CommandError(batch.error)
        first = Refusal.objects.filter(batch=batch)[:SHOWN]
        counts = Counts(batch.read, batch.kept, batch.duplicate, batch.refused)
        self._say(counts, [Refused(each.line, each.field, each.reason) for each in first])

    def _say(self, counts: Counts, refused: list[Refused], would: str = "") -> None:
        self.stdout.write(
            f"{counts.read:,} rows read: {counts.kept:,} {would}kept, {counts.duplicate:,} duplicate, "
            f"{counts.refused:,} refused"
        )
        for each in refused[:SHOWN]:
            self.stdout.write(f"  line {each.line}: {each.field} {each.reason}")
        if counts.refused > SHOWN:
            self.stdout.write(f"  … and {counts.refused - SHOWN:,} more")
