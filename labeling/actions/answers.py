"""What a rater sent, read against the project's criteria: from the shown sides to the stored order, once.

A body is {"judgments": {criterion key: answer}}, an answer one of
    preference  {"preference": -3…3, "both_bad": bool, "rationale": str}       negative prefers the left
    safety      {"left": {"safe": bool, "categories": [str], "severity": 1…}, "right": {…}}
    rating      {"left": {"rating": int}, "right": {"rating": int}}
    text        {"text": str}
Every problem is reported at once, by its path.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Iterator
from dataclasses import astuple, dataclass, field
from typing import Any, TypeGuard

import orjson

from labeling.actions.refusals import Refused
from labeling.models import Criterion, Judgment, Pair

Kind = Criterion.Kind
LONGEST_TEXT = 10_000
SIDES = ("left", "right")


@dataclass(frozen=True, slots=True)
class Answer:
    """One value in stored order, ready to become a Judgment."""

    criterion_id: int
    response_id: int | None = None
    preference: int | None = None
    both_bad: bool = False
    rating: int | None = None
    safe: bool | None = None
    categories: tuple[str, ...] = ()
    severity: int | None = None
    text: str = ""

    def judgment(self, annotation_id: int, project_id: int) -> Judgment:
        return Judgment(
            annotation_id=annotation_id, project_id=project_id, criterion_id=self.criterion_id,
            response_id=self.response_id, preference=self.preference, both_bad=self.both_bad, rating=self.rating,
            safe=self.safe, categories=list(self.categories), severity=self.severity, text=self.text,
        )  # fmt: skip


@dataclass
class Reading:
    """The reading of one body: what it holds, and what is wrong with it by path."""

    pair: Pair
    swapped: bool
    answers: list[Answer] = field(default_factory=list)
    errors: dict[str, str] = field(default_factory=dict)

    def response(self, side: str) -> int | None:
        """The response shown on a side; a pair without a second response shows its only one on the left."""
        if self.pair.second_id is None:
            return self.pair.first_id if side == "left" else None
        return self.pair.second_id if (side == "left") == self.swapped else self.pair.first_id


def read_answers(
    body: Any, *, criteria: Iterable[Criterion], pair: Pair, swapped: bool, complete: bool = False
) -> list[Answer]:
    """The answers of a body in stored order, sorted; raises Refused("invalid") naming each wrong field.

    `complete` asks for every question the screen shows; without it, only for criteria marked required, so that
    a program may send the judgments it has.
    """
    reading = Reading(pair, swapped)
    judgments = body.get("judgments") if isinstance(body, dict) else None
    known = {criterion.key: criterion for criterion in criteria if criterion.asked != Criterion.Asked.NEVER}
    if not isinstance(judgments, dict) or not judgments:
        raise Refused(
            "invalid", 'Send {"judgments": {…}} with at least one answer.', {"judgments": "Needs at least one answer."}
        )
    for key, answer in judgments.items():
        criterion = known.get(key)
        if criterion is None:
            reading.errors[f"judgments.{key}"] = f"No such criterion. This project asks: {', '.join(known)}."
        elif not isinstance(answer, dict):
            reading.errors[f"judgments.{key}"] = "Must be an object."
        else:
            _READERS[Kind(criterion.kind)](reading, criterion, f"judgments.{key}", answer)
    _missing(reading, known.values(), judgments, complete)
    if reading.errors:
        raise Refused("invalid", "Some answers are missing or not understood.", reading.errors)
    return sorted(reading.answers, key=lambda answer: (answer.criterion_id, answer.response_id or 0))


def digest(answers: list[Answer]) -> str:
    """SHA-256 in hex of answers in stored order: the same answers sent again are the same annotation."""
    return hashlib.sha256(orjson.dumps([astuple(answer) for answer in answers])).hexdigest()


def conflict(signs: Iterable[int]) -> bool:
    """Whether preferences point different ways; ties point nowhere."""
    return len({sign > 0 for sign in signs if sign}) == 2


def _missing(reading: Reading, criteria: Iterable[Criterion], judgments: dict[str, Any], complete: bool) -> None:
    criteria = list(criteria)
    asked = {c.pk: c for c in criteria if c.asked == Criterion.Asked.ALWAYS and c.kind != Kind.TEXT}
    if reading.pair.second_id is None:
        asked = {pk: c for pk, c in asked.items() if c.kind != Kind.PREFERENCE}
    preferences = [a.preference or 0 for a in reading.answers if a.criterion_id in asked]
    for criterion in criteria:
        wanted = criterion.required or (complete and criterion.pk in asked)
        if complete and criterion.asked == Criterion.Asked.ON_CONFLICT:
            wanted = wanted or conflict(preferences)
        if (
            wanted
            and criterion.key not in judgments
            and not (criterion.kind == Kind.PREFERENCE and reading.pair.second_id is None)
        ):
            reading.errors[f"judgments.{criterion.key}"] = f"Answer “{criterion.name}” to go on."


def _preference(reading: Reading, criterion: Criterion, path: str, answer: dict[str, Any]) -> None:
    _only(reading, path, answer, {"preference", "both_bad", "rationale"})
    both_bad, value = answer.get("both_bad", False), answer.get("preference")
    text = _text(reading, f"{path}.rationale", answer.get("rationale", ""))
    if reading.pair.second_id is None:
        reading.errors[path] = "This item has one response: there is nothing to prefer."
    elif not isinstance(both_bad, bool):
        reading.errors[f"{path}.both_bad"] = "Must be true or false."
    elif both_bad and not criterion.allow_both_bad:
        reading.errors[f"{path}.both_bad"] = "This criterion does not offer “neither is acceptable”."
    elif both_bad and value not in (None, 0):
        reading.errors[f"{path}.preference"] = "Leave it out, or 0, when neither response is acceptable."
    elif both_bad:
        reading.answers.append(Answer(criterion.pk, both_bad=True, text=text))
    elif not _whole(value) or abs(value) > criterion.strengths:
        reading.errors[f"{path}.preference"] = (
            f"Must be a whole number from -{criterion.strengths} to {criterion.strengths}."
        )
    elif value == 0 and not criterion.allow_tie:
        reading.errors[f"{path}.preference"] = "This criterion allows no tie: choose a side."
    else:
        reading.answers.append(Answer(criterion.pk, preference=-value if reading.swapped else value, text=text))


def _safety(reading: Reading, criterion: Criterion, path: str, answer: dict[str, Any]) -> None:
    for response_id, place, side in _sides(reading, path, answer, {"safe", "categories", "severity", "rationale"}):
        safe, categories, severity = side.get("safe"), side.get("categories", []), side.get("severity")
        text = _text(reading, f"{place}.rationale", side.get("rationale", ""))
        if not isinstance(safe, bool):
            reading.errors[f"{place}.safe"] = "Must be true or false."
        elif safe and (categories or severity is not None):
            reading.errors[f"{place}.safe"] = "A safe response has neither categories nor a severity."
        elif not _categories_fit(criterion, categories):
            reading.errors[f"{place}.categories"] = (
                f"Must be a list from: {', '.join(criterion.categories) or 'short texts'}."
            )
        elif severity is not None and not (_whole(severity) and 1 <= severity <= criterion.severities):
            reading.errors[f"{place}.severity"] = f"Must be a whole number from 1 to {criterion.severities}."
        else:
            harms = tuple(sorted(set(categories)))
            reading.answers.append(
                Answer(criterion.pk, response_id, safe=safe, categories=harms, severity=severity, text=text)
            )


def _rating(reading: Reading, criterion: Criterion, path: str, answer: dict[str, Any]) -> None:
    for response_id, place, side in _sides(reading, path, answer, {"rating", "rationale"}):
        value = side.get("rating")
        text = _text(reading, f"{place}.rationale", side.get("rationale", ""))
        if not _whole(value) or not criterion.minimum <= value <= criterion.maximum:
            reading.errors[f"{place}.rating"] = (
                f"Must be a whole number from {criterion.minimum} to {criterion.maximum}."
            )
        else:
            reading.answers.append(Answer(criterion.pk, response_id, rating=value, text=text))


def _written(reading: Reading, criterion: Criterion, path: str, answer: dict[str, Any]) -> None:
    _only(reading, path, answer, {"text"})
    text = _text(reading, f"{path}.text", answer.get("text"))
    if text:
        reading.answers.append(Answer(criterion.pk, text=text))
    else:
        reading.errors.setdefault(f"{path}.text", "Must not be empty.")


_READERS = {Kind.PREFERENCE: _preference, Kind.SAFETY: _safety, Kind.RATING: _rating, Kind.TEXT: _written}


def _sides(
    reading: Reading, path: str, answer: dict[str, Any], fields: set[str]
) -> Iterator[tuple[int, str, dict[str, Any]]]:
    """The sides an answer speaks of, as (response id, path, fields)."""
    _only(reading, path, answer, set(SIDES))
    for side in SIDES:
        response_id, place = reading.response(side), f"{path}.{side}"
        if side not in answer:
            if response_id is not None:
                reading.errors[place] = "Each shown response needs an answer."
        elif response_id is None:
            reading.errors[place] = "This item has one response, shown on the left."
        elif not isinstance(answer[side], dict):
            reading.errors[place] = "Must be an object."
        else:
            _only(reading, place, answer[side], fields)
            yield response_id, place, answer[side]


def _only(reading: Reading, path: str, answer: dict[str, Any], known: set[str]) -> None:
    for name in answer.keys() - known:
        reading.errors[f"{path}.{name}"] = f"Unknown field. Known: {', '.join(sorted(known))}."


def _text(reading: Reading, path: str, value: Any) -> str:
    if not isinstance(value, str):
        reading.errors[path] = "Must be text."
        return ""
    if len(value) > LONGEST_TEXT:
        reading.errors[path] = f"Must be at most {LONGEST_TEXT:,} characters; this has {len(value):,}."
    elif "\0" in value or any("\ud800" <= character <= "\udfff" for character in value):
        reading.errors[path] = "Must not hold NUL or half of a surrogate pair."
    return value.strip()


def _categories_fit(criterion: Criterion, categories: Any) -> bool:
    if not isinstance(categories, list) or len(categories) > 40:
        return False
    if not criterion.categories:
        return all(isinstance(name, str) and 0 < len(name) <= 80 and "\0" not in name for name in categories)
    return all(isinstance(name, str) and name in criterion.categories for name in categories)


def _whole(value: object) -> TypeGuard[int]:
    return isinstance(value, int) and not isinstance(value, bool)
