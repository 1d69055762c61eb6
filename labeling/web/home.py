"""The first page: what is open to this person."""

from __future__ import annotations

from dataclasses import dataclass

from django.http import HttpResponse
from django.shortcuts import render
from django.utils import timezone
from django.views.decorators.http import require_GET

from labeling.reports.gold import lately_answered, lately_warned
from labeling.reports.guidelines import unread_in
from labeling.reports.home import Day, last_days, open_queues, own_projects
from labeling.web.crowd import end_of
from labeling.web.guards import PersonRequest

TALLEST = 52


@dataclass(frozen=True, slots=True)
class Bar:
    """A day of the week's drawing, in its units; `y` counts from the top, where the ground is at 64."""

    day: Day
    x: int
    height: int

    @property
    def y(self) -> int:
        return 64 - self.height

    @property
    def label_y(self) -> int:
        return self.y - 6


@require_GET
def home(request: PersonRequest) -> HttpResponse:
    if request.user.is_crowd:
        return end_of(request)
    queues = open_queues(request.user)
    days = last_days(request.user) if queues else []
    most = max((day.count for day in days), default=0) or 1
    projects = own_projects(request.user)
    context = {
        "first": queues[0] if queues and queues[0].is_offered else None,
        "queues": queues,
        "bars": [Bar(day, 44 * place, max(3, round(TALLEST * day.count / most))) for place, day in enumerate(days)],
        "today": days[-1].count if days else 0,
        "projects": projects,
        "news": unread_in({one.queue.project for one in queues}, request.user) if queues else [],
        "warned": lately_warned(request.user) if queues else [],
        "answered": lately_answered(request.user) if queues else [],
        "may_create": request.user.is_superuser or any("Manager" in one.roles for one in projects),
        "now": timezone.localtime(),
    }
    return render(request, "labeling/home.html", context)
