"""Which language a text is said to be in."""

from __future__ import annotations

import pytest

from labeling.rendering.languages import language_of, well_formed

HAN, KANA, HANGUL, ARABIC = "血压会升高。", "テストは重要です。", "조사는 중요하다.", "لا تقلق، هذا أمر شائع."


@pytest.mark.parametrize("tag", ["en", "zh-Hans", "zh-Hant-TW", "es-419", "sl-rozaj-biske", "de-CH-1901", "en-x-rater"])
def test_a_tag_stays(tag: str) -> None:
    assert well_formed(tag) == tag


@pytest.mark.parametrize("tag", ["", "English", "e", "zh--Hans", '"><script>', "en-", "-en", "中文", "x" * 40])
def test_what_is_no_tag_is_none(tag: str) -> None:
    assert well_formed(tag) == ""


def test_an_underscore_is_read_as_a_hyphen() -> None:
    assert well_formed("zh_CN") == "zh-CN"


@pytest.mark.parametrize(
    ("text", "stated", "language"),
    [
        (HAN, "zh-Hant", "zh-Hant"),
        (HAN, "ja", "ja"),
        (HAN, "en", "zh"),
        (HAN, "", "zh"),
        (KANA, "", "ja"),
        (KANA, "zh", "ja"),
        (HANGUL, "en", "ko"),
        (ARABIC, "en", "ar"),
        (ARABIC, "fa", "fa"),
        ("Plain words.", "zh-Hans", "en"),
        ("Plain words.", "de", "de"),
        ("Plain words.", "", ""),
        ("Plain words.", "sw", "sw"),
        ("12 + 30", "zh", "zh"),
        (f"{HAN} and half of it English words", "en", "en"),
        (f"<p>{HAN}</p><pre><code>def function(argument): return argument</code></pre>", "zh", "zh"),
    ],
)
def test_an_answer_may_be_in_another_script_than_the_conversation(text: str, stated: str, language: str) -> None:
    assert language_of(f"<p>{text}</p>", stated) == language
