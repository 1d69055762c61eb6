"""How an export is shared out: by a number of every pair, which orders like the hashes of its texts."""

from __future__ import annotations

from importlib import import_module

import pytest
from django.db import connection

from exports.recipes import Recipe
from exports.rows import Reader, bounds, frozen_connection
from labeling.models import Pair, Project
from labeling.models.items import stretch_of
from tests import make

migration = import_module("labeling.migrations.0019_stretches")


def _expected() -> dict[int, int]:
    pairs = Pair.objects.select_related("first", "second")
    return {p.pk: min(stretch_of(side.fingerprint) for side in (p.first, p.second) if side) for p in pairs}


def _stored() -> dict[int, int]:
    return dict(Pair.objects.values_list("pk", "stretch"))


def test_numbers_order_like_fingerprints() -> None:
    fingerprints = ["0" * 64, "7" + "f" * 63, "8" + "0" * 63, "f" * 64]
    numbers = [stretch_of(each) for each in fingerprints]
    assert numbers == sorted(numbers)
    assert numbers[0] == -(1 << 63) and numbers[-1] == (1 << 63) - 1
    assert numbers[1] + 1 == numbers[2] == 0


def test_an_import_gives_pairs_their_numbers_and_the_database_gives_them_to_all_others(study: Project) -> None:
    imported = Pair.objects.count()
    make.pairs(study, 5)
    make.pair(study, second=None)
    assert Pair.objects.count() == imported + 6 > 12
    assert _stored() == _expected()


def test_pairs_from_before_get_theirs(db: None, monkeypatch: pytest.MonkeyPatch) -> None:
    project = make.project()
    make.pairs(project, 7)
    make.pair(project, second=None)
    with connection.cursor() as cursor:
        cursor.execute("SET CONSTRAINTS ALL IMMEDIATE")
        cursor.execute("ALTER TABLE labeling_pair ALTER COLUMN stretch DROP NOT NULL")
        cursor.execute("UPDATE labeling_pair SET stretch = NULL")
    monkeypatch.setattr(migration, "CHUNK", 3)
    with connection.schema_editor() as editor:
        migration.fill(None, editor)
    assert _stored() == _expected()


@pytest.mark.parametrize("whole", [False, True])
@pytest.mark.parametrize("parts", [1, 2, 3, 7, 40])
def test_stretches_meet_and_leave_nothing_out(parts: int, whole: bool) -> None:
    stretches = [bounds(part, parts, whole=whole) for part in range(parts)]
    assert [start for start, _ in stretches[1:]] == [end for _, end in stretches[:-1]]
    assert stretches[0][0] == "0" * 16 and stretches[-1][1] == "g"
    assert stretches == sorted(stretches)


def test_stretches_of_pairs_hold_as_much_each() -> None:
    """Of two hashes the smaller one lies below x in 1 - (1 - x)² of all pairs."""
    ends = [int(end, 16) / 2**64 for _, end in (bounds(part, 4) for part in range(3))]
    assert [1 - (1 - end) ** 2 for end in ends] == pytest.approx([0.25, 0.5, 0.75])
    assert [int(end, 16) / 2**64 for _, end in (bounds(part, 4, whole=True) for part in range(3))] == [0.25, 0.5, 0.75]


def test_stretches_together_are_the_whole_stream(study: Project) -> None:
    with frozen_connection() as connection:
        reader = Reader(study, Recipe("dpo"), on=connection)
        whole = list(reader.comparisons())
        parts = [list(reader.comparisons(bounds(part, 5))) for part in range(5)]
    assert [each for part in parts for each in part] == whole
    assert sum(map(bool, parts)) > 1
