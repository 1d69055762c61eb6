"""manage.py create_person EMAIL"""

from __future__ import annotations

import secrets
import sys
from argparse import ArgumentParser
from typing import Any

from django.contrib.auth.password_validation import validate_password
from django.core.exceptions import ValidationError
from django.core.management.base import BaseCommand, CommandError

from labeling.actions.people import create_person
from labeling.actions.refusals import Refused
from labeling.models import User


class Command(BaseCommand):
    help = "Make a person. Without --password-stdin a password is made up and printed, once."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("email")
        parser.add_argument("--name", default="", help="as others see it")
        parser.add_argument(
            "--password-stdin", action="store_true", help="read the password from the first line of the input"
        )
        parser.add_argument("--superuser", action="store_true", help="make an operator of this installation")

    def handle(self, *args: Any, **options: Any) -> None:
        made_up = "" if options["password_stdin"] else secrets.token_urlsafe(12)
        password = made_up or _read_password(options["email"], options["name"])
        try:
            person = create_person(
                email=options["email"], name=options["name"][:120], password=password, superuser=options["superuser"]
            )
        except Refused as refused:
            raise CommandError(refused.message) from None
        self.stdout.write(
            f"{person.email} can sign in now." + (f" Password, shown only now: {made_up}" if made_up else "")
        )


def _read_password(email: str, name: str) -> str:
    password = sys.stdin.readline().rstrip("\r\n")
    try:
        validate_password(password, User(email=email, name=name))
    except ValidationError as weak:
        raise CommandError("The password was not taken: " + " ".join(weak.messages)) from None
    return password
