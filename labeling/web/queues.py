"""A queue's page: how far it is, who holds what, its rules; and making another queue."""

from __future__ import annotations

from typing import Any

from django.contrib import messages
from django.http import Http404, HttpResponse
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from labeling.access import MANAGERS, project_for, queue_for
from labeling.actions.queues import change_queue, create_queue
from labeling.actions.refusals import Refused
from labeling.models import Queue
from labeling.reports.members import holds_now
from labeling.reports.progress import queue_progress
from labeling.reports.topics import hidden_pairs
from labeling.web.charts import stack
from labeling.web.guards import PersonRequest
from labeling.web.project_forms import NewQueueForm, QueueForm, add_refusal


@require_http_methods(["GET", "HEAD", "POST"])
def queue_new(request: PersonRequest, slug: str) -> HttpResponse:
    project = project_for(request.user, slug, MANAGERS)
    form = NewQueueForm(request.POST or None)
    if form.is_valid():
        try:
            made = create_queue(project=project, by=request.user, **form.rules())
        except Refused as refused:
            add_refusal(form, refused)
        else:
            messages.success(request, _("The queue is there and takes its pairs, also from later imports."))
            return redirect("queue", slug, made.pk)
    context = {"project": project, "form": form}
    return render(request, "labeling/queue_new.html", context, status=422 if form.errors else 200)


@require_safe
def queue(request: PersonRequest, slug: str, pk: int) -> HttpResponse:
    found = _queue(request, slug, pk)
    if request.htmx:
        return render(request, "labeling/queue.html#live", _context(found))
    return _page(request, found, QueueForm(initial=_rules(found)))


@require_POST
def queue_change(request: PersonRequest, slug: str, pk: int) -> HttpResponse:
    found, form = _queue(request, slug, pk), QueueForm(request.POST)
    if form.is_valid():
        try:
            change_queue(queue=found, by=request.user, **form.rules())
        except Refused as refused:
            add_refusal(form, refused)
        else:
            messages.success(request, _("Saved. The new rules hold from now on."))
            return redirect("queue", slug, pk)
    return _page(request, found, form)


@require_POST
def queue_pause(request: PersonRequest, slug: str, pk: int) -> HttpResponse:
    """`paused=1` pauses and anything else resumes, so that a second press of the same button does nothing new."""
    paused = request.POST.get("paused") == "1"
    change_queue(queue=_queue(request, slug, pk), by=request.user, paused=paused)
    said = _("Paused: raters finish what they hold and get nothing new.") if paused else _("Running again.")
    messages.success(request, said)
    return redirect("queue", slug, pk)


def _queue(request: PersonRequest, slug: str, pk: int) -> Queue:
    found = queue_for(request.user, pk)
    if found.project.slug != slug:
        raise Http404
    return found


def _rules(found: Queue) -> dict[str, Any]:
    minutes = f"{found.lease_seconds / 60:.6g}"
    return {
        "name": found.name,
        "overlap": found.overlap,
        "lease_minutes": minutes,
        "blur_images": found.blur_images,
    }


def _context(found: Queue) -> dict[str, Any]:
    [progress] = queue_progress([found])
    counts = (progress.done, progress.leased, progress.open)
    parts = list(zip(("done", "leased", "open"), counts, (_("answered"), _("being judged"), _("open")), strict=True))
    holds = holds_now(found)
    return {
        "project": found.project,
        "queue": found,
        "progress": progress,
        "stack": stack(parts),
        "holds": holds,
        "hidden": hidden_pairs(found.project),
    }


def _page(request: PersonRequest, found: Queue, form: QueueForm) -> HttpResponse:
    status = 422 if form.errors else 200
    return render(request, "labeling/queue.html", _context(found) | {"form": form}, status=status)
