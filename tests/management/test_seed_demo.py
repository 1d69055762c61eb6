"""The demo that a newcomer meets first."""

from __future__ import annotations

import json
from collections import Counter
from io import StringIO
from pathlib import Path
from typing import Any

import pytest
from django.core.management import CommandError, call_command
from django.test import Client
from django.urls import reverse

from labeling.actions import demo
from labeling.importers import ItemFile
from labeling.importers.drafts import ItemDraft
from labeling.models import Annotation, AuditEntry, Item, Judgment, Membership, Project, Refusal, Response, Slot, User
from labeling.rendering import RENDERER

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def var(settings: Any, tmp_path: Path) -> Path:
    settings.VAR_DIR = tmp_path
    return tmp_path


def seed() -> str:
    out = StringIO()
    call_command("seed_demo", stdout=out)
    return out.getvalue()


def test_a_project_with_work_done_and_work_left() -> None:
    seed()
    project = Project.objects.get(slug="everyday-help")
    assert Counter(project.items.values_list("language", flat=True)) == {"en": 32, "zh-Hans": 9, "zh-Hant": 9}
    assert {queue.name: (queue.overlap, queue.pair_count) for queue in project.queues.all()} == {
        "English": (3, 32),
        "中文": (2, 18),
    }
    states = Counter(Slot.objects.values_list("queue__name", "state"))
    assert states["English", "done"] > 40
    assert states["English", "open"] > 20
    assert states["中文", "done"] > 0
    assert states["中文", "open"] > 5
    assert not [state for _, state in states if state == "leased"]
    assert Annotation.objects.count() == demo.JUDGED + demo.JUDGED_BY_RUI
    assert not Refusal.objects.exists()


def test_people_of_every_role_can_sign_in(var: Path, client: Client) -> None:
    printed = seed()
    people = json.loads((var / "demo-people.json").read_text())
    assert [one["role"] for one in people] == ["rater", "rater", "manager", "adjudicator", "researcher", "operator"]
    for one in people:
        assert one["email"] in printed
        assert one["password"] in printed
        form = {"username": one["email"], "password": one["password"]}
        assert client.post(reverse("sign_in"), form).status_code == 302
    assert len({one["password"] for one in people}) == len(people)
    assert User.objects.get(email="operator@demo.annotate.example").is_superuser
    assert not Membership.objects.filter(user__email="operator@demo.annotate.example").exists()


def test_the_sign_ins_are_for_the_owner_only(var: Path) -> None:
    seed()
    assert (var / "demo-people.json").stat().st_mode & 0o777 == 0o600


def test_rosa_starts_fresh_and_rui_has_begun() -> None:
    seed()
    done = Counter(Annotation.objects.values_list("rater__name", flat=True))
    assert done["Rui"] == demo.JUDGED_BY_RUI
    assert done["Rosa"] == 0
    assert sum("simulated" in name for name in done) == demo.CROWD


def test_every_text_is_shown_formatted() -> None:
    seed()
    assert set(Response.objects.values_list("renderer", flat=True)) == {RENDERER}
    shown = [entry["renderer"] for html in Item.objects.values_list("conversation_html", flat=True) for entry in html]
    assert set(shown) == {RENDERER}
    guideline = Project.objects.get().guidelines.order_by("-version")[0]
    assert "<table>" in guideline.html


def test_the_judgments_show_life() -> None:
    """Ties, both sides, strengths, flags, a reason here and there: every page has something to show."""
    seed()
    values = Counter(Judgment.objects.filter(criterion__key="helpfulness").values_list("preference", flat=True))
    assert len(values) >= 5
    assert {side for side in values if side and side < 0} and {side for side in values if side and side > 0}
    flagged = Judgment.objects.filter(safe=False)
    assert flagged.count() > 5
    assert all(one.categories and one.severity for one in flagged)
    assert Judgment.objects.exclude(text="").count() > 5


def test_again_it_changes_nothing(var: Path) -> None:
    first = seed()
    before = (var / "demo-people.json").read_text(), AuditEntry.objects.count(), User.objects.count()
    second = seed()
    assert "there already" in second
    assert first.splitlines()[1:] == second.splitlines()[1:]
    assert ((var / "demo-people.json").read_text(), AuditEntry.objects.count(), User.objects.count()) == before


def test_a_lost_file_shows_no_wrong_passwords(var: Path) -> None:
    seed()
    (var / "demo-people.json").unlink()
    seed()
    assert json.loads((var / "demo-people.json").read_text()) == []


def test_it_is_made_whole_or_not_at_all(monkeypatch: pytest.MonkeyPatch) -> None:
    def breaks(**_: object) -> None:
        raise OSError("disk full")

    monkeypatch.setattr(demo, "simulate", breaks)
    with pytest.raises(OSError, match="disk full"):
        seed()
    assert not Project.objects.exists()
    assert not User.objects.exists()


def test_never_in_production(settings: Any, var: Path) -> None:
    settings.PRODUCTION = True
    with pytest.raises(CommandError, match="PRODUCTION"):
        seed()
    assert not User.objects.exists()
    assert not (var / "demo-people.json").exists()


def test_its_files_are_rows_as_anybody_would_write_them() -> None:
    drafts = []
    for name in demo.FILES:
        with (demo.FOLDER / name).open("rb") as file:
            source = ItemFile(file, name=name)
            source.recognise()
            drafts += list(source.drafts())
    assert len(drafts) >= 44
    for draft in drafts:
        assert isinstance(draft, ItemDraft)
        quality = draft.metadata["demo"]
        assert -3 <= quality["helpfulness"] <= 3
        assert -3 <= quality["harmlessness"] <= 3
        assert len(draft.responses) == 2
