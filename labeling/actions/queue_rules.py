"""What a queue's rules may be: each that is wrong by its name, with what to do instead."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from labeling.actions.refusals import Refused
from labeling.actions.wanted import RULES
from labeling.models import Batch, Criterion, Membership, Project, Queue
from labeling.models.queues import LONGEST_LEASE, MOST_OVERLAP, SHORTEST_LEASE

FILTERS = frozenset({"languages", "tags", "batches", "categories", "pairing"})
CHANGEABLE = (
    FILTERS
    | RULES
    | {
        "name", "lease_seconds", "paused", "priority", "order", "blur_images", "raters", "role", "speaks", "qualified",
        "least_reliability", "daily_pairs", "gold_percent", "repeat_percent", "repeat_after_days",
    }
)  # fmt: skip
MOST_A_DAY, MOST_DAYS, MOST_PRIORITY, MOST_WORDS = 10_000, 365, 1000, 100
MOST_GOLD, MOST_REPEATS = 50, 20

# Numbers by their names: the least, the most, and what is said of others.
RANGES: dict[str, tuple[float, float, Any]] = {
    "overlap": (1, MOST_OVERLAP, gettext_lazy("Raters a pair: from %(least)s to %(most)s.")),
    "lease_seconds": (SHORTEST_LEASE, LONGEST_LEASE, gettext_lazy("Lease time is from %(least)s to %(most)s seconds.")),
    "priority": (-MOST_PRIORITY, MOST_PRIORITY, gettext_lazy("Priority: from %(least)s to %(most)s.")),
    "daily_pairs": (0, MOST_A_DAY, gettext_lazy("Pairs a day: from %(least)s (no limit) to %(most)s.")),
    "gold_percent": (0, MOST_GOLD, gettext_lazy("Known answers: from %(least)s to %(most)s percent.")),
    "repeat_percent": (0, MOST_REPEATS, gettext_lazy("Pairs that come back: from %(least)s to %(most)s percent.")),
    "repeat_after_days": (1, MOST_DAYS, gettext_lazy("Days before a pair comes back: from %(least)s to %(most)s.")),
    "least": (1, MOST_OVERLAP, gettext_lazy("Fewest raters a pair: from %(least)s to %(most)s.")),
    "most": (1, MOST_OVERLAP, gettext_lazy("Most raters a pair: from %(least)s to %(most)s.")),
    "sure": (0.55, 0.99, gettext_lazy("How sure a pair has to be: from %(least)s to %(most)s.")),
    "audit_percent": (0, 100, gettext_lazy("Audited pairs: from %(least)s to %(most)s percent.")),
    "audit_overlap": (2, MOST_OVERLAP, gettext_lazy("Raters of an audited pair: from %(least)s to %(most)s.")),
    "least_reliability": (0.5, 1, gettext_lazy("Least reliability: from %(least)s to %(most)s, or none.")),
}
_CHOICES: dict[str, list[str]] = {
    "order": Queue.Order.values,
    "pairing": Queue.Pairing.values,
    "stopping": Queue.Stopping.values,
    "role": ["", *(role for role in Membership.Role.values if role != Membership.Role.RATER)],
}


def check_rules(project: Project, rules: dict[str, Any], *, now: Queue | None = None) -> None:
    """Refuse what is wrong in `rules`, all of it at once. `now` has those that are not named; a new one the usual."""
    errors = _out_of_range(rules)
    for name, known in _CHOICES.items():
        if name in rules and rules[name] not in known:
            errors[name] = _("One of: %(choices)s.") % {"choices": ", ".join(filter(None, known))}
    for name, check in _OWN.items():
        if name in rules and (wrong := check(project, rules[name])):
            errors[name] = wrong
    if errors := errors or _together(rules, now or Queue()):
        raise Refused("invalid", " ".join(errors.values()), errors)


def _out_of_range(rules: dict[str, Any]) -> dict[str, str]:
    numbers = {name: rules[name] for name in RANGES if rules.get(name) is not None}
    return {
        name: str(said) % {"least": least, "most": most}
        for name, (least, most, said) in RANGES.items()
        if name in numbers and not least <= numbers[name] <= most
    }


def _together(rules: dict[str, Any], now: Queue) -> dict[str, str]:
    """What is wrong between two rules; said at the one that was named."""
    least, most = (rules.get(name, getattr(now, name)) for name in ("least", "most"))
    if least <= most:
        return {}
    name = "least" if "least" in rules else "most"
    said = _("The fewest raters a pair (%(least)s) must not be more than the most (%(most)s). Change one of the two.")
    return {name: said % {"least": least, "most": most}}


def _raters(project: Project, wanted: list[int]) -> str:
    known = Membership.objects.filter(project=project, role=Membership.Role.RATER, user__in=wanted)
    missing = set(wanted) - set(known.values_list("user", flat=True))
    if not missing:
        return ""
    return _("%(count)s of these people are no raters of this project. Invite them first, or leave them out.") % {
        "count": len(missing)
    }


def _batches(project: Project, wanted: list[int]) -> str:
    known = Batch.objects.filter(project=project, pk__in=wanted).count()
    return "" if known == len(set(wanted)) else _("Choose among the imports of this project.")


def _criterion(project: Project, wanted: Criterion | None) -> str:
    if wanted is None or (wanted.project_id == project.pk and wanted.kind == Criterion.Kind.PREFERENCE):
        return ""
    return _("Choose a question of this project that asks for a preference.")


def _words(longest: int) -> Callable[[Project, list[str]], str]:
    def check(_project: Project, wanted: list[str]) -> str:
        if len(wanted) > MOST_WORDS:
            return _("At most %(most)s of them.") % {"most": MOST_WORDS}
        if any(not word or len(word) > longest for word in wanted):
            return _("Each has from 1 to %(most)s characters.") % {"most": longest}
        return ""

    return check


_OWN: dict[str, Callable[[Project, Any], str]] = {
    "raters": _raters,
    "batches": _batches,
    "criterion": _criterion,
    "languages": _words(35),
    "tags": _words(100),
    "categories": _words(100),
}
