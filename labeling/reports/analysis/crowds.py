"""What raters' answers say of each other: leave-one-out agreement, and each rater's errors by Dawid and Skene."""

from __future__ import annotations

import numpy as np

from labeling.models import Criterion
from labeling.reports.analysis.judged import Judged, Votes
from labeling.reports.analysis.shape import Table
from labeling.stats.counts import Floats, Ints
from labeling.stats.dawid_skene import Crowd, dawid_skene

LEAST_CONFUSION = 100  # judgments of a rater, before their errors are shown one by one
MOST_CATEGORIES = 11
LEAST_UNITS = 20
FIRM = 4.0  # belief that raters are mostly right, for safety
_WORK = 15_000_000  # judgments times steps
_AT_ONCE = 200_000

TABLES: dict[str, tuple[str, ...]] = {
    "leave_one_out": ("criterion", "rater", "others", "agree", "share"),
    "dawid_skene": ("criterion", "rater", "judgments", "accuracy", "own_accuracy", "enough"),
    "confusion": ("criterion", "rater", "truth", "answer", "share"),
    "prevalence": ("criterion", "answer", "share", "labels", "steps", "loglik"),
}


def leave_one_out(judged: Judged, votes: Votes, table: Table) -> tuple[Ints, Ints]:
    """How often each rater says what most others said of the same: (agree, comparable) by the rater's row.

    What others are even on, or nobody else answered, is not compared.
    """
    raters = len(judged.raters)
    others, agree = np.zeros(raters, dtype=np.int64), np.zeros(raters, dtype=np.int64)
    counts = votes.counts()
    for start in range(0, len(votes), _AT_ONCE):
        part = slice(start, start + _AT_ONCE)
        rest = counts[votes.unit[part]]
        rest[np.arange(len(rest)), votes.answer[part]] -= 1
        most = rest.max(1)
        clear = ((rest == most[:, None]).sum(1) == 1) & (most > 0)
        same = clear & (rest.argmax(1) == votes.answer[part])
        others += np.bincount(votes.rater[part][clear], minlength=raters)
        agree += np.bincount(votes.rater[part][same], minlength=raters)
    for rater in np.flatnonzero(others).tolist():
        table.add(
            criterion=votes.criterion.key, rater=judged.pseudonyms[rater], others=others[rater], agree=agree[rater],
            share=agree[rater] / others[rater],
        )  # fmt: skip
    return agree, others


def errors(judged: Judged, votes: Votes, tables: dict[str, Table]) -> Floats:
    """Each rater's accuracy by Dawid and Skene, by the rater's row; NaN under LEAST_CONFUSION judgments."""
    found = np.full(len(judged.raters), np.nan)
    if votes.units < LEAST_UNITS or len(votes.categories) > MOST_CATEGORIES:
        return found
    present, rater = np.unique(votes.rater, return_inverse=True)
    smoothing = FIRM if votes.criterion.kind == Criterion.Kind.SAFETY else 0.0
    crowd = dawid_skene(
        votes.unit, rater, votes.answer, classes=len(votes.categories), smoothing=smoothing,
        steps=int(np.clip(_WORK // len(votes), 10, 1000)),
    )  # fmt: skip
    number = np.bincount(rater)
    own = np.bincount(rater, crowd.posterior[votes.unit, votes.answer]) / number
    accuracy, key = crowd.accuracy(), votes.criterion.key
    for place, one in enumerate(present.tolist()):
        enough = bool(number[place] >= LEAST_CONFUSION)
        found[one] = accuracy[place] if enough else np.nan
        tables["dawid_skene"].add(
            criterion=key, rater=judged.pseudonyms[one], judgments=number[place], accuracy=accuracy[place],
            own_accuracy=own[place], enough=enough,
        )  # fmt: skip
        if enough:
            _confusion(tables["confusion"], votes, judged.pseudonyms[one], crowd.confusion[place])
    _prevalence(tables["prevalence"], votes, crowd)
    return found


def _confusion(table: Table, votes: Votes, rater: str, confusion: Floats) -> None:
    for truth, row in zip(votes.categories, confusion.tolist(), strict=True):
        for answer, share in zip(votes.categories, row, strict=True):
            table.add(criterion=votes.criterion.key, rater=rater, truth=truth, answer=answer, share=share)


def _prevalence(table: Table, votes: Votes, crowd: Crowd) -> None:
    labels = np.bincount(crowd.posterior.argmax(1), minlength=len(votes.categories))
    for place, answer in enumerate(votes.categories):
        table.add(
            criterion=votes.criterion.key, answer=answer, share=crowd.prior[place], labels=labels[place],
            steps=crowd.steps, loglik=crowd.loglik,
        )  # fmt: skip
