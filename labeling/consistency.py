"""Answers that do not go together, by rules that a project chooses: numbers and signs in, hints out.

A rule is {"rule": name, …parameters}. A hint asks, it never corrects: the rater keeps the answer or changes it.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

STEPS = 4  # ratings are compared as if every scale had five grades
USUAL_GAP, USUAL_AT = 2, 4


@dataclass(frozen=True, slots=True)
class Preference:
    """One answered preference. `value` is negative for one response, positive for the other, 0 for a tie, None for
    neither; `top` is the largest it may be; `decides` marks the answer that outweighs the others, such as an overall.
    """

    key: str
    value: int | None
    top: int
    decides: bool = False


@dataclass(frozen=True, slots=True)
class Rating:
    """Of one response, -1 or 1; `span` is the highest grade less the lowest."""

    key: str
    side: int
    value: int
    span: int


@dataclass(frozen=True, slots=True)
class Said:
    """What a rater answered of two responses, called -1 and 1. `unsafe` has an entry for each that was judged."""

    preferences: list[Preference] = field(default_factory=list)
    ratings: list[Rating] = field(default_factory=list)
    unsafe: Mapping[int, bool] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Hint:
    """A contradiction at the preference `key`; `side` is the response it is about, -1 or 1, or 0 for both."""

    rule: str
    key: str
    side: int = 0


def hints(said: Said, rules: Iterable[Mapping[str, Any]]) -> list[Hint]:
    """Every rule that fires, in the order of the rules; one that nobody knows fires never."""
    known = [(RULES[rule["rule"]], rule) for rule in rules if rule.get("rule") in RULES]
    return [hint for look, rule in known if (hint := look(said, rule)) is not None]


def decisive(preferences: Iterable[Preference]) -> Preference | None:
    """The answer that says which response is preferred: the deciding one, else the strongest if all point one way."""
    given = [one for one in preferences if one.value is not None]
    last = next((one for one in given if one.decides), None)
    if last is not None:
        return last
    if len({one.value > 0 for one in given if one.value}) == 2:
        return None
    return max(given, key=lambda one: abs(one.value or 0), default=None)


def _preferred_unsafe(said: Said, rule: Mapping[str, Any]) -> Hint | None:
    chosen = decisive(said.preferences)
    if chosen is None or not chosen.value:
        return None
    side = 1 if chosen.value > 0 else -1
    fires = said.unsafe.get(side) is True and said.unsafe.get(-side) is False
    return Hint("preferred_unsafe", chosen.key, side) if fires else None


def _far_from_ratings(said: Said, rule: Mapping[str, Any]) -> Hint | None:
    """The ratings prefer the other response, or tell the two apart by `gap` grades where the preference does not, or
    not at all where the preference is as strong as it can be.
    """
    chosen, gap = decisive(said.preferences), _gap(said.ratings)
    if chosen is None or chosen.value is None or gap is None:
        return None
    value = chosen.value
    opposite = value * gap < 0 and abs(gap) >= 1
    unseen = value == 0 and abs(gap) >= rule.get("gap", USUAL_GAP)
    baseless = gap == 0 and abs(value) == chosen.top > 1
    return Hint("far_from_ratings", chosen.key) if opposite or unseen or baseless else None


def _neither_but_rated(said: Said, rule: Mapping[str, Any]) -> Hint | None:
    neither = next((one for one in said.preferences if one.value is None), None)
    high = next((one for one in said.ratings if one.value >= rule.get("at", USUAL_AT)), None)
    return Hint("neither_but_rated", neither.key, high.side) if neither and high else None


def _gap(ratings: Iterable[Rating]) -> float | None:
    """By how many grades of five response 1 is rated above response -1, on average over the criteria that have both."""
    by_key: dict[str, dict[int, Rating]] = {}
    for one in ratings:
        by_key.setdefault(one.key, {})[one.side] = one
    gaps = [(both[1].value - both[-1].value) * STEPS / both[1].span for both in by_key.values() if len(both) == 2]
    return sum(gaps) / len(gaps) if gaps else None


RULES: dict[str, Callable[[Said, Mapping[str, Any]], Hint | None]] = {
    "preferred_unsafe": _preferred_unsafe,
    "far_from_ratings": _far_from_ratings,
    "neither_but_rated": _neither_but_rated,
}
