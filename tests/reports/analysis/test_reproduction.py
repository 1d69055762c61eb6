"""Real judgments, imported and analysed: every figure that independent libraries computed of them, to 1e-6.

The data and where it comes from: real/README.md.
"""

from __future__ import annotations

from typing import Any

import pytest

from labeling.models import Criterion, SecondLook
from tests.reports.analysis.conftest import Analysed, findings

CLOSE = 1e-6
SIDES = {"a": "first", "b": "second", "tie": "tie"}


def close(value: float) -> Any:
    return pytest.approx(value, abs=CLOSE)


def check_agreement(of: Analysed, key: str, block: dict[str, Any]) -> None:
    row = of.row("agreement", "slices", criterion=key, by="all")
    assert (row["judgments"], row["units"]) == (block["n_judgments"], block["n_items_with_2plus"])
    names = {
        "percent": "percent_agreement",
        "percent_pooled": "percent_agreement_pooled",
        "fleiss": "fleiss_kappa",
        "ac1": "gwet_ac1",
        "brennan_prediger": "brennan_prediger",
    }
    for ours, theirs in names.items():
        assert row[ours] == close(block[theirs]), ours
    alphas = {"nominal": "alpha", "ordinal": "ordinal", "interval": "interval"}
    for metric, alpha in block["krippendorff_alpha"].items():
        assert row[alphas[metric]] == close(alpha), metric
    assert row["alpha_low"] < row["alpha"] < row["alpha_high"]
    if "bootstrap" in block:  # of another scheme, so only near
        low, high = block["bootstrap"]
        assert (row["alpha_low"], row["alpha_high"]) == (pytest.approx(low, abs=0.05), pytest.approx(high, abs=0.05))


def check_leave_one_out(of: Analysed, key: str) -> None:
    rows = of.rows("raters", "leave_one_out", criterion=key)
    assert {of.names[row["rater"]]: [row["others"], row["agree"]] for row in rows} == of.expected["leave_one_out"]


def check_dawid_skene(of: Analysed, key: str, answers: dict[str, str]) -> None:
    block = of.expected["dawid_skene"]
    prevalence = {row["answer"]: row for row in of.rows("raters", "prevalence", criterion=key)}
    for theirs, ours in answers.items():
        assert prevalence[ours]["share"] == close(block["prior"][theirs])
        assert prevalence[ours]["labels"] == block["labels"].get(theirs, 0)
        assert prevalence[ours]["loglik"] == pytest.approx(block["loglik"], abs=1e-5)
    raters = {of.names[row["rater"]]: row for row in of.rows("raters", "dawid_skene", criterion=key)}
    assert block["raters"]
    for name, (judgments, accuracy, own) in block["raters"].items():
        row = raters[name]
        assert (row["judgments"], row["accuracy"], row["own_accuracy"]) == (judgments, close(accuracy), close(own))


def check_strengths(of: Analysed, key: str) -> None:
    block = of.expected["bradley_terry"]
    rows = {row["model"]: row for row in of.rows("models", "models", criterion=key)}
    assert rows.keys() == block["scores"].keys()
    for name, (theta, error, wins, losses, ties) in block["scores"].items():
        row = rows[name]
        assert (row["wins"], row["losses"], row["ties"]) == (wins, losses, ties)
        assert (row["plain"], row["plain_error"]) == (close(theta), close(error))
    criterion = of.row("models", "criteria", criterion=key)
    assert criterion["plain_loglik"] == pytest.approx(block["loglik"], abs=1e-5)
    if "davidson" in block:  # ours has a small ridge, which keeps the undefeated finite
        assert criterion["tie_parameter"] == pytest.approx(block["davidson"]["nu"], abs=1e-4)
        for name, theta in block["davidson"]["theta"].items():
            assert rows[name]["strength"] == pytest.approx(theta, abs=5e-4)


def check_order(of: Analysed, row: dict[str, Any], block: dict[str, Any]) -> None:
    assert row["binomial_p"] == close(block["binom_p_two_sided"])
    assert row.get("share_first", row.get("share")) == close(block["share_a_of_decided"])


def test_llmfao(analysed):
    of = analysed("llmfao", lambda choice: {"criterion": "helpfulness", "choice": choice})
    check_agreement(of, "helpfulness", of.expected["agreement"])
    check_leave_one_out(of, "helpfulness")
    check_dawid_skene(of, "helpfulness", SIDES)
    check_strengths(of, "helpfulness")
    order = of.row("biases", "stored_order", criterion="helpfulness")
    assert (order["first"], order["second"], order["ties"]) == (2911, 2549, 3471)
    check_order(of, order, of.expected["stored_order"])


def test_ukp(analysed):
    of = analysed("ukp", lambda choice: {"criterion": "convincing", "choice": choice})
    check_agreement(of, "convincing", of.expected["agreement"])
    check_leave_one_out(of, "convincing")
    check_dawid_skene(of, "convincing", SIDES)
    # two topics whose arguments never met: each has strengths of its own, and there is no common ranking
    check_strengths(of, "convincing")
    assert of.row("models", "criteria", criterion="convincing")["components"] == 2
    assert [one.code for one in of.found["models"].sentences] == ["models_disconnected"]
    check_order(of, of.row("biases", "stored_order", criterion="convincing"), of.expected["stored_order"])


