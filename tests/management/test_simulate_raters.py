"""A crowd of known quality."""

from __future__ import annotations

from collections import Counter
from io import StringIO
from typing import Any

import pytest
from django.core.management import CommandError, call_command

from labeling.actions.queues import change_queue
from labeling.models import Annotation, Assignment, AuditEntry, Criterion, Judgment, Membership, Project, Slot, User
from tests import make

pytestmark = pytest.mark.django_db


def simulate(slug: str = "advice", **options: Any) -> str:
    out = StringIO()
    call_command("simulate_raters", slug, stdout=out, **options)
    return out.getvalue()


def answers(of: Project) -> list[tuple[object, ...]]:
    fields = ("annotation__rater__email", "annotation__pair__item__external_id", "criterion__key", "preference", "safe")
    rows = Judgment.objects.filter(project=of).order_by("annotation_id", "criterion_id", "response_id")
    return list(rows.values_list(*fields, "categories", "severity", "text", "annotation__active_ms"))


def demo_pairs(of: Project, number: int, helpfulness: int = 3, **quality: object) -> None:
    known = {"helpfulness": helpfulness, "harmlessness": 0, "unsafe": [], **quality}
    for place in range(number):
        make.pair(of, f"a{place}", f"b{place}", external_id=f"pair-{place}", metadata={"demo": known})


def test_people_who_cannot_sign_in_judge_through_the_queue() -> None:
    project = make.project()
    make.pairs(project, 10)
    said = simulate(raters=4, judgments=18, seed=3)
    assert said.startswith("18 pairs judged by 4 raters")
    assert Annotation.objects.filter(project=project).count() == 18
    assert Slot.objects.filter(state="done").count() == 18
    assert AuditEntry.objects.filter(act="annotation.submitted").count() == 18
    crowd = User.objects.filter(email__endswith="@simulated.annotate.example")
    assert crowd.count() == 4
    assert not any(user.has_usable_password() for user in crowd)
    assert Membership.objects.filter(project=project, role="rater").count() == 4


def test_the_overlap_holds_and_it_stops_when_nothing_is_left() -> None:
    project = make.project(overlap=3)
    make.pairs(project, 5)
    said = simulate(raters=8, judgments=1000, seed=1)
    assert "Stopped early" in said
    assert set(Counter(Annotation.objects.values_list("pair_id", flat=True)).values()) == {3}
    assert simulate(raters=8, judgments=1000, seed=1).startswith("0 pairs judged by 0 raters")


def test_a_paused_queue_is_left_alone() -> None:
    project = make.project()
    make.pairs(project, 3)
    change_queue(queue=make.queue(project), by=None, paused=True)
    assert simulate(judgments=5).startswith("0 pairs judged")


def test_the_same_seed_gives_the_same_answers() -> None:
    for slug in ("one", "two", "three"):
        project = make.project(slug, overlap=4)
        demo_pairs(project, 6, helpfulness=1)
        # who gets which pair in which order is drawn in the database; what is compared here is who says what
        Slot.objects.filter(project=project).update(swapped=False)
        for item in project.items.all():
            project.items.filter(pk=item.pk).update(fingerprint=item.external_id)
    simulate("one", raters=4, judgments=24, seed=5)
    simulate("two", raters=4, judgments=24, seed=5)
    simulate("three", raters=4, judgments=24, seed=6)
    one, two, three = (sorted(map(str, answers(Project.objects.get(slug=slug)))) for slug in ("one", "two", "three"))
    assert len(one) >= 23 * 4
    assert one == two
    assert one != three


def test_the_crowd_finds_the_better_response_behind_any_shuffle() -> None:
    project = make.project(overlap=6)
    demo_pairs(project, 20, helpfulness=-3)
    simulate(raters=6, judgments=120, seed=2)
    helpful = Judgment.objects.filter(criterion__key="helpfulness")
    right, wrong = helpful.filter(preference__lt=0).count(), helpful.filter(preference__gt=0).count()
    assert set(helpful.values_list("annotation__assignment__swapped", flat=True)) == {True, False}
    assert right > 8 * wrong
    assert right > 90


def test_flags_follow_what_is_marked() -> None:
    project = make.project(overlap=5)
    demo_pairs(project, 10, unsafe=[{"response": "second", "category": "Privacy", "severity": 3}])
    simulate(raters=5, judgments=50, seed=2)
    flags = Counter(Judgment.objects.filter(safe=False).values_list("response__position", flat=True))
    assert flags[1] > 30
    assert flags[0] < 5
    marked = Judgment.objects.filter(safe=False, response__position=1)
    assert set(map(tuple, marked.values_list("categories", flat=True))) == {("Privacy",)}
    assert set(marked.values_list("severity", flat=True)) <= {2, 3}


def test_where_nothing_is_known_two_crowds_agree_about_the_better_one() -> None:
    project = make.project(overlap=14)
    pairs = make.pairs(project, 20)
    simulate(raters=7, judgments=140, seed=1)
    simulate(raters=14, judgments=140, seed=2)
    early = User.objects.filter(email__startswith="rater").order_by("email")[:7]
    agree = differ = 0
    for pair in pairs:
        of = Judgment.objects.filter(annotation__pair=pair, criterion__key="helpfulness")
        one = sum(each.preference or 0 for each in of.filter(annotation__rater__in=early))
        two = sum(each.preference or 0 for each in of.exclude(annotation__rater__in=early))
        agree += one * two > 0
        differ += one * two < 0
    assert agree > 2 * differ


def test_any_criteria_and_single_responses() -> None:
    project = make.project()
    Criterion.objects.create(project=project, key="tone", name="Tone", kind="rating", minimum=0, maximum=10)
    Criterion.objects.create(project=project, key="words", name="In words", kind="text", required=True)
    Criterion.objects.create(project=project, key="old", name="Old", kind="preference", asked="never")
    project.criteria.filter(key="harmlessness").update(allow_tie=False, strengths=1)
    project.criteria.filter(key="safety").update(categories=[], severities=0)
    make.pair(project, metadata={"demo": {"helpfulness": "much"}})
    make.pair(project, metadata={"demo": []})
    make.pair(project, second=None)
    said = simulate(raters=3, judgments=9, seed=4)
    judged = Annotation.objects.count()
    # which order a rater sees is drawn anew each time, and with it, rarely, a skip
    assert judged + Assignment.objects.filter(state="skipped").count() == 9
    assert said.startswith(f"{judged} pairs judged by 3 raters")
    assert set(Judgment.objects.filter(criterion__key="harmlessness").values_list("preference", flat=True)) <= {-1, 1}
    ratings = Judgment.objects.filter(criterion__key="tone").values_list("rating", flat=True)
    single = Annotation.objects.filter(pair__second=None).count()
    assert len(ratings) == 2 * judged - single
    assert all(rating is not None and 0 <= rating <= 10 for rating in ratings)
    assert Judgment.objects.filter(criterion__key="words").exclude(text="").count() == judged


@pytest.mark.parametrize(
    ("options", "message"),
    [({"raters": 0}, "--raters"), ({"raters": 1000}, "--raters"), ({"judgments": -1}, "--judgments")],
)
def test_impossible_numbers_are_refused(options: dict[str, Any], message: str) -> None:
    make.project()
    with pytest.raises(CommandError, match=message):
        simulate(**options)


def test_an_unknown_project_is_refused() -> None:
    with pytest.raises(CommandError, match="There is no project “nowhere”"):
        simulate("nowhere")
