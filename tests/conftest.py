"""What every test may ask for beside Django's own: Celery workers and a browser, all real."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from collections.abc import Callable, Generator, Iterator
from pathlib import Path
from typing import Any
from urllib.parse import quote

import pytest
from axe_playwright_python.sync_playwright import Axe
from celery.contrib.testing.worker import start_worker
from celery.worker import WorkController
from django.core.cache import cache
from django.db import connection
from playwright.sync_api import ConsoleMessage, Page, expect

from annotate.celery import app
from tests.chromium import find_chromium

# Playwright's synchronous API runs an event loop in this thread, which Django takes for asynchronous code.
os.environ.setdefault("DJANGO_ALLOW_ASYNC_UNSAFE", "true")

WCAG = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"]


@pytest.fixture(scope="session", autouse=True)
def _clean_valkey() -> None:
    cache.clear()
    app.control.purge()


# --- Celery ---------------------------------------------------------------------------------------


@pytest.fixture
def live_worker(transactional_db: None) -> Iterator[WorkController]:
    """A worker in threads of this process: the test's database, the real broker, real messages. Up in half a second."""
    with start_worker(app, perform_ping_check=False, pool="threads", concurrency=2, loglevel="WARNING") as worker:
        yield worker


class WorkerProcess:
    """A `celery worker` process with its children, on the database of this test."""

    def __init__(self, log: Path) -> None:
        self.log = log
        facts = connection.settings_dict
        host = quote(str(facts["HOST"]), safe="")
        port = f":{facts['PORT']}" if facts["PORT"] else ""
        password = f":{quote(facts['PASSWORD'], safe='')}" if facts["PASSWORD"] else ""
        self.env = dict(os.environ, DATABASE_URL=f"postgresql://{facts['USER']}{password}@{host}{port}/{facts['NAME']}")
        self.process = self._start()

    def _start(self) -> subprocess.Popen[bytes]:
        argv = [sys.executable, "-m", "celery", "-A", "annotate", "worker", "-c", "1", "-l", "INFO"]
        with self.log.open("wb") as out:
            process = subprocess.Popen(
                [*argv, "--without-mingle", "--without-gossip"], env=self.env, stdout=out, stderr=out
            )
        end = time.monotonic() + 30
        while b" ready." not in self.log.read_bytes():
            if process.poll() is not None or time.monotonic() > end:
                process.kill()
                pytest.fail(f"the Celery worker did not start:\n{self.log.read_text()}")
            time.sleep(0.05)
        return process

    def kill(self) -> None:
        """End it and its children as a crash would: SIGKILL, no clean-up."""
        children = subprocess.run(
            ["ps", "-o", "pid=", "--ppid", str(self.process.pid)], capture_output=True, text=True, check=False
        )
        for pid in [self.process.pid, *map(int, children.stdout.split())]:
            os.kill(pid, 9)
        self.process.wait()

    def restart(self) -> None:
        self.process = self._start()

    def stop(self) -> None:
        self.process.terminate()
        try:
            self.process.wait(20)
        except subprocess.TimeoutExpired:
            self.kill()


@pytest.fixture
def worker_process(transactional_db: None, tmp_path: Path) -> Iterator[WorkerProcess]:
    """A real worker process, for what a thread cannot show: signals, `kill -9`, late acknowledgement. Takes seconds."""
    worker = WorkerProcess(tmp_path / "worker.log")
    yield worker
    worker.stop()


expect.set_options(timeout=20_000)  # a busy machine is slow, not wrong

# --- the browser ----------------------------------------------------------------------------------


@pytest.fixture(scope="session")
def browser_type_launch_args(browser_type_launch_args: dict[str, Any]) -> dict[str, Any]:
    chromium = find_chromium()
    if chromium is None:
        pytest.fail("no Chromium: run the suite with ./run test, install chromium, or set CHROMIUM", pytrace=False)
    args = ["--disable-dev-shm-usage", "--force-color-profile=srgb", "--font-render-hinting=none", "--disable-lcd-text"]
    if os.geteuid() == 0:
        args.append("--no-sandbox")  # Chromium has no sandbox for root
    return {**browser_type_launch_args, "executable_path": chromium, "args": args}


@pytest.fixture(scope="session")
def browser_context_args(browser_context_args: dict[str, Any]) -> dict[str, Any]:
    size = {"width": 1280, "height": 800}
    return {
        **browser_context_args,
        "viewport": size,
        "locale": "en-GB",
        "timezone_id": "UTC",
        "reduced_motion": "reduce",
    }


@pytest.fixture
def complaints() -> list[str]:
    """What the browser complained of: script errors, refusals by the Content-Security-Policy, missing files.

    A test of a page that must complain empties the list.
    """
    return []


@pytest.fixture
def page(page: Page, complaints: list[str]) -> Generator[Page, None, None]:
    """A page that fails its test when the browser complained."""

    def on_console(message: ConsoleMessage) -> None:
        # An answer of 4xx to a document or to htmx is the server's business, and its tests'; a file must be there.
        loading = message.text.startswith("Failed to load resource")
        # A draft on its way is given up when the answer itself is sent; htmx reports that like a failure.
        given_up = message.text.startswith(("htmx:sendAbort", "htmx:afterRequest"))
        missing_page = loading and "/static/" not in message.location.get("url", "")
        if message.type == "error" and not given_up and not missing_page:
            complaints.append(f"{message.text} [{message.location.get('url', '')}]")

    page.on("console", on_console)
    page.on("pageerror", lambda error: complaints.append(str(error)))
    page.context.on("page", lambda other: other.on("pageerror", lambda error: complaints.append(str(error))))
    yield page
    assert not complaints, "the browser complained:\n" + "\n".join(complaints)


@pytest.fixture
def audit() -> Callable[[Page], None]:
    """Check a page as it is now against WCAG 2.2 AA and axe's best practice."""

    def check(page: Page) -> None:
        found = Axe().run(page, options={"runOnly": WCAG})
        assert found.violations_count == 0, found.generate_report()

    return check
