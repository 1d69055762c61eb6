"""The `var/` folder: everything a running installation writes, and who may write it.

secret-key        SECRET_KEY of this installation, made once
env.json          addresses of the servers that run now; only there while they do
children.json     processes started from here, so that the next start can end what a hard kill left
owner.lock        held by the one process that runs the servers
users.lock        held, shared, by each command that uses servers started by another
run/ log/         sockets; logs of the servers
postgres-18/ valkey/ storage/   the data
"""

from __future__ import annotations

import fcntl
import json
import os
import secrets
import shutil
import signal
import sys
import tempfile
import time
from collections.abc import Iterable, Mapping
from functools import cached_property
from hashlib import sha256
from pathlib import Path
from typing import IO

from annotate.local.process import CannotStart, Child, birth

ROOT = Path(__file__).resolve().parent.parent.parent
LONGEST_SOCKET_FOLDER = 80  # a socket's whole path may have 107 bytes, on macOS 103
LEAST_FREE = 200 * 1024 * 1024
# What other programs of ours may put into an empty var/ before the servers run there for the first time.
KNOWN = {"storage", "static", "test", "shots", "trainers-venv", ".gitignore"}


class Var:
    """Makes the folder ready on construction, or says in one line why it cannot be used."""

    def __init__(self, path: Path | None = None) -> None:
        self.path = (path or Path(os.environ.get("ANNOTATE_VAR") or ROOT / "var")).resolve()
        self._owner: IO[str] | None = None
        try:
            self.path.mkdir(mode=0o700, parents=True, exist_ok=True)
            self._claim()
            self.logs.mkdir(exist_ok=True)
            (self.path / "static").mkdir(exist_ok=True)  # WhiteNoise warns when STATIC_ROOT is not there
            free = shutil.disk_usage(self.path).free
        except OSError as error:
            raise CannotStart(f"cannot write to {self.path}: {error.strerror}") from error
        if free < LEAST_FREE:
            raise CannotStart(
                f"the disk is full: {free >> 20} MB are free at {self.path}, {LEAST_FREE >> 20} MB are needed"
            )

    @property
    def logs(self) -> Path:
        return self.path / "log"

    @cached_property
    def sockets(self) -> Path:
        """A folder that only this user may enter; outside `var/` when the path would be too long for a socket."""
        path = self.path / "run"
        if len(os.fsencode(path)) > LONGEST_SOCKET_FOLDER:
            mark = sha256(os.fsencode(self.path)).hexdigest()[:12]
            path = Path(tempfile.gettempdir()) / f"annotate-{os.geteuid()}-{mark}"
        path.mkdir(mode=0o700, exist_ok=True)
        if path.is_symlink() or (os.geteuid() and path.stat().st_uid != os.geteuid()):
            raise CannotStart(f"{path} belongs to somebody else: remove it")
        path.chmod(0o700)
        return path

    def _claim(self) -> None:
        """Refuse a folder of another user, or one that was made for something else."""
        owner = self.path.stat().st_uid
        if owner != os.geteuid():
            raise CannotStart(
                f"{self.path} belongs to another user (uid {owner}): "
                "run as that user, or set ANNOTATE_VAR to a folder of yours"
            )
        mark = self.path / "annotate-var"
        if mark.exists():
            return
        strangers = {entry.name for entry in self.path.iterdir()} - KNOWN
        if strangers:
            raise CannotStart(
                f"{self.path} holds something else ({min(strangers)}): set ANNOTATE_VAR to an empty folder"
            )
        mark.write_text("This folder belongs to Annotate.\n")

    # --- who runs the servers ---------------------------------------------------------------------

    def try_to_own(self, who: str) -> bool:
        """Become the one process that runs servers here, until it ends. False if there is one already.

        `who` is the command, for the message to the next one.
        """
        lock = (self.path / "owner.lock").open("a+")
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            lock.close()
            return False
        lock.truncate(0)
        lock.write(f"{who}, process {os.getpid()}")
        lock.flush()
        self._owner = lock
        (self.path / "env.json").unlink(missing_ok=True)  # of an owner that was killed
        return True

    def owner(self) -> str:
        return (self.path / "owner.lock").read_text() or "?"

    def disown(self) -> None:
        if self._owner:
            self._owner.close()
            self._owner = None

    def use(self) -> IO[str]:
        """Say that this process uses the servers; close the result to say that it no longer does."""
        lock = (self.path / "users.lock").open("a+")
        fcntl.flock(lock, fcntl.LOCK_SH)
        return lock

    def wait_for_users(self) -> None:
        """Until no other command uses the servers that this process is about to stop."""
        with (self.path / "users.lock").open("a+") as lock:
            try:
                fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except OSError:
                print("waiting for another command that uses this database", file=sys.stderr, flush=True)
                fcntl.flock(lock, fcntl.LOCK_EX)

    # --- what they need to know -------------------------------------------------------------------

    def publish(self, env: Mapping[str, str]) -> None:
        _write_private(self.path / "env.json", json.dumps(dict(env), indent=1))

    def published(self) -> dict[str, str]:
        """Addresses of the running servers; empty when none run."""
        try:
            found: dict[str, str] = json.loads((self.path / "env.json").read_text())
        except FileNotFoundError:
            return {}
        return found

    def retract(self) -> None:
        (self.path / "env.json").unlink(missing_ok=True)

    def secret_key(self) -> str:
        path = self.path / "secret-key"
        if not path.exists():
            _write_private(path, secrets.token_urlsafe(48))
        return path.read_text().strip()

    # --- what a hard kill leaves ------------------------------------------------------------------

    def remember(self, children: Iterable[Child]) -> None:
        started = {child.process.pid: birth(child.process.pid) for child in children if child.process}
        _write_private(self.path / "children.json", json.dumps(started))

    def end_leftovers(self, seconds: float = 20) -> None:
        """End the processes of an owner that was killed. Linux has already told them to stop; others have not."""
        path = self.path / "children.json"
        try:
            left = {int(pid): born for pid, born in json.loads(path.read_text()).items() if born}
        except (OSError, ValueError):
            left = {}
        end = time.monotonic() + seconds
        for pid, born in left.items():
            if birth(pid) == born:
                os.kill(pid, signal.SIGTERM)
        while alive := [pid for pid, born in left.items() if birth(pid) == born]:
            if time.monotonic() > end:
                for pid in alive:
                    os.kill(pid, signal.SIGKILL)
                break
            time.sleep(0.05)
        path.unlink(missing_ok=True)


def _write_private(path: Path, text: str) -> None:
    """Replace the file at once and whole, readable only by its owner."""
    new = path.with_name(path.name + ".new")
    new.unlink(missing_ok=True)
    with os.fdopen(os.open(new, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w") as out:
        out.write(text)
    new.replace(path)
