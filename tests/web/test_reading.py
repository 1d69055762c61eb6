"""How a rater reads a pair: formatted or as typed, differences marked, turns folded. Nothing tells the stored order."""

from __future__ import annotations

import re
from typing import Any

import pytest
from django.test import Client

from labeling.models import Assignment, Project, Response
from labeling.rendering import differences, render
from tests import make

pytestmark = pytest.mark.django_db

HTMX = {"HX-Request": "true"}
QUICK = "The **quick** brown fox jumps over the lazy dog."
SLOW = "The **slow** brown fox leaps over the lazy dog."
TURNS = [{"role": role, "content": f"turn {n}"} for n, role in enumerate(["user", "assistant"] * 2 + ["user"])]


@pytest.fixture
def project() -> Project:
    return make.project()


@pytest.fixture
def rui(client: Client, project: Project) -> Client:
    client.force_login(make.cast(project)["Rui"])
    return client


def start(client: Client, project: Project, first: str, second: str | None, **item: Any) -> Assignment:
    item.setdefault("conversation", [{"role": "user", "content": "Why?"}])
    make.pair(project, first, second, language="en", **item)
    client.post(f"/compare/{make.queue(project).pk}/next/")
    held = Assignment.objects.get()
    held.swapped = False
    held.save(update_fields=["swapped"])
    return held


def choose(client: Client, held: Assignment, headers: Any = HTMX, **choice: str) -> Any:
    return client.post(f"/compare/assignments/{held.pk}/reading/", choice, headers=headers)


def page(client: Client, project: Project) -> str:
    return client.get(f"/compare/{make.queue(project).pk}/").text


def texts(html: str) -> list[str]:
    return re.findall(r"data-panel>(.*?)</div></div>", html, re.DOTALL)


def test_as_typed_and_back(rui: Client, project: Project) -> None:
    held = start(rui, project, QUICK, "b")
    assert "<strong>quick</strong>" in page(rui, project)
    part = choose(rui, held, raw="on")
    assert '<pre class="md-plain">\nThe **quick** brown fox' in part.text
    assert "<html" not in part.text and part.text.count('hx-swap-oob="true"') == 2
    assert re.search(r'id="read-raw"[^>]*aria-pressed="true"', part.text)
    assert "**quick**" in page(rui, project), "the next page comes as the last was read"
    assert "<strong>quick</strong>" in choose(rui, held, raw="off").text
    assert "<strong>quick</strong>" in page(rui, project)


def test_the_choice_is_a_cookie_that_no_script_reads(rui: Client, project: Project) -> None:
    cookie = choose(rui, start(rui, project, QUICK, SLOW), raw="on").cookies["annotate_reading"]
    assert (cookie.value, cookie["httponly"], cookie["samesite"]) == ("raw", True, "Lax")
    assert cookie["max-age"] > 10_000_000


def test_what_somebody_wrote_into_the_cookie_is_ignored(rui: Client, project: Project) -> None:
    start(rui, project, QUICK, "b")
    rui.cookies["annotate_reading"] = "nonsense.<script>.raw2"
    assert "<strong>quick</strong>" in page(rui, project)


def test_differences_are_marked_in_both(rui: Client, project: Project) -> None:
    held = start(rui, project, QUICK, SLOW)
    assert "<mark>" not in page(rui, project), "off until asked for"
    part = choose(rui, held, marks="on").text
    assert "<strong><mark>quick</mark></strong> brown fox <mark>jumps</mark> over" in part
    assert "<strong><mark>slow</mark></strong> brown fox <mark>leaps</mark> over" in part
    assert re.search(r'id="read-marks"[^>]*value="off"[^>]*aria-pressed="true"', part)
    assert page(rui, project).count("<mark>") == 4
    assert "**<mark>quick</mark>** brown fox <mark>jumps</mark>" in choose(rui, held, raw="on").text
    assert "<mark>" not in choose(rui, held, marks="off").text


@pytest.mark.parametrize("other", ["Something else altogether, without a word in common.", QUICK, None])
def test_marking_is_offered_only_when_it_helps(rui: Client, project: Project, other: str | None) -> None:
    held = start(rui, project, QUICK, other)
    assert "read-marks" not in page(rui, project)
    part = choose(rui, held, marks="on").text
    assert "<mark>" not in part


