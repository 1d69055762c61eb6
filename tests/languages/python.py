"""Words in Python that reach a person without a chance of being translated."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path

from tests.languages.templates import has_words

MARKS = {"_", "gettext", "gettext_lazy", "gettext_noop", "ngettext", "ngettext_lazy", "pgettext", "pgettext_lazy"}
# What is said to a person: the call's name, and which of its arguments is the sentence.
SAYING = {"success": 1, "error": 1, "warning": 1, "info": 1, "Refused": 1, "ValidationError": 0, "add_error": 1}
NAMING = {"label", "help_text", "empty_label"}
# Only programs and operators at a terminal meet what these say.
OF_PROGRAMS = (
    "annotate/", "labeling/api/", "labeling/management/", "labeling/actions/demo.py", "labeling/actions/crowd.py",
    "labeling/actions/import_judgments.py", "labeling/models/", "labeling/admin.py", "labeling/checks.py",
    "exports/api.py", "exports/recipe_api.py", "exports/snapshot_api.py",
    "exports/share_api.py", "exports/management/", "exports/recipes/",
    "exports/models.py", "labeling/importers/",
)  # fmt: skip


def unmarked(path: Path) -> Iterator[tuple[int, str]]:
    """(line, words) of sentences, labels and names of choices that are plain text."""
    for node in ast.walk(ast.parse(path.read_text())):
        for said in _said(node):
            yield from ((said.lineno, words) for words in _bare(said))
        if isinstance(node, ast.ClassDef):
            yield from _unnamed_fields(node)
        if isinstance(node, ast.Call) and _name(node) in MARKS:
            yield from ((node.lineno, "filled in before it is translated") for arg in node.args if _is_filled(arg))


def _unnamed_fields(form: ast.ClassDef) -> Iterator[tuple[int, str]]:
    """Fields of a form that would be called by their Python name."""
    for line in form.body:
        if isinstance(line, ast.Assign) and isinstance(line.value, ast.Call):
            call = line.value
            of_forms = isinstance(call.func, ast.Attribute) and _last(call.func.value) == "forms"
            if of_forms and _name(call).endswith("Field") and "label" not in {word.arg for word in call.keywords}:
                yield line.lineno, f"{_last(line.targets[0])} has no label"


def unnamed_choices(path: Path) -> Iterator[tuple[int, str]]:
    """Names of choices that are plain text, but for names of companies."""
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.ClassDef) and any(_last(base) == "TextChoices" for base in node.bases):
            for line in node.body:
                if isinstance(line, ast.Assign) and isinstance(line.value, ast.Tuple):
                    yield from ((line.lineno, words) for words in _bare(line.value.elts[1]))


def _said(node: ast.AST) -> Iterator[ast.expr]:
    if isinstance(node, ast.Assign) and _last(getattr(node.targets[0], "value", node)) == "errors":
        yield node.value
    if not isinstance(node, ast.Call):
        return
    place = SAYING.get(_name(node))
    if place is not None and len(node.args) > place:
        yield node.args[place]
    yield from (keyword.value for keyword in node.keywords if keyword.arg in NAMING)


def _bare(node: ast.expr) -> Iterator[str]:
    """The plain text in what may be joined, chosen or filled in."""
    if isinstance(node, ast.Constant) and isinstance(node.value, str) and has_words(node.value):
        yield node.value
    elif isinstance(node, ast.JoinedStr):
        yield from (text for part in node.values for text in _bare(part))
    elif isinstance(node, ast.BinOp):
        yield from _bare(node.left)
    elif isinstance(node, ast.IfExp):
        yield from (*_bare(node.body), *_bare(node.orelse))
    elif isinstance(node, ast.List | ast.Tuple):
        yield from (text for part in node.elts for text in _bare(part))


def _is_filled(node: ast.expr) -> bool:
    return isinstance(node, ast.JoinedStr) or (isinstance(node, ast.BinOp) and isinstance(node.op, ast.Mod))


def _name(node: ast.Call) -> str:
    return _last(node.func)


def _last(node: ast.AST) -> str:
    return node.attr if isinstance(node, ast.Attribute) else node.id if isinstance(node, ast.Name) else ""
