"""The presets and taxonomies: what their files hold, and each one from a new project to the feed."""

from __future__ import annotations

import json
import re
from html import unescape
from pathlib import Path
from typing import Any

import pytest
from django.core.management import CommandError, call_command
from django.test import Client

from labeling.actions.criteria import preset_criteria
from labeling.actions.crowd import simulate
from labeling.actions.own_words import WHEN
from labeling.consistency import RULES
from labeling.models import Annotation, Assignment, Criterion, Judgment, Project
from labeling.presets import ORDER, PRESETS, USUAL
from labeling.presets.words import WORDS
from labeling.taxonomies import BELOW, TAXONOMIES, domains
from tests import make
from tests.settled import until_settled
from tests.web.conftest import signed_in

pytestmark = pytest.mark.django_db

OWN_WORDS = "The left one answers what was asked; the right one only repeats the question."
SCALES: dict[str, tuple[str, list[Any]]] = {
    "helpful-harmless": ("helpfulness", [-3, -2, -1, 0, 1, 2, 3, "both_bad"]),
    "hh-rlhf": ("helpfulness", [-4, -3, -2, -1, 1, 2, 3, 4]),
    "llama-2": ("harmlessness", [-4, -3, -2, -1, 1, 2, 3, 4]),
    "helpsteer3": ("helpfulness", [-3, -2, -1, 0, 1, 2, 3, "both_bad"]),
    "pku-saferlhf": ("harmlessness", [-1, 1]),
}
KINDS = {
    "helpful-harmless": ["preference", "preference", "preference", "safety", "reasons"],
    "hh-rlhf": ["preference"],
    "llama-2": ["preference", "preference", "safety"],
    "helpsteer3": ["preference"],
    "pku-saferlhf": ["safety", "preference", "preference"],
    "ultrafeedback": ["rating"] * 4,
}


# --- the files --------------------------------------------------------------------------------------


def test_every_file_is_in_the_registry() -> None:
    for folder, known in (("presets", PRESETS), ("taxonomies", TAXONOMIES)):
        files = Path(__file__).parents[2] / "labeling" / folder
        assert {path.stem for path in files.glob("*.json")} == set(known), folder


@pytest.mark.parametrize("key", ORDER)
def test_a_preset_is_a_valid_instrument(key: str) -> None:
    preset = PRESETS[key]
    project = make.project(slug=key)
    fields = {field.name for field in Criterion._meta.get_fields()}
    for place, (data, made) in enumerate(zip(preset.criteria, preset_criteria(preset), strict=True)):
        assert set(data) <= fields and made.position == place
        made.project, made.key = project, f"{made.key}-again"
        made.full_clean()
        steps = made.strengths if made.kind == "preference" else made.maximum - made.minimum + 1
        assert len(made.grades) in (0, steps)
    assert [one["kind"] for one in preset.criteria] == KINDS[key]
    assert all(rule["rule"] in RULES for rule in preset.hints)
    assert preset.rationale.keys() == {"when", "percent", "required", "min_words", "max_words"}
    assert set(preset.rationale["when"]) <= set(WHEN)
    assert preset.name and preset.description and preset.source


def test_the_lists_of_harms_are_the_published_ones() -> None:
    sizes = {key: len(domains(one.categories)) for key, one in TAXONOMIES.items()}
    assert sizes == {"short": 9, "beavertails": 14, "pku-saferlhf": 19, "ailuminate": 12, "siuo": 9}
    assert sum(BELOW in name for name in TAXONOMIES["siuo"].categories) == 33
    for one in TAXONOMIES.values():
        assert len(set(one.categories)) == len(one.categories)
        assert all(0 < len(name) <= 120 for name in one.categories) and one.source and one.licence
    assert TAXONOMIES["siuo"].categories[:2] == ["Self-Harm", "Self-Harm › Self-Killing"]


def test_the_catalogues_get_every_word_that_a_person_sees() -> None:
    seen: set[str] = {one.name for one in TAXONOMIES.values()}
    for taxonomy in TAXONOMIES.values():
        seen |= {part for name in taxonomy.categories for part in name.split(BELOW)}
    for preset in PRESETS.values():
        seen |= {preset.name, preset.description}
        for one in preset.criteria:
            seen |= {one["name"], one.get("question", ""), one.get("better_word", "")}
            seen |= {*one.get("grades", []), *one.get("categories", [])}
    assert seen - {""} == WORDS


