"""Members and their roles, invitations by link, and the page behind the link."""

from datetime import timedelta

import pytest
from django.conf import settings
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from labeling.actions.people import accept_invitation, invite, revoke_invitation
from labeling.models import Invitation, Membership, User
from tests import make

pytestmark = pytest.mark.django_db
PEOPLE = "/projects/advice/people/"
NEW = {"name": "Nina", "email": "nina@example.org", "password": make.PASSWORD}


def text(answer):
    return " ".join(answer.content.decode().split())


def link(study, role="rater", **more):
    """The path of a fresh invitation and its row."""
    invitation, secret = invite(project=study["project"], role=role, by=study["people"]["Mara"], **more)
    return f"/join/{secret}/", invitation


def roles(email):
    return set(Membership.objects.filter(user__email=email).values_list("role", flat=True))


def test_members_by_role_with_since_when_and_how_much(study, mara):
    page = text(mara.get(PEOPLE))
    order = [page.index(f"{name}@example.org") for name in ("mara", "noor", "ada", "rosa", "rui")]
    assert order == sorted(order)
    assert f"{timezone.now():%-d %b %Y}" in page and "Pairs judged" in page
    assert "otto@example.org" not in page


def test_the_page_takes_the_same_queries_for_many(study, mara):
    with CaptureQueriesContext(connection) as few:
        mara.get(PEOPLE)
    for number in range(5):
        make.member(study["project"], f"Rater{number}", "rater")
    with CaptureQueriesContext(connection) as many:
        mara.get(PEOPLE)
    assert len(many) == len(few) <= 10


def test_a_person_with_an_account_is_added(study, mara):
    assert mara.post(PEOPLE + "add/", {"email": " Otto@example.org", "role": "researcher"}).status_code == 302
    assert roles("otto@example.org") == {"researcher"}


def test_who_has_no_account_is_not_added(study, mara):
    answer = mara.post(PEOPLE + "add/", {"email": "nobody@example.org", "role": "rater"})
    assert answer.status_code == 422 and "Nobody has an account" in text(answer)
    assert mara.post(PEOPLE + "add/", {"email": "otto@example.org", "role": "king"}).status_code == 422


def test_a_role_is_taken_away(study, mara):
    rui = Membership.objects.get(user=study["people"]["Rui"])
    assert mara.post(f"{PEOPLE}{rui.pk}/remove/").status_code == 302
    assert roles("rui@example.org") == set()


def test_the_last_manager_stays(study, mara):
    own = Membership.objects.get(user=study["people"]["Mara"])
    answer = mara.post(f"{PEOPLE}{own.pk}/remove/", follow=True)
    assert "only manager" in text(answer) and roles("mara@example.org") == {"manager"}


def test_an_invitation_link_is_shown_once_and_works(study, mara):
    page = text(mara.post(PEOPLE + "invite/", {"role": "rater"}))
    start = page.index(settings.PUBLIC_URL + "/join/")
    secret = page[start:].split("<")[0].removeprefix(settings.PUBLIC_URL + "/join/").strip("/")
    assert len(secret) == 43
    again = text(mara.get(PEOPLE))
    assert secret not in again and "Anyone with the link" in again
    assert Invitation.objects.get().token_digest != secret
    assert text(Client().get(f"/join/{secret}/")).count("Everyday advice") >= 1


def test_an_invitation_needs_a_role_and_a_real_address(study, mara):
    assert mara.post(PEOPLE + "invite/", {"role": "operator"}).status_code == 422
    assert mara.post(PEOPLE + "invite/", {"role": "rater", "email": "not an address"}).status_code == 422
    assert not Invitation.objects.exists()


def test_an_invitation_is_withdrawn(study, mara):
    path, invitation = link(study)
    mara.post(f"{PEOPLE}invitations/{invitation.pk}/revoke/")
    assert Client().get(path).status_code == 404
    assert "Open invitations" not in text(mara.get(PEOPLE))


