"""Markdown to HTML, with nothing in it that the text did not show: no raw HTML, no images, no address left unseen."""

from __future__ import annotations

import re
from collections.abc import Sequence
from html import escape
from typing import Any

from markdown_it import MarkdownIt
from markdown_it.renderer import RendererHTML
from markdown_it.rules_core import StateCore
from markdown_it.token import Token

from labeling.rendering import code, mathematics

# After normalisation the host is ASCII. No user name before it, no port-less trick, no other scheme.
_WEB = re.compile(r"https?://([a-z0-9](?:[a-z0-9._-]*[a-z0-9])?)(?::\d{1,5})?(?:[/?#].*)?", re.IGNORECASE | re.DOTALL)
_MAIL = re.compile(r"mailto:([^\s?]+@[^\s?]+)(?:\?.*)?", re.IGNORECASE | re.DOTALL)
_ALIGN = {"text-align:left": "left", "text-align:center": "center", "text-align:right": "right"}
HEADINGS_BELOW = 2


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
        info, content = tokens[index].info.strip(), tokens[index].content
        language = info.split(maxsplit=1)[0] if info else ""
        coloured = env.get("coloured", 0.0) + code.share(content, language)
        if coloured <= 1:
            env["coloured"] = coloured
            return _code(info, code.highlight(content, language))
        return _code(info, escape(content, quote=False))

    def code_block(self, tokens: Sequence[Token], index: int, options: Any, env: Any) -> str:
        return _code("", escape(tokens[index].content, quote=False))

    def formula(self, tokens: Sequence[Token], index: int, options: Any, env: Any) -> str:
        return escape(tokens[index].content, quote=False).replace("\n", "<br>\n")


def _code(info: str, shown: str) -> str:
    """`info` is what follows the opening fence, usually a language; it is part of the text and stays readable."""
    label = f'<div class="md-lang">{escape(info, quote=False)}</div>' if info else ""
    return f'<div class="md-code">{label}<pre><code>{shown}</code></pre></div>\n'


def _nest_below_page(state: StateCore) -> None:
    """Headings start below the page's own; a cell's alignment becomes an attribute, as pages allow no inline style."""
    for token in state.tokens:
        if token.type in ("heading_open", "heading_close"):
            token.tag = f"h{min(int(token.tag[1]) + HEADINGS_BELOW, 6)}"
        elif token.type in ("th_open", "td_open") and token.attrs:
            token.attrs = {"align": _ALIGN[str(token.attrs["style"])]}


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
    made.disable(["reference", "html_block", "html_inline", "linkify", "replacements", "smartquotes"])
    made.validateLink = lambda url: bool(_goes_to(url))  # type: ignore[method-assign]
    made.core.ruler.push("below_page", _nest_below_page)
    made.core.ruler.push("number_as_written", _number_as_written)
    mathematics.protect(made)
    return made
