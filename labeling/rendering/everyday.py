"""The short way for everyday Markdown: paragraphs, headings, lists, fenced code, emphasis and code in a line.

Byte for byte what the parser and the sanitiser would give, ten times as fast; a test holds the two together. It writes
escaped text between tags of its own, so there is nothing to sanitise, and it drops no line. At the first thing that
it does not know it gives up, and the text goes the long way.
"""

from __future__ import annotations

import re
from functools import lru_cache
from html import escape
from typing import Any, NamedTuple

from labeling.rendering import code, markdown
from labeling.rendering.emphasis import flanks
from labeling.rendering.invisible import RTL

# Escapes, tables, tabs; strikethrough; links. Looking for a few fixed strings is cheaper than any pattern.
_UNUSUAL = ("\\", "|", "\t", "\xa0", "~~", "](")
# Addresses, entities, formulas, long runs of backticks, emphasis by underscores.
_UNUSUAL_WITH = {
    "<": re.compile(r"<[^<>\s]*[:@][^<>\s]*>"),
    "&": re.compile(r"&(?:#|[A-Za-z][A-Za-z0-9]*;)"),
    "$": re.compile(r"\$[^$]*\$"),
    "``": re.compile(r"(?<!`)``(?!`)|````"),
    "_": re.compile(r"(?<![^\W_])_|_(?![^\W_])"),
}
# Quotes, other fences, rules and underlined headings.
_UNUSUAL_LINE = re.compile(r"\n *(?:>|~|[-=+*_ ]+(?=\n|\Z))")
_ITEM = re.compile(r"( {0,3})([-*+]|(\d{1,9})([.)])) {1,4}(?=\S)")
_HEADING = re.compile(r"(#{1,6}) +(\S.*?) *")
_OTHER_BLOCK = re.compile(r" {0,3}(?:#{1,6}(?: |$)|[-*+](?: |$)|\d{1,9}[.)](?: |$)|```)")
_STARS = re.compile(r"(\*+)")
_TAGS = {"*": ("<em>", "</em>"), "**": ("<strong>", "</strong>")}
DEEPEST = 6


class _Unknown(Exception):
    """Something for the parser."""


class _Block(NamedTuple):
    """`html` of a paragraph is what stands in it."""

    html: str
    is_paragraph: bool
    after_blank: bool


def html_of(text: str) -> str | None:
    """HTML of a text without line ends of other systems, or None if it has to be parsed."""
    if _is_unusual(text):
        return None
    try:
        return "".join(map(_whole, _blocks(text.split("\n"), {"levels": []}, 0)))
    except _Unknown:
        return None


def _is_unusual(text: str) -> bool:
    return (
        any(sign in text for sign in _UNUSUAL)
        or any(sign in text and pattern.search(text) for sign, pattern in _UNUSUAL_WITH.items())
        or bool(_UNUSUAL_LINE.search("\n" + text))
        or bool(not text.isascii() and RTL.search(text))
    )


def _is_blank(line: str) -> bool:
    if line.isspace() and line.strip(" "):
        raise _Unknown  # a paragraph of white space
    return not line or line.isspace()


def _whole(block: _Block) -> str:
    return f"<p>{block.html}</p>\n" if block.is_paragraph else block.html


def _blocks(lines: list[str], env: dict[str, Any], depth: int) -> list[_Block]:
    made: list[_Block] = []
    at, blank = 0, False
    while at < len(lines):
        line = lines[at]
        if _is_blank(line):
            at, blank = at + 1, True
            continue
        if _OTHER_BLOCK.match(line):
            html, at = _other_block(lines, at, env, depth, begins=blank or not made)
            made.append(_Block(html, False, blank))
        else:
            html, at = _paragraph(lines, at)
            made.append(_Block(html, True, blank))
        blank = _is_blank(lines[at - 1])  # a list takes the blank lines after it
    return made


def _other_block(lines: list[str], at: int, env: dict[str, Any], depth: int, *, begins: bool) -> tuple[str, int]:
    line = lines[at]
    if item := _ITEM.match(line):
        if not begins and item[3] not in (None, "1"):
            raise _Unknown  # words after a paragraph's line end, such as a year
        return _list(lines, at, env, depth)
    if line.startswith("```"):
        return _fence(lines, at, env)
    heading = _HEADING.fullmatch(line)
    if heading is None or heading[2].endswith("#"):
        raise _Unknown
    tag = markdown.heading(env["levels"], len(heading[1]))
    return f"<{tag}>{_inline(heading[2])}</{tag}>\n", at + 1


def _paragraph(lines: list[str], at: int) -> tuple[str, int]:
    start = at
    if lines[at].startswith("    "):
        raise _Unknown
    while at < len(lines) and not _is_blank(lines[at]) and (at == start or not _OTHER_BLOCK.match(lines[at])):
        at += 1
    return _inline("\n".join(lines[start:at])), at


