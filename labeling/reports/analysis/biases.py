"""What sways raters besides the answers: the side a response stands on, its place in the file, its length."""

from __future__ import annotations

import numpy as np

from labeling.models import Criterion
from labeling.reports.analysis.habits import LEAST_SIDED, sides
from labeling.reports.analysis.judged import BOTH_BAD, Judged, Votes
from labeling.reports.analysis.meetings import meetings
from labeling.reports.analysis.shape import Report, Table
from labeling.reports.analysis.source import Source
from labeling.stats.biases import Share, even_odds, position, wilson
from labeling.stats.counts import Floats
from labeling.stats.logistic import logistic

LEAST_DECIDED, LEAST_LENGTH = 200, 300
BINS = 5
MOST_PAIRS = 40
Z = 1.959963984540054


def biases(source: Source) -> Report:
    judged = source.judged
    report = Report(
        tables={
            "position": Table(
                ("criterion", "decided", "left", "share", "low", "high", "z", "p", "binomial_p", "enough")
            ),
            "position_raters": Table(("rater", "decided", "left", "share", "biased", "adjusted_p")),
            "stored_order": Table(("criterion", "first", "second", "ties", "share_first", "binomial_p")),
            "length": Table(
                ("criterion", "decided", "slope", "error", "low", "high", "longer_wins", "longer_low", "longer_high",
                 "enough")
            ),
            "length_curve": Table(("criterion", "bin", "from_ratio", "to_ratio", "decided", "share", "low", "high")),
            "length_models": Table(
                ("criterion", "model", "other", "decided", "share", "at_equal_length", "low", "high")
            ),
        }
    )  # fmt: skip
    for criterion in judged.preferences:
        votes = judged.votes(criterion)
        sided = votes.only((votes.value != 0) & (votes.value != BOTH_BAD))
        if not len(votes):
            continue
        _position(report, judged, criterion, votes, sided)
        _length(report, source, criterion, sided)
    _by_rater(report.tables["position_raters"], judged)
    return report


def _position(report: Report, judged: Judged, criterion: Criterion, votes: Votes, sided: Votes) -> None:
    first = sided.value < 0
    ties = int((votes.value == 0).sum())
    firsts = int(first.sum())
    report.tables["stored_order"].add(
        criterion=criterion.key, first=firsts, second=len(sided) - firsts, ties=ties,
        share_first=firsts / len(sided) if len(sided) else None, binomial_p=even_odds(firsts, len(sided)),
    )  # fmt: skip
    if not len(sided):
        return
    on_left = (first != judged.given.swapped[sided.given]).astype(np.float64)
    found = position(on_left, sided.rater)
    low, high = _ends(found)
    left, enough = int(on_left.sum()), len(sided) >= LEAST_DECIDED
    report.tables["position"].add(
        criterion=criterion.key, decided=len(sided), left=left, share=found.share, low=low, high=high, z=found.z,
        p=found.p, binomial_p=even_odds(left, len(sided)), enough=enough,
    )  # fmt: skip
    if enough:
        away = found.p < 0.05
        code = "position_biased" if away else "position_fair"
        report.say(
            code,
            {"criterion": criterion.key},
            "see_who" if away else "",
            share=found.share,
            p=found.p,
            decided=len(sided),
        )


def _ends(found: Share) -> tuple[float, float]:
    return found.share - Z * found.error, found.share + Z * found.error


def _by_rater(table: Table, judged: Judged) -> None:
    found = sides(judged)
    shown = np.flatnonzero(found.decided >= LEAST_SIDED)
    away = np.abs(found.left[shown] / found.decided[shown] - 0.5)
    for rater in shown[np.argsort(-away, kind="stable")].tolist():
        decided, left = found.decided[rater], found.left[rater]
        table.add(
            rater=judged.pseudonyms[rater], decided=decided, left=left, share=left / decided,
            biased=found.biased[rater], adjusted_p=found.adjusted[rater],
        )  # fmt: skip


