"""A recipe is read whole or refused field by field."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from exports.formats import FORMATS
from exports.recipes import NAMED, Filters, Recipe, Split, find_recipe, read_recipe
from exports.recipes import recipe as recipes
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
    ("given", "path"),
    [
        ([], "recipe"),
        ({}, "format"),
        ({"format": "xml"}, "format"),
        ({"format": ["dpo"]}, "format"),
        ({"format": "dpo", "criterion": ""}, "criterion"),
        ({"format": "dpo", "criterion": {"combine": []}}, "criterion"),
        ({"format": "dpo", "aggregate": "dawid_skene"}, "aggregate"),
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