def test_what_would_take_long_says_so(rui: Client, project: Project, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(differences, "MOST_PAIRS", 0)
    held = start(rui, project, f"{QUICK} {QUICK} one two", f"{SLOW} {QUICK} two three {QUICK}")
    part = choose(rui, held, marks="on").text
    assert "Too long to mark." in part
    assert "<mark>" not in part


def test_without_a_script_the_answers_are_kept(rui: Client, project: Project) -> None:
    held = start(rui, project, QUICK, SLOW)
    answer = choose(rui, held, headers={}, **{"raw": "on", "helpfulness.preference": "-2"})
    assert (answer.status_code, answer["Location"]) == (302, f"/compare/{make.queue(project).pk}/")
    held.refresh_from_db()
    assert held.draft is not None
    assert held.draft["judgments"]["helpfulness"] == {"preference": -2}
    shown = page(rui, project)
    assert "**quick**" in shown
    assert re.search(r'name="helpfulness.preference" value="-2"[^>]*checked', shown)


def test_without_a_script_one_comes_back_to_where_one_was(rui: Client, project: Project) -> None:
    held = start(rui, project, QUICK, SLOW)
    here = choose(rui, held, headers={"Referer": "http://testserver/my-work/3/"}, raw="on")
    assert here["Location"] == "http://testserver/my-work/3/"
    elsewhere = choose(rui, held, headers={"Referer": "https://evil.example/"}, raw="on")
    assert elsewhere["Location"] == f"/compare/{make.queue(project).pk}/"


def test_looking_needs_a_post(rui: Client, project: Project) -> None:
    held = start(rui, project, QUICK, SLOW)
    assert rui.get(f"/compare/assignments/{held.pk}/reading/").status_code == 405


def test_a_plain_text_has_its_notice_until_it_is_read_as_typed(rui: Client, project: Project) -> None:
    held = start(
        rui, project, "|a|b|\n|-|-|\n|1|2|lost|", "b", conversation=[{"role": "user", "content": "|a|\n|-|\n|1|lost|"}]
    )
    assert page(rui, project).count("Shown as plain text") == 2
    assert "Shown as plain text" not in choose(rui, held, raw="on").text


def test_few_turns_are_all_open(rui: Client, project: Project) -> None:
    start(rui, project, "a", "b", conversation=TURNS[:3])
    shown = page(rui, project)
    assert "Earlier turn" not in shown
    assert [shown.index(f"turn {n}") for n in range(3)] == sorted(shown.index(f"turn {n}") for n in range(3))


def test_of_many_turns_all_before_the_last_question_are_folded(rui: Client, project: Project) -> None:
    start(rui, project, "a", "b", conversation=TURNS)
    shown = page(rui, project)
    folded = shown.partition('<details class="earlier"')[2].partition("</details>")[0]
    assert "Earlier turns (4)" in folded
    assert [f"turn {n}" in folded for n in range(5)] == [True, True, True, True, False]


def test_the_last_question_is_open_also_before_a_begun_answer(rui: Client, project: Project) -> None:
    start(rui, project, "a", "b", conversation=[*TURNS, {"role": "assistant", "content": "begun"}])
    shown = page(rui, project)
    folded = shown.partition('<details class="earlier"')[2].partition("</details>")[0]
    assert "turn 3" in folded and "turn 4" not in folded
    assert "What the model said last" in shown


@pytest.mark.parametrize(("system", "tag"), [("Be brief.", "div"), ("Be careful. " * 80, "details")])
def test_a_system_prompt_is_a_card_of_its_own(rui: Client, project: Project, system: str, tag: str) -> None:
    start(rui, project, "a", "b", conversation=[{"role": "system", "content": system}, *TURNS[:1]])
    shown = page(rui, project)
    assert f'<{tag} class="turn system">' in shown
    assert "Earlier turn" not in shown


def exchange(held: Assignment) -> None:
    """The same two texts on the same two sides, stored the other way round."""
    first, second = held.pair.first, held.pair.second
    assert second is not None
    for response, text, model in ((first, second.content, "model-1"), (second, first.content, "model-0")):
        made = render(text)
        Response.objects.filter(pk=response.pk).update(
            content=text, html=made.html, renderer=made.renderer, model_name=model
        )
    Assignment.objects.filter(pk=held.pk).update(swapped=True)


CHOICES: list[dict[str, str]] = [{}, {"raw": "on"}, {"marks": "on"}, {"raw": "on", "marks": "on"}]


@pytest.mark.parametrize("choice", CHOICES, ids=str)
def test_nothing_tells_the_order_in_which_the_pair_is_stored(
    rui: Client, project: Project, choice: dict[str, str]
) -> None:
    held = start(rui, project, QUICK + " a b a c a", SLOW + " a c a b a")

    def all_of_it() -> list[Any]:
        part = choose(rui, held, **choice)
        whole = rui.get(f"/compare/{make.queue(project).pk}/")
        return [(_bare(answer.text), sorted(answer.headers.items())) for answer in (part, whole)]

    before = all_of_it()
    exchange(held)
    assert all_of_it() == before
    Assignment.objects.filter(pk=held.pk).update(swapped=False)
    assert all_of_it() != before, "control: the two sides do differ"


def _bare(html: str) -> str:
    """Without the token that is new with every page, and without the time."""
    html = re.sub(r'csrfmiddlewaretoken" value="\w+|X-CSRFToken": "\w+', "", html)
    return re.sub(r'(data-seconds|data-now|datetime)="[^"]*"', "", html)
