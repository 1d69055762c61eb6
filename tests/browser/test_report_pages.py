"""The pages of reports in a real browser: with figures and without, light and dark, wide and on a phone."""

from __future__ import annotations

import json
import random
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from django.core.management import call_command
from django.test import Client
from playwright.sync_api import Page
from pytest_django.live_server_helper import LiveServer

from labeling.actions.analyse import ask, run_step
from tests import make

PAGES = ("", "raters/", "agreement/", "models/", "contested/", "harm/", "log/")


@pytest.fixture
def mara(transactional_db: None, tmp_path: Path, page: Page, live_server: LiveServer) -> Page:
    """A project in which five people judged forty pairs of three models, analysed; its manager has signed in."""
    rng, project = random.Random(5), make.project()
    pairs, said = [], []
    for number in range(40):
        one, other = rng.sample(["cedar", "maple", "willow"], 2)
        responses = [{"content": f"{name} {number} " * 4, "model": name} for name in (one, other)]
        pairs.append({"id": f"p{number}", "prompt": f"Why {number}?", "tags": ["law"], "responses": responses})
        for rater in range(5):
            told: dict[str, Any] = {"item_id": f"p{number}", "rater_id": f"r{rater}"}
            said.append(told | {"criterion": "helpfulness", "choice": rng.choice("aab")})
            said.append(told | {"criterion": "harmlessness", "choice": rng.choice("abb")})
            said.append(told | {"criterion": "safety", "label": rng.choice(["safe", "unsafe"]), "response": "a"})
    for name, lines in (("items", pairs), ("said", said)):
        (tmp_path / f"{name}.jsonl").write_text("".join(json.dumps(line) + "\n" for line in lines))
    call_command("import_items", "advice", str(tmp_path / "items.jsonl"), verbosity=0)
    call_command("import_judgments", "advice", str(tmp_path / "said.jsonl"), raters="external", verbosity=0)
    analysis = ask(project=project, by=None)
    while run_step(analysis):
        continue
    client = Client()
    client.force_login(make.member(project, "Mara", "manager"))
    cookie = {"name": "annotate_session", "value": client.cookies["annotate_session"].value, "url": live_server.url}
    page.context.add_cookies([cookie])  # type: ignore[list-item]
    return page


@pytest.mark.parametrize(("width", "scheme"), [(1440, "light"), (1440, "dark"), (390, "light")])
def test_report_pages_have_no_barriers(
    mara: Page, live_server: LiveServer, audit: Callable[[Page], None], width: int, scheme: Any
) -> None:
    mara.set_viewport_size({"width": width, "height": 900})
    mara.emulate_media(color_scheme=scheme)
    for path in PAGES:
        mara.goto(f"{live_server.url}/projects/advice/{path}")
        assert mara.evaluate("document.documentElement.scrollWidth") <= width, path
        audit(mara)
    mara.goto(f"{live_server.url}/projects/advice/raters/")
    mara.locator(".raters th a").first.click()
    audit(mara)
