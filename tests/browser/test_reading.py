"""Reading a pair in a real browser: as typed, with marks, long conversations, formulas, wide code, without a script."""

from __future__ import annotations

import re
from collections.abc import Callable

import pytest
from django.test import Client
from playwright.sync_api import Page, expect
from pytest_django.live_server_helper import LiveServer

from labeling.models import Project
from tests import make

Audit = Callable[[Page], None]
ONE = """## Answer

The **quick** brown fox jumps over the lazy dog near the bank. Solve $x^2 = 4$:

$$\\frac{a}{b} = \\begin{pmatrix} 1 & 2 \\\\ 3 & 4 \\end{pmatrix}$$

```python
print("a line of code that is a good deal wider than half of any screen could ever be, and then some more", 1, 2, 3)
```

| first column | second column | third column | fourth column | fifth column | sixth column | seventh column |
|-|-|-|-|-|-|-|
| unbreakable_words_in_cells | unbreakable_words_in_cells | unbreakable_words | unbreakable_words | more | more | more |
"""
OTHER = ONE.replace("quick", "slow").replace("jumps", "leaps")
ARABIC = "# عنوان\n\nلا تقلق، جرّب `git reset`:\n\n1. افتح الطرفية\n2. Use English\n\n> نعم"
TURNS = [{"role": role, "content": f"# Turn {n}"} for n, role in enumerate(["user", "assistant"] * 3 + ["user"])]
SYSTEM = {"role": "system", "content": "Be careful. " * 80}


@pytest.fixture
def project(transactional_db: None) -> Project:
    made = make.project()
    make.pair(made, ONE, OTHER, language="en", conversation=[SYSTEM, *TURNS])
    return made


@pytest.fixture
def desk(page: Page, live_server: LiveServer, project: Project) -> Page:
    client = Client()
    client.force_login(make.cast(project)["Rui"])
    session = client.cookies["annotate_session"].value
    page.context.add_cookies([{"name": "annotate_session", "value": session, "url": live_server.url}])
    client.post(f"/compare/{make.queue(project).pk}/next/")
    page.goto(f"{live_server.url}/compare/{make.queue(project).pk}/")
    return page


def test_as_typed_by_key_and_back(desk: Page, audit: Audit) -> None:
    audit(desk)
    desk.get_by_role("radio", name="A is much more helpful").check()
    desk.keyboard.press("t")
    expect(desk.locator("#text-left")).to_contain_text("brown fox", use_inner_text=True)
    expect(desk.locator("#text-left pre.md-plain")).to_be_visible()
    expect(desk.locator("#text-right pre.md-plain")).to_contain_text("| first column |")
    expect(desk.locator("#say")).to_have_text("The responses are shown as they were typed.")
    audit(desk)
    expect(desk.get_by_role("radio", name="A is much more helpful")).to_be_checked()
    desk.reload()
    expect(desk.locator("#text-left pre.md-plain")).to_be_visible()
    desk.keyboard.press("t")
    expect(desk.locator("#text-left h3")).to_have_text("Answer")


def test_differences_by_key_and_by_button(desk: Page, audit: Audit) -> None:
    words = desk.locator("mark")
    expect(words).to_have_count(0)
    desk.keyboard.press("d")
    expect(words).to_have_count(4)
    assert sorted(words.all_inner_texts()) == ["jumps", "leaps", "quick", "slow"]
    assert all("underline" in str(mark.evaluate("e => getComputedStyle(e).textDecorationLine")) for mark in words.all())
    expect(desk.locator("#say")).to_have_text("Underlined is what only one of the two has.")
    audit(desk)
    button = desk.get_by_role("button", name="Mark differences")
    expect(button).to_have_attribute("aria-pressed", "true")
    button.focus()
    desk.keyboard.press("Space")
    expect(words).to_have_count(0)
    expect(button).to_be_focused()
    desk.keyboard.press("d")
    expect(words).to_have_count(4)


