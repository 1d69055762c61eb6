"""In which language a page is: the person's own choice, this browser's, what the browser asks for."""

from __future__ import annotations

from typing import Any

import pytest
from django.conf import settings
from django.core import mail
from django.test import Client
from django.utils import formats

from labeling.models import AuditEntry, User
from tests import make
from tests.web.conftest import signed_in

pytestmark = pytest.mark.django_db
SIGN_IN = {"en": "Sign in", "zh-hans": "登录", "zh-hant": "登入"}


def language_of(client: Client, accept: str = "", address: str = "/sign-in/") -> str:
    """Of a page, by its <html> and, so that it is no mere label, by its heading."""
    page = client.get(address, headers={"Accept-Language": accept})
    language = page.text.split('<html lang="')[1].split('"')[0]
    assert page["Content-Language"] == language and 'dir="ltr"' in page.text
    if address == "/sign-in/":
        assert f"<h1>{SIGN_IN[language]}</h1>" in page.text
    return language


@pytest.mark.parametrize(
    ("asked", "given"),
    [
        ("", "en"), ("en-GB,en;q=0.9", "en"), ("pt-BR, fr;q=0.7", "en"), ("fr, zh-TW;q=0.8, en;q=0.5", "zh-hant"),
        ("zh", "zh-hans"), ("zh-CN,zh;q=0.9,en;q=0.8", "zh-hans"), ("zh-SG", "zh-hans"), ("zh-Hans-CN", "zh-hans"),
        ("zh-TW,zh;q=0.9", "zh-hant"), ("zh-HK", "zh-hant"), ("zh-MO", "zh-hant"), ("zh-Hant-HK", "zh-hant"),
    ],
)  # fmt: skip
def test_a_stranger_gets_what_the_browser_asks_for(client: Client, asked: str, given: str) -> None:
    assert language_of(client, asked) == given


def test_a_cache_would_know_that_the_language_matters(client: Client) -> None:
    assert {"Accept-Language", "Cookie"} <= {name.strip() for name in client.get("/sign-in/")["Vary"].split(",")}


def test_a_strangers_choice_stays_in_the_browser(client: Client) -> None:
    answer = client.post("/language/", {"language": "zh-hant", "next": "/forgotten/?x=1"})
    assert answer["Location"] == "/forgotten/?x=1" and answer.cookies[settings.LANGUAGE_COOKIE_NAME]["httponly"]
    assert language_of(client, "zh-CN") == "zh-hant"
    client.post("/language/", {"language": ""})
    assert language_of(client, "zh-CN") == "zh-hans"


def test_every_page_before_the_sign_in_offers_the_languages(client: Client) -> None:
    for address in ("/sign-in/", "/forgotten/", "/join/unknown/", "/nothing/here/"):
        page = client.get(address).text
        for code, name in settings.LANGUAGES:
            assert f'value="{code}" lang="{code}"' in page and name in page


def test_what_a_person_chose_wins_over_the_browser() -> None:
    rui = make.person("Rui")
    client = signed_in(rui)
    assert language_of(client, "zh-TW", "/") == "zh-hant"
    client.post("/language/", {"language": "zh-hans", "next": "/account/"})
    rui.refresh_from_db()
    assert rui.language == "zh-hans" and AuditEntry.objects.filter(act="account.changed", actor_id=rui.pk).exists()
    assert language_of(signed_in(rui), "zh-TW", "/account/") == "zh-hans"


def test_a_choice_can_be_left_to_the_browser_again() -> None:
    rui = make.person("Rui")
    client = signed_in(rui)
    for language in ("zh-hans", ""):
        client.post("/language/", {"language": language})
    assert language_of(client, "zh-TW", "/") == "zh-hant"


@pytest.mark.parametrize("language", ["tlh", "../../etc", "zh_Hans", "x" * 600])
def test_an_unknown_language_changes_nothing(language: str) -> None:
    rui = make.person("Rui")
    client = signed_in(rui)
    assert client.post("/language/", {"language": language})["Location"] == "/"
    rui.refresh_from_db()
    assert rui.language == "" and settings.LANGUAGE_COOKIE_NAME not in client.cookies
    User.objects.filter(pk=rui.pk).update(language="tlh")  # of a catalogue that is gone
    assert language_of(client, "zh-HK", "/") == "zh-hant"


@pytest.mark.parametrize("back", ["https://evil.example/", "//evil.example/", "javascript:alert(1)", ""])
def test_a_choice_leads_only_into_this_site(client: Client, back: str) -> None:
    assert client.post("/language/", {"language": "en", "next": back})["Location"] == "/"


def test_a_choice_is_no_link(client: Client) -> None:
    assert client.get("/language/?language=zh-hans").status_code == 405
    assert Client(enforce_csrf_checks=True).post("/language/", {"language": "zh-hans"}).status_code == 403


def test_programs_are_answered_in_english() -> None:
    rui = make.person("Rui")
    User.objects.filter(pk=rui.pk).update(language="zh-hans")
    client = Client(headers={"Authorization": f"Token {make.token(rui)}", "Accept-Language": "zh-CN"})
    client.force_login(rui)
    answer = client.get("/api/v1/projects/nowhere/")
    assert answer.status_code == 404 and answer.json()["title"] == "Not found" and "nothing here" in answer.text
    assert "Accept-Language" not in answer.get("Vary", "") and '<html lang="en"' in client.get("/api/v1/docs/").text


def test_mail_is_in_the_language_of_whom_it_goes_to(client: Client) -> None:
    for name, language in (("Rui", "zh-hant"), ("Rosa", "")):
        User.objects.filter(pk=make.person(name).pk).update(language=language)
        client.post("/forgotten/", {"email": f"{name}@example.org"}, headers={"Accept-Language": "zh-CN"})
    assert [message.subject for message in mail.outbox] == ["設定新的 Annotate 密碼", "设置新的 Annotate 密码"]
    assert "請在一小時內" in str(mail.outbox[0].body) and "请在一小时内" in str(mail.outbox[1].body)


def test_every_language_writes_every_kind_of_date() -> None:
    modules = [next(formats.iter_format_modules(code, settings.FORMAT_MODULE_PATH)) for code, _ in settings.LANGUAGES]
    names = [{name for name in vars(module) if name.isupper()} for module in modules]
    assert names[0] and names == [names[0]] * len(settings.LANGUAGES)


def test_a_text_in_no_known_language_is_not_taken_for_that_of_the_page(study: dict[str, Any]) -> None:
    address = "/projects/advice/guidelines/"
    mara = study["as_"]["Mara"]
    assert 'class="md prose" lang=""' in mara.get(address, headers={"Accept-Language": "zh-CN"}).text
    assert 'class="md prose" hx-disable' in mara.get(address, headers={"Accept-Language": "en"}).text
