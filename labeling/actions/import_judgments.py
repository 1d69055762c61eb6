"""Judgments made elsewhere, by raters who are no people here: whole files at once, all or nothing.

Every rater of the file becomes a user who can never sign in; what one of them said of one item is one annotation.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterable
from dataclasses import astuple, dataclass, field, fields
from typing import Any

from django.contrib.auth.hashers import make_password
from django.db import transaction
from django.utils import timezone

from labeling.actions.answers import digest
from labeling.actions.copying import copy_rows, reserve_ids
from labeling.actions.reading import Answer
from labeling.audit import record
from labeling.importers.checks import Problem
from labeling.importers.containers import RowFile
from labeling.importers.drafts import Refused
from labeling.importers.judgments import MOST_STRENGTH, JudgmentDraft, judgment_drafts
from labeling.models import Annotation, Assignment, Criterion, Judgment, Pair, Project, User

Kind = Criterion.Kind
SAFETY = {"safe": True, "unsafe": False}
_SIGN = {"a": -1, "b": 1}
_PLAIN_RATER = re.compile(r"[a-z0-9]([a-z0-9_-]|\.(?!\.)){0,62}(?<!\.)")


@dataclass(slots=True)
class Imported:
    judgments: int = 0
    annotations: int = 0
    raters: int = 0
    criteria: list[str] = field(default_factory=list)
    refused: list[Refused] = field(default_factory=list)


@dataclass(slots=True)
class _Visit:
    """What one rater said of one pair, by criterion and response."""

    pair: Pair
    rater_id: str
    first: JudgmentDraft
    answers: dict[tuple[int, int | None], Answer] = field(default_factory=dict)


@transaction.atomic
def import_judgments(*, project: Project, by: User | None, source: RowFile) -> Imported:
    """Store every judgment of the file that can be stored, and say of each other one why not.

    A criterion the project does not have is made, and never asked. Holds the whole file in memory.
    """
    Project.objects.select_for_update(no_key=True).get(pk=project.pk)
    source.check_packing()
    done = Imported()
    drafts = _understood(judgment_drafts(source), done)
    criteria = _criteria(project, drafts, done)
    visits = _visits(project, drafts, criteria, done)
    users = _raters(project, {visit.rater_id for visit in visits}, done)
    visits = _new(visits, users, done)
    _copy(project, visits, users, done)
    done.refused.sort(key=lambda each: each.line)
    record(
        by, "judgments.imported", project, project_id=project.pk, judgments=done.judgments, raters=done.raters,
        criteria=done.criteria, refused=len(done.refused),
    )  # fmt: skip
    return done


def external_email(project: Project, rater_id: str) -> str:
    """An address that cannot receive mail, the same for the same rater; ids that fit no address are hashed."""
    local = (
        rater_id if _PLAIN_RATER.fullmatch(rater_id) else f"rater-{hashlib.sha256(rater_id.encode()).hexdigest()[:32]}"
    )
    return f"{local}@{project.slug}.external.invalid"


def _understood(rows: Iterable[JudgmentDraft | Refused], done: Imported) -> list[JudgmentDraft]:
    drafts = []
    for row in rows:
        if isinstance(row, Refused):
            done.refused.append(row)
        else:
            drafts.append(row)
    return drafts


def _criteria(project: Project, drafts: list[JudgmentDraft], done: Imported) -> dict[str, Criterion]:
    """The project's criteria by key, with those made that only the file has."""
    known = {criterion.key: criterion for criterion in project.criteria.all()}
    position = max((criterion.position for criterion in known.values()), default=0)
    for key in dict.fromkeys(draft.criterion for draft in drafts):
        if key not in known:
            position += 1
            mine = [draft for draft in drafts if draft.criterion == key]
            known[key] = Criterion.objects.create(
                project=project, key=key, name=key.replace("_", " ").capitalize(), position=position,
                asked=Criterion.Asked.NEVER, **_scale(mine),
            )  # fmt: skip
            done.criteria.append(key)
    return known


