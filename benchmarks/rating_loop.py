"""32 raters at once, 20,000 pairs: submit and the next pair in one round trip, on the screen and through the API.

The peer is Label Studio 1.23, which needs about half a CPU second a pair on this size (its own figures: 0.34 to 0.56 s,
server and PostgreSQL together). Counted here: web server and PostgreSQL; the raters' own CPU is not.
"""

from __future__ import annotations

import re
import statistics
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from urllib.parse import urlencode

from benchmarks.crowd import make_queue, make_raters
from benchmarks.site import Browser, Site, site
from benchmarks.stage import Stage
from labeling.models import Annotation, Queue

RATERS, PAIRS, ROUNDS = 32, 20_000, 60
PEER = 0.5  # CPU seconds a pair
_SUBMIT = re.compile(r'hx-post="(/compare/assignments/\d+/submit/)"')
_CSRF = re.compile(r'name="csrfmiddlewaretoken" value="(\w+)"')
Loop = Callable[[Browser, Queue], list[float]]


def main(stage: Stage) -> None:
    for name, loop in (("screen", _screen), ("API", _api)):
        queue = make_queue(f"loop-{name.lower()}", PAIRS)
        raters = make_raters(queue, RATERS)
        with site(stage) as running, ThreadPoolExecutor(RATERS) as crowd:
            browsers = [Browser(running.port, rater) for rater in raters]
            _report(stage, running, name, queue, browsers, loop, crowd)


def _report(
    stage: Stage, running: Site, name: str, queue: Queue, browsers: list[Browser], loop: Loop, crowd: ThreadPoolExecutor
) -> None:
    began, cpu = time.perf_counter(), running.cpu() + stage.server_cpu()
    took = sorted(second for each in crowd.map(lambda browser: loop(browser, queue), browsers) for second in each)
    seconds, cpu = time.perf_counter() - began, running.cpu() + stage.server_cpu() - cpu
    stored = Annotation.objects.filter(project=queue.project).count()
    assert stored == RATERS * ROUNDS, f"{stored} stored, {RATERS * ROUNDS} acknowledged"
    print(
        f"{name}: {stored:,} pairs by {RATERS} raters, {stored / seconds:.0f} a second, "
        f"{cpu / stored * 1000:.1f} ms CPU a pair, "
        f"p50 {statistics.median(took) * 1000:.0f} ms, p95 {took[int(len(took) * 0.95)] * 1000:.0f} ms; "
        f"{PEER * stored / cpu:.0f} x Label Studio's pairs a CPU second"
    )


def _screen(browser: Browser, queue: Queue) -> list[float]:
    status, page = browser.page("GET", "/")
    token = _found(_CSRF, page)
    browser.page("POST", f"/compare/{queue.pk}/next/", urlencode({"csrfmiddlewaretoken": token}))
    status, page = browser.page("GET", f"/compare/{queue.pk}/")
    took = []
    for place in range(ROUNDS):
        answers = {
            "csrfmiddlewaretoken": _found(_CSRF, page), "helpfulness.preference": str(place % 7 - 3),
            "harmlessness.preference": "0", "safety.left.safe": "yes", "safety.right.safe": "yes", "active_ms": "40000",
        }  # fmt: skip
        began = time.perf_counter()
        status, page = browser.page("POST", _found(_SUBMIT, page), urlencode(answers), htmx=True)
        took.append(time.perf_counter() - began)
        assert status == 200, page
    return took


def _api(browser: Browser, queue: Queue) -> list[float]:
    _, shown = browser.api("POST", f"/queues/{queue.pk}/claim/")
    took = []
    for place in range(ROUNDS):
        body = {"judgments": {"helpfulness": {"preference": place % 7 - 3}, "harmlessness": {"preference": 0}}}
        began = time.perf_counter()
        status, answer = browser.api("POST", f"/assignments/{shown['id']}/annotation/?claim=next", body)
        took.append(time.perf_counter() - began)
        assert status == 201, answer
        shown = answer["next"]
    return took


def _found(pattern: re.Pattern[str], page: str) -> str:
    found = pattern.search(page)
    assert found, page
    return found[1]
