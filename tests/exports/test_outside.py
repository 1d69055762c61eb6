"""What leaves the house: no rater in any file, every text as it came, and back in again."""

from __future__ import annotations

import csv
import hashlib
from base64 import b32encode
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import orjson
import pyarrow.parquet as pq
import pytest
from django.core.management import call_command
from django.db import connection

from exports.actions import write_export
from exports.formats import FORMATS
from exports.recipes.recipe import FORMATS as FILES
from labeling.models import Batch, Item, Project, User
from labeling.reports.pseudonyms import pseudonym
from tests import make
from tests.exports.study import judge, load, pair_of, rich

NO_TEST = {"split": {"test": 0}}


def built(project: Project, to: Path, name: str, file: str = "jsonl", **recipe: Any) -> Path:
    asked = {"format": name, "file": file} | NO_TEST | recipe
    return write_export(project=project, recipe=asked, to=to).directory


def data_of(directory: Path) -> Path:
    (path,) = (directory / "data").iterdir()
    return path


def rows_of(path: Path) -> list[dict[str, Any]]:
    if path.suffix == ".parquet":
        return list(pq.read_table(path).to_pylist())
    if path.suffix == ".jsonl":
        return [orjson.loads(line) for line in path.read_bytes().splitlines()]
    with path.open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


# --- raters ---------------------------------------------------------------------------------------


def traces(user: User) -> Iterator[str]:
    """Whatever could lead to a person without the project's key."""
    named = (user.name, user.email, str(user.pk))
    yield from named
    for text in named:
        for algorithm in ("md5", "sha1", "sha256", "sha512", "blake2b"):
            digest = hashlib.new(algorithm, text.encode()).digest()
            yield digest.hex()[:16]
            yield b32encode(digest).decode().lower()[:16]


@pytest.fixture
def judged(transactional_db: None, tmp_path: Path) -> Project:
    """The rich study, by people whose names and ids are found nowhere else by chance."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT setval(pg_get_serial_sequence('labeling_user', 'id'), 734512345)")
    project = rich(tmp_path)
    for number, user in enumerate(User.objects.order_by("pk")):
        user.name, user.email = f"Zyxwv{number} Personal", f"zyxwv{number}@private.example"
        user.save()
    return project


@pytest.mark.parametrize("name", FORMATS)
def test_no_rater_is_in_any_file(judged: Project, tmp_path: Path, name: str) -> None:
    files: dict[str, bytes] = {}
    for file in FILES[name]:
        directory = built(judged, tmp_path / file, name, file)
        files |= {str(path): path.read_bytes().lower() for path in directory.rglob("*") if path.is_file()}
        files[file] = orjson.dumps(rows_of(data_of(directory))).lower()
    found = [
        (path, trace)
        for user in User.objects.all()
        for trace in traces(user)
        for path, data in files.items()
        if trace.lower().encode() in data
    ]
    assert found == []


def test_a_pseudonym_is_of_one_project_only(judged: Project, tmp_path: Path) -> None:
    rows = rows_of(data_of(built(judged, tmp_path / "out", "votes")))
    rui = User.objects.get(email__startswith="zyxwv", memberships__role="rater", annotations__principle=4)
    assert pseudonym(judged, rui.pk) in {row["rater"] for row in rows}
    assert pseudonym(make.project("another"), rui.pk) not in {row["rater"] for row in rows}


def test_the_raters_words_can_be_left_out(judged: Project, tmp_path: Path) -> None:
    for name in ("votes", "critiques", "helpsteer3", "dpo"):
        with_words = data_of(built(judged, tmp_path / name, name)).read_text(encoding="utf-8")
        without = data_of(built(judged, tmp_path / f"{name}-bare", name, rationales=False)).read_text(encoding="utf-8")
        assert "is right, -B is not." in with_words and "is right, -B is not." not in without


# --- texts ----------------------------------------------------------------------------------------

TEXTS = [
    "Caf\u00e9 by one sign", "Cafe\u0301 by two", "one\r\ntwo\rthree\nfour", "zero\u200bwidth\u200d\ufeff joins",
    "\u202b\u05e9\u05dc\u05d5\u05dd\u202c \u200f\u0645\u0631\u062d\u0628\u0627\u200e",
    "\U0001f469\u200d\U0001f469\u200d\U0001f467 \U0001f1fa\U0001f1e6 \U0001f44d\U0001f3fd",
    "line\u2028para\u2029next\u0085end", " two spaces  \t ", "=HYPERLINK(\"x\")", "+1", "-2", "@sum", "\t=1+1",
    "'quoted'", "\uff1d1", "\u200b=1", "a,b;c\"d\"", "\\n \\u0041 \\", "\x01\x0b\x1e\x1f\x7f",
    "\ufb01 \u00c5 \u212b \u2460", "<b>&amp;</b> {{ x }}", "<|im_end|>", "\ufffd", "None", "null", "0", "1e5", "[1]",
]  # fmt: skip


@pytest.fixture
def texts(transactional_db: None, tmp_path: Path) -> Project:
    """Every text once as a question, as either response, and as a rater's words."""
    project = make.project("texts")
    rui = make.cast(project)["Rui"]
    body = {"judgments": {"safety": {"left": {"safe": True}, "right": {"safe": True}}}}
    rows = [
        {"id": str(number), "prompt": f"{text} {number}", "responses": [f"{text}-", f"{number}{text}"]}
        for number, text in enumerate(TEXTS)
    ]
    load(project, rows, tmp_path)
    for number, text in enumerate(TEXTS):
        said: dict[str, Any] = {"rationale": text} if text.strip() else {}
        judge(pair_of(project, str(number)), rui, helpfulness=1 + number % 3, harmlessness=1, body=body, **said)
    return project