def _scale(drafts: list[JudgmentDraft]) -> dict[str, Any]:
    """The kind that fits a criterion's values, and a scale that holds them all."""
    if any(draft.choice for draft in drafts):
        most = max((draft.strength or 1 for draft in drafts), default=1)
        return {"kind": Kind.PREFERENCE, "strengths": max(3, min(most, MOST_STRENGTH))}
    if any(draft.label in SAFETY for draft in drafts):
        return {"kind": Kind.SAFETY}
    scores = [draft.score for draft in drafts if draft.score is not None]
    if scores:
        return {"kind": Kind.RATING, "minimum": min(scores), "maximum": max(max(scores), min(scores) + 1)}
    return {"kind": Kind.TEXT}


def _visits(
    project: Project, drafts: list[JudgmentDraft], criteria: dict[str, Criterion], done: Imported
) -> list[_Visit]:
    pairs = _pairs_by_item(project, {draft.item_id for draft in drafts})
    visits: dict[tuple[int, str], _Visit] = {}
    for draft in drafts:
        try:
            pair = _pair_of(draft, pairs)
            answer = _answer(draft, criteria[draft.criterion], pair)
            visit = visits.setdefault((pair.pk, draft.rater_id), _Visit(pair, draft.rater_id, draft))
            _add(visit, answer)
        except Problem as problem:
            done.refused.append(Refused(draft.line, problem.field, problem.reason))
    return [visit for visit in visits.values() if visit.answers]


def _pairs_by_item(project: Project, item_ids: Iterable[str]) -> dict[str, list[Pair]]:
    found: dict[str, list[Pair]] = {}
    wanted = Pair.objects.filter(project=project, item__project=project, item__external_id__in=list(item_ids))
    for pair in wanted.select_related("item").defer("item__conversation", "item__conversation_html", "item__metadata"):
        found.setdefault(pair.item.external_id, []).append(pair)
    return found


def _pair_of(draft: JudgmentDraft, pairs: dict[str, list[Pair]]) -> Pair:
    found = pairs.get(draft.item_id, [])
    if len(found) != 1:
        many = f"has {len(found)} pairs in this project, so it is not clear which one is meant; leave the row out"
        raise Problem(
            "item_id", many if found else "is no item of this project; import the items first, with the same ids"
        )
    return found[0]


def _add(visit: _Visit, answer: Answer) -> None:
    key = (answer.criterion_id, answer.response_id)
    if key in visit.answers:
        raise Problem(
            "rater_id", "judges the same item by the same criterion a second time; only the first answer is kept"
        )
    visit.answers[key] = answer


def _answer(draft: JudgmentDraft, criterion: Criterion, pair: Pair) -> Answer:
    match criterion.kind:
        case Kind.PREFERENCE:
            return Answer(criterion.pk, preference=_preference(draft, criterion, pair), text=draft.rationale)
        case Kind.SAFETY:
            if draft.label not in SAFETY:
                raise Problem("label", f"{_shown(draft)} is not understood; {criterion.key} takes safe or unsafe")
            return Answer(criterion.pk, _response(draft, pair), safe=SAFETY[draft.label], text=draft.rationale)
        case Kind.RATING:
            if draft.score is None or not criterion.minimum <= draft.score <= criterion.maximum:
                lies = f"{criterion.key} takes a score from {criterion.minimum} to {criterion.maximum}"
                raise Problem("score", f"{_shown(draft)} is not on the scale; {lies}")
            return Answer(criterion.pk, _response(draft, pair), rating=draft.score, text=draft.rationale)
        case Kind.REASONS:
            raise Problem("criterion", f"{criterion.key} is a choice of reasons here; import it under another key")
        case _:
            if draft.label is None:
                raise Problem("label", f"is missing; {criterion.key} takes a label")
            return Answer(criterion.pk, text=draft.label)


