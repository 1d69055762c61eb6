"""The short way must be the long way's equal, byte for byte, wherever it takes a text at all."""

from __future__ import annotations

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from labeling import rendering
from labeling.rendering import RENDERER, Rendered, everyday, guard
from labeling.rendering.invisible import reveal
from tests.rendering.oracle import violations


def long_way(text: str) -> str:
    return rendering._cleaner.clean(rendering._parser.render(text))


ANSWER = """## Steps

First *this*, then **that**:

1. **Boil** the water: `t = 100`
   - slowly
   - with a lid
2. **Wait**

   Ten minutes.

3. Done

* one (*really*)
* two **“x”**。三

```python
x = "<b>"
```

### 结果
**用量：**每次一片，snake_case & R&D, a < b, $5.
"""


def test_an_everyday_answer_goes_the_short_way() -> None:
    assert everyday.html_of(ANSWER) == long_way(ANSWER)
    assert rendering.render(ANSWER) == Rendered(long_way(ANSWER), RENDERER)


@pytest.mark.parametrize(
    "text",
    [
        "a\n===", "a\n---", "> q", "| a |\n|-|", "[a](http://b.c)", "$x$ $y$", "a\\*b", "&amp;", "<http://a.b>",
        "~~a~~", "__a__", "*a", "**a*", "***a***", "`a", "```\na", "- a\nb", "3. a\n5. b", "a\n3. b", "-\ta",
        "- a\n  b\n\n      c", "# a #", "- \n- b", "مرحبا *a*", "- a\n * b", "- a\n\n      c", "- ```\n  a\n  ```",
    ],
)  # fmt: skip
def test_what_the_short_way_does_not_know_is_parsed(text: str) -> None:
    assert everyday.html_of(text) is None


PIECES = [
    "a", "b c", "字", "，", "。", "“", "12", "x_y", "*", "**", "`", " ", "  ", "(", ")", ":", "!", "[", "]", "<", ">",
    "&", "$", "-", "=", "_", "~", '"', "'", "#", ".", "\u3000", "\n", "\n\n", "\n- ", "\n* ", "\n+ ", "\n1. ", "\n2. ",
    "\n3) ", "\n  - ", "\n   - ", "\n    - ", "\n   1. ", "\n    ", "\n  ", "\n\n   ", "\n# ", "\n### ", "\n```\n",
    "\n  ```\n", "\n```py\n", "\n---\n", "\n***\n",
]  # fmt: skip
texts = st.lists(st.sampled_from(PIECES), max_size=14).map("".join)


@settings(max_examples=600)
@given(texts)
@example("- a\n\n- b\nc")
@example("1. a\n\n   - b\n\n   - c\n2. d")
@example("- a\n  - b\n\n  - c\n- d")
@example("a\n    b")
@example("**用量：**每次*一*片")
@example("- **x**\n   1. a\n\n   - b")
@example("- a\n  ```\n  b\n\n  c\n  ```")
def test_the_short_way_is_the_long_ways_equal(text: str) -> None:
    text = reveal(text)
    html = everyday.html_of(text)
    if html is not None and text.strip():
        assert html == long_way(text)
        assert violations(html) == []
        assert guard.shows_every_word(text, html)
