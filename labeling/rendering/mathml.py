r"""LaTeX to MathML that every browser draws by itself: no script, no font of ours, nothing but elements known here.

latex2mathml finds the structure. What is written is written here, from short lists, with every text escaped: its own
writer would let `\text{<b>}` through as an element. A formula that would lose a word, or make one too small to
read, is no formula: its source is shown.
"""

from __future__ import annotations

import re
import unicodedata
from collections import Counter
from functools import lru_cache
from html import escape, unescape
from xml.etree.ElementTree import Element

from latex2mathml.converter import convert_to_element

MOST_CHARS = 2_000
DEEPEST_BRACES = 40
DEEPEST_SCRIPT = 3  # a script of a script of a script has about 40 % of the size

_SWITCH = frozenset({"true", "false"})
_LENGTH = re.compile(r"[0-4](?:\.\d{1,3})?em")
_ATTRIBUTES: dict[str, dict[str, frozenset[str]]] = {
    "math": {"display": frozenset({"block", "inline"})},
    "menclose": {
        "notation": frozenset(
            {"box", "updiagonalstrike", "downdiagonalstrike", "horizontalstrike", "updiagonalstrike downdiagonalstrike"}
        )
    },
    "mfrac": {"linethickness": frozenset({"0"})},
    "mi": {"mathvariant": frozenset({"normal"})},
    "mo": dict.fromkeys(("accent", "fence", "largeop", "movablelimits", "stretchy", "symmetric"), _SWITCH)
    | {"form": frozenset({"prefix", "infix", "postfix"})},
    "mover": {"accent": _SWITCH},
    "mstyle": {"displaystyle": _SWITCH, "scriptlevel": frozenset({"0", "1"})},
    "mtable": {"displaystyle": _SWITCH},
    "mtd": {"columnalign": frozenset({"left", "center", "right"})},
    "munder": {"accentunder": _SWITCH},
    "munderover": {"accent": _SWITCH, "accentunder": _SWITCH},
}
_LENGTHS = {"mo": {"minsize", "maxsize"}, "mspace": {"width"}}
ELEMENTS = frozenset(_ATTRIBUTES) | {
    "mn", "mroot", "mrow", "mspace", "msqrt", "msub", "msubsup", "msup", "mtext", "mtr",
}  # fmt: skip
# What the sanitiser lets pass: the same lists, in its words. Lengths are few enough to be free text of one attribute.
VALUES = {name: {one: set(values) for one, values in given.items()} for name, given in _ATTRIBUTES.items()}
FREE = {"math": {"alttext"}, "mo": {"minsize", "maxsize"}, "mspace": {"width"}}
_CHILDREN = {"mfrac": 2, "mover": 2, "mroot": 2, "msub": 2, "msubsup": 3, "msup": 2, "munder": 2, "munderover": 3}
_SCRIPTS = {"mover", "mroot", "msub", "msubsup", "msup", "munder", "munderover"}

# Macros could grow without end; the others hide or shrink what they hold.
_FORBIDDEN = re.compile(
    r"\\(?:[egx]?def|let|(?:re)?newcommand|newenvironment|DeclareMathOperator|[hv]?phantom|unicode|verb"
    r"|[tT]iny|scriptscriptstyle|class|style|href)(?![A-Za-z])"
)
_SAME = (
    (re.compile(r"\\(begin|end)\{(?:align|aligned|alignat|alignedat|flalign|eqnarray)\*?\}"), r"\\\1{align*}"),
    (re.compile(r"\\(begin|end)\{(?:gather|gathered|multline)\*?\}"), r"\\\1{matrix}"),
    (re.compile(r"\\(begin|end)\{(?:equation|displaymath)\*?\}"), ""),
    (re.compile(r"\\(begin|end)\{dcases\}"), r"\\\1{cases}"),
    (re.compile(r"\\not\s*=|\\not\{=\}"), r"\\neq "),
    (re.compile(r"\\not\s*\\in(?![A-Za-z])"), r"\\notin "),
)
# Of the source: names of commands and of environments, columns of an array, and how far apart its lines are.
_NO_WORDS = re.compile(
    r"\\begin\{array\}\s*\{[lcr|\s]*\}|\\(?:begin|end)\{[A-Za-z]+\*?\}|\\\\\[[\d.]+\s*[a-z]{2}\]"
    r"|\\[hv]space\*?\{-?[\d.]+\s*[a-z]{2}\}|\\operatorname\*?|\\[A-Za-z]+\*?"
)
_WORD = re.compile(r"[^\W_]")
# Functions whose subscript stands below them where there is room.
_LIMITS = frozenset({"lim", "liminf", "limsup", "max", "min", "sup", "inf", "det", "gcd", "Pr", "argmax", "argmin"})


