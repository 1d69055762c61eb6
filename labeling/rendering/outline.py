"""What a rendered guideline consists of: sections that can be linked to, and principles that can be cited.

It is read from the safe HTML, so it is exactly what a rater sees: a number in a code block, in a quotation or in a list
within a list is no principle. A principle is an item of a numbered list at the top level, or a line of a paragraph that
begins with a number as Chinese and Japanese texts write it: 1、 1． 第1条. Ids are letters, digits and hyphens after a
prefix of their own, so they need no trust in the text and meet no other id of a page.
"""

from __future__ import annotations

import re
import unicodedata
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, field
from html import escape, unescape
from typing import NamedTuple

MOST_PRINCIPLES, MOST_NUMBER, LONGEST_PRINCIPLE, LONGEST_ANCHOR = 200, 9_999, 500, 60

# The sanitiser writes attributes in double quotes, and in texts no "<" but as an entity.
_TAG = re.compile(r'<(/?)([a-z][a-z0-9]*)((?:\s+[a-z-]+="[^"]*")*)\s*>')
_BLOCK = re.compile(r"h[1-6]|p|li|tr|pre|div|ol|ul|table|blockquote|hr")
_CONTAINERS = frozenset({"ol", "ul", "li", "blockquote", "table", "pre", "div"})
_SOURCE = re.compile(r'alttext="([^"]*)"')
_START = re.compile(r'start="(\d{1,9})"')
# Ids of an earlier reading. Within a tag only: a text may hold the same characters.
_OWN = re.compile(r'<span id="gp-[^"]*"></span>|(<(?:h[1-6]|li|p)(?:\s+(?!id=)[a-z-]+="[^"]*")*)\sid="[^"]*"')
# What begins a paragraph; and what begins a later line of one, where Markdown leaves also "4. " as it is.
_LEAD = r"\s*(?:<(?:strong|em)>)?\s*"
_MARK = r"(\d{1,3})(?:[、．）]|[.)](?=[^\x00-\x7f]))|第(\d{1,3})[条條]"
_PARAGRAPH = re.compile(rf"{_LEAD}(?:{_MARK})\s*")
_LINE = re.compile(rf"{_LEAD}(?:{_MARK}|(\d{{1,3}})[.)]\s)\s*")
_WORD = re.compile(r"[^\W_]+")
_COMMON = frozenset({"more", "less", "what", "when", "which", "with", "than", "that", "this", "your", "response"})


class Section(NamedTuple):
    """A heading: its words, its id, 1 to 6, and where it starts in the HTML."""

    title: str
    anchor: str
    level: int
    at: int


class Principle(NamedTuple):
    """`section` is the title of the heading above it; `end` where its words end in the HTML."""

    number: int
    text: str
    anchor: str
    section: str
    end: int


class Block(NamedTuple):
    """A paragraph, heading, item or row as plain text, with its number if it has one."""

    kind: str
    number: int | None
    text: str


@dataclass(frozen=True, slots=True)
class Outline:
    html: str
    sections: list[Section]
    principles: list[Principle]

    @property
    def repeated(self) -> list[int]:
        """Numbers that more than one principle has."""
        return sorted(number for number, count in Counter(one.number for one in self.principles).items() if count > 1)

    @property
    def missing(self) -> list[int]:
        """Numbers from 1 to the largest that no principle has; none when the numbers are no count at all."""
        found = {one.number for one in self.principles}
        gaps = [number for number in range(1, max(found, default=0)) if number not in found]
        return gaps if len(gaps) <= len(found) + 20 else []

    def stored(self) -> list[dict[str, object]]:
        """As kept beside a guideline: [{number, text, anchor, section}]."""
        return [
            {"number": one.number, "text": one.text, "anchor": one.anchor, "section": one.section}
            for one in self.principles
        ]


