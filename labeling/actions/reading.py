"""One answer of each kind, read against its criterion: from the shown sides to the stored order, once."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Any, TypeGuard

from django.utils.translation import gettext as _

from labeling.models import Criterion, Judgment, Pair
from labeling.wording import count_words

Kind = Criterion.Kind
LONGEST_TEXT = 10_000
LONGEST_FREE_CATEGORY = 80
MOST_CATEGORIES = 60
SIDES = ("left", "right")


@dataclass(frozen=True, slots=True)
class Answer:
    """One value in stored order, ready to become a Judgment."""

    criterion_id: int
    response_id: int | None = None
    preference: int | None = None
    both_bad: bool = False
    rating: int | None = None
    safe: bool | None = None
    categories: tuple[str, ...] = ()
    severity: int | None = None
    text: str = ""

    def judgment(self, annotation_id: int, project_id: int) -> Judgment:
        return Judgment(
            annotation_id=annotation_id, project_id=project_id, criterion_id=self.criterion_id,
            response_id=self.response_id, preference=self.preference, both_bad=self.both_bad, rating=self.rating,
            safe=self.safe, categories=list(self.categories), severity=self.severity, text=self.text,
        )  # fmt: skip


@dataclass
class Reading:
    """The reading of one body: what it holds, and what is wrong with it by path. `complete`: it comes from the screen,
    which shows every question, so nothing may be left open.
    """

    pair: Pair
    swapped: bool
    complete: bool = False
    answers: list[Answer] = field(default_factory=list)
    errors: dict[str, str] = field(default_factory=dict)

    def response(self, side: str) -> int | None:
        """The response shown on a side; a pair without a second response shows its only one on the left."""
        if self.pair.second_id is None:
            return self.pair.first_id if side == "left" else None
        return self.pair.second_id if (side == "left") == self.swapped else self.pair.first_id


def conflict(values: Iterator[int] | list[int]) -> bool:
    """Whether preferences point different ways; ties point nowhere."""
    return len({value > 0 for value in values if value}) == 2


def words_needed(text: str, least: int, most: int) -> str:
    """What is wrong with the length of a text, in words, or nothing; 0 sets no limit."""
    has = count_words(text)
    if has >= least and (not most or has <= most):
        return ""
    if least and most:
        return _("Needs %(least)s to %(most)s words; this has %(has)s.") % {"least": least, "most": most, "has": has}
    if least:
        return _("Needs at least %(least)s words; this has %(has)s.") % {"least": least, "has": has}
    return _("May have at most %(most)s words; this has %(has)s.") % {"most": most, "has": has}


def _preference(reading: Reading, criterion: Criterion, path: str, answer: dict[str, Any]) -> None:
    _only(reading, path, answer, {"preference", "both_bad", "rationale"})
    both_bad, value = answer.get("both_bad", False), answer.get("preference")
    text = _text(reading, f"{path}.rationale", answer.get("rationale", ""))
    top = criterion.strengths
    if reading.pair.second_id is None:
        reading.errors[path] = _("This item has one response: there is nothing to prefer.")
    elif not isinstance(both_bad, bool):
        reading.errors[f"{path}.both_bad"] = _("Must be true or false.")
    elif both_bad and not criterion.allow_both_bad:
        reading.errors[f"{path}.both_bad"] = _("This criterion does not offer “neither is acceptable”.")
    elif both_bad and value not in (None, 0):
        reading.errors[f"{path}.preference"] = _("Leave it out, or 0, when neither response is acceptable.")
    elif both_bad:
        reading.answers.append(Answer(criterion.pk, both_bad=True, text=text))
    elif not _whole(value) or abs(value) > top:
        reading.errors[f"{path}.preference"] = _whole_number(-top, top)
    elif value == 0 and not criterion.allow_tie:
        reading.errors[f"{path}.preference"] = _("This criterion allows no tie: choose a side.")
    else:
        reading.answers.append(Answer(criterion.pk, preference=-value if reading.swapped else value, text=text))


def _safety(reading: Reading, criterion: Criterion, path: str, answer: dict[str, Any]) -> None:
    for response_id, place, side in _sides(reading, path, answer, {"safe", "categories", "severity", "rationale"}):
        safe, categories, severity = side.get("safe"), side.get("categories", []), side.get("severity")
        text = _text(reading, f"{place}.rationale", side.get("rationale", ""))
        if not isinstance(safe, bool):
            reading.errors[f"{place}.safe"] = _("Must be true or false.")
        elif safe and (categories or severity is not None):
            reading.errors[f"{place}.safe"] = _("A safe response has neither categories nor a severity.")
        elif _harm_fits(reading, criterion, place, safe, categories, severity):
            harms = tuple(sorted(set(categories)))
            reading.answers.append(
                Answer(criterion.pk, response_id, safe=safe, categories=harms, severity=severity, text=text)
            )


def _harm_fits(reading: Reading, criterion: Criterion, place: str, safe: bool, categories: Any, severity: Any) -> bool:
    """What is unsafe, and how much: within what is offered, and on the screen not left open."""
    asked = reading.complete and not safe
    wrong: dict[str, str] = {}
    if not _categories_fit(criterion, categories):
        wrong["categories"] = _("Must be a list from: %(offered)s.") % {
            "offered": ", ".join(criterion.categories) or _("short texts")
        }
    elif asked and criterion.categories and not categories:
        wrong["categories"] = _("Choose what is unsafe: one or more.")
    if severity is not None and not (_whole(severity) and 1 <= severity <= criterion.severities):
        wrong["severity"] = _whole_number(1, criterion.severities)
    elif asked and criterion.severities and severity is None:
        wrong["severity"] = _("Choose how serious it is.")
    reading.errors |= {f"{place}.{field}": text for field, text in wrong.items()}
    return not wrong


def _rating(reading: Reading, criterion: Criterion, path: str, answer: dict[str, Any]) -> None:
    for response_id, place, side in _sides(reading, path, answer, {"rating", "rationale"}):
        value = side.get("rating")
        text = _text(reading, f"{place}.rationale", side.get("rationale", ""))
        if not _whole(value) or not criterion.minimum <= value <= criterion.maximum:
            reading.errors[f"{place}.rating"] = _whole_number(criterion.minimum, criterion.maximum)
        else:
            reading.answers.append(Answer(criterion.pk, response_id, rating=value, text=text))


def _written(reading: Reading, criterion: Criterion, path: str, answer: dict[str, Any]) -> None:
    _only(reading, path, answer, {"text"})
    text = _text(reading, f"{path}.text", answer.get("text"))
    if not text:
        reading.errors.setdefault(f"{path}.text", _("Must not be empty."))
    elif wrong := words_needed(text, criterion.min_words, criterion.max_words):
        reading.errors.setdefault(f"{path}.text", wrong)
    else:
        reading.answers.append(Answer(criterion.pk, text=text))


def _reasons(reading: Reading, criterion: Criterion, path: str, answer: dict[str, Any]) -> None:
    _only(reading, path, answer, {"chosen"})
    chosen = answer.get("chosen")
    if not chosen:
        reading.errors[f"{path}.chosen"] = _("Choose at least one, or leave the whole answer out.")
    elif not _categories_fit(criterion, chosen):
        reading.errors[f"{path}.chosen"] = _("Must be a list from: %(offered)s.") % {
            "offered": ", ".join(criterion.categories) or _("short texts")
        }
    else:
        reading.answers.append(Answer(criterion.pk, categories=tuple(sorted(set(chosen)))))


READERS: dict[Kind, Callable[[Reading, Criterion, str, dict[str, Any]], None]] = {
    Kind.PREFERENCE: _preference,
    Kind.SAFETY: _safety,
    Kind.RATING: _rating,
    Kind.TEXT: _written,
    Kind.REASONS: _reasons,
}


def _sides(
    reading: Reading, path: str, answer: dict[str, Any], fields: set[str]
) -> Iterator[tuple[int, str, dict[str, Any]]]:
    """The sides an answer speaks of, as (response id, path, fields)."""
    _only(reading, path, answer, set(SIDES))
    for side in SIDES:
        response_id, place = reading.response(side), f"{path}.{side}"
        if side not in answer:
            if response_id is not None:
                reading.errors[place] = _("Each shown response needs an answer.")
        elif response_id is None:
            reading.errors[place] = _("This item has one response, shown on the left.")
        elif not isinstance(answer[side], dict):
            reading.errors[place] = _("Must be an object.")
        else:
            _only(reading, place, answer[side], fields)
            yield response_id, place, answer[side]


def _only(reading: Reading, path: str, answer: dict[str, Any], known: set[str]) -> None:
    for name in answer.keys() - known:
        reading.errors[f"{path}.{name}"] = _("Unknown field. Known: %(known)s.") % {"known": ", ".join(sorted(known))}


def _text(reading: Reading, path: str, value: Any) -> str:
    if not isinstance(value, str):
        reading.errors[path] = _("Must be text.")
        return ""
    if len(value) > LONGEST_TEXT:
        reading.errors[path] = _("Must be at most %(most)s characters; this has %(has)s.") % {
            "most": f"{LONGEST_TEXT:,}",
            "has": f"{len(value):,}",
        }
    elif "\0" in value or any("\ud800" <= character <= "\udfff" for character in value):
        reading.errors[path] = _("Must not hold NUL or half of a surrogate pair.")
    return value.strip()


def _categories_fit(criterion: Criterion, chosen: Any) -> bool:
    if not isinstance(chosen, list) or len(chosen) > MOST_CATEGORIES:
        return False
    if not criterion.categories:
        return all(
            isinstance(name, str) and 0 < len(name) <= LONGEST_FREE_CATEGORY and "\0" not in name for name in chosen
        )
    return all(isinstance(name, str) and name in criterion.categories for name in chosen)


def _whole(value: object) -> TypeGuard[int]:
    return isinstance(value, int) and not isinstance(value, bool)


def _whole_number(least: int, most: int) -> str:
    return _("Must be a whole number from %(least)s to %(most)s.") % {"least": least, "most": most}
