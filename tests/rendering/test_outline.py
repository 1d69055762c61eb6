"""What a guideline consists of: sections with ids that are safe, principles with their numbers."""

from __future__ import annotations

import re
from html.parser import HTMLParser

import pytest

from labeling.rendering import render
from labeling.rendering.outline import Outline, blocks, outline, panel, section_named

TEXT = """\
# How to judge

Read 2. both.

## More helpful

1. Prefer the response that **solves** the `problem`.
2. Correct beats confident;
   complete beats long.

   A second paragraph of 2.

   1. A step within 2
   2. Another

## Safer

3) Fewer people at less risk.

- a point
  1. within a point

> 4. quoted

```
5. in code
```

## Overall

4. Choose as a careful expert.
"""


def read(text: str) -> Outline:
    return outline(render(text).html)


def numbers(text: str) -> list[int]:
    return [one.number for one in read(text).principles]


class Balanced(HTMLParser):
    """Fails on a tag that is closed out of order; collects ids."""

    def __init__(self, html: str) -> None:
        super().__init__()
        self.open: list[str] = []
        self.ids: list[str] = []
        self.feed(html)
        self.close()
        assert not self.open

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.ids += [value or "" for name, value in attrs if name == "id"]
        if tag not in ("br", "hr"):
            self.open.append(tag)

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag


def test_principles_are_the_numbered_items_across_the_sections() -> None:
    found = read(TEXT)
    assert [(one.number, one.text, one.section) for one in found.principles] == [
        (1, "Prefer the response that solves the problem.", "More helpful"),
        (2, "Correct beats confident; complete beats long.", "More helpful"),
        (3, "Fewer people at less risk.", "Safer"),
        (4, "Choose as a careful expert.", "Overall"),
    ]
    assert [(one.title, one.anchor) for one in found.sections] == [
        ("How to judge", "g-how-to-judge"), ("More helpful", "g-more-helpful"), ("Safer", "g-safer"),
        ("Overall", "g-overall"),
    ]  # fmt: skip
    for anchor in ("g-more-helpful", "gp-1", "gp-4"):
        assert f' id="{anchor}"' in found.html
    assert found.stored()[0] == {
        "number": 1, "text": "Prefer the response that solves the problem.",
        "anchor": "gp-1", "section": "More helpful",
    }  # fmt: skip


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("1. a\n1. b\n1. c", [1, 2, 3]),
        ("1. a\n2. b\n5. c", [1, 2, 5]),
        ("1) a\n2) b", [1, 2]),
        ("Mind these:\n1. a\n2. b", [1, 2]),
        ("Mind these:\n4. a\n5. b", [4, 5]),
        ("Since 1984. It was 3.14 or 2024、", []),
        ("0. nought", []),
        ("100000. far", []),
        ("1、先看事實\n2、再看語氣", [1, 2]),
        ("1．先看事实\n\n2．再看语气", [1, 2]),
        ("1.先看事实\n2.再看语气", [1, 2]),
        ("**1、先看事实**\n2、**再看**语气", [1, 2]),
        ("第1条 先看事实\n第2条 再看语气", [1, 2]),
        ("（一）先看事实\n（二）再看语气", []),
        ("版本1、2和3都可以", []),
        ("```\n1、代码\n```", []),
        ("    1. indented code", []),
        ("> 1、引用", []),
    ],
)
def test_what_is_a_principle_and_what_is_not(text: str, expected: list[int]) -> None:
    assert numbers(text) == expected


def test_a_chinese_guideline() -> None:
    found = read("## 更有帮助\n\n1、**先看事实**，再看语气。\n2、简短胜过冗长。\n\n## 更安全\n\n3、谁都不该因此受害。")
    assert [(one.number, one.text, one.section) for one in found.principles] == [
        (1, "先看事实，再看语气。", "更有帮助"),
        (2, "简短胜过冗长。", "更有帮助"),
        (3, "谁都不该因此受害。", "更安全"),
    ]
    assert [one.anchor for one in found.sections] == ["g-更有帮助", "g-更安全"]
    assert Balanced(found.html).ids == ["g-更有帮助", "gp-1", "gp-2", "g-更安全", "gp-3"]


@pytest.mark.parametrize(
    "heading",
    [
        '"><script>alert(1)</script>', "' onmouseover='x", "a&quot;b", "\\<b id=x>", "javascript:alert(1)", "item",
        "../..", "\u202eevil", "\U000e0041hidden", "1. 2. 3.", "§ %22 &#34; \x00", "a" * 4000, "ﷺ", "𝒶𝒷𝒸", "_ _",
        "---x", "constructor",
    ],
)  # fmt: skip
def test_an_id_is_safe_whatever_the_heading_says(heading: str) -> None:
    found = read(f"# {heading}\n\n## {heading}\n\n1. {heading}")
    ids = Balanced(found.html).ids
    assert len(ids) == len(set(ids)) == len(found.sections) + len(found.principles)
    for anchor in ids:
        assert re.fullmatch(r"gp?-[\w-]+", anchor) and len(anchor) < 80
        assert "_" not in anchor
    assert "<script" not in found.html and "onmouseover=" not in re.sub(r">[^<]*<", "><", found.html)


