"""`manage.py build_export PROJECT --recipe FILE_OR_NAME --to DIR`: an export without the pages."""

from __future__ import annotations

from argparse import ArgumentParser
from pathlib import Path
from typing import Any

import orjson
from django.core.management.base import BaseCommand, CommandError

from exports.actions import write_export
from exports.recipes import NAMED
from labeling.actions.refusals import Refused
from labeling.models import Project


class Command(BaseCommand):
    help = "Write a project's judgments as a training dataset to a directory, complete or not at all."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("project", help="the project's slug")
        parser.add_argument("--recipe", required=True, help=f"a JSON file, or one of {', '.join(NAMED)}")
        parser.add_argument("--workers", type=int, default=1, choices=range(1, 65), metavar="N", help="processes")
        parser.add_argument("--to", required=True, type=Path, help="a new or empty directory", metavar="DIR")

    def handle(self, *args: Any, **options: Any) -> None:
        project = Project.objects.filter(slug=options["project"]).first()
        if project is None:
            raise CommandError(f"There is no project “{options['project']}”.")
        try:
            built = write_export(
                project=project, recipe=_recipe(options["recipe"]), to=options["to"], workers=options["workers"]
            )
        except Refused as refused:
            problems = "; ".join(f"{field}: {text}" for field, text in refused.errors.items())
            raise CommandError(f"{refused.message} {problems}".strip()) from None
        dropped = sum(built.manifest["dropped"].values())
        self.stdout.write(
            f"{built.directory}: {built.manifest['rows']} rows of {built.manifest['pairs']} pairs, {dropped} left out"
        )


def _recipe(given: str) -> Any:
    if given in NAMED:
        return given
    path = Path(given)
    try:
        return orjson.loads(path.read_bytes())
    except OSError as problem:
        raise CommandError(
            f"There is no recipe “{given}”, and no such file ({problem.strerror}). Named recipes: {', '.join(NAMED)}."
        ) from None
    except orjson.JSONDecodeError as problem:
        raise CommandError(f"{path} is not JSON: {problem}.") from None
