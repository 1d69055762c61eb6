"""Let a management command find the embedded servers: those that run, or its own for as long as it takes."""

from __future__ import annotations

import os
import sys
import time
import warnings
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import IO

import django

from annotate.local.prepare import apply_migrations
from annotate.local.process import CannotStart
from annotate.local.servers import Servers
from annotate.local.var import Var

WITHOUT_SERVERS = {
    "", "help", "version", "check", "collectstatic", "findstatic", "compilemessages", "makemessages", "makemigrations",
    "diffsettings", "startapp", "startproject", "spectacular", "sendtestemail",
}  # fmt: skip
KEEPS_ITS_OWN_SCHEMA = {"migrate", "showmigrations", "sqlmigrate", "squashmigrations", "optimizemigration"}


@contextmanager
def attached_services(argv: Sequence[str] = tuple(sys.argv)) -> Iterator[None]:
    """Set the addresses of PostgreSQL and Valkey in the environment, before Django reads its settings.

    DATABASE_URL in the environment wins. Else the running servers are used, and shared with other commands; if none
    run, they are started here, brought up to the code's schema, and stopped at the end.
    """
    command = argv[1] if len(argv) > 1 else ""
    os.environ.setdefault("DB_POOL_SIZE", "0")  # one command, one connection
    if os.environ.get("DATABASE_URL") or command in WITHOUT_SERVERS or {"-h", "--help", "--version"} & {*argv[1:]}:
        # makemigrations would like to see the history in the database, and can do without.
        warnings.filterwarnings("ignore", "Got an error checking a consistent migration history", RuntimeWarning)
        yield
        return
    var = Var()
    shared = _share_or_own(var, f"manage.py {command}")
    if shared:
        with shared:
            yield
        return
    servers = Servers(var)
    try:
        servers.check_given()
        servers.start()
        os.environ.update(servers.env)
        if command not in KEEPS_ITS_OWN_SCHEMA:
            django.setup()
            apply_migrations()
        var.publish(servers.env)
        yield
    finally:
        var.retract()
        var.wait_for_users()
        servers.stop()


def _share_or_own(var: Var, who: str, seconds: float = 60) -> IO[str] | None:
    """A hold on servers that another process runs (close it when done), or None: they are now this process's to run."""
    end = time.monotonic() + seconds
    while not var.try_to_own(who):
        hold = var.use()
        if found := var.published():
            os.environ.update(found)
            return hold
        hold.close()  # the owner is only starting, or already stopping
        if time.monotonic() > end:
            raise CannotStart(f"{var.path} is in use ({var.owner()}) and its servers do not answer")
        time.sleep(0.1)
    return None
