"""A recipe is read whole or refused field by field."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import Any

import pytest

from exports.formats import FORMATS
from exports.recipes import NAMED, Filters, Recipe, Split, find_recipe, read_recipe
from exports.recipes import recipe as recipes
from exports.recipes.votes import Needs
from exports.writers import WRITERS
from labeling.actions.refusals import Refused


def test_what_is_left_out_has_a_default() -> None:
    assert read_recipe({"format": "dpo"}) == Recipe("dpo", "helpfulness", "majority", Filters(), Split(0.05, "item", 7))


def test_every_field_is_read() -> None:
    given = {
        "format": "reward", "criterion": "overall", "aggregate": "majority", "file": "jsonl", "rationales": False,
        "split": {"test": 0.2, "by": "item", "seed": 11},
        "filters": {
            "queues": ["b", "a", "a"], "batches": ["f"], "languages": ["en"], "tags": ["t"], "min_judgments": 2,
        },
    }  # fmt: skip
    filters = Filters(("a", "b"), ("f",), ("en",), ("t",), 2)
    expected = Recipe("reward", "overall", "majority", filters, Split(0.2, "item", 11), "jsonl", rationales=False)
    assert read_recipe(given) == expected
    assert read_recipe(expected.as_json()) == expected


@pytest.mark.parametrize(
    "given",
    [
        {"aggregate": "dawid_skene", "threshold": 0.8, "labels": "soft", "margin": "log_odds", "apart": "region"},
        {"criterion": {"combine": "weighted", "weights": {"harmlessness": 2, "helpfulness": 0.5}}, "margin": "llama2"},
        {"criterion": {"combine": "safer_wins"}, "aggregate": "helpsteer"},
        {"filters": {"raters": {"region": ["South", "North"]}, "exclude": ["unsafe", "conflict"]}, "labels": "copies"},
        {"threshold": None, "apart": None},
    ],
)
def test_a_recipe_survives_being_written_down(given: dict[str, Any]) -> None:
    read = read_recipe({"format": "dpo"} | given)
    written = json.loads(json.dumps(read.as_json()))
    assert read_recipe(written).as_json() == written
    for field in given.keys() - {"criterion", "filters"}:
        assert written[field] == given[field]


def test_a_combination_is_led_by_its_first_criterion() -> None:
    weighted = read_recipe({"format": "dpo", "criterion": {"combine": "weighted", "weights": {"b": 1, "a": 2}}})
    assert (weighted.criterion, weighted.criteria) == ("a", ("a", "b"))
    safer = read_recipe({"format": "dpo", "criterion": {"combine": "safer_wins"}})
    assert (safer.criterion, safer.criteria) == ("helpfulness", ("helpfulness", "harmlessness"))


def test_only_what_needs_votes_asks_for_them() -> None:
    asked: dict[str, dict[str, Any]] = {
        "plain": {}, "sums": {"filters": {"exclude": ["unsafe"]}}, "answers": {"aggregate": "helpsteer"},
        "weighted": {"criterion": {"combine": "weighted", "weights": {"a": 1}}},
        "votes": {"aggregate": "each"}, "apart": {"apart": "language"},
        "conflict": {"filters": {"exclude": ["conflict"]}},
    }  # fmt: skip
    needs = {name: read_recipe({"format": "dpo"} | more).needs for name, more in asked.items()}
    assert needs["plain"] == needs["sums"] == Needs()
    assert needs["answers"] == needs["weighted"] == Needs(answers=True) and not needs["answers"].ballots
    assert needs["votes"].votes and needs["apart"].votes and needs["conflict"].votes


@pytest.mark.parametrize(
    ("given", "path"),
    [
        ([], "recipe"),
        ({}, "format"),
        ({"format": "xml"}, "format"),
        ({"format": ["dpo"]}, "format"),
        ({"format": "dpo", "criterion": ""}, "criterion"),
        ({"format": "dpo", "criterion": {"combine": []}}, "criterion.combine"),
        ({"format": "dpo", "criterion": {"combine": "safer_wins", "helpful": 1}}, "criterion.helpful"),
        ({"format": "dpo", "criterion": {"combine": "safer_wins", "weights": {}}}, "criterion.weights"),
        ({"format": "dpo", "criterion": {"combine": "safer_wins", "harmless": "helpfulness"}}, "criterion.harmless"),
        ({"format": "dpo", "criterion": {"combine": "weighted"}}, "criterion.weights"),
        ({"format": "dpo", "criterion": {"combine": "weighted", "weights": {"a": 0}}}, "criterion.weights.a"),
        ({"format": "dpo", "criterion": {"combine": "weighted", "weights": {"a": True}}}, "criterion.weights.a"),
        ({"format": "dpo", "aggregate": "best"}, "aggregate"),
        ({"format": "votes", "aggregate": "each"}, "aggregate"),
        ({"format": "dpo", "aggregate": "adjudged"}, "aggregate"),
        ({"format": "dpo", "threshold": 0.6}, "threshold"),
        ({"format": "dpo", "aggregate": "one_coin", "threshold": 0.4}, "threshold"),
        ({"format": "dpo", "aggregate": "one_coin", "threshold": "high"}, "threshold"),
        ({"format": "dpo", "margin": "log_odds"}, "margin"),
        ({"format": "dpo", "margin": "wide"}, "margin"),
        ({"format": "openai", "labels": "soft"}, "labels"),
        ({"format": "reward", "labels": "copies"}, "labels"),
        ({"format": "dpo", "aggregate": "each", "labels": "soft"}, "labels"),
        ({"format": "dpo", "apart": "height"}, "apart"),
        ({"format": "kto", "apart": "language"}, "apart"),
        ({"format": "dpo", "filters": {"exclude": ["rude"]}}, "filters.exclude"),
        ({"format": "dpo", "filters": {"raters": {"height": ["tall"]}}}, "filters.raters.height"),
        ({"format": "dpo", "filters": {"raters": {"region": "North"}}}, "filters.raters.region"),
        ({"format": "dpo", "filters": {"raters": ["North"]}}, "filters.raters"),
        ({"format": "dpo", "file": "csv"}, "file"),
        ({"format": "dpo", "rationales": 1}, "rationales"),
        ({"format": "dpo", "colour": "red"}, "colour"),
        ({"format": "dpo", "filters": []}, "filters"),
        ({"format": "dpo", "filters": {"raters": []}}, "filters.raters"),
        ({"format": "dpo", "filters": {"tags": "one"}}, "filters.tags"),
        ({"format": "dpo", "filters": {"tags": ["nul\0"]}}, "filters.tags"),
        ({"format": "dpo", "filters": {"min_judgments": 0}}, "filters.min_judgments"),
        ({"format": "dpo", "filters": {"min_judgments": True}}, "filters.min_judgments"),
        ({"format": "dpo", "split": {"test": 0.6}}, "split.test"),
        ({"format": "dpo", "split": {"test": float("nan")}}, "split.test"),
        ({"format": "dpo", "split": {"test": True}}, "split.test"),
        ({"format": "dpo", "split": {"by": "pair"}}, "split.by"),
        ({"format": "dpo", "split": {"seed": -1}}, "split.seed"),
    ],
)
def test_what_is_wrong_is_named_by_its_path(given: Any, path: str) -> None:
    with pytest.raises(Refused) as refused:
        read_recipe(given)
    assert list(refused.value.errors) == [path]
    assert refused.value.errors[path].endswith(".")


def test_all_problems_are_told_at_once() -> None:
    with pytest.raises(Refused) as refused:
        read_recipe({"format": "xml", "file": 1, "split": {"seed": "x"}, "filters": {"tags": 3}})
    assert refused.value.errors.keys() == {"format", "file", "split.seed", "filters.tags"}


def test_a_name_stands_for_a_recipe() -> None:
    assert find_recipe("reward-jsonl") == replace(Recipe("reward"), file="jsonl")
    with pytest.raises(Refused, match="no recipe “best”"):
        find_recipe("best")


def test_the_recipes_offer_what_there_is() -> None:
    assert set(recipes.FORMATS) == set(FORMATS) and set(recipes.FILES) == set(WRITERS)
    assert {recipe.format for recipe in NAMED.values()} == set(FORMATS)
