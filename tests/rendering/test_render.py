"""Markdown as raters see it."""

from __future__ import annotations

import time
from pathlib import Path

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from labeling import rendering
from labeling.rendering import PLAIN, RENDERER, code, guard, plain, render
from labeling.rendering.invisible import reveal
from tests.rendering.oracle import text_of, violations

REL = 'target="_blank" rel="noopener noreferrer nofollow ugc"'


def html_of(text: str) -> str:
    result = render(text)
    assert result.renderer == RENDERER
    return result.html.strip()


@pytest.mark.parametrize(
    ("text", "html"),
    [
        ("Two\nlines\n\nand *one*", "<p>Two<br>\nlines</p>\n<p>and <em>one</em></p>"),
        ("# Top\n##### Low", "<h3>Top</h3>\n<h6>Low</h6>"),
        ("~~no~~ **yes** `code`", "<p><s>no</s> <strong>yes</strong> <code>code</code></p>"),
        ("> said\n\n---", "<blockquote>\n<p>said</p>\n</blockquote>\n<hr>"),
        ("a <b> & c", "<p>a &lt;b&gt; &amp; c</p>"),
        ("see https://example.org", "<p>see https://example.org</p>"),
        ("    kept  as   is", '<div class="md-code"><pre><code>kept  as   is\n</code></pre></div>'),
        ("[1]: http://example.org", "<p>[1]: http://example.org</p>"),
    ],
)
def test_everyday_markdown(text: str, html: str) -> None:
    assert html_of(text) == html


def test_a_link_says_where_it_leads() -> None:
    host = '<span class="md-host">'
    assert html_of("[bank](https://bank.example/a?b=c)") == (
        f'<p><a href="https://bank.example/a?b=c" {REL}>bank</a> {host}(bank.example)</span></p>'
    )
    assert f"{host}(xn--bnk-6cd.example)</span>" in html_of("[bank](https://b\u0430nk.example)")
    assert f"{host}(ada@example.org)</span>" in html_of("[Ada](mailto:ada@example.org?subject=x)")
    assert (
        html_of("<https://example.org/a>") == f'<p><a href="https://example.org/a" {REL}>https://example.org/a</a></p>'
    )


def test_an_image_is_its_address() -> None:
    assert html_of('![a *chart*](http://example.org/c.png "of sales")') == (
        '<p><span class="md-image">[image: a chart · http://example.org/c.png · “of sales”]</span></p>'
    )


def test_lists_keep_the_numbers_they_were_given() -> None:
    assert html_of("3. c\n4. d\n7. g\n8. h") == (
        '<ol start="3">\n<li>c</li>\n<li>d</li>\n</ol>\n<ol start="7">\n<li>g</li>\n<li>h</li>\n</ol>'
    )
    assert html_of("1. a\n1. b\n1. c") == "<ol>\n<li>a</li>\n<li>b</li>\n<li>c</li>\n</ol>"
    nested = html_of("1. a\n\n   5. x\n   9. y\n2. b")
    assert '<ol start="9">' in nested
    assert '<ol start="2">' not in nested


def test_a_table_aligns_without_style() -> None:
    html = html_of("| a | b |\n|:--|--:|\n| 1 | 2 |")
    assert '<td align="left">1</td>\n<td align="right">2</td>' in html


def test_code_has_its_language_and_colours() -> None:
    html = html_of("```python\ndef f():\n    return 'x'  # y\n```")
    assert '<div class="md-lang">python</div>' in html
    for css, word in [("keyword", "def"), ("function", "f"), ("string", "'x'"), ("comment", "# y")]:
        assert f'<span class="tok-{css}">{word}</span>' in html
    assert "tok-" not in html_of("```nosuchlanguage\ndef f(): pass\n```")


def test_every_class_has_a_colour() -> None:
    css = (Path(__file__).parents[2] / "static" / "css" / "code.css").read_text()
    assert [name for name in code.CLASSES if f".{name}{{color:light-dark(" not in css] == []


@pytest.mark.parametrize("language", sorted(set(code.LEXERS)))
def test_every_known_language_colours_all_of_its_code(language: str) -> None:
    source = "class A:\n\tb = \"c\\n\" + 1 /* d */ # e\n<f g='h'>&amp;</f> SELECT 'i' -- j\n\n@k $l {m: n;}\n"
    assert text_of(code.highlight(source, language)) == source


@pytest.mark.parametrize(
    "formula",
    [
        "$a_1 * b_2 * c_3$",
        "$$\nx = y\n- z\n\n= \\frac{1}{2} \\\\\n$$",
        "\\(a_1 \\\\ b_1\\)",
        "\\[\n\\{ x_1 \\}\n+ y\n\\]",
    ],
)
def test_formulas_stay_as_typed(formula: str) -> None:
    assert formula in text_of(html_of(f"Then\n\n{formula}\n\nfollows *so*."))


def test_amounts_are_no_formulas() -> None:
    assert html_of("from $5 to *$6* or $7-$8") == "<p>from $5 to <em>$6</em> or $7-$8</p>"


@pytest.mark.parametrize("text", ["", "  \n\t\n", "\r\n"])
def test_nothing_is_said_to_be_nothing(text: str) -> None:
    assert html_of(text) == '<p class="md-empty">(empty)</p>'


