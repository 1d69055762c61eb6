"""Formulas stay as they were typed: Markdown must not read `_`, `*` or a backslash inside $…$, \\(…\\) and the like."""

from __future__ import annotations

import re

from markdown_it import MarkdownIt
from markdown_it.rules_block import StateBlock
from markdown_it.rules_inline import StateInline

LONGEST = 2_000
# An opening $ touches what follows, a closing one what precedes it, and "$5 and $6" are amounts.
_INLINE = re.compile(
    rf"\$\$[^$]{{1,{LONGEST}}}\$\$"
    rf"|\$(?![\s$])[^$\n]{{0,{LONGEST}}}?(?<![\s\\])\$(?!\d)"
    rf"|\\\((?:(?!\\[()])[^\n]){{1,{LONGEST}}}\\\)"
    rf"|\\\[(?:(?!\\[\[\]])[^$]){{1,{LONGEST}}}\\\]"
)
_CLOSING = {"$$": "$$", "\\[": "\\]"}
MOST_LINES = 60


def protect(parser: MarkdownIt) -> None:
    parser.inline.ruler.before("escape", "formula", _inline)
    parser.block.ruler.before("fence", "formula", _block, {"alt": ["paragraph", "blockquote", "list"]})


def _inline(state: StateInline, silent: bool) -> bool:
    if state.src[state.pos] not in "$\\":
        return False
    match = _INLINE.match(state.src, state.pos, state.posMax)
    if match is None:
        return False
    if not silent:
        state.push("formula", "", 0).content = match[0]
    state.pos = match.end()
    return True


def _block(state: StateBlock, start: int, end: int, silent: bool) -> bool:
    """A formula that opens a line, up to the line that its closing mark ends; blank lines may lie between."""
    begin, stop = state.bMarks[start] + state.tShift[start], state.eMarks[start]
    first = state.src[begin:stop]
    closing = _CLOSING.get(first[:2])
    if closing is None or closing in first[2:] or state.is_code_block(start):
        return False
    after = _line_after(state, start + 1, min(end, start + MOST_LINES), closing)
    if after and not silent:
        state.push("paragraph_open", "p", 1).map = [start, after]
        state.push("formula", "", 0).content = state.getLines(start, after, state.blkIndent, False).strip("\n")
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
