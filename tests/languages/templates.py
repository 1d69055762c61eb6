"""Words in a template that no translation reaches: text, attributes that are read, words for scripts."""

from __future__ import annotations

import re
from collections.abc import Iterator
from html.parser import HTMLParser
from pathlib import Path

from django.template.base import DebugLexer, Token, TokenType

READ = {
    "aria-label",
    "aria-description",
    "aria-valuetext",
    "aria-roledescription",
    "placeholder",
    "title",
    "alt",
    "label",
}
SILENT = {"script", "style", "code", "pre", "kbd"}
# Names and codes are the same in every language.
NAMES = {
    "Annotate", "SHA", "sha", "UTC", "JSON", "CSV", "API", "OpenAPI", "htmx", "Markdown", "ann", "Enter", "Esc",
    "Ctrl", "Alt", "Shift", "Tab", "KB", "MB", "ms", "nbsp", "ensp", "emsp", "thinsp", "prompt", "chosen", "rejected",
    "margin", "true", "false", "on", "off", "auto",
}  # fmt: skip
_WORD = re.compile(r"[^\W\d_]{2,}")
_LITERAL = re.compile(r"""(?:default|default_if_none|yesno|add|join|pluralize):(?:"([^"]*)"|'([^']*)')""")
_QUOTED = re.compile(r"""\w=(?:"([^"]*)"|'([^']*)')""")
_OPENS, _CLOSES = ("blocktranslate", "blocktrans"), ("endblocktranslate", "endblocktrans")


def unmarked(path: Path) -> Iterator[tuple[int, str]]:
    """(line, words) of everything in the template that a person would read in English whatever their language is."""
    source = re.sub(
        r"\{% comment.*?endcomment %\}", lambda hit: "\n" * hit[0].count("\n"), path.read_text(), flags=re.S
    )
    rest, inside, in_class = [], False, False
    for token in DebugLexer(source).tokenize():
        first = token.contents.split(" ", 1)[0]
        if token.token_type == TokenType.BLOCK and first in (*_OPENS, *_CLOSES):
            inside = first in _OPENS
        if token.token_type == TokenType.BLOCK and first in ("block", "endblock"):
            in_class = token.contents.endswith("_class") and first == "block"
        if token.token_type == TokenType.TEXT and not (inside or in_class):
            rest.append(token.contents)
            continue
        yield from ((token.lineno or 0, words) for words in _in_token(token))
        assert token.position is not None
        rest.append(_blank(source[slice(*token.position)]))
    reader = _Reader()
    reader.feed("".join(rest))
    reader.close()
    yield from reader.found


def has_words(text: str) -> bool:
    return any(word not in NAMES for word in _WORD.findall(re.sub(r"&\w+;", " ", text)))


def _in_token(token: Token) -> Iterator[str]:
    """What filters and tags are given as words of their own: {{ x|default:"None" }}, {% include "x" with t="No" %}."""
    literals = []
    if token.token_type == TokenType.VAR:
        literals = _LITERAL.findall(token.contents)
    elif token.token_type == TokenType.BLOCK and token.contents.split(" ", 1)[0] in ("include", "with", "if", "cycle"):
        literals = [hit for hit in _QUOTED.findall(token.contents) if " " in "".join(hit)]
        literals += _LITERAL.findall(token.contents)
    for literal in literals:
        if has_words("".join(literal)):
            yield "".join(literal)


def _blank(text: str) -> str:
    return re.sub(r"[^\n]", " ", text)


class _Reader(HTMLParser):
    def __init__(self) -> None:
        super().__init__()
        self.found: list[tuple[int, str]] = []
        self._silent: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        if tag in SILENT:
            self._silent.append(tag)
        kinds = {value for name, value in attrs if name == "type"}
        for name, value in attrs:
            words = (value or "").strip()
            read = name in READ or (name == "value" and kinds & {"submit", "button", "reset"})
            for_scripts = name.startswith("data-") and name != "data-key" and (" " in words or words[:1].isupper())
            if (read or for_scripts) and has_words(words):
                self.found.append((self.getpos()[0], f"{name}={words}"))

    def handle_endtag(self, tag: str) -> None:
        if self._silent and self._silent[-1] == tag:
            self._silent.pop()

    def handle_data(self, data: str) -> None:
        if not self._silent and has_words(data):
            line = self.getpos()[0] + data[: len(data) - len(data.lstrip())].count("\n")
            self.found.append((line, " ".join(data.split())))