def test_the_raw_view_is_the_text_as_typed() -> None:
    assert plain("\n *a* <b>\u202e") == '<pre class="md-plain">\n\n *a* &lt;b&gt;⟨U+202E⟩</pre>'


@pytest.mark.parametrize(
    ("typed", "shown"),
    [
        ("a\u200bb", "a⟨U+200B⟩b"),
        ("a\u2067\u2067\u2067b", "a⟨U+2067 ×3⟩b"),
        ("\x1b[0m\x00", "␛[0m␀"),
        ("\U000e0041\U000e0042\U000e003c", "⟨tags: AB·⟩"),
        ("a\r\nb\rc", "a\nb\nc"),
        ("a\u200eb", "a⟨U+200E⟩b"),
        ("\u05d0\u200e!", "\u05d0\u200e!"),
        ("ab\ufe0f", "ab⟨U+FE0F⟩"),
        ("\u2764\ufe0f", "\u2764\ufe0f"),
        ("\u0645\u06cc\u200c\u062e", "\u0645\u06cc\u200c\u062e"),
        ("a\u200cb", "a⟨U+200C⟩b"),
        ("\ud800", "⟨U+D800⟩"),
    ],
)
def test_what_cannot_be_seen_is_revealed(typed: str, shown: str) -> None:
    assert reveal(typed) == shown
    assert reveal(shown) == shown


def test_too_many_hidden_characters_are_all_shown_in_linear_time() -> None:
    shown = reveal("a\u200b" * 500_000)
    assert "\u200b" not in shown
    assert shown.endswith("a⟨hidden⟩")


def test_a_lost_word_shows_the_text_as_typed() -> None:
    result = render("| a | b |\n|---|---|\n| 1 | 2 | lost |")
    assert result.renderer == PLAIN
    assert "| 1 | 2 | lost |" in result.html


def test_control_the_check_sees_a_single_lost_character() -> None:
    text = "Some **words** and 12 numbers, [a link](https://example.org/%20x) & `code`。"
    html = render(text).html
    assert guard.shows_every_word(text, html)
    for lost in ("Some", "ords", "12", "a link", "numbers", "。"):
        assert not guard.shows_every_word(text, html.replace(lost, "", 1))


# Letters, spaces, line ends and signs that mean nothing here: the short way must be the long way's equal.
quiet = st.text(alphabet=st.sampled_from("ab7字é .,;:!?\"'()>#-+=/%{}@^\n\n"), max_size=80)


@given(quiet)
@example("a  \nb\tc\n \n d")
@example('say "x" > y')
def test_text_without_markup_comes_out_the_same_both_ways(text: str) -> None:
    if rendering._MARKUP.search(text) or not text.strip():
        return
    assert render(text).html == rendering._cleaner.clean(rendering._parser.render(text))


@given(
    st.text(alphabet=st.sampled_from("ab1 \n*_`~[]()!<>&\\|$#-+.=:/\"'\u202e\u200d\ufe0f字\U000e0061"), max_size=120)
)
def test_any_text_is_safe_and_whole(text: str) -> None:
    html = render(text).html
    assert violations(html) == []
    assert guard.shows_every_word(reveal(text), html) or "md-plain" in html or "md-empty" in html


PATTERNS = [
    "[", "![", "[a](", "[a](http://a.b) ", "<http://a.b>", "*a **b ", "_", "`a``", "> ", "- ", "1. a\n", "|a", "-|-\n",
    "- a\n  - b\n\n", "# a\n", "a\n=\n", "*a*\n", "~~a ", "&amp;", "<!--", "\\(", "\\[ a", "$a ", "$$\n", "$$ a\n\n",
    "```\n", "```js\na=1\n```\n", "```java\na \n\n```\n", "\u200ea", "\u202e[", "👨\u200d", "\\", "word ", "a", "字",
]  # fmt: skip


@pytest.mark.parametrize("pattern", PATTERNS)
@pytest.mark.parametrize("size", [4_000, 20_000, 49_000, 1_000_000])
def test_no_text_takes_long(pattern: str, size: int) -> None:
    text = pattern * (size // len(pattern))
    start = time.process_time()
    render(text)
    assert time.process_time() - start < 4


NESTED = {
    "brackets": "[" * 3000 + "]" * 3000,
    "images": "![" * 1500 + "](http://a.b)" * 1500,
    "closed first": "]" * 3000 + "[" * 3000,
    "wide table": "|" + "a|" * 900 + "\n|" + "-|" * 900 + "\n" + "|b|\n" * 800,
    "emphasis": "*_" * 1500 + "a" + "_*" * 1500,
    "lists": "\n".join("  " * depth + "- a" for depth in range(220)),
    "code": "```csharp\n" + "a\n" * 3000 + "```",
}


@pytest.mark.parametrize("name", NESTED)
def test_nothing_nested_takes_long(name: str) -> None:
    start = time.process_time()
    assert violations(render(NESTED[name]).html) == []
    assert time.process_time() - start < 5


def test_control_without_the_guard_brackets_take_long(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(guard, "costs_too_much", lambda text: False)
    start = time.process_time()
    render("![" * 8_000)
    assert time.process_time() - start > 0.4


def test_a_long_answer_is_still_formatted() -> None:
    section = "## Step\n\nDo *this* with `that`:\n\n1. one\n2. two\n\n```py\nx = 1\n```\n\n|a|b|\n|-|-|\n|1|2|\n\n"
    text = section * 60
    assert render(text).renderer == RENDERER
