"""A project's instrument: what its raters are asked. Every change of it raises the instrument's number.

What judgments already given would no longer mean (another scale, a category taken away) is refused; the way out is
to stop asking that question and to add a new one.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import Any, NoReturn

from django.core.exceptions import ValidationError
from django.db import connection, transaction
from django.db.models import F, Max
from django.utils.translation import gettext as _

from labeling.actions.own_words import WHEN
from labeling.actions.refusals import Refused
from labeling.audit import record
from labeling.consistency import RULES
from labeling.models import Criterion, Judgment, Project, User
from labeling.presets import PRESETS, Preset
from labeling.taxonomies import BELOW, TAXONOMIES

Kind = Criterion.Kind
KEY = re.compile(r"[a-z][a-z0-9_-]{0,39}")
MOST_CRITERIA, MOST_CATEGORIES, MOST_GRADES = 20, 100, 21
SCALE = {
    Kind.PREFERENCE: ("strengths", "allow_tie", "allow_both_bad"),
    Kind.SAFETY: ("severities",),
    Kind.RATING: ("minimum", "maximum"),
    Kind.TEXT: (),
    Kind.REASONS: (),
}
WORDING = {
    Kind.PREFERENCE: ("better_word", "grades"),
    Kind.SAFETY: ("taxonomy", "categories"),
    Kind.RATING: ("grades",),
    Kind.TEXT: ("min_words", "max_words"),
    Kind.REASONS: ("categories",),
}
EVERY = ("name", "question", "asked", "required", "guideline_section")


def find_preset(key: str) -> Preset:
    if key not in PRESETS:
        known = ", ".join(PRESETS)
        message = _("There is no preset “%(key)s”. Presets: %(known)s.") % {"key": key[:60], "known": known}
        raise Refused("unknown_preset", message, {"preset": _("unknown")})
    return PRESETS[key]


def preset_criteria(preset: Preset) -> list[Criterion]:
    """The questions of a preset, unsaved and of no project yet."""
    return [Criterion(position=place, **_with_categories(fields)) for place, fields in enumerate(preset.criteria)]


def fields_of(kind: str) -> tuple[str, ...]:
    """What can be said about a criterion of this kind, beside its key."""
    return (*EVERY, *SCALE[Kind(kind)], *WORDING[Kind(kind)])


@transaction.atomic
def add_criterion(*, project: Project, by: User, key: str, kind: str, **fields: Any) -> Criterion:
    """Ask one more question, last. `fields` are those that fields_of(kind) names."""
    held = _lock(project)
    if not KEY.fullmatch(key):
        _refuse("key", _("A key has small letters, digits, hyphens and underscores, and starts with a letter."))
    if held.criteria.filter(key=key).exists():
        _refuse("key", _("There is already a question with this key. Choose another."))
    if held.criteria.count() >= MOST_CRITERIA:
        _refuse("key", _("A project asks at most %(most)s questions.") % {"most": MOST_CRITERIA})
    last = held.criteria.aggregate(last=Max("position"))["last"]
    criterion = Criterion(project=held, key=key, kind=kind, position=0 if last is None else last + 1)
    _set(criterion, fields)
    criterion.save()
    _changed(held, project, by, "criterion.added", criterion, key=key, kind=kind, **fields)
    return criterion


@transaction.atomic
def change_criterion(*, criterion: Criterion, by: User, **fields: Any) -> Criterion:
    """Change the fields named; with judgments there, not its scale, and no category that was used goes."""
    project = _lock(criterion.project)
    held = Criterion.objects.select_for_update().get(pk=criterion.pk)
    fields = _with_categories(fields)
    before = {name: getattr(held, name, None) for name in fields}
    _set(held, fields)
    changed = {name: getattr(held, name) for name, was in before.items() if getattr(held, name) != was}
    if not changed:
        raise Refused("unchanged", _("Nothing is different from before."))
    _keeps_its_meaning(held, before, changed)
    held.save(update_fields=list(changed))
    kept = {name: before[name] for name in changed}
    _changed(project, criterion.project, by, "criterion.changed", held, key=held.key, before=kept, after=changed)
    return held


@transaction.atomic
def move_criterion(*, criterion: Criterion, by: User, up: bool) -> Criterion:
    """Ask it one place earlier or later; at the end of the row it stays."""
    project = _lock(criterion.project)
    row = list(project.criteria.all())
    at = next(place for place, one in enumerate(row) if one.pk == criterion.pk)
    to = at - 1 if up else at + 1
    if not 0 <= to < len(row):
        raise Refused("unchanged", _("It is already at that end."))
    row[at], row[to] = row[to], row[at]
    for place, one in enumerate(row):
        one.position = place
    Criterion.objects.bulk_update(row, ["position"])
    _changed(project, criterion.project, by, "criterion.moved", criterion, key=criterion.key, position=to)
    return row[to]


@transaction.atomic
def change_hints(*, project: Project, by: User, hints: list[dict[str, Any]]) -> Project:
    """Which contradictions a rater is asked about: [{"rule", …parameters}], each rule at most once."""
    names = [rule.get("rule") for rule in hints]
    numbers = [value for rule in hints for name, value in rule.items() if name != "rule"]
    if len(set(names)) < len(names) or not set(names) <= RULES.keys() or not all(map(_is_small, numbers)):
        _refuse("hints", _("Each rule once, out of: %(known)s.") % {"known": ", ".join(RULES)})
    held = _lock(project)
    before, held.hints = held.hints, hints
    if before == hints:
        raise Refused("unchanged", _("Nothing is different from before."))
    held.save(update_fields=["hints"])
    _changed(held, project, by, "hints.changed", held, before=before, after=hints)
    return held


@transaction.atomic
def change_rationale(
    *, project: Project, by: User, when: Iterable[str], percent: int, required: bool, min_words: int, max_words: int
) -> Project:
    """When raters are asked for a reason in their own words, and how long it is to be; 0 sets no limit."""
    policy = {
        "when": [name for name in WHEN if name in set(when)],
        "percent": percent, "required": required, "min_words": min_words, "max_words": max_words,
    }  # fmt: skip
    if not 0 <= percent <= 100:
        _refuse("percent", _("A share lies between 0 and 100 percent."))
    _words_fit(min_words, max_words)
    held = _lock(project)
    before, held.rationale = held.rationale, policy
    if before == policy:
        raise Refused("unchanged", _("Nothing is different from before."))
    held.save(update_fields=["rationale"])
    _changed(held, project, by, "rationale.changed", held, before=before, after=policy)
    return held


def _lock(project: Project) -> Project:
    return Project.objects.select_for_update(no_key=True).get(pk=project.pk)


def _changed(held: Project, project: Project, by: User, act: str, target: Any, **data: Any) -> None:
    """One more instrument, in the transaction that changed it, and one audit entry."""
    Project.objects.filter(pk=held.pk).update(instrument=F("instrument") + 1)
    project.instrument = held.instrument = held.instrument + 1
    project.hints, project.rationale = held.hints, held.rationale
    record(by, act, target, project_id=held.pk, instrument=held.instrument, **data)


def _set(criterion: Criterion, fields: dict[str, Any]) -> None:
    """Put the fields on the criterion, if they make a question that can be asked and stored."""
    if unknown := fields.keys() - set(fields_of(criterion.kind)):
        raise Refused("unchangeable", _("These stay as they are."), dict.fromkeys(unknown, _("fixed")))
    for name, value in _with_categories(fields).items():
        setattr(criterion, name, value)
    try:
        criterion.clean_fields(exclude=["project"])
    except ValidationError as wrong:
        errors = {name: texts[0] for name, texts in wrong.message_dict.items()}
        raise Refused("invalid", next(iter(errors.values())), errors) from wrong
    _scale_fits(criterion)


def _scale_fits(criterion: Criterion) -> None:
    if criterion.asked == Criterion.Asked.ON_CONFLICT and criterion.kind != Kind.PREFERENCE:
        _refuse("asked", _("Only a preference can be asked when other preferences point different ways."))
    if criterion.kind == Kind.RATING and not criterion.minimum < criterion.maximum <= criterion.minimum + 100:
        _refuse("maximum", _("The highest rating lies above the lowest, by at most 100."))
    steps = criterion.strengths if criterion.kind == Kind.PREFERENCE else criterion.maximum - criterion.minimum + 1
    if criterion.grades and len(criterion.grades) != steps:
        wanted = {"wanted": steps, "has": len(criterion.grades)}
        _refuse("grades", _("One word for each grade: %(wanted)s, not %(has)s; or none.") % wanted)
    if criterion.kind == Kind.REASONS and len(criterion.categories) < 2:
        _refuse("categories", _("Give at least two reasons to choose from."))
    if len(criterion.categories) > MOST_CATEGORIES:
        _refuse("categories", _("At most %(most)s, please.") % {"most": MOST_CATEGORIES})
    if any(not name.strip() or name.count(BELOW) > 1 for name in criterion.categories):
        _refuse("categories", _("A part stands below one domain: “Domain › Part”."))
    _words_fit(criterion.min_words, criterion.max_words)


def _keeps_its_meaning(held: Criterion, before: dict[str, Any], changed: dict[str, Any]) -> None:
    """Refuse what would change the meaning of judgments that are there."""
    scale = changed.keys() & set(SCALE[Kind(held.kind)])
    gone = set(before.get("categories", [])) - set(held.categories) if "categories" in changed else set()
    if not (scale or gone) or not Judgment.objects.filter(criterion=held).exists():
        return
    remedy = _("Stop asking this question and add a new one beside it.")
    if scale:
        why = _("It has answers, and on another scale they would mean something else.")
        raise Refused("has_judgments", f"{why} {remedy}", dict.fromkeys(scale, f"{why} {remedy}"))
    if used := sorted(gone & _used_categories(held)):
        why = _("There are answers with “%(categories)s”, which would be lost.") % {"categories": "”, “".join(used)}
        raise Refused("has_judgments", f"{why} {remedy}", {"categories": f"{why} {remedy}"})


def _used_categories(criterion: Criterion) -> set[str]:
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT DISTINCT unnest(categories) FROM labeling_judgment WHERE criterion_id = %s", [criterion.pk]
        )
        return {name for (name,) in cursor.fetchall()}


def _with_categories(fields: dict[str, Any]) -> dict[str, Any]:
    """The categories of a taxonomy in place of its name alone."""
    taxonomy = fields.get("taxonomy")
    if not taxonomy:
        return fields
    if taxonomy not in TAXONOMIES:
        _refuse(
            "taxonomy", _("There is no such taxonomy. Choose one of: %(known)s.") % {"known": ", ".join(TAXONOMIES)}
        )
    return fields | {"categories": TAXONOMIES[taxonomy].categories}


def _words_fit(least: int, most: int) -> None:
    if min(least, most) < 0 or (most and most < least):
        _refuse("max_words", _("The most words are at least as many as the least; 0 sets no limit."))


def _is_small(value: Any) -> bool:
    return isinstance(value, int) and not isinstance(value, bool) and -100 <= value <= 100


def _refuse(field: str, message: str) -> NoReturn:
    raise Refused("invalid", message, {field: message})
