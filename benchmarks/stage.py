"""Servers of our own under `var/bench`, with the settings of production, and the CPU time they use."""

from __future__ import annotations

import os
import resource
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import django
from django.core.management import call_command

from annotate.local.process import Child
from annotate.local.servers import Servers
from annotate.local.var import ROOT, Var

TICKS = os.sysconf("SC_CLK_TCK")


@dataclass
class Stage:
    var: Var
    servers: Servers

    def server_cpu(self) -> float:
        """CPU seconds of PostgreSQL and Valkey so far, with those of processes that have ended."""
        return sum(tree_cpu(child) for child in self.servers.running)


@contextmanager
def stage() -> Iterator[Stage]:
    """A fresh database; everything is removed afterwards."""
    path = ROOT / "var" / "bench"
    shutil.rmtree(path, ignore_errors=True)
    var = Var(path)
    var.try_to_own("./run bench")
    servers = Servers(var)
    try:
        servers.start()
        os.environ.update(servers.env, ANNOTATE_VAR=str(path), DB_POOL_SIZE="0")
        os.environ.setdefault("DJANGO_SETTINGS_MODULE", "annotate.settings")
        django.setup()
        call_command("migrate", interactive=False, verbosity=0)
        yield Stage(var, servers)
    finally:
        servers.stop()
        var.disown()
        shutil.rmtree(path, ignore_errors=True)


def tree_cpu(child: Child) -> float:
    """CPU seconds of a process and all below it, living and dead."""
    assert child.process is not None
    return sum(_cpu(pid) for pid in _family(child.process.pid))


def own_cpu() -> float:
    """CPU seconds of this process."""
    used = resource.getrusage(resource.RUSAGE_SELF)
    return used.ru_utime + used.ru_stime


def peak_megabytes() -> int:
    """This process's largest memory so far. Not ru_maxrss, which a child takes over from its parent."""
    status = Path("/proc/self/status").read_text()
    return int(status.partition("VmHWM:")[2].split()[0]) // 1024


def _family(root: int) -> list[int]:
    parents = {}
    for entry in Path("/proc").iterdir():
        if entry.name.isdigit():
            try:
                parents[int(entry.name)] = int((entry / "stat").read_text().rpartition(")")[2].split()[1])
            except OSError:
                continue
    family, grown = {root}, True
    while grown:
        more = {pid for pid, parent in parents.items() if parent in family} - family
        family, grown = family | more, bool(more)
    return sorted(family)


def _cpu(pid: int) -> float:
    try:
        fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    except OSError:
        return 0.0
    return sum(map(int, fields[11:15])) / TICKS  # user and system time, its own and of its reaped children