@dataclass(slots=True)
class _Read:
    """A block while it is read: `at` is where its id goes, `end` where its words end."""

    kind: str
    at: int
    number: int | None = None
    level: int = 0
    end: int = 0
    words: list[str] = field(default_factory=list)

    @property
    def text(self) -> str:
        return " ".join(unescape("".join(self.words)).split())

    @property
    def is_principle(self) -> bool:
        return self.kind == "item" and 0 < (self.number or 0) <= MOST_NUMBER and bool(self.text)


def outline(html: str) -> Outline:
    """Sections and principles of safe HTML, and the HTML with their ids. Reading its own result gives the same."""
    html = _OWN.sub(lambda own: own[1] or "", html)
    sections: list[Section] = []
    principles: list[Principle] = []
    parts: list[str] = []
    taken: Counter[str] = Counter()
    title, copied, added = "", 0, 0
    for read in _Walk(html).read():
        if read.kind == "heading" and read.text:
            title, anchor = read.text, _free(f"g-{_slug(read.text)}", taken)
            sections.append(Section(title, anchor, read.level, html.rfind("<", 0, read.at) + added))
        elif read.is_principle and len(principles) < MOST_PRINCIPLES:
            anchor = _free(f"gp-{read.number}", taken)
        else:
            continue
        put = f' id="{anchor}"' if html[read.at] == ">" else f'<span id="{anchor}"></span>'
        parts += [html[copied : read.at], put]
        copied, added = read.at, added + len(put)
        if read.kind != "heading":
            text = read.text[:LONGEST_PRINCIPLE]
            principles.append(Principle(read.number or 0, text, anchor, title, read.end + added))
    return Outline("".join([*parts, html[copied:]]), sections, principles)


def blocks(html: str) -> list[Block]:
    """The text of safe HTML, block by block, without what is empty."""
    return [Block(read.kind, read.number, text) for read in _Walk(html).read() if (text := read.text)]


def panel(found: Outline, *, now: str = "", cite: str = "", cited: int | None = None) -> str:
    """The HTML for reading beside a question: the section with the anchor `now` marked, and behind each principle a
    button with the word `cite`, pressed where it is the one `cited`. Without `cite` there are no buttons.
    """
    puts: list[tuple[int, str]] = []
    if span := _span(found, now):
        puts += [(span[0], '<div class="now" id="g--now">'), (span[1], "</div>")]
    first = {one.number: one for one in reversed(found.principles)}
    puts += [(one.end, _button(number, cite, pressed=number == cited)) for number, one in first.items() if cite]
    parts, copied = [], 0
    for at, put in sorted(puts, key=lambda one: one[0]):
        parts += [found.html[copied:at], put]
        copied = at
    return "".join([*parts, found.html[copied:]])


def _button(number: int, word: str, *, pressed: bool) -> str:
    state = "true" if pressed else "false"
    name = f'{escape(word)}<span class="vh"> {number}</span>'
    return f' <button class="cite" type="button" data-cite="{number}" aria-pressed="{state}">{name}</button>'


def section_named(sections: Iterable[Section], names: Iterable[str]) -> Section | None:
    """The section whose heading says one of the names, the first names first: the same words, else some of them."""
    sections = list(sections)
    for rank in (_same, _within, _akin):
        for name in filter(None, map(_plain, names)):
            for section in sections:
                if rank(_plain(section.title), name):
                    return section
    return None


