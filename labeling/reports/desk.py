"""What a rater sees of an assignment, and nothing else: no model, no stored order, no one's answers."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.db.models import OuterRef

from labeling.models import Assignment, Criterion, Item, Passage, Queue, Response, User
from labeling.rendering.languages import well_formed
from labeling.reports.guidelines import last_read

MOST_UNFOLDED = 3

Turn = dict[str, Any]
# What was claimed before a text was published is judged to the end; the text is asked before the pair after it.
_CONSENT_DUE = """coalesce((
    SELECT newest.text <> '' AND newest.created_at <= labeling_assignment.claimed_at AND NOT EXISTS (
        SELECT FROM labeling_participation me
        WHERE me.project_id = labeling_assignment.project_id AND me.user_id = labeling_assignment.rater_id
          AND me.consent_id = newest.id AND me.consented_at IS NOT NULL)
    FROM labeling_consenttext newest WHERE newest.project_id = labeling_assignment.project_id
    ORDER BY newest.version DESC LIMIT 1), false)"""

# One probe of a partial index that is nearly always empty.
_UNTOLD = """(SELECT n.assignment_id FROM labeling_goldresult r JOIN labeling_annotation n ON n.id = r.annotation_id
    WHERE r.rater_id = labeling_assignment.rater_id AND r.project_id = labeling_assignment.project_id
      AND NOT r."right" AND r.told_at IS NULL AND NOT r.set_aside ORDER BY r.id LIMIT 1)"""


@dataclass(frozen=True, slots=True)
class Conversation:
    """Messages as {"role", "content", "html", "renderer"}, in the order in which they are read.

    `folded` turns are closed at first: all before the last thing the person said, when there are many.
    """

    system: list[Turn]
    folded: list[Turn]
    unfolded: list[Turn]
    last: Turn


@dataclass(frozen=True, slots=True)
class Shown:
    """An assignment as its rater sees it; `right` is None for an item with a single response.

    `of` is 0 where nobody can say how many there will be.

    `news`: its version of the guideline is newer than what the rater has read.
    `consent_due`: the pair came after a consent text that the rater has not agreed to.
    `untold`: the assignment of an earlier answer that was not the known one, of which they have not read yet.
    """

    assignment: Assignment
    item: Item
    left: Response
    right: Response | None
    criteria: list[Criterion]
    guideline_version: int | None
    done: int
    of: int
    news: bool = False
    consent_due: bool = False
    untold: int | None = None

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
        return well_formed(self.item.language)

    @property
    def conversation(self) -> Conversation:
        turns = [
            message | html for message, html in zip(self.item.conversation, self.item.conversation_html, strict=True)
        ]
        start = next((at for at, turn in enumerate(turns[:-1]) if turn["role"] != "system"), len(turns) - 1)
        said = turns[start:]
        asked = max((at for at, turn in enumerate(said) if turn["role"] == "user"), default=len(said) - 1)
        fold = asked if len(said) > MOST_UNFOLDED else 0
        return Conversation(turns[:start], said[:fold], said[fold:-1], said[-1])


def shown(assignment: Assignment) -> Shown:
    """Everything the comparison screen and the API give to a rater. Two queries, whatever the project's size."""
    row = (
        Assignment.objects.select_related("pair__item", "pair__first", "pair__second", "guideline", "queue", "project")
        .defer("pair__item__metadata", "guideline__text", "guideline__html")
        # the rater's own count and whether a consent is due, without a second round trip
        .extra(  # noqa: S610 (constants of this module)
            select={
                "done": "coalesce((SELECT done FROM labeling_passage p WHERE p.queue_id = labeling_assignment.queue_id"
                " AND p.rater_id = labeling_assignment.rater_id AND p.lane = ''), 0)",
                "consent_due": _CONSENT_DUE,
                "untold": _UNTOLD,
            }
        )
        .annotate(last_read=last_read(OuterRef("rater"), OuterRef("project")))
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
        of=end_of(row.queue, row.done + 1),
        news=row.last_read is not None and (row.guideline_id or 0) > row.last_read,
        consent_due=row.consent_due,
        untold=row.untold,
    )


def end_of(queue: Queue | None, number: int) -> int:
    """Where a rater's count ends who is at `number`; 0 if more than the queue's own pairs is mixed in, or it shrank."""
    return queue.pair_count if queue and not queue.mixes_in and number <= queue.pair_count else 0


def open_assignment(queue: Queue, rater: User) -> Assignment | None:
    """The pair this rater has open in the queue; looking claims nothing. One query on a unique index."""
    return Assignment.objects.filter(queue=queue, rater=rater, state=Assignment.State.OPEN).first()


def progress(queue: Queue, rater: User) -> int:
    """How many pairs of the queue this rater has judged."""
    return Passage.objects.filter(queue=queue, rater=rater, lane="").values_list("done", flat=True).first() or 0
