"""Recipes that need more than sums, from the database to the files."""

from __future__ import annotations

from itertools import pairwise
from pathlib import Path
from typing import Any

import orjson
import pytest
from django.db import connection

from exports import learning
from exports.actions import write_export
from exports.assembly import Built
from exports.formats import format_of
from exports.recipes import read_recipe
from exports.recipes.trust import OneCoin, Votes, learn_one_coin
from exports.stored import checked_recipe
from labeling.actions.refusals import Refused
from labeling.models import Project, RaterProfile, User
from tests import make
from tests.exports.crowd import crowd


@pytest.fixture
def many(transactional_db: None, tmp_path: Path) -> Project:
    """60 pairs, three judgments each, by twelve raters from nearly a coin to nearly always right."""
    project = make.project("advice")
    make.cast(project)
    crowd(project, tmp_path, 60, keys=("helpfulness", "harmlessness"))
    return project


def build(project: Project, to: Path, **recipe: Any) -> Built:
    recipe = {"format": "dpo", "file": "jsonl", "split": {"test": 0}} | recipe
    return write_export(project=project, recipe=recipe, to=to)


def rows(built: Built) -> list[dict[str, Any]]:
    found = sorted((built.directory / "data").iterdir())
    return [orjson.loads(line) for path in found for line in path.read_bytes().splitlines()]


def data(built: Built) -> dict[str, str]:
    return {file["path"]: file["sha256"] for file in built.manifest["files"]}


RECIPES: dict[str, dict[str, Any]] = {
    "mean": {"aggregate": "mean"},
    "helpsteer": {"aggregate": "helpsteer"},
    "hh": {"aggregate": "hh"},
    "each": {"aggregate": "each"},
    "one_coin": {"aggregate": "one_coin", "labels": "soft", "margin": "log_odds"},
    "dawid_skene": {"aggregate": "dawid_skene", "threshold": 0.6, "labels": "soft"},
    "copies": {"aggregate": "one_coin", "labels": "copies"},
    "llama2": {"margin": "llama2", "format": "reward"},
    "weighted": {"criterion": {"combine": "weighted", "weights": {"helpfulness": 1, "harmlessness": 2}}},
    "weighted one coin": {
        "criterion": {"combine": "weighted", "weights": {"helpfulness": 1, "harmlessness": 2}}, "aggregate": "one_coin",
    },
    "safer": {"criterion": {"combine": "safer_wins"}, "aggregate": "dawid_skene"},
    "no conflicts": {"filters": {"exclude": ["conflict", "unsafe"]}},
    "apart": {"apart": "region", "aggregate": "one_coin"},
    "north": {"filters": {"raters": {"region": ["North"]}}},
}  # fmt: skip


@pytest.mark.parametrize("name", RECIPES)
def test_the_same_judgments_give_the_same_bytes(many: Project, tmp_path: Path, name: str) -> None:
    one = build(many, tmp_path / "one", **RECIPES[name])
    with connection.cursor() as cursor:  # rows change their places in the tables
        for table in ("annotation", "judgment", "pair", "response", "raterprofile"):
            cursor.execute(f"VACUUM FULL labeling_{table}")
        cursor.execute("SET enable_hashjoin = off")
    other = build(many, tmp_path / "other", **RECIPES[name])
    assert data(one) == data(other) and rows(one)
    assert one.manifest["pairs"] == 60
    made = read_recipe(one.manifest["recipe"])
    assert list(rows(one)[0]) == format_of(made).schema.names


def test_soft_labels_are_columns_and_a_noise_for_the_trainer(many: Project, tmp_path: Path) -> None:
    built = build(many, tmp_path / "out", **RECIPES["one_coin"], file="parquet")
    card = (built.directory / "README.md").read_text()
    assert "p_chosen" in card and "share" in card
    found = rows(build(many, tmp_path / "lines", **RECIPES["one_coin"]))
    assert all(0.55 <= row["p_chosen"] <= 1 and 0 < row["share"] < 1 for row in found)
    noise = 1 - sum(row["p_chosen"] for row in found) / len(found)
    assert built.manifest["epsilon"] == pytest.approx(noise, abs=1e-4) and 0 < built.manifest["epsilon"] < 0.5
    assert built.manifest["dropped"]["uncertain"] == 60 - len(found)
    plain = build(many, tmp_path / "plain")
    assert plain.manifest["epsilon"] is None and "p_chosen" not in rows(plain)[0]


