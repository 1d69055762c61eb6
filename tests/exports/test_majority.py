"""The rule by which judgments become a preferred response."""

from __future__ import annotations

from typing import Any

import pytest

from exports.recipes.majority import DROPPED, Comparison, Outcome, Side, decide

ASKED = [{"role": "user", "content": "Why?"}]


def comparison(
    first: tuple[int, float], second: tuple[int, float], ties: int = 0, bad: int = 0, **more: Any
) -> Comparison:
    a, b = (Side(name * 64, f"answer {name}", *votes, 0, 0, []) for name, votes in (("a", first), ("b", second)))
    made = Comparison("i" * 64, "en", ASKED, a, b, ties, bad)
    for name, value in more.items():
        setattr(made, name, value)
    return made


@pytest.mark.parametrize(
    ("judged", "chosen", "margin", "strength"),
    [
        (comparison((1, 3), (0, 0)), "answer a", 3, 3),
        (comparison((0, 0), (1, 1)), "answer b", 1, 1),
        (comparison((2, 3), (1, 3)), "answer a", 0, 2),
        (comparison((1, 3), (2, 2)), "answer b", 0, 1),
        (comparison((2, 5), (1, 1)), "answer a", 1.3333, 3),
        (comparison((3, 7), (0, 0)), "answer a", 2.3333, 2),
        (comparison((1, 2), (0, 0), ties=4), "answer a", 0.4, 2),
        (comparison((1, 2), (0, 0), bad=1), "answer a", 1, 2),
        (comparison((1, 1.5), (0, 0)), "answer a", 1.5, 2),
    ],
)
def test_the_side_of_more_raters_is_chosen(judged: Comparison, chosen: str, margin: float, strength: int) -> None:
    outcome = decide(judged)
    assert isinstance(outcome, Outcome)
    assert (outcome.chosen.text, outcome.margin, outcome.strength) == (chosen, margin, strength)
    assert outcome.rejected.text != outcome.chosen.text


@pytest.mark.parametrize(
    ("judged", "reason"),
    [
        (comparison((0, 0), (0, 0)), "unjudged"),
        (comparison((1, 3), (1, 1)), "tie"),
        (comparison((0, 0), (0, 0), ties=3), "tie"),
        (comparison((1, 3), (0, 0), bad=2), "both_bad"),
        (comparison((0, 0), (0, 0), bad=1), "both_bad"),
        (comparison((1, 3), (0, 0), conversation=[]), "conversation"),
        (comparison((1, 3), (0, 0), conversation=[*ASKED, {"role": "assistant", "content": "So."}]), "conversation"),
        (comparison((1, 3), (0, 0), conversation=[*ASKED, *ASKED]), "conversation"),
        (comparison((1, 3), (0, 0), conversation=[*ASKED, {"role": "system", "content": "Be."}]), "conversation"),
        (comparison((1, 3), (0, 0), conversation=[{"role": "user", "content": " \n"}]), "conversation"),
        (comparison((1, 3), (0, 0), conversation=[{"role": "user", "content": [{"type": "image"}]}]), "conversation"),
    ],
)
def test_what_gives_no_row(judged: Comparison, reason: str) -> None:
    assert decide(judged) == reason
    assert reason in DROPPED


def test_too_few_judgments() -> None:
    judged = comparison((1, 3), (0, 0), ties=1)
    assert decide(judged, min_judgments=3) == "too_few"
    assert isinstance(decide(judged, min_judgments=2), Outcome)


def test_equal_texts_are_no_comparison() -> None:
    judged = comparison((1, 3), (0, 0))
    judged.second.text = judged.first.text
    assert decide(judged) == "same_text"


def test_rationales_are_of_the_chosen_side_in_an_order_of_their_own() -> None:
    judged = comparison((3, 6), (1, 1))
    judged.first.rationales, judged.second.rationales = ["Clear.", "Brief.", "Clear."], ["No."]
    outcome = decide(judged)
    assert isinstance(outcome, Outcome) and outcome.rationale == "Brief.\n\nClear."
    without = decide(judged, rationales=False)
    assert isinstance(without, Outcome) and without.rationale == ""


@pytest.mark.parametrize(
    ("safe", "unsafe", "said"), [(0, 0, None), (1, 0, True), (2, 1, True), (1, 1, False), (0, 1, False)]
)
def test_safety_is_what_most_said_and_unsafe_when_in_doubt(safe: int, unsafe: int, said: bool | None) -> None:
    assert Side("f", "t", 0, 0, safe, unsafe, []).is_safe is said


def test_the_same_comparison_of_two_items_is_judged_together() -> None:
    judged, twin = comparison((1, 3), (0, 0)), comparison((0, 0), (2, 2), ties=1)
    judged.add(twin)
    outcome = decide(judged)
    assert isinstance(outcome, Outcome) and outcome.chosen.text == "answer b"
    assert (judged.pairs, judged.judgments) == (2, 4)
