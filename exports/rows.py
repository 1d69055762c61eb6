"""From the database to comparisons: one stream, in an order that depends on the texts alone.

Which judgments: those that were current in a PostgreSQL snapshot, named by its text (`pg_current_snapshot()`), so
that a second attempt hours later, after more judging and revising, reads exactly the same ones. The order is by the
fingerprints of the two responses, then of the item: it is the same on every machine, looks shuffled to a trainer, and
brings the same two texts of different items side by side. Where a format looks at a whole conversation, the order is by
the conversation's hash first.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import date
from functools import partial
from itertools import chain, pairwise
from math import isqrt
from operator import itemgetter
from typing import Any

import orjson
from django.db import connection
from django.db.backends.base.base import BaseDatabaseWrapper

from exports import queries
from exports.ballots import Ballots, Pseudonyms, in_order
from exports.recipes import Recipe
from exports.recipes.majority import Answer, Comparison, Side
from exports.recipes.recipe import WEIGHTED
from exports.recipes.votes import Decision, Needs
from labeling.models import Criterion, Guideline, Project, RaterProfile
from labeling.models.items import stretch_of

FETCHED_AT_ONCE = 2000
SEPARATOR = "\x1e"
# Everything will be read, so the plan must not bet on the first rows. One process, so that raters keep the others.
SETTINGS = ("cursor_tuple_fraction = 1", "jit = off", "work_mem = '64MB'", "max_parallel_workers_per_gather = 0")
Stretch = tuple[str, str]  # from the first fingerprint, up to but without the second
_MOST, _END = 1 << 64, "g"  # behind every hexadecimal number
_by_rater = itemgetter(0)


@dataclass(frozen=True, slots=True)
class Facts:
    """What the card tells about the judgments: the first and last day (UTC), and under which guidelines they were made
    (version: annotations). `raters` has (annotations, answers that took a side, those that chose the left one) a rater,
    in no order that tells who."""

    first_day: date | None
    last_day: date | None
    guidelines: dict[int, int]
    raters: list[tuple[int, int, int]]

    @property
    def annotations(self) -> int:
        return sum(given for given, _, _ in self.raters)

    @property
    def left_preferred(self) -> int:
        return sum(lefts for _, _, lefts in self.raters)

    @property
    def sides_preferred(self) -> int:
        return sum(sided for _, sided, _ in self.raters)


class Reader:
    """Reads one project for one recipe, as of a snapshot. All methods see the same rows if the connection is frozen.

    Without `needs` the database adds up the judgments, which is the fastest; with votes it sends every vote. Of a
    `sample` of pairs, by id, only the judgments of those are read, where a part is to stand for the whole.
    """

    def __init__(
        self,
        project: Project,
        recipe: Recipe,
        as_of: str = "",
        on: BaseDatabaseWrapper | None = None,
        needs: Needs | None = None,
        withdrawals: Sequence[int] | None = None,
        sample: Sequence[int] | None = None,
    ) -> None:
        kind, asked, filters = Criterion.Kind, Criterion.Asked, recipe.filters
        criteria = list(Criterion.objects.filter(project=project))
        chosen = next(criterion for criterion in criteria if criterion.key == recipe.criterion)
        pointing = [c.pk for c in criteria if c.kind == kind.PREFERENCE and c.asked == asked.ALWAYS]
        safety = [c.pk for c in criteria if c.kind == kind.SAFETY]
        self.connection = on or connection
        self.values: dict[str, Any] = {
            "project": project.pk, "separator": SEPARATOR, "criterion": chosen.pk, "safety": safety,
            "criteria": [chosen.pk, *safety], "pointing": [chosen.pk, *pointing],
            "queues": list(filters.queues), "batches": list(filters.batches),
            "languages": list(filters.languages), "tags": list(filters.tags), "sample": sample,
            "raters": _who_said(filters.raters),
        }  # fmt: skip
        if withdrawals is None:
            withdrawals = self._one(queries.WITHDRAWALS)[0]
        self.withdrawals = self.values["withdrawals"] = list(withdrawals)
        self.as_of = self.values["as_of"] = as_of or self._one("SELECT pg_current_snapshot()::text")[0]
        self.judgments = queries.POINTED if chosen.asked == asked.ON_CONFLICT else queries.GIVEN
        if recipe.combine is not None and recipe.combine.how == WEIGHTED:
            known = {criterion.key: criterion.pk for criterion in criteria}
            self.judgments = queries.WEIGHTED
            self.values["weighed"] = [known[key] for key, _ in recipe.combine.weights]
            self.values["weights"] = [weight for _, weight in recipe.combine.weights]
        self.filters = " AND ".join(sql for name, sql in queries.FILTERS.items() if getattr(filters, name))
        self.needs = needs or Needs()
        self.ballots = Ballots(project, criteria, chosen, recipe.rationales) if self.needs.ballots else None
        self.names, self.keys = Pseudonyms(project), {criterion.pk: criterion.key for criterion in criteria}
        self.decided = queries.decided(first=recipe.decided_first, again=bool(as_of))
        only = f"{queries.RATERS if filters.raters else ''} {queries.SAMPLE if sample is not None else ''}"
        counted = partial(
            queries.counted, self.filters, again=bool(as_of), withdrawn=bool(withdrawals), votes=self.needs.ballots,
            only=only,
        )  # fmt: skip
        self.counted, self.counted_within = counted(), counted(within=True)

    def pairs(self) -> int:
        """Pairs that the filters take, judged or not; of one response only where those are needed."""
        sql = queries.pairs(self.filters, withdrawn=bool(self.withdrawals), singles=self.needs.singles)
        return int(self._one(sql)[0])

    def query(self) -> tuple[str, dict[str, Any]]:
        """The SQL and the values of what `comparisons` reads from its beginning."""
        return self._stream(queries.TEXTS), self.values

    def comparisons(self, stretch: Stretch | None = None) -> Iterator[Comparison]:
        """Every judged comparison, or those of a stretch of the stream. Flat memory; one query."""
        values = self.values
        if stretch:
            ends = stretch if self.needs.whole else _numbers(stretch)
            values = values | dict(zip(("from", "to"), ends, strict=True))
        with self.cursor() as cursor:
            cursor.execute(self._stream(queries.TEXTS, within=bool(stretch)), values)
            fetched = iter(partial(cursor.fetchmany, FETCHED_AT_ONCE), [])
            found = self._pooled(chain.from_iterable(fetched))
            yield from _marked(found) if self.needs.whole else found

    def outcomes(self) -> Iterator[tuple[Comparison, int]]:
        """As `comparisons`, without the texts, each with its pair's id; one comparison in two items counts as two."""
        with self.cursor() as cursor:
            cursor.itersize = FETCHED_AT_ONCE
            cursor.execute(self._stream(queries.NO_TEXTS), self.values)
            for row in cursor:
                yield self._comparison(row, []), row[-1]

    def of_pairs(self, pair_ids: list[int]) -> list[Comparison]:
        """The comparisons of a few pairs."""
        with self.connection.cursor() as cursor:
            cursor.execute(self._stream(queries.TEXTS, among=queries.AMONG), self.values | {"pairs": pair_ids})
            return [self._comparison(row, orjson.loads(row[4])) for row in cursor.fetchall()]

    def judged(self) -> int:
        """Pairs with an annotation that counts."""
        return int(self._one(queries.JUDGED.format(counted=self.counted))[0])

    def has(self, item_id: int) -> bool:
        """Whether a judgment of the item counts."""
        return bool(self._one(queries.HAS.format(counted=self.counted), {"item": item_id})[0])

    def facts(self) -> tuple[Facts, list[int]]:
        """What there is to tell, and the ids of the raters, which is not to be told."""
        raters = self._all(queries.BY_RATER.format(counted=self.counted))
        found = self._all(queries.FACTS.format(counted=self.counted))
        versions = dict(Guideline.objects.filter(project=self.values["project"]).values_list("pk", "version"))
        guidelines = sorted((versions[pk] or 0, count) for pk, count, _, _ in found if pk is not None)
        first = min((first for _, _, first, _ in found), default=None)
        last = max((last for _, _, _, last in found), default=None)
        told = sorted((given, sided, lefts) for _, given, sided, lefts in raters)
        return Facts(first, last, dict(guidelines), told), sorted(pk for pk, *_ in raters)

    def _stream(self, texts: str, within: bool = False, among: str = "") -> str:
        counted = self.counted_within if within and not self.needs.whole else self.counted
        if self.ballots is None:
            return queries.STREAM.format(
                counted=counted,
                tallies=queries.tallies(self.judgments, among, self.needs.answers),
                texts=texts,
                answers=queries.ANSWERS if self.needs.answers else queries.NO_ANSWERS,
                **self.decided,
            )
        return queries.BALLOT_STREAM.format(
            counted=counted,
            tallies=queries.ballots(self.needs.singles, among),
            texts=texts,
            key=queries.CONVERSATION_KEY if self.needs.whole else "''",
            within=queries.KEY_WITHIN if within and self.needs.whole else "",
            **self.decided,
        )

    def _pooled(self, rows: Iterable[Any]) -> Iterator[Comparison]:
        """Comparisons of rows that are ordered by what was compared: those of the same are one."""
        last: Any = None
        alike: list[Any] = []  # the last one and those before it, if there are any
        for row in rows:
            if last is None:
                pass
            elif row[1] == last[1] and row[0] == last[0]:
                alike = alike or [last]
                alike.append(row)
            elif alike:
                yield from self._pool(alike)
                alike = []
            else:
                yield self._comparison(last, orjson.loads(last[4]))
            last = row
        if last is not None:
            yield from self._pool(alike or [last])

    def _pool(self, rows: list[Any]) -> Iterable[Comparison]:
        """Comparisons of rows with the same two response texts: those of equal conversations are one."""
        if len(rows) == 1:
            return [self._comparison(rows[0], orjson.loads(rows[0][4]))]
        found: dict[str, Comparison] = {}
        for row in rows:
            if row[4] in found:
                found[row[4]].add(self._comparison(row, []))
            else:
                found[row[4]] = self._comparison(row, orjson.loads(row[4]))
        for comparison in found.values():
            in_order(comparison.votes)
            comparison.settle_safety()
        pooled = list(found.values())
        for comparison in pooled[:-1]:
            comparison.more = True
        return pooled

    def _comparison(self, row: Any, conversation: list[dict[str, Any]]) -> Comparison:
        if self.ballots is None:
            return self._with_decisions(_of_sums(row, conversation, self.names), row)
        # fmt: off
        (low, high, item, straight, _, first_text, second_text, images, votes, first_id, key, domain, stated, language,
         _, _) = row
        if not straight:
            first_text, second_text = second_text, first_text
        first, second = Side(low, first_text, 0, 0.0, 0, 0, []), Side(high, second_text or "", 0, 0.0, 0, 0, [])
        made = Comparison(
            item, language, conversation, first, second, 0, 0, images=images or _has_images(conversation), key=key,
            single=not high, votes=self.ballots.votes(votes, first_id, straight, language), domain=domain or "",
            stated_language=stated or "",
        )
        # fmt: on
        self.ballots.count(made)
        return self._with_decisions(made, row)

    def _with_decisions(self, comparison: Comparison, row: Any) -> Comparison:
        """`row` has them before the pair's id, and in its fourth place whether its order is the comparison's."""
        straight, decisions = row[3], row[-2]
        if decisions is not None:
            comparison.decisions = [self._decision(plain, straight) for plain in orjson.loads(decisions)]
            comparison.settle_safety()
        return comparison

    def _decision(self, plain: Any, straight: bool) -> Decision:
        number, criterion, of_first, preference, both_bad, safe, adjudicator = plain
        grade = None if both_bad or preference is None else preference if straight else -preference
        side = None if of_first is None else int(of_first != straight)
        return Decision(number, self.keys[criterion], self.names.of(adjudicator), grade, side, safe)

    def cursor(self) -> Any:
        """A server-side cursor in binary, which costs half of what Django's own does."""
        self.connection.ensure_connection()
        return self.connection.connection.cursor(name="export", binary=True)

    def _one(self, sql: str, more: dict[str, Any] | None = None) -> Any:
        return self._all(sql, more)[0]

    def _all(self, sql: str, more: dict[str, Any] | None = None) -> list[Any]:
        with self.connection.cursor() as cursor:
            cursor.execute(sql, self.values | (more or {}))
            return list(cursor.fetchall())