# Of what an importer reads: the format it is.
READ = {
    "dpo": "trl", "dpo-implicit": "trl", "dpo-plain": "trl", "reward": "trl", "hh-rlhf": "hh_rlhf",
    "ultrafeedback": "ultrafeedback", "safe-rlhf": "pku_saferlhf", "helpsteer3": "helpsteer",
}  # fmt: skip


@pytest.mark.parametrize("name", READ)
def test_an_export_comes_in_again_as_it_was(texts: Project, tmp_path: Path, name: str) -> None:
    """An item's fingerprint is of all its texts, byte for byte, so that equal ones are equal items."""
    for file in FILES[name]:
        path = data_of(built(texts, tmp_path / file, name, file))
        again = make.project(f"again-{file}")
        call_command("import_items", again.slug, str(path), verbosity=0)
        batch = Batch.objects.get(project=again)
        assert (batch.format, batch.kept, batch.refused) == (READ[name], len(TEXTS), 0)
        before, after = (set(p.items.values_list("fingerprint", flat=True)) for p in (texts, again))
        assert after == before
        check_verdicts(texts, again)


def check_verdicts(texts: Project, again: Project) -> None:
    for item in again.items.all():
        assert (
            preferred(item) == Item.objects.get(project=texts, fingerprint=item.fingerprint).responses.all()[1].content
        )


def preferred(item: Item) -> str:
    """What the export says was preferred: of every pair the second response."""
    verdict = item.metadata["imported_verdict"]
    first, second = item.responses.order_by("position")
    if "chosen" in verdict:
        is_first = verdict["chosen"] == "first"
    else:
        is_first = verdict.get("better_response_id", 1) == 0 or verdict.get("overall_preference", 1) < 0
    return first.content if is_first else second.content


@pytest.mark.parametrize("name", FORMATS)
def test_every_text_is_in_the_file_as_it_came(texts: Project, tmp_path: Path, name: str) -> None:
    for file in FILES[name]:
        check_texts(data_of(built(texts, tmp_path / file, name, file)), name, file)


def check_texts(path: Path, name: str, file: str) -> None:
    found = set(strings(rows_of(path)))
    if file == "csv":
        found = {orjson_text for cell in found for orjson_text in opened(cell.removeprefix("'"))}
    # in a transcript every turn has its speaker before it
    found |= {
        piece.removeprefix(" ")
        for text in found
        for piece in text.replace("Human:", "Assistant:").split("\n\nAssistant:")
    }
    missing = {
        text for number, text in enumerate(TEXTS) if name != "prompts" and not {f"{text}-", f"{number}{text}"} & found
    }
    assert missing == set()
    assert {f"{text} {number}" for number, text in enumerate(TEXTS)} <= found


def strings(value: Any) -> Iterator[str]:
    if isinstance(value, str):
        yield value
    elif isinstance(value, dict):
        yield from strings(list(value.values()))
    elif isinstance(value, list):
        for each in value:
            yield from strings(each)


def opened(cell: str) -> Iterator[str]:
    """A cell, and the texts in it where it is JSON."""
    yield cell
    if cell.startswith("[{"):
        yield from strings(orjson.loads(cell))


def test_no_cell_can_run_and_all_come_back(texts: Project, tmp_path: Path) -> None:
    sheet = rows_of(data_of(built(texts, tmp_path / "csv", "votes", "csv")))
    lines = rows_of(data_of(built(texts, tmp_path / "jsonl", "votes", "jsonl")))
    assert len(sheet) == len(lines) == len(TEXTS)
    for cells, row in zip(sheet, lines, strict=True):
        assert list(cells) == list(row)
        for name, cell in cells.items():
            numeric = isinstance(row[name], int | float) and not isinstance(row[name], bool)
            assert numeric or not cell.strip().startswith(("=", "+", "-", "@", "＝"))
            assert from_cell(cell, row[name]) == row[name]
    assert {row["rationale"] for row in lines} >= {'=HYPERLINK("x")', "+1", "-2", "@sum", "'quoted'"}


def from_cell(cell: str, like: Any) -> Any:
    if like is None:
        return cell or None
    return cell.removeprefix("'") if isinstance(like, str) else orjson.loads(cell)


def test_nul_is_refused_at_import(transactional_db: None, tmp_path: Path) -> None:
    project = make.project()
    rows = [
        {"prompt": "Whole?", "responses": ["Yes.", "No."]}, {"prompt": "Cut\0here?", "responses": ["Yes.", "No."]},
        {"prompt": "Or here?", "responses": ["Yes\0.", "No."]},
    ]  # fmt: skip
    load(project, rows, tmp_path)
    batch = Batch.objects.get(project=project)
    assert (batch.kept, batch.refused) == (1, 2)
    assert set(batch.refusals.values_list("line", flat=True)) == {2, 3}
