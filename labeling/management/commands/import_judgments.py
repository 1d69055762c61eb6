"""Store judgments made elsewhere, as those of external raters."""

from __future__ import annotations

from argparse import ArgumentParser
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError

from labeling.actions.import_judgments import import_judgments
from labeling.importers import Unreadable
from labeling.importers.containers import RowFile
from labeling.models import Project

SHOWN = 20


class Command(BaseCommand):
    help = (
        "Import judgments: rows of item_id, rater_id, criterion and choice (a, b, tie; with an optional strength), "
        "label or score. The items must have been imported with the same ids; a is the first response of their file."
    )

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("project", help="the project's slug")
        parser.add_argument("file", type=Path)
        parser.add_argument(
            "--raters",
            choices=["external"],
            required=True,
            help="external: every rater_id becomes a person who cannot sign in",
        )

    def handle(self, *, project: str, file: Path, **options: Any) -> None:
        found = Project.objects.filter(slug=project).first()
        if found is None:
            raise CommandError(f"There is no project “{project}”; make it with create_project.")
        try:
            with file.open("rb") as content:
                done = import_judgments(project=found, by=None, source=RowFile(content, name=file.name))
        except OSError as error:
            raise CommandError(f"{file} cannot be read: {error.strerror}.") from error
        except Unreadable as error:
            raise CommandError(str(error)) from error
        self.stdout.write(
            f"{done.judgments:,} judgments kept as {done.annotations:,} annotations of {done.raters:,} raters, "
            f"{len(done.refused):,} refused"
        )
        if done.criteria:
            self.stdout.write(f"New criteria, never asked: {', '.join(done.criteria)}")
        for each in done.refused[:SHOWN]:
            self.stdout.write(f"  line {each.line}: {each.field} {each.reason}")
        if len(done.refused) > SHOWN:
            self.stdout.write(f"  … and {len(done.refused) - SHOWN:,} more")
