"""What must stay true of the whole house, whoever adds a room. import-linter holds the floors; the rest is here."""

from __future__ import annotations

import ast
import re
import subprocess
from collections.abc import Iterator
from functools import cache
from hashlib import sha256
from pathlib import Path

import pytest

from annotate.local.var import ROOT

APPS = ("annotate", "labeling", "exports")
MOST_LINES, MOST_SCRIPT_LINES, LONG_FUNCTION = 400, 600, 32


@cache
def tracked() -> list[Path]:
    """Every file of the project, but not what it installs or makes."""
    listed = subprocess.run(
        ["git", "ls-files", "--cached", "--others", "--exclude-standard", "-z"],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
    )
    names = [name for name in listed.stdout.split("\0") if name]
    if listed.returncode:  # unpacked from an archive
        made = {".venv", "var", "__pycache__"}
        names = [str(path.relative_to(ROOT)) for path in ROOT.rglob("*") if not made & {*path.relative_to(ROOT).parts}]
    return [ROOT / name for name in names if (ROOT / name).is_file()]


def modules(*folders: str) -> list[Path]:
    return [path for path in tracked() if path.suffix == ".py" and path.relative_to(ROOT).parts[0] in folders]


def own(path: Path) -> str:
    return str(path.relative_to(ROOT))


@cache
def tree(path: Path) -> ast.Module:
    return ast.parse(path.read_text())


def imports(node: ast.AST) -> Iterator[tuple[int, str]]:
    """Line and full name of everything imported under `node`."""
    for found in ast.walk(node):
        if isinstance(found, ast.Import):
            yield from ((found.lineno, name.name) for name in found.names)
        elif isinstance(found, ast.ImportFrom):
            yield from ((found.lineno, f"{found.module}.{name.name}") for name in found.names)


def functions(path: Path) -> Iterator[ast.FunctionDef | ast.AsyncFunctionDef]:
    for node in ast.walk(tree(path)):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            yield node


# --- templates and scripts ------------------------------------------------------------------------

FORBIDDEN_IN_TEMPLATES = {
    "a script in the page": r"<script(?![^>]*\ssrc=)",
    "a style in the page": r"<style|\sstyle\s*=",
    "a handler in an attribute": r"\son[a-z]+\s*=|hx-on|data-hx-on",
    "code in an attribute": r"(?:hx-vals|hx-headers|hx-vars)\s*=\s*[\"']\s*(?:js|javascript):|javascript:|hx-vars",
    "a filter of a trigger, which is evaluated as code": r"hx-trigger\s*=\s*(\"[^\"]*\[|'[^']*\[)",
    "text that is not escaped": r"\|\s*safe\b|\bautoescape\s+off\b|\|\s*safeseq\b",
    "something from another host": r"(?:src|href|action)\s*=\s*[\"'](?:https?:)?//",
}
TEMPLATES = [path for path in tracked() if path.suffix == ".html" and "templates" in path.parts]


@pytest.mark.parametrize("template", TEMPLATES, ids=own)
def test_a_template_holds_nothing_that_the_content_security_policy_forbids(template: Path) -> None:
    text = re.sub(r"\{#.*?#\}|\{% comment.*?endcomment %\}", "", template.read_text(), flags=re.DOTALL)
    found = {what: hit.group() for what, rule in FORBIDDEN_IN_TEMPLATES.items() if (hit := re.search(rule, text, re.I))}
    assert not found


@pytest.mark.parametrize("template", TEMPLATES, ids=own)
def test_a_form_that_changes_something_carries_its_token(template: Path) -> None:
    forms = re.findall(r"<form\b.*?</form>", template.read_text(), re.DOTALL | re.IGNORECASE)
    bare = [form[:80] for form in forms if re.search(r"method=\"?post", form, re.I) and "{% csrf_token %}" not in form]
    assert not bare


@pytest.mark.parametrize(
    "bad",
    [
        "<script>x</script>",
        '<p style="color:red">',
        '<a onclick="x()">',
        '<a hx-on:click="x()">',
        "<a hx-vals='js:{x: 1}'>",
        '<a hx-trigger="keyup[key==1]">',
        "{{ x|safe }}",
        "{{ x | safe }}",
        '<img src="//elsewhere.example/x.png">',
    ],
)
def test_the_rules_for_templates_see_what_they_forbid(bad: str) -> None:
    assert any(re.search(rule, bad, re.IGNORECASE) for rule in FORBIDDEN_IN_TEMPLATES.values())


def test_only_one_module_calls_html_safe() -> None:
    calling = [own(path) for path in modules(*APPS) if re.search(r"\bmark_safe\b|\bSafeString\(", path.read_text())]
    assert set(calling) <= {"labeling/templatetags/rendered.py"}


