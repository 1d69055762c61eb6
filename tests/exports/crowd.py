"""A project with many judgments of raters of known reliability, written straight into the tables."""

from __future__ import annotations

import random
from collections.abc import Sequence
from pathlib import Path

from django.utils import timezone

from labeling.models import Annotation, Assignment, Judgment, Pair, Project, RaterProfile, User
from tests import make
from tests.exports.study import load


def crowd(
    project: Project, folder: Path, pairs: int, each: int = 3, raters: int = 12, seed: int = 5,
    keys: Sequence[str] = ("helpfulness",),
) -> dict[int, int]:  # fmt: skip
    """The better side, -1 or 1, of each new pair. Every other rater lives in the North and says so."""
    draw = random.Random(seed)
    people = _people(project, raters, seed)
    right = [0.6 + 0.35 * k / raters for k in range(raters)]
    before = set(project.pairs.values_list("pk", flat=True))
    load(
        project,
        [
            {
                "prompt": f"Question {seed}-{k}?", "language": ("en", "de")[k % 2],
                "responses": [{"content": f"One answer {seed}-{k}."}, {"content": f"Another answer {seed}-{k}."}],
            }
            for k in range(pairs)
        ],
        folder,
    )  # fmt: skip
    new = list(project.pairs.exclude(pk__in=before).order_by("pk"))
    truth = {pair.pk: draw.choice((-1, 1)) for pair in new}
    chosen = [(pair, k) for pair in new for k in draw.sample(range(raters), each)]
    annotations = _annotations(project, [(pair, people[k]) for pair, k in chosen])
    criteria = [project.criteria.get(key=key) for key in keys]
    judgments = []
    for (pair, k), said in zip(chosen, annotations, strict=True):
        for criterion in criteria:
            side = truth[pair.pk] if draw.random() < right[k] else -truth[pair.pk]
            grade = side * draw.randint(1, 3)
            judgments.append(Judgment(project=project, annotation=said, criterion=criterion, preference=grade))
    Judgment.objects.bulk_create(judgments)
    return truth


def sides(found: dict[tuple[int, str], int], truth: dict[int, int]) -> float:
    """The share of labels that name the better side, which are in the order of the texts, not of the pair."""
    straight = {
        pair.pk: pair.first.fingerprint <= pair.second.fingerprint  # type: ignore[union-attr]
        for pair in Pair.objects.filter(pk__in=truth).select_related("first", "second")
    }
    right = [(side > 0) == ((truth[pair] > 0) == straight[pair]) for (pair, _group), side in found.items()]
    return sum(right) / len(right)


def _people(project: Project, raters: int, seed: int) -> list[User]:
    people = [make.member(project, f"Rater{seed}x{k:02}", "rater") for k in range(raters)]
    RaterProfile.objects.bulk_create(
        RaterProfile(
            user=person, demographics={"region": "North" if k % 2 else "South"}, demographics_consent_at=timezone.now()
        )
        for k, person in enumerate(people)
    )
    return people


def _annotations(project: Project, chosen: list[tuple[Pair, User]]) -> list[Annotation]:
    guideline = project.guidelines.get(version=1)
    held = Assignment.objects.bulk_create(
        Assignment(
            project=project, pair=pair, rater=rater, state=Assignment.State.SUBMITTED, guideline=guideline
        )
        for pair, rater in chosen
    )  # fmt: skip
    return Annotation.objects.bulk_create(
        Annotation(
            project=project, assignment=each, pair_id=each.pair_id, rater_id=each.rater_id, guideline=guideline,
            body_digest="",
        )
        for each in held
    )  # fmt: skip
