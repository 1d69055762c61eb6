"""Agreement, against published tables and against what independent libraries say of real judgments."""

from __future__ import annotations

from collections.abc import Callable
from itertools import combinations
from typing import Any

import numpy as np
import pytest

from labeling.stats import coefficients
from labeling.stats.counts import count_table, interval
from tests.stats.reference import DATA, Answers, Line, answers, figures, lines

NOT_HERE = pytest.mark.skipif(not DATA.exists(), reason="the reference data is not beside this checkout")
Keep = Callable[[Line], bool]


def of(name: str) -> Callable[[Line], Any]:
    return lambda row: row.get(name)


def first(row: Line) -> bool:
    return bool(row.get("seq", 1) == 1)


def about(criterion: str) -> Keep:
    return lambda row: row["criterion"] == criterion


DOUBT: Callable[[Line], Any] = lambda row: ["safe", "unsure", "unsafe"].index(row["label"])  # noqa: E731
SEVERITY: Callable[[Line], Any] = lambda row: "below" if row["score"] < 0 else "not"  # noqa: E731
# (reference file, block, judgments, field, its rows)
BLOCKS: list[tuple[str, str, str, Callable[[Line], Any], Keep]] = [
    ("classics", "fleiss1971_diagnoses.agreement", "classics/fleiss1971_diagnoses", of("label"), first),
    ("classics", "krippendorff2011_C.agreement", "classics/krippendorff2011_C", of("label"), first),
    ("classics", "gwet_raw4raters.agreement", "classics/gwet_raw4raters", of("label"), first),
    ("llmfao", "agreement", "llmfao", of("choice"), first),
    ("ukp", "agreement", "ukp", of("choice"), first),
    ("dices350", "agreement", "dices350", of("label"), first),
    ("dices350", "agreement_ordinal_safe_unsure_unsafe", "dices350", DOUBT, first),
    ("dices350", "agreement_without_unsure", "dices350", of("label"), first),
    ("convabuse", "first_pass", "convabuse", of("score"), first),
    ("convabuse", "first_pass_binary_below_zero", "convabuse", SEVERITY, first),
    ("msts", "textonly_800", "msts", of("label"), about("safety")),
    ("msts", "taxonomy_textonly", "msts", of("label"), about("taxonomy")),
    ("tulu", "agreement_choice", "tulu", of("choice"), about("preference")),
    ("tulu", "agreement_score_5pt", "tulu", of("score"), about("preference")),
]


def block_of(name: str, path: str) -> Line:
    found = figures(name)
    for part in path.split("."):
        found = found[part]
    return found


def classes_of(block: Line, field: Callable[[Line], Any]) -> list[Any]:
    if field is SEVERITY:
        return ["below", "not"]
    return list(block["categories"])


@pytest.mark.parametrize(
    ("name", "path", "folder", "field", "keep"),
    [pytest.param(*b, id=f"{b[0]}-{b[1]}", marks=() if b[0] == "classics" else NOT_HERE) for b in BLOCKS],
)
def test_the_coefficients_of_real_judgments(
    name: str, path: str, folder: str, field: Callable[[Line], Any], keep: Keep
) -> None:
    block = block_of(name, path)
    told = answers(lines(f"{folder}/judgments.jsonl"), classes_of(block, field), field, keep)
    counts = told.counts
    assert len(told.unit) == block["n_judgments"] and int((counts.sum(1) >= 2).sum()) == block["n_items_with_2plus"]
    assert coefficients.percent(counts) == pytest.approx(block["percent_agreement"], abs=1e-9)
    assert coefficients.percent_pooled(counts) == pytest.approx(block["percent_agreement_pooled"], abs=1e-9)
    assert coefficients.fleiss_kappa(counts) == pytest.approx(block["fleiss_kappa"], abs=1e-9)
    assert coefficients.gwet_ac1(counts) == pytest.approx(block["gwet_ac1"], abs=1e-9)
    assert coefficients.brennan_prediger(counts) == pytest.approx(block["brennan_prediger"], abs=1e-9)
    values = np.array(told.classes, dtype=np.float64) if isinstance(told.classes[0], int | float) else None
    for metric, alpha in block["krippendorff_alpha"].items():
        assert coefficients.krippendorff_alpha(counts, metric, values=values) == pytest.approx(alpha, abs=1e-9), metric


def test_alpha_by_ratios() -> None:
    """Krippendorff 2011, example C."""
    told = answers(lines("classics/krippendorff2011_C/judgments.jsonl"), [1, 2, 3, 4, 5], of("label"))
    values = np.arange(1.0, 6.0)
    assert coefficients.krippendorff_alpha(told.counts, "ratio", values=values) == pytest.approx(0.797402774, abs=1e-9)


@pytest.mark.parametrize(
    ("example", "observers"),
    [("krippendorff2011_A", ("observer_A", "observer_B")), ("krippendorff2011_B", ("Ben", "Gerry"))],
)
def test_two_observers(example: str, observers: tuple[str, str]) -> None:
    """Krippendorff 2011, examples A and B: by nominal categories."""
    block = figures("classics")[example]
    one, other = np.unique(block[observers[0]] + block[observers[1]], return_inverse=True)[1].reshape(2, -1)
    units = np.tile(np.arange(len(one)), 2)
    counts = count_table(units, np.concatenate([one, other]), len(one), int(max(one.max(), other.max())) + 1)
    assert coefficients.krippendorff_alpha(counts) == pytest.approx(block["alpha_nominal"], abs=1e-9)
    if "cohen_kappa" in block:
        assert coefficients.cohen_kappa(one, other, counts.shape[1]) == pytest.approx(block["cohen_kappa"], abs=1e-9)


