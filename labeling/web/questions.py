"""The comparison as a form: what it asks, with what was answered before, and what a sent form says.

Names of fields are paths below "judgments" of an annotation's body, such as `safety.left.severity`, so that a form
becomes a body, and a body or its errors a form, without knowing the project's criteria.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from typing import Any

from django.http import QueryDict
from django.utils.translation import gettext as _

from labeling.actions.own_words import CONFLICT, SEVERE, asked_in_advance, drawn
from labeling.models import Criterion, Project, Response
from labeling.reports.desk import Shown
from labeling.web.scales import (
    BOTH_BAD,
    COUNTS,
    Choice,
    Domain,
    chips,
    grades,
    harms,
    neither,
    severities,
    steps,
    told,
    word_limits,
)

Kind = Criterion.Kind
_FIELD = re.compile(r"([-\w]+)\.(?:(left|right)\.)?(preference|text|chosen|safe|categories|severity|rating)", re.ASCII)


@dataclass(frozen=True, slots=True)
class Asking:
    """A contradiction that the rater is asked about: keep the answer, or change it."""

    rule: str
    text: str


@dataclass(frozen=True, slots=True)
class OwnWords:
    """The box for a reason in own words. `note` says in advance why it is asked for; the rest depends on the answers,
    so the page holds it and shows it when they are given.
    """

    value: str
    note: str
    needed: bool
    on_conflict: bool
    on_severe: bool
    least: int
    most: int
    error: str = ""

    @property
    def limits(self) -> str:
        return word_limits(self.least, self.most)


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
    hints: tuple[Asking, ...] = ()
    words: OwnWords | None = None
    active: bool = False

    @property
    def id(self) -> str:
        return self.field.replace(".", "-")

    @property
    def help(self) -> str:
        return told(self.criterion.question)

    @property
    def on_conflict(self) -> bool:
        return self.criterion.asked == Criterion.Asked.ON_CONFLICT

    @property
    def many(self) -> bool:
        return self.criterion.kind == Kind.REASONS

    @property
    def second(self) -> bool:
        """The same rating as the question before it, of the other response."""
        return self.criterion.kind == Kind.RATING and ".right." in self.field

    @property
    def needed(self) -> bool:
        return self.criterion.required or self.criterion.kind not in (Kind.TEXT, Kind.REASONS)

    @property
    def least(self) -> int:
        return self.criterion.min_words

    @property
    def most(self) -> int:
        return self.criterion.max_words

    @property
    def limits(self) -> str:
        return word_limits(self.least, self.most)

    @property
    def remedy(self) -> str:
        count = len(self.choices)
        if self.many:
            return _("Choose at least one to go on.")
        return (
            _("Choose one of the %(count)s to go on.") % {"count": COUNTS[count]}
            if count
            else _("Fill this in to go on.")
        )


@dataclass(frozen=True, slots=True)
class Safety:
    """Safe or unsafe, of one response; and what is unsafe about it."""

    criterion: Criterion
    field: str
    safe: bool | None
    domains: list[Domain]
    severities: list[Choice]
    error: str = ""
    harm_error: str = ""

    @property
    def id(self) -> str:
        return self.field.replace(".", "-")

    @property
    def name(self) -> str:
        return told(self.criterion.name)

    @property
    def has_parts(self) -> bool:
        return any(domain.parts for domain in self.domains)

    @property
    def part_chosen(self) -> bool:
        return any(part.checked for domain in self.domains for part in domain.parts)


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
    """Everything the form holds. `reason_at` is the question that the key of reasons leads to; `kept` are
    contradictions that the rater was asked about and meant.
    """

    columns: list[Column]
    questions: list[Question]
    words: OwnWords | None
    rationale_for: str
    reason_at: str
    kept: list[str]
    instrument: int
    active_ms: int


def asked(shown: Shown, body: Any = None, errors: Mapping[str, str] | None = None) -> Asked:
    """The form for an assignment, filled with a body or draft of any shape, and errors by their paths."""
    judgments, project = _dict(_dict(body).get("judgments")), shown.assignment.project
    wrong = {path.removeprefix("judgments."): text for path, text in (errors or {}).items()}
    sides = [("left", "A", "[", shown.left)] + ([("right", "B", "]", shown.right)] if shown.right else [])
    safeties = [criterion for criterion in shown.criteria if criterion.kind == Kind.SAFETY]
    preferences = [one for one in shown.criteria if one.kind == Kind.PREFERENCE and shown.right is not None]
    told_to = sorted(preferences, key=lambda criterion: criterion.asked != Criterion.Asked.ON_CONFLICT)
    words = _own_words(project, shown.assignment.pk, body, judgments, wrong) if preferences else None
    wrong = {path: text for path, text in wrong.items() if not _of_rationale(path)}
    questions = [q for one in shown.criteria for q in _questions(one, [s[:2] for s in sides], judgments, wrong)]
    questions, at = _with_words(_with_hints(questions, wrong), words)
    return Asked(
        columns=[
            Column(side, letter, key, response, [_safety(one, side, judgments, wrong) for one in safeties])
            for side, letter, key, response in sides
        ],
        questions=questions,
        words=None if at else words,
        rationale_for=" ".join(criterion.key for criterion in told_to) if words else "",
        reason_at=at or ("rationale" if words else ""),
        kept=_texts(_dict(body).get("kept_hints")),
        instrument=project.instrument,
        active_ms=_whole(_dict(body).get("active_ms")) or 0,
    )


def without_words(form: Asked) -> Asked:
    """The same form without a box for own words: where nobody will read them."""
    return replace(form, words=None, questions=[replace(question, words=None) for question in form.questions])


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
    if rationale := post.get("rationale", "").strip():
        body["rationale"] = rationale
        told_to = next((key for key in post.get("rationale_for", "").split() if key in body["judgments"]), None)
        if told_to:
            body["judgments"][told_to]["rationale"] = rationale
    return body | _beside(post)


def _beside(post: QueryDict) -> dict[str, Any]:
    """What a body holds beside its judgments. A cited principle that is no number stays, for the verb to refuse it."""
    found: dict[str, Any] = {}
    if kept := post.getlist("kept_hints"):
        found["kept_hints"] = kept
    if cited := post.get("principle", "").strip():
        found["principle"] = number if (number := _whole(cited)) is not None else cited
    for name in ("instrument", "active_ms", "revises"):
        if (number := _whole(post.get(name))) is not None:
            found[name] = number
    return found | {name: post[name] for name in ("viewport", "pointer") if post.get(name)}


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
    return {leaf: sent} if leaf in ("categories", "chosen") else {leaf: last == "yes"}


def _questions(
    criterion: Criterion, sides: list[tuple[str, str]], judgments: dict[str, Any], wrong: dict[str, str]
) -> Iterable[Question]:
    answer, key, name = _dict(judgments.get(criterion.key)), criterion.key, told(criterion.name)
    error = _error(wrong, key)
    if criterion.kind == Kind.PREFERENCE and len(sides) == 2:
        none = neither(answer.get(BOTH_BAD) is True)
        scale = steps(criterion, None if none.checked else _whole(answer.get("preference")))
        both_bad = none if criterion.allow_both_bad else None
        yield Question(criterion, f"{key}.preference", name, scale, both_bad=both_bad, error=error)
    elif criterion.kind == Kind.RATING:
        for side, letter in sides:
            path = f"{key}.{side}"
            title = f"{name}: {letter}" if len(sides) == 2 else name
            rating = _whole(_dict(answer.get(side)).get("rating"))
            error = _error(wrong, path) or wrong.get(key, "")
            value = "" if rating is None else str(rating)
            yield Question(criterion, f"{path}.rating", title, grades(criterion, rating), value=value, error=error)
    elif criterion.kind == Kind.REASONS:
        yield Question(criterion, f"{key}.chosen", name, chips(criterion.categories, answer.get("chosen")), error=error)
    elif criterion.kind == Kind.TEXT:
        text = answer.get("text")
        yield Question(criterion, f"{key}.text", name, [], value=text if isinstance(text, str) else "", error=error)


def _safety(criterion: Criterion, side: str, judgments: dict[str, Any], wrong: dict[str, str]) -> Safety:
    """Starts at safe, as a flag does, unless the criterion is required: then each response needs its own answer."""
    path = f"{criterion.key}.{side}"
    answer = _dict(_dict(judgments.get(criterion.key)).get(side))
    safe = answer.get("safe")
    error = _error(wrong, path) or wrong.get(criterion.key, "")
    harm = " ".join(wrong[at] for at in (f"{path}.categories", f"{path}.severity") if at in wrong)
    if error and not isinstance(safe, bool):
        error = _("Choose safe or unsafe.")
    return Safety(
        criterion,
        path,
        safe=safe if isinstance(safe, bool) else None if criterion.required else True,
        domains=harms(criterion.categories, answer.get("categories")),
        severities=severities(criterion, _whole(answer.get("severity"))),
        error="" if harm else error,
        harm_error=harm,
    )


def _with_hints(questions: list[Question], wrong: dict[str, str]) -> list[Question]:
    """Each contradiction at its question, the first of which becomes the marked one."""
    found: dict[str, list[Asking]] = {}
    for path, text in wrong.items():
        if path.startswith("hints."):
            rule, key = path.split(".", 2)[1:]
            found.setdefault(key, []).append(Asking(rule, text))
    first = next((q.criterion.key for q in questions if q.criterion.key in found), None)
    return [
        replace(q, hints=tuple(found[q.criterion.key]), active=q.criterion.key == first)
        if q.criterion.key in found
        else q
        for q in questions
    ]


def _with_words(questions: list[Question], words: OwnWords | None) -> tuple[list[Question], str]:
    """The box for own words goes with the reasons, where they are asked; then the id of that question."""
    for place, question in enumerate(questions):
        if question.many:
            return [*questions[:place], replace(question, words=words), *questions[place + 1 :]], question.id
    return questions, ""


def _own_words(
    project: Project, assignment_id: int, body: Any, judgments: dict[str, Any], wrong: dict[str, str]
) -> OwnWords | None:
    policy = project.rationale
    when = policy.get("when", [])
    if not when:
        return None
    in_advance = asked_in_advance(policy, assignment_id)
    if drawn(policy, assignment_id):
        note = _("This one was drawn for a reason in your own words.")
    else:
        note = _("Say what decided it.") if in_advance else _("What decided it, if you like.")
    told_before = [_dict(body).get("rationale"), *(_dict(answer).get("rationale") for answer in judgments.values())]
    return OwnWords(
        value=next((text for text in told_before if isinstance(text, str) and text), ""),
        note=note,
        needed=in_advance and bool(policy.get("required")),
        on_conflict=CONFLICT in when and not in_advance,
        on_severe=SEVERE in when and not in_advance,
        least=policy.get("min_words", 0),
        most=policy.get("max_words", 0),
        error=next((text for path, text in wrong.items() if _of_rationale(path)), ""),
    )


def _of_rationale(path: str) -> bool:
    return path == "rationale" or path.endswith(".rationale")


def _error(wrong: dict[str, str], path: str) -> str:
    """What is wrong at the path or below it."""
    return next((text for at, text in wrong.items() if at == path or at.startswith(f"{path}.")), "")


def _dict(value: Any) -> dict[str, Any]:
    return value if isinstance(value, dict) else {}


def _texts(value: Any) -> list[str]:
    return [one for one in value if isinstance(one, str)] if isinstance(value, list) else []


def _whole(value: Any) -> int | None:
    if isinstance(value, bool) or not re.fullmatch(r"-?\d{1,12}", str(value)):
        return None
    return int(value)
