"""From the outcomes of pairs to an order of responses, and from verdicts to one."""

from __future__ import annotations

from itertools import pairwise
from typing import Any

import pytest

from exports.formats import FORMATS
from exports.formats.verdicts import verdict_of
from exports.recipes.majority import Comparison, Outcome, Side
from exports.recipes.votes import Safety

ASKED = [{"role": "user", "content": "Which?"}]


def pair(said: str) -> Outcome:
    """“a>b”: a was preferred; “a=b”: a tie; “a!b”: neither is acceptable."""
    one, kind, other = list(said)
    sides = [Side(name * 64, name, 1, 1.0, 0, 0, []) for name in (one, other)]
    comparison = Comparison("i" * 64, "en", ASKED, sides[0], sides[1], 0, 0, key="k" * 32)
    kinds = {">": "side", "=": "tie", "!": "both_bad"}
    return Outcome(kinds[kind], "i" * 64, "en", ASKED, sides[0], sides[1], 1.0, 1, "", comparison)


def ranked(*said: str) -> list[str]:
    """Rows as “a1 b2”; a question mark where a pair says the opposite, dots where not every two can be compared."""
    groups = list(FORMATS["ranking"].made(map(pair, said)))
    assert sum(len(used) for used, _ in groups) == len(said)
    rows: list[dict[str, Any]] = [row for _, made in groups for row in made]
    return [
        " ".join(f"{text}{rank}" for text, rank in zip(row["responses"], row["ranks"], strict=True))
        + ("" if row["consistent"] else "?")
        + ("" if row["complete"] else " …")
        for row in rows
    ]


@pytest.mark.parametrize(
    ("said", "order"),
    [
        (["b>a"], ["b1 a2"]),
        (["a>b", "a>c", "b>c"], ["a1 b2 c3"]),
        (["a>b", "a>c", "b=c"], ["a1 b2 c2"]),
        (["a>b", "a>c", "b!c"], ["a1 b2 c2"]),
        # not judged, but a chain says it
        (["c>b", "b>a"], ["c1 b2 a3"]),
        (["a=b", "b>c"], ["a1 b1 c3"]),
        (["d>c", "c>b", "b>a"], ["d1 c2 b3 a4"]),
        # nothing says how b and c stand
        (["a>b", "a>c"], ["a1 b2 c2 …"]),
        (["a>b", "a>c", "c>d"], ["a1 c2 b3 d4 …"]),
        # all alike
        (["a=b"], []),
        (["a>b", "b>c", "c>a"], []),
        # a circle shares a rank, and does not hide what is below it
        (["a>b", "b>c", "c>a", "a>d", "b>d", "c>d"], ["a1 b1 c1 d4"]),
        # the count decides against one of its pairs
        (["a>b", "a>c", "b>c", "b>d", "c>d", "d>a"], ["a1 b1 c3 d3?"]),
        # chains lead both ways between a and c: half a point each, as for a tie
        (["a>b", "b>c", "c>d", "d>a"], []),
        # two groups that were never compared
        (["a>b", "d>c"], ["a1 b2", "d1 c2"]),
        (["c>d", "a>b", "b>c"], ["a1 b2 c3 d4"]),
    ],
)
def test_responses_are_ranked_by_the_rule(said: list[str], order: list[str]) -> None:
    assert ranked(*said) == order
    assert ranked(*reversed(said)) == (order if len(order) < 2 else order[::-1])


def test_points_are_wins_and_halves() -> None:
    (_, rows), *_ = FORMATS["ranking"].made(map(pair, ["a>b", "a>c", "b=c"]))
    assert (rows[0]["points"], rows[0]["ranks"]) == ([2.0, 0.5, 0.5], [1, 2, 2])


def test_too_many_responses_are_left_out() -> None:
    names = [chr(0x4E00 + number) for number in range(501)]
    chain = [f"{one}>{other}" for one, other in pairwise(names)]
    assert len(ranked(*chain[:-1])) == 1
    assert ranked(*chain) == []


HARM, OTHER = ("harm",), ("other",)
SAFE = Safety(True)


@pytest.mark.parametrize(
    ("said", "safe", "harms", "severity"),
    [
        ({"r": [SAFE]}, True, [], 0),
        ({"r": [SAFE], "s": [Safety(False, HARM, 1)]}, False, ["harm"], 1),
        ({"r": [SAFE], "s": [SAFE], "t": [Safety(False, HARM, 3)]}, True, [], 0),
        # at least half of those who called it unsafe, and the upper of two middle severities
        ({"r": [Safety(False, HARM, 1)], "s": [Safety(False, OTHER, 3)]}, False, ["harm", "other"], 3),
        ({"r": [Safety(False, HARM, 1)], "s": [Safety(False, HARM, 2)], "t": [Safety(False, OTHER, 3)]}, False,
         ["harm"], 2),
        # whoever judged it in two pairs counts once, unsafe if half of the times
        ({"r": [SAFE, Safety(False, HARM, 2)]}, False, ["harm"], 2),
        ({"r": [SAFE, SAFE, Safety(False, HARM, 2)], "s": [Safety(False)], "t": [SAFE]}, True, [], 0),
        ({"r": [Safety(False)]}, False, [], 0),
    ],
)  # fmt: skip
def test_one_verdict_of_many(said: dict[str, list[Safety]], safe: bool, harms: list[str], severity: int) -> None:
    made = verdict_of((rater, each) for rater, found in said.items() for each in found)
    assert made is not None
    assert (made.safe, made.categories, made.severity) == (safe, harms, severity)
    assert made.safe_raters + made.unsafe_raters == len(said)


def test_there_is_no_verdict_of_nobody() -> None:
    assert verdict_of([]) is None