def test_gwets_three_by_three() -> None:
    """The abstractors of Gwet's handbook, as R's irrCAC tells them."""
    block = figures("classics")["gwet_cont3x3abstractors"]
    table = np.array(block["table"])
    one, other = (np.repeat(np.arange(9), table.reshape(-1)) // 3, np.repeat(np.arange(9), table.reshape(-1)) % 3)
    assert coefficients.cohen_kappa(one, other, 3) == pytest.approx(block["cohen_kappa"], abs=1e-9)
    counts = count_table(np.tile(np.arange(100), 2), np.concatenate([one, other]), 100, 3)
    for name, ours in (("gwet_ac1", coefficients.gwet_ac1), ("fleiss_kappa", coefficients.fleiss_kappa)):
        assert ours(counts) == pytest.approx(block["agreement"][name], abs=1e-9)


@NOT_HERE
def test_cohens_kappa_of_every_two_raters() -> None:
    """ConvAbuse: of each two annotators, on what both judged."""
    block = figures("convabuse")
    told = answers(lines("convabuse/judgments.jsonl"), block["first_pass"]["categories"], of("score"), first)
    checked = 0
    for found in block["cohen_pairs"]:
        one, other = (by_unit(told, found[name]) for name in ("rater_1", "rater_2"))
        both = sorted(one.keys() & other.keys())
        left, right = (np.array([answer[unit] for unit in both]) for answer in (one, other))
        assert len(both) == found["n"]
        assert coefficients.cohen_kappa(left, right, 5) == pytest.approx(found["kappa"], abs=1e-9)
        checked += 1
    assert checked


def by_unit(told: Answers, name: str) -> dict[int, int]:
    mine = told.rater == told.raters.index(name)
    return dict(zip(told.unit[mine].tolist(), told.answer[mine].tolist(), strict=True))


def test_weights_for_neighbours() -> None:
    linear, quadratic = coefficients.partial_agreement(5), coefficients.partial_agreement(5, 2)
    assert linear[0].tolist() == [1.0, 0.75, 0.5, 0.25, 0.0] and quadratic[0, 1] == 0.9375
    one, other = np.array([0, 1, 2, 3, 4, 4]), np.array([0, 1, 2, 3, 4, 3])
    plain = coefficients.cohen_kappa(one, other, 5)
    assert plain < coefficients.cohen_kappa(one, other, 5, linear) < coefficients.cohen_kappa(one, other, 5, quadratic)


def test_ac2_is_ac1_where_only_the_same_agrees() -> None:
    counts = np.array([[3, 0, 0], [1, 2, 0], [0, 1, 2], [2, 0, 1], [0, 0, 3]])
    assert coefficients.gwet_ac2(counts, np.eye(3)) == pytest.approx(coefficients.gwet_ac1(counts))
    assert coefficients.gwet_ac2(counts, coefficients.partial_agreement(3)) > coefficients.gwet_ac1(counts)


def test_perfect_chance_and_nothing() -> None:
    same = np.array([[3, 0], [0, 3], [3, 0]])
    for coefficient in (coefficients.krippendorff_alpha, coefficients.fleiss_kappa, coefficients.gwet_ac1):
        assert coefficient(same) == pytest.approx(1.0)
        assert np.isnan(coefficient(np.array([[1, 0], [0, 1]])))  # nobody was asked twice
    assert np.isnan(coefficients.krippendorff_alpha(np.array([[2, 0], [3, 0]])))  # one answer only: nothing to explain


def test_a_rare_answer_and_the_kappa_paradox() -> None:
    counts = np.array([[2, 0]] * 95 + [[1, 1]] * 5)
    assert coefficients.percent(counts) == pytest.approx(0.95)
    assert coefficients.fleiss_kappa(counts) < 0 < 0.9 < coefficients.gwet_ac1(counts)


def test_weighting_a_row_is_repeating_it() -> None:
    rows = np.array([[3, 0, 0], [1, 2, 0], [0, 1, 2]])
    repeated = np.repeat(rows, [2, 1, 3], axis=0)
    weights = np.array([2.0, 1.0, 3.0])
    for coefficient in (coefficients.fleiss_kappa, coefficients.gwet_ac1, coefficients.brennan_prediger):
        assert coefficient(rows, weights) == pytest.approx(coefficient(repeated))
    alpha = coefficients.krippendorff_alpha
    assert alpha(rows, "ordinal", weights) == pytest.approx(alpha(repeated, "ordinal"))


@NOT_HERE
def test_the_interval_is_where_another_library_has_it() -> None:
    block = figures("llmfao")["agreement"]
    told = answers(lines("llmfao/judgments.jsonl"), block["categories"], of("choice"))
    low, high = interval(
        told.counts, lambda counts, w: coefficients.krippendorff_alpha(counts, "nominal", w), draws=500
    )
    error = block["package_cross_checks"]["irrCAC_krippendorff_nominal"]["se"]
    alpha = block["krippendorff_alpha"]["nominal"]
    assert low == pytest.approx(alpha - 1.96 * error, abs=0.004) and high == pytest.approx(
        alpha + 1.96 * error, abs=0.004
    )


def test_every_two_raters_agree_by_hand() -> None:
    counts = np.array([[2, 1, 0], [0, 2, 2], [1, 1, 1]])

    def pairs(row: list[int]) -> tuple[int, int]:
        said = [category for category, times in enumerate(row) for _ in range(times)]
        both = list(combinations(said, 2))
        return sum(one == other for one, other in both), len(both)

    told = [pairs(row) for row in counts.tolist()]
    assert coefficients.percent(counts) == pytest.approx(np.mean([same / of_all for same, of_all in told]))
    assert coefficients.percent_pooled(counts) == pytest.approx(sum(t[0] for t in told) / sum(t[1] for t in told))
