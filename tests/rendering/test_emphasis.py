"""Emphasis in scripts that write no spaces."""

from __future__ import annotations

import pytest

from labeling.rendering import RENDERER, render


@pytest.mark.parametrize(
    ("text", "html"),
    [
        ("**用量：**每次一片。", "<strong>用量：</strong>每次一片。"),
        ("他说**“你好”**了", "他说<strong>“你好”</strong>了"),
        ("這是*重點（一）*在此", "這是<em>重點（一）</em>在此"),
        ("不是~~（旧）~~新的", "不是<s>（旧）</s>新的"),
        ("これは**「重要」**です。", "これは<strong>「重要」</strong>です。"),
        ("**テスト。**カタカナ", "<strong>テスト。</strong>カタカナ"),
        ("**조사(이름)**는 중요하다", "<strong>조사(이름)</strong>는 중요하다"),
        ("用**“a”**和**“b”**。", "用<strong>“a”</strong>和<strong>“b”</strong>。"),
    ],
)
def test_marks_beside_unspaced_letters_are_emphasis(text: str, html: str) -> None:
    assert render(text) == (f"<p>{html}</p>\n", RENDERER)


@pytest.mark.parametrize(
    "text",
    ['no**"where"**here', "a**(b)**c", "2**(3)**4", "用_“词”_在", "星号 * 和 * 号", "字* 字*"],
)
def test_elsewhere_the_rule_is_commonmarks(text: str) -> None:
    assert render(text).html == f"<p>{text}</p>\n"
