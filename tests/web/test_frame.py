"""The frame of all pages: headers, errors, and what no template may hold."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from django.conf import settings
from django.template.loader import render_to_string
from django.test import Client

from tests import make

TEMPLATES = sorted((settings.BASE_DIR / "templates").rglob("*.html"))
SCRIPTS = sorted((settings.BASE_DIR / "static" / "js").glob("*.js"))
UNSAFE = re.compile(
    r"""\sstyle=|<style|\son[a-z]+=|hx-on|js:|javascript:|\|safe\b|<script(?![^>]* src=)|hx-trigger="[^"]*\["""
)


@pytest.mark.django_db
def test_every_page_forbids_what_it_does_not_need(client: Client) -> None:
    client.force_login(make.person("Rui"))
    for address in ("/", "/account/", "/sign-in/", "/nowhere/"):
        page = client.get(address)
        policy = page["Content-Security-Policy"]
        assert "default-src 'none'" in policy and "unsafe" not in policy
        assert (page["X-Frame-Options"], page["Referrer-Policy"]) == ("DENY", "same-origin")
        assert page["Cross-Origin-Resource-Policy"] == "same-origin" and "no-store" in page["Cache-Control"]


@pytest.mark.parametrize("template", TEMPLATES, ids=lambda path: str(path.relative_to(settings.BASE_DIR)))
def test_no_template_needs_an_unsafe_policy(template: Path) -> None:
    assert not UNSAFE.search(template.read_text())


def test_the_check_of_templates_can_fail() -> None:
    for bad in ('<p style="x">', "<script>", '<a onclick="x">', "{{ x|safe }}", '<i hx-trigger="click[ctrlKey]">'):
        assert UNSAFE.search(bad), bad


def test_our_own_scripts_stay_small() -> None:
    assert sum(len(script.read_text().splitlines()) for script in SCRIPTS) <= 600


def test_the_page_for_a_broken_server_needs_nothing() -> None:
    assert "Something broke on our side" in render_to_string("500.html")


@pytest.mark.django_db
def test_a_form_without_its_token_is_refused_in_words() -> None:
    client = Client(enforce_csrf_checks=True)
    answer = client.post("/sign-in/", {"username": "rui@example.org", "password": "x"})
    assert answer.status_code == 403 and "Nothing was changed." in answer.text


@pytest.mark.django_db
def test_a_stranger_meets_a_404_as_a_page(client: Client) -> None:
    page = client.get("/nothing/here/")
    assert page.status_code == 404 and "There is no such page" in page.text and "Sign out" not in page.text
