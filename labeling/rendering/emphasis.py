"""Emphasis beside Han, Kana and Hangul, which write no spaces.

CommonMark asks for a space or punctuation outside of `**` when there is punctuation inside of it, so that
**用量：**每次 would stay as typed, stars and all. Beside a letter of these scripts the marks open and close as
beside a space.
"""

from __future__ import annotations

import re
from typing import Any

from markdown_it import MarkdownIt
from markdown_it.common.utils import isMdAsciiPunct, isPunctChar
from markdown_it.parser_inline import ParserInline
from markdown_it.rules_inline.state_inline import Scanned, StateInline
from markdown_it.token import Token

# Without their punctuation, beside which CommonMark is right already.
UNSPACED = re.compile(
    "[\u1100-\u11ff\u2e80-\u2fd5\u3005-\u3007\u3040-\u31ff\u3400-\u9fff\ua960-\ua97f\uac00-\ud7ff\uf900-\ufaff"
    "\uff66-\uffdc\U00020000-\U0003ffff]"
)


def flanks(before: str, after: str) -> tuple[bool, bool]:
    """Whether stars or tildes between these two characters may open emphasis, and whether they may close it."""
    space, next_space = before.isspace(), after.isspace()
    mark, next_mark = _is_mark(before), _is_mark(after)
    opens = not next_space and (not next_mark or space or mark or bool(UNSPACED.match(before)))
    closes = not space and (not mark or next_space or next_mark or bool(UNSPACED.match(after)))
    return opens, closes


def _is_mark(char: str) -> bool:
    return isMdAsciiPunct(ord(char)) or isPunctChar(char)


class _State(StateInline):
    def scanDelims(self, start: int, canSplitWord: bool) -> Scanned:  # noqa: N802, N803 the parser's names
        found = super().scanDelims(start, canSplitWord)
        if not canSplitWord:
            return found
        end = start + found.length
        before = self.src[start - 1] if start else " "
        return Scanned(*flanks(before, self.src[end] if end < self.posMax else " "), found.length)


class InlineParser(ParserInline):
    def parse(self, src: str, md: MarkdownIt, env: Any, tokens: list[Token]) -> list[Token]:
        state = _State(src, md, env, tokens)
        self.tokenize(state)
        for rule in self.ruler2.getRules(""):
            rule(state)
        return state.tokens
