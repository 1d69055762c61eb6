"""What of a text sways raters beside what it says: its words, lists and headings."""

from __future__ import annotations

import re
from dataclasses import dataclass

import numpy as np
from django.db import connection

from labeling.models import Project
from labeling.reports.analysis.judged import Pairs
from labeling.stats.counts import Floats, Ints
from labeling.wording import count_words

_LISTED = re.compile(r"^[ \t]*(?:[-*+•]|\d{1,3}[.)、])[ \t]", re.MULTILINE)
_HEADED = re.compile(r"^#{1,6}[ \t]", re.MULTILINE)
_AT_ONCE = 5_000


@dataclass(frozen=True, slots=True)
class Texts:
    """Of each pair's first and second response: words, list lines, headings. A second that is not there has none."""

    words: tuple[Floats, Floats]
    lists: tuple[Floats, Floats]
    headings: tuple[Floats, Floats]

    @property
    def longer(self) -> Floats:
        """ln(words of the first) - ln(words of the second), shape (pairs,)."""
        first, second = self.words
        return np.log(np.maximum(first, 1)) - np.log(np.maximum(second, 1))

    @property
    def beside(self) -> Floats:
        """For style control, (pairs, 3): tanh of the differences in length, lists, headings, each by its deviation."""
        differences = (self.longer, *(np.log1p(one[0]) - np.log1p(one[1]) for one in (self.lists, self.headings)))
        return np.column_stack([np.tanh(each / (float(each.std()) or 1.0)) for each in differences])


def measure(project: Project, pairs: Pairs) -> Texts:
    """One query, streamed; reads the text of every judged response."""
    wanted = np.union1d(pairs.first, pairs.second[pairs.second > 0])
    table = np.zeros((len(wanted), 3), dtype=np.float64)
    with connection.chunked_cursor() as cursor:
        cursor.execute("SELECT id, content FROM labeling_response WHERE project_id = %s", [project.pk])
        while rows := cursor.fetchmany(_AT_ONCE):
            ids = np.array([row[0] for row in rows], dtype=np.int64)
            place = np.searchsorted(wanted, ids)
            known = np.flatnonzero((place < len(wanted)) & (wanted[np.minimum(place, len(wanted) - 1)] == ids))
            for number in known.tolist():
                table[place[number]] = _measured(rows[number][1])
    found: list[tuple[Floats, Floats]] = []
    for column in range(3):
        found.append((_of(wanted, table[:, column], pairs.first), _of(wanted, table[:, column], pairs.second)))
    return Texts(*found)


def _measured(text: str) -> tuple[int, int, int]:
    if "\n" not in text and not text.startswith(("#", "-", "*", "1")):
        return count_words(text), 0, 0
    return count_words(text), len(_LISTED.findall(text)), len(_HEADED.findall(text))


def _of(wanted: Ints, values: Floats, ids: Ints) -> Floats:
    place = np.minimum(np.searchsorted(wanted, ids), len(wanted) - 1)
    return np.where(ids > 0, values[place], 0.0)