def _length(report: Report, source: Source, criterion: Criterion, sided: Votes) -> None:
    """One row a pair from here on: the share that chose its first response, and how many did choose."""
    if not len(sided):
        return
    judged, number = source.judged, len(source.judged.pairs)
    times = np.bincount(sided.pair, minlength=number).astype(np.float64)
    firsts = np.bincount(sided.pair[sided.value < 0], minlength=number).astype(np.float64)
    rows = np.flatnonzero(times)
    ratio, times, firsts = source.texts.longer[rows], times[rows], firsts[rows]
    cluster = judged.pairs.item[rows]
    scale = float(np.sqrt(np.average((ratio - np.average(ratio, weights=times)) ** 2, weights=times)))
    if not scale:
        return
    design = np.column_stack([np.ones(len(rows)), np.tanh(ratio / scale)])
    found = logistic(design, firsts / times, cluster, times=times, ridge=1e-6)
    slope, error = float(found.weights[1]), float(found.error[1])
    longer = np.where(ratio > 0, firsts, times - firsts)[ratio != 0].sum()
    apart = times[ratio != 0].sum()
    low, high = wilson(longer, apart)
    enough = len(sided) >= LEAST_LENGTH
    report.tables["length"].add(
        criterion=criterion.key, decided=len(sided), slope=slope, error=error, low=slope - Z * error,
        high=slope + Z * error, longer_wins=longer / apart, longer_low=low, longer_high=high, enough=enough,
    )  # fmt: skip
    if enough:
        code = "length_matters" if abs(slope) > Z * error else "length_no_matter"
        report.say(code, {"criterion": criterion.key}, "", share=longer / apart, low=low, high=high)
    _curve(report.tables["length_curve"], criterion.key, ratio, firsts, times)
    _models(report.tables["length_models"], source, criterion, scale)


def _curve(table: Table, key: str, ratio: Floats, firsts: Floats, times: Floats) -> None:
    """How often the first is chosen, by how much longer it is: five bins with as many judgments each."""
    order = np.argsort(ratio, kind="stable")
    done = np.cumsum(times[order]) / times.sum()
    number = np.minimum((done - times[order] / times.sum() / 2) * BINS, BINS - 1).astype(np.int64)
    for place in range(BINS):
        rows = order[number == place]
        if not len(rows):
            continue
        chosen, of = firsts[rows].sum(), times[rows].sum()
        low, high = wilson(chosen, of)
        table.add(
            criterion=key, bin=place + 1, from_ratio=float(np.exp(ratio[rows[0]])),
            to_ratio=float(np.exp(ratio[rows[-1]])), decided=of, share=chosen / of, low=low, high=high,
        )  # fmt: skip


def _models(table: Table, source: Source, criterion: Criterion, scale: float) -> None:
    """Of each two models with enough judgments: how they stand, and how they would at equal length."""
    met = meetings(source.judged, source.judged.votes(criterion, gold=False))
    size = len(met.models)
    one, other = np.minimum(met.first, met.second), np.maximum(met.first, met.second)
    key, decided = one * size + other, met.won + met.lost
    sums = np.bincount(key, decided, size * size) if size else np.zeros(0)
    wanted = np.argsort(-sums, kind="stable")[:MOST_PAIRS]
    for pair in wanted[sums[wanted] >= LEAST_LENGTH].tolist():
        mine = np.flatnonzero((key == pair) & (decided > 0))
        turned = np.where(met.first[mine] == pair // size, 1.0, -1.0)
        won = np.where(turned > 0, met.won[mine], met.lost[mine])
        ratio = np.tanh(turned * source.texts.longer[met.pair[mine]] / scale)
        design = np.column_stack([np.ones(len(mine)), ratio])
        cluster = source.judged.pairs.item[met.pair[mine]]
        found = logistic(design, won / decided[mine], cluster, times=decided[mine], ridge=1e-6)
        middle, error = float(found.weights[0]), float(found.error[0])
        low, equal, high = (1 / (1 + np.exp(-(middle + shift * error))) for shift in (-Z, 0, Z))
        table.add(
            criterion=criterion.key, model=met.models[pair // size], other=met.models[pair % size],
            decided=decided[mine].sum(), share=won.sum() / decided[mine].sum(), at_equal_length=equal, low=low,
            high=high,
        )  # fmt: skip
