"""The card, two snapshots compared, and withdrawals, as they are seen: wide and narrow, light and dark."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
from django.test import Client
from playwright.sync_api import Page, expect

from exports.actions import build_export, request_export
from exports.models import Export
from exports.withdrawn import settle_withdrawals
from labeling.actions.withdrawals import withdraw_item
from labeling.models import Item, Project, User
from tests.exports.study import judge, pair_of
from tests.exports.study import study as make_study

RECIPE = {"format": "dpo", "file": "jsonl", "split": {"test": 0}}


@pytest.fixture
def before(transactional_db: None, tmp_path: Path) -> Export:
    """A superseded snapshot of a study in which an answer was revised and an item withdrawn since."""
    study = make_study(tmp_path)
    export = request_export(project=study, by=User.objects.get(name="Noor"), recipe=RECIPE)
    build_export(export=export)
    judge(pair_of(study, "maths"), User.objects.get(name="Rui"), helpfulness=3)
    withdraw_item(item=Item.objects.get(external_id="basil"), by=User.objects.get(name="Mara"), closes=True)
    settle_withdrawals()
    return export


@pytest.fixture
def after(before: Export) -> Export:
    export = request_export(project=before.project, by=None, recipe=RECIPE)
    build_export(export=export)
    return export


@pytest.fixture
def mara(page: Page, live_server: object, before: Export) -> Page:
    client = Client()
    client.force_login(User.objects.get(name="Mara"))
    cookie = client.cookies["annotate_session"].value
    page.context.add_cookies([{"name": "annotate_session", "value": cookie, "url": str(live_server)}])
    return page


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("width", [1440, 390])
def test_nothing_is_out_of_reach(
    mara: Page,
    live_server: object,
    before: Export,
    after: Export,
    audit: Callable[[Page], None],
    width: int,
    scheme: str,
) -> None:
    base = f"{live_server}/projects/{Project.objects.get().slug}/exports/"
    mara.set_viewport_size({"width": width, "height": 900})
    mara.emulate_media(color_scheme="dark" if scheme == "dark" else "light")
    paths = ["", f"{before.pk}/", f"{after.pk}/card/", f"compare/?one={before.pk}&other={after.pk}", "withdrawals/"]
    for path in paths:
        mara.goto(base + path)
        assert mara.evaluate("document.documentElement.scrollWidth - innerWidth") <= 0, path
        audit(mara)


def test_from_a_snapshot_to_what_changed_since(mara: Page, live_server: object, before: Export, after: Export) -> None:
    mara.goto(f"{live_server}/projects/advice/exports/{before.pk}/")
    expect(mara.get_by_text("Superseded, and closed")).to_be_visible()
    expect(mara.get_by_role("link", name="Download all as zip")).to_have_count(0)
    mara.get_by_label("The other snapshot").select_option(str(after.pk))
    mara.get_by_role("button", name="Compare").click()
    expect(mara.get_by_role("cell", name="Turned around")).to_be_visible()
    expect(mara.get_by_role("cell", name="an answer was revised")).to_be_visible()
    mara.get_by_role("link", name="Gone 1").click()
    expect(mara.get_by_role("cell", name="votes were withdrawn")).to_be_visible()
    expect(mara.get_by_role("cell", name="Turned around")).to_have_count(0)
    mara.goto(f"{live_server}/projects/advice/exports/{after.pk}/")
    mara.get_by_role("link", name="Open the card").click()
    expect(mara.get_by_role("heading", name="EU AI Act")).to_be_visible()
