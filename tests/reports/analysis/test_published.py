"""The classic tables, through the database: what textbooks print is what a report says."""

from __future__ import annotations

from typing import Any

import pytest

from tests import make
from tests.reports.analysis.conftest import bring_items, bring_judgments, findings
from tests.stats.reference import figures, lines

pytestmark = pytest.mark.django_db


def rated(name: str) -> dict[str, float]:
    """A table of labels, each label a number on a scale of its own."""
    project = make.project()
    rows = lines(f"classics/{name}/judgments.jsonl")
    labels = sorted({row["label"] for row in rows})
    items = sorted({row["item_id"] for row in rows})
    bring_items(project, [{"id": item, "prompt": item, "response": "Answer"} for item in items])
    told = [
        {"item_id": row["item_id"], "rater_id": str(row["rater_id"]), "criterion": "kind",
         "score": labels.index(row["label"]) + 1}
        for row in rows
    ]  # fmt: skip
    bring_judgments(project, told)
    [row] = [row for row in findings(project)["agreement"].rows("slices") if row["by"] == "all"]
    return row


def test_fleiss_1971() -> None:
    """Thirty patients, six psychiatrists: kappa 0.430."""
    row = rated("fleiss1971_diagnoses")
    assert row["fleiss"] == pytest.approx(0.4302445200601408, abs=1e-9) and row["enough"] is False


def test_krippendorff_2011() -> None:
    """Example C, with missing answers: 0.743 nominal, 0.815 ordinal, 0.849 interval."""
    row = rated("krippendorff2011_C")
    found = (row["alpha"], row["ordinal"], row["interval"])
    assert found == pytest.approx((0.743421053, 0.815387504, 0.849107143), abs=1e-9)


def test_gwet() -> None:
    """Four raters, twelve units, some missing: AC1 0.77544, Fleiss 0.76117, percent 0.81818."""
    row = rated("gwet_raw4raters")
    assert row["ac1"] == pytest.approx(0.775444068, abs=1e-9) and row["percent"] == pytest.approx(9 / 11)
    assert row["fleiss"] == pytest.approx(0.761169275, abs=1e-9)


def test_agresti_2002() -> None:
    """Seven baseball teams, table 10.10: strengths relative to Baltimore, standard errors about 0.3."""
    project = make.project()
    items: list[dict[str, Any]] = []
    told: list[dict[str, Any]] = []
    for game in lines("classics/agresti_baseball/wins.jsonl"):
        for choice, wins in (("a", game["home_wins"]), ("b", game["away_wins"])):
            for _ in range(wins):
                name = f"g{len(items)}"
                models = {"model_a": game["home"], "model_b": game["away"]}
                items.append({"id": name, "prompt": name, "response_a": "x", "response_b": "y"} | models)
                told.append({"item_id": name, "rater_id": "season", "criterion": "won", "choice": choice})
    bring_items(project, items)
    bring_judgments(project, told)
    teams = {row["model"]: row for row in findings(project)["models"].rows("models")}
    block = figures("classics")["agresti_baseball"]
    relative = {name: row["plain"] - teams["Baltimore"]["plain"] for name, row in teams.items()}
    assert relative == pytest.approx(block["relative_to_baltimore"], abs=1e-6)
    for score in block["bradley_terry"]["scores"]:
        assert teams[score["name"]]["plain_error"] == pytest.approx(score["se"], abs=1e-6)
    assert [row["model"] for row in sorted(teams.values(), key=lambda row: row["rank"])][-1] == "Baltimore"
