"""Recipes with a name: kept for good, shared, compared, found by exports; on the pages and over HTTP."""

from __future__ import annotations

import json
from typing import Any

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.db import DatabaseError, transaction
from django.test import Client

from exports.actions import request_export
from exports.models import Export, StoredRecipe
from exports.stored import checked_recipe, differences, recipes_of, save_recipe
from labeling.actions.refusals import Refused
from labeling.models import AuditEntry, Project, User
from tests import make
from tests.api.conftest import Program

PAGE = "/projects/advice/exports/recipes/"


@pytest.fixture
def project(db: None) -> Project:
    made = make.project("advice")
    make.cast(made)
    return made


@pytest.fixture
def noor(project: Project) -> User:
    return User.objects.get(name="Noor")


@pytest.fixture
def browser(noor: User) -> Client:
    client = Client()
    client.force_login(noor)
    return client


def save(project: Project, noor: User, name: str = "ours", **recipe: Any) -> StoredRecipe:
    return save_recipe(project=project, by=noor, name=name, recipe={"format": "dpo"} | recipe)


def test_a_change_is_the_next_version(project: Project, noor: User) -> None:
    one, two = save(project, noor), save(project, noor, aggregate="mean")
    assert (one.version, two.version, str(two)) == (1, 2, "ours@2")
    assert one.recipe == checked_recipe(project, "ours@1").as_json()
    assert checked_recipe(project, "ours").aggregate == checked_recipe(project, "ours@2").aggregate == "mean"
    assert [str(each) for each in recipes_of(project)] == ["ours@2"]
    assert AuditEntry.objects.filter(act="recipe.saved").count() == 2
    with pytest.raises(Refused, match="version 2"):
        save(project, noor, aggregate="mean")


@pytest.mark.parametrize("field", ["name", "version", "recipe", "description"])
def test_what_is_stored_never_changes(project: Project, noor: User, field: str) -> None:
    save(project, noor)
    value = {"version": 9, "recipe": {"format": "kto"}}.get(field, "else")
    with pytest.raises(DatabaseError, match="append-only"), transaction.atomic():
        StoredRecipe.objects.update(**{field: value})
    StoredRecipe.objects.update(created_by=None)  # an account may go
    assert StoredRecipe.objects.get().recipe["format"] == "dpo"


@pytest.mark.parametrize("name", ["", "Ours", "-ours", "o" * 61, "ours@2", "öl", "dpo", "helpsteer"])
def test_names(project: Project, noor: User, name: str) -> None:
    with pytest.raises(Refused) as refused:
        save(project, noor, name)
    assert list(refused.value.errors) == ["name"]


@pytest.mark.parametrize(
    ("recipe", "path"),
    [
        ({"criterion": "beauty"}, "criterion"),
        ({"criterion": {"combine": "weighted", "weights": {"beauty": 1}}}, "criterion.weights"),
        ({"criterion": {"combine": "safer_wins", "harmless": "beauty"}}, "criterion.harmless"),
        ({"filters": {"queues": ["Mine"]}}, "filters.queues"),
        ({"filters": {"raters": {"region": ["North"]}}}, "filters.raters.region"),
        ({"colour": "red"}, "colour"),
    ],
)
def test_what_does_not_fit_is_not_kept(project: Project, noor: User, recipe: dict[str, Any], path: str) -> None:
    with pytest.raises(Refused) as refused:
        save(project, noor, **recipe)
    assert list(refused.value.errors) == [path] and not StoredRecipe.objects.exists()


def test_one_grade_has_no_weakest(project: Project) -> None:
    project.criteria.filter(key="helpfulness").update(strengths=1)
    with pytest.raises(Refused) as refused:
        checked_recipe(project, {"format": "dpo", "aggregate": "hh"})
    assert list(refused.value.errors) == ["aggregate"]


def test_an_export_by_name_keeps_what_the_name_stood_for(project: Project, noor: User) -> None:
    save(project, noor, aggregate="mean")
    request_export(project=project, by=noor, recipe="ours@1")
    request_export(project=project, by=noor, recipe="ours")
    assert {export.recipe["aggregate"] for export in Export.objects.all()} == {"mean"}
    with pytest.raises(Refused, match="no recipe “ours@7”"):
        request_export(project=project, by=noor, recipe="ours@7")


def test_a_recipe_belongs_to_its_project(project: Project, noor: User) -> None:
    save(project, noor)
    with pytest.raises(Refused, match="no recipe “ours”"):
        checked_recipe(make.project("other"), "ours")