def _preference(draft: JudgmentDraft, criterion: Criterion, pair: Pair) -> int:
    """Signed in stored order. Without a strength in the file the choice counts as the weakest."""
    if draft.choice is None:
        raise Problem("choice", f"is missing; {criterion.key} is a preference and takes a, b or tie")
    if pair.second_id is None:
        raise Problem("choice", "compares, but the item has a single response")
    if draft.choice == "tie":
        if not criterion.allow_tie:
            raise Problem("choice", f"is a tie, which {criterion.key} does not allow")
        return 0
    strength = draft.strength or 1
    if strength > criterion.strengths:
        raise Problem("strength", f"is {strength}; {criterion.key} goes up to {criterion.strengths}")
    return _SIGN[draft.choice] * strength


def _response(draft: JudgmentDraft, pair: Pair) -> int:
    if pair.second_id is None:
        return pair.first_id
    if draft.response is None:
        raise Problem("response", "is missing; the item has two responses, so say a or b")
    return pair.first_id if draft.response == "a" else pair.second_id


def _shown(draft: JudgmentDraft) -> str:
    value = next((each for each in (draft.label, draft.score, draft.choice) if each is not None), "")
    return f"“{str(value)[:40]}”"


def _raters(project: Project, rater_ids: set[str], done: Imported) -> dict[str, User]:
    emails = {external_email(project, rater_id): rater_id for rater_id in sorted(rater_ids)}
    known = set(User.objects.filter(email__in=emails).values_list("email", flat=True))
    made = [
        User(email=email, name=rater_id[:120], is_external=True, password=make_password(None))
        for email, rater_id in emails.items()
        if email not in known
    ]
    User.objects.bulk_create(made)
    done.raters = len(emails)
    return {emails[user.email]: user for user in User.objects.filter(email__in=emails, is_external=True)}


def _new(visits: list[_Visit], users: dict[str, User], done: Imported) -> list[_Visit]:
    """Without what the same raters have already said of the same pairs."""
    taken = set(
        Assignment.objects.filter(rater__in=users.values(), pair__in={visit.pair.pk for visit in visits}).values_list(
            "pair_id", "rater_id"
        )
    )
    fresh = []
    for visit in visits:
        if (visit.pair.pk, users[visit.rater_id].pk) not in taken:
            fresh.append(visit)
            continue
        reason = "has already judged this item in an earlier import; what was stored first stands"
        done.refused.append(Refused(visit.first.line, "rater_id", reason))
    return fresh


def _copy(project: Project, visits: list[_Visit], users: dict[str, User], done: Imported) -> None:
    now, state = timezone.now(), Assignment.State.SUBMITTED.value
    assignments, annotations = reserve_ids(Assignment, len(visits)), reserve_ids(Annotation, len(visits))
    placed = [
        (visit, (project.pk, visit.pair.pk, users[visit.rater_id].pk), visit.first.at or now, assignment, annotation)
        for visit, assignment, annotation in zip(visits, assignments, annotations, strict=True)
    ]
    copy_rows(
        Assignment,
        ("id", *_WHOSE, "state", "swapped", "claimed_at", "ended_at", "skip_reason", "skip_comment"),
        ((pk, *whose, state, visit.first.swapped, at, at, "", "") for visit, whose, at, pk, _ in placed),
    )
    copy_rows(
        Annotation,
        ("id", "assignment_id", *_WHOSE, "revision", "current", "body_digest", "created_at"),
        (
            (pk, assignment, *whose, 1, True, digest(list(visit.answers.values())), at)
            for visit, whose, at, assignment, pk in placed
        ),
    )
    copy_rows(
        Judgment,
        ("project_id", "annotation_id", *(each.name for each in fields(Answer))),
        (
            (project.pk, annotation, *_values(answer))
            for visit, _, _, _, annotation in placed
            for answer in visit.answers.values()
        ),
    )
    done.annotations = len(visits)
    done.judgments = sum(len(visit.answers) for visit in visits)


_WHOSE = ("project_id", "pair_id", "rater_id")


def _values(answer: Answer) -> list[Any]:
    return [list(value) if isinstance(value, tuple) else value for value in astuple(answer)]
