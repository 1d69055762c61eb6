r"""Formulas in Markdown: where one is, that Markdown reads nothing of it as its own, and how it is shown.

`$…$` and `\(…\)` stand in a line, `$$…$$`, `\[…\]` and environments such as `\begin{align}` stand alone.
"""

from __future__ import annotations

import re
from html import escape
from typing import Any

from markdown_it import MarkdownIt
from markdown_it.rules_block import StateBlock
from markdown_it.rules_inline import StateInline
from markdown_it.token import Token

from labeling.rendering.mathml import mathml

LONGEST = 2_000
MOST_LINES = 60
MOST_DRAWN = 6_000  # characters of formulas that one text may have drawn, at about 15 µs each; then sources are shown
_INLINE = re.compile(
    rf"\$\$(?P<display>[^$]{{1,{LONGEST}}})\$\$"
    # An opening $ touches what follows, a closing one what precedes it; neither touches a word from outside.
    rf"|(?<![A-Za-z0-9$\\])\$(?![\s$])(?P<inline>(?:[^$\n\\]|\\[^\n]){{1,{LONGEST}}}?)(?<!\s)\$(?![A-Za-z0-9])"
    rf"|\\\((?P<round>(?:(?!\\[()])[^\n]){{1,{LONGEST}}})\\\)"
    rf"|\\\[(?P<square>(?:(?!\\[\[\]])[^$]){{1,{LONGEST}}})\\\]"
)
_BLOCK = re.compile(r"\$\$|\\\[|\\begin\{(?:align|aligned|alignat|cases|eqnarray|equation|gather|multline)\*?\}")
_CLOSING = {"$$": "$$", "\\[": "\\]"}
_NO_PROSE = re.compile(r"\\(?:text|mathrm|mbox|operatorname|textbf|textit)\*?\s*\{[^{}]*\}|\\[A-Za-z]+")
_PROSE = re.compile(r"[A-Za-z]{3,} +[A-Za-z]{3,}")
_AMOUNT = re.compile(r"\d[^\\^_={}]*[A-Za-z]{2}")
_NUMBER = re.compile(r"[\d\s,;.–-]+")


def protect(parser: MarkdownIt) -> None:
    parser.inline.ruler.before("escape", "formula", _inline)
    parser.block.ruler.before("fence", "formula", _block, {"alt": ["paragraph", "blockquote", "list"]})


def shown(token: Token, env: dict[str, Any]) -> str:
    """HTML of a formula: drawn while the text's share lasts, else its source."""
    source, block = token.meta["source"], token.block
    env["drawn"] = env.get("drawn", 0) + len(source)
    drawn = mathml(source, block) if env["drawn"] <= MOST_DRAWN else None
    if drawn is None:
        return f'<code class="md-tex">{escape(token.content, quote=False)}</code>'
    return f'<span class="md-math">{drawn}</span>' if block else drawn


def _inline(state: StateInline, silent: bool) -> bool:
    if state.src[state.pos] not in "$\\":
        return False
    match = _INLINE.match(state.src, state.pos, state.posMax)
    if match is None or _is_something_else(str(match.lastgroup), match[match.lastgroup or 0]):
        return False
    if not silent:
        _push(state, match[0], match[match.lastgroup or 0], block=match.lastgroup in ("display", "square"))
    state.pos = match.end()
    return True


def _is_something_else(kind: str, source: str) -> bool:
    """Whether the marks mean money, escaped brackets or shell variables: prose and numbers, not a formula."""
    if not source.strip() or _PROSE.search(_NO_PROSE.sub(" ", source)):
        return True
    if kind == "inline":
        return bool(_AMOUNT.match(source))
    return kind in ("round", "square") and bool(_NUMBER.fullmatch(source))


def _push(state: StateInline | StateBlock, content: str, source: str, *, block: bool) -> None:
    token = state.push("formula", "", 0)
    token.content, token.block, token.meta = content, block, {"source": source}


def _block(state: StateBlock, start: int, end: int, silent: bool) -> bool:
    """A formula that opens a line, up to the line that its closing mark ends; blank lines may lie between."""
    begin, stop = state.bMarks[start] + state.tShift[start], state.eMarks[start]
    if state.src[begin : begin + 1] not in ("$", "\\"):
        return False
    opening = _BLOCK.match(state.src, begin, stop)
    if opening is None or state.is_code_block(start):
        return False
    closing = _CLOSING.get(opening[0]) or opening[0].replace("begin", "end", 1)
    if closing in state.src[begin + 2 : stop]:
        return False
    after = _line_after(state, start + 1, min(end, start + MOST_LINES), closing)
    if after and not silent:
        content = state.getLines(start, after, state.blkIndent, False).strip("\n")
        marks = opening[0] in _CLOSING
        source = content.strip().removeprefix(opening[0]).removesuffix(closing) if marks else content
        state.push("paragraph_open", "p", 1).map = [start, after]
        _push(state, content, source, block=True)
        state.push("paragraph_close", "p", -1)
        state.line = after
    return bool(after)


def _line_after(state: StateBlock, line: int, end: int, closing: str) -> int:
    """The line after the first one that `closing` ends, or 0 if the block ends before."""
    while line < end and (state.sCount[line] >= state.blkIndent or state.isEmpty(line)):
        if state.src[state.bMarks[line] : state.eMarks[line]].rstrip().endswith(closing):
            return line + 1
        line += 1
    return 0
