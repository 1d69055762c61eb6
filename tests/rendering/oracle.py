"""What the HTML of one panel may hold, by allow-list: whatever is not known is a violation."""

from __future__ import annotations

import re
import unicodedata
from html.parser import HTMLParser

VOID = {"br", "hr"}
TAGS = VOID | {
    "a", "blockquote", "code", "div", "em", "h3", "h4", "h5", "h6", "li", "ol", "p", "pre", "s", "span", "strong",
    "table", "tbody", "td", "th", "thead", "tr", "ul",
}  # fmt: skip
MATHS = {
    "math", "menclose", "mfrac", "mi", "mn", "mo", "mover", "mroot", "mrow", "mspace", "msqrt", "mstyle", "msub",
    "msubsup", "msup", "mtable", "mtd", "mtext", "mtr", "munder", "munderover",
}  # fmt: skip
BLOCKS = {"blockquote", "h3", "h4", "h5", "h6", "li", "ol", "p", "table", "td", "th", "ul"}
# What each attribute may say, and where it may stand.
ATTRIBUTES = {
    "align": ({"td", "th"}, "left|center|right"),
    "dir": (BLOCKS, "ltr|rtl"),
    "href": ({"a"}, r"https?://[A-Za-z0-9._-]+(:\d+)?([/?#]\S*)?|(?i:mailto:)\S+@\S+"),
    "rel": ({"a"}, "noopener noreferrer nofollow ugc"),
    "start": ({"ol"}, r"\d{1,9}"),
    "target": ({"a"}, "_blank"),
    # mathematics
    "accent": ({"mo", "mover", "munderover"}, "true|false"),
    "accentunder": ({"munder", "munderover"}, "true|false"),
    "alttext": ({"math"}, r"(?s:.*)"),
    "columnalign": ({"mtd"}, "left|center|right"),
    "display": ({"math"}, "block|inline"),
    "displaystyle": ({"mstyle", "mtable"}, "true|false"),
    "fence": ({"mo"}, "true|false"),
    "form": ({"mo"}, "prefix|infix|postfix"),
    "largeop": ({"mo"}, "true|false"),
    "linethickness": ({"mfrac"}, "0"),
    "mathvariant": ({"mi"}, "normal"),
    "maxsize": ({"mo"}, r"[0-4](\.\d+)?em"),
    "minsize": ({"mo"}, r"[0-4](\.\d+)?em"),
    "movablelimits": ({"mo"}, "true|false"),
    "notation": ({"menclose"}, "box|(up|down)diagonalstrike|horizontalstrike|updiagonalstrike downdiagonalstrike"),
    "scriptlevel": ({"mstyle"}, "[01]"),
    "stretchy": ({"mo"}, "true|false"),
    "symmetric": ({"mo"}, "true|false"),
    "width": ({"mspace"}, r"[0-4](\.\d+)?em"),
}
CLASS = re.compile(r"(md|tok)-[a-z]{1,12}")
REL = "noopener noreferrer nofollow ugc"


class _Reader(HTMLParser):
    def __init__(self) -> None:
        super().__init__(convert_charrefs=True)
        self.bad: list[str] = []
        self.open: list[str] = []
        self.text: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        if tag not in TAGS and not (tag in MATHS and ("math" in self.open or tag == "math")):
            self.bad.append(f"element <{tag}>")
        if self.open and self.open[-1] in MATHS and tag not in MATHS:
            self.bad.append(f"<{tag}> in a formula")
        if tag not in VOID:
            self.open.append(tag)
        for name, value in attrs:
            self._attribute(tag, name, value or "")
        if tag == "a" and ("rel", REL) not in attrs:
            self.bad.append("<a> that tells its target about us")

    def _attribute(self, tag: str, name: str, value: str) -> None:
        if name == "class":
            self.bad += [f"class {one}" for one in value.split() if not CLASS.fullmatch(one)]
        else:
            where, allowed = ATTRIBUTES.get(name, ((), ""))
            if tag not in where or not re.fullmatch(allowed, value):
                self.bad.append(f"<{tag}> attribute {name}={value[:60]!r}")

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.bad.append(f"self-closed <{tag}>")

    def handle_endtag(self, tag: str) -> None:
        if not self.open or self.open.pop() != tag:
            self.bad.append(f"</{tag}> out of place")

    def handle_data(self, data: str) -> None:
        self.text.append(data)

    def handle_comment(self, data: str) -> None:
        self.bad.append("comment")

    def handle_decl(self, decl: str) -> None:
        self.bad.append("declaration")

    def unknown_decl(self, data: str) -> None:
        self.bad.append("declaration")

    def handle_pi(self, data: str) -> None:
        self.bad.append("processing instruction")


def _read(html: str) -> _Reader:
    reader = _Reader()
    reader.feed(html)
    reader.close()
    return reader


def text_of(html: str) -> str:
    return "".join(_read(html).text)


def violations(html: str) -> list[str]:
    """What is wrong with the HTML of a panel; empty when nothing is."""
    reader = _read(html)
    bad = reader.bad + [f"<{tag}> never closed" for tag in reader.open]
    for char in set("".join(reader.text)) - {"\n", "\t"}:
        hidden = (
            unicodedata.category(char) in ("Cc", "Cs") or char in "\u00ad\u200b\u2060\ufeff\u3164\u2800\u115f\u1160"
        )
        if (
            hidden
            or "\u202a" <= char <= "\u202e"
            or "\u2066" <= char <= "\u2069"
            or "\U000e0000" <= char <= "\U000e007f"
        ):
            bad.append(f"invisible U+{ord(char):04X}")
    return sorted(set(bad))
