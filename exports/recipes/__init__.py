"""The recipes that have a name. Add one here; it is offered on the page, in the API and to `build_export`."""

from __future__ import annotations

from typing import Any

from exports.recipes.recipe import Filters, Recipe, Split, read_recipe
from labeling.actions.refusals import Refused

NAMED: dict[str, Recipe] = {
    "dpo": Recipe("dpo"),
    "dpo-jsonl": Recipe("dpo", file="jsonl"),
    "reward": Recipe("reward"),
    "reward-jsonl": Recipe("reward", file="jsonl"),
}


def find_recipe(recipe: Any) -> Recipe:
    """A recipe by name, or from its JSON object; raises Refused("invalid")."""
    if not isinstance(recipe, str):
        return read_recipe(recipe)
    if recipe not in NAMED:
        known = ", ".join(NAMED)
        raise Refused(
            "invalid", f"There is no recipe “{recipe}”.", {"recipe": f"Named recipes: {known}; or send an object."}
        )
    return NAMED[recipe]


__all__ = ["NAMED", "Filters", "Recipe", "Split", "find_recipe", "read_recipe"]
