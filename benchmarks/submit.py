"""From the Enter key to the next pair painted, in Chromium at the real server: the wait that a rater feels.

Each round is one as a person makes it: two answers, the draft saved, Enter on a quiet page. The clock starts with the
key's own event and stops in the task after the frame that shows the new heading.
"""

from __future__ import annotations

import os
import statistics
from typing import Any

from django.conf import settings
from playwright.sync_api import Page, sync_playwright

from benchmarks.crowd import make_queue, make_raters
from benchmarks.site import Browser, site
from benchmarks.stage import Stage
from labeling.models import Annotation, Project

ROUNDS, WARM = 120, 10
MEDIAN_LIMIT, P95_LIMIT = 100, 200  # milliseconds
_CLOCK = """() => {
  let pressed = null;
  window.took = [];
  addEventListener("keydown", (event) => { if (event.key === "Enter") pressed = event.timeStamp; }, true);
  new MutationObserver(() => {
    const item = document.querySelector("#item");
    if (pressed === null || !item || item === window.item) return;
    const from = pressed;
    pressed = null;
    window.item = item;
    requestAnimationFrame(() => {
      const after = new MessageChannel();
      after.port1.onmessage = () => {
        const sent = performance.getEntriesByType("resource").findLast((one) => one.name.endsWith("/submit/"));
        took.push([performance.now() - from, sent.responseStart - sent.requestStart]);
        document.documentElement.dataset.took = took.length;
      };
      after.port2.postMessage(0);
    });
  }).observe(document.querySelector("#desk"), { childList: true, subtree: true });
  window.item = document.querySelector("#item");
}"""


def main(stage: Stage) -> None:
    queue = make_queue("submit", 1_000)
    Project.objects.filter(pk=queue.project_id).update(break_after_minutes=0, break_after_pairs=0)
    rater = make_raters(queue, 1)[0]
    with site(stage) as running:
        base = f"http://127.0.0.1:{running.port}"
        cookie: Any = {"name": settings.SESSION_COOKIE_NAME, "url": base}
        cookie["value"] = Browser(running.port, rater).cookies[settings.SESSION_COOKIE_NAME]
        with sync_playwright() as playwright:
            args = ["--no-sandbox"] if os.geteuid() == 0 else []
            chromium = playwright.chromium.launch(executable_path=os.environ.get("CHROMIUM"), args=args)
            page = chromium.new_page(viewport={"width": 1440, "height": 900})
            page.context.add_cookies([cookie])
            page.goto(f"{base}/compare/{queue.pk}/")
            took = _rounds(page)
            chromium.close()
    assert Annotation.objects.count() == ROUNDS + WARM, "an answer was lost"
    felt, server = ([one[place] for one in took[WARM:]] for place in (0, 1))
    print(
        f"Enter to the next pair painted, {ROUNDS} submits: p50 {statistics.median(felt):.0f} ms "
        f"(limit {MEDIAN_LIMIT}), p95 {_p95(felt):.0f} ms (limit {P95_LIMIT})"
    )
    print(f"of which the server: p50 {statistics.median(server):.0f} ms, p95 {_p95(server):.0f} ms")


def _rounds(page: Page) -> list[list[float]]:
    """Milliseconds of each round: as felt, and until the server's first byte."""
    page.keyboard.press("Enter")
    page.wait_for_selector("#answers")
    page.evaluate(_CLOCK)
    for number in range(1, WARM + ROUNDS + 1):
        with page.expect_response(lambda answer: answer.url.endswith("/draft/")):
            page.keyboard.press("4")
            page.keyboard.press("4")
        page.keyboard.press("Enter")
        page.wait_for_selector(f"[data-took='{number}']", state="attached")
    took: list[list[float]] = page.evaluate("took")
    return took


def _p95(values: list[float]) -> float:
    return sorted(values)[int(len(values) * 0.95)]
