"""How strong each model is: Bradley-Terry-Davidson with intervals clustered by prompt, and the counts behind it."""

from __future__ import annotations

from dataclasses import dataclass
from math import sqrt
from typing import Any

import numpy as np

from labeling.reports.analysis.judged import Judged, Votes, most_frequent
from labeling.reports.analysis.meetings import Meetings, meetings
from labeling.reports.analysis.shape import Report, Table
from labeling.reports.analysis.source import Source
from labeling.stats.biases import wilson
from labeling.stats.bradley_terry import TIE, WIN, Strengths, bradley_terry, components
from labeling.stats.counts import Floats, Ints
from labeling.stats.davidson import Controlled, Met, davidson_counts

LEAST_A_MODEL = 100  # comparisons before a model is ranked
LEAST_SLICE = 30
MOST_SLICES = 12
MOST_MODELS_SLICED = 20
STYLE = ("length", "lists", "headings")
Z = 1.959963984540054

_CRITERIA = (
    "criterion", "comparisons", "models", "components", "ties", "tie_share", "both_bad", "left_out", "tie_parameter",
    "loglik", "plain_loglik", "baseline",
)  # fmt: skip
_MODELS = (
    "criterion", "model", "rank", "component", "wins", "ties", "losses", "both_bad", "comparisons", "win_share",
    "strength", "error", "low", "high", "best", "against_baseline", "against_low", "against_high", "plain",
    "plain_error", "controlled", "controlled_low", "controlled_high", "enough",
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class Plain:
    """Strengths and errors (models,), NaN where they are not finite; `loglik` of all parts that are."""

    theta: Floats
    error: Floats
    loglik: float


@dataclass(frozen=True, slots=True)
class Board:
    """Fits of one criterion. `group` numbers the parts of the graph that were never compared with each other."""

    met: Meetings
    group: Ints
    tied: Controlled
    plain: Plain
    controlled: Controlled
    baseline: int


def models(source: Source) -> Report:
    judged = source.judged
    report = Report(
        tables={
            "criteria": Table(_CRITERIA),
            "models": Table(_MODELS),
            "brackets": Table(("criterion", "bracket", "model")),
            "matrix": Table(("criterion", "model", "other", "wins", "ties", "losses", "share")),
            "slices": Table(("criterion", "by", "of", "model", "wins", "ties", "losses", "win_share", "low", "high")),
            "ties": Table(("criterion", "by", "of", "comparisons", "tie_share", "low", "high")),
            "style": Table(("criterion", "what", "weight", "error", "low", "high")),
        }
    )
    for criterion in judged.preferences:
        votes = judged.votes(criterion, gold=False)
        met = meetings(judged, votes)
        if met.models and met.settled:
            board = _board(source, met)
            _standings(report, criterion.key, board)
            _matrix(report.tables["matrix"], criterion.key, met)
            _slices(report, judged, votes, met)
        elif len(votes):
            report.tables["criteria"].add(
                criterion=criterion.key, comparisons=0, models=0, components=0, left_out=met.left_out
            )
    return report


def _board(source: Source, met: Meetings) -> Board:
    size = len(met.models)
    cluster = source.judged.pairs.item[met.pair]
    nothing = np.zeros((len(met.pair), 0))
    tied = davidson_counts(Met(met.first, met.second, met.won, met.tied, met.lost, cluster, nothing), size)
    beside = source.texts.beside[met.pair]
    told = [column for column in range(len(STYLE)) if beside[:, column].std() > 1e-9]
    controlled = davidson_counts(
        Met(met.first, met.second, met.won, met.tied, met.lost, cluster, beside[:, told]), size
    )
    weights, errors = np.full(len(STYLE), np.nan), np.full(len(STYLE), np.nan)
    weights[told], errors[told] = controlled.weights, controlled.errors
    group = components(met.first, met.second, size)
    wins, ties, _ = met.matrix()
    baseline = int((wins + wins.T + ties).sum(1).argmax())
    return Board(met, group, tied, _plain(met, group), Controlled(controlled.strengths, weights, errors), baseline)


def _plain(met: Meetings, group: Ints) -> Plain:
    """Bradley-Terry, a tie being half a win, as leaderboards elsewhere have it; each part of the graph by itself.

    Only where from every model a way of wins leads to every other: without that a strength is not finite.
    """
    wins, ties, _ = met.matrix()
    found = Plain(np.full(len(group), np.nan), np.full(len(group), np.nan), 0.0)
    for part in range(int(group.max()) + 1):
        mine = np.flatnonzero(group == part)
        here = np.ix_(mine, mine)
        if len(mine) < 2 or not _strongly_connected(wins[here] + ties[here]):
            return Plain(found.theta, found.error, float("nan"))
        fitted = _fitted(wins[here], ties[here])
        found.theta[mine], found.error[mine] = fitted.theta, fitted.error
        found = Plain(found.theta, found.error, found.loglik + fitted.loglik)
    return found


def _fitted(wins: Floats, ties: Floats) -> Strengths:
    size = len(wins)
    won = [(i, j, WIN, int(wins[i, j])) for i in range(size) for j in range(size) if wins[i, j]]
    tied = [(i, j, TIE, int(ties[i, j])) for i in range(size) for j in range(i + 1, size) if ties[i, j]]
    table = np.array(won + tied, dtype=np.int64)
    left, right, outcome = (np.repeat(table[:, column], table[:, 3]) for column in range(3))
    return bradley_terry(left, right, outcome, size)


def _strongly_connected(beats: Floats) -> bool:
    reach = (beats > 0) | np.eye(len(beats), dtype=np.bool_)
    for _ in range(max(1, int(np.ceil(np.log2(max(2, len(beats))))))):
        reach = (reach.astype(np.float64) @ reach.astype(np.float64)) > 0
    return bool(reach.all())


def _standings(report: Report, key: str, board: Board) -> None:
    met, strengths, size = board.met, board.tied.strengths, len(board.met.models)
    wins, ties, bad = met.matrix()
    settled = wins.sum(1) + wins.sum(0) + ties.sum(1)
    report.tables["criteria"].add(
        criterion=key, comparisons=met.settled + met.neither.sum(), models=size, components=board.group.max() + 1,
        ties=met.tied.sum(), tie_share=met.tied.sum() / met.settled, both_bad=met.neither.sum(), left_out=met.left_out,
        tie_parameter=strengths.tie, loglik=strengths.loglik, baseline=met.models[board.baseline],
        plain_loglik=board.plain.loglik,
    )  # fmt: skip
    best, enough = _best(board), settled >= LEAST_A_MODEL
    rank = _ranks(strengths.theta, board.group)
    for model in np.lexsort((-strengths.theta, board.group)).tolist():
        report.tables["models"].add(
            criterion=key, model=met.models[model], rank=rank[model], component=board.group[model],
            wins=wins[model].sum(), ties=ties[model].sum(), losses=wins[:, model].sum(), both_bad=bad[model].sum(),
            comparisons=settled[model] + bad[model].sum(),
            win_share=(wins[model].sum() + ties[model].sum() / 2) / settled[model], best=best[model],
            plain=board.plain.theta[model],
            plain_error=board.plain.error[model], enough=bool(enough[model]),
            **_interval(strengths, model, ""), **_interval(board.controlled.strengths, model, "controlled_"),
            **_against(board, model),
        )  # fmt: skip
    for name, weight, error in zip(STYLE, board.controlled.weights, board.controlled.errors, strict=True):
        report.tables["style"].add(
            criterion=key, what=name, weight=weight, error=error, low=weight - Z * error, high=weight + Z * error
        )
    _say(report, key, board, bool(enough.all()))


def _interval(strengths: Strengths, model: int, prefix: str) -> dict[str, Any]:
    theta, error = float(strengths.theta[model]), float(strengths.error[model])
    ends = {f"{prefix}low": theta - Z * error, f"{prefix}high": theta + Z * error}
    return ends | ({"controlled": theta} if prefix else {"strength": theta, "error": error})


def _against(board: Board, model: int) -> dict[str, Any]:
    """How often it is preferred to the baseline, the model with most comparisons; empty where they never met."""
    strengths, base = board.tied.strengths, board.baseline
    if board.group[model] != board.group[base]:
        return {}
    gap = float(strengths.theta[model] - strengths.theta[base])
    cov = strengths.cov
    error = sqrt(max(0.0, float(cov[model, model] + cov[base, base] - 2 * cov[model, base])))
    low, middle, high = (1 / (1 + np.exp(-(gap + shift * error))) for shift in (-Z, 0, Z))
    return {"against_baseline": middle, "against_low": low, "against_high": high}


def _best(board: Board) -> Floats:
    """P(it is the strongest), within its part of the graph; those parts cannot be ranked against each other."""
    found = np.zeros(len(board.met.models))
    for part in range(int(board.group.max()) + 1):
        mine = np.flatnonzero(board.group == part)
        strengths = board.tied.strengths
        within = Strengths(strengths.theta[mine], strengths.cov[np.ix_(mine, mine)], None, 0.0)
        found[mine] = within.best()
    return found


def _ranks(theta: Floats, group: Ints) -> Ints:
    rank = np.zeros(len(theta), dtype=np.int64)
    for part in range(int(group.max()) + 1):
        mine = np.flatnonzero(group == part)
        rank[mine[np.argsort(-theta[mine], kind="stable")]] = np.arange(1, len(mine) + 1)
    return rank


def brackets(strengths: Strengths, group: Ints) -> list[list[int]]:
    """Runs of models, strongest first, of which no two can be told apart (95 %); those within a longer run left out."""
    found: list[list[int]] = []
    for part in range(int(group.max()) + 1):
        mine = np.flatnonzero(group == part)
        order = mine[np.argsort(-strengths.theta[mine], kind="stable")].tolist()
        reached = 0
        for start in range(len(order)):
            end = start + 1
            while end < len(order) and all(_alike(strengths, one, order[end]) for one in order[start:end]):
                end += 1
            if end - start > 1 and end > reached:
                found.append(order[start:end])
                reached = end
    return found


def _alike(strengths: Strengths, one: int, other: int) -> bool:
    cov = strengths.cov
    variance = float(cov[one, one] + cov[other, other] - 2 * cov[one, other])
    return abs(float(strengths.theta[one] - strengths.theta[other])) < Z * sqrt(max(0.0, variance))


def _say(report: Report, key: str, board: Board, enough: bool) -> None:
    names, strengths = board.met.models, board.tied.strengths
    for number, bracket in enumerate(brackets(strengths, board.group), start=1):
        for model in bracket:
            report.tables["brackets"].add(criterion=key, bracket=number, model=names[model])
    about = {"criterion": key}
    if board.group.max() > 0:
        report.say("models_disconnected", about, "compare_more", components=int(board.group.max()) + 1)
        return
    order = np.argsort(-strengths.theta, kind="stable").tolist()
    if not enough:
        report.say("models_too_few", about, "", least=LEAST_A_MODEL)
    if len(order) < 2:
        return
    first, second = order[:2]
    code = "models_alike" if _alike(strengths, first, second) else "models_leader"
    share = strengths.wins_against(first, second)
    report.say(code, about, "", model=names[first], other=names[second], share=share)


def _matrix(table: Table, key: str, met: Meetings) -> None:
    wins, ties, _ = met.matrix()
    for i, j in zip(*np.nonzero(wins + wins.T + ties), strict=True):
        won, tied, lost = wins[i, j], ties[i, j], wins[j, i]
        share = (won + tied / 2) / (won + tied + lost)
        table.add(
            criterion=key, model=met.models[i], other=met.models[j], wins=won, ties=tied, losses=lost, share=share
        )


def _slices(report: Report, judged: Judged, votes: Votes, met: Meetings) -> None:
    """Win rates of each model, and ties of all, by category, tag and language. Ties tell of prompts, not of models."""
    items, item = judged.items, judged.pairs.item[met.pair]
    for by, named in (("category", items.category), ("language", items.language)):
        for number in most_frequent(named, item, MOST_SLICES):
            here = met.only(named.number[item] == number)
            _slice(report, votes.criterion.key, by, named.names[number], here)
    tags = np.bincount(items.tagged, minlength=len(items.tag_names))
    for number in np.argsort(-tags, kind="stable")[:MOST_SLICES].tolist():
        has = np.isin(item, items.tagged_item[items.tagged == number])
        _slice(report, votes.criterion.key, "tag", items.tag_names[number], met.only(has))


def _slice(report: Report, key: str, by: str, of: str, met: Meetings) -> None:
    if met.settled < LEAST_SLICE:
        return
    tied = float(met.tied.sum())
    low, high = wilson(round(tied), round(met.settled))
    report.tables["ties"].add(
        criterion=key, by=by, of=of, comparisons=met.settled, tie_share=tied / met.settled, low=low, high=high
    )
    wins, ties, _ = met.matrix()
    settled = wins.sum(1) + wins.sum(0) + ties.sum(1)
    for model in np.argsort(-settled, kind="stable")[:MOST_MODELS_SLICED].tolist():
        if settled[model] < LEAST_SLICE:
            continue
        won = wins[model].sum() + ties[model].sum() / 2
        low, high = wilson(won, settled[model])
        report.tables["slices"].add(
            criterion=key, by=by, of=of, model=met.models[model], wins=wins[model].sum(), ties=ties[model].sum(),
            losses=wins[:, model].sum(), win_share=won / settled[model], low=low, high=high,
        )  # fmt: skip
