"""What a rater sent, read against the project's criteria: from the shown sides to the stored order, once.

A body is {"judgments": {criterion key: answer}}, an answer one of
    preference  {"preference": -3…3, "both_bad": bool, "rationale": str}       negative prefers the left
    safety      {"left": {"safe": bool, "categories": [str], "severity": 1…}, "right": {…}}
    rating      {"left": {"rating": int}, "right": {"rating": int}}
    text        {"text": str}
    reasons     {"chosen": [str]}
beside it "principle" is the number of the one that decided (labeling/actions/guidelines.py), "kept_hints": [rule] are
contradictions that the rater means, and "instrument" is the version of the questions as they were shown. Every problem
is reported at once, by its path.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Mapping
from dataclasses import astuple
from typing import Any

import orjson
from django.utils.translation import gettext as _

from labeling.actions.doubts import kept_hints
from labeling.actions.own_words import check_own_words
from labeling.actions.reading import READERS, Answer, Kind, Reading, conflict
from labeling.actions.refusals import Refused
from labeling.consistency import RULES
from labeling.models import Assignment, Criterion, Pair

UNPROMPTED = (Kind.TEXT, Kind.REASONS)  # asked, but only needed where they are required


def take(body: Any, *, held: Assignment, complete: bool = False) -> tuple[list[Answer], dict[str, Any]]:
    """The body of an assignment that is held with its pair and project: its answers, sorted in stored order, and what
    its annotation keeps of them by the names of its fields, the instrument and the contradictions meant. One query.

    Raises Refused("invalid") naming each wrong field; from the screen (`complete`) also Refused("hints").
    """
    project = held.project
    criteria = [one for one in Criterion.objects.filter(project_id=held.project_id) if one.asked != one.Asked.NEVER]
    reading = Reading(held.pair, held.swapped, complete)
    _read(reading, body, criteria, project.rationale, held.pk)
    instrument = _instrument(body, project.instrument)
    kept = kept_hints(reading, criteria, project.hints, _kept(body), ask=complete)
    return _sorted(reading.answers), {"instrument": instrument, "kept_hints": kept}


def read_answers(
    body: Any, *, criteria: Iterable[Criterion], pair: Pair, swapped: bool, complete: bool = False
) -> list[Answer]:
    """The answers of a body in stored order, sorted; raises Refused("invalid") naming each wrong field.

    `complete` asks for every question the screen shows; without it, only for criteria marked required, so that
    a program may send the judgments it has.
    """
    reading = Reading(pair, swapped, complete)
    _read(reading, body, [one for one in criteria if one.asked != one.Asked.NEVER])
    return _sorted(reading.answers)


def digest(answers: list[Answer], principle: int | None = None) -> str:
    """SHA-256 in hex of answers in stored order and the cited principle, if any: the same sent again are the same."""
    rows: list[object] = [astuple(answer) for answer in answers]
    return hashlib.sha256(orjson.dumps(rows if principle is None else [*rows, principle])).hexdigest()


def _read(
    reading: Reading,
    body: Any,
    criteria: list[Criterion],
    rationale: Mapping[str, Any] | None = None,
    assignment_id: int = 0,
) -> None:
    judgments = body.get("judgments") if isinstance(body, dict) else None
    known = {criterion.key: criterion for criterion in criteria}
    if not isinstance(judgments, dict) or not judgments:
        raise Refused(
            "invalid",
            _('Send {"judgments": {…}} with at least one answer.'),
            {"judgments": _("Needs at least one answer.")},
        )
    for key, answer in judgments.items():
        criterion, path = known.get(key), f"judgments.{key}"
        if criterion is None:
            reading.errors[path] = _("No such criterion. This project asks: %(known)s.") % {"known": ", ".join(known)}
        elif not isinstance(answer, dict):
            reading.errors[path] = _("Must be an object.")
        else:
            READERS[Kind(criterion.kind)](reading, criterion, path, answer)
    _missing(reading, criteria, judgments)
    check_own_words(rationale or {}, assignment_id, reading, criteria)
    if reading.errors:
        raise Refused("invalid", _("Some answers are missing or not understood."), reading.errors)


def _missing(reading: Reading, criteria: list[Criterion], judgments: dict[str, Any]) -> None:
    asked = {c.pk: c for c in criteria if c.asked == Criterion.Asked.ALWAYS and c.kind not in UNPROMPTED}
    if reading.pair.second_id is None:
        criteria = [c for c in criteria if c.kind != Kind.PREFERENCE]
    torn = conflict([answer.preference or 0 for answer in reading.answers if answer.criterion_id in asked])
    for criterion in criteria:
        wanted = criterion.required or (reading.complete and criterion.kind not in UNPROMPTED)
        if criterion.asked == Criterion.Asked.ON_CONFLICT:
            wanted = wanted and torn
        if wanted and criterion.key not in judgments:
            reading.errors[f"judgments.{criterion.key}"] = _("Answer “%(question)s” to go on.") % {
                "question": _(criterion.name)
            }


def _sorted(answers: list[Answer]) -> list[Answer]:
    return sorted(answers, key=lambda answer: (answer.criterion_id, answer.response_id or 0))


def _kept(body: dict[str, Any]) -> list[str]:
    kept = body.get("kept_hints", [])
    if not isinstance(kept, list) or not all(isinstance(rule, str) and rule in RULES for rule in kept):
        raise Refused(
            "invalid",
            _("Some answers are not understood."),
            {"kept_hints": _("Must be a list from: %(offered)s.") % {"offered": ", ".join(RULES)}},
        )
    return kept


def _instrument(body: dict[str, Any], now: int) -> int:
    """The instrument a body was made with, as it says: a page may have been open while the questions changed."""
    said = body.get("instrument", now)
    if not isinstance(said, int) or isinstance(said, bool) or not 1 <= said <= now:
        raise Refused(
            "invalid",
            _("Some answers are not understood."),
            {"instrument": _("Must be a whole number from %(least)s to %(most)s.") % {"least": 1, "most": now}},
        )
    return said