def _fence(lines: list[str], at: int, env: dict[str, Any]) -> tuple[str, int]:
    info = lines[at][3:]
    for end in range(at + 1, len(lines)):
        if "```" in lines[end]:
            if lines[end].rstrip() != "```" or "`" in info:
                break
            return code.block(info.strip(), "".join(f"{line}\n" for line in lines[at + 1 : end]), env), end + 1
    raise _Unknown


def _list(lines: list[str], at: int, env: dict[str, Any], depth: int) -> tuple[str, int]:
    """A list and the line after it. It is loose, with paragraphs, if a blank line parts what is in it."""
    first = _ITEM.match(lines[at])
    if first is None or depth == DEEPEST:
        raise _Unknown
    items: list[list[_Block]] = []
    loose, number = False, int(first[3] or 0)
    while at < len(lines) and (item := _ITEM.match(lines[at])) and _continues(item, first):
        if item[3] and int(item[3]) != number + len(items):
            raise _Unknown  # numbers that jump
        content, at, blank = _content(lines, at, item)
        made = _blocks(content, env, depth + 1)
        more = at < len(lines) and (after := _ITEM.match(lines[at])) and _continues(after, first)
        loose = loose or bool(blank and more) or any(block.after_blank for block in made)
        items.append(made)
        if not more and not blank and at < len(lines):
            raise _Unknown  # a line that goes on with the item's paragraph
    opening = "<ul>" if not first[3] else "<ol>" if number == 1 else f'<ol start="{number}">'
    inside = "".join(f"<li>{_item(blocks, loose)}</li>\n" for blocks in items)
    return f"{opening}\n{inside}</{opening[1:3]}>\n", at


def _continues(item: re.Match[str], first: re.Match[str]) -> bool:
    """Whether an item is of the list that `first` opened: the same bullet, or a number with the same mark."""
    if len(item[1]) != len(first[1]):
        raise _Unknown
    return (item[4] or item[2]) == (first[4] or first[2])


def _content(lines: list[str], at: int, item: re.Match[str]) -> tuple[list[str], int, bool]:
    """The item's lines without their indent, the line after them, and whether blank lines come before that."""
    width = item.end()
    content = [lines[at][width:]]
    if _UNUSUAL_LINE.match("\n" + content[0]):
        raise _Unknown
    end = at = at + 1
    while at < len(lines):
        line = lines[at]
        if line.startswith(" " * width):
            content += [*[""] * (at - end), line[width:]]
            end = at + 1
        elif not _is_blank(line):
            break
        at += 1
    return content, at, at > end


def _item(blocks: list[_Block], loose: bool) -> str:
    if loose:
        return "\n" + "".join(map(_whole, blocks))
    first, *rest = blocks
    if not first.is_paragraph or any(block.is_paragraph for block in rest):
        raise _Unknown
    parted = "\n" if rest and not rest[0].html.startswith("<div") else ""
    return first.html + parted + "".join(block.html for block in rest)


def _inline(text: str) -> str:
    text = text.strip()
    pieces = text.split("`")
    if len(pieces) % 2 == 0:
        raise _Unknown
    # code counts as one mark while stars look at what is beside them
    shown = _emphasised("`".join(pieces[::2])) if "*" in text else escape("`".join(pieces[::2]), quote=False)
    if "\n" in shown:
        shown = "<br>\n".join([line.strip(" ") for line in shown.split("\n")])
    if len(pieces) == 1:
        return shown
    around = shown.split("`")
    return around[0] + "".join(
        f"<code>{_span(within)}</code>{after}" for within, after in zip(pieces[1::2], around[1:], strict=True)
    )


def _span(within: str) -> str:
    if not within or within[0] == " " or within[-1] == " " or "\n" in within:
        raise _Unknown
    return escape(within, quote=False)


def _emphasised(text: str) -> str:
    """Escaped text with <em> and <strong>, where each run of stars is closed by the very next one."""
    pieces = _STARS.split(text)
    shown, opened = [escape(pieces[0], quote=False)], ""
    for stars, before, after in zip(pieces[1::2], pieces[:-1:2], pieces[2::2], strict=True):
        opens, closes = _flanks(before[-1:] or " ", after[:1] or " ")
        if len(stars) > 2 or not (closes and stars == opened if opened else opens):
            raise _Unknown
        shown += [_TAGS[stars][bool(opened)], escape(after, quote=False)]
        opened = "" if opened else stars
    if opened:
        raise _Unknown
    return "".join(shown)


_flanks = lru_cache(maxsize=10_000)(flanks)
