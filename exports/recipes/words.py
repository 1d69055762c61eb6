"""What a recipe does, in sentences for the dataset card. Formulas and sources are in docs/recipes.md."""

from __future__ import annotations

from exports.recipes.recipe import (
    COPIES,
    COPIES_A_PAIR,
    DAWID_SKENE,
    EACH,
    MAJORITY,
    ONE_COIN,
    SAFER_WINS,
    SOFT,
    SURE,
    WEIGHTED,
    Recipe,
)

_AGGREGATES = {
    MAJORITY: "Majority: the side that more raters prefer is chosen. A tie and “neither is acceptable” stand on no side.",
    "mean": "Mean of grades: the side is chosen to which the mean of all signed grades points.",
    "helpsteer": (
        "HelpSteer: of each comparison the three most similar grades count, if they lie at most two apart; their mean, "
        "rounded, is the label. A mean that rounds to 0 is a tie."
    ),
    "hh": "As HH-RLHF: judgments of the weakest grade and ties are dropped; the side that more of the others prefer is chosen.",
    EACH: "Each judgment that took a side is a row of its own; the same comparison can stand here with either side chosen.",
    ONE_COIN: (
        "Reliability: of each rater it was learned how often they find the better response (one-coin model with kinds of "
        "pairs); the side is chosen that is more likely the better one given who judged."
    ),
    DAWID_SKENE: (
        "Dawid and Skene: of each rater it was learned how they err, also towards ties; the side is chosen that is more "
        "likely the better one given who judged."
    ),
}  # fmt: skip
_MARGINS = {
    "mean": "mean preference of all raters that count towards the chosen side: no side is 0, the other side against it; at least 0",
    "llama2": "3, 2, 1 or 0 by the mean strength on the chosen side, from the strongest grade downwards, as for Llama 2",
    "llama2_small": "1, 2/3, 1/3 or 0 by the mean strength on the chosen side, from the strongest grade downwards, as for Llama 2",
    "log_odds": "log-odds of p_chosen, from 0 to 3",
    "none": "0 everywhere",
}  # fmt: skip
_EXCLUDED = {
    "conflict": "Comparisons on which two preferences point different ways, each by its majority, are left out.",
    "preferred_unsafe": "Comparisons whose chosen response most raters marked unsafe, and the other safe, are left out.",
    "unsafe": "Comparisons whose chosen response most raters marked unsafe are left out.",
}


def margin_of(recipe: Recipe) -> str:
    """What the margin of a recipe's rows is."""
    return _MARGINS[recipe.margin]


def told(recipe: Recipe) -> list[str]:
    """How a recipe comes to its labels, sentence by sentence."""
    found = [_AGGREGATES[recipe.aggregate]]
    if recipe.aggregate in SURE:
        found.append(f"Labels less certain than {recipe.certainty:g} are left out.")
    if recipe.combine is not None and recipe.combine.how == WEIGHTED:
        weights = ", ".join(f"`{key}` × {weight:g}" for key, weight in recipe.combine.weights)
        found.append(f"A rater's answer is the weighted mean of what they said on: {weights}.")
    if recipe.combine is not None and recipe.combine.how == SAFER_WINS:
        found.append(
            f"Safer wins: the side of `{recipe.combine.harmless}` where it has one; else, if exactly one response was "
            f"marked safe by most, that one; else the side of `{recipe.combine.helpful}`."
        )
    found += [_EXCLUDED[name] for name in recipe.filters.exclude]
    if recipe.filters.raters:
        said = "; ".join(f"{name} is {' or '.join(values)}" for name, values in recipe.filters.raters)
        found.append(f"Only judgments of raters count who said so of themselves and agreed to its use: {said}.")
    if recipe.apart:
        found.append(f"Every {recipe.apart.replace('_', ' ')} was decided by its own judgments only; `group` names it.")
    if recipe.labels == SOFT:
        found.append("`p_chosen` is how likely the chosen response is the better one; `share` is how many of all raters would choose it.")  # fmt: skip
    if recipe.labels == COPIES:
        found.append(
            f"Every comparison stands here {COPIES_A_PAIR} times, turned around as often as its label is uncertain."
        )
    return found
