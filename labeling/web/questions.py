"""The comparison as a form: what it asks, with what was answered before, and what a sent form says.

Names of fields are paths below "judgments" of an annotation's body, such as `safety.left.severity`, so that a form
becomes a body, and a body or its errors a form, without knowing the project's criteria.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from django.http import QueryDict

from labeling.models import Criterion, Response
from labeling.reports.desk import Shown

Kind = Criterion.Kind
BOTH_BAD = "both_bad"
GRADES = {
    1: ("",),
    2: ("slightly", "much"),
    3: ("slightly", "clearly", "much"),
    4: ("slightly", "clearly", "much", "far"),
}
HARMS = {2: ("Minor", "Severe"), 3: ("Minor", "Moderate", "Severe"), 4: ("Minor", "Moderate", "Severe", "Extreme")}
COUNTS = dict(enumerate(["two", "three", "four", "five", "six", "seven", "eight", "nine", "ten"], start=2))
SIZES = {1: (3,), 2: (1, 3), 3: (1, 2, 3), 4: (1, 2, 3, 4)}
MOST_STEPS = 10
_FIELD = re.compile(r"([-\w]+)\.(?:(left|right)\.)?(preference|text|safe|categories|severity|rating)", re.ASCII)


@dataclass(frozen=True, slots=True)
class Choice:
    """One radio or checkbox. `word` is the answer in short, `name` in full, `size` 0 to 4 how it is drawn."""

    value: str
    name: str
    word: str = ""
    key: str = ""
    size: int = 0
    leans: str = ""
    checked: bool = False


@dataclass(frozen=True, slots=True)
class Question:
    """A question of the rail. Without choices it is a field to write in."""

    criterion: Criterion
    field: str
    title: str
    choices: list[Choice]
    both_bad: Choice | None = None
    value: str = ""
    error: str = ""

    @property
    def id(self) -> str:
        return self.field.replace(".", "-")

    @property
    def on_conflict(self) -> bool:
        return self.criterion.asked == Criterion.Asked.ON_CONFLICT

    @property
    def needed(self) -> bool:
        return self.criterion.required or self.criterion.kind != Kind.TEXT

    @property
    def remedy(self) -> str:
        count = len(self.choices)
        return f"Choose one of the {COUNTS.get(count, count)} to go on." if count else "Fill this in to go on."


@dataclass(frozen=True, slots=True)
class Safety:
    """Safe or unsafe, of one response; and what is unsafe about it."""

    criterion: Criterion
    field: str
    safe: bool | None
    categories: list[Choice]
    severities: list[Choice]
    error: str = ""

    @property
    def id(self) -> str:
        return self.field.replace(".", "-")


@dataclass(frozen=True, slots=True)
class Column:
    """A response in its place on the screen."""

    side: str
    letter: str
    key: str
    response: Response
    safeties: list[Safety]


@dataclass(frozen=True, slots=True)
class Asked:
    """Everything the form holds."""

    columns: list[Column]
    questions: list[Question]
    rationale: str
    rationale_for: str
    active_ms: int


def asked(shown: Shown, body: Any = None, errors: Mapping[str, str] | None = None) -> Asked:
    """The form for an assignment, filled with a body or draft of any shape, and errors by their paths."""
    judgments = _dict(_dict(body).get("judgments"))
    wrong = {path.removeprefix("judgments."): text for path, text in (errors or {}).items()}
    two = shown.right is not None
    sides = [("left", "A", "[", shown.left)] + ([("right", "B", "]", shown.right)] if shown.right else [])
    safeties = [criterion for criterion in shown.criteria if criterion.kind == Kind.SAFETY]
    preferences = [criterion for criterion in shown.criteria if criterion.kind == Kind.PREFERENCE and two]
    first = sorted(preferences, key=lambda criterion: criterion.asked != Criterion.Asked.ON_CONFLICT)
    return Asked(
        columns=[
            Column(side, letter, key, response, [_safety(one, side, judgments, wrong) for one in safeties])
            for side, letter, key, response in sides
        ],
        questions=[q for one in shown.criteria for q in _questions(one, [s[:2] for s in sides], judgments, wrong)],
        rationale=_rationale(body, judgments),
        rationale_for=" ".join(criterion.key for criterion in first),
        active_ms=_whole(_dict(body).get("active_ms")) or 0,
    )


def body_of(post: QueryDict) -> dict[str, Any]:
    """The annotation body that a sent form means, as read_answers takes it; of an unfinished form, its draft.

    `rationale` goes to the first criterion of `rationale_for` that was answered, and is kept apart as well, so
    that a draft has it before anything is answered.
    """
    judgments: dict[str, Any] = {}
    for name in post:
        if found := _FIELD.fullmatch(name):
            key, side, leaf = found.groups()
            answer = judgments.setdefault(key, {})
            (answer.setdefault(side, {}) if side else answer).update(_values(leaf, post.getlist(name)))
    body: dict[str, Any] = {"judgments": {key: said for key, answer in judgments.items() if (said := _said(answer))}}
    rationale, active_ms = post.get("rationale", "").strip(), _whole(post.get("active_ms"))
    if rationale:
        body["rationale"] = rationale
        told = next((key for key in post.get("rationale_for", "").split() if key in body["judgments"]), None)
        if told:
            body["judgments"][told]["rationale"] = rationale
    return body if active_ms is None else body | {"active_ms": active_ms}


def _said(answer: dict[str, Any]) -> dict[str, Any]:
    """An answer without what was left empty, and without harms of a response that is not called unsafe."""
    for name in [name for name, side in answer.items() if isinstance(side, dict)]:
        side = answer.pop(name)
        if side.get("safe") is not False:
            side = {leaf: value for leaf, value in side.items() if leaf not in ("categories", "severity")}
        if side:
            answer[name] = side
    return answer


def _values(leaf: str, sent: list[str]) -> dict[str, Any]:
    """What one field says. A text that is no number stays, so that the verb can say what is wrong with it."""
    last = sent[-1]
    if leaf == "preference":
        return {BOTH_BAD: True} if last == BOTH_BAD else {leaf: _whole(last) if _whole(last) is not None else last}
    if leaf in ("rating", "severity"):
        return {leaf: _whole(last) if _whole(last) is not None else last} if last.strip() else {}
    if leaf == "text":
        return {leaf: last} if last.strip() else {}
    return {leaf: sent} if leaf == "categories" else {leaf: last == "yes"}


def steps(criterion: Criterion, chosen: int | None) -> list[Choice]:
    """The scale of a preference from most to the left to most to the right, keyed 1, 2, 3…"""
    made = []
    levels = [
        *range(-criterion.strengths, 0),
        *([0] if criterion.allow_tie else []),
        *range(1, criterion.strengths + 1),
    ]
    for key, level in enumerate(levels, start=1):
        letter, grade = ("A" if level < 0 else "B"), GRADES[criterion.strengths][abs(level) - 1] if level else ""
        better = criterion.better_word or "better"
        made.append(
            Choice(
                value=str(level),
                name=" ".join(f"{letter} is {grade} {better}".split()) if level else "About the same",
                word=f"{letter}, {grade}".rstrip(", ") if level else "About the same",
                key=str(key),
                size=SIZES[criterion.strengths][abs(level) - 1] if level else 0,
                leans="left" if level < 0 else "right" if level > 0 else "",
                checked=chosen == level,
            )
        )
    return made


def _questions(
    criterion: Criterion, sides: list[tuple[str, str]], judgments: dict[str, Any], wrong: dict[str, str]
) -> Iterable[Question]:
    answer = _dict(judgments.get(criterion.key))
    if criterion.kind == Kind.PREFERENCE and len(sides) == 2:
        neither = Choice(
            BOTH_BAD, "Neither is acceptable", "Neither is acceptable", "0", checked=answer.get(BOTH_BAD) is True
        )
        yield Question(
            criterion, f"{criterion.key}.preference", criterion.name, error=_error(wrong, criterion.key),
            choices=steps(criterion, None if neither.checked else _whole(answer.get("preference"))),
            both_bad=neither if criterion.allow_both_bad else None,
        )  # fmt: skip
    elif criterion.kind == Kind.RATING:
        for side, letter in sides:
            path = f"{criterion.key}.{side}"
            title = f"{criterion.name}: {letter}" if len(sides) == 2 else criterion.name
            rating = _whole(_dict(answer.get(side)).get("rating"))
            error = _error(wrong, path) or wrong.get(criterion.key, "")
            value = "" if rating is None else str(rating)
            yield Question(criterion, f"{path}.rating", title, _grades(criterion, rating), value=value, error=error)
    elif criterion.kind == Kind.TEXT:
        text = answer.get("text")
        value = text if isinstance(text, str) else ""
        yield Question(
            criterion, f"{criterion.key}.text", criterion.name, [], value=value, error=_error(wrong, criterion.key)
        )


def _grades(criterion: Criterion, chosen: int | None) -> list[Choice]:
    """The grades of a rating, or none when there are too many to show: then it is a number to write."""
    values = range(criterion.minimum, criterion.maximum + 1)
    if len(values) > MOST_STEPS:
        return []
    made = []
    for value in values:
        words = f"{value} of {criterion.maximum}"
        made.append(Choice(str(value), words, words, str(value) if 0 <= value <= 9 else "", 2, checked=value == chosen))
    return made


def _safety(criterion: Criterion, side: str, judgments: dict[str, Any], wrong: dict[str, str]) -> Safety:
    """Starts at safe, as a flag does, unless the criterion is required: then each response needs its own answer."""
    path = f"{criterion.key}.{side}"
    answer = _dict(_dict(judgments.get(criterion.key)).get(side))
    safe = answer.get("safe")
    told = answer.get("categories")
    names = HARMS.get(criterion.severities, ())
    error = _error(wrong, path) or wrong.get(criterion.key, "")
    return Safety(
        criterion,
        path,
        safe=safe if isinstance(safe, bool) else None if criterion.required else True,
        categories=[Choice(c, c, checked=isinstance(told, list) and c in told) for c in criterion.categories],
        severities=[
            Choice(str(n), f"{n} {names[n - 1]}" if names else str(n), checked=_whole(answer.get("severity")) == n)
            for n in range(1, criterion.severities + 1)
        ],
        error="Choose safe or unsafe." if error and not isinstance(safe, bool) else error,
    )


def _rationale(body: Any, judgments: dict[str, Any]) -> str:
    told = [_dict(body).get("rationale"), *(_dict(answer).get("rationale") for answer in judgments.values())]
    return next((text for text in told if isinstance(text, str) and text), "")


def _error(wrong: dict[str, str], path: str) -> str:
    """What is wrong at the path or below it."""
    return next((text for at, text in wrong.items() if at == path or at.startswith(f"{path}.")), "")


def _dict(value: Any) -> dict[str, Any]:
    return value if isinstance(value, dict) else {}


def _whole(value: Any) -> int | None:
    if isinstance(value, bool) or not re.fullmatch(r"-?\d{1,12}", str(value)):
        return None
    return int(value)
