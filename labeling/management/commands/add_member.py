"""manage.py add_member PROJECT EMAIL ROLE"""

from __future__ import annotations

from argparse import ArgumentParser
from typing import Any

from django.core.management.base import BaseCommand, CommandError

from labeling.actions.people import add_member, find_person
from labeling.actions.projects import find_project
from labeling.actions.refusals import Refused
from labeling.models import Membership


class Command(BaseCommand):
    help = "Give a person a role in a project."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("project", help="its short name")
        parser.add_argument("email")
        parser.add_argument("role", help=f"one of: {', '.join(Membership.Role.values)}")

    def handle(self, *args: Any, **options: Any) -> None:
        try:
            project = find_project(slug=options["project"])
            membership = add_member(
                project=project, user=find_person(email=options["email"]), role=options["role"], by=None
            )
        except Refused as refused:
            raise CommandError(refused.message) from None
        self.stdout.write(f"{membership.user.email} is a {membership.role} of “{project.name}”.")