@pytest.mark.parametrize("name", ["Rui", "Noor", "Ada", "Otto"])
def test_only_managers_deal_with_people(study, name):
    client, (_, invitation) = study["as_"][name], link(study)
    rui = Membership.objects.get(user=study["people"]["Rui"])
    assert client.get(PEOPLE).status_code == 404
    assert client.post(PEOPLE + "add/", {"email": "otto@example.org", "role": "manager"}).status_code == 404
    assert client.post(PEOPLE + "invite/", {"role": "manager"}).status_code == 404
    assert client.post(f"{PEOPLE}{rui.pk}/remove/").status_code == 404
    assert client.post(f"{PEOPLE}invitations/{invitation.pk}/revoke/").status_code == 404
    assert Membership.objects.count() == 5 and Invitation.objects.get().revoked_at is None


def test_other_projects_members_and_invitations_are_not_there(study, mara):
    other = make.project("other", "Other")
    theirs = Membership.objects.get(user=make.member(other, "Olaf", "rater"))
    invitation, _ = invite(project=other, role="rater", by=study["people"]["Mara"])
    assert mara.post(f"{PEOPLE}{theirs.pk}/remove/").status_code == 404
    assert mara.post(f"{PEOPLE}invitations/{invitation.pk}/revoke/").status_code == 404
    make.member(other, "Mara", "manager")
    assert mara.post(f"{PEOPLE}{theirs.pk}/remove/").status_code == 404, "under another project's address"


# --- behind the link --------------------------------------------------------------------------------


def test_a_new_person_joins_and_is_signed_in(study):
    path, _ = link(study)
    client = Client()
    assert "Make my account and join" in text(client.get(path))
    answer = client.post(path, NEW)
    assert (answer.status_code, answer["Location"]) == (302, "/")
    assert client.get("/").wsgi_request.user.email == "nina@example.org"
    assert roles("nina@example.org") == {"rater"}
    assert User.objects.get(email="nina@example.org").check_password(make.PASSWORD)


def test_a_signed_in_person_joins_with_one_press(study):
    path, _ = link(study, "adjudicator")
    otto = study["as_"]["Otto"]
    assert "You are signed in as" in text(otto.get(path))
    assert roles("otto@example.org") == set(), "looking at it is not joining"
    assert otto.post(path).status_code == 302
    assert roles("otto@example.org") == {"adjudicator"}


def test_sign_in_comes_back_to_the_link(study):
    path, _ = link(study)
    page = text(Client().get(path))
    assert f"/sign-in/?next={path}" in page
    client = Client()
    answer = client.post(f"/sign-in/?next={path}", {"username": "otto@example.org", "password": make.PASSWORD})
    assert answer["Location"] == path


@pytest.mark.parametrize(
    ("typed", "says"),
    [
        ({"password": "short"}, "too short"),
        ({"password": "nina@example.org"}, "too similar"),
        ({"email": "no address"}, "valid email"),
        ({"email": "otto@example.org"}, "already a person"),
        ({"name": ""}, "required"),
    ],
)
def test_what_is_wrong_is_said_and_the_link_stays_good(study, typed, says):
    path, invitation = link(study)
    answer = Client().post(path, NEW | typed)
    assert answer.status_code == 422 and says in text(answer)
    invitation.refresh_from_db()
    assert invitation.is_open and not User.objects.filter(email="nina@example.org").exists()


def test_every_link_that_does_not_work_looks_the_same(study):
    used, revoked, expired = link(study), link(study), link(study)
    accept_invitation(secret=used[0].split("/")[2], user=study["people"]["Otto"])
    revoke_invitation(invitation=revoked[1], by=study["people"]["Mara"])
    Invitation.objects.filter(pk=expired[1].pk).update(expires_at=timezone.now() - timedelta(seconds=1))
    answers = [Client().get(path) for path in (used[0], revoked[0], expired[0], "/join/unknown/")]
    assert {answer.status_code for answer in answers} == {404}
    assert len({text(answer).split("<main")[1].split("</main>")[0] for answer in answers}) == 1
    assert Client().post(used[0], NEW).status_code == 404
    assert not User.objects.filter(email="nina@example.org").exists()


def test_a_link_for_one_address_is_for_no_other(study):
    path, _ = link(study, email="nina@example.org")
    otto = study["as_"]["Otto"].post(path)
    assert otto.status_code == 403 and "This invitation is for nina@example.org" in text(otto)
    stranger = Client().post(path, NEW | {"email": "eve@example.org"})
    assert stranger.status_code == 422 and "This invitation is for" in text(stranger)
    assert not User.objects.filter(email="eve@example.org").exists(), "both or neither"
    assert Client().post(path, NEW).status_code == 302
