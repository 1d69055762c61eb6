"""`manage.py build_export`: a complete directory, or one clear line."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from django.core.management import CommandError, call_command

from labeling.models import Project


def run(project: str, recipe: str, to: Path) -> None:
    call_command("build_export", project, "--recipe", recipe, "--to", str(to))


def test_a_recipe_by_name(study: Project, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    run("advice", "reward-jsonl", tmp_path / "new" / "out")
    assert capsys.readouterr().out.splitlines()[-1] == f"{tmp_path}/new/out: 4 rows of 7 pairs, 3 left out"
    assert {path.name for path in (tmp_path / "new").iterdir()} == {"out"}
    assert {path.name for path in (tmp_path / "new/out").iterdir()} == {
        "README.md",
        "croissant.json",
        "data",
        "manifest.json",
    }


def test_a_recipe_from_a_file_into_an_empty_directory(study: Project, tmp_path: Path) -> None:
    (tmp_path / "mine.json").write_text('{"format": "dpo", "split": {"test": 0}}')
    (tmp_path / "out").mkdir()
    run("advice", str(tmp_path / "mine.json"), tmp_path / "out")
    assert [path.name for path in (tmp_path / "out/data").iterdir()] == ["train-00000-of-00001.parquet"]


def test_what_an_interrupted_run_left_does_not_matter(study: Project, tmp_path: Path) -> None:
    left = tmp_path / ".out.unfinished"
    left.mkdir()
    (left / "segment-00000.json").write_text("{")
    run("advice", "dpo", tmp_path / "out")
    assert (tmp_path / "out/manifest.json").exists() and not left.exists()


@pytest.mark.parametrize(
    ("project", "recipe", "to", "said"),
    [
        ("nothing", "dpo", "out", "There is no project “nothing”."),
        ("advice", "best", "out", "There is no recipe “best”, and no such file"),
        ("advice", "broken.json", "out", "is not JSON"),
        ("advice", "wrong.json", "out", "This recipe is not understood. format: Must be one of: dpo, "),
        ("advice", "absent.json", "out", "This recipe does not fit the project. criterion: No such preference."),
        ("advice", "empty.json", "out", "No row is left of 7 pairs"),
        ("advice", "dpo", "full", "is there already and not an empty directory"),
        ("advice", "dpo", "full/file/out", "cannot be written"),
    ],
)
def test_bad_input_is_one_line(
    study: Project, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, project: str, recipe: str, to: str, said: str
) -> None:
    monkeypatch.chdir(tmp_path)
    files = {
        "broken.json": "{", "wrong.json": '{"format": "xml"}',
        "absent.json": '{"format": "dpo", "criterion": "beauty"}',
        "empty.json": '{"format": "dpo", "criterion": "harmlessness"}',
    }  # fmt: skip
    for name, text in files.items():
        (tmp_path / name).write_text(text)
    (tmp_path / "full").mkdir()
    (tmp_path / "full/file").write_text("mine")
    with pytest.raises(CommandError, match=re.escape(said)) as refused:
        run(project, recipe, tmp_path / to)
    assert "\n" not in str(refused.value)
    assert not (tmp_path / "out").exists() and (tmp_path / "full/file").read_text() == "mine"
