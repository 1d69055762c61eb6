"""A file of judgments made elsewhere → drafts, with the same care for lines and reasons as a file of items."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from labeling.importers.checks import Problem, storable, text
from labeling.importers.containers import RowFile
from labeling.importers.drafts import CHOICES, MOST_ID, Refused, Row

STRENGTHS = {"slight": 1, "slightly": 1, "clear": 2, "clearly": 2, "much": 3, "tie": 0}
MOST_STRENGTH = 4
MOST_TEXT = 10_000
MOST_SCORE = 32_767
_KEY = re.compile(r"[A-Za-z0-9_-]{1,40}")


@dataclass(frozen=True, slots=True)
class JudgmentDraft:
    """One value of one rater on one item. Exactly one of `choice`, `label` and `score` is set.

    `choice` is a, b or tie in the order of the item's file; `strength` is 1 to 4, or None when the file does not
    say; `response` is a or b when the value is of one of two responses.
    """

    line: int
    item_id: str
    rater_id: str
    criterion: str
    choice: str | None = None
    strength: int | None = None
    label: str | None = None
    score: int | None = None
    response: str | None = None
    rationale: str = ""
    at: datetime | None = None
    swapped: bool = False


def judgment_drafts(source: RowFile) -> Iterator[JudgmentDraft | Refused]:
    for line, row in source.rows():
        if isinstance(row, Refused):
            yield row
            continue
        try:
            yield judgment_draft(line, row)
        except Problem as problem:
            yield Refused(line, problem.field, problem.reason)


def judgment_draft(line: int, row: Row) -> JudgmentDraft:
    criterion = text(row.get("criterion"), "criterion")
    if not _KEY.fullmatch(criterion):
        raise Problem("criterion", "is not a key; use at most 40 letters, digits, hyphens and underscores")
    return JudgmentDraft(
        line=line,
        item_id=_id(row, "item_id"),
        rater_id=_id(row, "rater_id"),
        criterion=criterion,
        **_value(row),
        response=_one_of(row.get("response"), "response", ("a", "b")),
        rationale=storable(row.get("rationale") or "", "rationale", most=MOST_TEXT),
        at=_moment(row.get("created_at")),
        swapped=row.get("shown_swapped") in (True, "true", "True", "1"),
    )


def _value(row: Row) -> dict[str, Any]:
    """A choice goes before a score or label beside it, which repeat it."""
    if _given(row, "choice"):
        choice = _one_of(row["choice"], "choice", tuple(CHOICES))
        return {"choice": choice, "strength": None if choice == "tie" else _strength(row.get("strength"))}
    if _given(row, "label"):
        return {"label": text(row["label"], "label", most=MOST_TEXT)}
    if _given(row, "score"):
        return {"score": _score(row["score"])}
    raise Problem("choice", "is missing; every row needs a choice (a, b, tie), a label or a score")


def _given(row: Row, name: str) -> bool:
    return row.get(name) is not None and row[name] != ""


def _id(row: Row, name: str) -> str:
    value = row.get(name)
    return text(str(value) if isinstance(value, int) and not isinstance(value, bool) else value, name, most=MOST_ID)


def _one_of(value: Any, field: str, known: tuple[str, ...]) -> str | None:
    if value is None or value == "":
        return None
    if value not in known:
        raise Problem(field, f"is {str(value)[:40]!r}; use one of {', '.join(known)}")
    return str(value)


def _strength(value: Any) -> int | None:
    if value is None or value == "":
        return None
    known = STRENGTHS.get(value.lower(), value) if isinstance(value, str) else value
    number = _whole(known)
    if number is None or not 1 <= abs(number) <= MOST_STRENGTH:
        raise Problem(
            "strength", f"is {str(value)[:40]!r}; use slight, clear, much or a number from 1 to {MOST_STRENGTH}"
        )
    return abs(number)


def _score(value: Any) -> int:
    number = _whole(value)
    if number is None or abs(number) > MOST_SCORE:
        raise Problem("score", f"is {str(value)[:40]!r}; ratings are whole numbers up to {MOST_SCORE:,}")
    return number


def _whole(value: Any) -> int | None:
    if isinstance(value, str) and re.fullmatch(r"[+-]?\d{1,9}", value):
        return int(value)
    if isinstance(value, float) and value.is_integer():
        return int(value)
    return value if isinstance(value, int) and not isinstance(value, bool) else None


def _moment(value: object) -> datetime | None:
    """A time without a zone is taken as UTC."""
    if value is None or value == "":
        return None
    if not isinstance(value, datetime):
        try:
            moment = datetime.fromisoformat(str(value).removesuffix(" UTC"))
        except ValueError:
            raise Problem("created_at", f"is {str(value)[:40]!r}; use a time such as 2024-05-18T19:59:45Z") from None
    else:
        moment = value
    return moment if moment.tzinfo else moment.replace(tzinfo=UTC)
