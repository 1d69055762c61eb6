"""What each rater's work shows: how reliable, how fast, how steady. By pseudonym; a help to decide whom to talk to."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

import numpy as np

from labeling.models import Criterion
from labeling.reports.analysis import crowds, habits
from labeling.reports.analysis.flags import Facts, Flag, flags
from labeling.reports.analysis.habits import Course, Paces, Sides
from labeling.reports.analysis.judged import BOTH_BAD, Judged
from labeling.reports.analysis.shape import Report, Table, clean
from labeling.reports.analysis.source import Source
from labeling.stats.counts import Floats, Ints
from labeling.stats.patterns import Pattern

LEAST_VOTES = 10  # judgments that others share, or known answers, before a reliability is shown
DAYS = 14
_COLUMNS = (
    "rater", "annotations", "judgments", "decided", "left", "left_share", "ties", "tie_share", "median_active_ms",
    "taken_ms", "usual_ms", "reading_ms", "too_fast", "reliability", "reliability_low", "reliability_high", "poor",
    "votes", "agree", "others", "gold_right", "gold", "repeats", "repeats_same", "keys", "run", "usual_run", "run_p",
    "turns", "turns_p", "entropy", "side_bias", "side_bias_adjusted", "drift_since", "drift_before", "drift_after",
    "accuracy", "last_at", "flags",
)  # fmt: skip


@dataclass(slots=True)
class Known:
    """Of all raters, by row, on the criterion that the report goes by; arrays and dictionaries by the rater's row."""

    standing: dict[str, Floats]
    votes: Ints
    agree: Ints
    others: Ints
    accuracy: Floats
    gold: tuple[Ints, Ints]
    sides: Sides
    paces: Paces
    patterns: dict[int, Pattern]
    courses: dict[int, Course]
    repeats: dict[int, tuple[int, int]]


def raters(source: Source) -> Report:
    judged = source.judged
    report = Report(
        tables={
            "raters": Table(_COLUMNS),
            "flags": Table(("rater", "code", "verb", "one", "other", "since")),
            "days": Table(("rater", "day", "annotations", "median_ms")),
            "charts": Table(("rater", "place", "day", "level")),
            "reliability": Table(("criterion", "rater", "votes", "mean", "low", "high", "poor")),
            "repeats": Table(
                ("criterion", "rater", "repeats", "same", "share", "low", "high", "kappa", "weighted_kappa")
            ),
            **{name: Table(columns) for name, columns in crowds.TABLES.items()},
        }
    )
    main = main_criterion(judged)
    known = _known(source, main, report.tables)
    report.figures = {
        "criterion": main.key if main else None,
        "pace_slope": known.paces.slope,
        "raters": len(judged.raters),
    }
    _rows(source, known, report)
    _days(report.tables["days"], judged)
    for rater, course in known.courses.items():
        habits.chart_points(report.tables["charts"], judged.pseudonyms[rater], course)
    return report


def main_criterion(judged: Judged) -> Criterion | None:
    """The first preference that anybody answered, else the first criterion of another kind."""
    answered = [judged.criteria[number] for number in np.unique(judged.answer_criterion).tolist()]
    return next((one for one in answered if one.kind == Criterion.Kind.PREFERENCE), next(iter(answered), None))


def _known(source: Source, main: Criterion | None, tables: dict[str, Table]) -> Known:
    judged, number = source.judged, len(source.judged.raters)
    nothing: Floats = np.full(number, np.nan)
    found = Known(
        dict.fromkeys(("mean", "low", "high", "poor"), nothing), np.zeros(number, np.int64), np.zeros(number, np.int64),
        np.zeros(number, np.int64), nothing, source.gold.by_rater(None, number), habits.sides(judged),
        habits.paces(source), {}, {}, habits.repeats(source, tables["repeats"]),
    )  # fmt: skip
    for criterion in judged.criteria:
        votes = judged.votes(criterion, gold=False)
        if not len(votes):
            continue
        agree, others = crowds.leave_one_out(judged, votes, tables["leave_one_out"])
        accuracy = crowds.errors(judged, votes, tables)
        standing, shared = None, None
        if criterion.kind == Criterion.Kind.PREFERENCE:
            standing, shared = _standing(source, criterion, tables["reliability"])
        if criterion == main:
            found.agree, found.others, found.accuracy = agree, others, accuracy
            if standing is not None and shared is not None:
                found.standing, found.votes = standing, shared
    if main is not None and main.kind == Criterion.Kind.PREFERENCE:
        found.patterns, found.courses = habits.patterns(judged, main), habits.courses(source, main)
    return found


def _standing(source: Source, criterion: Criterion, table: Table) -> tuple[dict[str, Floats], Ints]:
    """What queues go by where they know the rater, else what is learned here; empty under LEAST_VOTES."""
    learned = source.learned(criterion).standing
    shown = {name: np.array(getattr(learned, name), dtype=np.float64) for name in ("mean", "low", "high", "poor")}
    votes = np.array(learned.judgments, dtype=np.int64)
    for rater, kept in source.standings(criterion).items():
        votes[rater] = kept.judgments
        for name, values in shown.items():
            values[rater] = getattr(kept, name)
    for rater in np.flatnonzero(votes).tolist():
        table.add(
            criterion=criterion.key, rater=source.judged.pseudonyms[rater], votes=votes[rater],
            **{name: values[rater] for name, values in shown.items()},
        )  # fmt: skip
    return {name: np.where(votes >= LEAST_VOTES, values, np.nan) for name, values in shown.items()}, votes


