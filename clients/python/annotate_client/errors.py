"""What can go wrong."""

from __future__ import annotations

from collections.abc import Mapping


class AnnotateError(Exception):
    """The server refused. `code` is for programs and stable, `detail` for people, `errors` names each wrong field."""

    def __init__(self, status: int, code: str, detail: str, errors: Mapping[str, str] | None = None) -> None:
        self.status, self.code, self.detail, self.errors = status, code, detail, dict(errors or {})
        fields = "; ".join(f"{name}: {text}" for name, text in self.errors.items())
        super().__init__(f"{status} {code}: {detail}{f' ({fields})' if fields else ''}")


class NoAnswer(Exception):
    """The server could not be reached, or stopped in the middle of its answer, as often as it was tried."""


class JobFailed(Exception):
    """An import or an export ended without success, and says why."""


class WrongBytes(Exception):
    """What arrived is not what the server says the file is."""
