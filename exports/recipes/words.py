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
    MAJORITY: (
        "Majority: the side that more raters prefer is chosen. A tie and “neither is acceptable” stand on no side."
    ),
    "mean": "Mean of grades: the side is chosen to which the mean of all signed grades points.",
    "helpsteer": (
        "HelpSteer: of each comparison the three most similar grades count, if they lie at most two apart; their mean, "
        "rounded, is the label. A mean that rounds to 0 is a tie."
    ),
    "hh": (
        "As HH-RLHF: judgments of the weakest grade and ties are dropped; the side that more of the others prefer is "
        "chosen."
    ),
    EACH: (
        "Each judgment that took a side is a row of its own; the same comparison can stand here with either side "
        "chosen."
    ),
    ONE_COIN: (
        "Reliability: of each rater it was learned how often they find the better response (one-coin model with kinds "
        "of pairs); the side is chosen that is more likely the better one given who judged."
    ),
    DAWID_SKENE: (
        "Dawid and Skene: of each rater it was learned how they err, also towards ties; the side is chosen that is "
        "more likely the better one given who judged."
    ),
}
_DECIDED = (
    "Adjudicated first: where an adjudicator decided on a comparison, after raters had judged it, the decision is its "
    "label, with its grade as strength and margin. Everywhere else:"
)
_LLAMA = "by the mean strength on the chosen side, from the strongest grade downwards, as for Llama 2"
_MARGINS = {
    "mean": (
        "mean preference of all raters that count towards the chosen side: no side is 0, the other side against it; "
        "at least 0"
    ),
    "llama2": f"3, 2, 1 or 0 {_LLAMA}",
    "llama2_small": f"1, 2/3, 1/3 or 0 {_LLAMA}",
    "log_odds": "log-odds of p_chosen, from 0 to 3",
    "none": "0 everywhere",
}
_EXCLUDED = {
    "conflict": "Left out: comparisons on which two preferences point different ways, each by its majority.",
    "preferred_unsafe": "Left out: comparisons whose chosen response most raters marked unsafe, and the other safe.",
    "unsafe": "Left out: comparisons whose chosen response most raters marked unsafe.",
}
_SOFT = (
    "`p_chosen` is how likely the chosen response is the better one; `share` is how many of all raters would choose it."
)


def margin_of(recipe: Recipe) -> str:
    """What the margin of a recipe's rows is."""
    return _MARGINS[recipe.margin]


def told(recipe: Recipe) -> list[str]:
    """How a recipe comes to its labels, sentence by sentence."""
    found = [_AGGREGATES[recipe.aggregate]]
    if recipe.decided_first:
        found.insert(0, _DECIDED)
    if recipe.aggregate in SURE:
        found.append(f"Left out: labels less certain than {recipe.certainty:g}.")
    found += _combined(recipe)
    found += [_EXCLUDED[name] for name in recipe.filters.exclude]
    if recipe.filters.raters:
        said = "; ".join(f"{name} is {' or '.join(values)}" for name, values in recipe.filters.raters)
        found.append(f"Only judgments of raters count who said so of themselves and agreed to its use: {said}.")
    if recipe.apart:
        found.append(f"Every {recipe.apart.replace('_', ' ')} was decided by its own judgments only; `group` names it.")
    if recipe.labels == SOFT:
        found.append(_SOFT)
    if recipe.labels == COPIES:
        found.append(
            f"Every comparison is here {COPIES_A_PAIR} times, turned around as often as its label is in doubt."
        )
    return found


def _combined(recipe: Recipe) -> list[str]:
    combine = recipe.combine
    if combine is None:
        return []
    if combine.how == WEIGHTED:
        weights = ", ".join(f"`{key}` × {weight:g}" for key, weight in combine.weights)
        return [f"A rater's answer is the weighted mean of what they said on: {weights}."]
    assert combine.how == SAFER_WINS
    return [
        f"Safer wins: the side of `{combine.harmless}` where it has one; else, if exactly one response was marked safe "
        f"by most, that one; else the side of `{combine.helpful}`."
    ]
