"""Two questions a load balancer asks: is this process alive, and can it do its work?"""

from __future__ import annotations

from collections.abc import Callable

import redis
from django.conf import settings
from django.contrib.auth.decorators import login_not_required
from django.db import DatabaseError, connection
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.views.decorators.http import require_safe

SECONDS = 2.0


@login_not_required
@require_safe
def livez(request: HttpRequest) -> HttpResponse:
    return HttpResponse("ok", content_type="text/plain")


@login_not_required
@require_safe
def healthz(request: HttpRequest) -> JsonResponse:
    """200 if database and broker answer within two seconds each, else 503 with which of them does not."""
    checks: dict[str, Callable[[], None]] = {"database": _ask_database, "broker": _ask_broker}
    state = {name: _answers(check) for name, check in checks.items()}
    return JsonResponse(state, status=200 if all(state.values()) else 503)


def _answers(check: Callable[[], None]) -> bool:
    try:
        check()
    except (DatabaseError, redis.RedisError):
        return False
    return True


def _ask_database() -> None:
    with connection.cursor() as cursor:
        cursor.execute("SELECT set_config('statement_timeout', %s, false)", [str(int(SECONDS * 1000))])
        cursor.execute("SELECT 1")
        cursor.execute("SELECT set_config('statement_timeout', '0', false)")


def _ask_broker() -> None:
    with redis.Redis.from_url(
        settings.REDIS_URL, socket_timeout=SECONDS, socket_connect_timeout=SECONDS, retry=None
    ) as broker:
        broker.ping()
