"""When a pair has enough judgments, and who else is asked: what follows an answer in a queue that adapts.

A submit does none of this. What was answered, or set aside, since the queue was last looked at is read on from a
cursor, by the clock every few seconds, and by a claim that finds nothing: so nobody is told that nothing is left while
a pair is still wanted, and no worker is needed for it. Looking twice, or two at once, changes nothing: each pair's row
is computed from all its judgments that count, under the queue's row, and slots are then matched to it.

In a queue of fixed overlap only what was set aside, and changed after that, is news: such answers are made up for.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import timedelta
from typing import Any

import numpy as np
from django.db import connection, transaction
from django.utils import timezone

from labeling.actions.matching import match
from labeling.actions.standings import LEARN_AFTER, LEARN_EVERY, criterion_of, is_due, learn_standings
from labeling.actions.wanted import FEWEST, LEAST, audited
from labeling.models import Queue, QueuedPair, RaterStanding, Settling
from labeling.models.care import MILD
from labeling.models.queues import GOLD
from labeling.reports.counted import COUNTS
from labeling.stats.counts import Floats, Ints
from labeling.stats.evidence import (
    Crowd,
    chosen_by,
    entropy,
    expected_gain,
    first_better,
    people_differ,
    posterior,
    usual_grades,
)
from labeling.stats.one_coin import KINDS, USUAL
from labeling.stats.stopping import CLEARLY, COLLECTING, CONTESTED, FULL, SETTLED, TRUSTED, Known, Rules, decide
from labeling.stats.votes import FIRST, GRADES, NEITHER, SECOND, Flags, Votes, votes_of

KEPT_DAYS = timedelta(days=28)
AT_ONCE = 5000  # pairs a transaction
AT_A_CLAIM = 4  # so often a claim that finds nothing looks on
LEARNED_AT_A_CLAIM = 10_000  # judged pairs in the queue above which only the clock learns of raters

_STATES = {
    COLLECTING: QueuedPair.State.COLLECTING,
    SETTLED: QueuedPair.State.SETTLED,
    CONTESTED: QueuedPair.State.CONTESTED,
    FULL: QueuedPair.State.FULL,
}
_IN_FORCE = """ARRAY(SELECT gone.id FROM labeling_withdrawal gone
    WHERE gone.project_id = queue.project_id AND gone.lifted_at IS NULL ORDER BY gone.id)"""
# A range of the feed's index each; what was written while an older transaction was open is looked at once more.
_ANSWERED = """FROM labeling_annotation a JOIN labeling_assignment judged ON judged.id = a.assignment_id
    WHERE a.project_id = queue.project_id AND a.current AND a.transaction >= coalesce(look.seen, 0)::text::xid8
      AND judged.queue_id = queue.id"""
# Who was set aside may change an answer afterwards, and then it counts again. Begins at the withdrawals, which are few.
_CHANGED = """EXISTS (SELECT FROM labeling_withdrawal gone
    JOIN labeling_assignment judged ON judged.rater_id = gone.rater_id AND judged.project_id = gone.project_id
     AND judged.queue_id = queue.id AND judged.state = 'submitted'
    JOIN labeling_annotation a ON a.assignment_id = judged.id AND a.current AND a.revision > 1
     AND a.transaction >= coalesce(look.seen, 0)::text::xid8
    WHERE gone.project_id = queue.project_id AND gone.lifted_at IS NULL)"""
_HAVE_NEWS = f"""
SELECT queue.id FROM labeling_queue queue LEFT JOIN labeling_settling look ON look.queue_id = queue.id
WHERE (%(queue)s::bigint IS NULL OR queue.id = %(queue)s) AND (
    coalesce(look.withdrawals, '{{}}') <> {_IN_FORCE} OR {_CHANGED}
    OR queue.stopping <> '{Queue.Stopping.FIXED}' AND (
        look.passing IS NOT NULL OR EXISTS (SELECT {_ANSWERED})
        OR queue.stopping = '{Queue.Stopping.MODEL}' AND (look.unlearned >= %(many)s
            OR look.unlearned > 0 AND look.learned_at < now() - make_interval(secs => %(every)s))))
ORDER BY queue.id
"""  # noqa: S608 (constants of ours)
_NEWS = f"""
SELECT pg_snapshot_xmin(pg_current_snapshot())::text::bigint, {_IN_FORCE}, {_CHANGED},
       CASE WHEN queue.stopping <> '{Queue.Stopping.FIXED}' THEN ARRAY(SELECT DISTINCT judged.pair_id {_ANSWERED}) END
