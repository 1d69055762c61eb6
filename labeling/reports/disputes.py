"""Disputes about known answers: one by one, and counted together by the principle that they are about."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta

from django.db.models import Case, Count, Q, QuerySet, When
from django.utils import timezone

from labeling.models import Dispute, Guideline, Project
from labeling.reports.guidelines import principles_of

WEEK = timedelta(days=7)


@dataclass(frozen=True, slots=True)
class Disputed:
    """A principle of the current guideline that raters object to. `number` is None for pairs that name none.

    `text` and `section` are empty where the guideline has no such principle any more.
    """

    number: int | None
    text: str
    section: str
    disputes: int
    open: int


def disputed_principles(project: Project, *, within: timedelta = WEEK) -> list[Disputed]:
    """What was objected to lately, the most disputed first. Two queries."""
    recent = Dispute.objects.filter(project=project, created_at__gte=timezone.now() - within)
    rows = recent.values("gold_pair__principle").annotate(n=Count("pk"), waiting=Count("pk", filter=Q(outcome="")))
    counts = list(rows.order_by("-n", "gold_pair__principle"))
    if not counts:
        return []
    newest = Guideline.objects.filter(project=project, version__isnull=False).order_by("-version").first()
    known = {one.number: one for one in principles_of(newest)}
    made = []
    for row in counts:
        named = known.get(row["gold_pair__principle"] or 0)
        text, section = (named.text, named.section) if named else ("", "")
        made.append(Disputed(row["gold_pair__principle"], text, section, row["n"], row["waiting"]))
    return made


def disputes_of(project: Project, *, open_only: bool = False) -> QuerySet[Dispute]:
    """Open ones first; each part newest first."""
    rows = Dispute.objects.filter(project=project, **({"outcome": ""} if open_only else {}))
    answered = Case(When(outcome="", then=0), default=1)
    related = rows.select_related("rater", "answered_by", "gold_pair__pair__item", "annotation")
    return related.order_by(answered, "-created_at", "-pk")
