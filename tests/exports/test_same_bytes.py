"""Same in, same bytes: elsewhere, later, in other surroundings, by more workers, after a dump and a restore."""

from __future__ import annotations

import subprocess
from collections.abc import Iterator
from hashlib import sha256
from pathlib import Path
from typing import Any
from urllib.parse import quote

import orjson
import pytest
from django.conf import settings
from django.db import connection

from annotate.local.postgres import NAME, Postgres
from annotate.local.var import Var
from exports import segments, sharing
from exports.actions import build_export, delete_export, help_export, request_export
from exports.card import content_hash
from exports.files import scratch_of
from exports.models import Export
from labeling.models import Project, User
from tests.exports.processes import built_by_command, bytes_of
from tests.exports.study import judge, pair_of

RECIPE = {"format": "dpo", "file": "parquet", "split": {"test": 0.3}}
ELSEWHERE = [
    {"TZ": "Pacific/Kiritimati", "LC_ALL": "C", "PYTHONHASHSEED": "1"},
    {"TZ": "America/St_Johns", "LC_ALL": "C.UTF-8", "LANGUAGE": "zh_TW", "PYTHONHASHSEED": "4242"},
]


@pytest.fixture
def recipe(tmp_path: Path) -> Path:
    path = tmp_path / "recipe.json"
    path.write_bytes(orjson.dumps(RECIPE))
    return path


@pytest.fixture
def other_server(tmp_path: Path) -> Iterator[Postgres]:
    """A second PostgreSQL, whose transactions are counted anew."""
    var = Var(tmp_path / "other")
    var.try_to_own("this test")
    server = Postgres(var, durable=False)
    server.start()
    server.wait_ready()
    server.create_database()
    yield server
    server.stop()
    var.disown()


def snapshot(project: Project, **more: Any) -> Export:
    export = request_export(project=project, by=User.objects.get(name="Noor"), recipe=RECIPE, **more)
    while not build_export(export=export):
        continue
    export.refresh_from_db()
    assert export.state == Export.State.DONE, export.error
    return export


def test_time_zone_language_and_hash_seed_do_not_matter(study: Project, tmp_path: Path, recipe: Path) -> None:
    one, other = (
        bytes_of(built_by_command(study.slug, recipe, tmp_path / str(number), **surroundings))
        for number, surroundings in enumerate(ELSEWHERE)
    )
    assert one == other and "manifest.json" in one


def test_rewritten_tables_give_the_same_bytes(study: Project, tmp_path: Path, recipe: Path, stored: Path) -> None:
    one = snapshot(study)
    with connection.cursor() as cursor:
        cursor.execute("VACUUM FULL")
    other = snapshot(study)
    assert one.content_hash == other.content_hash
    assert bytes_of(stored / str(one.pk)) == bytes_of(stored / str(other.pk))


def test_a_dump_restored_on_another_server_gives_the_same_bytes(
    study: Project, tmp_path: Path, recipe: Path, other_server: Postgres
) -> None:
    here = bytes_of(built_by_command(study.slug, recipe, tmp_path / "here"))
    facts, programs = connection.settings_dict, other_server.programs
    dump = tmp_path / "dump.sql"
    known = ["-h", str(facts["HOST"]), "-U", str(facts["USER"])] + (["-p", str(facts["PORT"])] if facts["PORT"] else [])
    subprocess.run([str(programs / "pg_dump"), *known, "-f", str(dump), str(facts["NAME"])], check=True)
    there = ["-h", str(other_server.var.sockets), "-U", NAME, "-d", NAME, "-qv", "ON_ERROR_STOP=1", "-f", str(dump)]
    subprocess.run([str(programs / "psql"), *there], check=True, stdout=subprocess.DEVNULL)
    url = f"postgresql://{NAME}@{quote(str(other_server.var.sockets), safe='')}/{NAME}"
    moved = bytes_of(built_by_command(study.slug, recipe, tmp_path / "there", DATABASE_URL=url))
    assert moved == here


@pytest.mark.parametrize("workers", [2, 8])
def test_one_worker_or_more_write_the_same(
    study: Project, stored: Path, monkeypatch: pytest.MonkeyPatch, workers: int
) -> None:
    monkeypatch.setattr("exports.segments.PAIRS_A_SEGMENT", 1)
    alone = snapshot(study)
    monkeypatch.setattr(settings, "EXPORT_WORKERS", workers)
    export = request_export(project=study, by=None, recipe=RECIPE)
    written: list[str] = []
    original = segments.write_segment

    def noting(*args: Any) -> Any:
        written.append(who[-1])
        return original(*args)

    def help_now() -> None:
        who.append("helper")
        assert help_export(export=Export.objects.get(pk=export.pk))
        who.append("owner")

    who = ["owner"]
    monkeypatch.setattr(sharing, "write_segment", noting)
    assert build_export(export=export, invite=help_now)
    export.refresh_from_db()
    assert {"owner", "helper"} == set(written)
    assert export.content_hash == alone.content_hash
    assert bytes_of(stored / str(export.pk)) == bytes_of(stored / str(alone.pk))


def test_processes_that_help_write_the_same(
    study: Project, tmp_path: Path, recipe: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    one = built_by_command(study.slug, recipe, tmp_path / "one")
    many = built_by_command(study.slug, recipe, tmp_path / "many", "--workers", "3")
    assert bytes_of(one) == bytes_of(many)


def test_a_helper_without_work_or_of_a_deleted_export_does_nothing(study: Project, stored: Path) -> None:
    export = request_export(project=study, by=None, recipe=RECIPE)
    assert not help_export(export=export)
    scratch_of(export.pk).mkdir(parents=True)
    assert not help_export(export=export)


def test_the_hash_is_that_of_the_files_and_of_nothing_else(study: Project, stored: Path) -> None:
    one, other = snapshot(study), snapshot(study, name="By another name")
    lines = {
        path: sha256(data).hexdigest()
        for path, data in bytes_of(stored / str(one.pk)).items()
        if path != "manifest.json"
    }
    assert one.content_hash == other.content_hash == content_hash(lines.items())
    assert one.manifest is not None and one.manifest["content_hash"] == one.content_hash
    judge(pair_of(study, "alone"), User.objects.get(name="Rui"), helpfulness=3)
    later, again = snapshot(study), snapshot(study, as_of=one)
    assert later.content_hash != one.content_hash
    assert again.content_hash == one.content_hash
    assert bytes_of(stored / str(again.pk)) == bytes_of(stored / str(one.pk))


def test_nothing_in_the_files_tells_the_machine_the_day_or_who_asked(study: Project, stored: Path) -> None:
    export = snapshot(study)
    everything = b"".join(bytes_of(stored / str(export.pk)).values()).decode(errors="replace")
    for said in (settings.PUBLIC_URL, str(settings.BASE_DIR), "Noor", f'"id": {export.pk}', "v1"):
        assert said not in everything.replace("v1.", "").replace(", v1", "").replace("guideline v1", "")


def test_numbers_count_by_name_and_are_never_given_twice(study: Project, stored: Path) -> None:
    first, second, other = snapshot(study), snapshot(study), snapshot(study, name="Nightly")
    assert (first.number, second.number, other.number) == (1, 2, 1)
    delete_export(export=second, by=User.objects.get(name="Noor"))
    assert snapshot(study).number == 3
