"""The recipes that have a name: every format with the rest left to its default, as each file its readers take, and
how some well-known datasets were made."""

from __future__ import annotations

from typing import Any

from exports.recipes.recipe import FORMATS, Filters, Recipe, Split, read_recipe
from labeling.actions.refusals import Refused

# As published, as far as one project's judgments can follow; docs/recipes.md says what is the same and what is not.
PRESETS: dict[str, Recipe] = {
    "hh": Recipe("hh-rlhf", aggregate="hh", margin="none"),
    "llama-2": Recipe("reward", margin="llama2", filters=Filters(exclude=("preferred_unsafe",))),
    "helpsteer": Recipe("reward", aggregate="helpsteer", filters=Filters(min_judgments=3)),
    "dpo-soft": Recipe("dpo", aggregate="one_coin", labels="soft"),
    "cdpo": Recipe("dpo", aggregate="one_coin", labels="copies"),
}
NAMED: dict[str, Recipe] = {
    name if file == files[0] else f"{name}-{file}": Recipe(name, file=file)
    for name, files in FORMATS.items()
    for file in files
} | PRESETS


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


__all__ = ["NAMED", "PRESETS", "Filters", "Recipe", "Split", "find_recipe", "read_recipe"]
