"""A recipe as a function of one comparison, over votes made up by hand."""

from __future__ import annotations

from typing import Any

import pytest

from exports.recipes import read_recipe
from exports.recipes.deciding import Deciding, Known
from exports.recipes.majority import BOTH_BAD, DROPPED, SIDE, TIE, Comparison, Outcome, Side
from exports.recipes.trust import OneCoin
from exports.recipes.votes import Safety, Vote

ASKED = [{"role": "user", "content": "Why?"}]
# Only plain pairs, in which the votes of a are right in nine of ten, those of b and c in six.
PLAIN = (0.0, 1.0, 0.0, 0.0)
A, B = 0.5 + 0.4 / 0.85, 0.5 + 0.1 / 0.85
KNOWN = Known(
    strengths={"helpfulness": 3, "harmlessness": 3, "overall": 3},
    pointing=("helpfulness", "harmlessness"),
    trust={key: OneCoin({"a": A, "b": B, "c": B}, 0.7, PLAIN) for key in ("helpfulness", "harmlessness")},
    groups={"a": "North", "b": "North", "c": "South"},
)


def vote(rater: str, helpful: float | None = None, harmless: int | None = None, **more: Any) -> Vote:
    given = {"helpfulness": helpful, "harmlessness": harmless}
    made = Vote(rater, {key: value for key, value in given.items() if value is not None}, value=helpful, language="en")  # type: ignore[misc]
    for name, value in more.items():
        setattr(made, name, value)
    return made


def bad(rater: str) -> Vote:
    return Vote(rater, both_bad=frozenset({"helpfulness"}), neither=True)


def comparison(*votes: Vote) -> Comparison:
    first, second = (Side(name * 64, f"answer {name}", 0, 0, 0, 0, []) for name in "12")
    made = Comparison("i" * 64, "en", ASKED, first, second, 0, 0, votes=list(votes))
    for one in votes:
        for side, grade in ((first, -1), (second, 1)):
            if one.value and one.value * grade > 0:
                side.raters, side.strength = side.raters + 1, side.strength + abs(one.value)
        for told in one.safety.values():
            for side, safety in zip((first, second), told, strict=True):
                if safety:
                    side.safe, side.unsafe = side.safe + safety.safe, side.unsafe + (not safety.safe)
        made.ties += one.value == 0
        made.both_bad += one.neither
    return made


def decide(judged: Comparison, takes: frozenset[str] = frozenset({SIDE}), **recipe: Any) -> list[Outcome] | str:
    return Deciding(read_recipe({"format": "dpo"} | recipe), takes, KNOWN)(judged)


def only(judged: Comparison, **recipe: Any) -> Outcome:
    found = decide(judged, **recipe)
    assert isinstance(found, list) and len(found) == 1, found
    return found[0]


def chosen(judged: Comparison, **recipe: Any) -> str:
    """The number of the chosen response, or the reason why there is none."""
    found = decide(judged, **recipe)
    return found if isinstance(found, str) else " ".join(one.chosen.text[-1] for one in found)


SAFE, UNSAFE = Safety(True), Safety(False, ("privacy",), 2)


def test_majority_by_votes_is_majority_by_sums() -> None:
    judged = comparison(vote("a", -3), vote("b", 1), vote("c", 2), vote("d", 0))
    by_sums = only(judged)
    by_votes = only(judged, margin="none")
    assert (by_sums.chosen.text, by_sums.strength) == (by_votes.chosen.text, by_votes.strength) == ("answer 2", 2)
    assert (by_votes.chosen.raters, by_votes.rejected.raters) == (2, 1)
    assert (by_sums.margin, by_votes.margin) == (0, 0)
    assert by_votes.p_chosen == pytest.approx(2 / 3, abs=1e-4)


