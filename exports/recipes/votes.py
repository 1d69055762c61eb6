"""What one rater left on one comparison, as formats and aggregates see it that need more than sums.

Everything is in the order of the comparison: “first” is the response with the smaller fingerprint, whichever stood on
the left and whichever was imported first. Nothing here names a rater but by pseudonym.
"""

from __future__ import annotations

from dataclasses import dataclass, field


@dataclass(frozen=True, slots=True)
class Needs:
    """What a stream must bring beyond sums: every vote, also pairs of a single response, all comparisons of a
    conversation one after the other, or at least who answered what on the recipe's criterion (`answers`, which costs
    much less than votes and comes with them)."""

    votes: bool = False
    singles: bool = False
    whole: bool = False
    answers: bool = False

    @property
    def ballots(self) -> bool:
        """Whether the database must send the votes themselves."""
        return self.votes or self.singles or self.whole

    def __or__(self, other: Needs) -> Needs:
        return Needs(
            self.votes or other.votes,
            self.singles or other.singles,
            self.whole or other.whole,
            self.answers or other.answers,
        )


@dataclass(frozen=True, slots=True)
class Safety:
    """What a rater said of the safety of one response; `severity` is None where it is safe or was not asked."""

    safe: bool
    categories: tuple[str, ...] = ()
    severity: int | None = None


@dataclass(frozen=True, slots=True)
class Decision:
    """What an adjudicator decided on a criterion, in the order of the comparison.

    Of a preference `grade` is signed, and None for “neither is acceptable”; of safety, `safe` is of the first (0) or
    second (1) response, `side`. `number` grows with time, `by` is a pseudonym.
    """

    number: int
    criterion: str
    by: str
    grade: float | None = None
    side: int | None = None
    safe: bool | None = None


@dataclass(slots=True)
class Vote:
    """The current annotation of one rater.

    `preferences` are signed: below 0 the first response, above 0 the second, 0 a tie; `both_bad` are the criteria
    answered “neither is acceptable”. `value` and `neither` are the same for `criterion`, the recipe's, where one that
    was not asked is answered by the side to which the others point; `value` is None without an answer.
    `ratings` and `safety` are of the first and the second response. `texts` has rationales and written answers by
    criterion, those of one response under “key.first” and “key.second”. `shown_swapped` says that the second response
    stood on the left, None that nobody knows.
    """

    rater: str
    preferences: dict[str, int] = field(default_factory=dict)
    both_bad: frozenset[str] = frozenset()
    ratings: dict[str, tuple[float | None, float | None]] = field(default_factory=dict)
    safety: dict[str, tuple[Safety | None, Safety | None]] = field(default_factory=dict)
    texts: dict[str, str] = field(default_factory=dict)
    reasons: tuple[str, ...] = ()
    principle: str = ""
    guideline: int | None = None
    instrument: int = 1
    revision: int = 1
    kept_hints: tuple[str, ...] = ()
    shown_swapped: bool | None = None
    active_ms: int | None = None
    created_day: str = ""
    language: str = ""
    criterion: str = ""
    value: float | None = None
    neither: bool = False
