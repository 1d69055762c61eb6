"""Noor pushes a snapshot to the hub of her lab. The hub has its days; what is said is always what to do about it."""

from __future__ import annotations

import json
import time
from collections.abc import Iterator
from datetime import timedelta
from hashlib import sha256
from pathlib import Path
from typing import Any

import pytest
from django.test import Client
from django.utils import timezone

from exports import pushes, tasks
from exports.actions import build_export, delete_export, request_export
from exports.models import Export, HubPush, HubToken
from exports.pushes import run_push
from labeling.models import AuditEntry, Membership, Project, User
from labeling.models.jobs import MOST_ATTEMPTS
from tests.hub_server import TOKEN, Fault, Hub, Repo, hub_server
from tests.receiver import receiver

REPO = "lab/advice"


@pytest.fixture
def hub(settings: Any, monkeypatch: pytest.MonkeyPatch) -> Iterator[Hub]:
    with hub_server() as state:
        settings.HF_ENDPOINT = state.url
        settings.ALLOWED_ENDPOINT_ORIGINS = [state.url]
        monkeypatch.setattr(time, "sleep", lambda seconds: None)  # its library waits before it tries again
        yield state


@pytest.fixture
def done(study: Project, stored: Path) -> Export:
    return built(study)


def built(study: Project, **recipe: Any) -> Export:
    given = {"format": "dpo", "split": {"test": 0.3}} | recipe
    export = request_export(project=study, by=User.objects.get(name="Noor"), recipe=given, name="Advice")
    build_export(export=export)
    export.refresh_from_db()
    assert export.state == "done"
    return export


@pytest.fixture
def noor(study: Project) -> Client:
    return signed_in("Noor")


def signed_in(name: str) -> Client:
    client = Client()
    client.force_login(User.objects.get(name=name))
    return client


def ask(client: Client, export: Export, **given: Any) -> Any:
    form = {"repo_id": REPO, "token": TOKEN, "private": "on"} | given
    return client.post(f"/projects/advice/exports/{export.pk}/push/", form)


def pushed(client: Client, export: Export, **given: Any) -> HubPush:
    """Asked for and run once, by the worker's own door."""
    assert ask(client, export, **given).status_code == 302
    push: HubPush = HubPush.objects.order_by("-pk")[0]
    tasks.push_export(push.pk)
    push.refresh_from_db()
    return push


def again(push: HubPush) -> HubPush:
    """As the clock would, when the wait is over."""
    HubPush.objects.filter(pk=push.pk).update(lease_until=timezone.now() - timedelta(seconds=1))
    assert pushes.due_pushes() == [push.pk]
    tasks.push_export(push.pk)
    push.refresh_from_db()
    return push


def hashes(files: dict[str, bytes]) -> dict[str, str]:
    return {path: sha256(data).hexdigest() for path, data in files.items()}


def test_the_files_arrive(noor: Client, done: Export, hub: Hub) -> None:
    push = pushed(noor, done)
    repo = hub.repos[REPO]
    assert (push.state, push.error, push.commit, push.percent) == ("done", "", repo.commits[-1], 100)
    assert hashes(repo.files) == dict(done.files.values_list("path", "sha256"))
    assert repo.private and repo.tags == {"v1": push.commit} and repo.titles == ["advice v1: 4 rows"]
    assert push.sealed_token == "" and not HubToken.objects.exists()
    acts = AuditEntry.objects.filter(target_type="hubpush").order_by("pk").values_list("act", flat=True)
    assert list(acts) == ["push.requested", "push.finished"]
    page = noor.get(f"/projects/advice/exports/{done.pk}/share/").content.decode()
    assert REPO in page and push.commit[:12] in page


def test_pushed_twice_it_is_there_once(noor: Client, done: Export, hub: Hub) -> None:
    first, second = pushed(noor, done), pushed(noor, done)
    assert first.commit == second.commit and len(hub.repos[REPO].titles) == 1
    assert hub.sent("PUT /objects") == len([p for p in hub.repos[REPO].files if p.startswith("data/")])


def test_asked_twice_it_is_one_push(noor: Client, done: Export, hub: Hub) -> None:
    ask(noor, done)
    ask(noor, done)
    assert HubPush.objects.count() == 1


def test_a_later_snapshot_takes_the_place_of_the_former(study: Project, noor: Client, done: Export, hub: Hub) -> None:
    """Shards of the former would be read as more rows of this one; what others put there stays."""
    pushed(noor, done)
    repo = hub.repos[REPO]
    repo.files |= {"LICENSE": b"CC0", "data/train-00001-of-00002.parquet": b"old"}
    later = built(study, split={"test": 0}, file="jsonl")
    push = pushed(noor, later)
    assert push.state == "done" and set(repo.files) == {*later.files.values_list("path", flat=True), "LICENSE"}
    assert set(repo.tags) == {"v1", "v2"} and repo.tags["v2"] == push.commit


