"""manage.py render_again"""

from __future__ import annotations

from typing import Any

from django.core.management.base import BaseCommand

from labeling.actions.render_again import STEPS


class Command(BaseCommand):
    help = (
        "Make the HTML of conversations and responses anew where an older renderer made it, a few hundred at a time. "
        "Raters go on meanwhile. Stopped and started again, it goes on where it was."
    )

    def handle(self, *args: Any, **options: Any) -> None:
        for what, step in STEPS.items():
            done = last = 0
            while found := step(last):
                number, last = found
                done += number
                self.stdout.write(f"{done:,} {what} so far")
            self.stdout.write(f"{done:,} {what} rendered.")
