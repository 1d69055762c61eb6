"""What was done in a project lately, in words."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from itertools import groupby
from typing import Any

from labeling.models import AuditEntry, Project, User

READ, SHOWN = 300, 10


@dataclass(frozen=True, slots=True)
class Line:
    """`who` is empty where the clock did it and the text is a sentence of its own."""

    at: datetime
    who: str
    text: str


def recent_lines(project: Project) -> list[Line]:
    """The newest acts; raters' work of the same kind in a row is one line. Two queries, whatever the history."""
    entries = list(AuditEntry.objects.filter(project_id=project.pk).order_by("-id")[:READ])
    named = {pk for entry in entries for pk in (entry.actor_id, entry.data.get("user")) if pk is not None}
    people = {user.pk: user.display_name for user in User.objects.filter(pk__in=named)}
    lines = []
    for _, run in groupby(entries, key=_run):
        same = list(run)
        lines.append(Line(same[0].at, _who(same, people), _text(same, people)))
        if len(lines) == SHOWN:
            break
    return lines


def _run(entry: AuditEntry) -> str:
    """Judging and its like run together; what a manager does stands alone."""
    return entry.act if entry.act.startswith(("annotation.", "assignment.")) else f"{entry.act} {entry.pk}"


def _who(run: list[AuditEntry], people: dict[int, str]) -> str:
    actors = {entry.actor_id for entry in run if entry.actor_id}
    if not actors and run[0].act not in _OF_THE_CLOCK:
        return "The operator"
    return people.get(actors.pop(), "Someone") if len(actors) == 1 else f"{len(actors)} people" if actors else ""


def _text(run: list[AuditEntry], people: dict[int, str]) -> str:
    known = _TEXTS.get(run[0].act)
    if known is None:
        return run[0].act.replace(".", " ").replace("_", " ")
    data = run[0].data
    return known(data | {"times": len(run), "person": people.get(data.get("user", 0), "someone")})


def _counted(one: str, many: str) -> Callable[[dict[str, Any]], str]:
    return lambda data: one if data["times"] == 1 else many.format(data["times"])


def _queue_changed(data: dict[str, Any]) -> str:
    before, after = data.get("before", {}), data.get("after", {})
    if set(after) == {"paused"}:
        return "paused a queue" if after["paused"] else "resumed a queue"
    changed = [
        f"{name.replace('_', ' ')} {before.get(name)} → {value}"
        for name, value in after.items()
        if before.get(name) != value
    ]
    return "changed a queue: " + ", ".join(changed) if changed else "saved a queue's settings"


_OF_THE_CLOCK = {"assignments.expired", "batch.finished", "batch.failed", "export.finished"}
_TEXTS: dict[str, Callable[[dict[str, Any]], str]] = {
    "annotation.submitted": _counted("judged a pair", "judged {} pairs"),
    "annotation.revised": _counted("changed an answer", "changed {} answers"),
    "assignment.renewed": _counted("kept a pair longer", "kept pairs longer, {} times"),
    "assignment.skipped": _counted("skipped a pair", "skipped {} pairs"),
    "assignment.released": _counted("gave a pair back", "gave {} pairs back"),
    "assignments.expired": lambda data: (
        f"Pairs went back because their time was over: {len(data.get('assignments', []))}"
    ),
    "project.created": lambda data: "made the project",
    "project.changed": lambda data: "changed " + ", ".join(data.get("after", {})).replace("_", " "),
    "guideline.drafted": lambda data: "saved a draft of the guideline",
    "guideline.published": lambda data: f"published version {data.get('version')} of the guideline",
    "queue.created": lambda data: f"made the queue “{data.get('name')}”",
    "queue.changed": _queue_changed,
    "member.added": lambda data: f"made {data['person']} a {data.get('role')}",
    "member.removed": lambda data: f"took the role of {data.get('role')} from {data['person']}",
    "invitation.made": lambda data: f"made an invitation for a {data.get('role')}",
    "invitation.accepted": lambda data: f"accepted an invitation as {data.get('role')}",
    "invitation.revoked": lambda data: "withdrew an invitation",
    "batch.started": lambda data: f"started the import of “{data.get('name')}”",
    "batch.finished": lambda data: (
        f"An import is done: {data.get('kept', 0):,} kept, {data.get('refused', 0):,} refused"
    ),
    "batch.failed": lambda data: f"An import failed: {data.get('error', '')}",
    "judgments.imported": lambda data: f"imported {data.get('judgments', 0):,} judgments",
    "export.requested": lambda data: "asked for an export",
    "export.finished": lambda data: f"An export is done: {data.get('rows', 0):,} rows",
    "export.deleted": lambda data: f"deleted the export “{data.get('name')}”",
}
