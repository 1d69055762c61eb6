"""Messages of text and images."""

from __future__ import annotations

import pytest

from labeling.rendering import PLAIN, RENDERER, Rendered, plain
from labeling.rendering.parts import Part, render_parts


def figure(part: Part) -> str:
    return f"<figure>{part['image']}</figure>"


def test_texts_and_images_keep_their_order() -> None:
    parts = [{"type": "text", "text": "*Look*:"}, {"type": "image", "image": "7"}, {"type": "text", "text": "a < b"}]
    made = render_parts(parts, figure)
    assert made.html == "<p><em>Look</em>:</p>\n\n<figure>7</figure>\n<p>a &lt; b</p>\n"
    assert made.renderer == RENDERER


def test_one_plain_text_makes_the_notice_appear() -> None:
    parts = [{"type": "text", "text": "ok"}, {"type": "text", "text": "|a|\n|-|\n|1|lost|"}]
    assert render_parts(parts, figure).renderer == PLAIN


def test_the_raw_view_of_parts() -> None:
    made = render_parts([{"type": "text", "text": "*a*"}], figure, text=lambda text: Rendered(plain(text), RENDERER))
    assert made.html == '<pre class="md-plain">\n*a*</pre>'


def test_an_unknown_part_is_an_error() -> None:
    with pytest.raises(ValueError, match="'video'"):
        render_parts([{"type": "video"}], figure)
