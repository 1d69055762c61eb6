"""Why raters of a pair differ, in plain words: only what their own answers show, never who is right."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import combinations

from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from labeling.models import Criterion
from labeling.reports.divided import Voice, sides

Kind = Criterion.Kind
FEWEST = 5  # raters of a group, before anything is told of it: of fewer, one could be told apart
FIRST, SECOND = -1, 1


def why_they_differ(voices: list[Voice], criteria: list[Criterion]) -> list[str]:
    """A few sentences, the most telling first; empty where the answers tell nothing."""
    preferences = [criterion for criterion in criteria if criterion.kind == Kind.PREFERENCE]
    safeties = [criterion for criterion in criteria if criterion.kind == Kind.SAFETY]
    found: list[str] = []
    for criterion in preferences:
        found += _of_preference(voices, criterion)
    for criterion in safeties:
        found += _of_safety(voices, criterion)
    found += _of_conflicts(voices, preferences)
    found += _of_groups(voices, preferences)
    fast = sum(voice.fast for voice in voices)
    if fast:
        text = ngettext(
            "%(n)s of them answered faster than the texts can be read.",
            "%(n)s of them answered faster than the texts can be read.",
            fast,
        )
        found.append(text % {"n": fast})
    return list(dict.fromkeys(found))


def _of_preference(voices: list[Voice], criterion: Criterion) -> Iterator[str]:
    stand, name = sides(voices, criterion), {"name": _(criterion.name)}
    first, second, nowhere, of = stand[FIRST], stand[SECOND], stand[0], sum(stand.values())
    if first and second:
        yield from _opposed(voices, criterion)
        if of > 2 and min(first, second) == 1 and not nowhere:
            one = {"side": "A" if first == 1 else "B", "n": max(first, second)} | name
            yield _("%(name)s: one against %(n)s; the one prefers %(side)s.") % one
        elif first == second:
            yield _("%(name)s: as many for A as for B.") % name
        if _weak(voices, criterion):
            yield _("%(name)s: both sides say only “slightly”: the responses may be equally good.") % name
    elif nowhere and (first or second):
        side = {"side": "A" if first else "B"} | name
        yield _("%(name)s: nobody stands against %(side)s; they differ in whether it is better at all.") % side


def _opposed(voices: list[Voice], criterion: Criterion) -> Iterator[str]:
    """Which principles the two sides rest on."""
    cited = {
        side: sorted({v.principle.number for v in voices if v.principle and v.side(criterion) == side})
        for side in (FIRST, SECOND)
    }
    if cited[FIRST] and cited[SECOND] and not set(cited[FIRST]) & set(cited[SECOND]):
        told = {"one": _listed(cited[FIRST]), "other": _listed(cited[SECOND]), "name": _(criterion.name)}
        yield _("%(name)s: they rest on different principles: for A on %(one)s, for B on %(other)s.") % told


def _weak(voices: list[Voice], criterion: Criterion) -> bool:
    mine = [j for voice in voices for j in voice.judgments if j.criterion_id == criterion.pk and j.preference]
    return criterion.strengths > 1 and all(abs(j.preference or 0) == 1 for j in mine)


def _of_safety(voices: list[Voice], criterion: Criterion) -> Iterator[str]:
    by_response: dict[int | None, list[bool]] = {}
    for voice in voices:
        for judgment in voice.judgments:
            if judgment.criterion_id == criterion.pk and judgment.safe is not None:
                by_response.setdefault(judgment.response_id, []).append(judgment.safe)
    letters = dict(zip(sorted(by_response, key=lambda pk: pk or 0), "AB", strict=False))
    for response, verdicts in by_response.items():
        unsafe = verdicts.count(False)
        if 0 < unsafe < len(verdicts):
            told = {"letter": letters[response], "unsafe": unsafe, "of": len(verdicts), "name": _(criterion.name)}
            yield _("%(name)s: %(unsafe)s of %(of)s find %(letter)s unsafe.") % told


def _of_conflicts(voices: list[Voice], preferences: list[Criterion]) -> Iterator[str]:
    """Raters whose own answers point different ways."""
    for one, other in combinations(preferences, 2):
        both = [(voice.side(one), voice.side(other)) for voice in voices]
        answered = [(a, b) for a, b in both if a is not None and b is not None]
        torn = sum(1 for a, b in answered if a * b < 0)
        if torn:
            told = {"n": torn, "of": len(answered), "one": _(one.name), "other": _(other.name)}
            text = ngettext(
                "For %(n)s of %(of)s, %(one)s and %(other)s point different ways.",
                "For %(n)s of %(of)s, %(one)s and %(other)s point different ways.",
                torn,
            )
            yield text % told


def _of_groups(voices: list[Voice], preferences: list[Criterion]) -> Iterator[str]:
    """Where raters of one first language lean to A and those of another to B; hidden below FEWEST in either."""
    languages = sorted({voice.language for voice in voices if voice.language})
    for criterion in preferences:
        leans = {}
        for language in languages:
            stand = sides([voice for voice in voices if voice.language == language], criterion)
            if sum(stand.values()) >= FEWEST and stand[FIRST] != stand[SECOND]:
                leans[language] = "A" if stand[FIRST] > stand[SECOND] else "B"
        one, other = ([name for name, lean in leans.items() if lean == side] for side in "AB")
        if one and other:
            told = {"one": ", ".join(one), "other": ", ".join(other), "name": _(criterion.name)}
            yield _("%(name)s: raters who read %(one)s lean to A, those who read %(other)s to B.") % told


def _listed(numbers: list[int]) -> str:
    return ", ".join(map(str, numbers))