def test_differences_are_told_by_path(project: Project, noor: User) -> None:
    one = save(project, noor, filters={"tags": ["a"]}).recipe
    other = save(project, noor, aggregate="mean", split={"test": 0.2}, criterion={"combine": "safer_wins"}).recipe
    found = {each.path: (each.one, each.other) for each in differences(one, other)}
    assert found.pop("criterion") == (
        "helpfulness",
        {"combine": "safer_wins", "helpful": "helpfulness", "harmless": "harmlessness"},
    )
    assert found == {"aggregate": ("majority", "mean"), "filters.tags": (["a"], []), "split.test": (0.05, 0.2)}
    assert not list(differences(one, one))


# --- the pages ---


def test_saved_from_the_page_used_on_the_page(project: Project, browser: Client) -> None:
    recipe = json.dumps({"format": "reward", "aggregate": "helpsteer", "filters": {"tags": ["x"]}})
    answer = browser.post(PAGE, {"name": "paper", "recipe": recipe, "description": "For <us>"}, follow=True)
    page = answer.content.decode()
    assert "Saved as “paper”, version 1." in page and "For &lt;us&gt;" in page and "“helpsteer”" not in page
    assert "paper" in browser.get(PAGE).content.decode()
    start = browser.get("/projects/advice/exports/new/?recipe=paper").content.decode()
    assert 'value="helpsteer" checked' in start and 'value="reward" checked' in start
    changed = browser.get("/projects/advice/exports/new/", {"recipe": "paper", "format": "dpo", "aggregate": "mean"})
    sent = json.loads(changed.context["recipe"])
    assert (sent["format"], sent["aggregate"], sent["filters"]["tags"]) == ("dpo", "mean", ["x"])
    assert browser.get("/projects/advice/exports/new/?recipe=nothing").status_code == 404


def test_a_file_goes_out_and_comes_back(project: Project, noor: User, browser: Client) -> None:
    one = save(project, noor, criterion={"combine": "weighted", "weights": {"helpfulness": 1, "harmlessness": 0.5}})
    answer = browser.get(f"{PAGE}ours/1.json")
    assert answer["Content-Disposition"] == 'attachment; filename="ours-1.json"'
    file = SimpleUploadedFile("ours-1.json", answer.content)
    browser.post(PAGE, {"name": "again", "file": file})
    assert project.recipes.get(name="again").recipe == one.recipe
    assert browser.get(f"{PAGE}ours/2.json").status_code == browser.get(f"{PAGE}theirs/").status_code == 404


@pytest.mark.parametrize("recipe", ["", "{", "[]", '{"format": "dpo", "x": 1}', '"' + "a" * 70_000 + '"'])
def test_what_is_no_recipe_is_refused(project: Project, browser: Client, recipe: str) -> None:
    answer = browser.post(PAGE, {"name": "ours", "recipe": recipe}, follow=True)
    assert b'class="bar bad"' in answer.content and not StoredRecipe.objects.exists()


def test_two_versions_side_by_side(project: Project, noor: User, browser: Client) -> None:
    save(project, noor)
    save(project, noor, aggregate="mean")
    page = browser.get(f"{PAGE}ours/").content.decode()
    assert "aggregate</th>" in page and "&quot;mean&quot;" in page and "&quot;majority&quot;" in page
    assert "They say the same." in browser.get(f"{PAGE}ours/?version=1&other=dpo").content.decode()
    assert "There is no such recipe." in browser.get(f"{PAGE}ours/?other=nothing").content.decode()


# --- over HTTP ---


def test_over_http(project: Project, noor: User) -> None:
    api = Program(noor)
    made = api.post("/projects/advice/recipes/", {"name": "ours", "recipe": {"format": "dpo", "aggregate": "mean"}})
    assert made.status_code == 201 and made.json()["version"] == 1
    api.post("/projects/advice/recipes/", {"name": "ours", "recipe": "helpsteer", "description": "As published."})
    assert [one["version"] for one in api.get("/projects/advice/recipes/").json()["results"]] == [2, 1]
    assert api.get("/projects/advice/recipes/ours/").json()["recipe"]["aggregate"] == "helpsteer"
    assert api.get("/projects/advice/recipes/ours/", version=1).json()["recipe"]["aggregate"] == "mean"
    assert api.get("/projects/advice/recipes/ours/", version="x").status_code == 404
    refused = api.post("/projects/advice/recipes/", {"name": "ours", "recipe": {"format": "dpo", "x": 1}})
    assert refused.status_code == 400 and "x" in refused.json()["errors"]


def test_what_if_over_http(project: Project, noor: User) -> None:
    make.pairs(project, 2)
    found = Program(noor).post("/projects/advice/exports/what-if/", {"recipe": "dpo", "against": "helpsteer"}).json()
    assert (found["pairs"], found["rows"], found["about"], found["accuracy"]) == (2, 0, False, None)
    assert found["against"]["name"] == "helpsteer" and found["funnel"][0] == {
        "step": "Pairs", "left": 2, "lost": 0, "why": "",
    }  # fmt: skip
