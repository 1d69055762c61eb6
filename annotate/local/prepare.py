"""What a database needs before its first page: the schema as the code expects it, and people who can sign in."""

from __future__ import annotations

import os
import sys

import django
from django.contrib.auth import get_user_model
from django.core.exceptions import ImproperlyConfigured
from django.core.management import call_command, get_commands
from django.db import DatabaseError, connection
from django.db.migrations.executor import MigrationExecutor


def apply_migrations() -> None:
    """Bring the schema up to date; a look at the history, and no more, when it already is."""
    executor = MigrationExecutor(connection)
    if executor.migration_plan(executor.loader.graph.leaf_nodes()):
        call_command("migrate", interactive=False, verbosity=0)


def seed() -> None:
    """An installation without any person gets the demo project. What its command prints is printed when all is up."""
    if not get_user_model()._default_manager.exists() and "seed_demo" in get_commands():
        print("» making the demo project", flush=True)
        with open(os.devnull, "w") as nowhere:
            call_command("seed_demo", stdout=nowhere)


def main() -> None:
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "annotate.settings")
    try:
        django.setup()
        apply_migrations()
        seed()
    except (DatabaseError, ImproperlyConfigured) as error:
        sys.exit(f"the database cannot be set up: {error}".strip().replace("\n", " "))


if __name__ == "__main__":
    main()
