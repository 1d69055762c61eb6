"""A crowd of known quality judges a project, through the same verbs as people do."""

from __future__ import annotations

from argparse import ArgumentParser
from typing import Any

from django.core.management.base import BaseCommand, CommandError

from labeling.actions.crowd import ADDRESS, simulate
from labeling.models import Project

MOST_RATERS = 999


class Command(BaseCommand):
    help = (
        "Let simulated raters judge a project: careful and careless ones, leaning to the left a little. "
        "Their annotations are real rows; tell them by the raters' addresses."
    )

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("project", help="the project's slug")
        parser.add_argument("--raters", type=int, default=12, metavar="N", help="how many people (12)")
        parser.add_argument("--judgments", type=int, default=100, metavar="M", help="how many pairs they judge (100)")
        parser.add_argument("--seed", type=int, default=1, metavar="S", help="the same seed, the same answers (1)")

    def handle(self, *, project: str, raters: int, judgments: int, seed: int, **options: Any) -> None:
        if not 1 <= raters <= MOST_RATERS:
            raise CommandError(f"--raters is from 1 to {MOST_RATERS}.")
        if judgments < 0:
            raise CommandError("--judgments must not be negative.")
        found = Project.objects.filter(slug=project).first()
        if found is None:
            raise CommandError(f"There is no project “{project}”; make it with create_project.")
        tally = simulate(project=found, raters=raters, judgments=judgments, seed=seed)
        self.stdout.write(
            f"{tally.judged:,} pairs judged by {tally.raters:,} raters "
            f"({ADDRESS.format(1)} and on), {tally.skipped:,} skipped."
        )
        if tally.exhausted and tally.judged < judgments:
            self.stdout.write("Stopped early: no pair is left for any of them.")
