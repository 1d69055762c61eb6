"""A criterion's scale as choices on the screen: their words, their keys, how they are drawn."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass, field

from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext, pgettext_lazy

from labeling.models import Criterion
from labeling.taxonomies import BELOW, domains

GRADES = {
    1: ("",),
    2: (pgettext_lazy("how much better", "slightly"), pgettext_lazy("how much better", "much")),
    3: (
        pgettext_lazy("how much better", "slightly"),
        pgettext_lazy("how much better", "clearly"),
        pgettext_lazy("how much better", "much"),
    ),
    4: (
        pgettext_lazy("how much better", "slightly"),
        pgettext_lazy("how much better", "clearly"),
        pgettext_lazy("how much better", "much"),
        pgettext_lazy("how much better", "far"),
    ),
}
HARMS = {
    2: (pgettext_lazy("harm", "Minor"), pgettext_lazy("harm", "Severe")),
    3: (pgettext_lazy("harm", "Minor"), pgettext_lazy("harm", "Moderate"), pgettext_lazy("harm", "Severe")),
    4: (
        pgettext_lazy("harm", "Minor"),
        pgettext_lazy("harm", "Moderate"),
        pgettext_lazy("harm", "Severe"),
        pgettext_lazy("harm", "Extreme"),
    ),
}
COUNTS = {
    2: gettext_lazy("two"),
    3: gettext_lazy("three"),
    4: gettext_lazy("four"),
    5: gettext_lazy("five"),
    6: gettext_lazy("six"),
    7: gettext_lazy("seven"),
    8: gettext_lazy("eight"),
    9: gettext_lazy("nine"),
    10: gettext_lazy("ten"),
}
SIZES = {1: (3,), 2: (1, 3), 3: (1, 2, 3), 4: (1, 2, 3, 4)}
MOST_STEPS = 10
KEYS = "1234567890"
BOTH_BAD = "both_bad"


@dataclass(frozen=True, slots=True)
class Choice:
    """One radio or checkbox. `word` is the answer in short, `name` in full, `size` 0 to 4 how it is drawn, `mark` what
    is written in it where its key is another.
    """

    value: str
    name: str
    word: str = ""
    key: str = ""
    size: int = 0
    leans: str = ""
    mark: str = ""
    checked: bool = False
    severe: bool = False


@dataclass(frozen=True, slots=True)
class Domain:
    """A harm to choose, if it may be chosen itself, and the parts below it."""

    name: str
    choice: Choice | None
    parts: list[Choice] = field(default_factory=list)


def told(text: str) -> str:
    """A project's words in the reader's language, where a preset's words are known; else as they are."""
    return _(text) if text else ""


def told_category(name: str) -> str:
    """A harm, and the domain that it is a part of."""
    return BELOW.join(told(part) for part in name.split(BELOW))


def steps(criterion: Criterion, chosen: int | None) -> list[Choice]:
    """The scale of a preference from most to the left to most to the right, keyed 1, 2, 3…"""
    top = criterion.strengths
    levels = [*range(-top, 0), *([0] if criterion.allow_tie else []), *range(1, top + 1)]
    return [_step(criterion, level, KEYS[place], chosen == level) for place, level in enumerate(levels)]


def _step(criterion: Criterion, level: int, key: str, checked: bool) -> Choice:
    if not level:
        same = _("About the same")
        return Choice("0", same, same, key, checked=checked)
    letter, place = ("A" if level < 0 else "B"), abs(level) - 1
    if criterion.grades:
        how = short = told(criterion.grades[place])
    else:
        better, short = told(criterion.better_word) or _("better"), str(GRADES[criterion.strengths][place])
        how = _("%(grade)s %(better)s") % {"grade": short, "better": better} if short else better
    return Choice(
        value=str(level),
        name=_("%(letter)s is %(how)s") % {"letter": letter, "how": how},
        word=_("%(letter)s, %(how)s") % {"letter": letter, "how": short} if short else letter,
        key=key,
        size=SIZES[criterion.strengths][place],
        leans="left" if level < 0 else "right",
        checked=checked,
    )


