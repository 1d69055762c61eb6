"""The commands that import, as a manager of the machine runs them."""

from __future__ import annotations

import gzip
import io
import json
from pathlib import Path

import pytest
from django.core.management import CommandError, call_command

from labeling.models import Batch, Image, Item, Judgment, Project
from tests import make
from tests.pictures import png, zipped

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


@pytest.fixture
def photos(tmp_path: Path) -> Path:
    """Rows that name images in a folder of their own, and one outside of it."""
    (tmp_path / "set" / "img").mkdir(parents=True)
    (tmp_path / "set" / "img" / "a.png").write_bytes(png())
    (tmp_path / "outside.png").write_bytes(png("red"))
    (tmp_path / "set" / "link.png").symlink_to(tmp_path / "outside.png")
    names = ("img/a.png", "../outside.png", "link.png", "img/none.png")
    rows = [{"prompt": f"{name}?", "image": name, "response_a": "Yes.", "response_b": "No."} for name in names]
    path = tmp_path / "set" / "pairs.jsonl"
    path.write_text("".join(json.dumps(row) + "\n" for row in rows))
    return path


def test_images_beside_the_file_come_along(project, photos):
    said = run("import_items", project.slug, str(photos)).splitlines()
    assert said[0] == "4 rows read: 1 kept, 0 duplicate, 3 refused"
    assert "outside.png”, which is no name of a file in the archive" in said[1]
    assert "link.png”, which is not in the archive" in said[2]
    assert (Batch.objects.get().name, Image.objects.count()) == ("pairs.jsonl.zip", 1)


def test_images_of_a_folder_elsewhere_and_of_packed_rows(project, photos, tmp_path):
    packed = tmp_path / "elsewhere.jsonl.gz"
    packed.write_bytes(gzip.compress(photos.read_bytes()))
    assert "0 would be kept" in run("import_items", project.slug, str(packed), "--dry-run")
    said = run("import_items", project.slug, str(packed), "--images", str(photos.parent))
    assert said.startswith("4 rows read: 1 kept")
    with pytest.raises(CommandError, match="There is no folder"):
        run("import_items", project.slug, str(packed), "--images", str(tmp_path / "none"))
    archive = tmp_path / "x.zip"
    archive.write_bytes(zipped([{"prompt": "a", "responses": ["b", "c"]}], {}))
    assert "1 kept" in run("import_items", project.slug, str(archive))
    with pytest.raises(CommandError, match="brings its own images"):
        run("import_items", project.slug, str(archive), "--images", str(tmp_path))
