"""When the work was done."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, timedelta

from django.db.models import Count
from django.db.models.functions import TruncDate
from django.utils import timezone

from labeling.models import Annotation, Project


@dataclass(frozen=True, slots=True)
class Day:
    date: date
    annotations: int


def by_day(project: Project, days: int = 28) -> list[Day]:
    """Current annotations a day (UTC), the last `days` days up to today, days without any included. One query."""
    today = timezone.now().date()
    start = today - timedelta(days=days - 1)
    counted = (
        Annotation.objects.filter(project=project, current=True, created_at__date__gte=start)
        .values_list(TruncDate("created_at"))
        .annotate(n=Count("id"))
    )
    counts = dict(counted)
    return [Day(day, counts.get(day, 0)) for day in (start + timedelta(days=n) for n in range(days))]
