"""What a recipe learns from all judgments before it decides on one: how far to trust each rater, and who is in a group.

One pass over who answered what, without any text. A large project is learned from a part of its comparisons, drawn by
the hash of their texts: a rater's hundreds of votes tell as much as their thousands, in flat memory and time.
"""

from __future__ import annotations

from array import array
from collections import Counter
from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import numpy as np
from django.db.backends.base.base import BaseDatabaseWrapper

from exports import queries
from exports.recipes import Recipe
from exports.recipes.deciding import FEWEST, Known
from exports.recipes.recipe import DAWID_SKENE, SAFER_WINS, SURE
from exports.recipes.trust import Trust, Votes, learn_dawid_skene, learn_one_coin
from exports.rows import FETCHED_AT_ONCE, Reader
from labeling.models import Criterion, Project, RaterProfile

MOST_LEARNED = 300_000


def learn(
    project: Project,
    recipe: Recipe,
    as_of: str,
    on: BaseDatabaseWrapper,
    sample: Sequence[int] | None = None,
    withdrawals: Sequence[int] | None = None,
) -> Known:
    """What `recipe` must know of `project`, as of a snapshot; from a sample of pairs, if there is one."""
    preferences = list(project.criteria.filter(kind=Criterion.Kind.PREFERENCE).order_by("key"))
    return Known(
        strengths={criterion.key: criterion.strengths for criterion in preferences},
        pointing=tuple(c.key for c in preferences if c.asked == Criterion.Asked.ALWAYS),
        trust=learn_trust(project, recipe, as_of, on, sample, withdrawals) if recipe.aggregate in SURE else {},
        groups=_groups(project, recipe, on) if recipe.apart not in (None, "language") else {},
    )


def learn_trust(
    project: Project,
    recipe: Recipe,
    as_of: str,
    on: BaseDatabaseWrapper,
    sample: Sequence[int] | None = None,
    withdrawals: Sequence[int] | None = None,
) -> dict[str, Trust]:
    """By criterion, how far raters are to be trusted: one coin each, or by Dawid and Skene if the recipe says so."""
    combine = recipe.combine
    keys = combine.keys if combine and combine.how == SAFER_WINS else (recipe.criterion,)
    fit = learn_dawid_skene if recipe.aggregate == DAWID_SKENE else learn_one_coin
    found: dict[str, Trust] = {}
    for key in keys:
        asked = replace(recipe, criterion=key)
        reader = Reader(project, asked, as_of, on, sample=sample, withdrawals=withdrawals)
        found[key] = fit(read_votes(reader))
    return found


def read_votes(reader: Reader) -> Votes:
    """Who pointed where, of at most about MOST_LEARNED judgments."""
    values = dict(reader.values)
    with reader.connection.cursor() as cursor:
        cursor.execute(queries.COUNT.format(counted=reader.counted), values)
        values["share"] = max(1, -(-cursor.fetchone()[0] // MOST_LEARNED))
    pairs, raters, points = array("q"), array("q"), array("b")
    with reader.cursor() as cursor:
        cursor.itersize = FETCHED_AT_ONCE
        cursor.execute(queries.points(reader.counted, reader.judgments), values)
        for pair, rater, side in cursor:
            pairs.append(pair)
            raters.append(rater)
            points.append(1 if side is None else side + 1)
    return _numbered(pairs, raters, points, reader)


def _numbered(pairs: Any, raters: Any, points: Any, reader: Reader) -> Votes:
    """Comparisons and raters by number, raters in the order of their pseudonyms."""
    _, comparison = np.unique(np.array(pairs, dtype=np.int64), return_inverse=True)
    people, rater = np.unique(np.array(raters, dtype=np.int64), return_inverse=True)
    names = [reader.names.of(int(pk)) for pk in people]
    order = sorted(range(len(names)), key=names.__getitem__)
    place = np.empty(len(names), dtype=np.int64)
    place[order] = np.arange(len(names))
    return Votes(
        comparison.reshape(-1).astype(np.int64),
        place[rater.reshape(-1)],
        np.array(points, dtype=np.int64),
        int(comparison.max(initial=-1)) + 1,
        [names[k] for k in order],
    )


def _groups(project: Project, recipe: Recipe, on: BaseDatabaseWrapper) -> dict[str, str]:
    """The group of each rater who told one and consented to its use, of groups that are large enough to hide in."""
    reader = Reader(project, recipe, on=on)
    profiles = RaterProfile.objects.filter(demographics_consent_at__isnull=False, user__annotations__project=project)
    told = dict(profiles.values_list("user", f"demographics__{recipe.apart}").distinct())
    sizes = Counter(group for group in told.values() if group)
    return {reader.names.of(user): group for user, group in told.items() if group and sizes[group] >= FEWEST}
