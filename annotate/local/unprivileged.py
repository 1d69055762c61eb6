"""PostgreSQL refuses to run as root. How to start it anyway, without making anything readable to others."""

from __future__ import annotations

import ctypes
import os
import pwd
from functools import cache
from pathlib import Path

from annotate.local.process import libc

CLONE_NEWUSER = 0x10000000


def nobody() -> tuple[int, int]:
    """User and group number of the user that owns nothing."""
    entry = pwd.getpwnam("nobody")
    return entry.pw_uid, entry.pw_gid


def enter_user_namespace() -> None:
    """Become `nobody` inside a namespace that maps it to root outside: the files stay root's, and nothing has to
    be handed over or opened to anyone. Called between fork and exec."""
    if libc is None or libc.unshare(CLONE_NEWUSER):
        raise OSError(ctypes.get_errno(), "user namespaces are not available")
    uid, gid = nobody()
    Path("/proc/self/setgroups").write_text("deny")
    Path("/proc/self/uid_map").write_text(f"{uid} 0 1")
    Path("/proc/self/gid_map").write_text(f"{gid} 0 1")


@cache
def can_enter_user_namespace() -> bool:
    """Try it in a throw-away process: many containers forbid it."""
    if libc is None:
        return False
    pid = os.fork()
    if pid == 0:
        try:
            enter_user_namespace()
        except BaseException:
            os._exit(1)
        os._exit(0)
    return os.waitpid(pid, 0)[1] == 0


def blocked_folder(path: Path, uid: int) -> Path | None:
    """The first folder on the way to `path` that `uid`, who owns nothing, may not pass; None if the way is free."""
    for folder in reversed(path.parents):
        facts = folder.stat()
        if facts.st_uid != uid and not facts.st_mode & 0o001:
            return folder
    return None
