"""pytest plugin: a PostgreSQL and a Valkey of its own for the whole run, with room for each worker of it.

Loaded with `-p tests.services`. As a wrapper it runs before pytest-django reads the settings. To test against other
servers, set DATABASE_URL and REDIS_URL.
"""

from __future__ import annotations

import os
import shutil
import tempfile
from collections.abc import Generator
from hashlib import sha256
from pathlib import Path

import pytest

from annotate.local.postgres import Postgres
from annotate.local.process import Child
from annotate.local.valkey import Valkey
from annotate.local.var import ROOT, Var

_running: list[Child] = []
_owned: list[Var] = []


@pytest.hookimpl(wrapper=True)
def pytest_load_initial_conftests() -> Generator[None, None, None]:
    worker = os.environ.get("PYTEST_XDIST_WORKER", "")
    if not worker:
        _start_servers()
    # The workers share the servers: keys, queues and files are kept apart here, databases by pytest-django.
    os.environ["CACHE_PREFIX"] = f"test-{worker}"
    os.environ["CELERY_PREFIX"] = f"test-{worker}."
    storage = Path(os.environ["ANNOTATE_VAR"]) / "storage" / (worker or "only")
    shutil.rmtree(storage, ignore_errors=True)
    os.environ["STORAGE_URL"] = str(storage)
    yield


def pytest_unconfigure() -> None:
    while _running:
        _running.pop().stop()
    for var in _owned:
        var.disown()
        if var.path.parent == Path(tempfile.gettempdir()):
            shutil.rmtree(var.path, ignore_errors=True)
    _owned.clear()


def _start_servers() -> None:
    for name in ("PRODUCTION", "DEBUG", "SECRET_KEY", "ALLOWED_HOSTS", "PUBLIC_URL", "BEHIND_PROXY", "EMAIL_URL"):
        os.environ.pop(name, None)
    os.environ["DB_POOL_SIZE"] = "0"  # a test's thread or transaction needs a connection to itself
    var = _test_var()
    os.environ["ANNOTATE_VAR"] = str(var.path)
    # Speed instead of safety: what is in these servers is made anew by each test.
    postgres, valkey = Postgres(var, durable=False, connections=300), Valkey(var, durable=False)
    chosen: list[tuple[str, Postgres | Valkey]] = [("DATABASE_URL", postgres), ("REDIS_URL", valkey)]
    missing = [(name, server) for name, server in chosen if name not in os.environ]
    for _, server in missing:
        _running.append(server)
        server.start()
    for name, server in missing:
        server.wait_ready()
        os.environ[name] = server.url
    if postgres in _running:
        postgres.create_database()
        _forget_old_schema(postgres)


def _test_var() -> Var:
    """One cluster for each checkout, so that initdb runs once; a second run at the same time gets a throw-away one."""
    var = Var(Path(os.environ.get("ANNOTATE_TEST_VAR") or ROOT / "var" / "test"))
    if not var.try_to_own("the tests"):
        var = Var(Path(tempfile.mkdtemp(prefix="annotate-test-")))
        var.try_to_own("the tests")
    _owned.append(var)
    return var


def _forget_old_schema(postgres: Postgres) -> None:
    """pytest-django reuses test databases and applies new migrations to them, but cannot see that one has changed."""
    digest = sha256()
    for path in sorted(ROOT.glob("*/migrations/*.py")):
        digest.update(path.name.encode() + path.read_bytes())
    seen = postgres.var.path / "migrations.sha256"
    if not seen.exists() or seen.read_text() != digest.hexdigest():
        postgres.drop_databases("test_%")
        seen.write_text(digest.hexdigest())
