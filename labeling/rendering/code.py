"""Colours for code: Pygments finds the tokens, a dozen class names of our own (static/css/code.css) colour them."""

from __future__ import annotations

from functools import cache
from html import escape
from typing import Any

from pygments.lexer import Lexer
from pygments.lexers import get_lexer_by_name
from pygments.token import _TokenType, string_to_tokentype

# A text gets colours for so many characters of code, then none: the lexers' patterns are not linear in every input,
# some guess where a function or a string begins and try again at every word.
LONGEST_LINE = 400
MOST_CHARS = {"c": 1_500, "cpp": 1_500, "csharp": 800, "java": 1_500, "python": 3_000, "r": 2_000}
MOST_CHARS_ELSEWHERE = 4_000

LEXERS = {
    "bash": "bash", "c": "c", "c#": "csharp", "c++": "cpp", "cpp": "cpp", "cs": "csharp", "csharp": "csharp",
    "css": "css", "diff": "diff", "go": "go", "golang": "go", "html": "html", "ini": "ini", "java": "java",
    "javascript": "javascript", "js": "javascript", "json": "json", "jsx": "javascript", "kotlin": "kotlin",
    "py": "python", "python": "python", "python3": "python", "r": "r", "rb": "ruby", "rs": "rust", "ruby": "ruby",
    "rust": "rust", "sh": "bash", "shell": "bash", "sql": "sql", "swift": "swift", "toml": "toml", "ts": "typescript",
    "tsx": "typescript", "typescript": "typescript", "xml": "xml", "yaml": "yaml", "yml": "yaml", "zsh": "bash",
}  # fmt: skip
CLASS_OF = {
    "Comment": "tok-comment", "Comment.Preproc": "tok-meta", "Generic.Deleted": "tok-deleted",
    "Generic.Heading": "tok-meta", "Generic.Inserted": "tok-inserted", "Generic.Subheading": "tok-meta",
    "Keyword": "tok-keyword", "Keyword.Type": "tok-builtin", "Literal.Number": "tok-number",
    "Literal.String": "tok-string", "Name.Attribute": "tok-builtin", "Name.Builtin": "tok-builtin",
    "Name.Class": "tok-function", "Name.Decorator": "tok-meta", "Name.Function": "tok-function",
    "Name.Tag": "tok-function", "Operator.Word": "tok-keyword",
}  # fmt: skip
CLASSES = frozenset(CLASS_OF.values())
_BY_TYPE = {string_to_tokentype(f"Token.{name}"): css for name, css in CLASS_OF.items()}


def block(info: str, content: str, env: dict[str, Any]) -> str:
    """HTML of a code block. `info` is what follows the opening fence, usually a language; it stays readable.

    `env["coloured"]` sums up what part of its share of colours the text has used.
    """
    language = info.split(maxsplit=1)[0] if info else ""
    coloured = env.get("coloured", 0.0) + share(content, language)
    if coloured <= 1:
        env["coloured"] = coloured
        shown = highlight(content, language)
    else:
        shown = escape(content, quote=False)
    label = f'<div class="md-lang">{escape(info, quote=False)}</div>' if info else ""
    return f'<div class="md-code">{label}<pre><code>{shown}</code></pre></div>\n'


def share(code: str, language: str) -> float:
    """What part of the characters that a text may have coloured this code takes; more than 1 if it gets no colours."""
    name = LEXERS.get(language.lower())
    if name is None or max(map(len, code.split("\n"))) > LONGEST_LINE:
        return 2.0
    return len(code) / MOST_CHARS.get(name, MOST_CHARS_ELSEWHERE)


def highlight(code: str, language: str) -> str:
    """Escaped HTML of code in a known language, with <span class="tok-…"> around what has a colour."""
    name = LEXERS[language.lower()]
    out: list[str] = []
    pending, pending_class = "", ""
    for _, kind, value in _lexer(name).get_tokens_unprocessed(code):
        css = _class(kind)
        if css != pending_class and pending:
            out.append(_span(pending, pending_class))
            pending = ""
        pending, pending_class = pending + value, css
    out.append(_span(pending, pending_class))
    return "".join(out)


def _span(text: str, css: str) -> str:
    shown = escape(text, quote=False)
    return f'<span class="{css}">{shown}</span>' if css else shown


@cache
def _lexer(name: str) -> Lexer:
    return get_lexer_by_name(name)


@cache
def _class(kind: _TokenType) -> str:
    """The class of the token type or of its nearest ancestor that has one."""
    return _BY_TYPE.get(kind) or (_class(kind.parent) if kind.parent else "")
