"""The commands that import, as a manager of the machine runs them."""

from __future__ import annotations

import io
import json
from pathlib import Path

import pytest
from django.core.management import CommandError, call_command

from labeling.models import Batch, Item, Judgment, Project
from tests import make

pytestmark = pytest.mark.django_db


@pytest.fixture
def project() -> Project:
    return make.project()


@pytest.fixture
def pairs(tmp_path: Path) -> Path:
    path = tmp_path / "pairs.jsonl"
    rows = [{"id": f"r{n}", "prompt": f"{n}?", "response_a": "Yes.", "response_b": "No."} for n in range(5)]
    path.write_text("".join(json.dumps(row) + "\n" for row in rows) + json.dumps(rows[0]) + '\n{"prompt": ""}\n')
    return path


def run(*argv: str) -> str:
    out = io.StringIO()
    call_command(*argv, stdout=out)
    return out.getvalue()


def test_a_file_is_read_to_the_end(project, pairs):
    said = run("import_items", project.slug, str(pairs))
    assert said.splitlines() == [
        "7 rows read: 5 kept, 1 duplicate, 1 refused",
        "  line 7: prompt is empty; leave the row out or fill it in",
    ]
    assert project.pairs.count() == 5
    assert Batch.objects.get().name == "pairs.jsonl"


def test_a_dry_run_only_says_what_would_happen(project, pairs):
    run("import_items", project.slug, str(pairs))
    pairs.write_text(pairs.read_text() + '{"prompt": "New?", "response_a": "a", "response_b": "b"}\n')
    said = run("import_items", project.slug, str(pairs), "--dry-run")
    assert said.startswith("8 rows read: 1 would be kept, 6 duplicate, 1 refused\n")
    assert (Item.objects.count(), Batch.objects.count()) == (5, 1)


def test_many_refusals_are_cut_short(project, tmp_path):
    path = tmp_path / "x.jsonl"
    path.write_text('{"prompt": "a", "response_a": "x", "response_b": "y"}\n' + "{}\n" * 30)
    said = run("import_items", project.slug, str(path)).splitlines()
    assert len(said) == 22
    assert said[-1] == "  … and 10 more"


@pytest.mark.parametrize(
    ("content", "more", "says"),
    [
        (b"foo,bar\n1,2\n", (), "found foo, bar"),
        (b"\x1f\x8b\x08rest", (), "cut short or damaged"),
        (b'{"prompt": "a", "response_a": "x", "response_b": "y"}', ("--format", "nonsense"), "no format “nonsense”"),
        (b'{"prompt": "a", "response_a": "x", "response_b": "y"}', ("--format", "hh_rlhf"), "needed chosen, rejected"),
    ],
)
def test_a_file_that_cannot_be_read_is_an_error_in_one_line(project, tmp_path, content, more, says):
    path = tmp_path / "x"
    path.write_bytes(content)
    with pytest.raises(CommandError, match=says) as error:
        run("import_items", project.slug, str(path), *more)
    assert "\n" not in str(error.value)
    assert not Batch.objects.exists()


def test_a_file_or_project_that_is_not_there(project, tmp_path):
    for command in (["import_items"], ["import_judgments", "--raters=external"]):
        with pytest.raises(CommandError, match="No such file"):
            run(*command, project.slug, str(tmp_path / "none.jsonl"))
        with pytest.raises(CommandError, match="no project “nowhere”"):
            run(*command, "nowhere", str(tmp_path / "none.jsonl"))


def test_judgments_of_external_raters(project, pairs, tmp_path):
    run("import_items", project.slug, str(pairs))
    path = tmp_path / "judgments.jsonl"
    rows = [{"item_id": f"r{n}", "rater_id": "w1", "criterion": "taste", "choice": "b"} for n in range(30)]
    path.write_text("".join(json.dumps(row) + "\n" for row in rows))
    said = run("import_judgments", project.slug, str(path), "--raters", "external").splitlines()
    assert said[:2] == ["5 judgments kept as 5 annotations of 1 raters, 25 refused", "New criteria, never asked: taste"]
    assert said[2].startswith("  line 6: item_id is no item of this project")
    assert said[-1] == "  … and 5 more"
    assert set(Judgment.objects.values_list("preference", flat=True)) == {1}


def test_judgments_of_unknown_raters_need_a_word(project, pairs):
    with pytest.raises(CommandError, match="--raters"):
        run("import_judgments", project.slug, str(pairs))
