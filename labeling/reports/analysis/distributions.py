"""How often each answer was given, by everybody and by group: what an average would hide."""

from __future__ import annotations

import numpy as np

from labeling.reports.analysis.judged import Bools, Judged, Votes
from labeling.reports.analysis.people import LEAST_RATERS, groups_of
from labeling.reports.analysis.shape import Report, Table
from labeling.reports.analysis.source import Source

EVERYBODY = "everybody"
ITEM_LANGUAGE = "item_language"


def distributions(source: Source) -> Report:
    judged = source.judged
    report = Report(
        tables={"answers": Table(("criterion", "attribute", "value", "raters", "judgments", "answer", "share"))}
    )
    table = report.tables["answers"]
    groups = [group for group in groups_of(source.project, judged) if group.shown]
    for criterion in judged.criteria:
        votes = judged.votes(criterion, gold=False)
        if not len(votes):
            continue
        _add(table, votes, EVERYBODY, "", np.ones(len(votes), dtype=np.bool_))
        _by_language(table, judged, votes)
        for group in groups:
            _add(table, votes, group.attribute, group.value, group.members[votes.rater])
    return report


def _by_language(table: Table, judged: Judged, votes: Votes) -> None:
    """Of the items, so that answers in one language are not averaged with those in another by accident."""
    language = judged.of_item(judged.items.language, votes.pair)
    for number, name in enumerate(judged.items.language.names):
        _add(table, votes, ITEM_LANGUAGE, name, language == number)


def _add(table: Table, votes: Votes, attribute: str, value: str, mine: Bools) -> None:
    raters = len(np.unique(votes.rater[mine]))
    if raters < LEAST_RATERS and attribute not in (EVERYBODY, ITEM_LANGUAGE):
        return
    counts = np.bincount(votes.answer[mine], minlength=len(votes.categories))
    total = int(counts.sum())
    for answer, number in zip(votes.categories, counts.tolist(), strict=True):
        if total:
            table.add(
                criterion=votes.criterion.key, attribute=attribute, value=value, raters=raters, judgments=total,
                answer=answer, share=number / total,
            )  # fmt: skip
