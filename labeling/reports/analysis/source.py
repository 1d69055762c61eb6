"""What reports are computed from, each part read or fitted when the first of them asks."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import NamedTuple

import numpy as np
from django.db import connection

from labeling.models import Criterion, Project, RaterStanding
from labeling.reports.analysis.judged import BOTH_BAD, Judged
from labeling.reports.analysis.texts import Texts, measure
from labeling.stats import votes as sides
from labeling.stats.counts import Floats, Ints
from labeling.stats.evidence import Crowd, Standing, learn

_GOLD = """
SELECT g.rater_id, g.criterion_id, g.right
FROM labeling_goldresult g JOIN labeling_annotation a ON a.id = g.annotation_id
WHERE g.project_id = %s AND a.current AND NOT g.set_aside
"""


class Gold(NamedTuple):
    """Known answers by rater and criterion: (rater's row, criterion's id) of each, and whether it was met."""

    rater: Ints
    criterion: Ints
    right: Ints

    def by_rater(self, criterion_id: int | None, raters: int) -> tuple[Ints, Ints]:
        """Right and all known answers of each rater; of all criteria together without an id."""
        mine = np.ones(len(self.rater), dtype=np.bool_) if criterion_id is None else self.criterion == criterion_id
        known = np.bincount(self.rater[mine], minlength=raters)
        return np.bincount(self.rater[mine & (self.right == 1)], minlength=raters), known


@dataclass(frozen=True, slots=True)
class Learned:
    """Of one preference: the votes but for known answers, what was learned of the raters, and their standing."""

    votes: sides.Votes
    crowd: Crowd
    standing: Standing


class Source:
    """One project at one moment."""

    def __init__(self, project: Project, judged: Judged) -> None:
        self.project = project
        self.judged = judged
        self._learned: dict[int, Learned] = {}

    @cached_property
    def texts(self) -> Texts:
        return measure(self.project, self.judged.pairs)

    @cached_property
    def gold(self) -> Gold:
        """Raters of whom nothing counts any more are left out."""
        with connection.cursor() as cursor:
            cursor.execute(_GOLD, [self.project.pk])
            table = np.array(cursor.fetchall(), dtype=np.int64).reshape(-1, 3)
        raters = self.judged.raters
        table = table[np.isin(table[:, 0], raters)]
        return Gold(np.searchsorted(raters, table[:, 0]), table[:, 1], table[:, 2])

    def learned(self, criterion: Criterion) -> Learned:
        """How far each rater is to be trusted on a preference, from each other and from known answers."""
        if criterion.pk not in self._learned:
            self._learned[criterion.pk] = self._learn(criterion)
        return self._learned[criterion.pk]

    def _learn(self, criterion: Criterion) -> Learned:
        found, raters = self.judged.votes(criterion, gold=False), len(self.judged.raters)
        neither = (found.value == 0) | (found.value == BOTH_BAD)
        side = np.where(neither, sides.NEITHER, np.where(found.value < 0, sides.FIRST, sides.SECOND))
        grade = np.clip(np.abs(np.where(neither, 0, found.value).astype(np.int64)) - 1, 0, sides.GRADES - 1)
        votes = sides.Votes(found.unit, found.rater, side.astype(np.int64), grade)
        right, known = self.gold.by_rater(criterion.pk, raters)
        crowd, standing = learn(votes, pairs=found.units, raters=raters, right=right, known=known, graded=False)
        return Learned(votes, crowd, standing)

    def standings(self, criterion: Criterion) -> dict[int, RaterStanding]:
        """What the project's queues go by, by the rater's row, where they have learned it already."""
        row = {int(pk): place for place, pk in enumerate(self.judged.raters.tolist())}
        kept = RaterStanding.objects.filter(project=self.project, criterion=criterion)
        return {row[one.rater_id]: one for one in kept if one.rater_id in row}


def share_of(crowd: Crowd) -> Floats:
    """Kept away from certainty, so that log-odds are finite."""
    return np.clip(crowd.share, 0.05, 0.98)
