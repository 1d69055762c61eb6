"""What a manager should look at: two numbers and one verb, never a verdict. Nothing is done by it."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from labeling.reports.analysis.habits import LEAST_SIDED, Course
from labeling.stats.biases import wilson
from labeling.stats.patterns import Pattern

SURELY_POOR, LEAST_VOTES = 0.95, 20
TOO_FAST_SHARE = 0.2
FALSE_ALARMS = 0.05
BY_CHANCE, LONGEST_USUAL, LEAST_RUN, TURNING = 0.002, 1.5, 10, -0.4
LEAST_REPEATS, LEAST_SAME = 10, 0.7
LEAST_GOLD = 8


@dataclass(frozen=True, slots=True)
class Facts:
    """What is known of one rater; a number that is not known is None."""

    votes: int
    reliability: float | None
    poor: float | None
    decided: int
    left: int
    side_adjusted: float
    taken: float | None
    reading: float | None
    too_fast: float | None
    pattern: Pattern | None
    course: Course | None
    repeats: tuple[int, int]
    gold: tuple[int, int]


@dataclass(frozen=True, slots=True)
class Flag:
    """`one` and `other` are the two numbers of the code's sentence; `since` a day where it began on one."""

    code: str
    verb: str
    one: Any
    other: Any
    since: str | None = None


def flags(facts: Facts, pass_share: float) -> Iterator[Flag]:
    """Most serious first. `pass_share` is how many known answers the project asks to be met."""
    if facts.votes >= LEAST_VOTES and facts.poor is not None and facts.poor > SURELY_POOR:
        yield Flag("unreliable", "pause", facts.reliability, facts.votes)
    if facts.too_fast is not None and facts.too_fast >= TOO_FAST_SHARE:
        yield Flag("too_fast", "review", facts.taken, facts.reading)
    right, known = facts.gold
    if known >= LEAST_GOLD and wilson(right, known)[1] < pass_share:
        yield Flag("known_answers", "review", right, known)
    yield from _keys(facts)
    if facts.course is not None and facts.course.drift.change is not None:
        yield Flag("slipping", "talk", facts.course.drift.before, facts.course.drift.after, facts.course.since)
    same, repeats = facts.repeats
    if repeats >= LEAST_REPEATS and wilson(same, repeats)[1] < LEAST_SAME:
        yield Flag("inconsistent", "talk", same, repeats)


def _keys(facts: Facts) -> Iterator[Flag]:
    keys = facts.pattern
    if keys is not None and keys.entropy == 0:
        yield Flag("only_key", "review", keys.run, keys.keys)
    elif keys is not None and _is_straight(keys):
        yield Flag("same_key", "review", keys.run, keys.usual_run)
    if keys is not None and keys.turns_p <= BY_CHANCE and keys.turns < TURNING:
        yield Flag("alternates", "review", keys.turns, keys.keys)
    if facts.decided >= LEAST_SIDED and facts.side_adjusted <= FALSE_ALARMS:
        yield Flag("favours_side", "review", facts.left / facts.decided, facts.decided)


def _is_straight(keys: Pattern) -> bool:
    return keys.run_p <= BY_CHANCE and keys.run >= max(LEAST_RUN, LONGEST_USUAL * keys.usual_run)
