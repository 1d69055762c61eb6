"""create_person, create_token, create_project and add_member, as the operator types them."""

import io
import sys

import pytest
from django.core.management import CommandError, call_command
from django.test import Client

from labeling.models import ApiToken, Membership, Project, User
from tests import make

pytestmark = pytest.mark.django_db


def run(*argv, typed="", monkeypatch=None):
    """What the command prints on its output."""
    out = io.StringIO()
    if monkeypatch:
        monkeypatch.setattr(sys, "stdin", io.StringIO(typed))
    call_command(*argv, stdout=out)
    return out.getvalue()


def refused(*argv, **more):
    """The one line that a refused command leaves."""
    with pytest.raises(CommandError) as problem:
        run(*argv, **more)
    assert "\n" not in str(problem.value)
    return str(problem.value)


def test_a_person_with_a_password_from_the_input(monkeypatch):
    said = run(
        "create_person",
        "Mara@Example.org",
        "--name",
        "Mara",
        "--password-stdin",
        typed=make.PASSWORD + "\n",
        monkeypatch=monkeypatch,
    )
    mara = User.objects.get()
    assert (mara.email, mara.name, mara.is_superuser, mara.is_staff) == ("mara@example.org", "Mara", False, False)
    assert mara.check_password(make.PASSWORD) and make.PASSWORD not in said


def test_a_person_with_a_password_made_up(monkeypatch):
    said = run("create_person", "olga@example.org", "--superuser")
    olga = User.objects.get()
    assert olga.is_superuser and olga.is_staff
    assert olga.check_password(said.rsplit(maxsplit=1)[-1])


def test_persons_that_cannot_be(monkeypatch):
    make.person("Mara")
    assert "already a person" in refused("create_person", "mara@example.org")
    assert "not an e-mail address" in refused("create_person", "mara")
    weak = refused("create_person", "new@example.org", "--password-stdin", typed="short\n", monkeypatch=monkeypatch)
    assert "too short" in weak
    assert User.objects.count() == 1


def test_a_token_alone_on_the_output():
    mara = make.person("Mara")
    key = run("create_token", "mara@example.org", "--name", "script", "--days", "7")
    assert key.strip().startswith("ann_") and len(key.split()) == 1
    token = ApiToken.objects.get()
    assert (token.user, token.name) == (mara, "script")
    assert Client(headers={"Authorization": f"Token {key.strip()}"}).get("/api/v1/projects/").status_code == 200


def test_tokens_that_cannot_be():
    make.person("Mara")
    assert "Nobody has an account" in refused("create_token", "otto@example.org")
    assert "1 to 365 days" in refused("create_token", "mara@example.org", "--days", "0")


def test_a_project_with_and_without_a_manager():
    mara = make.person("Mara")
    run("create_project", "advice", "--name", "Everyday advice", "--manager", "mara@example.org")
    run("create_project", "second", "--name", "Second")
    project = Project.objects.get(slug="advice")
    assert set(Membership.objects.filter(user=mara).values_list("project", "role")) == {
        (project.pk, "manager"), (project.pk, "researcher"),
    }  # fmt: skip
    assert project.queues.get().overlap == 3


def test_projects_that_cannot_be():
    make.project()
    assert "already a project" in refused("create_project", "advice", "--name", "x")
    assert "short name" in refused("create_project", "Not A Slug", "--name", "x")
    assert "needs a name" in refused("create_project", "third", "--name", " ")
    assert "Nobody has an account" in refused("create_project", "third", "--name", "x", "--manager", "no@example.org")
    assert "--name" in refused("create_project", "third")
    assert Project.objects.count() == 1


def test_a_member():
    project, otto = make.project(), make.person("Otto")
    run("add_member", "advice", "otto@example.org", "rater")
    run("add_member", "advice", "otto@example.org", "rater")
    assert list(Membership.objects.values_list("project", "user", "role")) == [(project.pk, otto.pk, "rater")]


def test_members_that_cannot_be():
    make.project()
    make.person("Otto")
    assert "no project “nowhere”. Projects: advice" in refused("add_member", "nowhere", "otto@example.org", "rater")
    assert "Nobody has an account" in refused("add_member", "advice", "no@example.org", "rater")
    assert "There is no role “king”" in refused("add_member", "advice", "otto@example.org", "king")
    assert "create_person EMAIL --superuser" in refused("add_member", "advice", "otto@example.org", "operator")