def test_only_ids_are_added_and_reading_again_changes_nothing() -> None:
    for text in (TEXT, "1、甲\n2、乙", 'Write `<p id="g-x">` or <p id="y">.\n\n1. <li id="gp-1">'):
        html = render(text).html
        found = outline(html)
        assert re.sub(r'<span id="gp-\d+"></span>|(<(?:h\d|li|p))\sid="gp?-[^"]*"', r"\1", found.html) == html
        assert outline(found.html) == found


def test_numbers_that_repeat_or_are_missing_are_named() -> None:
    found = read("1. a\n2. b\n\nand\n\n2. again\n\nthen\n\n6. far")
    assert (found.repeated, found.missing) == ([2], [3, 4, 5])
    ids = [one.anchor for one in found.principles]
    assert ids == ["gp-1", "gp-2", "gp-2-2", "gp-6"]
    assert (read(TEXT).repeated, read(TEXT).missing) == ([], [])
    assert read("999. one").missing == []


def test_a_text_shown_as_typed_has_no_principles() -> None:
    found = read("x" * 10 + "\n1. a" * 20_000)
    assert (found.sections, found.principles) == ([], [])


def test_the_number_of_principles_has_an_end() -> None:
    assert len(read("1. a\n" * 300).principles) == 200


def test_the_panel_marks_a_section_and_lets_each_principle_be_cited() -> None:
    for text in (TEXT, TEXT + "\n1. again", "## Safer\n\n1、甲\n2、乙"):
        found = read(text)
        html = panel(found, now="g-safer", cite="Cite <this>", cited=2)
        Balanced(html)
        buttons = re.findall(r'data-cite="(\d+)" aria-pressed="(\w+)">Cite &lt;this&gt;', html)
        each = dict.fromkeys(one.number for one in found.principles)
        assert sorted(buttons) == [(str(n), "true" if n == 2 else "false") for n in sorted(each)]
        marked = re.search(r'<div class="now" id="g--now"><h\d id="g-safer">.*?</div>', html, re.DOTALL)
        assert marked
    assert panel(read(TEXT)) == read(TEXT).html
    assert "now" not in panel(read(TEXT), now="g-nowhere")


def test_the_marked_section_holds_its_subsections_and_ends_before_the_next() -> None:
    found = read("# A\n\na\n\n## B\n\nb\n\n### C\n\nc\n\n## D\n\nd")
    html = panel(found, now="g-b")
    assert (
        html.index('<div class="now"')
        < html.index("g-b")
        < html.index("g-c")
        < html.index("</div>")
        < html.index("g-d")
    )
    assert panel(found, now="g-d").endswith("</div>")


@pytest.mark.parametrize(
    ("names", "title"),
    [
        (["More helpful", "helpfulness"], "More helpful"),
        (["Helpfulness"], "More helpful"),
        (["Safer", "harmlessness"], "Safer"),
        (["Safe", "safety"], "Safer"),
        (["Overall"], "Overall"),
        (["how to JUDGE!"], "How to judge"),
        (["More concise", "length"], None),
        (["", "Style"], None),
    ],
)
def test_a_section_is_found_by_the_words_of_a_question(names: list[str], title: str | None) -> None:
    found = section_named(read(TEXT).sections, names)
    assert (found.title if found else None) == title


def test_a_chinese_section_is_found_by_its_words() -> None:
    sections = read("## 一、更有帮助\n\n甲\n\n## 二、更安全\n\n乙").sections
    assert [getattr(section_named(sections, [name]), "title", None) for name in ("更安全", "有帮助", "整体")] == [
        "二、更安全", "一、更有帮助", None,
    ]  # fmt: skip


def test_blocks_are_what_is_read_line_by_line() -> None:
    html = render("# A\n\n1. **b**\n   1. c\n\nd\n\n| e | f |\n|---|---|\n| g | h |").html
    assert [tuple(one) for one in blocks(html)] == [
        ("heading", None, "A"), ("item", 1, "b"), ("text", 1, "c"), ("text", None, "d"), ("text", None, "e f"),
        ("text", None, "g h"),
    ]  # fmt: skip


def test_a_formula_is_told_by_its_source() -> None:
    found = read("1. Prefer $x_1 < y^2$ to *words*.\n2. Next")
    assert [one.text for one in found.principles] == ["Prefer x_1 < y^2 to words.", "Next"]
    Balanced(panel(found, cite="Cite"))
