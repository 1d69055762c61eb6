"""`manage.py help_build SCRATCH`: started by `build_export --workers` beside itself; nobody needs to type it."""

from __future__ import annotations

from argparse import ArgumentParser
from pathlib import Path
from typing import Any

import orjson
from django.core.management.base import BaseCommand, CommandError

from exports.sharing import PLAN, Plan, write_some


class Command(BaseCommand):
    help = "Write a part of an export that another process builds on this machine, then end."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("scratch", type=Path, help="the directory with its unfinished files")
        parser.add_argument("--share", type=int, default=2, help="how many processes build it")

    def handle(self, *args: Any, **options: Any) -> None:
        scratch: Path = options["scratch"]
        if not (scratch / PLAN).exists():
            raise CommandError(f"Nothing is built in {scratch}.")
        plan = Plan(**orjson.loads((scratch / PLAN).read_bytes()))
        while write_some(scratch, plan, lambda segment, rows: None, share=options["share"]):
            continue
