"""HTTP by the standard library: one request, its answer or its error; again where that can do no harm."""

from __future__ import annotations

import http.client
import json
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Iterable
from typing import Any
from urllib.parse import urlsplit

from annotate_client.errors import AnnotateError, NoAnswer

TRIES = 4
WAIT, LONGEST_WAIT = 0.5, 30.0
WORTH_A_RETRY = {429, 502, 503, 504}
Body = bytes | Iterable[bytes] | None
_BROKEN = (urllib.error.URLError, http.client.HTTPException, OSError)


class _NoRedirects(urllib.request.HTTPRedirectHandler):
    """A redirect would take the token to another place."""

    def redirect_request(self, *args: Any) -> None:
        return None


class Transport:
    """Sends the token with each request to one server. Proxies come from the environment, as urllib reads it."""

    def __init__(self, url: str, token: str, timeout: float) -> None:
        parts = urlsplit(url)
        if parts.scheme not in ("http", "https") or not parts.hostname or parts.path.strip("/"):
            raise ValueError(f"{url!r} is not an address like https://annotate.example.org")
        self.root = f"{parts.scheme}://{parts.netloc}"
        self.timeout = timeout
        self._token = token
        self._opener = urllib.request.build_opener(_NoRedirects)

    def json(self, method: str, path: str, body: Any = None, *, retry: bool = True) -> Any:
        """The answer as JSON, or None where it has no content."""
        data = None if body is None else json.dumps(body).encode()
        headers = {} if data is None else {"Content-Type": "application/json"}
        return self.send(method, path, lambda: data, headers, retry=retry)

    def send(
        self, method: str, path: str, body: Callable[[], Body], headers: dict[str, str], *, retry: bool = False
    ) -> Any:
        """As `json`, for a body of any kind; `body` is called for each try."""
        for left in reversed(range(TRIES if retry else 1)):
            try:
                with self.open(method, path, body(), headers) as answer:
                    data = answer.read()
                return json.loads(data) if data else None
            except AnnotateError as refused:
                if refused.status not in WORTH_A_RETRY or not left:
                    raise
                self.pause(TRIES - left, getattr(refused, "retry_after", None))
            except _BROKEN as problem:
                if not left:
                    raise NoAnswer(f"{self.root}: {problem}") from problem
                self.pause(TRIES - left)
        raise AssertionError("the last try returns or raises")

    def open(self, method: str, path: str, body: Body = None, headers: dict[str, str] | None = None) -> Any:
        """The open answer; raises AnnotateError for every status from 300 on, and what breaks as it breaks."""
        # Of an address that the server gave, only what follows the host: the token goes nowhere else.
        parts = urlsplit(path)
        url = self.root + parts.path + (f"?{parts.query}" if parts.query else "")
        request = urllib.request.Request(url, data=body, method=method)
        for name, value in {"Authorization": f"Token {self._token}", **(headers or {})}.items():
            request.add_unredirected_header(name, value)
        try:
            return self._opener.open(request, timeout=self.timeout)
        except urllib.error.HTTPError as problem:
            with problem:
                raise _refusal(problem) from None

    @staticmethod
    def pause(tried: int, seconds: float | None = None) -> None:
        time.sleep(min(LONGEST_WAIT, WAIT * 2 ** (tried - 1) if seconds is None else seconds))


def _refusal(problem: urllib.error.HTTPError) -> AnnotateError:
    """What the server says is wrong (RFC 9457), or only its status where it says nothing."""
    try:
        said = json.loads(problem.read())
        made = AnnotateError(problem.code, str(said["code"]), str(said["detail"]), said.get("errors"))
    except (ValueError, KeyError, TypeError, AttributeError, *_BROKEN):
        made = AnnotateError(problem.code, "error", str(problem.reason or "no reason given"))
    wait = problem.headers.get("Retry-After", "")
    if wait.isdecimal():
        made.retry_after = float(wait)  # type: ignore[attr-defined]
    return made
