"""The embedded servers of one `var/`, or the real ones that DATABASE_URL and REDIS_URL name."""

from __future__ import annotations

import os
from collections.abc import Callable

import psycopg
import redis

from annotate.local.postgres import Postgres
from annotate.local.process import CannotStart, Child
from annotate.local.valkey import Valkey
from annotate.local.var import Var

SECONDS = 5


class Servers:
    """PostgreSQL and Valkey, started together, stopped together. What the environment names is only asked to answer."""

    def __init__(self, var: Var) -> None:
        self.var = var
        self.env = {
            name: os.environ[name] for name in ("DATABASE_URL", "REDIS_URL", "SECRET_KEY") if os.environ.get(name)
        }
        self.running: list[Child] = []

    def check_given(self) -> None:
        """Say in one line which server that was named does not answer."""
        if url := self.env.get("DATABASE_URL"):
            try:
                psycopg.connect(url, connect_timeout=SECONDS).close()
            except psycopg.Error as error:
                raise CannotStart(f"DATABASE_URL does not answer: {_first_line(error)}") from error
        if url := self.env.get("REDIS_URL"):
            try:
                with redis.Redis.from_url(url, socket_timeout=SECONDS, socket_connect_timeout=SECONDS) as broker:
                    broker.ping()
            except (redis.RedisError, ValueError) as error:
                raise CannotStart(f"REDIS_URL does not answer: {_first_line(error)}") from error

    def start(self, interrupted: Callable[[], bool] = lambda: False) -> None:
        """Start what is not given and wait until it answers; `self.env` then has every address and the secret key."""
        self.env.setdefault("SECRET_KEY", self.var.secret_key())
        postgres, valkey = Postgres(self.var), Valkey(self.var)
        missing: list[tuple[str, Postgres | Valkey]] = [("DATABASE_URL", postgres), ("REDIS_URL", valkey)]
        missing = [(name, server) for name, server in missing if name not in self.env]
        for _, server in missing:
            self.running.append(server)
            server.start()
        for name, server in missing:
            server.wait_ready(interrupted=interrupted)
            self.env[name] = server.url
        if postgres in self.running:
            postgres.create_database()

    def stop(self, *, at_once: bool = False) -> None:
        for child in self.running:
            child.ask_to_stop()
        for child in self.running:
            child.stop(at_once=at_once)
        self.running.clear()


def _first_line(error: Exception) -> str:
    return str(error).strip().partition("\n")[0]
