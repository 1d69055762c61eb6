"""A server on this machine that keeps what it is sent and answers what it is told: the other end of what goes out."""

from __future__ import annotations

import socket
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any, cast


@dataclass
class Received:
    method: str
    path: str
    headers: dict[str, str]
    body: bytes


@dataclass
class Receiver:
    """`answers` are given in turn, the last one for ever: a status, `cut` the line, or `drip` a byte at a time."""

    answers: list[int | str] = field(default_factory=lambda: [204])
    headers: dict[str, str] = field(default_factory=dict)
    body: bytes = b"thank you"
    received: list[Received] = field(default_factory=list)
    url: str = ""

    @property
    def hits(self) -> int:
        return len(self.received)

    def next_answer(self) -> int | str:
        return self.answers.pop(0) if len(self.answers) > 1 else self.answers[0]


class Served(ThreadingHTTPServer):
    """An HTTP server in threads, with the `state` that its handlers share."""

    daemon_threads = True
    state: Any

    def handle_error(self, request: Any, client_address: Any) -> None:
        """A line that was cut is what the test wanted."""


@contextmanager
def served(handler: type[BaseHTTPRequestHandler], state: Any) -> Iterator[str]:
    """`handler` behind the address that is given, which has no path."""
    server = Served(("127.0.0.1", 0), handler)
    server.state = state
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True)
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_address[1]}"
    finally:
        server.shutdown()
        server.server_close()
        thread.join()


class Quiet(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    @property
    def state(self) -> Any:
        return cast(Served, self.server).state

    def log_message(self, *args: Any) -> None:
        """What came is in the state."""

    def cut(self) -> None:
        self.connection.shutdown(socket.SHUT_RDWR)
        self.close_connection = True

    def answer(self, status: int, body: bytes = b"", headers: dict[str, str] | None = None) -> None:
        self.send_response(status)
        for name, value in (headers or {}).items():
            self.send_header(name, value)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)


class _Hook(Quiet):
    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
        headers = {name.lower(): value for name, value in self.headers.items()}
        self.state.received.append(Received(self.command, self.path, headers, body))
        answer = self.state.next_answer()
        if answer == "cut":
            self.cut()
        elif answer == "drip":
            self._drip()
        else:
            self.answer(answer, b"" if answer == 204 else self.state.body, self.state.headers)

    def do_GET(self) -> None:
        self.do_POST()

    def _drip(self) -> None:
        """A header that never ends, slowly: each wait is short, all of them together are not."""
        self.wfile.write(b"HTTP/1.1 200 OK\r\nX-Slow: ")
        for _ in range(200):
            self.wfile.write(b"x")
            self.wfile.flush()
            time.sleep(0.05)


@contextmanager
def receiver(answers: list[int | str] | None = None) -> Iterator[Receiver]:
    """A receiver at `http://127.0.0.1:…/hook`."""
    state = Receiver(answers or [204])
    with served(_Hook, state) as address:
        state.url = f"{address}/hook"
        yield state
