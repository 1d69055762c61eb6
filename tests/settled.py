"""Waiting until the feed may show what was written: other tests on this server have transactions open for a moment."""

from __future__ import annotations

import time

from django.db import connection

from labeling.models import Annotation


def until_settled() -> None:
    last = Annotation.objects.order_by("-transaction").values_list("transaction", flat=True).first()
    assert last is not None
    end = time.monotonic() + 60
    while _oldest_running() <= last:
        assert time.monotonic() < end, "a transaction on this server stays open"
        time.sleep(0.02)


def _oldest_running() -> int:
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_snapshot_xmin(pg_current_snapshot())::text")
        return int(cursor.fetchone()[0])
