"""Judgments made elsewhere: who said what is exactly what the file says, and nobody of them can sign in."""

from __future__ import annotations

import io
import json
from collections import Counter
from pathlib import Path
from typing import Any

import pytest
from django.core.files.base import ContentFile
from django.test import Client

from labeling.actions.import_items import run_step, start_batch, store_file
from labeling.actions.import_judgments import Imported, external_email, import_judgments
from labeling.importers import Unreadable
from labeling.importers.containers import RowFile
from labeling.models import Annotation, Assignment, AuditEntry, Criterion, Judgment, Project, Slot, User
from tests import make

pytestmark = pytest.mark.django_db
DATA = Path(__file__).parents[3] / "shared" / "data"


@pytest.fixture
def project() -> Project:
    """Pairs p0 to p3, and s0 with a single response."""
    made = make.project()
    rows: list[dict[str, Any]] = [
        {"id": f"p{n}", "prompt": f"{n}?", "response_a": f"a{n}", "response_b": f"b{n}"} for n in range(4)
    ]
    store(made, rows)
    store(made, [{"id": "three", "prompt": "3?", "responses": ["x", "y", "z"]}])
    store(made, [{"id": "s0", "prompt": "Safe?", "response": "No."}])
    return made


def store(project: Project, rows: list[dict[str, Any]]) -> None:
    content = ContentFile("".join(json.dumps(row) + "\n" for row in rows).encode())
    assert not run_step(start_batch(project=project, by=None, name="x.jsonl", stored=store_file(content)))


def bring(project: Project, *rows: dict[str, Any]) -> Imported:
    content = "".join(json.dumps({"rater_id": "w1", "criterion": "helpfulness"} | row) + "\n" for row in rows)
    return import_judgments(project=project, by=None, source=RowFile(io.BytesIO(content.encode()), name="j.jsonl"))


def test_a_choice_is_signed_in_the_files_order(project):
    strengths = [("a", {}), ("b", {"strength": "clear"}), ("b", {"strength": 3}), ("tie", {"strength": "tie"})]
    done = bring(
        project, *({"item_id": f"p{n}", "choice": choice, **more} for n, (choice, more) in enumerate(strengths))
    )
    assert (done.judgments, done.annotations, done.raters, done.criteria, done.refused) == (4, 4, 1, [], [])
    stored = Judgment.objects.order_by("annotation__pair__item__external_id").values_list("preference", flat=True)
    assert list(stored) == [-1, 2, 3, 0]
    first = Judgment.objects.get(preference=-1).annotation.pair.first
    assert first.content == "a0"


def test_one_visit_is_one_annotation_with_every_criterion(project):
    done = bring(
        project,
        {
            "item_id": "p0",
            "choice": "a",
            "created_at": "2023-05-18T19:59:45",
            "shown_swapped": True,
            "rationale": "Short.",
        },
        {"item_id": "p1", "choice": "b"},
        {"item_id": "p0", "criterion": "safety", "label": "unsafe", "response": "b"},
        {"item_id": "p0", "criterion": "safety", "label": "safe", "response": "a"},
        {"item_id": "p0", "criterion": "style_note", "label": "2.1 - too short"},
        {"item_id": "p0", "criterion": "fluency", "score": 7},
        {"item_id": "p0", "criterion": "fluency", "score": 2, "response": "a"},
    )
    assert (done.judgments, done.annotations) == (6, 2)
    assert [(each.line, each.field) for each in done.refused] == [(6, "response")]
    annotation = Annotation.objects.get(pair__item__external_id="p0")
    assignment = annotation.assignment
    assert (assignment.state, assignment.queue, assignment.slot, assignment.swapped) == ("submitted", None, None, True)
    assert annotation.created_at.isoformat() == "2023-05-18T19:59:45+00:00" == assignment.ended_at.isoformat()
    pair = annotation.pair
    assert set(
        annotation.judgments.values_list("criterion__key", "response", "preference", "safe", "rating", "text")
    ) == {
        ("helpfulness", None, -1, None, None, "Short."),
        ("safety", pair.second_id, None, False, None, ""),
        ("safety", pair.first_id, None, True, None, ""),
        ("style_note", None, None, None, None, "2.1 - too short"),
        ("fluency", pair.first_id, None, None, 2, ""),
    }
    assert AuditEntry.objects.filter(act="judgments.imported").count() == 1


def test_a_missing_criterion_is_made_and_never_asked(project):
    done = bring(
        project,
        {"item_id": "p0", "criterion": "taste", "choice": "a", "strength": 4},
        {"item_id": "s0", "criterion": "harm", "label": "unsafe"},
        {"item_id": "s0", "criterion": "severity", "score": -3},
        {"item_id": "s0", "rater_id": "w2", "criterion": "severity", "score": 1},
        {"item_id": "s0", "criterion": "note", "label": "short"},
    )
    assert done.criteria == ["taste", "harm", "severity", "note"]
    made = Criterion.objects.filter(key__in=done.criteria)
    assert set(made.values_list("asked", flat=True)) == {"never"}
    assert dict(made.values_list("key", "kind")) == {
        "taste": "preference", "harm": "safety", "severity": "rating", "note": "text",
    }  # fmt: skip
    severity, taste = made.get(key="severity"), made.get(key="taste")
    assert (severity.minimum, severity.maximum, taste.strengths) == (-3, 1, 4)
    assert done.judgments == 5


