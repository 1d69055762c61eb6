"""Hostile texts: nothing runs, loads, hides or pretends, no word is lost. Each guard also has its control."""

from __future__ import annotations

import importlib.util
import json
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest
from markdown_it import MarkdownIt

from labeling import rendering
from labeling.rendering import guard
from tests.rendering.oracle import text_of, violations

OWN = [json.loads(line) for line in (Path(__file__).parent / "corpus.jsonl").read_text().splitlines()]
SHARED = Path(__file__).parents[3] / "shared" / "security"


def found(record: dict[str, Any]) -> list[str]:
    """What the oracle says of one record of our corpus."""
    html = rendering.render(record["text"]).html
    lost = (
        [f"lost {record['keep']!r}"] if "keep" in record and _flat(record["keep"]) not in _flat(text_of(html)) else []
    )
    return violations(html) + lost


def _flat(text: str) -> str:
    return " ".join(text.split())


@pytest.mark.parametrize("record", OWN, ids=lambda record: record["id"])
def test_nothing_runs_loads_hides_or_is_lost(record: dict[str, Any]) -> None:
    assert found(record) == []


@pytest.mark.parametrize("record", OWN, ids=lambda record: record["id"])
def test_the_raw_view_is_as_safe(record: dict[str, Any]) -> None:
    assert violations(rendering.plain(record["text"])) == []


@pytest.fixture
def long_way(monkeypatch: pytest.MonkeyPatch) -> None:
    """Every text is parsed and sanitised: what a guard is worth is seen only there."""
    monkeypatch.setattr(rendering, "_short_way", lambda text: None)


class _Unchanged:
    def clean(self, html: str) -> str:
        return html


def _count() -> int:
    return sum(bool(found(record)) for record in OWN)


def _raw_html() -> MarkdownIt:
    return MarkdownIt("js-default", {"html": True})


@pytest.mark.usefixtures("long_way")
def test_control_raw_html_without_sanitiser_fails(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(rendering, "_parser", _raw_html())
    monkeypatch.setattr(rendering, "_cleaner", _Unchanged())
    monkeypatch.setattr(guard, "shows_every_word", lambda text, html: True)
    assert _count() > 55


@pytest.mark.usefixtures("long_way")
def test_control_each_layer_is_needed(monkeypatch: pytest.MonkeyPatch) -> None:
    with monkeypatch.context() as without:
        without.setattr(rendering, "_cleaner", _Unchanged())
        assert _count() > 5, "the sanitiser adds rel to links"
    with monkeypatch.context() as without:
        without.setattr(rendering, "_parser", _raw_html())
        without.setattr(guard, "shows_every_word", lambda text, html: True)
        assert _count() > 20, "raw HTML loses words, and nothing says where a link leads"
    with monkeypatch.context() as without:
        without.setattr(rendering, "reveal", lambda text: text)
        assert _count() > 8, "invisible characters stay invisible"
    with monkeypatch.context() as without:
        without.setattr(guard, "shows_every_word", lambda text, html: True)
        assert _count() > 0, "the parser drops words"
    assert _count() == 0


def _tool(name: str) -> ModuleType:
    spec = importlib.util.spec_from_file_location(name, SHARED / "tools" / f"{name}.py")
    assert spec and spec.loader
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def _shared_records() -> list[tuple[dict[str, Any], str]]:
    corpus = SHARED / "corpora" / "xss_corpus.jsonl"
    if not corpus.exists():
        pytest.skip("the shared corpus is not beside this checkout")
    records = [json.loads(line) for line in corpus.read_text().splitlines()]
    return [(one, _payload(one).replace("{{CANARY}}", "http://canary.example")) for one in records]


def _payload(record: dict[str, Any]) -> str:
    """The text of a record; a large one is given as the expression that makes it."""
    if record["payload"] is not None:
        return str(record["payload"])
    return str(eval(record["gen"], {"__builtins__": {"range": range}}))


def test_the_shared_corpus_passes_our_oracle() -> None:
    bad = {}
    for record, payload in _shared_records():
        html = rendering.render(payload).html
        found = violations(html)
        if record["keep"] and _flat(record["keep"]) not in _flat(text_of(html)):
            found.append(f"lost {record['keep']!r}")
        if found:
            bad[record["id"]] = found
    assert bad == {}


def test_the_shared_corpus_passes_its_own_oracle() -> None:
    records = _shared_records()
    oracle = _tool("check_rendered_html")
    bad = {}
    for record, payload in records:
        html = rendering.render(payload).html
        # its parser takes seconds for a megabyte; ours has read those above
        found = oracle.check(record, html) if len(html) < 100_000 else []
        if found:
            bad[record["id"]] = found
    assert bad == {}