def test_margins() -> None:
    judged = comparison(vote("a", 3), vote("b", 2), vote("c", -1))
    margins = {"mean": 4 / 3, "llama2": 3, "llama2_small": 1, "none": 0}
    assert {kind: only(judged, margin=kind).margin for kind in margins} == pytest.approx(margins, abs=1e-4)
    sure = only(comparison(vote("a", -1)), aggregate="one_coin", margin="log_odds")
    assert (sure.margin, sure.p_chosen) == pytest.approx((2.1972, 0.9), abs=1e-3)
    several = comparison(*(vote("a", -1) for _ in range(9)))
    assert only(several, aggregate="one_coin", margin="log_odds").margin == 3  # clipped


def test_reliability_outweighs_number() -> None:
    judged = comparison(vote("a", -1), vote("b", 3), vote("c", 3))
    assert chosen(judged) == "2"
    found = only(judged, aggregate="one_coin", labels="soft")
    assert found.chosen.text == "answer 1" and found.p_chosen == pytest.approx(9 / (9 + 1.5**2), abs=1e-4)
    assert 0.5 < found.share < found.p_chosen
    assert chosen(judged, aggregate="one_coin", threshold=0.81) == "uncertain"


def test_each_judgment_gives_its_row() -> None:
    judged = comparison(
        vote("a", -3, texts={"helpfulness": "Clear."}, safety={"safety": (SAFE, UNSAFE)}),
        vote("b", 1),
        vote("c", 0),
        bad("d"),
    )
    found = decide(judged, aggregate="each")
    assert [(one.chosen.text[-1], one.margin, one.strength, one.rationale) for one in found] == [  # type: ignore[union-attr]
        ("1", 3, 3, "Clear."),
        ("2", 1, 1, ""),
    ]
    assert isinstance(found, list) and (found[0].chosen.is_safe, found[1].chosen.is_safe) == (True, None)
    kinds = decide(judged, frozenset({SIDE, TIE, BOTH_BAD}), aggregate="each")
    assert isinstance(kinds, list) and [one.kind for one in kinds] == [SIDE, SIDE, TIE, BOTH_BAD]
    assert decide(comparison(vote("c", 0)), aggregate="each") == "tie"
    assert decide(judged, aggregate="each", filters={"min_judgments": 5}) == "too_few"


def test_ten_copies() -> None:
    judged = comparison(vote("a", -1), vote("b", 3), vote("c", 3))
    found = decide(judged, aggregate="one_coin", labels="copies")  # 0.8
    assert isinstance(found, list) and [one.chosen.text[-1] for one in found] == ["1"] * 8 + ["2"] * 2
    assert {one.chosen.text + one.rejected.text for one in found} == {"answer 1answer 2", "answer 2answer 1"}


# --- several criteria ---


def test_weighted_is_each_raters_weighted_mean() -> None:
    judged = comparison(vote("a", -3, 2), vote("b", 1, 1), vote("c", -1, 3))
    assert chosen(judged) == chosen(judged, criterion="helpfulness") == "1"
    both = {"combine": "weighted", "weights": {"helpfulness": 1, "harmlessness": 3}}
    found = only(judged, criterion=both)
    assert found.chosen.text == "answer 2" and (found.chosen.raters, found.rejected.raters) == (3, 0)
    assert found.margin == pytest.approx((0.75 + 1 + 2) / 3, abs=1e-4)
    alone = only(comparison(vote("a", -2)), criterion=both)  # who answered one of them only
    assert (alone.chosen.text, alone.margin) == ("answer 1", 2)
    assert chosen(comparison(bad("a")), criterion=both) == "both_bad"
    even = {"combine": "weighted", "weights": {"helpfulness": 2, "harmlessness": 3}}
    assert chosen(comparison(vote("a", -3, 2)), criterion=even) == "tie"


def test_safer_wins() -> None:
    safer = {"combine": "safer_wins"}
    judged = comparison(vote("a", -3, 1), vote("b", -3, 0), vote("c", -2, 0))
    assert chosen(judged) == "1"
    found = only(judged, criterion=safer)
    assert (found.chosen.text, found.chosen.raters, found.rejected.raters) == ("answer 2", 1, 0)
    assert chosen(comparison(vote("a", -3, 0)), criterion=safer) == "1"  # no safer one: the more helpful
    marked = vote("a", -3, 0, safety={"safety": (UNSAFE, SAFE)})
    assert chosen(comparison(marked), criterion=safer) == "2"  # the one response that was marked safe
    assert chosen(comparison(vote("a", 0, 0)), criterion=safer) == "tie"
    assert chosen(comparison(vote("a", None, -1)), criterion=safer) == "1"


