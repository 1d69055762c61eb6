"""A crowd whose every opinion is known goes through the promised doors: what comes out is exactly what went in.

Items in by command, claims and answers over HTTP with the real shuffle, export by command. The raters only see left and
right; each looks for the words that tell it which response it prefers.
"""

from __future__ import annotations

import json
import random
from collections import Counter
from pathlib import Path

import pyarrow.parquet as parquet
import pytest
from django.core.management import call_command
from django.test import Client

from labeling.models import Annotation, Assignment, Judgment
from tests import make

pytestmark = pytest.mark.django_db(transaction=True)  # the export reads through a connection of its own
ITEMS, RATERS, OVERLAP = 40, 5, 3


def opinion(item: int, rater: int) -> int:
    """What rater thinks of item, in the file's order: -3 … 3."""
    return random.Random(f"{item}/{rater}").choice([-3, -2, -1, -1, 0, 1, 1, 2, 3])


@pytest.fixture
def project(tmp_path):
    made = make.project(overlap=OVERLAP)
    rows = [
        {"id": f"item-{n}", "prompt": f"Question {n}?", "responses": [{"content": f"one {n}"}, {"content": f"two {n}"}]}
        for n in range(ITEMS)
    ]
    path = tmp_path / "rows.jsonl"
    path.write_text("".join(json.dumps(row) + "\n" for row in rows))
    call_command("import_items", made.slug, str(path))
    return made


def test_nothing_is_lost_doubled_or_turned_round(project, tmp_path):
    said = Counter()
    for number in range(RATERS):
        said.update(work_through(project, number))
    assert sum(said.values()) == Annotation.objects.count() == ITEMS * OVERLAP
    assert {Assignment.objects.filter(swapped=side).exists() for side in (True, False)} == {True}
    stored = Counter(
        (judgment.annotation.pair.item.external_id, judgment.annotation.rater.email, judgment.preference)
        for judgment in Judgment.objects.select_related("annotation__pair__item", "annotation__rater")
    )
    assert stored == said
    assert exported(project, tmp_path) == majority(said)


def work_through(project, number):
    """One rater over HTTP until there is nothing left; returns what they said, in the file's order."""
    rater = make.member(project, f"rater{number}", "rater")
    client = Client(headers={"Authorization": f"Token {make.token(rater)}"})
    said = Counter()
    response = client.post(f"/api/v1/queues/{make.queue(project).pk}/claim/")
    shown = response.json() if response.status_code == 200 else None
    while shown:
        item = int(shown["conversation"][0]["content"].split()[1].rstrip("?"))
        wish = opinion(item, number)
        seen = wish if shown["left"]["content"].startswith("one") else -wish
        answer = client.post(
            f"/api/v1/assignments/{shown['id']}/annotation/?claim=next",
            {"judgments": {"helpfulness": {"preference": seen}}},
            content_type="application/json",
        )
        assert answer.status_code == 201, answer.content
        said[f"item-{item}", rater.email, wish] += 1
        shown = answer.json()["next"]
    return said


def majority(said):
    """{item: (chosen word, margin)} by the rule of the export: more raters on one side; ties drop out."""
    wishes_by_item: dict[str, list[int]] = {}
    for item, _, wish in said.elements():
        wishes_by_item.setdefault(item.removeprefix("item-"), []).append(wish)
    outcome = {}
    for item, wishes in wishes_by_item.items():
        lead = sum(wish > 0 for wish in wishes) - sum(wish < 0 for wish in wishes)
        if lead:
            towards = sum(wishes) if lead > 0 else -sum(wishes)
            outcome[item] = ("two" if lead > 0 else "one", max(0, towards / len(wishes)))
    return outcome


def exported(project, tmp_path: Path):
    folder = tmp_path / "reward"
    recipe = {"format": "reward", "criterion": "helpfulness", "aggregate": "majority", "file": "parquet"}
    (tmp_path / "recipe.json").write_text(json.dumps(recipe))
    call_command("build_export", project.slug, "--recipe", str(tmp_path / "recipe.json"), "--to", str(folder))
    rows = [row for path in sorted((folder / "data").glob("*.parquet")) for row in parquet.read_table(path).to_pylist()]
    assert all(row["chosen"][:-1] == row["rejected"][:-1] for row in rows)
    words = {row["chosen"][-1]["content"].split()[1]: row for row in rows}
    return {
        item: (row["chosen"][-1]["content"].split()[0], pytest.approx(row["margin"], abs=1e-4))
        for item, row in words.items()
    }