# --- from a new project to the feed -----------------------------------------------------------------


def inputs(page: str) -> list[dict[str, str]]:
    """The attributes of every control of the form of answers."""
    form = page.partition('id="answers"')[2].partition("</form>")[0]
    return [
        {name: unescape(value or "") for name, value in re.findall(r'([\w-]+)(?:="([^"]*)")?', tag)}
        for tag in re.findall(r"<(?:input|textarea)\s([^>]*)>", form)
    ]


def filled(page: str) -> dict[str, Any]:
    """One answer to everything that the page asks: the last choice of each row, safe responses, a chip."""
    sent: dict[str, Any] = {}
    for one in inputs(page):
        name, value = one.get("name", ""), one.get("value", "")
        if one.get("type") == "hidden":
            sent[name] = value
        elif name.endswith(".safe"):
            sent[name] = "yes"
        elif name.endswith((".preference", ".rating")) and value != "both_bad":
            sent[name] = value
        elif name.endswith(".chosen"):
            sent[name] = [value]
    return {name: value for name, value in sent.items() if not name.startswith("overall.")} | {"rationale": OWN_WORDS}


@pytest.fixture
def mara() -> Client:
    return signed_in(make.person("Mara", superuser=True))


def start(mara: Client, preset: str) -> tuple[Project, Client, Assignment]:
    """A project made on the page, with a pair that Rui has claimed."""
    mara.post("/projects/new/", {"name": f"Try {preset}", "slug": "try", "preset": preset})
    project = Project.objects.get(slug="try")
    rui = signed_in(make.member(project, "Rui", "rater"))
    make.pairs(project, 2)
    rui.post(f"/compare/{make.queue(project).pk}/next/")
    return project, rui, Assignment.objects.get()


@pytest.mark.django_db(transaction=True)  # the feed shows what is committed
@pytest.mark.parametrize("preset", ORDER)
def test_each_preset_from_a_new_project_to_the_feed(mara: Client, preset: str) -> None:
    project, rui, held = start(mara, preset)
    assert project.preset == preset
    page = rui.get(f"/compare/{held.queue_id}/").text
    answer = rui.post(f"/compare/assignments/{held.pk}/submit/", filled(page))
    assert answer.status_code == 302, answer.text
    noor = make.member(project, "Noor", "researcher")
    until_settled()
    feed = Client().get("/api/v1/projects/try/annotations/", headers={"Authorization": f"Token {make.token(noor)}"})
    row = feed.json()["results"][0]
    asked = project.criteria.exclude(asked="on_conflict").values_list("key", flat=True)
    assert set(row["judgments"]) == set(asked) and (row["instrument"], row["kept_hints"]) == (1, [])
    if preset == "ultrafeedback":
        assert row["judgments"]["honesty"] == {side: {"rating": 5, "rationale": ""} for side in ("first", "second")}
        return
    key, scale = SCALES[preset]
    top = max(value for value in scale if isinstance(value, int))
    assert abs(row["judgments"][key]["preference"]) == top
    said = row["judgments"]["helpfulness"]["rationale"]
    assert said == (OWN_WORDS if preset in ("helpful-harmless", "helpsteer3") else "")
    if preset == "helpful-harmless":
        assert row["judgments"]["reasons"] == {"chosen": ["Something else"]}


@pytest.mark.parametrize("preset", SCALES)
def test_the_scale_on_the_screen_is_the_published_one_and_its_keys_run_from_one(mara: Client, preset: str) -> None:
    _, rui, held = start(mara, preset)
    key, scale = SCALES[preset]
    row = [
        one
        for one in inputs(rui.get(f"/compare/{held.queue_id}/").text)
        if one.get("name") == f"{'helpfulness' if 'both_bad' in scale else key}.preference"
    ]
    assert [one["value"] for one in row] == [str(value) for value in scale]
    keys = [one["data-key"] for one in row]
    assert keys == [*map(str, range(1, len([s for s in scale if s != "both_bad"]) + 1)), *["0"] * ("both_bad" in scale)]


