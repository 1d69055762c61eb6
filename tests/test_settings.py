"""Production refuses unsafe settings by name, in every program; `.env.example` tells the truth about all of them."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from annotate.local.var import ROOT
from labeling.checks import unsafe

SAFE: dict[str, Any] = {
    "SECRET_KEY": "k3JqP9-vT2mXw8RzLd5NcY7bHs1GfQaU4eWoI6tKxMnBrVjS",
    "DEBUG": False,
    "ALLOWED_HOSTS": ["annotate.example.org"],
    "PUBLIC_URL": "https://annotate.example.org",
    "DATABASE_URL": "postgresql://annotate:9fT2xQ7wLm@db/annotate",
    "REDIS_URL": "redis://:8dK3vPq@redis:6379/0",
    "STORAGE_URL": "/data",
}
SAFE["SECRET_KEY"] += "ZpD0"


def test_safe_settings_pass() -> None:
    assert unsafe(SAFE) == []


def test_a_socket_needs_no_password() -> None:
    assert unsafe(SAFE | {"DATABASE_URL": "postgresql://annotate@%2Frun%2Fpostgresql/annotate"}) == []
    assert unsafe(SAFE | {"DATABASE_URL": "postgresql:///annotate"}) == []


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("SECRET_KEY", ""),
        ("SECRET_KEY", "k3JqP9-vT2mXw8RzLd5NcY7bHs"),
        ("SECRET_KEY", "ab" * 40),
        ("SECRET_KEY", "django-insecure-k3JqP9-vT2mXw8RzLd5NcY7bHs1GfQaU4eWoI6tKxMnBrVjS"),
        ("SECRET_KEY", "development-only-key-of-no-value-outside-this-machine"),
        ("DEBUG", True),
        ("ALLOWED_HOSTS", []),
        ("ALLOWED_HOSTS", ["annotate.example.org", "*"]),
        ("PUBLIC_URL", "http://annotate.example.org"),
        ("PUBLIC_URL", "https://"),
        ("PUBLIC_URL", ""),
        ("DATABASE_URL", ""),
        ("DATABASE_URL", "postgresql://annotate@db/annotate"),
        ("DATABASE_URL", "postgresql://annotate:postgres@db/annotate"),
        ("REDIS_URL", ""),
        ("STORAGE_URL", ""),
    ],
)
def test_each_unsafe_setting_is_named(name: str, value: object) -> None:
    (problem,) = unsafe(SAFE | {name: value})
    assert problem.startswith(f"{name} ")


# --- through the programs themselves --------------------------------------------------------------


def environment(tmp_path: Path, **changes: str) -> dict[str, str]:
    """A production environment that is safe but for `changes`; an empty value removes the variable."""
    kept = {name: os.environ[name] for name in ("PATH", "HOME", "PYTHONDONTWRITEBYTECODE") if name in os.environ}
    values = {name: ",".join(value) if isinstance(value, list) else str(value) for name, value in SAFE.items()}
    values |= {"PRODUCTION": "1", "ANNOTATE_VAR": str(tmp_path / "var"), "STORAGE_URL": str(tmp_path)} | changes
    return kept | {name: value for name, value in values.items() if value}


PROGRAMS = {
    "manage.py": ["manage.py", "check"],
    "web server": ["-m", "gunicorn", "annotate.wsgi", "-b", "127.0.0.1:0", "--no-control-socket"],
    "worker": ["-m", "celery", "-A", "annotate", "worker", "-c", "1"],
    "beat": ["-m", "celery", "-A", "annotate", "beat"],
}


@pytest.mark.parametrize("program", PROGRAMS)
def test_no_program_starts_with_an_unsafe_setting(program: str, tmp_path: Path) -> None:
    done = subprocess.run(
        [sys.executable, *PROGRAMS[program]],
        env=environment(tmp_path, SECRET_KEY=""),
        cwd=ROOT,
        capture_output=True,
        text=True,
        timeout=60,
    )
    said = done.stdout + done.stderr
    assert done.returncode != 0, said
    assert "SECRET_KEY is missing: set it to 50 or more random characters." in said
    if program == "manage.py":
        assert said.count("\n") == 1


@pytest.mark.parametrize(
    ("name", "value"),
    [("ALLOWED_HOSTS", "*"), ("DEBUG", "1"), ("PUBLIC_URL", ""), ("DATABASE_URL", ""), ("STORAGE_URL", "")],
)
def test_the_environment_is_what_is_checked(name: str, value: str, tmp_path: Path) -> None:
    done = subprocess.run(
        [sys.executable, "manage.py", "check"],
        env=environment(tmp_path, **{name: value}),
        cwd=ROOT,
        capture_output=True,
        text=True,
    )
    assert done.returncode == 1
    assert done.stderr.startswith(f"manage.py: {name} ")


@pytest.mark.parametrize("value", ["sqlite:///x.db", "no address at all", "postgresql://[broken"])
def test_only_postgresql_will_do(value: str, tmp_path: Path) -> None:
    done = subprocess.run(
        [sys.executable, "manage.py", "check"],
        env=environment(tmp_path, DATABASE_URL=value, PRODUCTION=""),
        cwd=ROOT,
        capture_output=True,
        text=True,
    )
    assert (done.returncode, done.stderr.count("\n")) == (1, 1)
    assert done.stderr.startswith("manage.py: DATABASE_URL is not an address like postgresql://")


def test_safe_settings_pass_djangos_own_check_for_deployment(tmp_path: Path) -> None:
    done = subprocess.run(
        [sys.executable, "manage.py", "check", "--deploy", "--tag", "security", "--fail-level", "WARNING"],
        env=environment(tmp_path),
        cwd=ROOT,
        capture_output=True,
        text=True,
    )
    assert done.returncode == 0, done.stderr


def test_a_check_for_deployment_says_what_development_lacks(tmp_path: Path) -> None:
    done = subprocess.run(
        [sys.executable, "manage.py", "check", "--deploy"],
        env=environment(tmp_path, PRODUCTION="", SECRET_KEY="", ALLOWED_HOSTS="*"),
        cwd=ROOT,
        capture_output=True,
        text=True,
    )
    assert done.returncode == 1
    for words in ("SECRET_KEY is a known one", "ALLOWED_HOSTS must not be *", "PRODUCTION is not set"):
        assert words in done.stderr


# --- .env.example ---------------------------------------------------------------------------------

LINE = re.compile(r"^#?([A-Z_]+)=(.*)$", re.MULTILINE)
FOR_COMPOSE = {"POSTGRES_PASSWORD", "REDIS_PASSWORD"}
FOR_RUN = {"PORT", "ANNOTATE_VENV", "CHROMIUM"}


def example() -> dict[str, str]:
    return dict(LINE.findall((ROOT / ".env.example").read_text()))


def test_every_setting_is_in_the_example_and_the_other_way_round() -> None:
    source = (ROOT / "annotate" / "settings.py").read_text()
    read = set(re.findall(r'(?:env\.\w+|_setting)\(\s*"([A-Z_]+)"', source))
    assert len(read) > 15
    assert read == set(example()) - FOR_COMPOSE - FOR_RUN
    run = (ROOT / "run").read_text() + (ROOT / "annotate/local/supervisor.py").read_text()
    assert set(re.findall(r'environ\.get\("([A-Z_]+)"\)', run)) >= FOR_RUN
    compose = (ROOT / "docker-compose.yml").read_text()
    assert all(f"${{{name}:?" in compose for name in FOR_COMPOSE)


def test_the_example_gives_the_defaults(tmp_path: Path) -> None:
    given = {name: value for name, value in example().items() if value and name != "ANNOTATE_VAR"}
    assert settings_under({}, tmp_path) == settings_under(given, tmp_path)


def settings_under(env: dict[str, str], var: Path) -> dict[str, str]:
    code = (
        "import json; from annotate import settings as s;"
        "print(json.dumps({k: repr(v) for k, v in vars(s).items() if k.isupper()}))"
    )
    kept = {name: os.environ[name] for name in ("PATH", "PYTHONDONTWRITEBYTECODE") if name in os.environ}
    done = subprocess.run(
        [sys.executable, "-c", code],
        env=kept | {"ANNOTATE_VAR": str(var)} | env,
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=True,
    )
    found: dict[str, str] = json.loads(done.stdout)
    return found
