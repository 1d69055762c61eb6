"""How many raters a pair of a queue is to have: the one place that says so, for every verb that makes or removes slots.

All of it is SQL, because slots are made and removed by statements over many pairs. `queue` in it is a row of
labeling_queue, and every other alias its own.
"""

from __future__ import annotations

from labeling.models import Queue

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


def decided(pair: str) -> str:
    """Whether an adjudicator decided on the pair, an SQL expression of its id: nobody is asked about it any more."""
    return f"EXISTS (SELECT FROM labeling_adjudication known WHERE known.pair_id = {pair} AND known.current)"


def wanted(pair: str) -> str:
    """How many raters the pair, an SQL expression of its id, is to have in `queue`."""
    return f"""CASE WHEN {decided(pair)} THEN 0
    WHEN queue.stopping = '{Stopping.FIXED}' THEN queue.overlap ELSE coalesce(
    (SELECT known.wanted FROM labeling_queuedpair known WHERE known.queue_id = queue.id AND known.pair_id = {pair}),
    CASE WHEN {audited(pair)} THEN queue.audit_overlap ELSE {FEWEST} END) END"""  # noqa: S608 (constants of ours)
