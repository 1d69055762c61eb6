"""A day's pairs are exact, whatever tabs a person has open: real threads, real locks."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from threading import Barrier
from typing import Any

import pytest
from django.db import connection

from labeling.actions.annotate import submit
from labeling.actions.assign import claim, release
from labeling.actions.queues import change_queue
from labeling.actions.refusals import Refused
from labeling.models import Assignment, Queue, User
from tests import make

pytestmark = pytest.mark.django_db(transaction=True)
BODY = {"judgments": {"helpfulness": {"preference": -1}}}
TABS, DAILY, ROUNDS = 4, 5, 12


def tab(queue: Queue, rater: User, together: Barrier) -> None:
    """Claim, sometimes give back, answer: as fast as it goes, in step with the other tabs."""
    try:
        for turn in range(ROUNDS):
            together.wait(timeout=60)
            held = claim(queue=queue, rater=rater)
            if held is None:
                continue
            if turn % 4 == 3:
                try_to(release, held, rater)
            else:
                try_to(submit, held, rater, body=BODY, then_claim=bool(turn % 2))
    finally:
        connection.close()


def try_to(verb: Callable[..., object], held: Assignment, rater: User, **more: Any) -> None:
    """Another tab may have ended the pair already; that is refused, and no failure."""
    with suppress(Refused):
        verb(assignment=held, rater=rater, **more)


def test_tabs_of_one_person_never_get_more_than_the_days_pairs() -> None:
    project = make.project(overlap=2)
    rui = make.cast(project)["Rui"]
    make.pairs(project, 40)
    queue = change_queue(queue=make.queue(project), by=None, daily_pairs=DAILY)
    together = Barrier(TABS)
    with ThreadPoolExecutor(TABS) as pool:
        for done in [pool.submit(tab, queue, rui, together) for _ in range(TABS)]:
            done.result()
    given = Assignment.objects.filter(rater=rui, state__in=["open", "submitted"])
    assert given.count() == DAILY
    assert queue.slots.filter(state="leased").count() == given.filter(state="open").count()
    assert queue.slots.filter(state="done").count() == given.filter(state="submitted").count()
