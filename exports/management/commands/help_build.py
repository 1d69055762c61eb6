"""`help_build SCRATCH`: started by `build_export --workers` beside itself; nobody needs to type it."""

from __future__ import annotations

from argparse import ArgumentParser
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand

from exports.sharing import await_plan, write_some


class Command(BaseCommand):
    help = "Write a part of an export that the process which started this one builds, then end."
    requires_system_checks = ()  # they are done in that process

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("scratch", type=Path, help="the directory with its unfinished files")
        parser.add_argument("--share", type=int, default=2, help="how many processes build it")

    def handle(self, *args: Any, **options: Any) -> None:
        scratch: Path = options["scratch"]
        plan = await_plan(scratch)
        while plan and write_some(scratch, plan, lambda segment, rows: None, share=options["share"]):
            continue
