"""Emphasis beside Han, Kana and Hangul, which write no spaces.

CommonMark asks for a space or punctuation outside of `**` when there is punctuation inside of it, so that
**用量：**每次 would stay as typed, stars and all. Beside a letter of these scripts the marks open and close as beside a space.
"""

from __future__ import annotations

import re
from typing import Any

from markdown_it import MarkdownIt
from markdown_it.parser_inline import ParserInline
from markdown_it.rules_inline.state_inline import Scanned, StateInline
from markdown_it.token import Token

# Without their punctuation, beside which CommonMark is right already.
UNSPACED = re.compile(
    "[\u1100-\u11ff\u2e80-\u2fd5\u3005-\u3007\u3040-\u31ff\u3400-\u9fff\ua960-\ua97f\uac00-\ud7ff\uf900-\ufaff"
    "\uff66-\uffdc\U00020000-\U0003ffff]"
)


class _State(StateInline):
    def scanDelims(self, start: int, canSplitWord: bool) -> Scanned:  # noqa: N802, N803 the parser's names
        found = super().scanDelims(start, canSplitWord)
        if not canSplitWord or (found.can_open and found.can_close):
            return found
        end = start + found.length
        before = self.src[start - 1] if start else " "
        after = self.src[end] if end < self.posMax else " "
        return Scanned(
            found.can_open or bool(UNSPACED.match(before) and not after.isspace()),
            found.can_close or bool(UNSPACED.match(after) and not before.isspace()),
            found.length,
        )


class InlineParser(ParserInline):
    def parse(self, src: str, md: MarkdownIt, env: Any, tokens: list[Token]) -> list[Token]:
        state = _State(src, md, env, tokens)
        self.tokenize(state)
        for rule in self.ruler2.getRules(""):
            rule(state)
        return state.tokens
