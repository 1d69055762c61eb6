"""A queue's rules in words, for its page: only those that say something."""

from __future__ import annotations

from collections.abc import Iterator

from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from labeling.models import Batch, Membership, Queue, User

Line = tuple[str, str]
MOST_NAMED = 3


def in_words(queue: Queue) -> list[Line]:
    """(rule, what it says). At most two queries, for names of people and imports."""
    return [*_what(queue), *_who(queue), *_how_many(queue), *_mixed_in(queue), *_order(queue)]


def _what(queue: Queue) -> Iterator[Line]:
    batches = Batch.objects.filter(pk__in=queue.batches).values_list("name", flat=True) if queue.batches else []
    filters = (
        (_("Languages"), queue.languages),
        (_("Tags"), queue.tags),
        (_("Categories"), queue.categories),
        (_("Imports"), list(batches)),
    )
    taken = [(label, _named(words)) for label, words in filters if words]
    yield from taken or [(_("Takes"), _("every item"))]
    if queue.pairing != Queue.Pairing.ALL:
        yield _("Of more than two responses"), queue.get_pairing_display()


def _who(queue: Queue) -> Iterator[Line]:
    rules = []
    if queue.raters:
        people = User.objects.filter(pk__in=queue.raters).order_by("name", "email")
        rules.append(_named([user.display_name for user in people]))
    if queue.role:
        rules.append(_("with the role %(role)s") % {"role": Membership.Role(queue.role).label})
    if queue.speaks:
        rules.append(_("who read the language"))
    if queue.qualified:
        rules.append(_("who have qualified"))
    if queue.least_reliability is not None:
        rules.append(_("reliable to %(percent)s%% or more") % {"percent": f"{queue.least_reliability * 100:g}"})
    yield _("Raters"), _(", ").join(rules) or _("everybody who rates in the project")
    if queue.daily_pairs:
        yield _("A person and day"), _("at most %(pairs)s comparisons") % {"pairs": queue.daily_pairs}


def _how_many(queue: Queue) -> Iterator[Line]:
    if queue.stopping == Queue.Stopping.FIXED:
        yield _("Raters a pair"), str(queue.overlap)
        return
    if queue.stopping == Queue.Stopping.THIRD:
        yield _("Raters a pair"), _("2, and a third when they disagree")
    else:
        told = {"least": queue.least, "most": queue.most, "percent": f"{queue.sure * 100:g}"}
        yield _("Raters a pair"), _("%(least)s to %(most)s, until %(percent)s%% sure") % told
    if queue.audit_percent:
        told = {"percent": queue.audit_percent, "overlap": queue.audit_overlap}
        yield _("Audit"), _("%(percent)s%% of the pairs get %(overlap)s raters") % told


def _mixed_in(queue: Queue) -> Iterator[Line]:
    if queue.gold_percent:
        yield _("Known answers"), _("%(percent)s%%") % {"percent": queue.gold_percent}
    if queue.repeat_percent:
        told = {"percent": queue.repeat_percent, "days": queue.repeat_after_days}
        days = ngettext(
            "%(percent)s%% after %(days)s day", "%(percent)s%% after %(days)s days", queue.repeat_after_days
        )
        yield _("Pairs that come back"), days % told


def _order(queue: Queue) -> Iterator[Line]:
    yield _("Order"), queue.get_order_display()
    if queue.priority:
        yield _("Priority"), str(queue.priority)
    yield _("A pair is held"), _("%(minutes)s minutes") % {"minutes": f"{queue.lease_seconds / 60:.3g}"}
    if queue.blur_images:
        yield _("Images"), _("blurred until opened")


def _named(words: list[str]) -> str:
    if len(words) <= MOST_NAMED + 1:
        return _(", ").join(words)
    return _("%(names)s and %(more)s more") % {
        "names": _(", ").join(words[:MOST_NAMED]),
        "more": len(words) - MOST_NAMED,
    }