def test_a_long_conversation(desk: Page, audit: Audit) -> None:
    expect(desk.get_by_role("heading", name="Turn 6")).to_be_visible()
    expect(desk.get_by_role("heading", name="Turn 5")).to_be_hidden()
    desk.get_by_text("Earlier turns (6)").click()
    expect(desk.get_by_role("heading", name="Turn 0")).to_be_visible()
    desk.locator("summary", has_text="System prompt").click()
    audit(desk)
    desk.reload()
    expect(desk.get_by_role("heading", name="Turn 5")).to_be_visible()
    inner = "e => [...e.querySelectorAll('*')].filter(x => /auto|scroll/.test(getComputedStyle(x).overflowY) && x.scrollHeight > x.clientHeight + 1).map(x => x.outerHTML.slice(0, 80))"  # fmt: skip  # noqa: E501
    assert desk.locator("main").evaluate(inner) == [], "nothing scrolls up and down inside of the page"


def test_what_is_wider_than_its_column_scrolls_by_keys(desk: Page) -> None:
    for each in (desk.locator("#text-left pre"), desk.locator("#text-left .md-table")):
        expect(each).to_have_attribute("tabindex", "0")
        each.focus()
        desk.keyboard.press("ArrowRight")
        desk.wait_for_function("e => e.scrollLeft > 0", arg=each.element_handle())
    assert desk.evaluate("document.documentElement.scrollWidth <= document.documentElement.clientWidth")


def test_a_formula_is_drawn(desk: Page) -> None:
    boxes = "e => [...e.children].map(x => x.getBoundingClientRect()).map(b => [b.top, b.bottom])"
    (_, above), (below, _) = desk.locator("#text-left mfrac").evaluate(boxes)
    assert above <= below + 1, "a above b"
    cells = desk.locator("#text-left mtd").evaluate_all("e => e.map(x => Math.round(x.getBoundingClientRect().left))")
    assert cells[0] == cells[2] < cells[1] == cells[3]
    assert desk.locator("#text-left math").first.get_attribute("alttext") == "x^2 = 4"


@pytest.mark.parametrize(("width", "theme"), [(390, "light"), (1440, "dark")])
def test_arabic_with_english_in_it(
    page: Page, live_server: LiveServer, transactional_db: None, audit: Audit, width: int, theme: str
) -> None:
    project = make.project()
    make.pair(project, ARABIC, "Only English, all of it.", language="ar")
    client = Client()
    client.force_login(make.cast(project)["Rui"])
    session = client.cookies["annotate_session"].value
    page.context.add_cookies([{"name": "annotate_session", "value": session, "url": live_server.url}])
    client.post(f"/compare/{make.queue(project).pk}/next/")
    page.set_viewport_size({"width": width, "height": 900})
    page.emulate_media(color_scheme=theme)  # type: ignore[arg-type]
    page.goto(f"{live_server.url}/compare/{make.queue(project).pk}/")
    arabic = page.locator(".md", has=page.get_by_role("heading", name="عنوان", include_hidden=True))
    assert (arabic.get_attribute("dir"), arabic.get_attribute("lang")) == ("rtl", "ar")
    assert page.locator('.md[lang="en"]').count() >= 1
    ways = arabic.locator("li").evaluate_all("e => e.map(x => getComputedStyle(x).direction)")
    assert ways == ["rtl", "ltr"]
    audit(page)


def test_without_a_script_answers_outlive_the_change(desk: Page, live_server: LiveServer) -> None:
    context = desk.context.browser.new_context(java_script_enabled=False)  # type: ignore[union-attr]
    context.add_cookies(desk.context.cookies())  # type: ignore[arg-type]
    page = context.new_page()
    page.goto(desk.url)
    page.get_by_role("radio", name="B is clearly safer").check(force=True)
    page.get_by_role("button", name="As typed").click()
    expect(page.locator("#text-left pre.md-plain")).to_be_visible()
    expect(page.get_by_role("radio", name="B is clearly safer")).to_be_checked()
    page.get_by_role("button", name="Mark differences").click()
    expect(page.locator("mark")).to_have_count(4)
    page.get_by_role("radio", name="B is clearly safer").press("Enter")
    expect(page).to_have_url(re.compile("/submit/$"))
    expect(page.locator("mark")).to_have_count(4)
    context.close()
