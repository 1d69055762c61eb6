"""Text of strangers made safe to read. Markdown becomes HTML once, at import, and is stored with RENDERER.

A leaf: it imports nothing of ours and knows neither Django nor the database.
"""

from __future__ import annotations

import re
from html import escape
from typing import NamedTuple

import nh3

from labeling.rendering import code, everyday, guard, mathml
from labeling.rendering.invisible import reveal
from labeling.rendering.markdown import parser

__all__ = ["EMPTY", "PLAIN", "PLAIN_OPENS", "RENDERER", "Rendered", "plain", "render"]

RENDERER = 2
PLAIN = 0
PLAIN_OPENS = '<pre class="md-plain">'
MOST_CHARS = 300_000
EMPTY = '<p class="md-empty">(empty)</p>'

# Anything Markdown might read as more than words: else the text is paragraphs and line breaks, a hundred times cheaper.
# Looking for single characters is ten times as fast as a pattern that stands for all of them.
_MARKS = ("*", "_", "`", "~", "[", "<", "&", "\\", "|", "$")
_MARKED_LINE = re.compile(r"\n[ \t]*(?:[#>=+-]|\d{1,9}[.)])|\n(?: {4}| {0,3}\t)")
_NEXT = "</p>\n<p>"
_BLANK_LINES = re.compile(r"<br>\n(?:<br>\n)+")

_WAYS = {"ltr", "rtl"}
_parser = parser()
_cleaner = nh3.Cleaner(
    tags={
        "a", "blockquote", "br", "code", "div", "em", "h3", "h4", "h5", "h6", "hr", "li", "ol", "p", "pre", "s", "span",
        "strong", "table", "tbody", "td", "th", "thead", "tr", "ul", *mathml.ELEMENTS,
    },
    attributes={"a": {"href"}, "ol": {"start"}, **mathml.FREE},
    tag_attribute_values={
        **{tag: {"dir": _WAYS} for tag in ("blockquote", "h3", "h4", "h5", "h6", "li", "ol", "p", "table", "ul")},
        **{tag: {"align": {"left", "center", "right"}, "dir": _WAYS} for tag in ("td", "th")},
        **mathml.VALUES,
    },
    allowed_classes={
        "code": {"md-tex"},
        "div": {"md-code", "md-lang", "md-table"},
        "p": {"md-empty"},
        "pre": {"md-plain"},
        "span": {"md-host", "md-image", "md-math", *code.CLASSES},
    },
    set_tag_attribute_values={"a": {"target": "_blank"}},
    link_rel="noopener noreferrer nofollow ugc",
    url_schemes={"http", "https", "mailto"},
    url_relative="deny",
)  # fmt: skip


class Rendered(NamedTuple):
    html: str
    renderer: int


def render(text: str) -> Rendered:
    """Safe HTML of a Markdown text and the renderer's version; PLAIN if the text had to be shown as it was typed.

    Takes less than 0.2 s for any input: what would cost more, or would lose a word, comes out as plain text.
    """
    text = reveal(text)
    if not text.strip():
        return Rendered(EMPTY, RENDERER)
    if len(text) <= MOST_CHARS and (html := _short_way(text)) is not None:
        return Rendered(html, RENDERER)
    if not guard.costs_too_much(text):
        # once more, because an entity such as &#x202e; only now became the character it names
        html = reveal(_cleaner.clean(_parser.render(text)))
        if guard.shows_every_word(text, html):
            return Rendered(html, RENDERER)
    return Rendered(_preformatted(text), PLAIN)


def plain(text: str) -> str:
    """Safe HTML of the text exactly as it was typed, with invisible characters shown."""
    return _preformatted(reveal(text))


def _preformatted(text: str) -> str:
    # HTML drops the first line end inside <pre>, so it gets one to drop
    return f"{PLAIN_OPENS}\n{escape(text, quote=False)}</pre>"


def _short_way(text: str) -> str | None:
    """HTML of a text that needs no parser; None for one that does."""
    if any(mark in text for mark in _MARKS) or _MARKED_LINE.search("\n" + text):
        return everyday.html_of(text) if len(text) <= guard.MOST_CHARS else None
    shown = text.strip(" \t\n").replace(">", "&gt;")  # there is neither & nor <
    if "\n" in shown:
        shown = "<br>\n".join([line.strip(" \t") for line in shown.split("\n")])
        shown = _BLANK_LINES.sub(_NEXT, shown)
    return f"<p>{shown}</p>\n"
