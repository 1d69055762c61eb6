"""What may not happen to a text on its way: cost too much, or lose a word."""

from __future__ import annotations

import re
from html import unescape
from urllib.parse import unquote

from markdown_it.common.normalize_url import normalizeLinkText

from labeling.rendering.invisible import reveal

# The parser takes about 20 µs of processor time for a mark, 40 µs for a line or a link; an open bracket is searched
# for its other half over every mark; a table's short rows are filled up to the width of its first.
MOST_CHARS, MOST_MARKS, MOST_SEARCHED, MOST_CELLS = 50_000, 7_000, 80_000, 5_000
_MARKS = "*_`~[]&|$\\"

_LINK = re.compile(r'<a href="([^"]*)"[^>]*>(.*?)</a>', re.DOTALL)
# mathml.py has seen to it that every word of the source is in what is drawn
_MATH = re.compile(r'<math display="[a-z]+" alttext="([^"]*)">.*?</math>', re.DOTALL)
_BRACKET = re.compile(r"[\[\]]")
_TAG = re.compile(r"<[^>]*>")
# ASCII punctuation may be markup, white space may fold: everything else must come out.
_PASSING = re.compile(r"[\s\x00-/:-@\[-`{-\x7f]+")
_NUMBER_OF_ITEM = re.compile(r"^([ \t>]*(?:[-+*][ \t]+)*)\d{1,9}[.)](?=\s|$)", re.MULTILINE)


def costs_too_much(text: str) -> bool:
    """Whether parsing the text might take more than about 0.2 s. Counts only, so it is cheap itself."""
    if len(text) > MOST_CHARS:
        return True
    marks = 2 * (text.count("\n") + text.count("<")) + sum(map(text.count, _MARKS))
    if marks > MOST_MARKS:
        return True
    if text.count("[") * marks > MOST_SEARCHED and _most_open(text) * marks > MOST_SEARCHED:
        return True
    return _cells(text) > MOST_CELLS


def _most_open(text: str) -> int:
    """The largest number of square brackets that are open at once, whether or not they are closed later."""
    depth = deepest = 0
    for bracket in _BRACKET.findall(text):
        depth = depth + 1 if bracket == "[" else max(0, depth - 1)
        deepest = max(deepest, depth)
    return deepest


def _cells(text: str) -> int:
    """Cells of the largest table the text could hold: its widest line, times the lines with a bar."""
    widths = [line.count("|") for line in text.split("\n") if "|" in line] if "|" in text else []
    return max(widths, default=0) * len(widths)


def shows_every_word(text: str, html: str) -> bool:
    """Whether every letter, digit and sign of the Markdown text comes out in the HTML, in order.

    Addresses of links count as shown where their link ends. An item's number is shown by its list. A formula counts as
    its source.
    """
    seen, wanted = html, text
    if "<math " in html:
        seen = _MATH.sub(r" \1 ", seen)
    if "<a " in html:
        seen = _LINK.sub(_with_address, seen)
    seen, wanted = _decoded(_TAG.sub("", seen)), _decoded(wanted)
    if "<a " in html and "%" in seen + wanted:
        seen, wanted = unquote(seen), unquote(wanted)
    seen = _PASSING.sub("", seen)
    if _PASSING.sub("", wanted) == seen:
        return True
    rest = iter(seen)
    return all(char in rest for char in _PASSING.sub("", _NUMBER_OF_ITEM.sub(r"\1", wanted)))


def _with_address(link: re.Match[str]) -> str:
    address = unescape(link[1])
    return f"{link[2]} {normalizeLinkText(address)} {address} "


def _decoded(text: str) -> str:
    """Entities decoded until none is left, so that `&amp;` typed as text and `&amp;` meant as & compare alike."""
    if "&" not in text:
        return text
    while (decoded := unescape(text)) != text:
        text = decoded
    return reveal(text)
