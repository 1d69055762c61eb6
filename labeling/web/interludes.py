"""What stands in for a pair at the desk: the choice before a sensitive one, and a break. `web/desk.py` asks both.

Each decides by what is stored, so that a reload shows it again.
"""

from __future__ import annotations

from typing import Any

from django.utils.translation import gettext as _

from labeling.actions import breaks
from labeling.models import Assignment, CheckIn, Project, Queue, Topic
from labeling.reports.desk import Shown
from labeling.reports.exposure import capped_topics
from labeling.web.guards import PersonRequest
from labeling.web.screens import Screen


def before_sensitive(request: PersonRequest, queue: Queue, seen: Shown) -> Screen | None:
    """Instead of a sensitive pair that was not opened: what it is about. Nothing of its text is in the answer."""
    if not seen.assignment.unopened:
        return None
    context = {
        "assignment": seen.assignment,
        "number": seen.number,
        "of": seen.of,
        "about": names_of(queue.project, seen.assignment.lane),
        "has_images": _has_images(seen),
    }
    return Screen("labeling/sensitive.html", context)


def pause(request: PersonRequest, queue: Queue, *, looked: bool) -> Screen | None:
    """The break to offer when no pair is open. `looked`: a claim was tried and found nothing."""
    if queue.paused:
        return None
    due = breaks.pause_due(queue, request.user)
    if due is None and looked:
        due = breaks.pause_after_the_run(queue, request.user)
    return None if due is None else Screen("labeling/break.html", {"pause": due} | _asking(request, queue))


def resting(request: PersonRequest, queue: Queue, held: Assignment | None) -> Screen:
    """The page of a break that was begun."""
    return Screen("labeling/break.html", {"held": held} | _asking(request, queue))


def enough(request: PersonRequest, queue: Queue, assignment: Assignment) -> Screen | None:
    """After a sensitive pair that reached the cap of its topic: once, in place of what comes next."""
    if not assignment.opened_at or not capped_topics(assignment.project_id, request.user.pk, assignment.lane):
        return None
    return told_enough(request, queue)


def told_enough(request: PersonRequest, queue: Queue) -> Screen:
    return Screen("labeling/break.html", {"enough": True} | _asking(request, queue))


def names_of(project: Project, lane: str) -> str:
    """The lane's topics in words; one that was removed since goes by its tag."""
    names = dict(Topic.objects.filter(project=project).values_list("key", "name"))
    words = [names.get(key, key) for key in lane.split()]
    if len(words) < 2:
        return "".join(words)
    return _("%(first)s and %(last)s") % {"first": _(", ").join(words[:-1]), "last": words[-1]}


def _asking(request: PersonRequest, queue: Queue) -> dict[str, Any]:
    return {"asks": breaks.asks_how_they_are(queue, request.user), "feelings": CheckIn.Feeling.choices}


def _has_images(seen: Shown) -> bool:
    contents = [message["content"] for message in seen.item.conversation]
    parts = [part for content in contents if isinstance(content, list) for part in content]
    inside = any(part.get("type") == "image" for part in parts)
    return inside or bool(seen.left.parts) or bool(seen.right and seen.right.parts)