FROM labeling_queue queue LEFT JOIN labeling_settling look ON look.queue_id = queue.id WHERE queue.id = %(queue)s
"""  # noqa: S608 (constants of ours)
_JUDGED = """
SELECT DISTINCT pair_id FROM labeling_slot
WHERE queue_id = %(queue)s AND pair_id > %(after)s AND state = 'done' AND lane <> %(gold)s
ORDER BY pair_id LIMIT %(most)s
"""
_PAIRS = f"""
SELECT given.id, {FEWEST}, {audited("given.id")}, coalesce(known.judgments, 0)
FROM unnest(%(pairs)s::bigint[]) AS given(id) JOIN labeling_queue queue ON queue.id = %(queue)s
LEFT JOIN labeling_queuedpair known ON known.queue_id = queue.id AND known.pair_id = given.id
ORDER BY given.id
"""  # noqa: S608 (constants of ours)
_VOTES = f"""
SELECT judged.pair_id, judged.rater_id, judgment.preference, coalesce(judgment.both_bad, false),
       CASE WHEN %(singles)s THEN (SELECT max(harm.severity) FROM labeling_judgment harm
                                   WHERE harm.annotation_id = a.id) END
FROM unnest(%(pairs)s::bigint[]) AS given(id)
JOIN labeling_slot slot ON slot.queue_id = %(queue)s AND slot.pair_id = given.id AND slot.state = 'done'
 AND slot.lane <> '{GOLD}'
JOIN labeling_assignment judged ON judged.slot_id = slot.id
JOIN labeling_annotation a ON a.assignment_id = judged.id AND {COUNTS}
LEFT JOIN labeling_judgment judgment ON judgment.annotation_id = a.id AND judgment.criterion_id = %(criterion)s
 AND judgment.response_id IS NULL
"""  # noqa: S608 (constants of ours)
_KEEP = """
INSERT INTO labeling_queuedpair (queue_id, pair_id, wanted, audit, state, judgments, first_better, share, people_differ,
                                 more_would_tell, settled_at, looked_at)
SELECT %(queue)s, pair, wanted, audit, state, judgments, first_better, share, differ, more,
       CASE WHEN state <> 'collecting' THEN now() END, now()
FROM unnest(%(pairs)s::bigint[], %(wanted)s::int[], %(audit)s::bool[], %(state)s::text[], %(judgments)s::int[],
            %(first_better)s::float8[], %(share)s::float8[], %(differ)s::float8[], %(more)s::float8[])
     AS found(pair, wanted, audit, state, judgments, first_better, share, differ, more)
ON CONFLICT (queue_id, pair_id) DO UPDATE SET wanted = excluded.wanted, audit = excluded.audit, state = excluded.state,
    judgments = excluded.judgments, first_better = excluded.first_better, share = excluded.share,
    people_differ = excluded.people_differ, more_would_tell = excluded.more_would_tell, looked_at = excluded.looked_at,
    settled_at = CASE WHEN excluded.state = labeling_queuedpair.state THEN labeling_queuedpair.settled_at
                      ELSE excluded.settled_at END
WHERE (labeling_queuedpair.wanted, labeling_queuedpair.audit, labeling_queuedpair.state, labeling_queuedpair.judgments,
       labeling_queuedpair.first_better, labeling_queuedpair.share, labeling_queuedpair.people_differ)
    IS DISTINCT FROM (excluded.wanted, excluded.audit, excluded.state, excluded.judgments, excluded.first_better,
                      excluded.share, excluded.people_differ)
