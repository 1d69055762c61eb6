"""The image and the compose file cannot be built by this suite; what can be read of them is."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
from typing import Any

import pytest
import yaml

from annotate.local.var import ROOT

SECRETS = ("SECRET_KEY", "POSTGRES_PASSWORD", "REDIS_PASSWORD", "PUBLIC_URL", "ALLOWED_HOSTS")
TEXT = (ROOT / "docker-compose.yml").read_text()
COMPOSE: dict[str, Any] = yaml.safe_load(TEXT)


def test_all_that_serves_is_there_and_is_watched() -> None:
    services = COMPOSE["services"]
    assert set(services) == {"web", "worker", "beat", "migrate", "postgres", "redis"}
    assert all("test" in service["healthcheck"] for name, service in services.items() if name != "migrate")
    for name in ("web", "worker", "beat"):
        assert services[name]["depends_on"]["migrate"]["condition"] == "service_completed_successfully"


def test_no_secret_has_a_default() -> None:
    for name in SECRETS:
        assert f"${{{name}:?" in TEXT
        assert not re.search(rf"\$\{{{name}(?:\}}|:?-)", TEXT)


def test_what_must_survive_is_in_volumes() -> None:
    services, volumes = COMPOSE["services"], COMPOSE["volumes"]
    for name, place in {"postgres": "/var/lib/postgresql", "redis": "/data", "web": "/data", "worker": "/data"}.items():
        (mounted,) = services[name]["volumes"]
        volume, _, inside = mounted.partition(":")
        assert inside == place
        assert volume in volumes
    assert "--appendonly yes" in services["redis"]["command"][2]
    assert "--maxmemory-policy noeviction" in services["redis"]["command"][2]


def test_the_database_sorts_alike_everywhere() -> None:
    arguments = COMPOSE["services"]["postgres"]["environment"]["POSTGRES_INITDB_ARGS"]
    assert {"--locale-provider=builtin", "--builtin-locale=C.UTF-8"} <= set(arguments.split())


def test_compose_itself_accepts_the_file() -> None:
    client = ["docker", "compose"]
    if not shutil.which("docker") or subprocess.run([*client, "version"], capture_output=True).returncode:
        pytest.skip("docker compose is not installed here; the other tests read the file themselves")
    env = os.environ | dict.fromkeys(SECRETS, "x")
    done = subprocess.run([*client, "config", "--quiet"], cwd=ROOT, env=env, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr


def test_the_image_is_made_of_locked_packages_for_an_ordinary_user() -> None:
    text = (ROOT / "Dockerfile").read_text()
    assert "--require-hashes -r /requirements/prod.txt" in text
    assert re.search(r"^USER annotate$", text, re.MULTILINE)
    assert "HEALTHCHECK" in text
    assert "--preload" not in text.replace("# Without --preload", "")
    for line in (ROOT / ".dockerignore").read_text().splitlines():
        if line.startswith("!"):
            assert (ROOT / line[1:]).exists(), line
