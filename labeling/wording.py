"""How long a text is, in words, whatever it is written in."""

from __future__ import annotations

import re

# A character of Chinese or Japanese is a word; elsewhere whatever stands between spaces and holds a letter or digit.
# static/js/words.js counts the same way.
_ALONE = (
    "\u2e80-\u2fdf\u3005-\u3007\u3021-\u3029\u3031-\u3035\u3038-\u303b\u3041-\u309f\u30a1-\u30fa\u30fc-\u30ff"
    "\u3105-\u312f\u31f0-\u31ff\u3400-\u4dbf\u4e00-\u9fff\uf900-\ufaff\uff66-\uff9f\U00020000-\U0003ffff"
)
_PIECE = re.compile(rf"[{_ALONE}]|[^\s{_ALONE}]+")
_ASCII_WORD = re.compile(r"\S*[A-Za-z0-9]\S*")


def count_words(text: str) -> int:
    """
    >>> count_words("It's well-made, 3 of 4."), count_words("直接回答了问题。"), count_words("GPT 很好")
    (5, 7, 3)
    """
    if text.isascii():  # the same, three times as fast
        return len(_ASCII_WORD.findall(text))
    return sum(any(character.isalnum() for character in piece) for piece in _PIECE.findall(text))
