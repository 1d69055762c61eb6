"""The list of disagreements: which pairs wait for a decision, the most split first.

One page is one range of the index (project, split, id), from a cursor on; the table holds open disagreements only, so
its cost depends on the page and not on the project. A filter is asked row by row along that range, by the primary key
of the item or the unique index of slots. Counts stop at MOST_COUNTED.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Self

from django.db.models import Exists, OuterRef, Q, QuerySet
from django.utils import timezone

from labeling.models import Annotation, Criterion, Disagreement, Project, Queue, Slot, Topic, User

MOST_COUNTED = 500
LONGEST_TAG = 100
LOOKED = 200  # rows at once, of which one is sought
DIVIDES = (Criterion.Kind.PREFERENCE, Criterion.Kind.SAFETY)
DECIDABLE = (*DIVIDES, Criterion.Kind.RATING)
# What a page of the list reads of an item is its last message.
_UNREAD = ("pair__item__conversation_html", "pair__item__metadata", "pair__item__gold")


@dataclass(frozen=True, slots=True)
class Chosen:
    """Which disagreements; what is empty takes all. `criterion` and `queue` are ids, `kind` is a Disagreement.Kind."""

    criterion: int | None = None
    queue: int | None = None
    kind: str = ""
    language: str = ""
    tag: str = ""

    @classmethod
    def of(cls, asked: Mapping[str, str]) -> Self:
        """From an address, in which anything may stand."""
        return cls(
            criterion=_id(asked.get("criterion", "")),
            queue=_id(asked.get("queue", "")),
            kind=asked.get("kind", "") if asked.get("kind", "") in Disagreement.Kind.values else "",
            language=asked.get("language", "").replace("\0", "").strip()[:35],
            tag=asked.get("tag", "").replace("\0", "").strip()[:LONGEST_TAG],
        )

    @property
    def fields(self) -> dict[str, str]:
        """As an address has it."""
        found = {name: getattr(self, name) for name in ("criterion", "queue", "kind", "language", "tag")}
        return {name: str(value) for name, value in found.items() if value}


@dataclass(frozen=True, slots=True)
class Cursor:
    """A place in the list: behind a disagreement, by how split it is and its id."""

    split: float
    pk: int

    def __str__(self) -> str:
        return f"{self.split!r}_{self.pk}"

    @classmethod
    def of(cls, row: Disagreement) -> Self:
        return cls(row.split, row.pk)

    @classmethod
    def parse(cls, text: str) -> Self | None:
        """None for anything that was not given out as a cursor."""
        found = re.fullmatch(r"(\d(?:\.\d{1,20})?(?:e-\d{1,3})?)_(\d{1,18})", text, re.ASCII)
        return cls(float(found[1]), int(found[2])) if found else None


@dataclass(frozen=True, slots=True)
class Page:
    rows: list[Disagreement]
    following: Cursor | None


def disagreements(project: Project, chosen: Chosen, after: Cursor | None = None) -> QuerySet[Disagreement]:
    """The open ones, the most split first."""
    rows = Disagreement.objects.filter(project=project)
    if chosen.criterion:
        rows = rows.filter(criteria__contains=[chosen.criterion])
    if chosen.kind:
        rows = rows.filter(kinds__contains=[chosen.kind])
    if chosen.language:
        rows = rows.filter(pair__item__language=chosen.language)
    if chosen.tag:
        rows = rows.filter(pair__item__tags__contains=[chosen.tag])
    if chosen.queue:
        rows = rows.filter(Exists(Slot.objects.filter(queue=chosen.queue, pair=OuterRef("pair"))))
    if after is not None:
        rows = rows.filter(Q(split__lt=after.split) | Q(pk__gt=after.pk), split__lte=after.split)
    return rows.order_by("-split", "pk")


def page(project: Project, chosen: Chosen, after: Cursor | None, limit: int) -> Page:
    """At most `limit` of them, with what the list shows. One query."""
    rows = disagreements(project, chosen, after).select_related("pair__item", "held_by").defer(*_UNREAD)
    found = list(rows[: limit + 1])
    return Page(found[:limit], Cursor.of(found[limit - 1]) if len(found) > limit else None)


def counted(project: Project, chosen: Chosen) -> int:
    """How many there are; MOST_COUNTED + 1 stands for more than that. One query."""
    return disagreements(project, chosen).order_by()[: MOST_COUNTED + 1].count()


def next_for(user: User, project: Project, chosen: Chosen, after: Cursor | None) -> Disagreement | None:
    """The first behind `after` that is this person's to decide: not judged by them, and nobody else looking at it."""
    now = timezone.now()
    for row in mine_to_decide(user, project, chosen, after):
        if row.held_by_id in (None, user.pk) or row.held_until is None or row.held_until <= now:
            return row
    return None


def mine_to_decide(user: User, project: Project, chosen: Chosen, after: Cursor | None = None) -> Iterator[Disagreement]:
    """The list without those that the person judged as a rater, or wrote. Two queries for LOOKED rows: asked together,
    the planner may begin with everything that the person judged."""
    own = Annotation.objects.filter(project=project, pair=OuterRef("pair"), rater=user, current=True)
    while rows := list(disagreements(project, chosen, after).values_list("split", "pk")[:LOOKED]):
        found = Disagreement.objects.filter(~Exists(own), pk__in=[pk for _, pk in rows]).order_by("-split", "pk")
        yield from found.exclude(pair__item__author=user).select_related("pair__item").defer(*_UNREAD)
        if len(rows) < LOOKED:
            return
        after = Cursor(*rows[-1])


def choices(project: Project) -> dict[str, Any]:
    """What the filters offer. Three queries."""
    return {
        "criteria": list(project.criteria.filter(kind__in=DIVIDES)),
        "queues": list(Queue.objects.filter(project=project).order_by("name")),
        "topics": list(Topic.objects.filter(project=project).order_by("name")),
        "kinds": Disagreement.Kind.choices,
    }


def _id(text: str) -> int | None:
    return int(text) if text.isascii() and text.isdecimal() and len(text) < 19 else None
