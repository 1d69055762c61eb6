"""The overview of a large project comes from what the clock counted; without a cache it counts itself."""

from __future__ import annotations

import pytest
from django.core.cache import cache
from django.db import connection
from django.test.utils import CaptureQueriesContext
from redis.exceptions import ConnectionError as NoRedis

from labeling.actions.annotate import submit
from labeling.actions.assign import claim
from labeling.models import Project
from labeling.reports import overview as overviews
from labeling.reports.overview import keep_overviews, overview
from tests import make

pytestmark = pytest.mark.django_db


@pytest.fixture
def project(monkeypatch: pytest.MonkeyPatch) -> Project:
    monkeypatch.setattr(overviews, "LARGE", 3)
    cache.clear()
    made = make.project(overlap=2)
    make.cast(made)
    make.pairs(made, 4)
    return made


def judge(project: Project, name: str) -> None:
    rater = make.member(project, name, "rater")
    held = claim(queue=make.queue(project), rater=rater)
    assert held is not None
    submit(assignment=held, rater=rater, body={"judgments": {"helpfulness": {"preference": 1}}})


def test_what_was_kept_is_shown_until_the_clock_counts_again(project: Project) -> None:
    assert keep_overviews() == 1 and overview(project).progress.annotations == 0
    judge(project, "Rui")
    assert overview(project).progress.annotations == 0, "one asks the cache, not the tables"
    assert keep_overviews() == 1
    seen = overview(project)
    assert seen.progress.annotations == 1 and seen.progress.queues[0].done == 1 and seen.days[-1].annotations == 1
    assert keep_overviews() == 0, "nothing was done since"


def test_looking_costs_one_query_however_much_there_is(project: Project) -> None:
    keep_overviews()
    with CaptureQueriesContext(connection) as found:
        overview(project)
    assert len(found) == 1


def test_a_small_project_is_counted_by_who_looks(project: Project, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(overviews, "LARGE", 1000)
    assert keep_overviews() == 0
    judge(project, "Rui")
    assert overview(project).progress.annotations == 1


def test_without_a_cache_the_page_counts_itself(project: Project, monkeypatch: pytest.MonkeyPatch) -> None:
    def gone(*args: object) -> None:
        raise NoRedis

    monkeypatch.setattr(cache, "get", gone)
    monkeypatch.setattr(cache, "set", gone)
    judge(project, "Rui")
    assert overview(project).progress.annotations == 1 and keep_overviews() == 1
