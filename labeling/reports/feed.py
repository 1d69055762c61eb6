"""Current annotations in an order that never changes behind a reader, so that a cursor can be kept for ever.

Ids are given out before their rows can be seen, so a reader that stops at the highest id would miss what a slower
transaction writes below it. The order is therefore (transaction, id), and a row is shown once every transaction
up to its own has ended: `transaction < pg_snapshot_xmin(pg_current_snapshot())`.

What was told cannot be untold, so a reader who must know asks for the project's withdrawals. From then on the feed
leaves out what was given under a consent that was taken back, for ever; what a manager set aside comes marked as
`withdrawn`, because it may be lifted again and a cursor that went past it would never come back.

A database that was restored from a dump counts its transactions afresh. What a reader can see with a number that
this cluster has not reached yet comes from before: those rows are shown first, and a cursor within them goes on
with everything written since. After a restore some rows may come twice, none is left out.
"""

from __future__ import annotations

import base64
import binascii
import struct
from dataclasses import dataclass
from typing import Any, Self

from django.db import connection

from labeling.models import Annotation, Criterion, Judgment, Pair, Project
from labeling.reports.counted import CONSENT_STANDS, COUNTS
from labeling.reports.pseudonyms import pseudonym

_PACK = struct.Struct(">QQ")
# Bounds are spelt out in each branch: through a shared CTE they would no longer bound the index range.
_PAGE = f"""
SELECT found.part, found.transaction, found.id, NOT ({COUNTS}) FROM ((
    SELECT 1 AS part, transaction, id FROM labeling_annotation a
    WHERE project_id = %(project)s AND current AND {CONSENT_STANDS}
      AND transaction >= pg_snapshot_xmax(pg_current_snapshot())
      AND (%(transaction)s::xid8 = '0' OR %(transaction)s::xid8 >= pg_snapshot_xmax(pg_current_snapshot()))
      AND (transaction, id) > (%(transaction)s::xid8, %(id)s::bigint)
    ORDER BY transaction, id LIMIT %(limit)s
) UNION ALL (
    SELECT 2, transaction, id FROM labeling_annotation a
    WHERE project_id = %(project)s AND current AND {CONSENT_STANDS}
      AND transaction < pg_snapshot_xmin(pg_current_snapshot())
      AND (transaction, id) > (
          CASE WHEN %(transaction)s::xid8 < pg_snapshot_xmax(pg_current_snapshot())
               THEN %(transaction)s::xid8 ELSE '0' END,
          CASE WHEN %(transaction)s::xid8 < pg_snapshot_xmax(pg_current_snapshot()) THEN %(id)s::bigint ELSE 0 END
      )
    ORDER BY transaction, id LIMIT %(limit)s
) ORDER BY part, transaction, id LIMIT %(limit)s) found
JOIN labeling_annotation a ON a.id = found.id ORDER BY found.part, found.transaction, found.id
"""  # noqa: S608


@dataclass(frozen=True, slots=True)
class Cursor:
    """The last annotation a reader has: its transaction and id."""

    transaction: int = 0
    id: int = 0

    def __str__(self) -> str:
        return base64.urlsafe_b64encode(_PACK.pack(self.transaction, self.id)).decode().rstrip("=")

    @classmethod
    def parse(cls, text: str) -> Self:
        """Raises ValueError for anything that was not given out as a cursor."""
        try:
            found = cls(*_PACK.unpack(base64.b64decode(text + "=" * (-len(text) % 4), altchars=b"-_", validate=True)))
        except (binascii.Error, struct.error, ValueError) as problem:
            raise ValueError("not a cursor") from problem
        if found.id >= 2**63:
            raise ValueError("not a cursor")
        return found


@dataclass(frozen=True, slots=True)
class Page:
    rows: list[dict[str, Any]]
    end: Cursor


def page(project: Project, after: Cursor, limit: int) -> Page:
    """At most `limit` annotations after the cursor, and the cursor behind the last. Three queries."""
    with connection.cursor() as cursor:
        cursor.execute(
            _PAGE, {"project": project.pk, "transaction": str(after.transaction), "id": after.id, "limit": limit}
        )
        found = cursor.fetchall()
    if not found:
        return Page([], after)
    related = ("pair__item", "pair__first", "pair__second", "guideline", "assignment")
    unread = ("pair__item__conversation", "pair__item__conversation_html", "pair__item__metadata", "pair__first__html",
              "pair__second__html", "guideline__text", "guideline__html", "guideline__principles",
              "assignment__draft")  # fmt: skip
    ids = [row[2] for row in found]
    annotations = Annotation.objects.select_related(*related).defer(*unread).in_bulk(ids)
    judgments: dict[int, list[Judgment]] = {pk: [] for pk in ids}
    for judgment in (
        Judgment.objects.filter(annotation__in=ids).select_related("criterion").order_by("criterion__position", "id")
    ):
        judgments[judgment.annotation_id].append(judgment)
    withdrawn = {row[2]: row[3] for row in found}
    rows = [row_of(project, annotations[pk], judgments[pk], withdrawn=withdrawn[pk]) for pk in ids if pk in annotations]
    return Page(rows, Cursor(int(found[-1][1]), found[-1][2]))


def row_of(project: Project, annotation: Annotation, judgments: list[Judgment], *, withdrawn: bool) -> dict[str, Any]:
    """One annotation in stored order (`first`, `second`), its rater by pseudonym. Runs no query."""
    pair, assignment = annotation.pair, annotation.assignment
    return {
        "id": annotation.pk,
        "assignment": assignment.pk,
        "revision": annotation.revision,
        "item": {"id": pair.item_id, "external_id": pair.item.external_id or None, "language": pair.item.language},
        "pair": pair.pk,
        "first": {"id": pair.first.pk, "model": pair.first.model_name or None, "content": pair.first.content},
        "second": pair.second
        and {"id": pair.second.pk, "model": pair.second.model_name or None, "content": pair.second.content},
        "swapped": assignment.swapped,
        "judgments": _by_criterion(pair, judgments),
        "rater": pseudonym(project, annotation.rater_id),
        "guideline": annotation.guideline.version if annotation.guideline else None,
        "principle": annotation.principle,
        "instrument": annotation.instrument,
        "kept_hints": annotation.kept_hints,
        "claimed_at": assignment.claimed_at,
        "created_at": annotation.created_at,
        "active_ms": annotation.active_ms,
        "withdrawn": withdrawn,
    }


def _by_criterion(pair: Pair, judgments: list[Judgment]) -> dict[str, Any]:
    found: dict[str, Any] = {}
    for judgment in judgments:
        key = judgment.criterion.key
        if judgment.response_id is None:
            found[key] = _value(judgment)
        else:
            side = "first" if judgment.response_id == pair.first_id else "second"
            found.setdefault(key, {})[side] = _value(judgment)
    return found


def _value(judgment: Judgment) -> dict[str, Any]:
    match judgment.criterion.kind:
        case Criterion.Kind.PREFERENCE:
            return {"preference": judgment.preference, "both_bad": judgment.both_bad, "rationale": judgment.text}
        case Criterion.Kind.SAFETY:
            harm = {"categories": judgment.categories, "severity": judgment.severity}
            return {"safe": judgment.safe, **harm, "rationale": judgment.text}
        case Criterion.Kind.RATING:
            return {"rating": judgment.rating, "rationale": judgment.text}
        case Criterion.Kind.REASONS:
            return {"chosen": judgment.categories}
        case _:
            return {"text": judgment.text}