class _Walk:
    """One way through safe HTML, block by block. A paragraph that opens an item is the item."""

    def __init__(self, html: str) -> None:
        self.html = html
        self.within: list[str] = []
        self.next_numbers: list[int] = []
        self.block = _Read("text", 0)
        self.last = 0
        self.ended: list[_Read] = []

    def read(self) -> list[_Read]:
        for tag in _TAG.finditer(self.html):
            self.block.words.append(self.html[self.last : tag.start()])
            self.last = max(self.last, tag.end())
            name = tag[2]
            if name == "br":
                self._line(tag)
            elif name == "math" and not tag[1]:
                self._formula(tag)
            elif _BLOCK.fullmatch(name) and tag[1]:
                self._begin(_Read("text", tag.end() - 1), tag.start())
                if name in _CONTAINERS and self.within and self.within.pop() == "ol":
                    self.next_numbers.pop()
            elif _BLOCK.fullmatch(name):
                self._open(name, tag)
        self.block.words.append(self.html[self.last :])
        self._begin(_Read("text", len(self.html)), len(self.html))
        return self.ended

    def _begin(self, block: _Read, end_of_last: int) -> None:
        self.block.end = end_of_last
        self.ended.append(self.block)
        self.block = block

    def _open(self, name: str, tag: re.Match[str]) -> None:
        if name != "p" or self.block.kind != "item" or self.block.text:
            self._begin(_Read("text", tag.end() - 1), tag.start())
        if name == "p" and not self.within:
            self._numbered(_PARAGRAPH)
        elif name == "li" and self.within[-1:] == ["ol"]:
            self.block.number = self.next_numbers[-1]
            self.block.kind = "item" if len(self.within) == 1 else "text"
            self.next_numbers[-1] += 1
        elif name[0] == "h" and name != "hr" and not self.within:
            self.block.kind, self.block.level = "heading", int(name[1])
        if name == "ol":
            start = _START.search(tag[3])
            self.next_numbers.append(int(start[1]) if start else 1)
        if name in _CONTAINERS:
            self.within.append(name)

    def _line(self, tag: re.Match[str]) -> None:
        """A line end; the line that follows may be a principle of its own."""
        self.block.words.append(" ")
        if not self.within and _LINE.match(self.html, self.last):
            self._begin(_Read("text", self.last), tag.start())
            self._numbered(_LINE)

    def _formula(self, tag: re.Match[str]) -> None:
        """The words of a formula are its source, not what is drawn of it."""
        if source := _SOURCE.search(tag[3]):
            self.block.words.append(source[1])
            self.last = self.html.index("</math>", tag.end()) + len("</math>")

    def _numbered(self, mark: re.Pattern[str]) -> None:
        if found := mark.match(self.html, self.last):
            self.block.kind = "item"
            self.block.number = int(next(filter(None, found.groups())))
            self.last = found.end()


def _span(found: Outline, anchor: str) -> tuple[int, int] | None:
    """Where a section lies in the HTML: up to the next heading of its level or above it."""
    for place, section in enumerate(found.sections):
        if section.anchor == anchor:
            after = (other.at for other in found.sections[place + 1 :] if other.level <= section.level)
            return section.at, next(after, len(found.html))
    return None


def _slug(text: str) -> str:
    """The letters and digits of a heading, in any script: nothing in it can end an attribute or an address."""
    words = "-".join(_WORD.findall(unicodedata.normalize("NFKC", text).casefold()))
    return words[:LONGEST_ANCHOR].rstrip("-") or "section"


def _free(anchor: str, taken: Counter[str]) -> str:
    taken[anchor] += 1
    return anchor if taken[anchor] == 1 else _free(f"{anchor}-{taken[anchor]}", taken)


def _plain(text: str) -> str:
    return " ".join(_WORD.findall(unicodedata.normalize("NFKC", text).casefold()))


def _same(title: str, name: str) -> bool:
    return title == name


def _within(title: str, name: str) -> bool:
    """Every word of the one in the other; in scripts without spaces, the one written in the other."""
    if not (title + name).isascii():
        return min(len(title), len(name)) > 1 and (title in name or name in title)
    words, others = set(title.split()), set(name.split())
    return bool(words) and (words <= others or others <= words)


def _akin(title: str, name: str) -> bool:
    """A word in both, also in another form of it: "helpfulness" and "helpful"."""
    return any(
        one.startswith(other) or other.startswith(one)
        for one in title.split()
        for other in name.split()
        if min(len(one), len(other)) >= 4 and not {one, other} & _COMMON
    )