def test_ten_copies_of_each_pair(many: Project, tmp_path: Path) -> None:
    soft = {row["comparison_id"]: row for row in rows(build(many, tmp_path / "soft", **RECIPES["one_coin"]))}
    found = rows(build(many, tmp_path / "copies", **RECIPES["copies"]))
    assert len(found) == 10 * len(soft)
    for name, row in soft.items():
        mine = [copy["chosen"] == row["chosen"] for copy in found if copy["comparison_id"] == name]
        assert len(mine) == 10 and sum(mine) == int(10 * row["p_chosen"] + 0.5)
    neighbours = [(a["comparison_id"], b["comparison_id"]) for a, b in pairwise(found)]
    assert sum(a == b for a, b in neighbours) == 0


def test_each_judgment_is_a_row(many: Project, tmp_path: Path) -> None:
    built = build(many, tmp_path / "out", **RECIPES["each"])
    assert len(rows(built)) == 180 and built.manifest["dropped"]["tie"] == 0


def test_groups_are_kept_apart(many: Project, tmp_path: Path) -> None:
    found = rows(build(many, tmp_path / "out", format="dpo", apart="region", aggregate="majority"))
    assert {row["group"] for row in found} == {"North", "South"}
    north = rows(build(many, tmp_path / "north", **RECIPES["north"]))
    apart = {row["comparison_id"]: row["chosen"] for row in found if row["group"] == "North"}
    assert apart == {row["comparison_id"]: row["chosen"] for row in north}


def test_small_groups_and_those_without_consent_are_no_groups(many: Project, tmp_path: Path) -> None:
    north = RaterProfile.objects.filter(demographics__region="North").order_by("pk")
    RaterProfile.objects.filter(pk__in=north.values("pk")[:2]).update(demographics_consent_at=None)
    with pytest.raises(Refused) as refused:
        checked_recipe(many, {"format": "dpo"} | RECIPES["north"])
    assert list(refused.value.errors) == ["filters.raters.region"]
    built = build(many, tmp_path / "out", apart="region")
    assert {row["group"] for row in rows(built)} == {"South"}
    assert built.manifest["dropped"]["small_group"] > 0


def test_languages_are_kept_apart(many: Project, tmp_path: Path) -> None:
    found = rows(build(many, tmp_path / "out", apart="language"))
    assert {row["group"] for row in found} == {"en", "de"}
    german = rows(build(many, tmp_path / "german", filters={"languages": ["de"]}))
    assert [row | {"group": "de"} for row in german] == [row for row in found if row["group"] == "de"]


def test_a_large_project_is_learned_from_a_part(many: Project, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    read = []

    def learn(votes: Votes) -> OneCoin:
        read.append(votes)
        return learn_one_coin(votes)

    monkeypatch.setattr(learning, "MOST_LEARNED", 90)
    monkeypatch.setattr(learning, "learn_one_coin", learn)
    built = build(many, tmp_path / "out", **RECIPES["one_coin"])
    assert len(read) == 1 and 0 < len(read[0].points) < 180
    assert rows(built)


def test_nothing_names_a_rater(many: Project, tmp_path: Path) -> None:
    people = [name for user in User.objects.all() for name in (user.name, user.email) if name]
    for name, recipe in RECIPES.items():
        built = build(many, tmp_path / name, **recipe)
        text = b"".join(path.read_bytes() for path in built.directory.rglob("*") if path.is_file()).decode()
        assert not [person for person in people if person in text], name


def test_the_database_weighs_as_the_votes_do(many: Project, tmp_path: Path) -> None:
    """Of sums, and of votes, which leaving out conflicts needs: the same labels where there is no conflict."""
    criterion = {"combine": "weighted", "weights": {"helpfulness": 1, "harmlessness": 2.5}}
    by_sums = {row["comparison_id"]: row for row in rows(build(many, tmp_path / "sums", criterion=criterion))}
    left = {"exclude": ["conflict"]}
    by_votes = rows(build(many, tmp_path / "votes", criterion=criterion, filters=left, format="dpo"))
    assert len(by_votes) > 10 and all(row == by_sums[row["comparison_id"]] for row in by_votes)
