from __future__ import annotations
from pathlib import Path
import pytest
from django.test import Client
from playwright.sync_api import Page
from labeling.models import User
from tests import make
from tests.exports.crowd import crowd
from tests.exports.study import load, judge, pair_of
from exports.stored import save_recipe

LONG = "我的房东在我上班的时候换了门锁，现在是晚上九点，我该怎么办？" * 12
ARABIC = "هل من الآمن تناول الإيبوبروفين مع أقراص ضغط الدم؟ " * 12

def test_shots(transactional_db, page: Page, live_server, tmp_path: Path, audit) -> None:
    project = make.project("advice")
    people = make.cast(project)
    load(project, [
        {"id": "zh", "language": "zh-Hans", "prompt": LONG, "responses": [{"content": LONG}, {"content": "很抱歉。" * 50}]},
        {"id": "ar", "language": "ar", "prompt": ARABIC, "responses": [{"content": ARABIC}, {"content": "نعم. " * 40}]},
    ], tmp_path)
    judge(pair_of(project, "zh"), people["Rui"], helpfulness=2)
    judge(pair_of(project, "ar"), people["Rui"], helpfulness=-2)
    crowd(project, tmp_path, 120, keys=("helpfulness", "harmlessness"))
    save_recipe(project=project, by=people["Noor"], name="for-the-paper", recipe={"format": "reward", "aggregate": "mean"}, description="Second round")
    save_recipe(project=project, by=people["Noor"], name="for-the-paper", recipe={"format": "reward", "aggregate": "helpsteer"})
    client = Client(); client.force_login(people["Noor"])
    page.context.add_cookies([{"name": "annotate_session", "value": client.cookies["annotate_session"].value, "url": live_server.url}])
    base = f"{live_server.url}/projects/advice/exports/"
    new = base + "new/?format=dpo&aggregate=one_coin&threshold=70&labels=soft&criterion=weighted&against=dpo&languages="
    for name, url in {"new": new, "zh": base + "new/?languages=zh-Hans,ar", "recipes": base + "recipes/", "recipe": base + "recipes/for-the-paper/", "list": base}.items():
        for width, height in ((1440, 900), (390, 844)):
            for scheme in ("light", "dark"):
                page.set_viewport_size({"width": width, "height": height})
                page.emulate_media(color_scheme=scheme)
                page.goto(url)
                page.screenshot(path=f"/tmp/rshots/{name}-{width}-{scheme}.png", full_page=True)
                over = page.evaluate("document.documentElement.scrollWidth - innerWidth")
                print(name, width, scheme, "overflow", over)
                audit(page)
