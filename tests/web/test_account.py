"""Sign-in, sign-out, passwords, and a person's own account."""

from __future__ import annotations

import re

import pytest
from django.core import mail
from django.test import Client

from labeling.actions.people import create_person, create_token
from labeling.models import ApiToken, AuditEntry, User
from tests import make

pytestmark = pytest.mark.django_db
NEW = "a much better sentence"


@pytest.fixture
def rui() -> User:
    return make.person("Rui")


def sign_in(client: Client, email: str = "rui@example.org", password: str = make.PASSWORD, query: str = "") -> str:
    """Where it leads, or the page that says why not."""
    answer = client.post(f"/sign-in/{query}", {"username": email, "password": password})
    return answer["Location"] if answer.status_code == 302 else answer.text


def test_sign_in_and_out(client: Client, rui: User) -> None:
    assert sign_in(client, "Rui@Example.org") == "/"
    assert client.get("/").status_code == 200
    assert client.get("/sign-out/").status_code == 405
    assert client.post("/sign-out/")["Location"] == "/sign-in/"
    assert client.get("/").status_code == 302


def test_a_refused_sign_in_tells_nobody_who_has_an_account(client: Client, rui: User) -> None:
    create_person(email="gone@example.org", password=make.PASSWORD)
    User.objects.filter(email="gone@example.org").update(is_active=False)
    tried = [("rui@example.org", "wrong"), ("nobody@example.org", "wrong"), ("gone@example.org", make.PASSWORD)]
    said = {re.sub(r'value="[^"]*"|X-CSRFToken": "\w+', "", sign_in(client, *one)) for one in tried}
    assert len(said) == 1 and "do not go together" in said.pop()


@pytest.mark.parametrize(
    ("asked", "leads_to"),
    [("/account/", "/account/"), ("https://evil.example/", "/"), ("//evil.example", "/"), ("javascript:alert(1)", "/")],
)
def test_next_leads_only_into_this_site(client: Client, rui: User, asked: str, leads_to: str) -> None:
    answer = client.post("/sign-in/", {"username": rui.email, "password": make.PASSWORD, "next": asked})
    assert answer["Location"] == leads_to


def test_a_forgotten_password_is_reset_by_mail(client: Client, rui: User) -> None:
    answer = client.post("/forgotten/", {"email": "RUI@example.org"}, follow=True)
    assert "If there is an account with that address" in answer.text
    link = re.search(r"http://127\.0\.0\.1:8000(/forgotten/\S+)", str(mail.outbox[0].body))
    assert link is not None
    page = client.get(link[1], follow=True)
    here = page.redirect_chain[-1][0]
    assert "too short" in client.post(here, {"new_password1": "short", "new_password2": "short"}).text
    assert client.post(here, {"new_password1": NEW, "new_password2": NEW})["Location"] == "/sign-in/"
    assert sign_in(client, password=NEW) == "/"
    assert AuditEntry.objects.filter(act="password.reset", actor_id=rui.pk).exists()
    client.logout()
    assert "This link is over" in client.get(link[1], follow=True).text


def test_a_person_without_a_password_gets_one_by_mail_and_an_external_rater_does_not(client: Client) -> None:
    create_person(email="new@example.org")
    User.objects.create_user("outside@example.org", is_external=True)
    for email in ("new@example.org", "outside@example.org", "nobody@example.org"):
        assert client.post("/forgotten/", {"email": email})["Location"] == "/forgotten/sent/"
    assert [message.to for message in mail.outbox] == [["new@example.org"]]


def test_change_the_password(client: Client, rui: User) -> None:
    other = Client()
    other.force_login(rui)
    client.force_login(rui)
    wrong = {"old_password": "wrong", "new_password1": NEW, "new_password2": NEW}
    assert "entered incorrectly" in client.post("/account/password/", wrong).text
    done = client.post("/account/password/", wrong | {"old_password": make.PASSWORD}, follow=True)
    assert "Your password is changed." in done.text
    assert other.get("/").status_code == 302
    assert AuditEntry.objects.get(act="password.changed").actor_id == rui.pk


def test_name_and_colours(client: Client, rui: User) -> None:
    client.force_login(rui)
    page = client.post("/account/", {"name": "  Rui   Costa ", "theme": "dark"}, follow=True)
    assert "Saved." in page.text and '<html lang="en" dir="ltr" data-theme="dark">' in page.text
    rui.refresh_from_db()
    assert (rui.name, rui.theme) == ("Rui Costa", "dark")
    assert client.post("/account/", {"name": "R" * 121, "theme": "neon"}).status_code == 422


def test_a_token_is_shown_once_and_works_until_revoked(client: Client, rui: User) -> None:
    client.force_login(rui)
    page = client.post("/account/tokens/", {"name": "Evening import", "days": "30"})
    secret = re.search(r"ann_\w{8}_[-\w]{43}", page.text)
    assert secret is not None and "no-store" in page["Cache-Control"]
    token = ApiToken.objects.get(user=rui)
    assert secret[0] not in client.get("/account/").text and "Evening import" in client.get("/account/").text
    assert "is revoked" in client.post(f"/account/tokens/{token.pk}/revoke/", follow=True).text
    token.refresh_from_db()
    assert not token.is_live and "Evening import" not in client.get("/account/").text.split("<table>")[-1]


@pytest.mark.parametrize("days", ["0", "366", "soon", ""])
def test_a_token_lasts_at_most_a_year(client: Client, rui: User, days: str) -> None:
    client.force_login(rui)
    assert client.post("/account/tokens/", {"name": "Forever", "days": days}).status_code == 422
    assert not ApiToken.objects.exists()


def test_nobody_revokes_the_token_of_another(client: Client, rui: User) -> None:
    token, _ = create_token(user=rui, name="mine")
    client.force_login(make.person("Otto"))
    assert client.post(f"/account/tokens/{token.pk}/revoke/").status_code == 404
    token.refresh_from_db()
    assert token.is_live


@pytest.mark.parametrize("address", ["/account/", "/account/password/"])
def test_a_stranger_signs_in_first(client: Client, address: str) -> None:
    assert client.get(address)["Location"] == f"/sign-in/?next={address}"


def test_a_page_that_is_not_there(client: Client, rui: User) -> None:
    for _ in range(2):
        page = client.get("/nothing/here/")
        assert page.status_code == 404 and "There is no such page" in page.text
        client.force_login(rui)