def neither(checked: bool) -> Choice:
    name = _("Neither is acceptable")
    return Choice(BOTH_BAD, name, name, "0", checked=checked)


def grades(criterion: Criterion, chosen: int | None) -> list[Choice]:
    """The grades of a rating, or none when there are too many to show: then it is a number to write.

    The key of a grade is its digit where every grade has one, else its place from 1.
    """
    values = range(criterion.minimum, criterion.maximum + 1)
    if len(values) > MOST_STEPS:
        return []
    digits = criterion.minimum >= 0 and criterion.maximum <= 9
    made = []
    for place, value in enumerate(values):
        number = _("%(value)s of %(most)s") % {"value": value, "most": criterion.maximum}
        said = told(criterion.grades[place]) if criterion.grades else ""
        made.append(
            Choice(
                value=str(value),
                name=f"{number}: {said}" if said else number,
                word=f"{value}: {said}" if said else number,
                key=str(value) if digits else KEYS[place],
                size=2 if digits else 4,
                mark="" if digits else f"{value}".replace("-", "−"),
                checked=value == chosen,
            )
        )
    return made


def chips(names: Collection[str], chosen: object) -> list[Choice]:
    """Reasons to choose from, as many as apply, keyed 1 to 9 and 0."""
    picked = chosen if isinstance(chosen, list) else []
    keys = [*KEYS, *[""] * len(names)]
    return [Choice(name, told(name), key=key, checked=name in picked) for name, key in zip(names, keys, strict=False)]


def harms(names: Collection[str], chosen: object) -> list[Domain]:
    """A taxonomy's domains with their parts."""
    picked = chosen if isinstance(chosen, list) else []

    def choice(name: str) -> Choice:
        return Choice(name, told(name.rpartition(BELOW)[2]), checked=name in picked)

    return [
        Domain(told(domain), choice(domain) if domain in names else None, [choice(part) for part in parts])
        for domain, parts in domains(names).items()
    ]


def severities(criterion: Criterion, chosen: int | None) -> list[Choice]:
    top, words = criterion.severities, HARMS.get(criterion.severities, ())
    return [
        Choice(str(n), f"{n} {words[n - 1]}" if words else str(n), checked=chosen == n, severe=n == top > 1)
        for n in range(1, top + 1)
    ]


def in_short(criterion: Criterion) -> str:
    """What a criterion asks, in one line for those who choose."""
    kind = Criterion.Kind(criterion.kind)
    if kind == kind.PREFERENCE:
        number = 2 * criterion.strengths + criterion.allow_tie
        tie = _("the same allowed") if criterion.allow_tie else _("a side must be taken")
        also = [_("or neither")] if criterion.allow_both_bad else []
        also += [_("on a conflict")] if criterion.asked == criterion.Asked.ON_CONFLICT else []
        return _(", ").join([ngettext("%(n)s step", "%(n)s steps", number) % {"n": number}, tie, *also])
    if kind == kind.RATING:
        return _("%(least)s to %(most)s for each response") % {"least": criterion.minimum, "most": criterion.maximum}
    if kind == kind.SAFETY:
        return _(", ").join([_("safe or unsafe"), *_counted(criterion)])
    if kind == kind.REASONS:
        number = len(criterion.categories)
        return ngettext("%(n)s reason to choose from", "%(n)s reasons to choose from", number) % {"n": number}
    return word_limits(criterion.min_words, criterion.max_words) or _("a text")


def _counted(criterion: Criterion) -> list[str]:
    harm, grade = len(criterion.categories), criterion.severities
    said = [ngettext("%(n)s category", "%(n)s categories", harm) % {"n": harm}] if harm else []
    return said + ([ngettext("%(n)s severity", "%(n)s severities", grade) % {"n": grade}] if grade else [])


def word_limits(least: int, most: int) -> str:
    """How long a text is to be, or nothing."""
    if least and most:
        return _("%(least)s to %(most)s words") % {"least": least, "most": most}
    if least:
        return ngettext("at least %(n)s word", "at least %(n)s words", least) % {"n": least}
    return ngettext("at most %(n)s word", "at most %(n)s words", most) % {"n": most} if most else ""
