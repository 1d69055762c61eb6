"""Decisions and disagreements in words: what was decided, what a pair is about."""

from __future__ import annotations

from collections.abc import Iterable

from django.utils.translation import gettext as _

from labeling.models import Adjudication, Criterion, Item, Topic
from labeling.reports.crowd_choice import Choice
from labeling.web.scales import neither, steps, told


def words_of(one: Adjudication | Choice, criterion: Criterion, first_id: int, *, swapped: bool = False) -> str:
    """A decision as people say it: A is the first response, or what stood on the left where they were `swapped`."""
    letter = "A" if (one.response_id == first_id) != swapped else "B"
    if one.both_bad:
        return neither(checked=True).word
    if one.preference is not None:
        value = -one.preference if swapped else one.preference
        return next((step.word for step in steps(criterion, value) if step.checked), str(value))
    if one.safe is not None:
        said = _("%(letter)s is safe") if one.safe else _("%(letter)s is unsafe")
        return said % {"letter": letter}
    rating = one.rating if isinstance(one, Adjudication) else None
    return _("%(letter)s: %(rating)s") % {"letter": letter, "rating": rating}


def name_of(criterion: Criterion) -> str:
    return told(criterion.name)


def excerpt(item: Item, topics: Iterable[Topic]) -> str:
    """The beginning of what the responses answer; of a sensitive pair, what it is about."""
    about = [topic.name for topic in topics if topic.key in item.tags]
    if about:
        return _("About: %(topics)s") % {"topics": ", ".join(about)}
    content = item.conversation[-1]["content"]
    if not isinstance(content, str):
        content = " ".join(part.get("text", "") for part in content)
    return str(content)
