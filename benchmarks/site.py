"""The real web server and a worker in front of the stage's database, and people who are signed in there."""

from __future__ import annotations

import http.client
import json
import os
import socket
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from importlib import import_module
from typing import Any

from django.conf import settings
from django.contrib.auth import BACKEND_SESSION_KEY, HASH_SESSION_KEY, SESSION_KEY

from annotate.local.process import Child
from annotate.local.supervisor import Web, Worker
from benchmarks.stage import Stage, tree_cpu
from labeling.actions.people import create_token
from labeling.models import User


@dataclass
class Site:
    port: int
    programs: list[Child]

    def cpu(self) -> float:
        """CPU seconds of web server and worker so far."""
        return sum(tree_cpu(program) for program in self.programs)


@contextmanager
def site(stage: Stage, *, worker: bool = False) -> Iterator[Site]:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    env = dict(os.environ, DB_POOL_SIZE="4", PUBLIC_URL=f"http://127.0.0.1:{port}", PYTHONDONTWRITEBYTECODE="")
    programs: list[Child] = [Web(port, env), *([Worker(stage.var, env)] if worker else [])]
    try:
        for program in programs:
            program.start()
        programs[0].wait_ready()
        yield Site(port, programs)
    finally:
        for program in programs:
            program.stop()


class Browser:
    """One person's connection: a session cookie for pages, a token for the API. Kept open, as browsers do."""

    def __init__(self, port: int, user: User) -> None:
        self._connection = http.client.HTTPConnection("127.0.0.1", port, timeout=60)
        self.cookies = {settings.SESSION_COOKIE_NAME: _session(user)}
        self.token = create_token(user=user, name="benchmark")[1]

    def page(self, method: str, path: str, body: str = "", *, htmx: bool = False) -> tuple[int, str]:
        headers = {"Cookie": "; ".join(f"{name}={value}" for name, value in self.cookies.items())}
        if method == "POST":
            headers["Content-Type"] = "application/x-www-form-urlencoded"
        if htmx:
            headers["HX-Request"] = "true"
        return self._send(method, path, body.encode(), headers)

    def api(self, method: str, path: str, body: object = None) -> tuple[int, dict[str, Any]]:
        headers = {"Authorization": f"Token {self.token}", "Content-Type": "application/json"}
        status, text = self._send(
            method, "/api/v1" + path, json.dumps(body).encode() if body is not None else b"", headers
        )
        return status, json.loads(text) if text else {}

    def _send(self, method: str, path: str, body: bytes, headers: dict[str, str]) -> tuple[int, str]:
        self._connection.request(method, path, body or None, headers)
        answer = self._connection.getresponse()
        for cookie in answer.headers.get_all("Set-Cookie") or []:
            name, _, value = cookie.partition(";")[0].partition("=")
            self.cookies[name] = value
        return answer.status, answer.read().decode()


def _session(user: User) -> str:
    store = import_module(settings.SESSION_ENGINE).SessionStore()
    store[SESSION_KEY] = str(user.pk)
    store[BACKEND_SESSION_KEY] = "django.contrib.auth.backends.ModelBackend"
    store[HASH_SESSION_KEY] = user.get_session_auth_hash()
    store.create()
    return str(store.session_key)
