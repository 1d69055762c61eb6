"""Only what came since a snapshot, and what lies between two of them, with why."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import orjson
import pytest

from exports.actions import build_export, delete_export, request_export
from exports.comparing import between
from exports.models import Export
from labeling.actions.refusals import Refused
from labeling.actions.withdrawals import withdraw_item, withdraw_rater
from labeling.models import Item, Project, User
from tests.api.conftest import Program
from tests.exports.study import judge, pair_of
from tests.web.conftest import signed_in

RECIPE = {"format": "dpo", "file": "jsonl", "split": {"test": 0}}
QUESTIONS = {
    "How often should I water basil?": "basil", "Why is my rice sticky?": "rice", "And halved?": "maths",
    "紙飛行機が遠くまで飛ぶには?": "plane", "Tea or coffee?": "tied", "Nobody judges this.": "alone",
}  # fmt: skip


def snapshot(project: Project, since: Export | None = None, as_of: Export | None = None, **more: Any) -> Export:
    export = request_export(project=project, by=None, recipe=RECIPE | more, since=since, as_of=as_of)
    assert build_export(export=export)
    export.refresh_from_db()
    assert export.state == Export.State.DONE, export.error
    return export


def rows(stored: Path, export: Export) -> Iterator[dict[str, Any]]:
    for path in (stored / str(export.pk) / "data").iterdir():
        yield from map(orjson.loads, path.read_bytes().splitlines())


def names(stored: Path, export: Export) -> set[str]:
    return {QUESTIONS[row["prompt"][-1]["content"]] for row in rows(stored, export)}


def removed(stored: Path, export: Export) -> list[dict[str, Any]]:
    return [orjson.loads(line) for line in (stored / str(export.pk) / "removed.jsonl").read_bytes().splitlines()]


@pytest.fixture
def later(study: Project, stored: Path) -> tuple[Export, dict[str, str]]:
    """A snapshot, after which something of each kind happens; and the comparison of each item."""
    before = snapshot(study)
    ids = {QUESTIONS[row["prompt"][-1]["content"]]: row["comparison_id"] for row in rows(stored, before)}
    people = {name: User.objects.get(name=name) for name in ("Rui", "Rosa", "Ruth", "Mara")}
    judge(pair_of(study, "alone"), people["Rui"], helpfulness=2)  # comes in
    judge(pair_of(study, "maths"), people["Rui"], helpfulness=3)  # revised, turns around
    judge(pair_of(study, "plane"), people["Ruth"], helpfulness=3)  # one more vote, the same side
    withdraw_item(item=Item.objects.get(external_id="basil"), by=people["Mara"])
    return before, ids


@pytest.mark.parametrize("segment", [50_000, 1])
def test_since_a_snapshot_there_is_what_is_new_and_what_is_no_more(
    study: Project, stored: Path, later: tuple[Export, dict[str, str]], monkeypatch: pytest.MonkeyPatch, segment: int
) -> None:
    before, ids = later
    monkeypatch.setattr("exports.segments.PAIRS_A_SEGMENT", segment)
    since, whole = snapshot(study, since=before), snapshot(study)
    assert names(stored, since) == {"alone", "maths"}
    assert removed(stored, since) == [{"comparison_id": ids["basil"], "why": "withdrawn"}]
    # Together they are the whole: what is there again replaces, what is listed goes.
    merged = {row["comparison_id"]: row for row in rows(stored, before)}
    merged |= {row["comparison_id"]: row for row in rows(stored, since)}
    for line in removed(stored, since):
        del merged[line["comparison_id"]]
    assert merged == {row["comparison_id"]: row for row in rows(stored, whole)}
    manifest = since.manifest
    assert manifest is not None and manifest["since"] == before.content_hash
    assert manifest["rows"] + sum(manifest["dropped"].values()) == manifest["pairs"]
    assert b"Not a whole dataset" in (stored / str(since.pk) / "README.md").read_bytes()


def test_since_one_that_counts_from_another(study: Project, stored: Path) -> None:
    first = snapshot(study)
    judge(pair_of(study, "alone"), User.objects.get(name="Rui"), helpfulness=2)
    second = snapshot(study, since=first)
    judge(pair_of(study, "maths"), User.objects.get(name="Rui"), helpfulness=3)
    third = snapshot(study, since=second)
    assert (names(stored, second), names(stored, third)) == ({"alone"}, {"maths"})
    nothing = request_export(project=study, by=None, recipe=RECIPE, since=third)
    build_export(export=nothing)
    nothing.refresh_from_db()
    assert nothing.state == "failed" and "unchanged" in nothing.error


def test_a_row_that_is_a_tie_now_is_listed_with_that_reason(study: Project, stored: Path) -> None:
    before = snapshot(study)
    ids = {QUESTIONS[row["prompt"][-1]["content"]]: row["comparison_id"] for row in rows(stored, before)}
    judge(pair_of(study, "maths"), User.objects.get(name="Rui"), helpfulness=0)
    since = snapshot(study, since=before)
    assert removed(stored, since) == [{"comparison_id": ids["maths"], "why": "tie"}]
    assert since.rows_written == 0


def test_what_cannot_be_counted_from_is_refused(study: Project, stored: Path) -> None:
    noor = User.objects.get(name="Noor")
    waiting = request_export(project=study, by=noor, recipe=RECIPE)
    with pytest.raises(Refused, match="not done"):
        request_export(project=study, by=noor, recipe=RECIPE, since=waiting)
    before = snapshot(study)
    asked = request_export(project=study, by=noor, recipe=RECIPE, since=before)
    delete_export(export=before, by=noor)
    asked.refresh_from_db()
    build_export(export=asked)
    asked.refresh_from_db()
    assert asked.state == "failed" and "deleted" in asked.error


def test_between_two_snapshots_each_change_has_its_why(
    study: Project, stored: Path, later: tuple[Export, dict[str, str]]
) -> None:
    before, ids = later
    after = snapshot(study)
    found = between(after, before)  # in whatever order they are named
    assert (found.before, found.after, found.recipe) == (before, after, [])
    told = {change.comparison_id: (change.kind, change.why) for change in found.changes}
    assert told[ids["basil"]] == ("out", ["withdrawn"])
    assert told[ids["maths"]] == ("flipped", ["revised"])
    new = next(change for change in found.changes if change.kind == "in")
    assert new.why == ["new_votes"] and (new.before, new.after in ("first", "second")) == ("", True)
    assert found.kinds["in"] == found.kinds["out"] == found.kinds["flipped"] == 1
    assert ids["rice"] not in told and ids["plane"] not in told and sum(found.whys.values()) == len(found.changes)


def test_another_margin_is_a_change_where_it_is_written(study: Project, stored: Path) -> None:
    before = snapshot(study, format="reward")
    judge(pair_of(study, "plane"), User.objects.get(name="Ruth"), helpfulness=3)
    (change,) = between(before, snapshot(study, format="reward")).changes
    assert (change.kind, change.why, change.before) == ("changed", ["new_votes"], change.after)


def test_a_withdrawn_rater_is_the_why(study: Project, stored: Path) -> None:
    before = snapshot(study)
    withdraw_rater(project=study, rater=User.objects.get(name="Rosa"), by=User.objects.get(name="Mara"))
    after = snapshot(study, as_of=before)
    found = between(before, after)
    assert found.changes and all(change.why == ["withdrawn"] for change in found.changes)


def test_a_recipe_is_the_why(study: Project, stored: Path) -> None:
    found = between(snapshot(study), snapshot(study, filters={"min_judgments": 3}))
    assert [each.path for each in found.recipe] == ["filters.min_judgments"]
    assert found.kinds == {"out": 3} and found.whys == {"recipe": 3}


def test_a_page_goes_on_behind_the_last(study: Project, stored: Path) -> None:
    one, other = snapshot(study), snapshot(study, filters={"languages": ["ja"]})
    whole = between(one, other)
    seen, cursor = [], ""
    for _ in range(10):
        page = between(one, other, after=cursor, page=1)
        seen += page.changes
        cursor = page.following
        if not cursor:
            break
    assert seen == whole.changes and len(seen) == 3
    assert between(one, other, kind="in").changes == []


def test_what_cannot_be_compared_is_refused(study: Project, stored: Path) -> None:
    one = snapshot(study)
    waiting = request_export(project=study, by=None, recipe=RECIPE, as_of=one)
    for other, said in ((one, "different"), (waiting, "done")):
        with pytest.raises(Refused, match=said):
            between(one, other)


def test_over_http_and_on_the_page(study: Project, stored: Path, later: tuple[Export, dict[str, str]]) -> None:
    before, ids = later
    noor = User.objects.get(name="Noor")
    program, web = Program(noor), signed_in(noor)
    asked = program.post("/projects/advice/exports/", {"recipe": RECIPE, "since": before.pk}).json()
    assert asked["since"] == before.pk
    assert program.post("/projects/advice/exports/", {"recipe": RECIPE, "since": 999_999}).status_code == 400
    after = snapshot(study)
    got = program.get("/projects/advice/exports/compare/", one=before.pk, other=after.pk).json()
    assert got["counts"]["flipped"] == 1 and got["before"] == before.pk and got["next"] is None
    flipped = next(each for each in got["results"] if each["change"] == "flipped")
    assert (flipped["comparison_id"], flipped["why"]) == (ids["maths"], ["revised"])
    for wrong in ({"one": before.pk}, {"one": "x", "other": after.pk}, {"one": after.pk, "other": after.pk}):
        assert program.get("/projects/advice/exports/compare/", **wrong).status_code == 400
    page = web.get(f"/projects/advice/exports/compare/?one={before.pk}&other={after.pk}").text
    assert ids["maths"] in page and "And halved?" in page and "an answer was revised" in page
    only = web.get(f"/projects/advice/exports/compare/?one={before.pk}&other={after.pk}&kind=out").text
    assert ids["basil"] in only and ids["maths"] not in only
    assert web.get(f"/projects/advice/exports/compare/?one={after.pk}&other={after.pk}").status_code == 422
    assert web.post(f"/projects/advice/exports/{after.pk}/since/").status_code == 302
    assert Export.objects.filter(since=after).exists()
    card = web.get(f"/projects/advice/exports/{after.pk}/card/").text
    assert "Criterion and scale" in card and "EU AI Act" in card and "<table" in card
