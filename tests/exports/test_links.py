"""Noor sends a link to a reviewer without an account. It ends when she says so, in time, and when her right does."""

from __future__ import annotations

import re
from collections.abc import Callable
from datetime import timedelta
from hashlib import sha256
from pathlib import Path
from typing import Any

import pytest
from django.test import Client
from django.utils import timezone

from exports.actions import build_export, delete_export, request_export
from exports.links import LONGEST_DAYS, MOST_LINKS
from exports.models import DownloadLink, Export
from labeling.models import AuditEntry, Membership, Project, User
from tests import make

SHARE = "/projects/advice/exports/{}/share/"


@pytest.fixture
def done(study: Project, stored: Path) -> Export:
    export = request_export(project=study, by=User.objects.get(name="Noor"), recipe="dpo-jsonl", name="The <paper>")
    build_export(export=export)
    export.refresh_from_db()
    return export


@pytest.fixture
def noor(study: Project) -> Client:
    return signed_in("Noor")


def signed_in(name: str) -> Client:
    client = Client()
    client.force_login(User.objects.get(name=name))
    return client


def shared(client: Client, export: Export, **given: Any) -> str:
    """The path of a new link."""
    answer = client.post(f"/projects/advice/exports/{export.pk}/links/", {"days": 7, "note": "Reviewer 2"} | given)
    found = re.search(r"https?://[^/]+(/links/[A-Za-z0-9_-]{43}/)", answer.content.decode())
    assert answer.status_code == 200 and found is not None
    return found[1]


def body(answer: Any) -> bytes:
    return b"".join(answer.streaming_content)


def statuses(path: str) -> set[int]:
    """What a stranger gets: the page, the archive, a file."""
    found = set()
    for more in ("", "all.zip", "files/README.md"):
        answer = Client().get(path + more)
        answer.close()
        found.add(answer.status_code)
    return found


def test_a_stranger_with_the_link_gets_the_files(noor: Client, done: Export) -> None:
    path = shared(noor, done)
    page = Client().get(path)
    text = page.content.decode()
    assert page.status_code == 200 and "The &lt;paper&gt;" in text and "curl -C -" in text
    assert "Noor" not in text and "Reviewer 2" not in text and "noor@" not in text
    for file in done.files.all():
        assert f"{path}files/{file.path}" in text
        answer = Client().get(f"{path}files/{file.path}")
        data = body(answer)
        assert sha256(data).hexdigest() == file.sha256
        assert answer["Content-Disposition"].startswith("attachment") and "no-store" in answer["Cache-Control"]
        assert answer["Content-Security-Policy"] == "sandbox; default-src 'none'"
    assert body(Client().get(f"{path}all.zip"))[:2] == b"PK"


def test_the_secret_is_stored_as_a_digest_and_shown_once(noor: Client, done: Export) -> None:
    secret = shared(noor, done).split("/")[2]
    link = DownloadLink.objects.get()
    assert secret not in "".join(map(str, vars(link).values()))
    assert link.token_digest == sha256(secret.encode()).hexdigest()
    assert secret not in noor.get(SHARE.format(done.pk)).content.decode()
    assert secret not in str(list(AuditEntry.objects.values_list("data", flat=True)))


def revoke(link: DownloadLink) -> None:
    signed_in("Mara").post(f"/projects/advice/exports/links/{link.pk}/revoke/")


def expire(link: DownloadLink) -> None:
    DownloadLink.objects.update(expires_at=timezone.now() - timedelta(seconds=1))


def lose_the_role(link: DownloadLink) -> None:
    Membership.objects.filter(user=link.created_by).delete()


def become_a_rater(link: DownloadLink) -> None:
    Membership.objects.filter(user=link.created_by).update(role="rater")


def leave(link: DownloadLink) -> None:
    User.objects.filter(pk=link.created_by_id).update(is_active=False)


def delete(link: DownloadLink) -> None:
    delete_export(export=link.export, by=User.objects.get(name="Mara"))


def begin_again(link: DownloadLink) -> None:
    Export.objects.update(state="running")


def close(link: DownloadLink) -> None:
    Export.objects.update(closed_at=timezone.now())


