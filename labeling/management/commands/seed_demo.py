"""The demo project with its people, for a first look. Run again, it changes nothing."""

from __future__ import annotations

import json
import os
import secrets
from pathlib import Path
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError

from labeling.actions.demo import CAST, seed_demo
from labeling.models import User


class Command(BaseCommand):
    help = "Make the demo project “Everyday help” with people of every role, and print their sign-ins."

    def handle(self, *args: Any, **options: Any) -> None:
        if settings.PRODUCTION:
            raise CommandError("seed_demo makes people whose addresses everyone knows: not with PRODUCTION set.")
        path = Path(settings.VAR_DIR) / "demo-people.json"
        people = _sign_ins(path)
        try:
            _write(path, people)
        except OSError as error:
            raise CommandError(f"{path} cannot be written: {error.strerror}.") from error
        made = seed_demo(passwords={one["email"]: one["password"] for one in people})
        self.stdout.write("The demo project is made." if made else "The demo project is there already.")
        for one in people:
            self.stdout.write(f"  {one['email']:<32} {one['password']:<20} {one['role']}")
        self.stdout.write(f"These sign-ins are in {path}.")


def _sign_ins(path: Path) -> list[dict[str, str]]:
    """Address, password and role of the demo's people; leaves out those whose password only they know."""
    try:
        kept = {one["email"]: one["password"] for one in json.loads(path.read_text())}
    except (FileNotFoundError, ValueError, TypeError, KeyError):
        kept = {}
    emails = [one.email for one in CAST]
    exists = set(User.objects.filter(email__in=emails).values_list("email", flat=True))
    return [
        {"email": one.email, "password": kept.get(one.email) or secrets.token_hex(8), "role": one.role}
        for one in CAST
        if one.email in kept or one.email not in exists
    ]


def _write(path: Path, people: list[dict[str, str]]) -> None:
    """For the owner's eyes only, and whole or not at all."""
    path.parent.mkdir(parents=True, exist_ok=True)
    fresh = path.with_suffix(".new")
    fresh.unlink(missing_ok=True)
    with os.fdopen(os.open(fresh, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w") as out:
        json.dump(people, out, indent=1)
    fresh.replace(path)
