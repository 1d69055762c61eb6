"""The export formats. To add one: a module with a `FORMAT`, an example, a line here and a golden test."""

from __future__ import annotations

from exports.formats import (
    axolotl,
    axolotl_reward,
    critiques,
    helpsteer3,
    hh_rlhf,
    implicit,
    kto,
    llama_factory,
    llama_factory_alpaca,
    llama_factory_kto,
    nemo_rl,
    openai,
    openrlhf,
    plain,
    preference,
    prompts,
    ranking,
    reward,
    safe_rlhf,
    safety,
    sft,
    ultrafeedback,
    votes,
)
from exports.formats.columns import Format
from exports.formats.widened import widened
from exports.recipes import Recipe

# In the order of the page: what most people train with first, then what particular programs read.
FORMATS: dict[str, Format] = {
    each.FORMAT.name: each.FORMAT
    for each in (
        preference, implicit, plain, reward, kto, sft, prompts, ranking, safe_rlhf, safety, critiques, votes, hh_rlhf,
        ultrafeedback, helpsteer3, openai, llama_factory, llama_factory_alpaca, llama_factory_kto, openrlhf, axolotl,
        axolotl_reward, nemo_rl,
    )
}  # fmt: skip


def format_of(recipe: Recipe) -> Format:
    """The format of a recipe, with the columns that it adds."""
    return widened(FORMATS[recipe.format], recipe)


__all__ = ["FORMATS", "Format", "format_of"]
