"""Where two criteria point to different responses, and what then decides: helpful against harmless, most of all."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import combinations

import numpy as np

from labeling.models import Criterion
from labeling.reports.analysis.judged import BOTH_BAD, Bools, Judged, Votes, most_frequent
from labeling.reports.analysis.shape import Report, Table
from labeling.reports.analysis.source import Source
from labeling.stats.biases import wilson
from labeling.stats.counts import Floats, Ints
from labeling.stats.logistic import logistic

LEAST_PAIRS = 50
MOST_TOPICS, MOST_CRITERIA = 12, 4
OVERALL = "overall"
Z = 1.959963984540054
_NAMES = ("first", "none", "second")
_CRITERIA = (
    "one", "other", "overall", "pairs", "decided", "conflicts", "share", "low", "high", "resolved", "for_other",
    "resolution", "resolution_low", "resolution_high", "weight_one", "weight_other", "ratio", "ratio_low", "ratio_high",
    "both_safe", "safer_wins", "enough",
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class Leaning:
    """Of each pair, by row: the sign of the mean preference, and whether anybody answered. Negative is the first."""

    sign: Ints
    asked: Bools


def conflicts(source: Source) -> Report:
    report = Report(
        tables={
            "criteria": Table(_CRITERIA),
            "matrix": Table(("one", "other", "one_side", "other_side", "pairs")),
            "topics": Table(("one", "other", "by", "of", "decided", "conflicts", "share", "low", "high")),
        }
    )
    judged = source.judged
    preferences = [one for one in judged.preferences if len(judged.votes(one))]
    overall = overall_criterion(preferences)
    asked = [one for one in preferences if one != overall][:MOST_CRITERIA]
    for one, other in combinations(asked, 2):
        _between(report, judged, one, other, overall)
    return report


def overall_criterion(preferences: list[Criterion]) -> Criterion | None:
    """The preference that weighs the others up: asked when they point different ways, or called so."""
    on_conflict = (one for one in preferences if one.asked == Criterion.Asked.ON_CONFLICT or one.key == OVERALL)
    return next(on_conflict, None)


def leaning(judged: Judged, votes: Votes) -> Leaning:
    sided = votes.value != BOTH_BAD
    number = len(judged.pairs)
    total = np.bincount(votes.pair[sided], votes.value[sided].astype(np.float64), number)
    return Leaning(np.sign(total).astype(np.int64), np.bincount(votes.pair[sided], minlength=number) > 0)


def _between(report: Report, judged: Judged, one: Criterion, other: Criterion, overall: Criterion | None) -> None:
    left, right = (leaning(judged, judged.votes(each, gold=False)) for each in (one, other))
    both = left.asked & right.asked
    if not both.any():
        return
    table = np.bincount((left.sign[both] + 1) * 3 + right.sign[both] + 1, minlength=9).reshape(3, 3)
    for row, column in np.ndindex(3, 3):
        report.tables["matrix"].add(
            one=one.key, other=other.key, one_side=_NAMES[row], other_side=_NAMES[column], pairs=table[row, column]
        )
    decided = both & (left.sign != 0) & (right.sign != 0)
    against = decided & (left.sign != right.sign)
    number, of = int(against.sum()), int(decided.sum())
    low, high = wilson(number, of)
    cells = {
        "overall": overall.key if overall else None, "pairs": int(both.sum()), "decided": of, "conflicts": number,
        "share": number / of if of else None, "low": low, "high": high, "enough": of >= LEAST_PAIRS,
    } | _resolved(judged, right, against, overall) | _weights(judged, one, other, overall)  # fmt: skip
    report.tables["criteria"].add(one=one.key, other=other.key, **cells)
    if of >= LEAST_PAIRS:
        about = {"one": one.key, "other": other.key}
        report.say("conflict_rate", about, "", share=number / of, low=low, high=high, conflicts=number)
        if cells.get("ratio_low") is not None and np.isfinite(float(cells["ratio"] or np.nan)):
            names = ("ratio", "ratio_low", "ratio_high")
            report.say("conflict_weights", about, "", **{name: cells[name] for name in names})
    _topics(report.tables["topics"], judged, one.key, other.key, decided, against)


def _resolved(
    judged: Judged, right: Leaning, against: Bools, overall: Criterion | None
) -> dict[str, float | int | None]:
    """How often the overall preference goes with the second criterion, of pairs in conflict and of those whose
    responses are both safe, where going with it gives up helpfulness for nothing."""
    if overall is None:
        return {}
    final = leaning(judged, judged.votes(overall, gold=False))
    known = against & final.asked & (final.sign != 0)
    for_other = known & (final.sign == right.sign)
    number, of = int(for_other.sum()), int(known.sum())
    low, high = wilson(number, of)
    safe = known & both_safe(judged)
    return {
        "resolved": of, "for_other": number, "resolution": number / of if of else None, "resolution_low": low,
        "resolution_high": high, "both_safe": int(safe.sum()), "safer_wins": int((for_other & safe).sum()),
    }  # fmt: skip


def both_safe(judged: Judged) -> Bools:
    """Of each pair, by row: most raters call both responses safe."""
    number = len(judged.pairs)
    calls = np.zeros((number, 2, 2))
    for criterion in judged.criteria:
        if criterion.kind == Criterion.Kind.SAFETY:
            votes = judged.votes(criterion, gold=False)
            np.add.at(calls, (votes.pair, votes.unit_side[votes.unit].astype(np.int64) - 1, votes.answer), 1)
    safe = calls[:, :, 0] > calls[:, :, 1]
    return safe[:, 0] & safe[:, 1]


def _weights(judged: Judged, one: Criterion, other: Criterion, overall: Criterion | None) -> dict[str, float]:
    """How much each criterion weighs in the overall choice, of raters who answered all three; clustered by prompt."""
    if overall is None:
        return {}
    given = len(judged.given)
    grades = [_by_annotation(judged, criterion, given) for criterion in (one, other, overall)]
    kept = np.flatnonzero(~np.isnan(grades[0]) & ~np.isnan(grades[1]) & ~np.isnan(grades[2]) & (grades[2] != 0))
    design = np.column_stack([-grades[0][kept] / one.strengths, -grades[1][kept] / other.strengths])
    if len(kept) < LEAST_PAIRS or np.linalg.matrix_rank(design) < 2:
        return {}
    cluster = judged.pairs.item[judged.given.pair[kept]]
    found = logistic(design, (grades[2][kept] < 0).astype(np.float64), cluster, ridge=1e-3)
    ratio, error = found.ratio(1, 0)
    weights = {"weight_one": float(found.weights[0]), "weight_other": float(found.weights[1])}
    if weights["weight_one"] < Z * float(found.error[0]):
        return weights  # of what may weigh nothing there is no multiple
    return weights | {"ratio": ratio, "ratio_low": ratio - Z * error, "ratio_high": ratio + Z * error}


def _by_annotation(judged: Judged, criterion: Criterion, given: int) -> Floats:
    found = np.full(given, np.nan)
    votes = judged.votes(criterion, gold=False)
    sided = votes.value != BOTH_BAD
    found[votes.given[sided]] = votes.value[sided]
    return found


def _topics(table: Table, judged: Judged, one: str, other: str, decided: Bools, against: Bools) -> None:
    items, item = judged.items, judged.pairs.item
    for by, named in (("category", items.category), ("language", items.language)):
        for number in most_frequent(named, item, MOST_TOPICS):
            _topic(table, one, other, by, named.names[number], named.number[item] == number, decided, against)
    tags = np.bincount(items.tagged, minlength=len(items.tag_names))
    for number in np.argsort(-tags, kind="stable")[:MOST_TOPICS].tolist():
        has = np.isin(item, items.tagged_item[items.tagged == number])
        _topic(table, one, other, "tag", items.tag_names[number], has, decided, against)


def _topic(table: Table, one: str, other: str, by: str, of: str, here: Bools, decided: Bools, against: Bools) -> None:
    number, whole = int((against & here).sum()), int((decided & here).sum())
    if whole:
        low, high = wilson(number, whole)
        table.add(
            one=one,
            other=other,
            by=by,
            of=of,
            decided=whole,
            conflicts=number,
            share=number / whole,
            low=low,
            high=high,
        )
