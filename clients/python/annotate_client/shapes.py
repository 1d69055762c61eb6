"""What the server answers, as types: plain dictionaries, exactly as they come."""

from __future__ import annotations

from typing import Any, Literal, NotRequired, TypedDict

JobState = Literal["waiting", "running", "done", "failed"]


class Queue(TypedDict):
    id: int
    name: str
    overlap: int
    lease_seconds: int
    paused: bool


class Criterion(TypedDict):
    """One question; which of the last fields are there depends on `kind`."""

    key: str
    name: str
    question: str
    kind: Literal["preference", "rating", "safety", "text", "reasons"]
    required: bool
    strengths: NotRequired[int]
    allow_tie: NotRequired[bool]
    allow_both_bad: NotRequired[bool]
    minimum: NotRequired[int]
    maximum: NotRequired[int]
    categories: NotRequired[list[str]]


class Project(TypedDict):
    """`criteria` and `queues` are only in the answer about one project."""

    slug: str
    name: str
    description: str
    criteria: NotRequired[list[Criterion]]
    queues: NotRequired[list[Queue]]


class Refusal(TypedDict):
    line: int
    field: str
    reason: str


class Batch(TypedDict):
    """An import: rows `read` are kept, duplicate or refused."""

    id: int
    name: str
    format: str
    state: JobState
    percent: int
    read: int
    kept: int
    duplicate: int
    refused: int
    error: str


class Assignment(TypedDict):
    """A pair to judge, as its rater sees it; `right` is None where there is one response."""

    id: int
    expires_at: str
    language: str
    conversation: list[dict[str, Any]]
    left: dict[str, Any]
    right: dict[str, Any] | None
    criteria: list[Criterion]
    instrument: int
    guideline: dict[str, Any] | None
    draft: dict[str, Any] | None


class Annotation(TypedDict):
    id: int
    assignment: int
    revision: int
    created_at: str


class Submitted(TypedDict):
    """What `submit` gives: the annotation, and the next assignment if one was asked for and there is one."""

    annotation: Annotation
    next: Assignment | None


class FeedAnnotation(TypedDict):
    """An annotation in stored order: a negative preference is for `first`."""

    id: int
    assignment: int
    revision: int
    item: dict[str, Any]
    pair: int
    first: dict[str, Any]
    second: dict[str, Any] | None
    swapped: bool
    judgments: dict[str, Any]
    rater: str
    guideline: int | None
    created_at: str


class ExportFile(TypedDict):
    path: str
    rows: int | None
    bytes: int
    sha256: str


class Export(TypedDict):
    """`files` and `manifest` are there once `state` is done."""

    id: int
    name: str
    state: JobState
    percent: int
    rows: int
    recipe: dict[str, Any]
    error: str
    files: NotRequired[list[ExportFile]]
    manifest: NotRequired[dict[str, Any] | None]
