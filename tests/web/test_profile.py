"""What a person says about themselves, and what their home makes of the languages."""

from __future__ import annotations

import pytest
from django.test import Client

from labeling.actions.queues import create_queue
from labeling.models import Project, RaterProfile, User
from tests import make
from tests.web.conftest import signed_in

pytestmark = pytest.mark.django_db
TOLD = {"do": "demographics", "age": "25–34", "gender": " a  woman ", "region": "Kenya", "education": "school"}


@pytest.fixture
def project() -> Project:
    made = make.project()
    make.cast(made)
    return made


@pytest.fixture
def rui(project: Project) -> Client:
    return signed_in(User.objects.get(name="Rui"))


def test_languages_are_kept_and_can_be_emptied(rui: Client) -> None:
    rui.post("/account/profile/", {"do": "languages", "languages": ["en", "zh-Hant"]})
    assert RaterProfile.objects.get().languages == ["en", "zh-Hant"]
    page = rui.get("/account/profile/").text
    assert page.count(" checked") == 2 and "繁體中文" in page
    assert rui.post("/account/profile/", {"do": "languages", "languages": ["tlh"]}).status_code == 422
    rui.post("/account/profile/", {"do": "languages"})
    assert RaterProfile.objects.get().languages == []


def test_demographics_need_consent_and_go_with_it(rui: Client) -> None:
    refused = rui.post("/account/profile/", TOLD)
    assert refused.status_code == 422 and "without your consent nothing of this is kept" in refused.text
    assert not RaterProfile.objects.exists()
    rui.post("/account/profile/", TOLD | {"consent": "on"})
    mine = RaterProfile.objects.get()
    assert mine.demographics == {"age": "25–34", "gender": "a woman", "region": "Kenya", "education": "school"}
    agreed = mine.demographics_consent_at
    assert agreed is not None
    rui.post("/account/profile/", TOLD | {"consent": "on", "age": ""})
    mine.refresh_from_db()
    assert "age" not in mine.demographics and mine.demographics_consent_at == agreed
    answer = rui.post("/account/profile/", {"do": "demographics"}, follow=True)
    assert "Nothing of this is kept about you." in answer.text
    mine.refresh_from_db()
    assert mine.demographics == {} and mine.demographics_consent_at is None


def test_nothing_of_it_reaches_managers(rui: Client, project: Project) -> None:
    rui.post("/account/profile/", TOLD | {"consent": "on", "region": "Ruritania"})
    mara = signed_in(User.objects.get(name="Mara"))
    for page in ("people/", "getting-in/", "getting-in/people/"):
        assert "Ruritania" not in mara.get(f"/projects/{project.slug}/{page}").text


def test_home_puts_my_languages_first_and_marks_the_others(rui: Client, project: Project) -> None:
    make.pair(project, language="fr")
    make.pair(project, language="en-GB")
    project.queues.all().delete()
    create_queue(project=project, by=None, name="French", languages=["fr"])
    create_queue(project=project, by=None, name="English", languages=["en-GB"])
    page = rui.get("/").text
    assert "Not your languages" not in page
    rui.post("/account/profile/", {"do": "languages", "languages": ["en"]})
    page = rui.get("/").text.split("Open to you")[1]
    assert page.index("English") < page.index("French") and page.count("Not your languages") == 1
    assert page.index("Not your languages") > page.index("English") and page.count("/next/") == 2
