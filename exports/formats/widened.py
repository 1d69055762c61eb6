"""A format as a recipe asks for it: with columns of how sure a label is and whose, or with every pair ten times."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pyarrow as pa
from django.utils.translation import gettext_noop as _

from exports.formats.columns import Format, Row
from exports.recipes.majority import Outcome
from exports.recipes.recipe import COPIES, COPIES_A_PAIR, SOFT, WIDE, Recipe

_FIELDS = {"p_chosen": pa.float32(), "share": pa.float32(), "group": pa.string(), "outcome_source": pa.string()}
_COLUMNS = {
    "p_chosen": _("how likely the chosen response is the better one, given who judged and how reliable they are"),
    "share": _("which part of all raters would choose it"),
    "group": _("whose judgments these are; every language or group was decided by its own"),
    "outcome_source": _("“adjudicated” where an adjudicator decided, else “consensus” of the raters"),
}


def widened(plain: Format, recipe: Recipe) -> Format:
    """`plain` with what `recipe` adds to it, also to what it needs of the stream."""
    names = [*(("p_chosen", "share") if recipe.labels == SOFT else ()), *(("group",) if recipe.apart else ())]
    if recipe.decided_first and recipe.format in WIDE:
        names.append("outcome_source")
    made = replace(plain, needs=plain.needs | recipe.needs)
    if names:
        schema = pa.schema([*plain.schema, *((name, _FIELDS[name]) for name in names)])
        columns = plain.columns | {name: _COLUMNS[name] for name in names}
        made = replace(made, schema=schema, columns=columns, rows=_with(plain.rows, names))
    if recipe.labels == COPIES:
        made = replace(made, rows_each=plain.rows_each * COPIES_A_PAIR, arrange=_spread)
    return made


def _with(rows: Callable[[Outcome], list[Row]], names: list[str]) -> Callable[[Outcome], list[Row]]:
    def more(outcome: Outcome) -> list[Row]:
        added: dict[str, Any] = {name: getattr(outcome, name) for name in names}
        return [row | added for row in rows(outcome)]

    return more


def _spread(outcomes: list[list[Row]]) -> list[Row]:
    """The copies of a pair as far apart as the portion allows; they come side by side."""
    return [row for k in range(COPIES_A_PAIR) for rows in outcomes[k::COPIES_A_PAIR] for row in rows]