@pytest.mark.parametrize("end", [close, revoke, expire, lose_the_role, become_a_rater, leave, delete, begin_again])
def test_it_ends_at_once_with_the_right(noor: Client, done: Export, end: Callable[[DownloadLink], None]) -> None:
    path = shared(noor, done)
    assert statuses(path) == {200}
    end(DownloadLink.objects.select_related("export", "created_by").get())
    assert statuses(path) == {404}


def test_a_right_that_comes_back_opens_it_again(noor: Client, done: Export) -> None:
    """It is the right that is asked, each time; to end a link for good there is its button."""
    path = shared(noor, done)
    Membership.objects.filter(user__name="Noor").update(role="rater")
    assert statuses(path) == {404}
    Membership.objects.filter(user__name="Noor").update(role="researcher")
    assert statuses(path) == {200}


@pytest.mark.parametrize("other", ["x", "../", "A" * 43, "%00", "🔑"])
def test_other_secrets_lead_nowhere(noor: Client, done: Export, other: str) -> None:
    shared(noor, done)
    assert Client().get(f"/links/{other}/").status_code == 404


def test_a_link_leads_to_its_own_export_only(noor: Client, study: Project, done: Export) -> None:
    path = shared(noor, done)
    for wrong in ("nothing", "../1/README.md", "data/../README.md", "%2e%2e/secret"):
        assert Client().get(f"{path}files/{wrong}").status_code == 404


def test_downloads_are_counted_from_their_beginning(noor: Client, done: Export) -> None:
    path = shared(noor, done)
    readme = f"{path}files/README.md"
    for headers in ({}, {"Range": "bytes=0-9"}, {"Range": "bytes=10-19"}, {"Range": "bytes=20-"}):
        body(Client().get(readme, headers=headers))
    Client().head(readme)
    Client().get(path)
    body(Client().get(f"{path}all.zip"))
    link = DownloadLink.objects.get()
    assert link.uses == 3 and link.last_used_at is not None
    used = AuditEntry.objects.filter(act="link.used").order_by("pk").values_list("data__path", "actor_id")
    assert list(used) == [("README.md", None), ("README.md", None), ("all.zip", None)]
    assert "3 downloads" in noor.get(SHARE.format(done.pk)).content.decode()


def test_it_is_in_the_log_who_made_and_who_revoked_it(noor: Client, done: Export) -> None:
    shared(noor, done)
    revoke(DownloadLink.objects.get())
    revoke(DownloadLink.objects.get())
    acts = AuditEntry.objects.filter(target_type="downloadlink").order_by("pk").values_list("act", "actor_id")
    ids = {name: User.objects.get(name=name).pk for name in ("Noor", "Mara")}
    assert list(acts) == [("link.made", ids["Noor"]), ("link.revoked", ids["Mara"])]


@pytest.mark.parametrize("wrong", [{"days": 0}, {"days": LONGEST_DAYS + 1}, {"days": "soon"}, {"note": "x" * 121}])
def test_what_is_wrong_is_told(noor: Client, done: Export, wrong: dict[str, Any]) -> None:
    answer = noor.post(f"/projects/advice/exports/{done.pk}/links/", {"days": 7} | wrong)
    assert answer.status_code == 422 and not DownloadLink.objects.exists()


def test_there_is_a_limit(noor: Client, done: Export) -> None:
    noor_user = User.objects.get(name="Noor")
    ends = timezone.now() + timedelta(days=1)
    DownloadLink.objects.bulk_create(
        DownloadLink(export=done, token_digest=str(n), created_by=noor_user, expires_at=ends) for n in range(MOST_LINKS)
    )
    assert noor.post(f"/projects/advice/exports/{done.pk}/links/", {"days": 7}).status_code == 422


@pytest.mark.parametrize("name", ["Rui", "Ada", "Otto"])
def test_who_may_not_export_shares_nothing(done: Export, name: str) -> None:
    client = signed_in(name)
    assert client.get(SHARE.format(done.pk)).status_code == 404
    assert client.post(f"/projects/advice/exports/{done.pk}/links/", {"days": 7}).status_code == 404


def test_only_under_its_own_project_and_only_finished(noor: Client, done: Export) -> None:
    make.member(make.project("other"), "Noor", "researcher")
    assert noor.get(f"/projects/other/exports/{done.pk}/share/").status_code == 404
    Export.objects.update(state="running")
    assert noor.get(SHARE.format(done.pk)).status_code == 404
    assert noor.post(f"/projects/advice/exports/{done.pk}/links/", {"days": 7}).status_code == 404
