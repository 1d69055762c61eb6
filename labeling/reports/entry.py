"""How far a person has come on the way into a project: consent, guideline, practice, qualification, then the work.

A project has the steps that its manager switched on; one without any lets its raters work at once. Who has judged in
the project before is asked for consent only. Everything is read as annotations of one row, so that a list of queues or
of members learns it in the statement that reads the list.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from django.contrib.postgres.expressions import ArraySubquery
from django.db.models import Case, Exists, F, Model, OuterRef, QuerySet, Subquery, Value, When
from django.db.models.functions import Coalesce

from labeling.models import (
    Acknowledgement,
    ConsentText,
    GoldAnswer,
    Guideline,
    Item,
    Lesson,
    Membership,
    Participation,
    Passage,
    Project,
    Topic,
    User,
)


class Step(StrEnum):
    CONSENT = "consent"
    GUIDELINE = "guideline"
    PRACTICE = "practice"
    QUALIFICATION = "qualification"
    READY = "ready"
    FAILED = "failed"


@dataclass(frozen=True, slots=True)
class Way:
    """`steps` are those of the project with whether they are done, in order; `step` is what comes next."""

    step: Step
    steps: tuple[tuple[Step, bool], ...]
    tries: int
    tries_allowed: int

    @property
    def is_open(self) -> bool:
        return self.step == Step.READY

    @property
    def tries_left(self) -> int:
        return max(0, self.tries_allowed - self.tries)


def next_step(project: Project, user: User) -> Way:
    """What this person does next in the project. One query, flat in the sizes of queues and histories."""
    row = Project.objects.filter(pk=project.pk).annotate(**facts(user)).only("pk").get()
    return way_of(row)


def step_of_rater(project: Project, user: User) -> Step | None:
    """The next step of who rates in the project; None of who does not. One query."""
    rates = Membership.objects.filter(project=OuterRef("pk"), user=user, role=Membership.Role.RATER)
    row = Project.objects.filter(Exists(rates), pk=project.pk).annotate(**facts(user)).only("pk").first()
    return way_of(row).step if row else None


def lessons_of(project: Project, stage: str) -> QuerySet[Lesson]:
    """The lessons of a stage in their order: only those with a known answer, for others teach nothing."""
    return _with_answers().filter(project=project, stage=stage).order_by("position", "id")


def facts(user: User | OuterRef, project_ref: str = "pk") -> dict[str, Any]:
    """Annotations that `way_of` reads, for rows whose project is at `project_ref`. `user` may be an OuterRef."""
    project = OuterRef(project_ref)
    asked = Case(When(text="", then=Value(None)), default=F("pk"))
    texts = ConsentText.objects.filter(project=project).order_by("-version").annotate(asked=asked)
    mine = Participation.objects.filter(project=project, user=user)
    published = Guideline.objects.filter(project=project, version__isnull=False)
    return {
        "way_consent": Subquery(texts.values("asked")[:1]),
        "way_agreed": Subquery(mine.filter(consented_at__isnull=False).values("consent")[:1]),
        "way_guideline": Exists(published),
        "way_read": Exists(Acknowledgement.objects.filter(guideline__project=project, user=user)),
        "way_practice": Exists(_with_answers().filter(project=project, stage=Lesson.Stage.PRACTICE)),
        "way_practised": Subquery(mine.values("practised_at")[:1]),
        "way_qualification": Exists(_with_answers().filter(project=project, stage=Lesson.Stage.QUALIFICATION)),
        "way_qualified": Subquery(mine.values("qualified_at")[:1]),
        "way_tries": Coalesce(Subquery(mine.values("attempts")[:1]), 0),
        "way_allowed": Subquery(Project.objects.filter(pk=project).values("attempts")[:1]),
        "way_extra": Coalesce(Subquery(mine.values("extra_attempts")[:1]), 0),
        "way_veteran": Exists(Passage.objects.filter(rater=user, done__gt=0, queue__project=project)),
    }


def way_of(row: Model) -> Way:
    """The way of a row that was annotated with `facts`."""
    told = {name: getattr(row, f"way_{name}") for name in _FACTS}
    consent, veteran = told["consent"] is not None, told["veteran"]
    steps: list[tuple[Step, bool]] = []
    if consent:
        steps.append((Step.CONSENT, told["agreed"] == told["consent"]))
    taught = not veteran and (consent or told["practice"] or told["qualification"])
    if taught and told["guideline"]:
        steps.append((Step.GUIDELINE, told["read"]))
    if taught and told["practice"]:
        steps.append((Step.PRACTICE, told["practised"] is not None))
    if taught and told["qualification"]:
        steps.append((Step.QUALIFICATION, told["qualified"] is not None))
    step = next((step for step, done in steps if not done), Step.READY)
    allowed = told["allowed"] + told["extra"]
    if step == Step.QUALIFICATION and told["tries"] >= allowed:
        step = Step.FAILED
    return Way(step, tuple(steps), told["tries"], allowed)


_FACTS = (
    "consent", "agreed", "guideline", "read", "practice", "practised", "qualification", "qualified", "tries", "allowed",
    "extra", "veteran",
)  # fmt: skip


def _with_answers() -> QuerySet[Lesson]:
    """Lessons that teach something, and nobody has to choose before seeing them."""
    return Lesson.objects.filter(Exists(GoldAnswer.objects.filter(pair=OuterRef("pair")))).exclude(sensitive())


def sensitive(item_ref: str = "pair__item") -> Exists:
    """Whether the item at `item_ref` is of a sensitive topic of its project, which raters see by their choice only."""
    topics = ArraySubquery(Topic.objects.filter(project=OuterRef("project")).values("key"))
    return Exists(Item.objects.filter(pk=OuterRef(item_ref), tags__overlap=topics))