# --- what can go wrong ----------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("given", "says"),
    [
        ({"token": "hf_wrong"}, "does not know this token"),
        ({"repo_id": "strangers/advice"}, "may not write to strangers/advice"),
    ],
)
def test_refusals_say_what_to_do_and_are_final(
    noor: Client, done: Export, hub: Hub, given: dict[str, str], says: str
) -> None:
    push = pushed(noor, done, **given)
    assert push.state == "failed" and says in push.error and push.sealed_token == ""
    assert pushes.due_pushes() == [] and not hub.repos
    assert AuditEntry.objects.filter(act="push.failed").count() == 1
    assert says in noor.get(f"/projects/advice/exports/{done.pk}/share/").content.decode()


@pytest.mark.parametrize(
    ("fault", "says"),
    [
        (Fault("GET /api/datasets", 404), "knows no lab/advice"),
        (Fault("/preupload/", 404), "knows no lab/advice"),
        (Fault("/commit/", 403), "may not write to lab/advice"),
        (Fault("/objects/batch", 401), "does not know this token"),
        (Fault("PUT /objects", 400, 9), "refused it (400)"),
        (Fault("/commit/", 413), "refused it (413)"),
    ],
)
def test_refused_on_the_way(noor: Client, done: Export, hub: Hub, fault: Fault, says: str) -> None:
    hub.repos[REPO] = Repo(private=True)
    hub.faults.append(fault)
    push = pushed(noor, done)
    assert push.state == "failed" and says in push.error and TOKEN not in push.error


@pytest.mark.parametrize(
    "fault",
    [
        Fault("/repos/create", 500), Fault("/repos/create", "cut"), Fault("/validate-yaml", 502),
        Fault("/preupload/", 500, 6), Fault("/preupload/", "cut", 6), Fault("PUT /objects", 503, 6),
        Fault("PUT /objects", "cut", 6), Fault("/commit/", 500), Fault("/commit/", "cut"), Fault("/commit/", "late"),
        Fault("/tag/", 500), Fault("/tag/", "late"), Fault("/commit/", 429),
    ],
    ids=lambda fault: f"{fault.where} {fault.answer}",
)  # fmt: skip
def test_trouble_is_tried_again(noor: Client, done: Export, hub: Hub, fault: Fault) -> None:
    hub.faults.append(fault)
    push = pushed(noor, done)
    assert (push.state, push.attempts) == ("running", 1) and push.error and TOKEN not in push.error
    assert push.lease_until is not None and push.lease_until > timezone.now() and pushes.due_pushes() == []
    assert push.sealed_token  # it is needed again
    push = again(push)
    assert (push.state, push.error) == ("done", "")
    repo = hub.repos[REPO]
    assert hashes(repo.files) == dict(done.files.values_list("path", "sha256"))
    assert len(repo.titles) == 1 and set(repo.tags) == {"v1"}


def test_a_short_hiccup_is_over_in_one_attempt(noor: Client, done: Export, hub: Hub) -> None:
    hub.faults += [Fault("PUT /objects", 500), Fault("PUT /objects", "cut"), Fault("/preupload/", 500, 2)]
    push = pushed(noor, done)
    assert (push.state, push.attempts) == ("done", 1)


def test_enough_is_enough(noor: Client, done: Export, hub: Hub) -> None:
    hub.faults.append(Fault("/repos/create", 500, 99))
    push = pushed(noor, done)
    for _ in range(MOST_ATTEMPTS - 1):
        push = again(push)
    assert push.state == "failed" and "Given up after 5 attempts" in push.error and push.sealed_token == ""


def test_a_file_that_arrived_is_not_sent_again(study: Project, noor: Client, stored: Path, hub: Hub) -> None:
    export = built(study)
    data = [path for path in export.files.values_list("path", flat=True) if path.startswith("data/")]
    hub.faults.append(Fault("/commit/", 500))
    again(pushed(noor, export))
    assert hub.sent("PUT /objects") == len(data)


def test_a_hub_that_sends_us_elsewhere(noor: Client, done: Export, hub: Hub) -> None:
    """A redirect, or an address for the upload, that leads inside is refused."""
    with receiver() as inside:
        hub.storage = inside.url
        push = pushed(noor, done)
        assert push.state == "failed" and "an address of its own choice" in push.error and inside.hits == 0


