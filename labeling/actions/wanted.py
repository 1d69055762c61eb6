"""How many raters a pair of a queue is to have: the one place that says so, for every verb that makes or removes slots.

All of it is SQL, because slots are made and removed by statements over many pairs. `queue` in it is a row of
labeling_queue, and every other alias its own.
"""

from __future__ import annotations

from typing import Any

from django.utils.translation import gettext as _

from labeling.models import Queue
from labeling.models.queues import MOST_OVERLAP

Stopping = Queue.Stopping

# What a change of makes pairs want more or fewer raters.
RULES = frozenset(
    {"overlap", "stopping", "criterion", "least", "most", "sure", "trusted_singles", "audit_percent", "audit_overlap"}
)
THIRD = 2  # raters before it is known whether a third is needed
LEAST = 2  # of an adapting queue, unless a single answer may settle a pair

# So many raters a pair has before anything is known of it.
FEWEST = f"""CASE WHEN queue.stopping = '{Stopping.THIRD}' THEN {THIRD}
    WHEN queue.trusted_singles THEN 1 ELSE least(greatest({LEAST}, queue.least), queue.most) END"""


def audited(pair: str) -> str:
    """Whether the pair, an SQL expression of its id, is drawn for the audit of `queue`.

    By a hash of both ids, so that it is always the same pairs, and that a larger share only adds to them.
    """
    digest = f"encode(sha256(convert_to(queue.id || '/' || {pair}, 'UTF8')), 'hex')"
    return f"""(queue.stopping <> '{Stopping.FIXED}' AND queue.audit_percent > 0
    AND ('x' || left({digest}, 7))::bit(28)::int %% 10000 < queue.audit_percent * 100)"""


def wanted(pair: str) -> str:
    """How many raters the pair, an SQL expression of its id, is to have in `queue`."""
    return f"""CASE WHEN queue.stopping = '{Stopping.FIXED}' THEN queue.overlap ELSE coalesce(
    (SELECT known.wanted FROM labeling_queuedpair known WHERE known.queue_id = queue.id AND known.pair_id = {pair}),
    CASE WHEN {audited(pair)} THEN queue.audit_overlap ELSE {FEWEST} END) END"""  # noqa: S608 (constants of ours)


def wrong_rules(rules: dict[str, Any]) -> dict[str, str]:
    """What is wrong with a queue's rules of stopping, by their names; `rules` are all of them, as they would be."""
    least, most, sure = rules["least"], rules["most"], rules["sure"]
    wrong = {}
    if rules["stopping"] not in Stopping.values:
        wrong["stopping"] = _("One of: %(choices)s.") % {"choices": ", ".join(Stopping.values)}
    if not 1 <= least <= most:
        wrong["least"] = _("Fewest raters a pair: from 1 to the most.")
    if not 1 <= most <= MOST_OVERLAP:
        wrong["most"] = _("Most raters a pair: from 1 to %(most)s.") % {"most": MOST_OVERLAP}
    if not 0.55 <= sure <= 0.99:
        wrong["sure"] = _("How sure a pair has to be: from 0.55 to 0.99.")
    if not 0 <= rules["audit_percent"] <= 100:
        wrong["audit_percent"] = _("From 0 to 100 percent.")
    if not 2 <= rules["audit_overlap"] <= MOST_OVERLAP:
        wrong["audit_overlap"] = _("Raters of an audited pair: from 2 to %(most)s.") % {"most": MOST_OVERLAP}
    return wrong
