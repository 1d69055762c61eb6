"""Read a file of items into a project, to the end, in the foreground."""

from __future__ import annotations

import time
from argparse import ArgumentParser
from math import inf
from pathlib import Path
from typing import IO, Any

from django.core.files import File
from django.core.management.base import BaseCommand, CommandError

from labeling.actions.import_items import Counts, count_rows, run_step, start_batch, store_file
from labeling.importers import FORMATS, ItemFile, Refused, Unreadable, bundle
from labeling.models import Batch, Project, Refusal

SHOWN = 20
LOOKED_AT = 100


class Command(BaseCommand):
    help = (
        "Import items from a file: .jsonl, .json, .csv, .tsv or .parquet, each also .gz or .zst; "
        "or a .zip or .tar of one of these and the images that it names."
    )

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
        parser.add_argument(
            "--images",
            type=Path,
            metavar="DIR",
            help="the folder of the images that the rows name; the file's own where the first rows name some",
        )
        parser.add_argument("--dry-run", action="store_true", help="only say what would be kept and refused")

    def handle(
        self, *, project: str, file: Path, format_name: str, images: Path | None, dry_run: bool, **options: Any
    ) -> None:
        found = Project.objects.filter(slug=project).first()
        if found is None:
            raise CommandError(f"There is no project “{project}”; make it with create_project.")
        try:
            with file.open("rb") as sent, self._with_images(sent, file, format_name, images) as content:
                name = file.name if content is sent else f"{file.name}.zip"
                source = ItemFile(content, name=name, format_name=format_name)
                source.recognise()
                if dry_run:
                    counts, refused = count_rows(found, source)
                    self._say(counts, refused, "would be ")
                    return
                stored = store_file(File(content, name=name))
        except OSError as error:
            raise CommandError(f"{file} cannot be read: {error.strerror}.") from error
        except Unreadable as error:
            raise CommandError(str(error)) from error
        self._run(start_batch(project=found, by=None, name=name, stored=stored, format_name=format_name))

    def _with_images(self, sent: IO[bytes], file: Path, format_name: str, folder: Path | None) -> IO[bytes]:
        """The file itself; or an archive of it and its images, where it names some or a folder of them is given."""
        source = ItemFile(sent, name=file.name, format_name=format_name)
        source.recognise()
        if source.archive is not None:
            if folder is not None:
                raise CommandError("The file is an archive, which brings its own images; leave --images out.")
            return sent
        if folder is not None and not folder.is_dir():
            raise CommandError(f"There is no folder {folder}.")
        if folder is None and not any(source.image_names(LOOKED_AT)):
            return sent
        return bundle(sent, file.name, folder or file.parent, source.image_names())

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
