"""A wire between browser and server that a test can cut: real sockets, so the browser sees what a bad line does."""

from __future__ import annotations

import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from enum import Enum, auto
from urllib.parse import urlsplit


class Wire(Enum):
    WHOLE = auto()
    ANSWERS_LOST = auto()  # the server gets what is sent and does it, but its answer never arrives
    SILENT = auto()  # nothing arrives anywhere, and nobody says so
    CUT = auto()  # every connection is refused


class Proxy:
    def __init__(self, upstream: str) -> None:
        parts = urlsplit(upstream)
        self._upstream = (str(parts.hostname), int(parts.port or 80))
        self._listener = socket.create_server(("127.0.0.1", 0))
        self._sockets: list[socket.socket] = []
        self.url = f"http://{parts.hostname}:{self._listener.getsockname()[1]}"
        self.wire = Wire.WHOLE
        threading.Thread(target=self._accept, daemon=True).start()

    def close(self) -> None:
        for one in [self._listener, *self._sockets]:
            _end(one)

    def _accept(self) -> None:
        while True:
            try:
                near, _ = self._listener.accept()
                if self.wire is Wire.CUT:
                    near.close()
                    continue
                far = socket.create_connection(self._upstream)
            except OSError:
                return
            self._sockets += [near, far]
            for source, sink, answers in ((near, far, False), (far, near, True)):
                threading.Thread(target=self._pump, args=(source, sink, answers), daemon=True).start()

    def _pump(self, source: socket.socket, sink: socket.socket, answers: bool) -> None:
        try:
            while data := source.recv(65536):
                if self.wire is Wire.CUT or (answers and self.wire is Wire.ANSWERS_LOST):
                    break
                if self.wire is not Wire.SILENT:
                    sink.sendall(data)
        except OSError:
            pass  # the other end was cut
        _end(source)
        _end(sink)


def _end(one: socket.socket) -> None:
    with suppress(OSError):  # ended already
        one.shutdown(socket.SHUT_RDWR)
    one.close()


@contextmanager
def proxy(upstream: str) -> Iterator[Proxy]:
    made = Proxy(upstream)
    try:
        yield made
    finally:
        made.close()
