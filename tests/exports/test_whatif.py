"""What a recipe would give, looked at before anything is built."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from django.db import connection, transaction
from django.test.utils import CaptureQueriesContext

from exports import whatif
from exports.actions import write_export
from exports.recipes import read_recipe
from exports.recipes.deciding import Deciding
from exports.recipes.votes import Needs
from exports.rows import Reader
from exports.whatif import WhatIf, look_at, what_if
from labeling.models import Project
from labeling.stats.coefficients import krippendorff_alpha
from tests import make
from tests.exports.crowd import crowd, sides


@pytest.fixture
def many(transactional_db: None, tmp_path: Path) -> Project:
    project = make.project("advice")
    make.cast(project)
    crowd(project, tmp_path, 80, keys=("helpfulness", "harmlessness"))
    return project


def look(project: Project, against: dict[str, Any] | None = None, **recipe: Any) -> WhatIf:
    plain = {"format": "dpo", "split": {"test": 0}}
    other = None if against is None else ("other", read_recipe(plain | against))
    return what_if(project, read_recipe(plain | recipe), other)


@pytest.mark.parametrize(
    "recipe",
    [
        {}, {"aggregate": "mean"}, {"aggregate": "helpsteer"}, {"aggregate": "hh"}, {"aggregate": "each"},
        {"aggregate": "one_coin"}, {"aggregate": "dawid_skene", "threshold": 0.9}, {"apart": "region"},
        {"aggregate": "one_coin", "labels": "copies"}, {"filters": {"exclude": ["conflict"]}},
        {"criterion": {"combine": "safer_wins"}}, {"format": "kto"}, {"filters": {"min_judgments": 4}},
    ],
)  # fmt: skip
def test_it_says_what_the_build_gives(many: Project, tmp_path: Path, recipe: dict[str, Any]) -> None:
    found = look(many, **recipe)
    if not found.total:
        assert found.dropped["too_few"] == 80
        return
    built = write_export(project=many, recipe=found.recipe.as_json(), to=tmp_path / "out")
    told = {reason: lost for reason, lost in found.dropped.items() if lost}
    assert (found.total, told) == (built.manifest["rows"], {k: v for k, v in built.manifest["dropped"].items() if v})
    assert found.steps[-1].left == 80 - sum(told.values()) and found.every == 1


def test_flips_against_another_recipe(many: Project) -> None:
    found = look(many, {"aggregate": "majority"}, aggregate="mean")
    against = found.against
    assert against is not None and against.flipped > 0 and against.rows == 80
    assert against.same + against.flipped + against.gone == 80 == look(many).total
    assert look(many, {}, criterion="helpfulness").against.flipped == 0  # type: ignore[union-attr]
    turned = look(many, {"criterion": "harmlessness"}).against
    assert turned is not None and turned.flipped > 5


def test_agreement_before_and_after(many: Project) -> None:
    all_of_them = look(many)
    sure = look(many, aggregate="one_coin", threshold=0.95)
    assert all_of_them.alpha_before == all_of_them.alpha_after == sure.alpha_before
    assert sure.alpha_after is None or sure.alpha_after > sure.alpha_before  # type: ignore[operator]
    with connection.cursor() as cursor:
        cursor.execute(
            """SELECT count(*) FILTER (WHERE preference < 0), count(*) FILTER (WHERE preference > 0)
            FROM labeling_judgment JOIN labeling_annotation a ON a.id = annotation_id
            WHERE criterion_id = %s GROUP BY pair_id""",
            [many.criteria.get(key="helpfulness").pk],
        )
        counts = np.array(cursor.fetchall())
    assert all_of_them.alpha_before == pytest.approx(krippendorff_alpha(counts), abs=0.02)


def test_the_estimated_accuracy_is_about_the_true_one(transactional_db: None, tmp_path: Path) -> None:
    project = make.project()
    truth = crowd(project, tmp_path, 150, each=4, raters=10, seed=2)
    plain, sure = look(project), look(project, aggregate="one_coin", threshold=0.9)
    assert plain.accuracy is not None and sure.accuracy is not None and sure.accuracy > plain.accuracy
    reader = Reader(project, plain.recipe, needs=Needs(answers=True))
    with transaction.atomic():
        labels = look_at(reader, Deciding(plain.recipe, plain.format.takes), {}, plain.format).labels
    assert 0 <= sides(labels, truth) - plain.accuracy < 0.1  # it errs on the side of doubt


def test_too_little_to_tell(study: Project) -> None:
    found = look(study)
    assert (found.accuracy, found.alpha_before, found.alpha_after) == (None, None, None)
    assert found.total == 4 and len(found.rows) == 4


def test_a_large_project_is_looked_at_in_part(many: Project, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(whatif, "MOST_LOOKED", 60)
    monkeypatch.setattr(whatif, "RUN", 1)  # a run is small beside what is looked at, but not beside 80 pairs
    found = look(many, aggregate="one_coin")
    assert found.every == 4 and found.pairs == 80 and found.total % 4 == 0
    assert 0 < found.total <= 80 and found.as_json()["about"] is True


def test_it_asks_the_same_number_of_queries_however_many_pairs(many: Project, tmp_path: Path) -> None:
    def queries() -> int:
        with CaptureQueriesContext(connection) as found:
            look(many, aggregate="one_coin")
        return len(found)

    few = queries()
    crowd(many, tmp_path, 20, raters=5, seed=6)
    assert queries() == few <= 30
