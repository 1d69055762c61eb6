"""What the sources mark for translation, found without xgettext: Babel reads the Python, Django its own templates."""

from __future__ import annotations

from collections.abc import Iterator
from functools import cache
from io import BytesIO
from pathlib import Path
from typing import NamedTuple

from babel.messages.extract import DEFAULT_KEYWORDS, extract
from django.conf import settings
from django.utils.translation import templatize

ROOT = Path(settings.BASE_DIR)
LAZY = {"gettext_lazy": None, "gettext_noop": None, "ngettext_lazy": (1, 2), "pgettext_lazy": ((1, "c"), 2)}
KEYWORDS = {**DEFAULT_KEYWORDS, **LAZY}


class Words(NamedTuple):
    """A message as a catalogue holds it: `plural` is empty where there is none."""

    context: str
    one: str
    plural: str


@cache
def marked() -> dict[Words, str]:
    """Every marked message with the place of one of its uses: path:line."""
    return dict([*_of_python(), *_of_templates()])


def python_sources() -> list[Path]:
    found = (path for app in ("annotate", "labeling", "exports") for path in (ROOT / app).rglob("*.py"))
    return sorted(path for path in found if "migrations" not in path.parts)


def template_sources() -> list[Path]:
    return sorted(path for path in (ROOT / "templates").rglob("*") if path.suffix in (".html", ".txt"))


def _of_python() -> Iterator[tuple[Words, str]]:
    for path in python_sources():
        yield from _found(path, path.read_bytes())


def _of_templates() -> Iterator[tuple[Words, str]]:
    for path in template_sources():
        code = templatize(path.read_text(), origin=str(path))
        # What is no message has become X and punctuation; only its indentation could still upset a reader of Python.
        yield from _found(path, "\n".join(line.strip() for line in code.split("\n")).encode())


def _found(path: Path, code: bytes) -> Iterator[tuple[Words, str]]:
    for line, message, _, context in extract("python", BytesIO(code), keywords=KEYWORDS):
        one, plural = (message, "") if isinstance(message, str) else message[:2]
        yield Words(context or "", one, plural), f"{path.relative_to(ROOT)}:{line}"
