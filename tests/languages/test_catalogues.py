"""The catalogues say all that the sources mark, whole and in the shape that the program fills in."""

from __future__ import annotations

import re
from collections.abc import Iterable
from functools import cache
from gettext import GNUTranslations
from io import BytesIO
from pathlib import Path

import pytest
from babel.messages.catalog import Catalog, Message
from babel.messages.mofile import write_mo
from babel.messages.pofile import read_po
from django.conf import settings
from django.utils.translation import to_locale

from tests.languages.sources import Words, marked

LANGUAGES = [code for code, _ in settings.LANGUAGES if code != settings.LANGUAGE_CODE]
PLACE = re.compile(r"%\(\w+\)[a-z]|%%|<[^>]*>|`[^`]*`|\{\w*\}")
HAN = re.compile(r"[\u3400-\u9fff]")
# The same words in both scripts, of which neither may slip into the other; and words that Taiwan has other ones for.
SIMPLIFIED = "这个们时间标评说话请选择开关对错长还没后问题导据项设进讨论语编辑级队员发过实际应该读写让给页码账户录简"
TRADITIONAL = "這個們時間標評說話請選擇開關對錯長還沒後問題導據項設進討論語編輯級隊員發過實際應該讀寫讓給頁碼賬戶錄簡"
ELSEWHERE = ("默認", "鏈接", "信息", "服務器", "項目", "隊列", "令牌", "數據", "登錄", "屏幕", "質量", "缺省", "網絡")


def path_of(language: str, suffix: str = ".po") -> Path:
    return Path(settings.BASE_DIR, "locale", to_locale(language), "LC_MESSAGES", "django").with_suffix(suffix)


@cache
def catalogue(language: str) -> Catalog:
    with path_of(language).open("rb") as file:
        return read_po(file, locale=to_locale(language), abort_invalid=True)


def messages(language: str) -> dict[Words, Message]:
    found = {}
    for message in catalogue(language):
        if message.id:
            one, plural = (message.id, "") if isinstance(message.id, str) else message.id[:2]
            found[Words(message.context or "", one, plural)] = message
    return found


def said(message: Message) -> tuple[str, ...]:
    return (message.string,) if isinstance(message.string, str) else tuple(message.string or ())


@pytest.mark.parametrize("language", LANGUAGES)
def test_every_marked_word_is_translated(language: str) -> None:
    known = messages(language)
    lacking = [f"{place}: {words.one!r}" for words, place in marked().items() if words not in known]
    assert len(marked()) > 400 and not lacking, f"run makemessages and translate these into {language}:\n" + "\n".join(
        lacking
    )
    empty = [words.one for words, message in known.items() if not all(said(message))]
    assert not empty, f"no {language} yet for: {empty}"


@pytest.mark.parametrize("language", LANGUAGES)
def test_no_translation_is_left_over_or_guessed(language: str) -> None:
    assert messages(language).keys() - marked().keys() == set(), "nothing uses these any more"
    assert not [message.id for message in catalogue(language) if message.id and message.fuzzy]
    assert not catalogue(language).obsolete


@pytest.mark.parametrize("language", LANGUAGES)
def test_a_translation_keeps_what_the_program_fills_in(language: str) -> None:
    wrong = []
    for words, message in messages(language).items():
        wanted = sorted(PLACE.findall(words.plural or words.one))
        wrong += [text for text in said(message) if sorted(PLACE.findall(text)) != wanted]
        wrong += [text for text in said(message) if text != text.strip() or len(said(message)) != 1]
        wrong += [text for text in said(message) if "%(" in words.one and "%" in PLACE.sub("", text)]
    assert not wrong


@pytest.mark.parametrize("language", LANGUAGES)
def test_the_compiled_catalogue_is_that_of_the_text(language: str) -> None:
    fresh = BytesIO()
    write_mo(fresh, catalogue(language))
    fresh.seek(0)
    with path_of(language, ".mo").open("rb") as file:
        kept, made = (vars(GNUTranslations(each))["_catalog"] for each in (file, fresh))
    assert kept | {"": ""} == made | {"": ""}, "run manage.py compilemessages"


@pytest.mark.parametrize(
    ("language", "foreign"), [("zh-hans", TRADITIONAL), ("zh-hant", SIMPLIFIED), ("zh-hant", ELSEWHERE)]
)
def test_each_chinese_is_in_its_own_script_and_words(language: str, foreign: Iterable[str]) -> None:
    texts = [text for message in messages(language).values() for text in said(message)]
    assert sum(bool(HAN.search(text)) for text in texts) > 0.9 * len(texts)
    assert not [(text, word) for text in texts for word in foreign if word in text]