@pytest.mark.parametrize(
    ("row", "field", "reason"),
    [
        ({"item_id": "nope", "choice": "a"}, "item_id", "no item of this project"),
        ({"item_id": "three", "choice": "a"}, "item_id", "has 3 pairs"),
        ({"item_id": "s0", "choice": "a"}, "choice", "single response"),
        ({"item_id": "p0", "choice": "c"}, "choice", "use one of a, b, tie"),
        ({"item_id": "p0"}, "choice", "is missing"),
        ({"item_id": "p0", "choice": "a", "strength": "huge"}, "strength", "slight, clear, much"),
        ({"item_id": "p0", "choice": "a", "strength": 4}, "strength", "goes up to 3"),
        ({"item_id": "p0", "score": 2}, "choice", "is a preference"),
        ({"item_id": "s0", "criterion": "safety", "label": "unsure"}, "label", "“unsure” is not understood"),
        ({"item_id": "s0", "criterion": "safety", "score": 1}, "label", "takes safe or unsafe"),
        ({"item_id": "s0", "criterion": "quality", "score": 2.5}, "score", "whole numbers"),
        ({"item_id": "p0", "criterion": "not a key", "choice": "a"}, "criterion", "is not a key"),
        ({"item_id": "p0", "rater_id": "", "choice": "a"}, "rater_id", "is empty"),
        ({"item_id": "p0", "choice": "a", "created_at": "yesterday"}, "created_at", "2024-05-18T19:59:45Z"),
    ],
)
def test_a_row_is_refused_by_field_and_reason(project, row, field, reason):
    done = bring(project, {"item_id": "p3", "choice": "b"}, row)
    assert done.judgments == 1
    (refused,) = done.refused
    assert (refused.line, refused.field) == (2, field)
    assert reason in refused.reason


def test_a_second_answer_is_refused_in_the_file_and_later(project):
    done = bring(project, {"item_id": "p0", "choice": "a"}, {"item_id": "p0", "choice": "b"})
    assert [(each.line, each.field) for each in done.refused] == [(2, "rater_id")]
    done = bring(project, {"item_id": "p0", "choice": "b"}, {"item_id": "p1", "choice": "b"})
    assert [(each.line, each.reason[:11]) for each in done.refused] == [(1, "has already")]
    assert list(Judgment.objects.order_by("id").values_list("preference", flat=True)) == [-1, 1]


def test_imported_answers_take_no_slot_from_the_queue(project):
    bring(project, {"item_id": "p0", "choice": "a"})
    assert set(Slot.objects.values_list("state", flat=True)) == {"open"}


def test_external_raters_cannot_sign_in(project):
    bring(project, {"item_id": "p0", "choice": "a"})
    rater = User.objects.get(is_external=True)
    assert rater.email == "w1@advice.external.invalid"
    assert rater.name == "w1"
    assert not rater.has_usable_password()
    assert not Client().login(username=rater.email, password="")


def test_ids_that_are_no_address_get_one_of_their_own(project):
    ids = ["w1", "W1", "w 1", "w@1", "é", "a" * 200, ".w", "w.", "x" * 63]
    emails = [external_email(project, rater_id) for rater_id in ids]
    assert len(set(emails)) == len(ids)
    assert all(email == email.lower() and len(email) <= 254 for email in emails)
    done = bring(project, *({"item_id": "p0", "rater_id": rater_id, "choice": "a"} for rater_id in ids))
    assert (done.raters, done.annotations) == (len(ids), len(ids))


def test_a_file_that_cannot_be_read_stores_nothing(project):
    with pytest.raises(Unreadable, match="empty"):
        import_judgments(project=project, by=None, source=RowFile(io.BytesIO(b"")))
    assert not Assignment.objects.exists()


def test_csv_is_read_as_well(project):
    content = b"item_id,rater_id,criterion,choice,strength,score\np0,7,helpfulness,a,2,\ns0,7,quality,,,4\n"
    done = import_judgments(project=project, by=None, source=RowFile(io.BytesIO(content), name="j.csv"))
    assert not done.refused
    assert set(Judgment.objects.values_list("preference", "rating")) == {(-2, None), (None, 4)}


@pytest.mark.skipif(not DATA.exists(), reason="the real judgments are not beside this checkout")
@pytest.mark.parametrize(
    ("study", "items", "kept", "refused"),
    [
        ("hh", "pairs", 600, {}),
        ("llmfao", "pairs", 8931, {}),
        ("msts", "items", 3200, {}),
        # `unsure` is a third answer, which a safe/unsafe criterion does not have
        ("dices350", "items", 16359 - 1073, {"label": 1073}),
    ],
)
def test_real_studies_come_in_whole(study, items, kept, refused):
    project = make.project()
    store(project, [json.loads(line) for line in (DATA / study / f"{items}.jsonl").read_text().split("\n") if line])
    with (DATA / study / "judgments.jsonl").open("rb") as content:
        done = import_judgments(project=project, by=None, source=RowFile(content))
    assert done.judgments == kept == Judgment.objects.count()
    assert Counter(each.field for each in done.refused) == refused
