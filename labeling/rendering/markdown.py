"""Markdown to HTML, with nothing in it that the text did not show: no raw HTML, no images, no address left unseen."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from html import escape
from typing import Any

from markdown_it import MarkdownIt
from markdown_it.renderer import RendererHTML
from markdown_it.rules_core import StateCore
from markdown_it.token import Token

from labeling.rendering import code, mathematics
from labeling.rendering.emphasis import InlineParser
from labeling.rendering.invisible import RTL, direction

# After normalisation the host is ASCII. No user name before it, no port-less trick, no other scheme.
_WEB = re.compile(r"https?://([a-z0-9](?:[a-z0-9._-]*[a-z0-9])?)(?::\d{1,5})?(?:[/?#].*)?", re.IGNORECASE | re.DOTALL)
_MAIL = re.compile(r"mailto:([^\s?]+@[^\s?]+)(?:\?.*)?", re.IGNORECASE | re.DOTALL)
_ALIGN = {"text-align:left": "left", "text-align:center": "center", "text-align:right": "right"}
HEADINGS_BELOW = 2
_DIRECTED = {
    "blockquote_open", "bullet_list_open", "heading_open", "list_item_open", "ordered_list_open", "paragraph_open",
    "table_open", "td_open", "th_open",
}  # fmt: skip


def _goes_to(address: str) -> str:
    """The host (or mail address) a link leads to; empty for an address that gets no link."""
    match = _WEB.fullmatch(address) or _MAIL.fullmatch(address)
    return match[1].lower() if match else ""


class _Renderer(RendererHTML):
    """What differs from the usual HTML. A method's name is the type of the token it writes."""

    def link_open(self, tokens: Sequence[Token], index: int, options: Any, env: Any) -> str:
        return f'<a href="{escape(str(tokens[index].attrs["href"]))}">'

    def link_close(self, tokens: Sequence[Token], index: int, options: Any, env: Any) -> str:
        """The host after every link whose text is not its own address, so that no text can pass for another host."""
        opening = next(i for i in range(index - 1, -1, -1) if tokens[i].type == "link_open")
        address, title = str(tokens[opening].attrs["href"]), str(tokens[opening].attrs.get("title", ""))
        text = "".join(token.content for token in tokens[opening + 1 : index])
        if text == address and not title:
            return "</a>"
        note = f"{_goes_to(address)}: {title}" if title else _goes_to(address)
        return f'</a> <span class="md-host">({escape(note, quote=False)})</span>'

    def image(self, tokens: Sequence[Token], index: int, options: Any, env: Any) -> str:
        """Never loaded: an image tells its server who is reading, and when."""
        token = tokens[index]
        title = token.attrs.get("title")
        parts = [
            self.renderInlineAsText(token.children, options, env),
            str(token.attrs["src"]),
            f"“{title}”" if title else "",
        ]
        shown = " · ".join(part for part in parts if part)
        return f'<span class="md-image">[image: {escape(shown, quote=False)}]</span>'

    def fence(self, tokens: Sequence[Token], index: int, options: Any, env: Any) -> str:
        return code.block(tokens[index].info.strip(), tokens[index].content, env)

    def code_block(self, tokens: Sequence[Token], index: int, options: Any, env: Any) -> str:
        return code.block("", tokens[index].content, env)

    def formula(self, tokens: Sequence[Token], index: int, options: Any, env: Any) -> str:
        return mathematics.shown(tokens[index], env)

    def table_open(self, tokens: Sequence[Token], index: int, options: Any, env: Any) -> str:
        return f'<div class="md-table"><table{self.renderAttrs(tokens[index])}>\n'

    def table_close(self, tokens: Sequence[Token], index: int, options: Any, env: Any) -> str:
        return "</table></div>\n"


def heading(levels: list[int], level: int) -> str:
    """The tag of the next heading, of `level` 1 to 6 as typed; `levels` keeps those that it may be below.

    Headings follow the page's own without a gap, however the text starts, and those of one level stay of one level.
    """
    while levels and levels[-1] >= level:
        levels.pop()
    levels.append(level)
    return f"h{min(HEADINGS_BELOW + len(levels), 6)}"


def _nest_below_page(state: StateCore) -> None:
    levels: list[int] = []
    tag = ""
    for token in state.tokens:
        if token.type == "heading_open":
            tag = heading(levels, int(token.tag[1]))
        if token.type in ("heading_open", "heading_close"):
            token.tag = tag


def _align_by_attribute(state: StateCore) -> None:
    """A cell's alignment as an attribute, as pages allow no inline style."""
    for token in state.tokens:
        if token.type in ("th_open", "td_open") and token.attrs:
            token.attrs = {"align": _ALIGN[str(token.attrs["style"])]}


def _tell_directions(state: StateCore) -> None:
    """In a text with Hebrew or Arabic every block runs as its own first letter does: an English list, an Arabic one.

    Not by dir="auto", which overlooks what stands in blocks that have a direction themselves.
    """
    if not RTL.search(state.src):
        return
    undecided: list[Token] = []
    for token in state.tokens:
        if token.type in _DIRECTED:
            undecided.append(token)
        elif token.type == "inline" and (way := direction("".join(_words(token)))):
            for block in undecided:
                block.attrSet("dir", way)
            undecided.clear()
        elif token.type.removesuffix("_close") + "_open" in _DIRECTED and undecided:
            undecided.pop()


def _words(token: Token) -> Iterator[str]:
    """What decides a direction: text, but neither code nor formulas."""
    return (child.content for child in token.children or () if child.type == "text")


def _number_as_written(state: StateCore) -> None:
    """A list numbered 1, 2, 5 shows 1, 2, 5: where the count breaks off, a new list starts. All ones count up."""
    lists: list[tuple[Token, int]] = []
    out: list[Token] = []
    for token in state.tokens:
        if token.type == "ordered_list_open":
            lists.append((token, int(token.attrs.get("start", 1))))
        elif token.type == "ordered_list_close":
            lists.pop()
        elif token.type == "list_item_open" and token.info:
            opening, expected = lists[-1]
            number = int(token.info)
            if number not in (expected, 1):
                opening = opening.copy(attrs={"start": number})
                out += [_closing(opening), opening]
                expected = number
            lists[-1] = (opening, expected + 1)
        out.append(token)
    state.tokens = out


def _closing(opening: Token) -> Token:
    return Token("ordered_list_close", "ol", -1, level=opening.level, block=True, markup=opening.markup)


def parser() -> MarkdownIt:
    """CommonMark with tables and strikethrough. Definitions of reference links stay text: unused ones would vanish."""
    made = MarkdownIt(
        "default", {"html": False, "linkify": False, "maxNesting": 100, "breaks": True}, renderer_cls=_Renderer
    )
    made.inline = InlineParser()
    made.disable(["reference", "html_block", "html_inline", "linkify", "replacements", "smartquotes"])
    made.validateLink = lambda url: bool(_goes_to(url))  # type: ignore[method-assign]
    made.core.ruler.push("below_page", _nest_below_page)
    made.core.ruler.push("align_by_attribute", _align_by_attribute)
    made.core.ruler.push("tell_directions", _tell_directions)
    made.core.ruler.push("number_as_written", _number_as_written)
    mathematics.protect(made)
    return made
