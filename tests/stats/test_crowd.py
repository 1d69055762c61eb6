"""The simulated crowd: the same for the same seed, and the savings that were found for these rules before."""

from __future__ import annotations

import pytest

from labeling.stats.crowd import Crowd, Found, Rule, cost_at, draw, run

SEEDS = (1000, 1001, 1002)
SURES = (0.56, 0.62, 0.68, 0.74, 0.80)


def swept(crowd: Crowd, rules: list[Rule], pairs: int = 1000, raters: int = 40) -> list[Found]:
    """Each rule over the seeds, on the same draws."""
    drawn = [draw(crowd, pairs=pairs, raters=raters, places=7, seed=seed) for seed in SEEDS]
    runs = [[run(each, rule, seed) for each, seed in zip(drawn, SEEDS, strict=True)] for rule in rules]
    return [
        Found(sum(one.accuracy for one in each) / len(each), sum(one.judgments for one in each) / len(each))
        for each in runs
    ]


@pytest.fixture(scope="module")
def mixed() -> dict[str, Found | list[Found]]:
    rules = [Rule(overlap=1), Rule(overlap=3), Rule(overlap=5), Rule(third=True)]
    single, three, five, third, *adapting = swept(
        Crowd(),
        [
            *rules,
            *(Rule(sure=sure, most=7) for sure in SURES),
            *(Rule(sure=sure, most=7, trusted=True) for sure in SURES),
        ],
    )
    return {
        "1": single, "3": three, "5": five, "third": third, "adapting": adapting[: len(SURES)],
        "trusted": adapting[len(SURES) :],
    }  # fmt: skip


def test_the_same_seed_draws_the_same_crowd() -> None:
    one, other = (draw(Crowd(), pairs=200, raters=20, places=5, seed=3) for _ in range(2))
    assert (one.rater == other.rater).all() and (one.right == other.right).all()
    assert run(one, Rule(sure=0.8)) == run(other, Rule(sure=0.8))
    assert all(len(set(row)) == 5 for row in one.rater.tolist())  # nobody twice


def test_more_raters_are_right_more_often(mixed: dict[str, Found]) -> None:
    assert mixed["1"].accuracy < mixed["3"].accuracy < mixed["5"].accuracy
    assert 0.82 < mixed["3"].accuracy < 0.88  # two random raters of this crowd agree on about 64 of 100


def test_a_third_only_on_disagreement_gives_the_same_labels_for_a_fifth_less(mixed: dict[str, Found]) -> None:
    """Measured before: 21 %."""
    assert mixed["third"].accuracy == mixed["3"].accuracy
    assert 0.19 < 1 - mixed["third"].judgments / 3 < 0.24


def test_an_adapting_rule_saves_a_quarter_at_the_same_accuracy(mixed: dict[str, list[Found]]) -> None:
    """Measured before: 24 % (23 to 26) with at least two, 35 to 41 % with trusted singles whose grades are learned."""
    three: Found = mixed["3"]  # type: ignore[assignment]
    saved = {}
    for name in ("adapting", "trusted"):
        cost = cost_at([(one.judgments, one.accuracy) for one in mixed[name]], three.accuracy)
        assert cost is not None
        saved[name] = 1 - cost / 3
    assert 0.20 < saved["adapting"] < 0.30
    assert saved["adapting"] + 0.03 < saved["trusted"] < 0.42


def test_what_is_surer_asks_more_and_is_right_more_often(mixed: dict[str, list[Found]]) -> None:
    found = mixed["adapting"]
    assert [one.judgments for one in found] == sorted(one.judgments for one in found)
    assert found[-1].accuracy > found[0].accuracy + 0.03


def test_weak_crowds_save_less_and_trained_ones_are_right_more_often() -> None:
    rules = [Rule(overlap=3), Rule(third=True)]
    weak, good = (swept(crowd, rules) for crowd in (Crowd(0.55, 0.80), Crowd(0.75, 0.97, spam=0)))
    assert weak[0].accuracy < 0.78 < 0.90 < good[0].accuracy
    assert weak[1].judgments > good[1].judgments


def test_known_accuracies_stand_for_the_crowd() -> None:
    (found,) = swept(Crowd(spam=0, accuracies=(0.9, 0.92, 0.94)), [Rule(overlap=1)])
    assert 0.89 < found.accuracy < 0.95


def test_a_cost_between_two_points() -> None:
    assert cost_at([(3, 0.9), (2, 0.8)], 0.85) == pytest.approx(2.5)
    assert cost_at([(2, 0.8), (3, 0.9)], 0.7) == 2 and cost_at([(2, 0.8)], 0.9) is None and cost_at([], 0.5) is None