def test_tulu(analysed):
    def answer(choice, strength, score, swapped, good_a, good_b):
        shown = {"shown_swapped": swapped}
        rows = [shown | {"criterion": "preference", "choice": choice, **({"strength": strength} if strength else {})}]
        rows.append(shown | {"criterion": "grade", "score": score, "response": "a"})
        for side, good in (("a", good_a), ("b", good_b)):
            rows.append(shown | {"criterion": "acceptable", "score": int(good == "yes"), "response": side})
        return rows

    of = analysed("tulu", answer)
    check_agreement(of, "preference", of.expected["agreement"])
    check_agreement(of, "grade", of.expected["grades"])
    check_agreement(of, "acceptable", of.expected["acceptable"])
    # the grades of the preference itself: the file's five are the middle ones of our seven
    row = of.row("agreement", "slices", criterion="preference", by="all")
    assert row["ordinal"] == close(of.expected["grades"]["krippendorff_alpha"]["ordinal"])
    assert row["interval"] == close(of.expected["grades"]["krippendorff_alpha"]["interval"])
    check_leave_one_out(of, "preference")
    check_strengths(of, "preference")
    position = of.row("biases", "position", criterion="preference")
    check_order(of, position, of.expected["as_shown"])
    assert (position["left"], position["decided"]) == (210, 377)


def test_dices350(analysed):
    of = analysed("dices350", lambda level: {"criterion": "unsafe", "score": level}, single=True)
    check_agreement(of, "unsafe", of.expected["agreement"])
    check_leave_one_out(of, "unsafe")
    check_dawid_skene(of, "unsafe", {"safe": "0", "unsure": "1", "unsafe": "2"})


def test_dices350_without_unsure(analysed):
    labels = {0: "safe", 2: "unsafe"}
    of = analysed(
        "dices350",
        lambda level: {"criterion": "safety", "label": labels[level]} if level in labels else [],
        single=True,
    )
    check_agreement(of, "safety", of.expected["without_unsure"])


def test_msts(analysed):
    def answer(label, kind):
        return [{"criterion": "safety", "label": label}, {"criterion": "taxonomy", "score": kind}]

    of = analysed("msts", answer, single=True)
    check_agreement(of, "safety", of.expected["agreement"])
    row = of.row("agreement", "slices", criterion="taxonomy", by="all")
    block = of.expected["taxonomy"]
    assert row["percent"] == close(block["percent_agreement"]) and row["fleiss"] == close(block["fleiss_kappa"])
    assert row["alpha"] == close(block["krippendorff_alpha"]["nominal"])
    check_leave_one_out(of, "safety")
    assert of.row("agreement", "criteria", criterion="safety")["shown"] == "ac1"
    assert of.found["agreement"].sentences[0].code == "agreement_rare"


def test_convabuse(analysed):
    of = analysed("convabuse", lambda score: {"criterion": "severity", "score": score}, single=True)
    check_agreement(of, "severity", of.expected["agreement"])
    check_leave_one_out(of, "severity")
    shared = {
        frozenset((of.names[row["rater"]], of.names[row["other"]])): row
        for row in of.rows("agreement", "rater_pairs", criterion="severity")
    }
    for pair in of.expected["cohen_pairs"]:
        row = shared[frozenset((pair["rater_1"], pair["rater_2"]))]
        assert (row["units"], row["percent"], row["kappa"]) == (pair["n"], close(pair["agree"]), close(pair["kappa"]))


def test_convabuse_in_two(analysed):
    of = analysed("convabuse", lambda score: {"criterion": "abusive", "score": int(score >= 0)}, single=True)
    check_agreement(of, "abusive", of.expected["abusive"])
    check_dawid_skene(of, "abusive", {"abusive": "0", "not": "1"})


def test_convabuse_rated_again_by_the_same_people(analysed):
    """Their second ratings are second looks here: the scale from -3 to 1 is part of a preference's."""
    of = analysed("convabuse", lambda score: {"criterion": "severity", "score": score}, single=True)
    raters = dict(of.project.annotations.values_list("rater__name", "rater").distinct())
    criterion = Criterion.objects.create(
        project=of.project, key="again", name="Again", kind=Criterion.Kind.PREFERENCE, position=9
    )
    free = iter(of.project.assignments.values_list("pk", flat=True))
    SecondLook.objects.bulk_create(
        SecondLook(
            project=of.project, assignment_id=next(free), rater_id=raters[of.real["raters"][rater]],
            criterion=criterion, before=before, preference=now,
        )
        for rater, before, now in of.real["repeats"]
    )  # fmt: skip
    found = findings(of.project)["raters"]
    [row] = [row for row in found.rows("repeats") if row["rater"] == ""]
    assert row["repeats"] == of.expected["repeats"]["n_repeats"]
    assert row["weighted_kappa"] == close(of.expected["repeats"]["quadratic_kappa"])


def test_hh(analysed):
    of = analysed("hh", lambda choice, which: {"criterion": which, "choice": choice})
    for key, split in (("harmlessness", "harmless-base"), ("helpfulness", "helpful-base")):
        order = of.row("biases", "stored_order", criterion=key)
        block = of.expected["stored_order"][key]
        assert (order["first"], order["second"], order["ties"]) == (block["a"], block["b"], block["tie"])
        check_order(of, order, block)
        assert of.row("biases", "length", criterion=key)["longer_wins"] == close(of.expected["longer_wins"][split])
