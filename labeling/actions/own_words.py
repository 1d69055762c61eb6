"""When a rater is asked for a reason in their own words, and whether what they wrote will do.

A project's `rationale` is {"when": […], "percent", "required", "min_words", "max_words"}; `when` names conditions.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Mapping
from typing import Any

from django.utils.translation import gettext as _

from labeling.actions.reading import Kind, Reading, conflict, words_needed
from labeling.models import Criterion

ALWAYS, CONFLICT, SEVERE, SAMPLE = WHEN = ("always", "conflict", "severe", "sample")


def drawn(policy: Mapping[str, Any], assignment_id: int) -> bool:
    """Whether this assignment is of the sample: a fixed draw, so that a reload asks the same."""
    if SAMPLE not in policy.get("when", ()):
        return False
    number = int.from_bytes(hashlib.sha256(f"own words:{assignment_id}".encode()).digest()[:4])
    return number % 100 < int(policy.get("percent", 0))


def asked_in_advance(policy: Mapping[str, Any], assignment_id: int) -> bool:
    """Whether own words are asked for whatever the answers will be."""
    return ALWAYS in policy.get("when", ()) or drawn(policy, assignment_id)


def asked_for(
    policy: Mapping[str, Any], assignment_id: int, reading: Reading, criteria: Iterable[Criterion]
) -> str | None:
    """The first condition that these answers meet, or None."""
    when, known = policy.get("when", ()), {criterion.pk: criterion for criterion in criteria}
    always = [c.pk for c in known.values() if c.kind == Kind.PREFERENCE and c.asked == Criterion.Asked.ALWAYS]
    met = {
        ALWAYS: True,
        CONFLICT: conflict([a.preference or 0 for a in reading.answers if a.criterion_id in always]),
        SEVERE: any(severe(known[a.criterion_id], a.severity) for a in reading.answers),
        SAMPLE: drawn(policy, assignment_id),
    }
    return next((name for name in WHEN if name in when and met[name]), None)


def severe(criterion: Criterion, severity: int | None) -> bool:
    """Whether this is the gravest of at least two severities."""
    return severity is not None and severity == criterion.severities > 1


def check_own_words(policy: Mapping[str, Any], assignment_id: int, reading: Reading, criteria: list[Criterion]) -> None:
    """Add what is wrong with the own words to the reading's errors, at "rationale".

    Programs are held to it only where the project requires own words.
    """
    preferences = {criterion.pk for criterion in criteria if criterion.kind == Kind.PREFERENCE}
    answered = [answer for answer in reading.answers if answer.criterion_id in preferences]
    required = bool(policy.get("required"))
    if not answered or not policy.get("when") or not (required or reading.complete):
        return
    written = next((answer.text for answer in answered if answer.text), "")
    if written:
        wrong = words_needed(written, policy.get("min_words", 0), policy.get("max_words", 0))
    elif required and asked_for(policy, assignment_id, reading, criteria):
        wrong = _("Say in your own words what decided it.")
    else:
        wrong = ""
    if wrong:
        reading.errors["rationale"] = wrong
