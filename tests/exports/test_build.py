"""An export from judgments to files: the right rows, the same bytes, and nothing of what came later."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from hashlib import sha256
from pathlib import Path
from typing import Any
from urllib.parse import quote

import orjson
import pyarrow.parquet as pq
import pytest
import yaml
from django.db import connection

from exports.actions import write_export
from exports.recipes import Recipe, Split, read_recipe
from exports.segments import split_of
from exports.whatif import what_if
from labeling.actions.refusals import Refused
from labeling.models import Annotation, Criterion, Project, User
from tests import make
from tests.exports.study import judge, load, pair_of
from tests.exports.study import study as make_study
from tests.pictures import data_uri, part, png

GOLDEN = Path(__file__).parent / "golden"
NO_TEST = {"split": {"test": 0}}


def written(project: Project, to: Path, **recipe: Any) -> dict[str, Any]:
    return write_export(project=project, recipe={"format": "dpo"} | NO_TEST | recipe, to=to).manifest


def lines(directory: Path, split: str = "train") -> list[dict[str, Any]]:
    data = b"".join(path.read_bytes() for path in sorted(directory.glob(f"data/{split}-*.jsonl")))
    return [orjson.loads(line) for line in data.splitlines()]


def bytes_of(directory: Path) -> dict[str, bytes]:
    return {str(p.relative_to(directory)): p.read_bytes() for p in sorted(directory.rglob("*")) if p.is_file()}


@pytest.mark.parametrize("name", ["dpo", "reward"])
def test_the_rows_are_the_golden_ones_in_both_files(study: Project, tmp_path: Path, name: str) -> None:
    written(study, tmp_path / "jsonl", format=name, file="jsonl")
    written(study, tmp_path / "parquet", format=name, file="parquet")
    golden = GOLDEN / f"{name}.jsonl"
    data = (tmp_path / "jsonl/data/train-00000-of-00001.jsonl").read_bytes()
    assert data.decode() == golden.read_text(encoding="utf-8")
    table = pq.read_table(tmp_path / "parquet/data/train-00000-of-00001.parquet")
    expected = [orjson.loads(line) for line in data.splitlines()]
    rows = [row | ({"margin": round(row["margin"], 4)} if "margin" in row else {}) for row in table.to_pylist()]
    assert rows == expected
    assert not pq.read_schema(tmp_path / "parquet/data/train-00000-of-00001.parquet").metadata


def test_the_same_study_shown_the_other_way_round_gives_the_same_rows(transactional_db: None, tmp_path: Path) -> None:
    written(make_study(tmp_path, swap=True), tmp_path / "out", file="jsonl")
    data = (tmp_path / "out/data/train-00000-of-00001.jsonl").read_text(encoding="utf-8")
    assert data == (GOLDEN / "dpo.jsonl").read_text(encoding="utf-8")


def test_the_manifest_accounts_for_every_pair_and_file(study: Project, tmp_path: Path) -> None:
    manifest = written(study, tmp_path / "out")
    on_disk = bytes_of(tmp_path / "out")
    assert json.loads(on_disk.pop("manifest.json")) == manifest
    assert (manifest["pairs"], manifest["rows"]) == (7, 4)
    dropped = {reason: count for reason, count in manifest["dropped"].items() if count}
    assert dropped == {"unjudged": 1, "both_bad": 1, "tie": 1}
    assert manifest["judgments"]["on_criterion"] == manifest["judgments"]["annotations"] == 14
    assert manifest["judgments"]["raters"] == 3
    (guideline,) = manifest["guidelines"]
    assert (guideline["version"], guideline["annotations"], len(guideline["sha256"])) == (1, 14, 64)
    assert {f["path"]: (f["bytes"], f["sha256"]) for f in manifest["files"]} == {
        path: (len(data), sha256(data).hexdigest()) for path, data in on_disk.items()
    }
    assert set(on_disk) == {"README.md", "croissant.json", "data/train-00000-of-00001.parquet"}


def test_the_card_is_read_by_loaders_and_names_nobody(study: Project, tmp_path: Path) -> None:
    Project.objects.update(name="Advice *round* 4\n# not a heading <b>")
    study.refresh_from_db()
    written(study, tmp_path / "out", file="jsonl")
    card = (tmp_path / "out/README.md").read_text(encoding="utf-8")
    head = yaml.safe_load(card.split("---\n")[1])
    assert head["configs"] == [
        {"config_name": "dpo", "default": True, "data_files": [{"split": "train", "path": "data/train-*"}]}
    ]
    features = {feature["name"]: feature for feature in head["dataset_info"][0]["features"]}
    assert list(features) == list(lines(tmp_path / "out")[0])
    assert features["strength"]["dtype"] == "int32" and features["chosen_safe"]["dtype"] == "bool"
    assert head["language"] == ["en", "ja"] and head["size_categories"] == ["n<1K"]
    assert "license" not in head and "## Licence\n\n**Missing.**" in card
    assert "# Advice \\*round\\* 4 \\# not a heading \\<b\\>\n" in card
    assert "| Pairs | 7 | 0 |" in card and "Guideline version 1: 14 annotations" in card
    everything = b"".join(bytes_of(tmp_path / "out").values()).decode()
    for user in User.objects.all():
        assert user.email not in everything and (not user.name or f" {user.name}" not in everything)


def test_a_conversation_is_on_one_side_of_the_split(transactional_db: None, tmp_path: Path) -> None:
    project = make.project()
    rui = make.cast(project)["Rui"]
    rows: list[dict[str, Any]] = [
        {
            "id": f"{question}-{n}",
            "prompt": f"Question {question}?",
            "responses": [{"content": f"{n} a"}, {"content": f"{n} b"}],
        }
        for question in range(40)
        for n in range(3)
    ]
    load(project, rows, tmp_path)
    for row in rows:
        judge(pair_of(project, row["id"]), rui, helpfulness=2)
    manifest = written(project, tmp_path / "out", file="jsonl", split={"test": 0.3})
    asked = {
        split: {row["prompt"][0]["content"] for row in lines(tmp_path / "out", split)} for split in ("train", "test")
    }
    assert asked["train"] and asked["test"] and not asked["train"] & asked["test"]
    assert len(asked["train"] | asked["test"]) == 40 and manifest["rows"] == 120
    assert {f["split"]: f["rows"] for f in manifest["files"] if f["split"]} == {
        split: 3 * len(questions) for split, questions in asked.items()
    }
    other = {
        q
        for q in asked["train"] | asked["test"]
        if split_of([{"role": "user", "content": q}], Split(0.3, seed=8)) == "test"
    }
    assert other != asked["test"]


def test_a_split_without_rows_has_no_file_and_there_is_always_train(study: Project, tmp_path: Path) -> None:
    seed = next(
        s
        for s in range(500)
        if split_of([{"role": "user", "content": "How often should I water basil?"}], Split(0.5, seed=s)) == "test"
    )
    only = Recipe("dpo").as_json() | {
        "split": {"test": 0.5, "seed": seed},
        "filters": {"batches": ["rows.jsonl"], "languages": ["en"]},
    }
    for name in ("rice", "maths"):
        judge(pair_of(study, name), User.objects.get(name="Ruth" if name == "maths" else "Mara"), helpfulness=3)
    manifest = write_export(project=study, recipe=only | {"file": "jsonl"}, to=tmp_path / "out").manifest
    paths = [f["path"] for f in manifest["files"] if f["split"]]
    assert all(f["rows"] for f in manifest["files"] if f["split"])
    assert any(path.startswith("data/train-") for path in paths)


def test_the_same_judgments_give_the_same_bytes(study: Project, tmp_path: Path) -> None:
    written(study, tmp_path / "one")
    with connection.cursor() as cursor:
        for table in ("item", "response", "pair", "annotation", "judgment"):
            cursor.execute(f"CLUSTER labeling_{table} USING labeling_{table}_pkey")
            cursor.execute(f"VACUUM FULL labeling_{table}")
    written(study, tmp_path / "two")
    assert bytes_of(tmp_path / "one") == bytes_of(tmp_path / "two")


def test_the_command_in_other_processes_gives_the_same_bytes(study: Project, tmp_path: Path) -> None:
    written(study, tmp_path / "one", file="jsonl")
    recipe = tmp_path / "recipe.json"
    recipe.write_bytes(orjson.dumps({"format": "dpo", "file": "jsonl"} | NO_TEST))
    facts = connection.settings_dict
    address = quote(str(facts["HOST"]), safe="") + (f":{facts['PORT']}" if facts["PORT"] else "")
    url = f"postgresql://{facts['USER']}@{address}/{facts['NAME']}"
    for seed in ("1", "2"):
        argv = [
            sys.executable,
            "manage.py",
            "build_export",
            study.slug,
            "--recipe",
            str(recipe),
            "--to",
            str(tmp_path / seed),
        ]
        environment = os.environ | {"PYTHONHASHSEED": seed, "DATABASE_URL": url}
        subprocess.run(argv, check=True, env=environment, capture_output=True, timeout=60)
    assert bytes_of(tmp_path / "one") == bytes_of(tmp_path / "1") == bytes_of(tmp_path / "2")


def test_only_the_last_answer_of_a_rater_counts(study: Project, tmp_path: Path) -> None:
    rui = User.objects.get(name="Rui")
    judge(pair_of(study, "maths"), rui, helpfulness=2)
    judge(pair_of(study, "maths"), rui, helpfulness=1)
    written(study, tmp_path / "out", file="jsonl")
    row = next(row for row in lines(tmp_path / "out") if row["prompt"][-1]["content"] == "And halved?")
    assert (row["chosen"][0]["content"], row["strength"]) == ("52", 1)
    assert Annotation.objects.filter(pair=pair_of(study, "maths"), rater=rui).count() == 3


def test_judgments_from_a_restored_dump_count(study: Project, tmp_path: Path) -> None:
    """A restored row names a transaction of another server, which this one has not reached."""
    with connection.cursor() as cursor:
        cursor.execute("ALTER TABLE labeling_annotation DISABLE TRIGGER USER")
        cursor.execute(
            "UPDATE labeling_annotation SET transaction = (transaction::text::bigint + 4000000000)::text::xid8"
        )
        cursor.execute("ALTER TABLE labeling_annotation ENABLE TRIGGER USER")
    assert written(study, tmp_path / "out")["rows"] == 4


def test_overall_is_what_the_others_point_to_where_it_was_not_asked(transactional_db: None, tmp_path: Path) -> None:
    project = make.project()
    rui = make.cast(project)["Rui"]
    answers: dict[str, dict[str, Any]] = {
        "agree": {"helpfulness": -3, "harmlessness": -2},
        "one tie": {"helpfulness": 0, "harmlessness": 2},
        "given": {"helpfulness": -3, "harmlessness": 2, "overall": 1},
        "conflict": {"helpfulness": -3, "harmlessness": 2},
        "all ties": {"helpfulness": 0, "harmlessness": 0},
        "one bad": {"both_bad": True, "harmlessness": -1},
        "bad": {"both_bad": True, "harmlessness": 0},
        "half": {"helpfulness": 1},
    }
    rows = [
        {"id": name, "prompt": name, "responses": [{"content": f"{name} 1"}, {"content": f"{name} 2"}]}
        for name in answers
    ]
    load(project, rows, tmp_path)
    for name, answer in answers.items():
        judge(pair_of(project, name), rui, swapped=name == "one tie", **answer)
    manifest = written(project, tmp_path / "out", format="reward", criterion="overall", file="jsonl")
    found = {
        row["chosen"][0]["content"]: (row["chosen"][1]["content"][-1], row["margin"]) for row in lines(tmp_path / "out")
    }
    assert found == {
        "agree": ("1", 2.5),
        "one tie": ("2", 2.0),
        "given": ("2", 1.0),
        "one bad": ("1", 1.0),
        "half": ("2", 1.0),
    }
    dropped = {reason: count for reason, count in manifest["dropped"].items() if count}
    assert dropped == {"unjudged": 1, "tie": 1, "both_bad": 1}
    assert "asked only when the other preferences point" in (tmp_path / "out/README.md").read_text()


def test_the_same_texts_in_two_items_are_one_comparison(transactional_db: None, tmp_path: Path) -> None:
    project = make.project()
    people = make.cast(project)
    texts = [{"content": "Yes."}, {"content": "No."}]
    rows = [
        {"id": "one", "prompt": "Is it?", "responses": [texts[0] | {"model": "m1"}, texts[1]]},
        {"id": "two", "prompt": "Is it?", "responses": [texts[1], texts[0] | {"model": "m2"}]},
        {"id": "else", "prompt": "Is it not?", "responses": texts},
    ]
    load(project, rows, tmp_path)
    judge(pair_of(project, "one"), people["Rui"], helpfulness=-1)
    judge(pair_of(project, "two"), people["Rui"], helpfulness=-3)
    judge(pair_of(project, "two"), people["Rosa"], helpfulness=-2)
    judge(pair_of(project, "else"), people["Rui"], helpfulness=-1)
    manifest = written(project, tmp_path / "out", format="reward", file="jsonl")
    found = {
        row["chosen"][0]["content"]: (row["chosen"][1]["content"], row["margin"]) for row in lines(tmp_path / "out")
    }
    assert found == {"Is it?": ("No.", 1.3333), "Is it not?": ("Yes.", 1.0)}
    assert manifest["dropped"]["duplicate"] == 1 and manifest["rows"] == 2


def test_two_models_that_say_the_same_are_one_side(transactional_db: None, tmp_path: Path) -> None:
    project = make.project()
    rui = make.cast(project)["Rui"]
    said = [{"content": "Yes.", "model": "m1"}, {"content": "Yes.", "model": "m2"}, {"content": "No."}]
    load(project, [{"id": "one", "prompt": "Is it?", "responses": said}], tmp_path)
    for pair in project.pairs.order_by("pk"):
        same = pair.second is not None and pair.first.content == pair.second.content
        judge(pair, rui, helpfulness=1 if same else -2)
    manifest = written(project, tmp_path / "out", file="jsonl")
    (row,) = lines(tmp_path / "out")
    assert (row["chosen"][0]["content"], row["rejected"][0]["content"], row["strength"]) == ("Yes.", "No.", 2)
    dropped = {reason: count for reason, count in manifest["dropped"].items() if count}
    assert dropped == {"duplicate": 1, "same_text": 1} and manifest["pairs"] == 3


@pytest.mark.parametrize(
    ("filters", "rows", "pairs"),
    [
        ({"languages": ["ja"]}, 1, 1),
        ({"languages": ["fr", "en"]}, 3, 6),
        ({"batches": ["rows.jsonl"]}, 4, 7),
        ({"queues": ["Every pair"]}, 4, 7),
        ({"min_judgments": 3}, 1, 7),
    ],
)
def test_filters(study: Project, tmp_path: Path, filters: dict[str, Any], rows: int, pairs: int) -> None:
    manifest = written(study, tmp_path / "out", filters=filters)
    assert (manifest["rows"], manifest["pairs"]) == (rows, pairs)
    assert manifest["rows"] + sum(manifest["dropped"].values()) == manifest["pairs"]


def test_nothing_left_is_said_and_leaves_nothing(study: Project, tmp_path: Path) -> None:
    with pytest.raises(Refused, match=r"No row is left of 7 pairs \(7 unjudged\)"):
        written(study, tmp_path / "out", criterion="harmlessness")
    assert not (tmp_path / "out").exists() and not (tmp_path / ".out.unfinished").exists()


def test_what_the_project_does_not_have_is_refused(study: Project, tmp_path: Path) -> None:
    with pytest.raises(Refused) as refused:
        written(study, tmp_path / "out", criterion="safety", filters={"queues": ["Mine"], "batches": ["x"]})
    assert refused.value.errors.keys() == {"criterion", "filters.queues", "filters.batches"}
    assert "helpfulness, harmlessness, overall" in refused.value.errors["criterion"]


def test_margins_are_on_the_criterions_scale(study: Project, tmp_path: Path) -> None:
    written(study, tmp_path / "out", format="reward", file="jsonl")
    margins = {row["margin"] for row in lines(tmp_path / "out")}
    most = Criterion.objects.get(project=study, key="helpfulness").strengths
    assert len(margins) > 1 and all(0 <= margin <= most for margin in margins)


def test_pairs_with_images_are_left_out_and_counted(study: Project, tmp_path: Path) -> None:
    """A text without its image is another task, so no row is made of it, and nothing breaks."""
    people = make.cast(study)
    uri = data_uri(png())
    ask = [part(uri), {"type": "text", "text": "What is it?"}]
    rows: list[dict[str, Any]] = [
        {"id": "asked", "conversation": [{"role": "user", "content": ask}], "responses": ["A tea.", "A sea."]},
        {"id": "said", "prompt": "Paint.", "responses": [{"content": [part(uri)]}, {"content": "No."}]},
    ]
    load(study, rows, tmp_path)
    for name in ("asked", "said"):
        judge(pair_of(study, name), people["Rui"], helpfulness=-2)
    shown = what_if(study, read_recipe({"format": "dpo"} | NO_TEST))
    assert shown.dropped["images"] == 2
    for name in ("dpo", "reward", "kto"):
        manifest = written(study, tmp_path / name, format=name, file="jsonl")
        assert manifest["dropped"]["images"] == 2
        assert b"What is it?" not in b"".join(bytes_of(tmp_path / name).values())
    assert "Without images" in (tmp_path / "dpo" / "README.md").read_text()
