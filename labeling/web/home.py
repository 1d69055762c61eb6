"""The first page: what is open to this person."""

from __future__ import annotations

from django.http import HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_GET

from labeling.web.guards import PersonRequest


@require_GET
def home(request: PersonRequest) -> HttpResponse:
    return render(request, "labeling/home.html")