@contextmanager
def frozen_connection() -> Iterator[BaseDatabaseWrapper]:
    """A connection of its own whose statements all see one moment, while the default one goes on writing progress."""
    reader = connection.copy()
    try:
        reader.set_autocommit(False)
        with reader.cursor() as cursor:
            cursor.execute("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ, READ ONLY")
            for setting in SETTINGS:
                cursor.execute(f"SET LOCAL {setting}")
        yield reader
    finally:
        reader.rollback()
        reader.close()


def bounds(part: int, parts: int, *, whole: bool = False) -> Stretch:
    """The stretch of the stream that is one of so many with as much in each.

    Hashes of conversations (`whole`) lie evenly. The smaller of two hashes is below x in 1 - (1 - x)² of all pairs.
    """
    start, end = _edge(part, parts, whole), _edge(part + 1, parts, whole)
    return f"{start:016x}", _END if end == _MOST else f"{end:016x}"


def _edge(part: int, parts: int, whole: bool) -> int:
    if whole:
        return -(-part * _MOST // parts)
    return _MOST - isqrt(_MOST * _MOST * (parts - part) // parts)


def _numbers(stretch: Stretch) -> tuple[int, int]:
    """The first and the last number (labeling/models/items.py: stretch_of) of a stretch."""
    start, end = stretch
    return stretch_of(start), (1 << 63) - 1 if end == _END else stretch_of(end) - 1


def _marked(comparisons: Iterator[Comparison]) -> Iterator[Comparison]:
    """Each told whether another of its conversation follows."""
    for comparison, following in pairwise(chain(comparisons, [None])):
        if comparison is not None:
            comparison.more = following is not None and following.key == comparison.key
            yield comparison


def _has_images(conversation: list[dict[str, Any]]) -> bool:
    return any(not isinstance(message["content"], str) for message in conversation)


def _who_said(groups: Sequence[tuple[str, Sequence[str]]]) -> list[int]:
    """The people whose profile says so of themselves, in every field that is asked for, with consent to its use."""
    if not groups:
        return []
    profiles = RaterProfile.objects.filter(demographics_consent_at__isnull=False)
    for name, values in groups:
        profiles = profiles.filter(**{f"demographics__{name}__in": list(values)})
    return sorted(profiles.values_list("user", flat=True))


def _answers(raters: list[int] | None, grades: list[float | None], straight: bool, names: Pseudonyms) -> list[Answer]:
    """Who answered what, by pseudonym, in the order of the comparison."""
    if not raters:
        return []
    signs = grades if straight else [-grade if grade else grade for grade in grades]
    return sorted(zip(map(names.of, raters), signs, strict=True), key=_by_rater)


def _of_sums(row: Any, conversation: list[dict[str, Any]], names: Pseudonyms) -> Comparison:
    # fmt: off
    (low, high, item, straight, _, first_text, second_text, images, first_raters, second_raters, first_strength,
     second_strength, ties, both_bad, first_safe, first_unsafe, second_safe, second_unsafe, first_said, second_said,
     language, raters, grades, _, _) = row
    # fmt: on
    said = first_said.split(SEPARATOR) if first_said else []
    first = Side(low, first_text, first_raters, first_strength, first_safe, first_unsafe, said)
    said = second_said.split(SEPARATOR) if second_said else []
    second = Side(high, second_text, second_raters, second_strength, second_safe, second_unsafe, said)
    if not straight:
        first.fingerprint, second.fingerprint, first, second = high, low, second, first
    images = images or _has_images(conversation)
    answers = _answers(raters, grades, straight, names)
    return Comparison(item, language, conversation, first, second, ties, both_bad, images=images, answers=answers)
