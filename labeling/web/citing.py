"""Which principle decided: the one optional field beside the questions."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from labeling.reports.desk import Shown
from labeling.reports.guidelines import Principle, principles_of


@dataclass(frozen=True, slots=True)
class Citing:
    """What may be cited, under the version of the guideline that the pair is judged under."""

    principles: list[Principle]
    chosen: Any
    error: str = ""


def citing(shown: Shown, body: Any = None, errors: Mapping[str, str] | None = None) -> Citing | None:
    """The field, filled from a body or draft of any shape; None where the guideline has no principles."""
    principles = principles_of(shown.assignment.guideline)
    chosen = body.get("principle") if isinstance(body, dict) else None
    return Citing(principles, chosen, (errors or {}).get("principle", "")) if principles else None
