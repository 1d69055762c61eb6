"""Findings as files, and the button that computes them anew."""

from __future__ import annotations

import pytest

from labeling.actions.analyse import ask, run_step
from labeling.models import Analysis
from tests.web.conftest import signed_in

pytestmark = pytest.mark.django_db


@pytest.fixture
def noor(study):
    run_step(ask(project=study["project"], by=None))
    return signed_in(study["people"]["Noor"])


def test_a_table_is_a_csv_file(noor):
    answer = noor.get("/projects/advice/findings/agreement/published.csv")
    assert answer["Content-Type"].startswith("text/csv") and "attachment" in answer["Content-Disposition"]
    head, *rows = b"".join(answer).decode().splitlines()
    assert head.startswith('"project","kind","coefficient"') and any("InstructGPT" in row for row in rows)


def test_a_report_is_a_json_file(noor):
    answer = noor.get("/projects/advice/findings/agreement.json")
    assert answer.json()["version"] == 1 and "attachment" in answer["Content-Disposition"]


@pytest.mark.parametrize("path", ["nonsense.json", "agreement/nonsense.csv", "nonsense/published.csv"])
def test_what_is_not_there(noor, path):
    assert noor.get(f"/projects/advice/findings/{path}").status_code == 404


def test_a_manager_has_them_computed(study):
    answer = signed_in(study["people"]["Mara"]).post("/projects/advice/findings/compute/", follow=True)
    assert "being computed anew" in answer.content.decode()
    assert Analysis.objects.get().asked_by == study["people"]["Mara"]
