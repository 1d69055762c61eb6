"""Mara reads what her raters' judgments are worth, page by page; Noor reads the same without names."""

from __future__ import annotations

import csv
import io
import json
import random
from typing import Any

import pytest
from django.core.management import call_command
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext

from labeling.actions.analyse import ask, run_step
from labeling.models import Analysis, Project, User
from labeling.reports.findings import find
from labeling.reports.pseudonyms import pseudonym
from tests import make

pytestmark = pytest.mark.django_db
ROOT = "/projects/advice/"
PAGES = ("raters/", "agreement/", "models/", "contested/", "harm/")
MODELS = ("cedar", "maple", "willow")


def analysed(project: Project) -> None:
    analysis = ask(project=project, by=None)
    while run_step(analysis):
        continue


@pytest.fixture(scope="module")
def rows() -> tuple[list[dict[str, Any]], list[dict[str, Any]]]:
    """Sixty prompts answered by two of three models; six raters of whom one cannot see a difference."""
    rng = random.Random(3)
    pairs, said = [], []
    for number in range(60):
        one, other = rng.sample(MODELS, 2)
        pairs.append({
            "id": f"p{number}", "prompt": f"Question {number}?", "tags": [("cooking", "law")[number % 2]],
            "language": ("en", "zh-Hans")[number // 2 % 2],
            "responses": [{"content": f"{one} {number} " * (3 + number % 7), "model": one},
                          {"content": f"{other} {number} " * 5, "model": other}],
        })  # fmt: skip
        better = "a" if MODELS.index(one) < MODELS.index(other) else "b"
        for rater in range(6):
            sure = 0.5 if rater == 5 else 0.85
            choice = better if rng.random() < sure else "ab".replace(better, "")
            said.append(
                {"item_id": f"p{number}", "rater_id": f"r{rater}", "criterion": "helpfulness", "choice": choice}
            )
            safe = {"label": rng.choice(["safe", "safe", "unsafe"]), "response": "a"}
            said.append({"item_id": f"p{number}", "rater_id": f"r{rater}", "criterion": "safety"} | safe)
    return pairs, said


@pytest.fixture
def study(rows: Any, tmp_path: Any) -> dict[str, Any]:
    project = make.project()
    people = make.cast(project)
    for name, lines in zip(("items", "said"), rows, strict=True):
        (tmp_path / f"{name}.jsonl").write_text("".join(json.dumps(line) + "\n" for line in lines))
    call_command("import_items", "advice", str(tmp_path / "items.jsonl"), verbosity=0)
    call_command("import_judgments", "advice", str(tmp_path / "said.jsonl"), raters="external", verbosity=0)
    return {"project": project, "people": people}


@pytest.fixture
def computed(study: dict[str, Any]) -> dict[str, Any]:
    analysed(study["project"])
    return study


def as_(study: dict[str, Any], name: str) -> Client:
    client = Client()
    client.force_login(study["people"][name])
    return client


def page(client: Client, path: str) -> str:
    answer = client.get(ROOT + path)
    assert answer.status_code == 200, path
    return answer.content.decode()


@pytest.mark.parametrize("path", PAGES)
def test_before_anything_was_computed_each_page_says_so(study: dict[str, Any], path: str) -> None:
    text = page(as_(study, "Mara"), path)
    assert "Nothing has been computed yet" in text and "Compute now" in text
    assert "Compute now" not in page(as_(study, "Noor"), path), "a researcher reads"


def test_raters_by_name_for_who_may_know(computed: dict[str, Any]) -> None:
    coin = pseudonym(computed["project"], User.objects.get(name="r5").pk)
    mara, noor = (page(as_(computed, name), "raters/") for name in ("Mara", "Noor"))
    assert ">r5<" in mara and ">r5<" not in noor and coin in noor
    found = find(computed["project"], "raters")
    assert found is not None
    worst = min(found.rows("raters"), key=lambda row: row["reliability"])
    assert worst["rater"] == coin and worst["reliability"] < 0.65
    one = page(as_(computed, "Mara"), f"raters/{coin}/")
    assert "r5" in one and f"{round(100 * worst['reliability'])}%" in one
    assert as_(computed, "Mara").get(f"{ROOT}raters/nobody/").status_code == 404


def test_agreement_has_a_sentence_a_coefficient_and_slices(computed: dict[str, Any]) -> None:
    text = page(as_(computed, "Mara"), "agreement/?by=language")
    found = find(computed["project"], "agreement")
    assert found is not None
    [row] = [row for row in found.rows("criteria") if row["criterion"] == "helpfulness"]
    assert f"α {row['alpha']:.2f}" in text and found.sentences[0].text in text
    assert "zh-Hans" in text and "cooking" not in text
    assert "cooking" in page(as_(computed, "Mara"), "agreement/?by=tag&criterion=helpfulness")
    assert page(as_(computed, "Mara"), "agreement/?by=nonsense&criterion=none")


def test_models_stand_in_the_order_of_what_was_preferred(computed: dict[str, Any]) -> None:
    text = page(as_(computed, "Mara"), "models/")
    assert text.index("cedar") < text.index("maple") < text.index("willow")
    assert 'class="matrix"' in text and 'class="forest"' in text


def test_harm_and_contested_have_their_figures(computed: dict[str, Any]) -> None:
    harm = page(as_(computed, "Mara"), "harm/")
    assert "cedar" in harm and "Unsafe answers by model" in harm
    assert 'class="columns-chart"' in page(as_(computed, "Mara"), "contested/")


@pytest.mark.parametrize("ending", ["csv", "json"])
def test_every_table_can_be_taken_along_as_it_was_computed(computed: dict[str, Any], ending: str) -> None:
    client = as_(computed, "Noor")
    for name in ("agreement", "raters", "models", "biases", "contested", "groups", "safety", "conflicts"):
        found = find(computed["project"], name)
        assert found is not None
        for table, stored in found.tables.items():
            answer = client.get(f"{ROOT}reports/{name}/{table}.{ending}")
            body = answer.getvalue()
            if ending == "json":
                assert json.loads(body)["rows"] == found.rows(table)
            else:
                read = list(csv.reader(io.StringIO(body.decode())))
                assert read[0] == stored["columns"] and len(read) == len(stored["rows"]) + 1
    assert client.get(f"{ROOT}reports/models/nonsense.{ending}").status_code == 404
    assert client.get(f"{ROOT}reports/nonsense/models.{ending}").status_code == 404


def test_computing_again_is_asked_for_once_and_leads_back(computed: dict[str, Any]) -> None:
    mara = as_(computed, "Mara")
    for _ in range(2):
        answer = mara.post(f"{ROOT}reports/analyse/", {"back": f"{ROOT}models/"})
        assert answer["Location"] == f"{ROOT}models/"
    assert Analysis.objects.filter(state="waiting").count() == 1
    assert "Being computed" in page(mara, "models/")
    assert mara.post(f"{ROOT}reports/analyse/", {"back": "https://elsewhere.example/"})["Location"] == ROOT


def test_pages_ask_few_queries_however_much_there_is(
    computed: dict[str, Any], django_assert_max_num_queries: Any
) -> None:
    mara = as_(computed, "Mara")
    counts = {}
    for path in PAGES:
        with CaptureQueriesContext(connection) as found:
            page(mara, path)
        counts[path] = len(found)
    assert max(counts.values()) <= 15, counts
    make.pairs(computed["project"], 5)
    analysed(computed["project"])
    for path in PAGES:
        with django_assert_max_num_queries(counts[path]):
            page(mara, path)
