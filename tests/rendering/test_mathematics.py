"""Formulas: drawn as MathML with their source, or shown as their source; never half."""

from __future__ import annotations

import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from labeling.rendering import RENDERER, guard, render
from labeling.rendering.mathml import MOST_CHARS, mathml
from tests.rendering.oracle import text_of, violations


def html_of(text: str) -> str:
    result = render(text)
    assert result.renderer == RENDERER
    assert violations(result.html) == []
    return result.html.strip()


def inline(source: str, content: str) -> str:
    return f'<math display="inline" alttext="{source}"><mrow>{content}</mrow></math>'


def test_a_formula_in_a_line() -> None:
    drawn = inline("x_1^2", "<msubsup><mi>x</mi><mn>1</mn><mn>2</mn></msubsup>")
    assert html_of("Let $x_1^2$ be *it*") == f"<p>Let {drawn} be <em>it</em></p>"
    assert html_of("设\\(x_1^2\\)为") == f"<p>设{drawn}为</p>"


@pytest.mark.parametrize("text", ["$$\na = b\n$$", "$$a = b$$", "\\[\na = b\n\\]", "\\[ a = b \\]"])
def test_a_formula_of_its_own(text: str) -> None:
    html = html_of(f"So\n\n{text}\n\n*follows*")
    assert '<span class="md-math"><math display="block" alttext="a = b"><mrow><mi>a</mi><mo>=</mo>' in html
    assert "<p><em>follows</em></p>" in html


def test_lines_are_a_table_with_or_without_their_environment() -> None:
    rows = '<mtd columnalign="right"><mi>a</mi></mtd><mtd columnalign="left"><mi></mi><mo>=</mo><mi>b</mi></mtd>'
    for text in (
        "\\begin{align}\na &= b \\\\\nc &= d\n\\end{align}",
        "$$\\begin{aligned} a &= b \\\\ c &= d \\end{aligned}$$",
        "\\[\na &= b \\\\\n\nc &= d\n\\]",
    ):
        html = html_of(text)
        assert rows in html
        assert html.count("<mtr>") == 2


@pytest.mark.parametrize(
    ("source", "shown"),
    [
        (r"\frac{1}{2}", "<mfrac><mrow><mn>1</mn></mrow><mrow><mn>2</mn></mrow></mfrac>"),
        (r"\mathbf{x}\mathcal{L}\mathbb{R}\mathfrak{g}", "<mi>𝐱</mi><mi>ℒ</mi><mi>ℝ</mi><mi>𝔤</mi>"),
        (r"\boldsymbol{\theta}", "<mi>𝜽</mi>"),
        (r"\text{面积}", "<mtext>面积</mtext>"),
        (r"\boxed{42}", '<menclose notation="box">'),
        (r"\lim_{x} f", '<munder><mo movablelimits="true">lim</mo>'),
        (r"x \not\in A", "<mo>∉</mo>"),
        (r"\begin{pmatrix}1&2\end{pmatrix}", "<mo>(</mo><mtable>"),
    ],
)
def test_what_is_drawn(source: str, shown: str) -> None:
    drawn = mathml(source, True)
    assert drawn is not None
    assert shown in drawn


@pytest.mark.parametrize(
    "text",
    [
        "from $5 to $6 or $7-$8",
        "$5 or 5$ each",
        "US$100 and A$50",
        "set $PATH:$HOME and $EDITOR",
        "pay $20/month or 20$ less",
        "a $ b $ c",
        "$ x$ and $x $",
    ],
)
def test_money_and_variables_are_no_formulas(text: str) -> None:
    assert html_of(text) == f"<p>{text}</p>"


def test_escaped_brackets_are_no_formulas() -> None:
    assert html_of("as said \\[1\\] and \\(see the notes\\)") == "<p>as said [1] and (see the notes)</p>"


@pytest.mark.parametrize(
    "source",
    [
        r"\nosuchcommand{x}",
        r"\phantom{secret}x",
        r"\color{white}{x}",
        r"\tiny x",
        r"\href{javascript:alert(1)}{x}",
        r"\class{md-host}{x}",
        r"\style{color:red}{x}",
        r"\def\a{\a\a}\a",
        r"\newcommand{\a}{aa}\a",
        r"\text{&lt;b&gt;}",
        r"\frac{1}",
        "{" * 60 + "x" + "}" * 60,
        "a^{b^{c^{d^{e}}}}",
        "x % lost",
        "x" * (MOST_CHARS + 1),
    ],
)
def test_what_cannot_be_drawn_whole_is_shown_as_it_was_typed(source: str) -> None:
    assert mathml(source, False) is None
    html = html_of(f"$${source}$$")
    assert "<math" not in html
    if len(source) <= MOST_CHARS:
        assert '<code class="md-tex">' in html
    assert text_of(html).strip() == f"$${source}$$"


@pytest.mark.parametrize(
    "source",
    [
        r"\text{<script>alert(1)</script>}",
        r"\text{<img src=x onerror=alert(1)>}",
        r"\mbox{</math><style><!--</style>}",
        r"\operatorname{a}<b>",
        r'x"onload="y',
        r"\text{</mtext><annotation-xml encoding='text/html'>}",
    ],
)
def test_hostile_formulas_are_only_text(source: str) -> None:
    html = html_of(f"$${source}$$")
    assert guard.shows_every_word(f"$${source}$$", html)


def test_nothing_is_moved_over_its_neighbours() -> None:
    assert mathml(r"a\hspace{-90em}b\llap{c}\raise{9em}{d}", False) is None
    drawn = mathml(r"a\hspace{-90em}b\mathllap{c}", False)
    assert drawn is not None
    assert drawn.endswith("<mi>a</mi><mspace></mspace><mi>b</mi><mrow><mrow><mi>c</mi></mrow></mrow></mrow></math>")


@given(st.text(alphabet=st.sampled_from("ab1 {}\\^_&%$<>\"'frac text left( right) begin{ end} 字\u202e"), max_size=60))
def test_any_formula_is_safe_and_whole(source: str) -> None:
    html = render(f"$${source}$$").html
    assert violations(html) == []


def test_a_text_draws_only_so_many_formulas() -> None:
    text = " ".join(f"$x_{{{number}}} + \\frac{{1}}{{{number}}}$" for number in range(700))
    start = time.process_time()
    html = html_of(text)
    assert time.process_time() - start < 4
    assert "<math" in html
    assert '<code class="md-tex">$x_{699} + \\frac{1}{699}$</code>' in html
