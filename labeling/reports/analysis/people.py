"""Which groups raters belong to, by what they said of themselves and agreed to have counted. Never one person's answer.

A group under LEAST_RATERS is nowhere shown, nor is one whose remainder would be as small: what is left of a whole when
a group is taken away is told by subtraction.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from labeling.models import Project, RaterProfile
from labeling.models.entry import DEMOGRAPHICS
from labeling.reports.analysis.judged import Bools, Judged

LEAST_RATERS = 5
LANGUAGE = "language"


@dataclass(frozen=True, slots=True)
class Group:
    """`members` by the rater's row; `asked`: raters who said anything about this attribute."""

    attribute: str
    value: str
    members: Bools
    asked: Bools

    @property
    def size(self) -> int:
        return int(self.members.sum())

    @property
    def shown(self) -> bool:
        others = int(self.asked.sum()) - self.size
        return self.size >= LEAST_RATERS and (others >= LEAST_RATERS or others == 0)


def groups_of(project: Project, judged: Judged) -> list[Group]:
    """By languages read, and by demographics of those who consented, in a stable order. One query.

    The others of a group are those who said something else about the same attribute, not who said nothing.
    """
    row = {int(pk): place for place, pk in enumerate(judged.raters.tolist())}
    told: dict[str, dict[str, set[int]]] = {}
    for profile in RaterProfile.objects.filter(user__in=list(row)):
        for attribute, value in _said(profile):
            told.setdefault(attribute, {}).setdefault(value, set()).add(row[profile.user_id])
    found: list[Group] = []
    for attribute in (LANGUAGE, *DEMOGRAPHICS):
        values = told.get(attribute, {})
        asked = _rows({one for members in values.values() for one in members}, len(row))
        found += [Group(attribute, value, _rows(values[value], len(row)), asked) for value in sorted(values)]
    return found


def _said(profile: RaterProfile) -> Iterator[tuple[str, str]]:
    for language in profile.languages:
        yield LANGUAGE, language
    if profile.demographics_consent_at is not None:
        for attribute in DEMOGRAPHICS:
            value = str(profile.demographics.get(attribute) or "").strip()
            if value:
                yield attribute, value


def _rows(members: set[int], raters: int) -> Bools:
    found = np.zeros(raters, dtype=np.bool_)
    found[sorted(members)] = True
    return found
