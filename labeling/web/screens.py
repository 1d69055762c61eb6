"""What a rater is shown at the desk of a queue, whether by htmx as the part that changes or as a page of its own."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from django.http import HttpResponse
from django.shortcuts import render

from labeling.models import Queue
from labeling.reports.desk import Shown
from labeling.web.guards import PersonRequest


@dataclass(frozen=True, slots=True)
class Screen:
    """A template that extends labeling/desk.html, and what it needs. Its part `desk` is what htmx puts in #work."""

    template: str
    context: dict[str, Any] = field(default_factory=dict)
    status: int = 200


# A screen that comes before the pair, or None when it is not due. It decides by what is stored, so that a reload
# shows it again; what it asks for is a form of its own that ends in a redirect to "compare".
ComesFirst = Callable[[PersonRequest, Queue, Shown], Screen | None]


def show(request: PersonRequest, screen: Screen, queue: Queue, *, said: str = "") -> HttpResponse:
    """Answer with the screen. `said`, what was just done, is read out and shown."""
    name = screen.template + ("#desk" if request.htmx else "")
    context = {"queue": queue, "said": said} | screen.context
    return render(request, name, context, status=screen.status)
