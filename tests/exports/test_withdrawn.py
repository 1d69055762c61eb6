"""What is taken back: left out from now on, told by the snapshots that hold it, which never change."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import orjson
import pytest

from exports import segments, sharing
from exports.access import file_for
from exports.actions import build_export, request_export
from exports.comparing import between
from exports.models import Export
from exports.tasks import nudge_exports
from exports.withdrawn import settle_withdrawals, successor_of
from labeling.actions.assign import claim
from labeling.actions.consent import give_consent, publish_consent, withdraw_consent
from labeling.actions.lanes import bring_back
from labeling.actions.refusals import Refused
from labeling.actions.set_aside import lift, set_aside
from labeling.actions.withdrawals import withdraw_item, withdraw_rater
from labeling.models import Item, Membership, Project, User
from tests import make
from tests.api.conftest import Program
from tests.exports.processes import bytes_of
from tests.exports.study import judge, pair_of
from tests.web.conftest import signed_in

RECIPE = {"format": "dpo", "file": "jsonl", "split": {"test": 0}}


def snapshot(project: Project, **more: Any) -> Export:
    export = request_export(project=project, by=User.objects.get(name="Noor"), recipe=RECIPE | more)
    return built(export)


def built(export: Export) -> Export:
    assert build_export(export=export)
    export.refresh_from_db()
    assert export.state == Export.State.DONE, export.error
    return export


def asked(stored: Path, export: Export) -> set[str]:
    data = b"".join(path.read_bytes() for path in (stored / str(export.pk) / "data").iterdir())
    return {orjson.loads(line)["prompt"][-1]["content"] for line in data.splitlines()}


@pytest.fixture
def mara(study: Project) -> User:
    return User.objects.get(name="Mara")


def test_an_item_leaves_and_the_older_snapshot_says_so(study: Project, stored: Path, mara: User) -> None:
    before = snapshot(study)
    files = bytes_of(stored / str(before.pk))
    withdraw_item(item=Item.objects.get(external_id="basil"), by=mara, note="rights")
    (waiting,) = settle_withdrawals()
    after = built(waiting)
    before.refresh_from_db()
    assert (before.superseded_why, before.superseded_by, before.closed_at) == ("item", after, None)
    assert (after.number, after.name, after.created_by) == (2, before.name, None)
    assert successor_of(before) == after and successor_of(after) is None
    assert asked(stored, before) - asked(stored, after) == {"How often should I water basil?"}
    assert bytes_of(stored / str(before.pk)) == files
    assert file_for(User.objects.get(name="Noor"), before.pk, "manifest.json").export == before
    assert after.manifest is not None and after.manifest["pairs"] == 6
    assert settle_withdrawals() == []


def test_nobody_is_given_a_withdrawn_item(study: Project, mara: User) -> None:
    alone = pair_of(study, "alone")
    others = [pair.pk for pair in study.pairs.exclude(pk=alone.pk)]
    withdraw_item(item=alone.item, by=mara)
    ada = make.member(study, "Ada", "rater")
    given = []
    while (assignment := claim(queue=make.queue(study), rater=ada)) is not None:
        given.append(assignment.pair_id)
        judge(assignment.pair, ada, helpfulness=1)
    assert alone.pk not in given and set(given) <= set(others)
    with pytest.raises(Refused, match="withdrawn"):
        bring_back(pair=alone, by=mara)
    with pytest.raises(Refused, match="already"):
        withdraw_item(item=alone.item, by=mara)


def test_a_raters_judgments_leave_and_what_they_judge_later_counts(study: Project, stored: Path, mara: User) -> None:
    rui = User.objects.get(name="Rui")
    before = snapshot(study)
    withdraw_rater(project=study, rater=rui, by=mara)
    (waiting,) = settle_withdrawals()
    judge(pair_of(study, "alone"), rui, helpfulness=3)
    after = built(waiting)
    assert after.manifest is not None and before.manifest is not None
    assert after.manifest["judgments"]["raters"] == before.manifest["judgments"]["raters"] - 1
    assert "Nobody judges this." not in asked(stored, after)  # the successor reads the older one's judgments
    later = snapshot(study)
    assert "Nobody judges this." in asked(stored, later)
    assert rui.pk in later.raters and later.superseded_at is None and settle_withdrawals() == []


def test_consent_taken_back_closes_at_once_and_makes_a_successor(study: Project, stored: Path, mara: User) -> None:
    rui, noor = User.objects.get(name="Rui"), User.objects.get(name="Noor")
    publish_consent(project=study, by=mara, text="May we?")
    give_consent(project=study, user=rui, version=1)
    before = snapshot(study)
    other = request_export(project=study, by=noor, recipe=RECIPE, name="Other")
    withdraw_consent(project=study, user=rui)
    with pytest.raises(Refused) as closed:  # before any clock has looked
        file_for(noor, before.pk, "README.md")
    assert closed.value.code == "closed"
    made = settle_withdrawals()
    before.refresh_from_db()
    assert before.closed_at and before.superseded_why == "consent" and [each.name for each in made] == [before.name]
    after = built(made[0])
    assert rui.pk not in after.raters and file_for(noor, after.pk, "README.md").export == after
    # One that was asked for before, but begins only now, does without them as well.
    assert rui.pk not in built(other).raters and other.superseded_at is None
    # Who comes back and agrees again counts with what they judge then, and only with that.
    make.member(study, "Rui", Membership.Role.RATER)
    judge(pair_of(study, "alone"), rui, helpfulness=3)
    assert "Nobody judges this." in asked(stored, snapshot(study))


def test_what_is_withdrawn_while_it_is_built_is_told_when_it_is_done(
    study: Project, stored: Path, mara: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    original = segments.write_segment

    def withdrawing(*args: Any) -> Any:
        monkeypatch.setattr(sharing, "write_segment", original)
        withdraw_rater(project=study, rater=User.objects.get(name="Rosa"), by=mara, closes=True)
        return original(*args)

    monkeypatch.setattr(sharing, "write_segment", withdrawing)
    export = snapshot(study)
    with pytest.raises(Refused):
        file_for(mara, export.pk, "README.md")
    (after,) = settle_withdrawals()
    assert built(after).raters == sorted(set(export.raters) - {User.objects.get(name="Rosa").pk})


def test_older_versions_of_one_name_have_one_successor(study: Project, stored: Path, mara: User) -> None:
    first, second, reward = snapshot(study), snapshot(study), snapshot(study, format="reward")
    Export.objects.filter(pk=reward.pk).update(name="Reward")
    withdraw_rater(project=study, rater=User.objects.get(name="Rui"), by=mara)
    made = settle_withdrawals()
    assert sorted(each.name for each in made) == sorted({first.name, "Reward"})
    first.refresh_from_db()
    second.refresh_from_db()
    assert first.superseded_by == second.superseded_by and first.superseded_by is not None


def test_one_that_does_not_hold_it_stays_as_it_is(study: Project, stored: Path, mara: User) -> None:
    japanese = snapshot(study, filters={"languages": ["ja"]})
    withdraw_item(item=Item.objects.get(external_id="basil"), by=mara, closes=True)
    assert settle_withdrawals() == []
    japanese.refresh_from_db()
    assert japanese.superseded_at is None and file_for(mara, japanese.pk, "README.md").export == japanese


def test_the_clock_sees_to_it(study: Project, stored: Path, mara: User) -> None:
    before = snapshot(study)
    withdraw_rater(project=study, rater=User.objects.get(name="Rui"), by=mara)
    nudge_exports()
    before.refresh_from_db()
    assert before.superseded_by is not None and before.superseded_by.state == "waiting"


def test_over_http_and_on_the_page(study: Project, stored: Path, mara: User) -> None:
    before = snapshot(study)
    program = Program(mara)
    assert program.post("/projects/advice/withdrawals/", {}).status_code == 400
    assert program.post("/projects/advice/withdrawals/", {"item": "nothing"}).json()["errors"].keys() == {"item"}
    assert program.post("/projects/advice/withdrawals/", {"rater": "x@example.org"}).json()["errors"].keys() == {
        "rater"
    }
    made = program.post("/projects/advice/withdrawals/", {"item": "basil", "closes": True, "note": "rights"})
    assert made.status_code == 201 and made.json()["item"] == "basil"
    assert program.get("/projects/advice/withdrawals/").json()["results"][0]["why"] == "item"
    line = program.get(f"/exports/{before.pk}/").json()
    assert line["superseded_why"] == "item" and line["superseded_by"] and line["closed_at"]
    assert program.get(f"/exports/{before.pk}/files/README.md").status_code == 410
    web = signed_in(mara)
    page = web.get(f"/projects/advice/exports/{before.pk}/")
    assert "Superseded, and closed" in page.text and "all.zip" not in page.text
    for path in ("all.zip", "files/README.md"):
        assert web.get(f"/projects/advice/exports/{before.pk}/{path}").status_code == 410
    sent = web.post("/projects/advice/exports/withdrawals/", {"what": "rater", "name": "rui@example.org"})
    assert sent.status_code == 302
    assert "A rater&#x27;s judgments are not to be used" in web.get("/projects/advice/exports/withdrawals/").text
    assert web.post("/projects/advice/exports/withdrawals/", {"what": "item", "name": "?"}).status_code == 422


def test_what_was_set_aside_and_brought_back_counts_again(study: Project, stored: Path, mara: User) -> None:
    rui = User.objects.get(name="Rui")
    before = snapshot(study)
    aside = set_aside(project=study, rater=rui, by=mara)
    [waiting] = settle_withdrawals()
    without = built(waiting)
    lift(withdrawal=aside, by=mara)
    assert settle_withdrawals() == []
    after = snapshot(study)
    assert (before.withdrawals, without.withdrawals, after.withdrawals) == ([], [aside.pk], [])
    assert rui.pk not in without.raters and rui.pk in after.raters
    assert asked(stored, before) == asked(stored, after)
    found = between(without, after)
    assert found.kinds and set(found.whys) == {"new_votes"}


def test_what_is_brought_back_before_anybody_looked_marks_no_snapshot(study: Project, stored: Path, mara: User) -> None:
    before = snapshot(study)
    lift(withdrawal=set_aside(project=study, rater=User.objects.get(name="Rui"), by=mara), by=mara)
    assert settle_withdrawals() == []
    before.refresh_from_db()
    assert before.superseded_at is None and Export.objects.filter(pk=before.pk).fetchable().exists()