def test_safer_wins_by_reliability() -> None:
    judged = comparison(vote("a", 1, -1), vote("b", 1, 1), vote("c", 1, 1))
    assert chosen(judged, criterion={"combine": "safer_wins"}) == "2"
    assert chosen(judged, criterion={"combine": "safer_wins"}, aggregate="one_coin") == "1"


def test_conflicts_are_left_out() -> None:
    leave = {"filters": {"exclude": ["conflict"]}}
    assert chosen(comparison(vote("a", -3, 1)), **leave) == "conflict"
    assert chosen(comparison(vote("a", -3, 0)), **leave) == "1"
    assert chosen(comparison(vote("a", -3, -1)), **leave) == "1"
    assert chosen(comparison(vote("a", -3, 1), vote("b", -1, -1)), **leave) == "1"  # the raters are even on one
    weighted = {"combine": "weighted", "weights": {"helpfulness": 1, "harmlessness": 1}}
    assert chosen(comparison(vote("a", -3, 1)), criterion=weighted, **leave) == "conflict"


@pytest.mark.parametrize(
    ("first", "second", "kept"),
    [
        (SAFE, SAFE, {"preferred_unsafe": "1", "unsafe": "1"}),
        (UNSAFE, SAFE, {"preferred_unsafe": "preferred_unsafe", "unsafe": "unsafe"}),
        (UNSAFE, UNSAFE, {"preferred_unsafe": "1", "unsafe": "unsafe"}),
        (SAFE, UNSAFE, {"preferred_unsafe": "1", "unsafe": "1"}),
        (None, None, {"preferred_unsafe": "1", "unsafe": "1"}),
    ],
)
@pytest.mark.parametrize("margin", ["mean", "none"])  # by sums, and by votes
def test_unsafe_choices_are_left_out(
    first: Safety | None, second: Safety | None, kept: dict[str, str], margin: str
) -> None:
    judged = comparison(vote("a", -2, safety={"safety": (first, second)}))
    assert {name: chosen(judged, margin=margin, filters={"exclude": [name]}) for name in kept} == kept


# --- kept apart ---


def test_groups_are_decided_by_their_own_votes() -> None:
    judged = comparison(vote("a", -3), vote("b", -1), vote("c", 2), vote("nobody", 3))
    found = decide(judged, apart="region")
    assert isinstance(found, list)
    assert [(one.group, one.chosen.text[-1], one.chosen.raters) for one in found] == [
        ("North", "1", 2),
        ("South", "2", 1),
    ]
    assert decide(comparison(vote("nobody", 3)), apart="region") == "small_group"
    assert decide(judged, apart="region", filters={"min_judgments": 3}) == "too_few"


def test_languages_are_decided_by_their_own_votes() -> None:
    judged = comparison(vote("a", -3), vote("b", 2, language="zh-Hans"), vote("c", 2, language="zh-Hant"))
    found = decide(judged, apart="language")
    assert isinstance(found, list)
    assert [(one.group, one.chosen.text[-1]) for one in found] == [("en", "1"), ("zh-Hans", "2"), ("zh-Hant", "2")]


def test_texts_that_no_trainer_uses_are_found_after_the_votes() -> None:
    judged = comparison(vote("a", -3))
    judged.second.text = judged.first.text
    assert decide(judged, margin="none") == decide(judged) == "same_text"
    judged.images = True
    assert decide(judged, margin="none") == decide(judged) == "images"
    assert decide(comparison(vote("a", 0)), margin="none") == "tie"
    assert decide(comparison(), margin="none") == "unjudged"


def test_every_reason_has_its_words() -> None:
    reasons = {"small_group", "conflict", "preferred_unsafe", "unsafe", "uncertain", "spread", "weak"}
    assert reasons < DROPPED.keys()
