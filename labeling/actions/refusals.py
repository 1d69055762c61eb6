"""Why a verb would not do what was asked."""

from __future__ import annotations

from collections.abc import Mapping


class Refused(Exception):
    """A refusal that explains itself.

    `code` is stable and for programs, `message` is a sentence for people that says what to do next, and
    `errors` names each wrong field by its path: {"judgments.helpfulness.preference": "…"}.
    """

    def __init__(self, code: str, message: str, errors: Mapping[str, str] | None = None) -> None:
        super().__init__(message)
        self.code = code
        self.message = message
        self.errors = dict(errors or {})
