"""manage.py create_token EMAIL"""

from __future__ import annotations

from argparse import ArgumentParser
from typing import Any

from django.core.management.base import BaseCommand, CommandError

from labeling.actions.people import create_token, find_person
from labeling.actions.refusals import Refused


class Command(BaseCommand):
    help = "Make an API token for a person and print it, and nothing else; it cannot be shown again."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("email")
        parser.add_argument("--name", default="made by manage.py", help="what it is for")
        parser.add_argument("--days", type=int, default=90, help="how long it lasts (default: 90)")

    def handle(self, *args: Any, **options: Any) -> None:
        try:
            person = find_person(email=options["email"])
            _, text = create_token(user=person, name=options["name"][:80], days=options["days"])
        except Refused as refused:
            raise CommandError(refused.message) from None
        self.stdout.write(text)