"""


@dataclass(frozen=True, slots=True)
class _Pairs:
    """What was read of pairs, by their place in `ids`, which are sorted."""

    ids: list[int]
    fewest: int
    audited: Flags
    before: Ints
    judgments: Ints
    severe: Flags
    raters: list[int]
    votes: Votes


def queues_with_news() -> list[Queue]:
    """Where `settle` has something to do. One query; a probe of an index for each queue."""
    return list(Queue.objects.filter(pk__in=_with_news(None)).select_related("project").order_by("pk"))


def settle(*, queue: Queue) -> int:
    """Look at all that is news, and learn of raters when it is time. Returns how many pairs were given slots."""
    _learn_if_due(queue, most=None)
    given, more = _look(queue)
    while more:
        again, more = _look(queue)
        given += again
    return given


def settle_for_claim(*, queue: Queue) -> bool:
    """What a claim does that finds nothing: look until a slot was made, or nothing is news. Returns whether one was."""
    if not _with_news(queue.pk):
        return False
    _learn_if_due(queue, most=LEARNED_AT_A_CLAIM)
    for _ in range(AT_A_CLAIM):
        given, more = _look(queue)
        if given or not more:
            return bool(given)
    return False


@transaction.atomic
def settle_by_new_rules(*, queue: Queue) -> None:
    """After a queue's rules were changed, in the same transaction: every pair is looked at again, and slots follow.

    Up to AT_A_CLAIM * AT_ONCE judged pairs here and now; of more, the clock looks at the others within seconds.
    """
    if queue.stopping != Queue.Stopping.FIXED:
        look, _ = Settling.objects.get_or_create(queue=queue)
        Settling.objects.filter(pk=look.pk).update(passing=0)
        for _ in range(AT_A_CLAIM):
            _, more = _look(queue)
            if not more:
                break
    match(queue=queue)


def settle_anew(*, queue: Queue) -> None:
    """Compute raters and pairs from nothing, as the clock does each night. It finds what was found bit by bit."""
    learn_standings(queue=queue)
    settle(queue=queue)


def adapting_queues() -> list[Queue]:
    return list(Queue.objects.exclude(stopping=Queue.Stopping.FIXED).select_related("project").order_by("pk"))


def _with_news(queue_id: int | None) -> list[int]:
    with connection.cursor() as cursor:
        cursor.execute(_HAVE_NEWS, {"queue": queue_id, "many": LEARN_AFTER, "every": LEARN_EVERY.total_seconds()})
        return [row[0] for row in cursor.fetchall()]


def _learn_if_due(queue: Queue, *, most: int | None) -> None:
    look = Settling.objects.filter(queue=queue).first()
    if look is None or queue.stopping != Queue.Stopping.MODEL or not is_due(look):
        return
    if most is None or len(QueuedPair.objects.filter(queue=queue).values_list("pk")[: most + 1]) <= most:
        learn_standings(queue=queue)


@transaction.atomic
def _look(queue: Queue) -> tuple[int, bool]:
    """One transaction's worth. Returns how many pairs were given slots, and whether there is more to look at."""
    queue = Queue.objects.select_for_update(of=("self",), no_key=True).select_related("project").get(pk=queue.pk)
    look, _ = Settling.objects.get_or_create(queue=queue)
    with connection.cursor() as cursor:
        cursor.execute(_NEWS, {"queue": queue.pk})
        seen, in_force, changed, pairs = cursor.fetchone()
    set_aside = in_force != look.withdrawals
    look.seen, look.withdrawals = seen, in_force
    if queue.stopping == Queue.Stopping.FIXED:
        look.save(update_fields=["seen", "withdrawals"])
        return (match(queue=queue) if set_aside or changed else 0), False
    look.passing = 0 if set_aside else look.passing
    pairs = sorted({*pairs, *_pass_on(queue, look)})
    given = 0
    if pairs:
        read = _read(queue, pairs)
        fresh = int(np.maximum(read.judgments - read.before, 0).sum())
        look.unlearned += fresh
        _count_day(look, fresh)
        given = match(queue=queue, pair_ids=_judge(queue, look, read))
    look.save(update_fields=["seen", "withdrawals", "passing", "unlearned", "days"])
    return given, look.passing is not None


def _count_day(look: Settling, fresh: int) -> None:
    """What was judged on which day, of the last weeks: by it the end is foretold."""
    today = timezone.now().date()
    since = (today - KEPT_DAYS).isoformat()
    look.days = {day: count for day, count in look.days.items() if day >= since}
    look.days[today.isoformat()] = look.days.get(today.isoformat(), 0) + fresh


def _pass_on(queue: Queue, look: Settling) -> list[int]:
    """The next of the judged pairs, while all of them are looked at again."""
    if look.passing is None:
        return []
    facts: dict[str, Any] = {"queue": queue.pk, "after": look.passing, "gold": GOLD, "most": AT_ONCE}
    with connection.cursor() as cursor:
        cursor.execute(_JUDGED, facts)
        pairs = [row[0] for row in cursor.fetchall()]
    look.passing = pairs[-1] if len(pairs) == AT_ONCE else None
    return pairs


