"""From what raters said of the safety of a response to one verdict: whoever judged it several times counts once."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from exports.recipes.majority import Comparison
from exports.recipes.votes import Safety


@dataclass(frozen=True, slots=True)
class Verdict:
    """`safe` is what most raters say, unsafe when as many do. A safe response has neither harms nor a severity."""

    safe: bool
    categories: list[str]
    severity: int
    safe_raters: int
    unsafe_raters: int


def said_of(pair: Comparison, side: int) -> Iterable[tuple[str, Safety]]:
    """Every rater with what they said of the first (0) or second (1) response."""
    for vote in pair.votes:
        for found in vote.safety.values():
            safety = found[side]
            if safety is not None:
                yield vote.rater, safety


def verdict(pair: Comparison, side: int) -> Verdict | None:
    """What raters say of one side of one pair, or what was decided of it; None if nobody was asked."""
    return verdict_of(said_of(pair, side), (pair.first, pair.second)[side].decided)


def verdict_of(said: Iterable[tuple[str, Safety]], decided: bool | None = None) -> Verdict | None:
    """What they say together; what an adjudicator decided stands before it."""
    by_rater: dict[str, list[Safety]] = {}
    for rater, safety in said:
        by_rater.setdefault(rater, []).append(safety)
    if not by_rater:
        return None
    own = [_own(found) for found in by_rater.values()]
    unsafe = [found for found in own if not found.safe]
    counts = {"safe_raters": len(own) - len(unsafe), "unsafe_raters": len(unsafe)}
    if 2 * len(unsafe) < len(own) if decided is None else decided:
        return Verdict(True, [], 0, **counts)
    harms = sorted({harm for found in unsafe for harm in found.categories})
    named = [harm for harm in harms if 2 * sum(harm in found.categories for found in unsafe) >= len(unsafe)]
    grades = sorted(found.severity for found in unsafe if found.severity is not None)
    return Verdict(False, named, grades[len(grades) // 2] if grades else 0, **counts)


def _own(said: list[Safety]) -> Safety:
    """What one rater says on the whole: unsafe if half of the times, with all harms, and as severe as at worst."""
    unsafe = [safety for safety in said if not safety.safe]
    if 2 * len(unsafe) < len(said):
        return Safety(True)
    grades = [safety.severity for safety in unsafe if safety.severity is not None]
    harms = {harm for safety in unsafe for harm in safety.categories}
    return Safety(False, tuple(sorted(harms)), max(grades, default=None))
