"""A child process that does not outlive its parent, is watched, and is stopped in an orderly way."""

from __future__ import annotations

import ctypes
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import IO

PR_SET_PDEATHSIG = 1
libc = ctypes.CDLL(None, use_errno=True) if sys.platform == "linux" else None


class CannotStart(Exception):
    """Something the person at the terminal can put right; the message is the one line they see."""


class Interrupted(Exception):
    """Asked to stop before everything had started."""


def die_with(parent: int, sig: int) -> None:
    """Ask Linux to signal this process when its parent ends, even by `kill -9`. Called in the child, after any
    change of user, because such a change clears the wish."""
    if libc is None:
        return
    libc.prctl(PR_SET_PDEATHSIG, sig)
    if os.getppid() != parent:
        os._exit(1)  # the parent ended between fork and here


def birth(pid: int) -> str:
    """When the process started, in words that tell it from a later one with the same number; "" if it is gone."""
    if sys.platform == "linux":
        try:
            fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
        except OSError:
            return ""
        return "" if fields[0] in "ZX" else fields[19]
    done = subprocess.run(["ps", "-o", "lstart=", "-p", str(pid)], capture_output=True, text=True, check=False)
    return done.stdout.strip()


class Child:
    """One program. `grace` is how many seconds it may take to stop before it is killed with its whole group."""

    stop_signal: int = signal.SIGTERM
    grace: float = 10.0
    # The user and group to change to, if any; and what else to do between fork and exec.
    as_user: int | None = None
    as_group: int | None = None
    before_exec: Callable[[], None] | None = None

    def __init__(
        self, name: str, argv: Sequence[str | Path], *, env: Mapping[str, str] | None = None, log: Path | None = None
    ) -> None:
        self.name, self.argv, self.env, self.log = name, [str(word) for word in argv], env, log
        self.process: subprocess.Popen[bytes] | None = None

    def start(self) -> None:
        if self.log is None:
            self.process = self.spawn(self.argv)
            return
        self.log.parent.mkdir(parents=True, exist_ok=True)
        with self.log.open("ab") as out:
            self.process = self.spawn(self.argv, out)

    def spawn(self, argv: Sequence[str | Path], out: IO[bytes] | int | None = None) -> subprocess.Popen[bytes]:
        """Start a program the way this child must be started: as its user, and bound to this process's life.

        It leads a session of its own, so that Ctrl-C reaches only the parent, which stops things in order.
        """
        parent = os.getpid()

        def between_fork_and_exec() -> None:
            if self.before_exec:
                self.before_exec()
            die_with(parent, self.stop_signal)

        return subprocess.Popen(
            argv,
            stdin=subprocess.DEVNULL,
            stdout=out,
            stderr=subprocess.STDOUT if out is not None else None,
            env=self.env,
            start_new_session=True,
            preexec_fn=between_fork_and_exec,
            user=self.as_user,
            group=self.as_group,
            extra_groups=[] if self.as_user else None,
        )

    def is_ready(self) -> bool:
        return True

    def wait_ready(self, seconds: float = 60, interrupted: Callable[[], bool] = lambda: False) -> None:
        end = time.monotonic() + seconds
        while not self.is_ready():
            if interrupted():
                raise Interrupted
            if (status := self.status()) is not None:
                raise CannotStart(f"{self.name} stopped while starting (status {status}){self.last_words()}")
            if time.monotonic() > end:
                raise CannotStart(f"{self.name} did not answer within {seconds:.0f} seconds{self.last_words()}")
            time.sleep(0.03)

    def status(self) -> int | None:
        """The exit status, or None while it runs (or has not been started)."""
        return self.process.poll() if self.process else None

    def last_words(self) -> str:
        """The last line of the log, as the end of a sentence."""
        lines = self.log.read_text(errors="replace").split("\n") if self.log and self.log.exists() else []
        said = [line.strip() for line in lines if line.strip()]
        return f": {said[-1]} (all of it in {self.log})" if said else ""

    def ask_to_stop(self) -> None:
        if self.process and self.process.poll() is None:
            self.process.send_signal(self.stop_signal)

    def stop(self, *, at_once: bool = False) -> None:
        """Ask, wait `grace` seconds, then kill. Whatever the program left in its group goes with it."""
        if self.process is None:
            return
        self.ask_to_stop()
        try:
            self.process.wait(0.5 if at_once else self.grace)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()
        try:
            os.killpg(self.process.pid, signal.SIGKILL)
        except (ProcessLookupError, PermissionError):
            return  # PermissionError is what macOS says of a group of zombies
