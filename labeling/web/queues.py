"""A queue's page: how far it is, who holds what, its rules; changing them, pausing, closing; and another queue."""

from __future__ import annotations

from typing import Any

from django.contrib import messages
from django.http import Http404, HttpResponse
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from labeling.access import MANAGERS, project_for, queue_for
from labeling.actions.queues import change_queue, close_queue, create_queue, pause_queues, reopen_queue
from labeling.actions.refusals import Refused
from labeling.models import Queue
from labeling.reports.members import holds_now
from labeling.reports.progress import queue_progress
from labeling.reports.topics import hidden_pairs
from labeling.web.budget import budget_context
from labeling.web.charts import stack
from labeling.web.guards import PersonRequest
from labeling.web.queue_forms import QueueForm
from labeling.web.queue_words import in_words


@require_http_methods(["GET", "HEAD", "POST"])
def queue_new(request: PersonRequest, slug: str) -> HttpResponse:
    project = project_for(request.user, slug, MANAGERS)
    form = QueueForm(request.POST or None, project=project)
    if form.is_valid():
        try:
            made = create_queue(project=project, by=request.user, **form.rules())
        except Refused as refused:
            form.add_refusal(refused)
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
    return render(request, "labeling/queue.html", _context(found) | budget_context(found))


@require_http_methods(["GET", "HEAD", "POST"])
def queue_change(request: PersonRequest, slug: str, pk: int) -> HttpResponse:
    found = _queue(request, slug, pk)
    form = QueueForm(request.POST or None, project=found.project, queue=found)
    if form.is_valid():
        try:
            change_queue(queue=found, by=request.user, **form.rules())
        except Refused as refused:
            form.add_refusal(refused)
        else:
            messages.success(request, _("Saved. The new rules hold from now on."))
            return redirect("queue", slug, pk)
    context = {"project": found.project, "queue": found, "form": form}
    return render(request, "labeling/queue_rules.html", context, status=422 if form.errors else 200)


@require_POST
def queue_pause(request: PersonRequest, slug: str, pk: int) -> HttpResponse:
    """`paused=1` pauses and anything else resumes, so that a second press of the same button does nothing new."""
    paused = request.POST.get("paused") == "1"
    change_queue(queue=_queue(request, slug, pk), by=request.user, paused=paused)
    said = _("Paused: raters finish what they hold and get nothing new.") if paused else _("Running again.")
    messages.success(request, said)
    return redirect("queue", slug, pk)


@require_POST
def queue_close(request: PersonRequest, slug: str, pk: int) -> HttpResponse:
    """`closed=1` closes and anything else re-opens."""
    found = _queue(request, slug, pk)
    if request.POST.get("closed") == "1":
        close_queue(queue=found, by=request.user)
        messages.success(request, _("Closed: raters finish what they hold. You can open it again."))
    else:
        reopen_queue(queue=found, by=request.user)
        messages.success(request, _("Open again: it goes on where it stopped."))
    return redirect("queue", slug, pk)


@require_POST
def queues_pause(request: PersonRequest, slug: str) -> HttpResponse:
    """All queues of the project at once: `paused=1` pauses them, anything else lets them run again."""
    project, paused = project_for(request.user, slug, MANAGERS), request.POST.get("paused") == "1"
    pause_queues(project=project, by=request.user, paused=paused)
    said = _("All queues are paused: raters finish what they hold.") if paused else _("All queues run again.")
    messages.success(request, said)
    return redirect("project", slug)


def _queue(request: PersonRequest, slug: str, pk: int) -> Queue:
    found = queue_for(request.user, pk)
    if found.project.slug != slug:
        raise Http404
    return found


def _context(found: Queue) -> dict[str, Any]:
    [progress] = queue_progress([found])
    counts = (progress.done, progress.leased, progress.open)
    parts = list(zip(("done", "leased", "open"), counts, (_("answered"), _("being judged"), _("open")), strict=True))
    return {
        "project": found.project,
        "queue": found,
        "progress": progress,
        "stack": stack(parts),
        "holds": holds_now(found),
        "hidden": hidden_pairs(found.project),
        "rules": in_words(found),
    }
