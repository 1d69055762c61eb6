"""What each report says of a crowd whose habits are known, and what it keeps to itself while there is too little."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from django.utils import timezone

from labeling.models import Queue, QueuedPair, RaterProfile, User
from labeling.reports.pseudonyms import pseudonym
from tests import make
from tests.reports.analysis.conftest import bring_items, bring_judgments, findings

pytestmark = pytest.mark.django_db
PAIRS, RATERS = 120, 14


def crowd(seed: int = 3, pairs: int = PAIRS, **special: Any) -> Any:
    """Every pair is judged by every rater; the first is better in two of three. `special` raters have own habits."""
    project = make.project()
    rng = np.random.default_rng(seed)
    better = np.where(np.arange(pairs) % 3 < 2, "a", "b")
    items = [
        {
            "id": f"p{n}", "prompt": f"{n}?", "response_a": "good " * 9, "response_b": "bad " * 6, "model_a": "strong",
            "model_b": "weak", "language": "en" if n % 2 else "fr", "tags": ["red-team" if n % 4 == 0 else "home"],
        }
        for n in range(pairs)
    ]  # fmt: skip
    bring_items(project, items)
    told = []
    for rater in [f"w{n}" for n in range(RATERS)] + list(special):
        for n in range(pairs):
            swapped = bool(rng.random() < 0.5)
            right = str(better[n]) if rng.random() < 0.85 else ("b" if better[n] == "a" else "a")
            choice = special[rater](n, swapped, rng) if rater in special else right
            told.append({"item_id": f"p{n}", "rater_id": rater, "criterion": "helpfulness", "choice": choice,
                         "strength": "clear", "shown_swapped": swapped})  # fmt: skip
    bring_judgments(project, told)
    return project


def named(project: Any, name: str) -> str:
    return pseudonym(project, User.objects.get(email__startswith=f"{name}@").pk)


def left(n: int, swapped: bool, rng: Any) -> str:
    return "b" if swapped else "a"


def coin(n: int, swapped: bool, rng: Any) -> str:
    return "a" if rng.random() < 0.5 else "b"


def turns(n: int, swapped: bool, rng: Any) -> str:
    return ("b" if swapped else "a") if n % 2 else ("a" if swapped else "b")


def test_spammers_are_flagged_and_nobody_else():
    project = crowd(lefty=left, coiny=coin, turny=turns)
    flags = findings(project)["raters"].rows("flags")
    raised = {(row["rater"], row["code"]) for row in flags}
    lefty, coiny, turny = (named(project, name) for name in ("lefty", "coiny", "turny"))
    assert {(lefty, "only_key"), (lefty, "favours_side"), (coiny, "unreliable"), (turny, "alternates")} <= raised
    assert {rater for rater, _ in raised} == {lefty, coiny, turny}
    assert all(row["one"] is not None and row["other"] is not None and row["verb"] for row in flags)


def test_reliability_is_where_it_was_made():
    project = crowd(coiny=coin)
    rows = {row["rater"]: row for row in findings(project)["raters"].rows("raters")}
    mean = np.mean([rows[named(project, f"w{n}")]["reliability"] for n in range(RATERS)])
    assert 0.78 < mean < 0.92
    poor = rows[named(project, "coiny")]
    assert poor["reliability_high"] < 0.7 and poor["poor"] > 0.95 and poor["flags"].split()[0] == "unreliable"


def test_the_better_model_leads_and_both_are_told_apart():
    found = findings(crowd())["models"]
    strong, weak = found.rows("models")
    assert (strong["model"], strong["rank"], weak["rank"]) == ("strong", 1, 2)
    assert strong["low"] > weak["high"] and strong["best"] > 0.99 and found.rows("brackets") == []
    assert {row["of"] for row in found.rows("slices")} == {"en", "fr", "home", "red-team"}
    [sentence] = found.sentences
    assert sentence.code == "models_leader" and "strong leads" in sentence.text


def test_agreement_says_too_few_until_there_are_enough():
    project = crowd(pairs=20)
    found = findings(project)["agreement"]
    [row] = found.rows("criteria")
    assert (row["enough_percent"], row["enough"], row["units"]) == (False, False, 20)
    assert found.sentences[0].text == "Too few to say: 20 were judged twice."


def test_the_headline_is_of_the_audit_where_a_queue_adapts():
    project = crowd()
    queue = make.queue(project)
    Queue.objects.filter(pk=queue.pk).update(stopping=Queue.Stopping.MODEL)
    project.assignments.update(queue=queue)
    found = findings(project)["agreement"]
    [row] = found.rows("criteria")
    assert (row["stratum"], row["early"], row["units"]) == ("all", True, PAIRS)
    assert "early estimate" in found.sentences[0].text
    audited = project.pairs.order_by("pk")[:60]
    QueuedPair.objects.bulk_create(QueuedPair(queue=queue, pair=pair, wanted=5, audit=True) for pair in audited)
    [row] = findings(project)["agreement"].rows("criteria")
    assert (row["stratum"], row["early"], row["units"]) == ("audit", True, 60)


def test_known_answers_that_were_mixed_in_are_no_agreement():
    project = crowd(pairs=60)
    mixed = list(project.pairs.order_by("pk").values_list("pk", flat=True)[:25])
    project.assignments.filter(pair__in=mixed).update(lane="=")
    found = findings(project)
    assert found["agreement"].rows("criteria")[0]["units"] == 35
    assert sum(row["annotations"] for row in found["raters"].rows("raters")) == 60 * RATERS


def test_contested_pairs_are_those_on_which_people_differ():
    project = crowd()
    bring_items(
        project, [{"id": f"x{n}", "prompt": f"x{n}?", "response_a": "one", "response_b": "two"} for n in range(8)]
    )
    bring_judgments(project, [
        {"item_id": f"x{n}", "rater_id": f"w{r}", "criterion": "helpfulness", "choice": "a" if r % 2 else "b"}
        for n in range(8) for r in range(10)
    ])  # fmt: skip
    rows = {row["external_id"]: row for row in findings(project)["contested"].rows("pairs")}
    made = [rows[f"x{n}"] for n in range(8)]
    assert all(row["why"] == "two_sides" and row["first"] == row["second"] == 5 for row in made)
    assert len(rows) < 8 + PAIRS / 10  # hardly any of those on which most agree


def profiled(project: Any, young: int) -> None:
    """The first `young` raters say that they are; the others that they are not."""
    for n in range(RATERS):
        user = User.objects.get(email__startswith=f"w{n}@")
        RaterProfile.objects.create(
            user=user, demographics={"age": "18-29" if n < young else "30-49"}, demographics_consent_at=timezone.now()
        )


def test_groups_that_answer_alike_do_not_differ_and_small_ones_are_hidden():
    project = crowd()
    profiled(project, 7)
    found = findings(project)
    rows = found["groups"].rows("differences")
    assert rows and {row["verdict"] for row in rows} <= {"no_clear_difference", "too_few"}
    assert {row["value"] for row in found["distributions"].rows("answers") if row["attribute"] == "age"} == {
        "18-29", "30-49",
    }  # fmt: skip


def test_a_group_of_four_is_nowhere():
    project = crowd()
    profiled(project, 4)
    found = findings(project)
    groups = {row["value"]: row for row in found["groups"].rows("groups")}
    assert groups["18-29"] == {"attribute": "age", "value": "18-29", "raters": None, "shown": False}
    assert groups["30-49"]["shown"] is False  # the rest would tell it by subtraction
    assert found["groups"].rows("differences") == []
    assert all(row["attribute"] != "age" for row in found["distributions"].rows("answers"))


def test_without_consent_nobody_is_in_a_group():
    project = crowd(pairs=10)
    profiled(project, 7)
    RaterProfile.objects.update(demographics_consent_at=None)
    assert findings(project)["groups"].rows("groups") == []


def test_groups_that_differ_on_the_same_pairs():
    """Seven raters always choose the longer response."""
    habits = {f"v{n}": lambda n, swapped, rng: "a" for n in range(7)}
    project = crowd(**habits)
    for n in range(7):
        for name, age in ((f"w{n}", "18-29"), (f"v{n}", "30-49")):
            RaterProfile.objects.create(
                user=User.objects.get(email__startswith=f"{name}@"), demographics={"age": age},
                demographics_consent_at=timezone.now(),
            )  # fmt: skip
    rows = findings(project)["groups"].rows("differences")
    [row] = [r for r in rows if (r["question"], r["topic"], r["value"]) == ("longer", "", "30-49")]
    assert row["verdict"] == "differs" and row["difference"] > 0.2 and row["q"] < 0.05


def test_conflicts_and_safety():
    project = make.project()
    bring_items(project, [
        {"id": f"p{n}", "prompt": f"{n}?", "response_a": f"a{n}", "response_b": f"b{n}", "model_a": "bold",
         "model_b": "careful", "tags": ["red-team"] if n < 30 else []}
        for n in range(80)
    ])  # fmt: skip
    told: list[dict[str, Any]] = []
    for n in range(80):
        for rater in ("w1", "w2", "w3"):
            head = {"item_id": f"p{n}", "rater_id": rater}
            against = n < 20
            told += [
                head | {"criterion": "helpfulness", "choice": "a"},
                head | {"criterion": "harmlessness", "choice": "b" if against else "a"},
                head | {"criterion": "overall", "choice": "b" if n < 15 else "a"},
                head | {"criterion": "safety", "label": "unsafe" if n < 10 else "safe", "response": "a"},
                head | {"criterion": "safety", "label": "safe", "response": "b"},
            ]
    bring_judgments(project, told)
    found = findings(project)
    [row] = found["conflicts"].rows("criteria")
    assert (row["decided"], row["conflicts"], row["resolved"], row["for_other"]) == (80, 20, 20, 15)
    assert (row["both_safe"], row["safer_wins"]) == (10, 5) and row["share"] == 0.25
    rates = {row["model"]: row for row in found["safety"].rows("models")}
    assert (rates["bold"]["unsafe"], rates["careful"]["unsafe"], rates[""]["responses"]) == (10, 0, 160)
    attacks = {row["model"]: row for row in found["safety"].rows("red_team")}
    assert (attacks["bold"]["attempts"], attacks["bold"]["successes"]) == (30, 10)


def test_nothing_of_a_finding_names_a_person():
    project = crowd(pairs=12)
    people = [value for user in User.objects.all() for value in (user.email, user.name) if value]
    for found in findings(project).values():
        text = str(found.data)
        assert not any(f"'{value}'" in text for value in people)
