"""`./run`: start everything in order, watch it, stop everything in reverse order."""

from __future__ import annotations

import argparse
import errno
import json
import os
import signal
import socket
import sys
import time
import urllib.error
import urllib.request
from collections import deque

from annotate.local.process import CannotStart, Child, Interrupted
from annotate.local.servers import Servers
from annotate.local.var import ROOT, Var

HOST = "127.0.0.1"
RESTARTS, WITHIN = 3, 60.0  # a program may end by itself so often within so many seconds


class Web(Child):
    """gunicorn with two processes of four threads; it reloads nothing and keeps no control socket."""

    grace = 25.0

    def __init__(self, port: int, env: dict[str, str]) -> None:
        self.url = f"http://{HOST}:{port}"
        options = "-k gthread -w 2 --threads 4 --graceful-timeout 20 --no-control-socket --log-level warning"
        argv = [sys.executable, "-m", "gunicorn", "annotate.wsgi", *options.split(), "-b", f"{HOST}:{port}"]
        super().__init__("the web server", argv, env=env)

    def is_ready(self) -> bool:
        return _answer(self.url + "/livez") is not None


class Worker(Child):
    """Celery with two processes, and its clock inside."""

    grace = 25.0

    def __init__(self, var: Var, env: dict[str, str]) -> None:
        options = f"worker -c 2 -l WARNING -B -s {var.path / 'celerybeat'} --without-mingle --without-gossip"
        # Root is warned of pickled messages, and this worker takes JSON only.
        quiet = ["-W", "ignore:You're running the worker with superuser privileges"]
        argv = [sys.executable, *quiet, "-m", "celery", "-q", "-A", "annotate", *options.split()]
        super().__init__("the worker", argv, env=env)


class Supervisor:
    def __init__(self, var: Var, port: int) -> None:
        self.var, self.port = var, port
        self.servers = Servers(var)
        self.programs: list[Child] = []
        self.ended: dict[str, deque[float]] = {}
        self.asked = 0

    def run(self) -> int:
        """Until asked to stop: 0. When something cannot start or go on: CannotStart, with nothing left running."""
        for sig in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
            signal.signal(sig, self._ask)
        try:
            self.start()
            while not self.asked:
                self.watch()
                time.sleep(0.2)
        except Interrupted:
            pass
        finally:
            self.stop()
        return 0

    def _ask(self, *_: object) -> None:
        self.asked += 1

    def start(self) -> None:
        self.servers.check_given()
        self.servers.start(self.interrupted)
        env = self.environment()
        self.var.publish({name: env[name] for name in ("DATABASE_URL", "REDIS_URL", "SECRET_KEY", "PUBLIC_URL")})
        self.prepare(env)
        web, worker = Web(self.port, env), Worker(self.var, env)
        for program in (web, worker):
            program.start()
            self.programs.append(program)
            self.var.remember(self.programs)
        web.wait_ready(interrupted=self.interrupted)
        status = _answer(web.url + "/")
        if status is None or status >= 500:
            raise CannotStart(f"the first page answers with status {status}; what went wrong is above")
        say(f"Ready: {web.url}")
        say(people(self.var))

    def environment(self) -> dict[str, str]:
        env = {**os.environ, **self.servers.env, "ANNOTATE_VAR": str(self.var.path), "PYTHONUNBUFFERED": "1"}
        env.setdefault("PUBLIC_URL", f"http://{HOST}:{self.port}")
        return env

    def prepare(self, env: dict[str, str]) -> None:
        child = Child("preparing the database", [sys.executable, "-m", "annotate.local.prepare"], env=env)
        child.start()
        try:
            while (status := child.status()) is None:
                if self.interrupted():
                    raise Interrupted
                time.sleep(0.02)
        finally:
            child.stop()
        if status:
            raise CannotStart(f"preparing the database failed (status {status})")

    def interrupted(self) -> bool:
        return bool(self.asked)

    def watch(self) -> None:
        """Start a program again that ended by itself; give up when it does so too often, or when a server ends."""
        for server in self.servers.running:
            if (status := server.status()) is not None:
                raise CannotStart(f"{server.name} stopped by itself (status {status}){server.last_words()}")
        for program in self.programs:
            status = program.status()
            if status is None:
                continue
            times = self.ended.setdefault(program.name, deque(maxlen=RESTARTS + 1))
            times.append(time.monotonic())
            if len(times) > RESTARTS and times[-1] - times[0] < WITHIN:
                raise CannotStart(f"{program.name} stopped {len(times)} times within a minute (status {status})")
            say(f"» {program.name} stopped by itself (status {status}); starting it again")
            program.stop()  # what it may have left of its own children
            program.start()
            self.var.remember(self.programs)

    def stop(self) -> None:
        """Programs first, all at once; the servers only after the last of them. A second Ctrl-C is impatient."""
        for program in self.programs:
            program.ask_to_stop()
        for program in self.programs:
            program.stop(at_once=self.asked > 1)
        self.var.retract()
        self.servers.stop(at_once=self.asked > 1)
        self.var.remember([])


def say(text: str) -> None:
    try:
        print(text, flush=True)
    except OSError:
        return  # the terminal is gone; that must not keep anything from being stopped


def people(var: Var) -> str:
    """The demo people's sign-ins, for as long as their file is there."""
    path = var.path / "demo-people.json"
    if not path.exists():
        return "Ctrl-C stops it."
    rows = json.loads(path.read_text())
    lines = [f"  {row['email']:<28} {row['password']:<24} {row.get('role', '')}".rstrip() for row in rows]
    return "\n".join(["Sign in as one of the demo people (Ctrl-C stops it):", *lines])


def check_port(port: int) -> None:
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((HOST, port))
        except (OSError, OverflowError) as error:
            if getattr(error, "errno", None) == errno.EADDRINUSE:
                raise CannotStart(f"port {port} is in use: stop what uses it, or choose another with PORT=") from error
            raise CannotStart(f"port {port} cannot be used: {error}") from error


def own(var: Var, seconds: float = 10) -> None:
    """Become the one that runs the servers here; a management command that runs them is waited for a little."""
    end = time.monotonic() + seconds
    while not var.try_to_own("./run"):
        if time.monotonic() > end or "./run" in var.owner():
            raise CannotStart(f"already running in {var.path} ({var.owner()}): stop that first")
        time.sleep(0.1)
    var.end_leftovers()


def _answer(url: str) -> int | None:
    """The status a page ends with, after redirections; None while nobody answers."""
    try:
        with urllib.request.urlopen(url, timeout=10) as page:  # noqa: S310 (always the address it listens on)
            return int(page.status)
    except urllib.error.HTTPError as error:
        return error.code
    except OSError:
        return None


def main() -> int:
    parser = argparse.ArgumentParser(prog="./run", description="Start Annotate on this machine.")
    parser.add_argument("--port", default=os.environ.get("PORT") or "8000", type=int, help="default: PORT, else 8000")
    port: int = parser.parse_args().port
    os.chdir(ROOT)
    try:
        var = Var()
        own(var)
        check_port(port)
        return Supervisor(var, port).run()
    except CannotStart as reason:
        print(f"Cannot start: {reason}", file=sys.stderr, flush=True)
    except OSError as error:
        print(f"Cannot start: {error.filename or ''} {error.strerror}".replace("  ", " "), file=sys.stderr, flush=True)
    return 1


if __name__ == "__main__":
    sys.exit(main())
