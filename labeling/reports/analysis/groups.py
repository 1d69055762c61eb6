"""Whether groups of raters answer the same pairs differently: a question, its answer and its uncertainty, no verdict.

What is compared is said of an answer in itself, whichever response stands first: is it for the longer, for the safer,
a tie, “unsafe”, how high a rating.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from labeling.models import Criterion
from labeling.reports.analysis.judged import BOTH_BAD, Bools, Judged, Votes
from labeling.reports.analysis.people import Group, groups_of
from labeling.reports.analysis.shape import Report, Table
from labeling.reports.analysis.source import Source
from labeling.stats.counts import Floats, Ints
from labeling.stats.groups import Difference, benjamini_hochberg, difference

LEAST_PAIRS = 30
DRAWS = 500
MOST_TOPICS = 4
FALSE_ALARMS = 0.05
EVERY_TOPIC = ""


@dataclass(frozen=True, slots=True)
class Question:
    """One number an answer: `value` of the kept answers of `votes`."""

    name: str
    votes: Votes
    value: Floats


@dataclass(frozen=True, slots=True)
class Asked:
    """One comparison that was made, and what came of it."""

    question: Question
    topic: str
    group: Group
    found: Difference
    mean: float
    others: float


def groups(source: Source) -> Report:
    judged = source.judged
    report = Report(
        tables={
            "groups": Table(("attribute", "value", "raters", "shown")),
            "differences": Table(
                ("criterion", "question", "topic", "attribute", "value", "raters", "pairs", "mean", "others",
                 "difference", "p", "q", "verdict")
            ),
            "within": Table(("criterion", "attribute", "value", "raters", "within", "within_pairs", "across",
                             "across_pairs")),
        }
    )  # fmt: skip
    known = groups_of(source.project, judged)
    for group in known:
        cells = {"attribute": group.attribute, "value": group.value, "shown": group.shown}
        report.tables["groups"].add(raters=group.size if group.shown else None, **cells)
    shown = [group for group in known if group.shown and group.size < int(group.asked.sum())]
    questions = list(_questions(source))
    made = [one for question in questions for one in _compared(judged, question, shown)]
    _verdicts(report, made)
    for question in questions:
        if question.name in _FIRST:
            for group in shown:
                _within(report.tables["within"], question.votes, group)
    report.figures = {"comparisons": sum(one.found.pairs >= LEAST_PAIRS for one in made)}
    return report


_FIRST = ("tie", "unsafe", "rating")  # the question of each kind that takes every answer


def _questions(source: Source) -> Iterator[Question]:
    judged = source.judged
    safer = _safer(judged)
    for criterion in judged.criteria:
        votes = judged.votes(criterion, gold=False)
        if not len(votes):
            continue
        if criterion.kind == Criterion.Kind.SAFETY:
            yield Question("unsafe", votes, (votes.answer == 1).astype(np.float64))
        elif criterion.kind == Criterion.Kind.RATING:
            yield Question("rating", votes, votes.value.astype(np.float64))
        else:
            plain = votes.value != BOTH_BAD
            yield Question("tie", votes, (votes.value == 0).astype(np.float64))
            for name, towards in (("longer", -np.sign(source.texts.longer)), ("safer", safer)):
                kept = plain & (votes.value != 0) & (towards[votes.pair] != 0)
                if kept.any():
                    sided = votes.only(kept)
                    yield Question(name, sided, (np.sign(sided.value) == towards[sided.pair]).astype(np.float64))


def _safer(judged: Judged) -> Floats:
    """Of each pair: -1 where the first response is called unsafe less often, 1 where the second is, 0 else."""
    number = len(judged.pairs)
    calls, unsafe = np.zeros((number, 2)), np.zeros((number, 2))
    for criterion in judged.criteria:
        if criterion.kind == Criterion.Kind.SAFETY:
            votes = judged.votes(criterion, gold=False)
            side = votes.unit_side[votes.unit].astype(np.int64) - 1
            np.add.at(calls, (votes.pair, side), 1)
            np.add.at(unsafe, (votes.pair, side), votes.answer == 1)
    share = unsafe / np.maximum(calls, 1)
    return np.where((calls > 0).all(1), np.sign(share[:, 0] - share[:, 1]), 0.0)


def _compared(judged: Judged, question: Question, shown: list[Group]) -> Iterator[Asked]:
    everywhere = np.ones(len(question.votes), dtype=np.bool_)
    topics: list[tuple[str, Bools]] = [(EVERY_TOPIC, everywhere)]
    items, item = judged.items, judged.pairs.item[question.votes.pair]
    tags = np.bincount(items.tagged, minlength=len(items.tag_names))
    for number in np.argsort(-tags, kind="stable")[:MOST_TOPICS].tolist():
        topics.append((items.tag_names[number], np.isin(item, items.tagged_item[items.tagged == number])))
    for topic, here in topics:
        for group in shown:
            yield _asked(question, topic, group, here)


def _asked(question: Question, topic: str, group: Group, here: Bools) -> Asked:
    votes = question.votes
    kept = here & group.asked[votes.rater]
    member = group.members[votes.rater[kept]].astype(np.int64)
    unit, value = votes.unit[kept], question.value[kept]
    found = difference(unit, member, value, draws=DRAWS)
    mean, others = _means(unit, member, value)
    return Asked(question, topic, group, found, mean, others)


def _means(unit: Ints, member: Ints, value: Floats) -> tuple[float, float]:
    """Of the group and of the others, each pair that both judged counting once."""
    if not len(unit):
        return float("nan"), float("nan")
    size, members = np.bincount(unit), np.bincount(unit, member)
    both = (members > 0) & (members < size)
    if not both.any():
        return float("nan"), float("nan")
    mine, total = np.bincount(unit, value * member), np.bincount(unit, value)
    group = (mine[both] / members[both]).mean()
    return float(group), float(((total - mine)[both] / (size - members)[both]).mean())


def _verdicts(report: Report, made: list[Asked]) -> None:
    """All comparisons that had enough are looked at together, so that at most 1 in 20 “differs” is a false alarm."""
    enough = [one for one in made if one.found.pairs >= LEAST_PAIRS]
    adjusted = benjamini_hochberg(np.array([one.found.p for one in enough])) if enough else np.zeros(0)
    q_of = {id(one): float(q) for one, q in zip(enough, adjusted, strict=True)}
    for one in made:
        about = {
            "criterion": one.question.votes.criterion.key, "question": one.question.name, "topic": one.topic,
            "attribute": one.group.attribute, "value": one.group.value,
        }  # fmt: skip
        q = q_of.get(id(one))
        if q is None:
            report.tables["differences"].add(**about, verdict="too_few")
            continue
        differs = q <= FALSE_ALARMS
        report.tables["differences"].add(
            **about, raters=one.group.size, pairs=one.found.pairs, mean=one.mean, others=one.others,
            difference=one.found.difference, p=one.found.p, q=q,
            verdict="differs" if differs else "no_clear_difference",
        )  # fmt: skip
        if differs:
            report.say("group_differs", about, "", difference=one.found.difference, pairs=one.found.pairs)


def _within(table: Table, votes: Votes, group: Group) -> None:
    """How often two raters of the group agree, and one of it with one of the others, on the same pairs."""
    kept = group.asked[votes.rater]
    member = group.members[votes.rater]
    mine, theirs = votes.counts(kept & member).astype(np.float64), votes.counts(kept & ~member).astype(np.float64)
    n, m = mine.sum(1), theirs.sum(1)
    inside, across = n >= 2, (n > 0) & (m > 0)
    if min(inside.sum(), across.sum()) < LEAST_PAIRS:
        return
    same = (mine * (mine - 1)).sum(1)[inside] / (n * (n - 1))[inside]
    table.add(
        criterion=votes.criterion.key, attribute=group.attribute, value=group.value, raters=group.size,
        within=float(same.mean()), within_pairs=int(inside.sum()),
        across=float(((mine * theirs).sum(1)[across] / (n * m)[across]).mean()), across_pairs=int(across.sum()),
    )  # fmt: skip
