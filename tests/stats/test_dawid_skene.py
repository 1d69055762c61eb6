"""Dawid and Skene's crowd model, on their own patients and on real judgments."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

from labeling.stats.dawid_skene import Crowd, dawid_skene
from tests.stats.reference import DATA, Answers, Line, answers, figures, lines
from tests.stats.test_coefficients import SEVERITY, first, of

NOT_HERE = pytest.mark.skipif(not DATA.exists(), reason="the reference data is not beside this checkout")


def fitted(told: Answers, **options: Any) -> Crowd:
    return dawid_skene(told.unit, told.rater, told.answer, classes=len(told.classes), **options)


@NOT_HERE
@pytest.mark.parametrize(
    ("block", "folder", "field", "keep"),
    [
        (("classics", "dawid_skene1979_anesthesia", "dawid_skene"), "classics/dawid_skene1979_anesthesia",
         of("label"), lambda row: True),
        (("llmfao", "dawid_skene"), "llmfao", of("choice"), first),
        (("dices350", "dawid_skene_without_unsure"), "dices350", of("label"), first),
        (("dices350", "dawid_skene"), "dices350", of("label"), first),
        (("convabuse", "dawid_skene_binary"), "convabuse", SEVERITY, first),
        (("ukp", "dawid_skene"), "ukp", of("choice"), first),
    ],
    ids=lambda value: "-".join(value) if isinstance(value, tuple) else None,
)  # fmt: skip
def test_the_fit_is_that_of_the_reference(
    block: tuple[str, ...], folder: str, field: Callable[[Line], Any], keep: Callable[[Line], bool]
) -> None:
    found: Any = figures(block[0])
    for part in block[1:]:
        found = found[part]
    classes = ["below", "not"] if field is SEVERITY else list(found["classes"])
    told = answers(lines(f"{folder}/judgments.jsonl"), classes, field, keep)
    crowd = fitted(told, steps=20_000)
    named = [str(each) for each in found["classes"]]
    order = [named.index(name) for name in named]
    assert [crowd.prior[place] for place in order] == pytest.approx([found["prior"][name] for name in named], abs=1e-6)
    assert crowd.loglik == pytest.approx(found["loglik"], abs=1e-4) and crowd.change <= 1e-12
    for name, item in found.get("items", {}).items():
        place = told.units.index(name)
        assert crowd.posterior[place].tolist() == pytest.approx(item["posterior"], abs=1e-6), name
    accuracy = crowd.accuracy()
    for name, rater in found.get("raters", {}).items():
        place = told.raters.index(name)
        assert accuracy[place] == pytest.approx(rater["prior_weighted_accuracy"], abs=1e-6), name
        assert crowd.confusion[place] == pytest.approx(np.array(rater["confusion"]), abs=1e-6), name


def test_the_patients_of_1979() -> None:
    """Dawid and Skene 1979, table 2: the class marginals, to their two digits."""
    told = answers(lines("classics/dawid_skene1979_anesthesia/judgments.jsonl"), [1, 2, 3, 4], of("label"))
    published = figures("classics")["dawid_skene1979_anesthesia"]["published"]["marginals"]
    assert fitted(told).prior.round(2).tolist() == pytest.approx(published, abs=0.011)


def test_a_rater_who_always_errs_is_read_the_other_way_round() -> None:
    rng = np.random.default_rng(5)
    truth = rng.integers(0, 2, 200)
    unit, rater = np.repeat(np.arange(200), 5), np.tile(np.arange(5), 200)
    noisy = rng.random(1000) < 0.1
    said = np.where(rater == 4, 1 - truth[unit], np.where(noisy, 1 - truth[unit], truth[unit]))
    crowd = dawid_skene(unit, rater, said, classes=2)
    assert (crowd.posterior.argmax(1) == truth).mean() > 0.99
    assert crowd.accuracy()[4] < 0.1 < 0.8 < crowd.accuracy()[0]


def test_a_firm_belief_keeps_few_answers_from_saying_much() -> None:
    unit, rater, said = np.array([0, 0, 1, 1]), np.array([0, 1, 0, 1]), np.array([0, 0, 1, 0])
    believing = dawid_skene(unit, rater, said, classes=2, smoothing=4.0)
    assert (believing.accuracy() > 0.6).all()
    assert believing.posterior[0, 0] > 0.7
