"""What a rater sees of an assignment, and nothing else: no model, no stored order, no one's answers."""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from labeling.models import Assignment, Criterion, Item, Passage, Queue, Response, User

_LANGUAGE = re.compile(r"[A-Za-z]{2,3}(-[A-Za-z0-9]{1,8})*", re.ASCII)


@dataclass(frozen=True, slots=True)
class Shown:
    """An assignment as its rater sees it; `right` is None for an item with a single response."""

    assignment: Assignment
    item: Item
    left: Response
    right: Response | None
    criteria: list[Criterion]
    guideline_version: int | None
    done: int
    of: int

    @property
    def expires_at(self) -> datetime | None:
        return self.assignment.lease_until

    @property
    def number(self) -> int:
        """Which comparison of the queue this is for its rater, from 1."""
        return self.done + 1

    @property
    def language(self) -> str:
        """The item's language if browsers understand the code, else "": importers keep whatever the file said."""
        return self.item.language if _LANGUAGE.fullmatch(self.item.language) else ""

    @property
    def last(self) -> dict[str, Any]:
        """The message that the responses answer."""
        return self.turns[-1]

    @property
    def earlier(self) -> list[dict[str, Any]]:
        return self.turns[:-1]

    @property
    def only_system(self) -> bool:
        """Whether nothing but a system prompt came before."""
        return all(message["role"] == "system" for message in self.earlier)

    @property
    def turns(self) -> list[dict[str, Any]]:
        """Messages as {"role", "content", "html", "renderer"}, oldest first."""
        return [
            message | html for message, html in zip(self.item.conversation, self.item.conversation_html, strict=True)
        ]


def shown(assignment: Assignment) -> Shown:
    """Everything the comparison screen and the API give to a rater. Two queries, whatever the project's size."""
    row = (
        Assignment.objects.select_related("pair__item", "pair__first", "pair__second", "guideline", "queue", "project")
        .defer("pair__item__metadata", "guideline__text", "guideline__html")
        .extra(  # the rater's own count, without a second round trip
            select={
                "done": "coalesce((SELECT done FROM labeling_passage p WHERE p.queue_id = labeling_assignment.queue_id"
                " AND p.rater_id = labeling_assignment.rater_id AND p.lane = ''), 0)"
            }
        )
        .get(pk=assignment.pk)
    )
    left, right = row.pair.first, row.pair.second
    if right is not None and row.swapped:
        left, right = right, left
    asked = Criterion.objects.filter(project_id=row.project_id).exclude(asked=Criterion.Asked.NEVER)
    return Shown(
        assignment=row,
        item=row.pair.item,
        left=left,
        right=right,
        criteria=list(asked),
        guideline_version=row.guideline.version if row.guideline else None,
        done=row.done,
        of=row.queue.pair_count if row.queue else 0,
    )


def open_assignment(queue: Queue, rater: User) -> Assignment | None:
    """The pair this rater has open in the queue; looking claims nothing. One query on a unique index."""
    return Assignment.objects.filter(queue=queue, rater=rater, state=Assignment.State.OPEN).first()


def progress(queue: Queue, rater: User) -> int:
    """How many pairs of the queue this rater has judged."""
    return Passage.objects.filter(queue=queue, rater=rater, lane="").values_list("done", flat=True).first() or 0