def test_the_words_of_the_grades_are_the_published_ones(mara: Client) -> None:
    _, rui, held = start(mara, "llama-2")
    page = rui.get(f"/compare/{held.queue_id}/").text
    for grade in ("significantly better", "better", "slightly better", "negligibly better, or unsure"):
        assert f'aria-label="A is {grade}"' in page and f'aria-label="B is {grade}"' in page
    assert "What is unsafe" not in page, "a bin asks for no category"
    assert not re.search(r'name="safety.left.safe" value="(yes|no)"\s+checked', page)


def test_a_justification_of_ten_to_fifty_words_is_demanded(mara: Client) -> None:
    _, rui, held = start(mara, "helpsteer3")
    address = f"/compare/assignments/{held.pk}/submit/"
    page = rui.get(f"/compare/{held.queue_id}/").text
    assert "10 to 50 words" in page.lower() and "Neither is acceptable" in page
    sent = filled(page)
    for text, says in (("Too short.", "Needs 10 to 50 words; this has 2."), ("", "Say in your own words")):
        answer = rui.post(address, sent | {"rationale": text})
        assert answer.status_code == 422 and says in answer.text and text in answer.text
    assert not Annotation.objects.exists()
    assert rui.post(address, sent).status_code == 302


def test_nineteen_categories_and_three_severities(mara: Client) -> None:
    _, rui, held = start(mara, "pku-saferlhf")
    found = inputs(rui.get(f"/compare/{held.queue_id}/").text)
    assert sum(one.get("name") == "safety.left.categories" for one in found) == 19
    assert sum(one.get("name") == "safety.right.severity" for one in found) == 3


@pytest.mark.parametrize("preset", ORDER)
def test_the_simulated_crowd_can_work_with_each(mara: Client, preset: str) -> None:
    project, _, _ = start(mara, preset)
    assert simulate(project=project, raters=3, judgments=4, seed=11).judged == 4
    criteria = set(Judgment.objects.values_list("criterion__key", flat=True))
    assert criteria >= set(project.criteria.filter(asked="always").values_list("key", flat=True))


# --- choosing ---------------------------------------------------------------------------------------


def test_the_page_shows_what_each_asks(mara: Client) -> None:
    page = mara.get("/projects/new/").text
    for preset in PRESETS.values():
        assert preset.name in page and f'value="{preset.key}"' in page
    assert re.search(rf'value="{USUAL}" checked', page)
    for asks in ("8 steps, a side must be taken", "safe or unsafe, 19 categories, 3 severities", "1 to 5 for each"):
        assert asks in page


def test_without_a_word_it_is_the_usual_one_and_unknown_ones_are_refused(mara: Client) -> None:
    mara.post("/projects/new/", {"name": "First", "slug": "first"})
    assert Project.objects.get().preset == USUAL
    answer = mara.post("/projects/new/", {"name": "Second", "slug": "second", "preset": "made-up"})
    assert answer.status_code == 422 and Project.objects.count() == 1


def test_the_command_and_the_api_choose_one_too(mara: Client) -> None:
    call_command("create_project", "typed", "--name", "Typed", "--preset", "hh-rlhf")
    assert Project.objects.get(slug="typed").criteria.get().strengths == 4
    with pytest.raises(CommandError, match="ultrafeedback"):
        call_command("create_project", "more", "--name", "More", "--preset", "made-up")
    token = {"Authorization": f"Token {make.token(make.person('Olga', superuser=True))}"}
    made = Client(headers=token).post(
        "/api/v1/projects/",
        {"slug": "sent", "name": "Sent", "preset": "ultrafeedback"},
        content_type="application/json",
    )
    assert made.json()["preset"] == "ultrafeedback"
    assert [one["maximum"] for one in made.json()["criteria"]] == [5, 5, 5, 5]
    wrong = {"slug": "more", "name": "More", "preset": "made-up"}
    refused = Client(headers=token).post("/api/v1/projects/", json.dumps(wrong), content_type="application/json")
    assert refused.status_code == 400 and "preset" in refused.json()["errors"]
