"""`adjudicated` first: the decision where there is one, in every file, the same each time, and told in the card."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import orjson
import pyarrow.parquet as pq
import pytest

from exports.comparing import between
from exports.models import Export
from exports.recipes import read_recipe
from exports.whatif import what_if
from labeling.actions.adjudicate import decide
from labeling.actions.refusals import Refused
from labeling.actions.withdrawals import withdraw_item
from labeling.models import Item, Project, User
from tests.exports.processes import built_by_command, bytes_of
from tests.exports.study import ROWS, judge, load, pair_of, rich
from tests.exports.test_since import names, removed, rows, snapshot

FIRST: dict[str, Any] = {"aggregate": "adjudicated"}


def decided(project: Project, item: str, by: str = "Ada", reason: str = "It is so.", **answer: Any) -> None:
    """In stored order: `helpfulness` (None for neither), or `safe` of first and second."""
    judgments: dict[str, Any] = {}
    if "safe" in answer:
        judgments["safety"] = dict(zip(("left", "right"), ({"safe": one} for one in answer["safe"]), strict=True))
    if "helpfulness" in answer:
        value = answer["helpfulness"]
        judgments["helpfulness"] = {"both_bad": True} if value is None else {"preference": value}
    pair, person = pair_of(project, item), User.objects.get(name=by)
    decide(pair=pair, by=person, body={"judgments": judgments}, reason=reason)


def test_the_decision_where_there_is_one_and_the_rule_elsewhere(study: Project, stored: Path) -> None:
    plain = {row["comparison_id"]: row for row in rows(stored, snapshot(study))}
    decided(study, "tied", helpfulness=3)  # the raters found no side
    decided(study, "rice", helpfulness=1)
    export = snapshot(study, **FIRST)
    found = list(rows(stored, export))
    by_source = {source: {r["prompt"][-1]["content"] for r in found if r["outcome_source"] == source}
                 for source in ("adjudicated", "consensus")}  # fmt: skip
    assert by_source["adjudicated"] == {"Tea or coffee?", "Why is my rice sticky?"}
    for row in found:
        if row["outcome_source"] == "consensus":
            assert {name: value for name, value in row.items() if name != "outcome_source"} == plain[
                row["comparison_id"]
            ]
    tea = next(row for row in found if row["prompt"][-1]["content"] == "Tea or coffee?")
    assert tea["chosen"][0]["content"] == "Both are nice." and tea["strength"] == 3
    rice = next(row for row in found if row["prompt"][-1]["content"] == "Why is my rice sticky?")
    assert rice["chosen"][0]["content"] == "Use less water." and rice["strength"] == 1
    assert export.manifest is not None
    assert export.manifest["adjudicated"] == {"rows": 2, "people": 1}
    card = (stored / str(export.pk) / "README.md").read_text()
    assert "2 labels are the decision of an adjudicator, made by 1 person" in card and "Adjudicated first" in card
    assert '"otherwise": "majority"' in card


def test_who_decided_is_counted_and_never_named(study: Project, stored: Path) -> None:
    decided(study, "tied", helpfulness=3)
    decided(study, "rice", by="Mara", reason="Mara’s own words on rice.", helpfulness=1)
    export = snapshot(study, **FIRST)
    assert export.manifest is not None and export.manifest["adjudicated"] == {"rows": 2, "people": 2}
    everything = b"".join(bytes_of(stored / str(export.pk)).values()).decode(errors="replace")
    assert "Mara" not in everything and "Ada" not in everything and "own words on rice" not in everything


def test_a_decided_tie_and_a_decided_neither_leave_the_row_out(study: Project, stored: Path) -> None:
    study.criteria.filter(key="helpfulness").update(allow_both_bad=True)
    decided(study, "rice", helpfulness=0)
    decided(study, "basil", helpfulness=None)
    export = snapshot(study, **FIRST)
    assert names(stored, export) & {"rice", "basil"} == set()
    assert export.manifest is not None
    without = snapshot(study).manifest
    assert without is not None
    for reason in ("tie", "both_bad"):
        assert export.manifest["dropped"][reason] == without["dropped"][reason] + 1


def test_other_recipes_and_every_judgment_know_nothing_of_it(study: Project, stored: Path) -> None:
    before = snapshot(study)
    votes = snapshot(study, format="votes")
    decided(study, "rice", helpfulness=3)
    after, same, first = snapshot(study), snapshot(study, format="votes"), snapshot(study, format="votes", **FIRST)
    assert before.content_hash == after.content_hash
    assert votes.content_hash == same.content_hash
    assert list(rows(stored, first)) == list(rows(stored, votes))


def test_safety_is_decided_too(tmp_path: Path, transactional_db: None, stored: Path) -> None:
    project = rich(tmp_path)
    pair = project.pairs.get(first__content__startswith="No", item__external_id="cleaners")
    body = {"judgments": {"safety": {"left": {"safe": False}, "right": {"safe": True}}}}
    decide(pair=pair, by=User.objects.get(name="Ada"), body=body, reason="Read it again.")
    texts = {pair.first.content: False, pair.second.content: True}  # type: ignore[union-attr]
    plain = {row["response"]: row["safe"] for row in rows(stored, snapshot(project, format="safety"))}
    found = {row["response"]: row["safe"] for row in rows(stored, snapshot(project, format="safety", **FIRST))}
    assert {text: found[text] for text in texts} == texts
    assert {text: plain[text] for text in texts} == {text: not safe for text, safe in texts.items()}
    (row,) = (r for r in rows(stored, snapshot(project, **FIRST)) if r["chosen"][0]["content"] in texts)
    assert row["chosen_safe"] is texts[row["chosen"][0]["content"]]


@pytest.mark.parametrize("more", [{}, {"margin": "llama2"}, {"format": "ranking"}, {"otherwise": "one_coin"}])
def test_same_in_same_bytes_also_when_a_decision_comes_later(
    study: Project, stored: Path, more: dict[str, Any]
) -> None:
    decided(study, "tied", helpfulness=3)
    one = snapshot(study, **FIRST, **more)
    again = snapshot(study, **FIRST, **more)
    decided(study, "tied", helpfulness=-3, reason="On second thoughts.")
    decided(study, "rice", helpfulness=3)
    as_of, later = snapshot(study, as_of=one, **FIRST, **more), snapshot(study, **FIRST, **more)
    assert one.content_hash == again.content_hash == as_of.content_hash
    assert bytes_of(stored / str(one.pk)) == bytes_of(stored / str(as_of.pk))
    assert later.content_hash != one.content_hash


def test_several_workers_and_other_surroundings_write_the_same(
    study: Project, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    decided(study, "tied", helpfulness=3)
    path = tmp_path / "recipe.json"
    path.write_bytes(orjson.dumps({"format": "dpo", "labels": "soft", **FIRST}))
    one = built_by_command(study.slug, path, tmp_path / "one", PYTHONHASHSEED="1", LC_ALL="C")
    other = built_by_command(study.slug, path, tmp_path / "other", "--workers", "3", PYTHONHASHSEED="77")
    assert bytes_of(one) == bytes_of(other)
    table = pq.read_table(next((one / "data").glob("*.parquet")))
    assert {"outcome_source", "p_chosen", "share"} <= set(table.column_names)


def test_between_two_snapshots_a_decision_is_the_why(study: Project, stored: Path) -> None:
    decided(study, "rice", helpfulness=-2)
    before = snapshot(study, **FIRST)
    decided(study, "rice", helpfulness=3, reason="On second thoughts.")
    decided(study, "tied", helpfulness=1)
    decided(study, "basil", helpfulness=0)
    after = snapshot(study, **FIRST)
    found = between(before, after)
    told = {change.comparison_id: (change.kind, change.why) for change in found.changes}
    assert sorted(told.values()) == [("flipped", ["decided"]), ("in", ["decided"]), ("out", ["decided"])]
    assert found.whys["decided"] == 3
    since = snapshot(study, since=before, **FIRST)
    assert names(stored, since) == {"rice", "tied"}
    assert [line["why"] for line in removed(stored, since)] == ["tie"]


def test_a_decision_explains_nothing_where_it_is_not_asked(study: Project, stored: Path) -> None:
    before = snapshot(study)
    decided(study, "maths", helpfulness=3)
    judge(pair_of(study, "maths"), User.objects.get(name="Rui"), helpfulness=3)
    found = between(before, snapshot(study))
    assert [change.why for change in found.changes] == [["revised"]]


def test_a_successor_keeps_to_the_decisions_of_its_moment(study: Project, stored: Path) -> None:
    decided(study, "tied", helpfulness=3)
    before = snapshot(study, **FIRST)
    withdraw_item(item=Item.objects.get(external_id="basil"), by=User.objects.get(name="Mara"))
    decided(study, "tied", helpfulness=-3, reason="On second thoughts.")
    after = snapshot(study, as_of=before, **FIRST)
    chosen = {
        row["prompt"][-1]["content"]: row["chosen"][0]["content"] for row in rows(stored, after)
        if row["outcome_source"] == "adjudicated"
    }  # fmt: skip
    assert chosen == {"Tea or coffee?": "Both are nice."}
    assert names(stored, before) - names(stored, after) == {"basil"}


def test_the_same_texts_in_two_items_follow_the_last_decision(study: Project, stored: Path, tmp_path: Path) -> None:
    twin = next(row for row in ROWS if row["id"] == "tied") | {"id": "twin"}
    load(study, [twin | {"responses": [*twin["responses"], {"content": "Neither."}]}], tmp_path)
    pair = study.pairs.get(
        item__external_id="twin", first__content="Both are pleasant.", second__content="Both are nice."
    )
    judge(pair, User.objects.get(name="Rui"), helpfulness=1)
    decided(study, "tied", helpfulness=-3)
    body = {"judgments": {"helpfulness": {"preference": 1}}}
    decide(pair=pair, by=User.objects.get(name="Mara"), body=body, reason="Nicer.")
    export = snapshot(study, **FIRST)
    (row,) = (r for r in rows(stored, export) if r["prompt"][-1]["content"] == "Tea or coffee?")
    assert (row["outcome_source"], row["chosen"][0]["content"]) == ("adjudicated", "Both are nice.")
    assert export.manifest is not None and export.manifest["adjudicated"] == {"rows": 1, "people": 1}


def test_safer_wins_and_weights_follow_decisions(study: Project, stored: Path) -> None:
    basil = pair_of(study, "basil")
    ada = User.objects.get(name="Ada")
    combined = {"combine": "weighted", "weights": {"helpfulness": 1, "harmlessness": 2}}
    safer = {"combine": "safer_wins", "helpful": "helpfulness", "harmless": "harmlessness"}
    decided(study, "basil", helpfulness=-3)

    def chosen(criterion: Any) -> dict[str, Any]:
        export: Export = snapshot(study, criterion=criterion, **FIRST)
        return next(r for r in rows(stored, export) if "basil" in r["prompt"][-1]["content"])

    assert chosen(combined)["outcome_source"] == "consensus"  # one of the two was decided
    body = {"judgments": {"harmlessness": {"preference": 1}}}
    decide(pair=basil, by=ada, body=body, reason="Milder.")
    row = chosen(combined)  # (-3 + 2 × 1) ÷ 3 is for the first
    assert (row["outcome_source"], row["chosen"][0]["content"]) == ("adjudicated", basil.first.content)
    row = chosen(safer)
    assert (row["outcome_source"], row["chosen"][0]["content"]) == ("adjudicated", basil.second.content)  # type: ignore[union-attr]


def test_what_if_counts_decisions(study: Project) -> None:
    decided(study, "tied", helpfulness=3)
    plain, first = (
        what_if(study, read_recipe({"format": "dpo"})),
        what_if(study, read_recipe({"format": "dpo"} | FIRST)),
    )
    assert (plain.adjudicated, first.adjudicated) == (0, 1)
    assert first.total == plain.total + 1 and first.as_json()["adjudicated"] == 1


@pytest.mark.parametrize(
    ("more", "path"),
    [
        ({"aggregate": "adjudicated", "otherwise": "each"}, "otherwise"),
        ({"aggregate": "adjudicated", "otherwise": "adjudicated"}, "otherwise"),
        ({"otherwise": "mean"}, "otherwise"),
        ({"aggregate": "adjudicated", "apart": "language"}, "apart"),
        ({"aggregate": "adjudicated", "threshold": 0.8}, "threshold"),
    ],
)
def test_what_does_not_go_together_is_refused(more: dict[str, Any], path: str) -> None:
    with pytest.raises(Refused) as refused:
        read_recipe({"format": "dpo"} | more)
    assert path in refused.value.errors


def test_the_recipe_comes_back_as_it_was_written() -> None:
    plain = read_recipe({"format": "dpo", "aggregate": "adjudicated", "otherwise": "one_coin"}).as_json()
    assert (plain["aggregate"], plain["otherwise"]) == ("adjudicated", "one_coin")
    assert read_recipe(plain).as_json() == plain
    assert "otherwise" not in read_recipe({"format": "dpo"}).as_json()
