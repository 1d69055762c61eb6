"""Every page in a language that marks each translated word ⟦so⟧: what stands outside the marks nobody could translate.

What people brought in (names, texts, answers) is data, and stands outside too: its words are those of the database.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from html.parser import HTMLParser
from typing import Any

import pytest
from django.apps import apps
from django.contrib.postgres.fields import ArrayField
from django.db import models
from django.test import Client
from django.utils.translation import trans_real

from labeling.web.profile import LANGUAGES
from tests.languages.templates import NAMES, READ, SILENT
from tests.web.test_rights import ALL, ROUTES, address, ask
from tests.web.test_rights import NAMES as PEOPLE
from tests.web.test_rights import world as world

pytestmark = pytest.mark.django_db
WORD = re.compile(r"[^\W\d_]{3,}")
PAGES = [name for name, (method, _, _) in ROUTES.items() if method == "get" and not name.startswith(("api:", "admin:"))]
# Written by the server for people of all languages alike: names of formats, of files, of tools.
SAME = {"json", "lines", "parquet", "dpo", "kto", "sft", "trl", "csv", "annotate", "english"}
SAME |= {"prolific", "amazon", "mechanical", "turk"}
VOID = {"area", "base", "br", "col", "embed", "hr", "img", "input", "link", "meta", "source", "track", "wbr"}


class Marking(trans_real.DjangoTranslation):
    """English, with every message between brackets; what is filled in stands between them too."""

    def gettext(self, message: str) -> str:
        return f"⟦{message.rpartition(chr(4))[2]}⟧"

    def ngettext(self, one: str, many: str, number: int) -> str:
        return f"⟦{(one if number == 1 else many).rpartition(chr(4))[2]}⟧"


@pytest.fixture
def marking(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    monkeypatch.setitem(vars(trans_real)["_translations"], "en", Marking("en"))
    monkeypatch.setattr(trans_real, "_default", None)
    yield
    trans_real.deactivate()  # the thread would keep it, also when it is gone from the table


class Visible(HTMLParser):
    """Text and read attributes of a page, without what is data: code, text in a language of its own."""

    def __init__(self) -> None:
        super().__init__()
        self.texts: list[str] = []
        self._open: list[tuple[str, bool]] = []
        self._depth = 0

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        has = {name: value or "" for name, value in attrs}
        classes = set(has.get("class", "").split())
        data = tag in SILENT or tag == "bdi" or bool(classes & {"prose", "mono", "secret"})
        data = data or (tag != "html" and "lang" in has)
        if not self._is_data:
            read = [text for name, text in has.items() if name in READ or (name.startswith("data-") and " " in text)]
            self.texts += [unmarked(text)[0] for text in read]
        if tag not in VOID:
            self._open.append((tag, data))

    def handle_endtag(self, tag: str) -> None:
        while self._open and self._open.pop()[0] != tag:
            pass

    def handle_data(self, data: str) -> None:
        outside, self._depth = unmarked(data, self._depth)
        if not self._is_data:
            self.texts.append(" ".join(outside.split()))

    @property
    def _is_data(self) -> bool:
        return any(data for _, data in self._open)


def unmarked(text: str, depth: int = 0) -> tuple[str, int]:
    """What of a text stands outside the marks, and how deep it ends; a translated sentence may hold elements."""
    outside = ""
    for part in re.split("([⟦⟧])", text):
        depth += (part == "⟦") - (part == "⟧")
        outside += part if depth == 0 and part != "⟧" else " "
    return outside, depth


def foreign(page: str, data: set[str]) -> Iterator[str]:
    reader = Visible()
    reader.feed(page)
    for text in reader.texts:
        words = {word for word in WORD.findall(text) if word not in NAMES}
        if {word.lower() for word in words} - data - SAME:
            yield text


def words_of_data() -> set[str]:
    """Every word in the database, of the models that people fill; and the languages, each in its own words."""
    found = {word.lower() for _, name in LANGUAGES for word in WORD.findall(name)}
    for model in [*apps.get_app_config("labeling").get_models(), *apps.get_app_config("exports").get_models()]:
        kinds = (models.CharField, models.TextField, models.JSONField, ArrayField)
        names = [field.name for field in model._meta.fields if isinstance(field, kinds)]
        if names and model.__name__ != "AuditEntry":
            for row in model._default_manager.values_list(*names):
                found |= {word.lower() for value in row for word in WORD.findall(str(value))}
    return found


@pytest.mark.parametrize("route", PAGES)
def test_every_word_of_a_page_can_be_translated(
    route: str,
    study: dict[str, Any],
    world: dict[str, tuple[Any, ...]],
    marking: None,
) -> None:
    _, allowed, what = ROUTES[route]
    path, data = address(route, what, world), words_of_data()
    people = ["nobody"] if allowed == ALL else [name for name in PEOPLE if name in allowed.split()]
    for name in people:
        answer = ask(Client() if name == "nobody" else study["as_"][name], "get", path)
        if answer.status_code == 200 and answer["Content-Type"].startswith("text/html"):
            assert "⟦" in answer.text
            found = [text[:200] for text in foreign(answer.text, data)]
            assert not found, f"not translated on {path} for {name}:\n" + "\n".join(found)
