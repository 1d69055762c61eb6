"""manage.py create_project SLUG --name NAME"""

from __future__ import annotations

from argparse import ArgumentParser
from typing import Any

from django.core.management.base import BaseCommand, CommandError

from labeling.actions.people import find_person
from labeling.actions.projects import create_project
from labeling.actions.refusals import Refused
from labeling.presets import PRESETS, USUAL


class Command(BaseCommand):
    help = "Make a project with its criteria, a guideline and one queue that takes every pair, overlap 3."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("slug", help="its short name in addresses: small letters, digits and hyphens")
        parser.add_argument("--name", required=True, help="its name on the screen")
        parser.add_argument(
            "--preset", default=USUAL, choices=list(PRESETS), help=f"the questions it starts with (default: {USUAL})"
        )
        parser.add_argument("--manager", metavar="EMAIL", help="a person who manages it and reads its data")

    def handle(self, *args: Any, **options: Any) -> None:
        try:
            manager = find_person(email=options["manager"]) if options["manager"] else None
            project = create_project(slug=options["slug"], name=options["name"], by=manager, preset=options["preset"])
        except Refused as refused:
            raise CommandError(refused.message) from None
        self.stdout.write(f"“{project.name}” is at /projects/{project.slug}/.")
