"""The export formats. To add one: a module with a `FORMAT`, an example, a line here and a golden test."""

from __future__ import annotations

from exports.formats import (
    axolotl,
    hh_rlhf,
    implicit,
    kto,
    llama_factory,
    nemo_rl,
    openai,
    openrlhf,
    plain,
    preference,
    reward,
    sft,
    ultrafeedback,
)
from exports.formats.columns import Format
from exports.formats.widened import widened
from exports.recipes import Recipe

# In the order of the page: what most people train with first, then what particular programs read.
FORMATS: dict[str, Format] = {
    each.FORMAT.name: each.FORMAT
    for each in (
        preference, implicit, plain, reward, kto, sft, hh_rlhf, ultrafeedback, openai, llama_factory, openrlhf, axolotl,
        nemo_rl,
    )
}  # fmt: skip


def format_of(recipe: Recipe) -> Format:
    """The format of a recipe, with the columns that it adds."""
    return widened(FORMATS[recipe.format], recipe)


__all__ = ["FORMATS", "Format", "format_of"]
