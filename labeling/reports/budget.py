"""What stopping has saved: judgments spent, by what became of the pairs, and when the queue may be done.

Two queries, whatever the queue's size. The one that grows reads the queue's rows of labeling_queuedpair once (345,000:
a tenth of a second): by the index `queued_pair_state_of`, or from end to end when the queue is most of the table.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from math import ceil, sqrt

from django.db import connection
from django.utils import timezone

from labeling.models import Queue, QueuedPair, Settling

FIXED = 3  # the usual overlap, to compare with
BARS = 8  # of the label's probability, from 0.5 to 1
RECENT = 14  # days by which the end is foretold
FEWEST_DAYS = 3
NINE_IN_TEN = 1.645

_COUNTS = """
SELECT state, judgments, least(%(bars)s - 1, floor((abs(coalesce(first_better, 0.5) - 0.5)) * 2 * %(bars)s))::int,
       count(*)
FROM labeling_queuedpair WHERE queue_id = %(queue)s GROUP BY 1, 2, 3
"""


@dataclass(frozen=True, slots=True)
class Needed:
    judgments: int
    pairs: int
    percent: int


@dataclass(frozen=True, slots=True)
class Finish:
    """The day on which the queue may be done, and by how many days that may be wrong (nine times in ten)."""

    day: date
    give: int
    per_day: int


@dataclass(frozen=True, slots=True)
class Budget:
    """`per_settled`: judgments a pair that has enough, of all kinds. Parts of what a fixed number would have cost are
    from 0 to 1, and negative when more was spent. `sure`: pairs by the label's probability, from 0.5 to 1."""

    spent: int
    pairs: int
    settled: int
    contested: int
    full: int
    in_progress: int
    not_started: int
    per_settled: float | None
    saved_of_three: float | None
    saved_of_most: float | None
    most: int
    needed: list[Needed]
    sure: list[int]
    audit_off: float | None
    audit_answers: int
    finish: Finish | None

    @property
    def done(self) -> int:
        return self.settled + self.contested + self.full

    @property
    def percent_saved(self) -> int:
        return round(100 * (self.saved_of_three or 0))

    @property
    def percent_saved_of_most(self) -> int:
        return round(100 * (self.saved_of_most or 0))

    @property
    def points_off(self) -> int:
        return round(100 * abs(self.audit_off or 0))


def budget(queue: Queue) -> Budget | None:
    """Of a queue that adapts; None for one with a fixed overlap."""
    if queue.stopping == Queue.Stopping.FIXED:
        return None
    with connection.cursor() as cursor:
        cursor.execute(_COUNTS, {"queue": queue.pk, "bars": BARS})
        rows = cursor.fetchall()
    look = Settling.objects.filter(queue=queue).first()
    pairs, needed, sure = _added_up(rows)
    done = sum(needed.values())
    on_done = sum(judgments * count for judgments, count in needed.items())
    spent = sum(judgments * count for _, judgments, _, count in rows)
    per_settled = on_done / done if done else None
    most = FIXED if queue.stopping == Queue.Stopping.THIRD else queue.most
    not_started = max(queue.pair_count - sum(count for _, judgments, _, count in rows if judgments), 0)
    left = _left(pairs["collecting"], not_started, per_settled, queue)
    return Budget(
        spent=spent,
        pairs=queue.pair_count,
        settled=pairs["settled"],
        contested=pairs["contested"],
        full=pairs["full"],
        in_progress=pairs["collecting"],
        not_started=not_started,
        per_settled=per_settled,
        saved_of_three=1 - per_settled / FIXED if per_settled else None,
        saved_of_most=1 - per_settled / most if per_settled else None,
        most=most,
        needed=[Needed(number, needed[number], round(100 * needed[number] / done)) for number in sorted(needed)],
        sure=sure,
        audit_off=look.audit_off if look else None,
        audit_answers=look.audit_answers if look else 0,
        finish=_finish(look, left) if look else None,
    )


def _added_up(rows: Sequence[tuple[str, int, int, int]]) -> tuple[Counter[str], Counter[int], list[int]]:
    """Pairs by state (those that somebody judged), pairs that have enough by judgments, pairs by probability."""
    states: Counter[str] = Counter()
    needed: Counter[int] = Counter()
    sure = [0] * BARS
    for state, judgments, bar, count in rows:
        if judgments:
            states[state] += count
            sure[bar] += count
            if state != QueuedPair.State.COLLECTING:
                needed[judgments] += count
    return states, needed, sure


def _left(in_progress: int, not_started: int, per_settled: float | None, queue: Queue) -> float:
    """Judgments still to come, about: a pair in progress needs one more, often two."""
    usual = per_settled or float(max(2, queue.least))
    return not_started * usual + in_progress * max(usual / 2, 1)


def _finish(look: Settling, left: float) -> Finish | None:
    """By the days on which anybody worked; None with too few of them. The give holds for what days differ by."""
    today = timezone.now().date()
    days = [today - timedelta(days=n) for n in range(1, RECENT + 1)]
    counts = [int(look.days.get(day.isoformat(), 0)) for day in days]
    first = max((n for n, count in enumerate(counts) if count), default=-1)
    counts = counts[: first + 1]
    if len(counts) < FEWEST_DAYS:
        return None
    mean = sum(counts) / len(counts)
    spread = sqrt(sum((count - mean) ** 2 for count in counts) / (len(counts) - 1))
    ahead = left / mean
    # the mean of the days behind is uncertain, and so is each of the days ahead
    give = NINE_IN_TEN * spread / mean * sqrt(ahead + ahead * ahead / len(counts))
    return Finish(today + timedelta(days=ceil(ahead)), ceil(give), round(mean))
