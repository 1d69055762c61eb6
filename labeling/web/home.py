"""The first page: what is open to this person."""

from __future__ import annotations

from django.http import HttpResponse
from django.shortcuts import render
from django.utils import timezone
from django.views.decorators.http import require_GET

from labeling.reports.home import last_days, open_queues, own_projects
from labeling.web.guards import PersonRequest

BAR = 52  # height of the tallest bar of the week, in units of its drawing


@require_GET
def home(request: PersonRequest) -> HttpResponse:
    queues = open_queues(request.user)
    days = last_days(request.user) if queues else []
    most = max((day.count for day in days), default=0) or 1
    bars = [
        {"day": day, "x": 44 * place, "height": max(3, round(BAR * day.count / most))} for place, day in enumerate(days)
    ]
    for bar in bars:
        bar["y"] = 64 - bar["height"]
        bar["label_y"] = bar["y"] - 6
    projects = own_projects(request.user)
    context = {
        "first": queues[0] if queues and queues[0].can_start else None,
        "queues": queues,
        "bars": bars,
        "today": days[-1].count if days else 0,
        "projects": projects,
        "may_create": request.user.is_superuser or any("Manager" in one.roles for one in projects),
        "now": timezone.localtime(),
    }
    return render(request, "labeling/home.html", context)
