"""Exports built by real processes of their own, in surroundings of a test's choice."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path
from urllib.parse import quote

from django.conf import settings
from django.db import connection


def database_url() -> str:
    """The address of the database of this test."""
    facts = connection.settings_dict
    address = quote(str(facts["HOST"]), safe="") + (f":{facts['PORT']}" if facts["PORT"] else "")
    return f"postgresql://{facts['USER']}@{address}/{facts['NAME']}"


def python(*argv: str, **env: str) -> subprocess.Popen[str]:
    """A Python program in the project's folder, on the database of this test."""
    return subprocess.Popen(
        [sys.executable, *argv],
        env=os.environ | {"DATABASE_URL": database_url(), "DJANGO_SETTINGS_MODULE": "annotate.settings"} | env,
        cwd=settings.BASE_DIR,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )


def built_by_command(slug: str, recipe: Path, to: Path, *options: str, **env: str) -> Path:
    """What `manage.py build_export` writes elsewhere."""
    process = python("manage.py", "build_export", slug, "--recipe", str(recipe), "--to", str(to), *options, **env)
    said, _ = process.communicate(timeout=110)
    assert process.returncode == 0, said
    return to


def bytes_of(directory: Path) -> dict[str, bytes]:
    return {str(p.relative_to(directory)): p.read_bytes() for p in sorted(directory.rglob("*")) if p.is_file()}
