"""Pages turn with the direction of their language: the stylesheets name no left and no right."""

from __future__ import annotations

import re
from collections.abc import Iterator

import pytest

from tests.languages.sources import ROOT

SIDED = re.compile(
    r"(?<![\w-])((?:margin|padding|border|scroll-margin|scroll-padding)-(?:left|right)[\w-]*|left|right"
    r"|border-(?:top|bottom)-(?:left|right)-radius)\s*:"
    r"|(?:text-align|float|clear|caption-side)\s*:\s*(?:left|right)\b"
)
FOUR = re.compile(
    r"(?<![\w-])(margin|padding|inset|border-width|border-style|border-color|border-radius)\s*:\s*([^;}]+)"
)
# What is drawn and not laid out: the tick of a chosen chip, the arrow of what unfolds.
DRAWN = {(".chip:has(:checked)::before", "border-width"), (".earlier>summary::after", "border-width")}


def sided(css: str) -> Iterator[str]:
    """Declarations that mean one side of the screen, with their selector."""
    css = re.sub(r"/\*.*?\*/", "", css, flags=re.S)
    for selector, body in re.findall(r"([^{}]+)\{([^{}]*)\}", css):
        name = " ".join(selector.split())
        yield from (f"{name} {{{hit[0]}}}" for hit in SIDED.finditer(body))
        for rule, value in FOUR.findall(body):
            parts = re.findall(r"(?:[^\s()]|\([^()]*(?:\([^()]*\)[^()]*)*\))+", value.replace("!important", ""))
            if len(parts) == 4 and _lopsided(rule, parts) and (name, rule) not in DRAWN:
                yield f"{name} {{{rule}: {value}}}"


def _lopsided(rule: str, parts: list[str]) -> bool:
    """Of corners, clockwise from the first; or of sides, clockwise from the top."""
    corners = rule == "border-radius"
    return (parts[0] != parts[1] or parts[2] != parts[3]) if corners else parts[1] != parts[3]


def test_no_stylesheet_names_a_side() -> None:
    sheets = sorted((ROOT / "static" / "css").glob("*.css"))
    found = [f"{sheet.name}: {rule}" for sheet in sheets for rule in sided(sheet.read_text())]
    assert len(sheets) > 5 and not found, "use inline-start and inline-end:\n" + "\n".join(found)


@pytest.mark.parametrize(
    "bad",
    [
        "a{margin-left:1px}", "a{right:0}", "a{text-align:left}", "a{padding:1px 2px 3px 4px}", "a{inset:0 auto 0 0}",
        "@media (x){a{float:right}}", "a{border-right:1px}", "a{inset:calc(var(--x) + 4px) 14px auto auto}",
    ],
)  # fmt: skip
def test_the_search_finds_sides(bad: str) -> None:
    assert list(sided(bad))


@pytest.mark.parametrize(
    "good",
    [
        "a{margin-inline-start:1px}",
        "a{padding:1px 2px 3px 2px}",
        "a{margin:0 auto}",
        '[data-x="left"]{color:red}',
        "/*left:*/",
    ],
)
def test_the_search_leaves_the_rest_alone(good: str) -> None:
    assert not list(sided(good))
