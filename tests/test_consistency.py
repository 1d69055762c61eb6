"""Which answers do not go together: every rule on what fires it and what does not."""

import pytest

from labeling.consistency import Hint, Preference, Rating, Said, hints

UNSAFE = {"rule": "preferred_unsafe"}
FAR = {"rule": "far_from_ratings", "gap": 2}
NEITHER = {"rule": "neither_but_rated", "at": 4}


def prefers(value, key="helpfulness", top=3, decides=False):
    return Preference(key, value, top, decides)


def rated(first, second, span=4, key="quality"):
    return [Rating(key, -1, first, span), Rating(key, 1, second, span)]


@pytest.mark.parametrize(
    ("said", "fires"),
    [
        (Said([prefers(-2)], unsafe={-1: True, 1: False}), Hint("preferred_unsafe", "helpfulness", -1)),
        (Said([prefers(1)], unsafe={-1: False, 1: True}), Hint("preferred_unsafe", "helpfulness", 1)),
        (Said([prefers(-2)], unsafe={-1: False, 1: True}), None),
        (Said([prefers(-2)], unsafe={-1: True, 1: True}), None),
        (Said([prefers(0)], unsafe={-1: True, 1: False}), None),
        (Said([prefers(None)], unsafe={-1: True, 1: False}), None),
        (Said([prefers(-2)], unsafe={-1: True}), None),
        # the more helpful one is the unsafe one, the safer one the other: that is what two questions are for
        (Said([prefers(-2), prefers(3, "harmlessness")], unsafe={-1: True, 1: False}), None),
        (
            Said([prefers(-2), prefers(3, "harmlessness"), prefers(-1, "overall", decides=True)],
                 unsafe={-1: True, 1: False}),
            Hint("preferred_unsafe", "overall", -1),
        ),
        (
            Said([prefers(-1), prefers(-3, "harmlessness")], unsafe={-1: True, 1: False}),
            Hint("preferred_unsafe", "harmlessness", -1),
        ),
    ],
)  # fmt: skip
def test_preferred_though_unsafe(said, fires):
    assert hints(said, [UNSAFE]) == ([fires] if fires else [])


@pytest.mark.parametrize(
    ("value", "ratings", "fires"),
    [
        (-2, rated(2, 3), True),  # the other one is rated higher
        (-1, rated(5, 1), False),
        (3, rated(4, 4), True),  # much better, rated alike
        (2, rated(4, 4), False),
        (0, rated(1, 3), True),
        (0, rated(1, 2), False),
        (1, rated(1, 0) + rated(1, 2, key="other"), False),
        (1, [Rating("quality", -1, 5, 4)], False),
        (1, [], False),
        (-3, rated(0, 100, span=100), True),
        (None, rated(1, 5), False),
    ],
)
def test_far_from_the_ratings(value, ratings, fires):
    assert bool(hints(Said([prefers(value)], ratings), [FAR])) is fires


def test_the_top_of_a_scale_of_one_grade_is_no_exaggeration():
    assert not hints(Said([prefers(1, top=1)], rated(3, 3)), [FAR])


@pytest.mark.parametrize(
    ("value", "ratings", "fires"),
    [(None, rated(2, 4), True), (None, rated(3, 3), False), (1, rated(5, 5), False), (None, [], False)],
)
def test_neither_though_rated_high(value, ratings, fires):
    assert bool(hints(Said([prefers(value)], ratings), [NEITHER])) is fires


def test_rules_that_are_off_or_unknown_never_fire():
    said = Said([prefers(-2)], unsafe={-1: True, 1: False})
    assert hints(said, []) == hints(said, [{"rule": "made_up"}, {}]) == []


def test_each_rule_that_fires_is_told():
    said = Said([prefers(-3)], rated(1, 5), {-1: True, 1: False})
    assert [hint.rule for hint in hints(said, [UNSAFE, FAR, NEITHER])] == ["preferred_unsafe", "far_from_ratings"]
