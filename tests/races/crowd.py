"""Real threads on real locks: many raters at once, each with a database connection of its own."""

from __future__ import annotations

import threading
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import TypeVar

from django.db import connection

from labeling.models import User

Result = TypeVar("Result")


def at_once(raters: Sequence[User], work: Callable[[User], Result]) -> list[Result]:
    """Run `work` for every rater at the same moment and return their results, in order; a failure is raised."""
    barrier = threading.Barrier(len(raters))

    def one(rater: User) -> Result:
        try:
            connection.ensure_connection()
            barrier.wait(timeout=60)
            return work(rater)
        finally:
            connection.close()

    with ThreadPoolExecutor(len(raters)) as pool:
        return list(pool.map(one, raters))