def _rows(source: Source, known: Known, report: Report) -> None:
    """Busiest first."""
    judged, number = source.judged, len(source.judged.raters)
    given = judged.given
    annotations = np.bincount(given.rater, minlength=number)
    answers = np.bincount(given.rater[judged.answer_given], minlength=number)
    tied, sided = _ties(judged)
    last = np.zeros(number)
    np.maximum.at(last, given.rater, given.at)
    pass_share = source.project.pass_percent / 100
    for rater in np.lexsort((judged.raters, -annotations)).tolist():
        facts = _facts(rater, known)
        raised = list(flags(facts, pass_share))
        cells = _cells(rater, known) | {
            "annotations": annotations[rater], "judgments": answers[rater], "ties": tied[rater],
            "tie_share": tied[rater] / sided[rater] if sided[rater] else None,
            "last_at": datetime.fromtimestamp(last[rater], UTC).isoformat(),
            "flags": " ".join(flag.code for flag in raised),
        }  # fmt: skip
        report.tables["raters"].add(rater=judged.pseudonyms[rater], **cells)
        for flag in raised:
            _raise(report, judged.pseudonyms[rater], flag)


def _cells(rater: int, known: Known) -> dict[str, Any]:
    keys, course, paces, sides = known.patterns.get(rater), known.courses.get(rater), known.paces, known.sides
    standing = known.standing
    from_keys: dict[str, Callable[[Pattern], Any]] = {
        "keys": lambda one: one.keys, "run": lambda one: one.run, "usual_run": lambda one: one.usual_run,
        "run_p": lambda one: one.run_p, "turns": lambda one: one.turns, "turns_p": lambda one: one.turns_p,
        "entropy": lambda one: one.entropy,
    }  # fmt: skip
    same, again = known.repeats.get(rater, (0, 0))
    median = paces.median[rater]
    return {
        "decided": sides.decided[rater], "left": sides.left[rater],
        "left_share": sides.left[rater] / sides.decided[rater] if sides.decided[rater] else None,
        "side_bias": sides.biased[rater], "side_bias_adjusted": sides.adjusted[rater],
        "median_active_ms": None if np.isnan(median) else round(float(median)), "taken_ms": paces.taken[rater],
        "usual_ms": paces.usual[rater], "reading_ms": paces.reading[rater], "too_fast": paces.too_fast[rater],
        "reliability": standing["mean"][rater], "reliability_low": standing["low"][rater],
        "reliability_high": standing["high"][rater], "poor": standing["poor"][rater], "votes": known.votes[rater],
        "agree": known.agree[rater], "others": known.others[rater], "gold_right": known.gold[0][rater],
        "gold": known.gold[1][rater], "repeats": again, "repeats_same": same, "accuracy": known.accuracy[rater],
        "drift_since": course.since if course else None, "drift_before": course.drift.before if course else None,
        "drift_after": course.drift.after if course else None,
    } | {name: read(keys) if keys else None for name, read in from_keys.items()}  # fmt: skip


def _facts(rater: int, known: Known) -> Facts:
    def number(values: Floats) -> float | None:
        return None if np.isnan(values[rater]) else float(values[rater])

    return Facts(
        votes=int(known.votes[rater]), reliability=number(known.standing["mean"]), poor=number(known.standing["poor"]),
        decided=int(known.sides.decided[rater]), left=int(known.sides.left[rater]),
        side_adjusted=float(known.sides.adjusted[rater]), taken=number(known.paces.taken),
        reading=number(known.paces.reading), too_fast=number(known.paces.too_fast), pattern=known.patterns.get(rater),
        course=known.courses.get(rater), repeats=known.repeats.get(rater, (0, 0)),
        gold=(int(known.gold[0][rater]), int(known.gold[1][rater])),
    )  # fmt: skip


def _raise(report: Report, pseudonym: str, flag: Flag) -> None:
    cells = {"one": clean(flag.one), "other": clean(flag.other), "since": flag.since}
    report.tables["flags"].add(rater=pseudonym, code=flag.code, verb=flag.verb, **cells)
    report.say(f"rater_{flag.code}", {"rater": pseudonym}, flag.verb, **cells)


def _ties(judged: Judged) -> tuple[Ints, Ints]:
    """Ties, and preferences that are a tie or a side, of each rater."""
    number = len(judged.raters)
    tied, sided = np.zeros(number, np.int64), np.zeros(number, np.int64)
    for criterion in judged.preferences:
        votes = judged.votes(criterion)
        graded = votes.value != BOTH_BAD
        tied += np.bincount(votes.rater[votes.value == 0], minlength=number)
        sided += np.bincount(votes.rater[graded], minlength=number)
    return tied, sided


def _days(table: Table, judged: Judged) -> None:
    """Of each rater the last DAYS days with work, oldest first."""
    given = judged.given
    day = np.floor(given.at / 86_400).astype(np.int64)
    for rater, mine in habits.by_rater(given.rater, len(judged.raters)).items():
        days, place = np.unique(day[mine], return_inverse=True)
        taken = np.where(given.active_ms[mine] > 0, given.active_ms[mine], np.nan).astype(np.float64)
        for number in range(max(0, len(days) - DAYS), len(days)):
            here = taken[place == number]
            here = here[~np.isnan(here)]
            table.add(
                rater=judged.pseudonyms[rater], day=habits.day_of(float(days[number]) * 86_400),
                annotations=int((place == number).sum()), median_ms=float(np.median(here)) if len(here) else None,
            )  # fmt: skip