def test_own_scripts_stay_small() -> None:
    scripts = [path for path in tracked() if own(path).startswith("static/js/")]
    assert sum(len(path.read_text().splitlines()) for path in scripts) <= MOST_SCRIPT_LINES
    for path in scripts:
        assert not re.search(r"\beval\(|new Function|innerHTML|document\.write", path.read_text()), own(path)


def test_vendored_files_are_the_ones_that_were_taken() -> None:
    vendor = ROOT / "static" / "vendor"
    files = {str(path.relative_to(vendor)): path for path in tracked() if vendor in path.parents}
    manifest = files.pop("MANIFEST", None)
    rows = [line.split() for line in manifest.read_text().splitlines() if line[:1] not in ("", "#")] if manifest else []
    assert {name: digest for digest, name, *_ in rows} == {
        name: sha256(path.read_bytes()).hexdigest() for name, path in files.items()
    }


# --- modules --------------------------------------------------------------------------------------


def test_nothing_is_imported_inside_a_function() -> None:
    found = [
        f"{own(path)}:{line} {name}"
        for path in modules(*APPS, "benchmarks", "tests")
        for function in functions(path)
        if not (path.name == "apps.py" and function.name == "ready")
        for line, name in imports(function)
    ]
    assert not found


def test_modules_have_one_subject_and_functions_fit_a_screen() -> None:
    long_modules = {own(path): n for path in modules(*APPS) if (n := len(path.read_text().splitlines())) > MOST_LINES}
    assert {name: n for name, n in long_modules.items() if "/migrations/" not in name} == {}
    lengths = [
        (function.end_lineno or 0) - function.lineno + 1 for path in modules(*APPS) for function in functions(path)
    ]
    assert sum(length <= LONG_FUNCTION for length in lengths) >= 0.9 * len(lengths)


def test_nobody_listens_to_signals() -> None:
    forbidden = ("django.dispatch", "django.db.models.signals")
    found = [
        f"{own(path)}:{line}"
        for path in modules(*APPS)
        for line, name in imports(tree(path))
        if name.startswith(forbidden)
    ]
    assert not found


def test_verbs_nouns_and_sums_know_no_request_and_no_queue() -> None:
    forbidden = ("django.http", "django.shortcuts", "django.template", "celery", "rest_framework", "labeling.tasks")
    inner = ("labeling/actions/", "labeling/models/", "labeling/reports/", "labeling/stats/", "labeling/importers/")
    found = [
        f"{own(path)}:{line} {name}"
        for path in modules("labeling")
        if own(path).startswith(inner)
        for line, name in imports(tree(path))
        if name.startswith(forbidden)
    ]
    assert not found


def test_names_are_the_agreed_ones() -> None:
    drawers = {"utils", "util", "helpers", "helper", "common", "services", "misc"}
    assert not [own(path) for path in modules(*APPS) if drawers & {*path.with_suffix("").parts}]
    banned = {
        "annotator",
        "annotators",
        "labeler",
        "labelers",
        "honeypot",
        "voter",
        "util",
        "utils",
        "helper",
        "helpers",
    }
    named = [
        f"{own(path)}:{node.lineno} {node.name}"
        for path in modules(*APPS)
        for node in ast.walk(tree(path))
        if isinstance(node, ast.FunctionDef | ast.ClassDef)
        if banned & {*re.sub(r"(?<=[a-z])(?=[A-Z])", "_", node.name).lower().split("_")}
    ]
    assert not named


# --- every file -----------------------------------------------------------------------------------

# Written in two halves, so that this file does not hold what it looks for.
PLACES = [
    "py" + "pi.org", "python" + "hosted.org", "npm" + "js.org", "npm" + "js.com", "download." + "pytorch.org",
    "/opt/" + "pypi", "/opt/" + "wheels", "/root" + "/", "/wo" + "rk/", "/home" + "/",
]  # fmt: skip
UNDONE = ["TO" + "DO", "FIX" + "ME", "XX" + "X:"]


def texts() -> Iterator[tuple[Path, str]]:
    for path in tracked():
        try:
            yield path, path.read_text()
        except UnicodeDecodeError:
            continue  # a font, a picture


def test_no_file_names_a_registry_or_a_path_of_some_machine() -> None:
    found = [f"{own(path)}: {place}" for path, text in texts() for place in PLACES if place in text]
    assert not found


def test_nothing_is_left_for_later() -> None:
    code = {".py", ".html", ".js", ".css", ".toml", ".yml"}
    found = [f"{own(path)}: {mark}" for path, text in texts() if path.suffix in code for mark in UNDONE if mark in text]
    assert not found


def test_locks_guard_every_package_with_a_hash() -> None:
    for name in ("uv", "prod", "run", "test", "trainers"):
        text = (ROOT / "requirements" / f"{name}.txt").read_text().replace("\\\n", " ")
        lines = [line for line in text.splitlines() if line.strip() and not line.startswith("#")]
        assert lines, name
        assert all("==" in line and "--hash=sha256:" in line for line in lines), name
        assert "://" not in text, name