class _Unfit(ValueError):
    """The formula cannot be drawn so that all of it is read."""


@lru_cache(maxsize=2_000)
def mathml(source: str, block: bool) -> str | None:
    r"""Safe MathML of LaTeX between its dollars or `\(…\)`, its source in `alttext`; None if it cannot be drawn whole.

    Takes about 15 µs a character, so MOST_CHARS keep it within 30 ms.
    """
    if len(source) > MOST_CHARS or _FORBIDDEN.search(source) or _depth(source) > DEEPEST_BRACES:
        return None
    try:
        tree = convert_to_element(_lined(source.strip()), display="block" if block else "inline")
        shown: list[str] = []
        content = _inside(tree, 0, shown)
    except Exception:  # whatever a parser of untrusted input may raise: the source is shown instead
        return None
    if not "".join(shown).strip() or _words(_NO_WORDS.sub(" ", source)) - _words("".join(shown)):
        return None
    display = "block" if block else "inline"
    return f'<math display="{display}" alttext="{escape(" ".join(source.split()))}">{content}</math>'


def _lined(latex: str) -> str:
    """The formula in environments that latex2mathml knows; lines that are in none get one."""
    for spelling, same in _SAME:
        latex = spelling.sub(same, latex)
    if "\\\\" in latex and "\\begin" not in latex and "\\substack" not in latex:
        name = "align*" if "&" in latex else "matrix"
        latex = f"\\begin{{{name}}}{latex}\\end{{{name}}}"
    return latex


def _depth(source: str) -> int:
    deepest = depth = 0
    for char in source:
        depth += (char == "{") - (char == "}")
        deepest = max(deepest, depth)
    return deepest + source.count("\\begin") + source.count("\\left")


def _words(text: str) -> Counter[str]:
    """Letters and digits, whatever face they are written in. A formula may put them in another order: x² before x₁."""
    return Counter(_WORD.findall(unicodedata.normalize("NFKC", text)))


def _inside(node: Element, script: int, shown: list[str]) -> str:
    variant = node.get("mathvariant", "normal") if node.tag in ("mi", "mn", "mo", "mtext") else "normal"
    text = unescape(node.text or "")
    if text:
        text = _styled(text, variant)
        if text.startswith("\\"):
            raise _Unfit(f"unknown command {text}")
        shown.append(text)
    children = [
        _written(child, script + (node.tag in _SCRIPTS and place > 0), shown) for place, child in enumerate(node)
    ]
    return escape(text, quote=False) + "".join(children)


def _written(node: Element, script: int, shown: list[str]) -> str:
    tag = "mrow" if node.tag == "mpadded" else node.tag  # moved or overlaid boxes stay in the line
    if tag not in ELEMENTS or tag == "math" or script > DEEPEST_SCRIPT or len(node) != _CHILDREN.get(tag, len(node)):
        raise _Unfit(tag)
    if tag == "msub" and node[0].tag == "mo" and node[0].text in _LIMITS:
        tag = "munder"
        node[0].set("movablelimits", "true")
    allowed, lengths = _ATTRIBUTES.get(tag, {}), _LENGTHS.get(tag, set())
    attributes = "".join(
        f' {name}="{value}"'
        for name, value in sorted(node.attrib.items())
        if value in allowed.get(name, ()) or (name in lengths and _LENGTH.fullmatch(value))
    )
    return f"<{tag}{attributes}>{_inside(node, script, shown)}</{tag}>"


def _styled(text: str, variant: str) -> str:
    """The text in the letters that Unicode has for a bold, a script, a double-struck face: browsers know only these."""
    if variant == "normal":
        return text
    return "".join(_letter(char, variant.upper().replace("-", " ")) for char in text)


@lru_cache(maxsize=1_000)
def _letter(char: str, face: str) -> str:
    name = unicodedata.name(char, "").replace("LATIN ", "").replace("GREEK ", "").replace(" LETTER", "")
    faces = {"FRAKTUR": ("MATHEMATICAL FRAKTUR", "BLACK-LETTER"), "ITALIC": ("MATHEMATICAL ITALIC",)}
    for full in faces.get(face, (f"MATHEMATICAL {face}", face)):
        try:
            return unicodedata.lookup(f"{full} {name}")
        except KeyError:
            continue
    return char
