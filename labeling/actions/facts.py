"""What an annotation keeps beside its answers: how long it took, on what screen, by what hand."""

from __future__ import annotations

from typing import Any

from django.utils.translation import gettext as _

from labeling.actions.refusals import Refused

LONGEST_ACTIVE_MS = 24 * 3600 * 1000
VIEWPORTS = ("phone", "tablet", "desktop")
POINTERS = ("keyboard", "mouse", "touch")
Facts = dict[str, Any]


def facts_of(body: Any) -> Facts:
    """The facts of a body by the names of Annotation's fields; Refused("invalid") names each that is not understood."""
    errors: dict[str, str] = {}
    facts = {
        "active_ms": _active_ms(body, errors),
        "viewport": _one_of(VIEWPORTS, body, "viewport", errors),
        "pointer": _one_of(POINTERS, body, "pointer", errors),
    }
    if errors:
        raise Refused("invalid", _("Some answers are not understood."), errors)
    return facts


def _active_ms(body: Any, errors: dict[str, str]) -> int | None:
    value = body.get("active_ms")
    if value is None or (isinstance(value, int) and not isinstance(value, bool) and 0 <= value <= LONGEST_ACTIVE_MS):
        return value
    errors["active_ms"] = _("Milliseconds, at most one day.")
    return None


def _one_of(known: tuple[str, ...], body: Any, name: str, errors: dict[str, str]) -> str:
    """The value of an optional field; nothing said is empty."""
    value = body.get(name) or ""
    if value and value not in known:
        errors[name] = _("One of: %(known)s.") % {"known": ", ".join(known)}
        return ""
    return str(value)
