"""Pairs on which people differ, so that more answers would not settle them; and how sure all the others are."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from labeling.models import Criterion, Item, QueuedPair
from labeling.reports.analysis.judged import BOTH_BAD, Bools, Judged, Votes
from labeling.reports.analysis.shape import Report, Table
from labeling.reports.analysis.source import Source
from labeling.stats import evidence
from labeling.stats.counts import Floats, Ints
from labeling.stats.one_coin import USUAL

MOST_DIFFER, LEAST_JUDGMENTS = 0.6, 4  # bits of uncertainty that stay however many answer
SURE = 0.8  # of the better side: such a pair is settled, however people differ
MOST_SHOWN = 500
BINS = 10
MANY_TIES, STRONG = 0.5, 2


@dataclass(frozen=True, slots=True)
class Beliefs:
    """Of each pair with a vote, by unit: P(first is better), the share that would choose it, and the two parts of what
    is uncertain about a rater's choice, in bits."""

    first_better: Floats
    share: Floats
    people_differ: Floats
    more_would_tell: Floats


def contested(source: Source) -> Report:
    report = Report(
        tables={
            "criteria": Table(("criterion", "pairs", "contested", "share")),
            "pairs": Table(
                ("criterion", "pair", "item", "external_id", "judgments", "first", "tie", "second", "neither",
                 "first_better", "share", "people_differ", "more_would_tell", "state", "why", "topic")
            ),
            "certainty": Table(("criterion", "from", "to", "pairs")),
        }
    )  # fmt: skip
    for criterion in source.judged.preferences:
        votes = source.judged.votes(criterion, gold=False)
        if len(votes):
            _criterion(report, source, votes)
    return report


def believe(source: Source, criterion: Criterion, units: int) -> Beliefs:
    learned = source.learned(criterion)
    belief = evidence.posterior(learned.votes, learned.crowd, pairs=units)
    # of a rater who is as reliable as the crowd's mean, which is what “a random qualified rater” stands for
    usual = float(learned.crowd.share.mean()) if len(learned.crowd.share) else USUAL
    share, differ = evidence.chosen_by(belief, usual), evidence.people_differ(belief, usual)
    told = np.maximum(evidence.entropy(share) - differ, 0)
    return Beliefs(evidence.first_better(belief), share, differ, told)


def _criterion(report: Report, source: Source, votes: Votes) -> None:
    key, judged = votes.criterion.key, source.judged
    belief = believe(source, votes.criterion, votes.units)
    sure = np.maximum(belief.first_better, 1 - belief.first_better)
    edges = np.linspace(0.5, 1, BINS + 1)
    inside = np.clip(np.digitize(sure, edges[1:-1]), 0, BINS - 1)
    for place, pairs in enumerate(np.bincount(inside, minlength=BINS).tolist()):
        report.tables["certainty"].add(
            criterion=key, **{"from": float(edges[place]), "to": float(edges[place + 1]), "pairs": pairs}
        )
    counts = votes.counts()
    number = counts.sum(1)
    state = _states(source, votes)
    open_still = (number >= LEAST_JUDGMENTS) & (belief.people_differ > MOST_DIFFER) & (sure < SURE)
    wanted = open_still | (state == QueuedPair.State.CONTESTED)
    report.tables["criteria"].add(
        criterion=key, pairs=votes.units, contested=int(wanted.sum()), share=float(wanted.mean())
    )
    if wanted.any():
        report.say("contested_pairs", {"criterion": key}, "decide", pairs=int(wanted.sum()), of=votes.units)
    rows = np.flatnonzero(wanted)
    rows = rows[np.lexsort((-number[rows], -belief.people_differ[rows]))][:MOST_SHOWN]
    _list(report.tables["pairs"], judged, votes, rows, belief, state)


def _states(source: Source, votes: Votes) -> np.ndarray[tuple[int], np.dtype[np.object_]]:
    """What the queue says of each pair; empty where it does not adapt or goes by another criterion."""
    found = np.full(votes.units, "", dtype=object)
    kept = QueuedPair.objects.filter(queue__project=source.project).exclude(state=QueuedPair.State.COLLECTING)
    first = source.judged.preferences[0]
    mine = [queue for queue in source.project.queues.all() if (queue.criterion or first) == votes.criterion]
    table = dict(kept.filter(queue__in=mine).values_list("pair_id", "state"))
    if table:
        for unit, pair in enumerate(source.judged.pairs.ids[votes.unit_pair].tolist()):
            found[unit] = table.get(pair, "")
    return found


def _list(
    table: Table, judged: Judged, votes: Votes, rows: Ints, belief: Beliefs,
    state: np.ndarray[tuple[int], np.dtype[np.object_]],
) -> None:  # fmt: skip
    pairs = votes.unit_pair[rows]
    item = judged.pairs.item[pairs]
    names = dict(Item.objects.filter(pk__in=judged.items.ids[item].tolist()).values_list("pk", "external_id"))
    counts, why = votes.counts()[rows], _why(votes, rows)
    at = {name: place for place, name in enumerate(votes.categories)}
    for place, unit in enumerate(rows.tolist()):
        answers = {name: int(counts[place, at[name]]) if name in at else 0 for name in _ANSWERS}
        item_id = int(judged.items.ids[item[place]])
        category = int(judged.items.category.number[item[place]])
        table.add(
            criterion=votes.criterion.key, pair=judged.pairs.ids[pairs[place]], item=item_id,
            external_id=names.get(item_id, ""), judgments=counts[place].sum(), first_better=belief.first_better[unit],
            share=belief.share[unit], people_differ=belief.people_differ[unit],
            more_would_tell=belief.more_would_tell[unit], state=state[unit], why=why[place],
            topic=judged.items.category.names[category] if category >= 0 else _tag(judged, int(item[place])), **answers,
        )  # fmt: skip


_ANSWERS = ("first", "tie", "second", "neither")


def _tag(judged: Judged, item: int) -> str:
    tags = judged.items.tagged[judged.items.tagged_item == item]
    return judged.items.tag_names[int(tags[0])] if len(tags) else ""


def _why(votes: Votes, rows: Ints) -> list[str]:
    """“no_difference”: half of them see none. “strongly”: each side is held clearly or more. “two_sides”: else."""
    wanted = np.zeros(votes.units, dtype=np.bool_)
    wanted[rows] = True
    mine: Bools = wanted[votes.unit]
    unit, value = votes.unit[mine], votes.value[mine].astype(np.int64)
    plain = value != BOTH_BAD
    number = np.bincount(unit, minlength=votes.units)
    tied = np.bincount(unit[value == 0], minlength=votes.units)
    firm = [np.bincount(unit[plain & (value * sign >= STRONG)], minlength=votes.units) > 0 for sign in (-1, 1)]
    return [
        "no_difference"
        if tied[unit] >= MANY_TIES * number[unit]
        else "strongly"
        if firm[0][unit] and firm[1][unit]
        else "two_sides"
        for unit in rows.tolist()
    ]