def test_who_lost_the_right_pushes_nothing(noor: Client, done: Export, hub: Hub) -> None:
    ask(noor, done)
    Membership.objects.filter(user__name="Noor").delete()
    tasks.push_export(HubPush.objects.get().pk)
    push = HubPush.objects.get()
    assert push.state == "failed" and "may not reach" in push.error and not hub.calls


def test_closed_meanwhile(noor: Client, done: Export, hub: Hub) -> None:
    ask(noor, done)
    Export.objects.update(closed_at=timezone.now())
    tasks.push_export(HubPush.objects.get().pk)
    assert "Nobody may fetch" in HubPush.objects.get().error and not hub.calls


def test_deleted_meanwhile(noor: Client, done: Export, hub: Hub) -> None:
    ask(noor, done)
    push = HubPush.objects.select_related("export__project", "created_by").get()
    delete_export(export=done, by=User.objects.get(name="Noor"))
    tasks.push_export(push.pk)
    with pytest.raises(HubPush.DoesNotExist):  # a worker that had read the row already
        run_push(push=push)
    assert not HubPush.objects.exists() and not hub.calls


def test_one_worker_at_a_time(noor: Client, done: Export, hub: Hub) -> None:
    ask(noor, done)
    push = HubPush.objects.get()
    assert push.take()
    tasks.push_export(push.pk)
    assert not hub.calls


# --- the token ------------------------------------------------------------------------------------


def everywhere() -> str:
    """All that is stored of pushes, tokens and what was done."""
    rows = [*HubPush.objects.values(), *HubToken.objects.values(), *AuditEntry.objects.values()]
    return json.dumps(rows, default=str)


def test_a_token_that_is_kept_is_used_and_never_shown(
    noor: Client, done: Export, hub: Hub, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level("DEBUG")
    pushed(noor, done, keep_token="on")
    hub.faults.append(Fault("/repos/create", 500))
    push = again(pushed(noor, done, token=""))
    assert push.state == "done"
    page = noor.get(f"/projects/advice/exports/{done.pk}/share/").content.decode()
    assert "Your token is kept" in page
    for told in (page, everywhere(), caplog.text):
        assert TOKEN not in told
    assert HubToken.objects.get().user.name == "Noor"
    noor.post(f"/projects/advice/exports/{done.pk}/hub-token/forget/")
    assert not HubToken.objects.exists()


def test_a_token_given_for_one_push_is_sealed_and_then_gone(noor: Client, done: Export, hub: Hub) -> None:
    ask(noor, done)
    assert HubPush.objects.get().sealed_token and TOKEN not in everywhere()
    tasks.push_export(HubPush.objects.get().pk)
    assert HubPush.objects.get().sealed_token == ""


def test_the_token_of_another_is_not_used(noor: Client, done: Export, hub: Hub) -> None:
    pushed(noor, done, keep_token="on")
    assert ask(signed_in("Mara"), done, token="").status_code == 422


def test_a_wrong_form_does_not_send_the_token_back(noor: Client, done: Export, hub: Hub) -> None:
    answer = ask(noor, done, repo_id="no slash")
    assert answer.status_code == 422 and TOKEN not in answer.content.decode()


def test_another_key_of_this_server(noor: Client, done: Export, hub: Hub, settings: Any) -> None:
    ask(noor, done)
    settings.SECRET_KEY = "another key of this installation, long enough for anybody"
    tasks.push_export(HubPush.objects.get().pk)
    assert "another SECRET_KEY" in HubPush.objects.get().error


@pytest.mark.parametrize(
    "wrong",
    [{"repo_id": "x"}, {"repo_id": "a/b/c"}, {"repo_id": "a--b/c"}, {"repo_id": "../x"}, {"token": ""},
     {"token": "two words"}, {"token": "schlüssel"}, {"token": "x" * 501}],
)  # fmt: skip
def test_what_is_wrong_is_told(noor: Client, done: Export, hub: Hub, wrong: dict[str, str]) -> None:
    assert ask(noor, done, **wrong).status_code == 422 and not HubPush.objects.exists()


@pytest.mark.parametrize("name", ["Rui", "Ada", "Otto"])
def test_who_may_not(done: Export, hub: Hub, name: str) -> None:
    assert ask(signed_in(name), done).status_code == 404 and not HubPush.objects.exists()


def test_progress_on_the_page(noor: Client, done: Export, hub: Hub) -> None:
    ask(noor, done)
    HubPush.objects.update(state="running", bytes_sent=done.bytes_written // 2, lease_until=timezone.now())
    part = noor.get(f"/projects/advice/exports/{done.pk}/share/", headers={"HX-Request": "true"}).content.decode()
    assert "<html" not in part and 'hx-trigger="every 2s"' in part and "50%" in part
