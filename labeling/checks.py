"""Settings that must not reach production. Each message names the setting and says what to do."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any
from urllib.parse import unquote, urlsplit

from django.apps import AppConfig
from django.conf import settings
from django.core import checks
from django.core.checks import CheckMessage, Error, Tags, register

SHORTEST_KEY = 50
KNOWN_KEYS = ("development-only", "django-insecure", "changeme", "change-me", "secret")
KNOWN_PASSWORDS = {"", "annotate", "postgres", "password", "secret", "changeme", "change-me", "admin", "root", "test"}
NAMES = ("SECRET_KEY", "DEBUG", "ALLOWED_HOSTS", "PUBLIC_URL", "DATABASE_URL", "REDIS_URL", "STORAGE_URL")


def unsafe(values: Mapping[str, Any]) -> list[str]:
    """What is wrong with `values` (settings by name) for production, a sentence each that begins with the name."""
    found = {
        "SECRET_KEY": _secret_key(values["SECRET_KEY"]),
        "DEBUG": "must be off: it shows settings and code to strangers" if values["DEBUG"] else "",
        "ALLOWED_HOSTS": _hosts(values["ALLOWED_HOSTS"]),
        "PUBLIC_URL": _public_url(values["PUBLIC_URL"]),
        "DATABASE_URL": _database(values["DATABASE_URL"]),
        "REDIS_URL": "" if values["REDIS_URL"] else "is missing: redis://:password@host:6379/0",
        "STORAGE_URL": "" if values["STORAGE_URL"] else "is missing: a folder that is backed up, or s3://bucket/prefix",
    }
    return [f"{name} {what}." for name, what in found.items() if what]


def _secret_key(key: str) -> str:
    if not key:
        return "is missing: set it to 50 or more random characters"
    if key.lower().startswith(KNOWN_KEYS):
        return "is a known one: set it to 50 or more random characters"
    if len(key) < SHORTEST_KEY or len(set(key)) < 10:
        return "is too easy to guess: set it to 50 or more random characters"
    return ""


def _hosts(hosts: Sequence[str]) -> str:
    if not hosts:
        return "is empty: name the hosts that people type, separated by commas"
    return "must not be *: anybody could send mail with links to a host of theirs" if "*" in hosts else ""


def _public_url(url: str) -> str:
    parts = urlsplit(url)
    return "" if parts.scheme == "https" and parts.hostname else "must be the address people type, with https://"


def _database(url: str) -> str:
    if not url:
        return "is missing: postgresql://user:password@host/name"
    parts = urlsplit(url)
    over_a_socket = not parts.hostname or unquote(parts.hostname).startswith("/")
    if not over_a_socket and unquote(parts.password or "") in KNOWN_PASSWORDS:
        return "has no password, or one that everybody tries: choose a random one"
    return ""


@register(Tags.security, deploy=True)
def safe_for_production(app_configs: Sequence[AppConfig] | None, **_: Any) -> list[CheckMessage]:
    """For `manage.py check --deploy`; with PRODUCTION=1 the settings themselves refuse before it can run."""
    found: list[CheckMessage] = [
        Error(problem, id="annotate.E001") for problem in unsafe({name: getattr(settings, name) for name in NAMES})
    ]
    if not settings.PRODUCTION:
        found.append(
            checks.Warning("PRODUCTION is not set: nothing refuses unsafe settings at start.", id="annotate.W001")
        )
    return found