def _read(queue: Queue, pairs: list[int]) -> _Pairs:
    criterion = criterion_of(queue)
    facts: dict[str, Any] = {
        "queue": queue.pk,
        "pairs": pairs,
        "criterion": criterion.pk if criterion else None,
        "singles": queue.trusted_singles,
    }
    with connection.cursor() as cursor:
        cursor.execute(_PAIRS, facts)
        known = cursor.fetchall()
        cursor.execute(_VOTES, facts)
        rows = cursor.fetchall()
    place = np.searchsorted(pairs, [row[0] for row in rows])
    severity = np.array([row[4] or 0 for row in rows], dtype=int)
    raters = sorted({row[1] for row in rows})
    return _Pairs(
        ids=pairs,
        fewest=known[0][1],
        audited=np.array([row[2] for row in known], dtype=bool),
        before=np.array([row[3] for row in known], dtype=int),
        judgments=np.bincount(place, minlength=len(pairs)),
        severe=np.bincount(place, severity > MILD, minlength=len(pairs)) > 0,
        raters=raters,
        votes=votes_of([row[:4] for row in rows if row[2] is not None or row[3]], pairs, raters),
    )


def _judge(queue: Queue, look: Settling, read: _Pairs) -> list[int]:
    """Keep what is now known of the pairs; returns them in the order in which more answers would tell most."""
    crowd, low, usual = _crowd(queue, look, read.raters)
    belief = posterior(read.votes, crowd, pairs=len(read.ids))
    first = first_better(belief)
    differ = people_differ(belief, usual)
    share = chosen_by(belief, usual)
    known = Known(
        judgments=read.judgments,
        sure=np.maximum(first, 1 - first),
        differ=differ,
        audited=read.audited,
        single=_single(read, low),
        sides=_sides(read),
    )
    state, goal = decide(_rules(queue, read.fewest), known)
    _keep(
        queue, read, goal, [_STATES[one] for one in state.tolist()],
        {"first_better": first, "share": share, "differ": differ, "more": np.maximum(entropy(share) - differ, 0)},
    )  # fmt: skip
    return [read.ids[place] for place in np.argsort(-expected_gain(belief, crowd, usual), kind="stable")]


def _rules(queue: Queue, fewest: int) -> Rules:
    third = queue.stopping == Queue.Stopping.THIRD
    return Rules(
        third=third,
        fewest=fewest,
        least=min(max(LEAST, queue.least), queue.most),
        most=queue.most,
        sure=queue.sure,
        singles=queue.trusted_singles and not third,
        audit_overlap=queue.audit_overlap,
    )


def _crowd(queue: Queue, look: Settling, raters: Sequence[int]) -> tuple[Crowd, Floats, float]:
    """What is believed of these raters and of pairs, the lower ends of the raters' intervals, and the mean rater."""
    standings = RaterStanding.objects.filter(project=queue.project_id, criterion=criterion_of(queue))
    known = {rater: (mean, low) for rater, mean, low in standings.values_list("rater", "mean", "low")}
    share = np.array([known.get(rater, (USUAL, 0.0))[0] for rater in raters], dtype=float)
    low = np.array([known.get(rater, (USUAL, 0.0))[1] for rater in raters], dtype=float)
    crowd = Crowd(share, np.array(look.kinds or KINDS))
    if queue.trusted_singles:
        tables, habits = (look.grades or {}).get("tables"), (look.grades or {}).get("habits", {})
        mine = np.array([habits.get(str(rater), [1.0] * GRADES) for rater in raters], dtype=float).reshape(-1, GRADES)
        crowd = replace(crowd, grades=np.array(tables) if tables else usual_grades(), habits=mine)
    usual = float(np.mean([mean for mean, _ in known.values()])) if known else USUAL
    return crowd, low, usual


def _single(read: _Pairs, low: Floats) -> Flags:
    """Pairs whose one judgment is clear and of a rater known to be reliable, and that are not about severe harm."""
    votes = read.votes
    trusted = (low[votes.rater] > TRUSTED) & (votes.grade >= CLEARLY) & (votes.side != NEITHER)
    return (np.bincount(votes.pair, trusted, minlength=len(read.ids)) > 0) & ~read.severe


def _sides(read: _Pairs) -> Ints:
    votes = read.votes
    return np.stack(
        [np.bincount(votes.pair[votes.side == side], minlength=len(read.ids)) for side in (FIRST, NEITHER, SECOND)],
        axis=1,
    )


def _keep(queue: Queue, read: _Pairs, goal: Ints, state: list[str], figures: dict[str, Floats]) -> None:
    facts = {
        "queue": queue.pk,
        "pairs": read.ids,
        "wanted": goal.tolist(),
        "audit": read.audited.tolist(),
        "state": state,
        "judgments": read.judgments.tolist(),
    }
    with connection.cursor() as cursor:
        cursor.execute(_KEEP, facts | {name: np.round(values, 6).tolist() for name, values in figures.items()})
