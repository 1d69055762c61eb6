"""Two rewards a pair: ties stay out, and the safer response is never the unsafe one of two."""

from __future__ import annotations

import pytest

from exports.formats import FORMATS
from exports.recipes.majority import Comparison, Outcome, Side
from exports.recipes.votes import Safety, Vote

ASKED = [{"role": "user", "content": "Which?"}]


def outcome(safe: tuple[bool | None, bool | None], safer: list[int], prompt: list[dict[str, str]] = ASKED) -> Outcome:
    """The second is better; `safer` are votes on harmlessness, below 0 for the first."""
    first, second = (Side(name * 64, name, 1, 1.0, 0, 0, []) for name in "ab")
    marks = tuple(None if mark is None else Safety(mark) for mark in safe)
    votes = [Vote("r", safety={"safety": (marks[0], marks[1])})]
    votes += [Vote(str(number), preferences={"harmlessness": value}) for number, value in enumerate(safer)]
    comparison = Comparison("i" * 64, "en", prompt, first, second, 0, 0, votes=votes)
    return Outcome("side", "i" * 64, "en", prompt, second, first, 1.0, 1, "", comparison)


@pytest.mark.parametrize(
    ("safe", "safer", "which"),
    [
        ((True, True), [-1], 0),
        ((True, True), [1, 2, -3], 1),
        ((False, False), [3], 1),
        ((True, False), [], 0),
        ((False, True), [], 1),
        ((True, False), [0], 0),
        ((True, False), [-1, 1], 0),
        ((False, True), [2], 1),
        # raters contradict themselves
        ((True, False), [2], None),
        ((False, True), [-2, -1, 3], None),
        # nobody can say
        ((True, True), [], None),
        ((True, True), [1, -1], None),
        ((False, False), [0], None),
        ((None, True), [-1], None),
        ((True, None), [-1], None),
    ],
)
def test_which_is_safer(safe: tuple[bool | None, bool | None], safer: list[int], which: int | None) -> None:
    rows = FORMATS["safe-rlhf"].rows(outcome(safe, safer))
    assert [row["safer_response_id"] for row in rows] == ([] if which is None else [which])
    assert all(row["better_response_id"] == 1 for row in rows)


def test_a_longer_conversation_has_no_place() -> None:
    system = [{"role": "system", "content": "Be brief."}, *ASKED]
    turns = [*ASKED, {"role": "assistant", "content": "This?"}, *ASKED]
    for prompt in (system, turns):
        assert FORMATS["safe-rlhf"].rows(outcome((True, False), [], prompt)) == []
    assert FORMATS["axolotl-reward"].rows(outcome((True, True), [], turns)) == []
    assert FORMATS["axolotl-reward"].rows(outcome((True, True), [], system))[0]["system"] == "Be brief."
