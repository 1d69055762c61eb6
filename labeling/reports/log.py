"""The audit log of a project, to be searched: who did what to which thing, when, and what it was before.

What raters do for their own sake (skips, breaks, topics) is not told beside a name here either.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from typing import Any

from django.db.models import Q, QuerySet

from labeling.models import AuditEntry, Project, User
from labeling.models.audit import ROUTINE
from labeling.reports.recent import PRIVATE, sentence

PAGE = 50
MOST = 100_000


@dataclass(frozen=True, slots=True)
class Search:
    """What to look for. `kind` is the beginning of an act up to its dot; `work` shows what raters do all day, too."""

    kind: str = ""
    person: int | None = None
    thing: str = ""
    since: date | None = None
    until: date | None = None
    work: bool = False

    @property
    def anything(self) -> bool:
        return bool(self.kind or self.person or self.thing or self.since or self.until or self.work)


@dataclass(frozen=True, slots=True)
class Logged:
    """`who` is empty where the clock did it; `changes` are (field, before, after), `more` what else was noted."""

    pk: int
    at: datetime
    act: str
    who: str
    text: str
    thing: str
    changes: list[tuple[str, Any, Any]]
    more: dict[str, Any]


@dataclass(frozen=True, slots=True)
class LogPage:
    """`older` is the id before which the next page begins, or none."""

    entries: list[Logged]
    older: int | None


def log_page(project: Project, search: Search, *, before: int | None = None) -> LogPage:
    """Newest first. Two queries, each one index range, whatever the history."""
    entries = _found(project, search)
    if before is not None:
        entries = entries.filter(pk__lt=before)
    rows = list(entries.order_by("-pk")[: PAGE + 1])
    return LogPage(_logged(rows[:PAGE]), rows[PAGE - 1].pk if len(rows) > PAGE else None)


def log_lines(project: Project, search: Search) -> Iterator[Logged]:
    """Everything found, newest first, at most MOST entries: for a file."""
    entries, last, left = _found(project, search), None, MOST
    while left:
        part = entries if last is None else entries.filter(pk__lt=last)
        rows = list(part.order_by("-pk")[: min(1000, left)])
        if not rows:
            return
        yield from _logged(rows)
        last, left = rows[-1].pk, left - len(rows)


def kinds(project: Project) -> list[str]:
    """What has happened in the project so far, by the beginnings of the acts; raters' own work is one of them."""
    acts = AuditEntry.objects.filter(_shown(), project_id=project.pk).exclude(act__in=PRIVATE)
    return sorted({act.partition(".")[0] for act in acts.order_by().values_list("act", flat=True).distinct()})


def people(project: Project) -> list[User]:
    """Who has done something that is not routine, by name."""
    acts = AuditEntry.objects.filter(_shown(), project_id=project.pk, actor_id__isnull=False)
    return list(User.objects.filter(pk__in=acts.order_by().values("actor_id")).order_by("name", "pk"))


def _shown() -> Q:
    # spelt as the condition of the partial index is, so that PostgreSQL takes it
    return ~Q(act__in=ROUTINE)


def _found(project: Project, search: Search) -> QuerySet[AuditEntry]:
    entries = AuditEntry.objects.filter(project_id=project.pk).exclude(act__in=PRIVATE)
    if not search.work:
        entries = entries.filter(_shown())
    if search.kind:
        entries = entries.filter(act__startswith=f"{search.kind}.")
    if search.person is not None:
        entries = entries.filter(actor_id=search.person)
    if search.thing:
        kind, _, number = search.thing.strip().rpartition(" ")
        if number.isascii() and number.isdecimal() and len(number) < 18:
            entries = entries.filter(target_id=int(number), target_type__startswith=kind.replace(" ", "").lower())
        else:
            entries = entries.filter(target_type=search.thing.strip().lower())
    if search.since:
        entries = entries.filter(at__gte=datetime.combine(search.since, time.min, UTC))
    if search.until:
        entries = entries.filter(at__lt=datetime.combine(search.until + timedelta(days=1), time.min, UTC))
    return entries


def _logged(entries: Iterable[AuditEntry]) -> list[Logged]:
    entries = list(entries)
    named = {pk for entry in entries for pk in (entry.actor_id, entry.data.get("user")) if isinstance(pk, int)}
    names = {user.pk: user.display_name for user in User.objects.filter(pk__in=named)} if named else {}
    return [_one(entry, names) for entry in entries]


def _one(entry: AuditEntry, names: dict[int, str]) -> Logged:
    who, text = sentence([entry], names)
    before, after = (entry.data.get(side) for side in ("before", "after"))
    changes = []
    if isinstance(before, dict) and isinstance(after, dict):
        changes = [(field, before.get(field), value) for field, value in after.items() if before.get(field) != value]
    more = {key: value for key, value in entry.data.items() if not (changes and key in ("before", "after"))}
    thing = f"{entry.target_type} {entry.target_id}" if entry.target_id else entry.target_type
    return Logged(entry.pk, entry.at, entry.act, who, text, thing, changes, more)
