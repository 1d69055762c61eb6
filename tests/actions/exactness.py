"""A queue under everything that can happen to it, beside a model that is simple enough to be believed.

The model knows what each rater said of each pair, and from that how many raters a pair is to have. It is asked whenever
a rater gets a pair (were more asked than wanted?) and in the end, when fresh raters work for as long as they get
anything (is something left that is still wanted?).
"""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field
from datetime import timedelta
from math import log2
from typing import Any

from django.db import connection, transaction
from django.utils import timezone
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, precondition, rule

from labeling.actions.annotate import submit
from labeling.actions.assign import claim, expire_stale, release, skip
from labeling.actions.lanes import bring_back, hide
from labeling.actions.queues import change_queue
from labeling.actions.settle import settle
from labeling.models import Assignment, Passage, Queue, Slot, User, Withdrawal
from labeling.models.queues import HIDDEN
from labeling.stats.one_coin import KINDS, PULL, USUAL, believe

WORKERS, FRESH = 5, 6
_workers = st.integers(0, WORKERS - 1)
_sides = st.sampled_from([-2, -1, 0, 1, 2])


@dataclass
class Told:
    """What the model knows of a pair: rater to (preference, when it was given)."""

    answers: dict[int, tuple[int, Any]] = field(default_factory=dict)
    looked: int = 0  # wanted when the queue was last looked at


class Exactness(RuleBasedStateMachine):
    """`stage` is set by the test: a queue of few pairs, and raters. Each example is undone by a savepoint."""

    stage: tuple[Queue, list[User]]

    def __init__(self) -> None:
        super().__init__()
        self.undo = transaction.atomic()
        self.undo.__enter__()
        with connection.cursor() as cursor:
            cursor.execute("SELECT setseed(0.5)")
        queue, self.raters = self.stage
        self.queue = Queue.objects.select_related("project").get(pk=queue.pk)
        self.pairs = {pair: Told() for pair in queue.project.pairs.values_list("pk", flat=True)}
        self.aside: dict[int, Withdrawal] = {}
        self.hidden: set[int] = set()
        self.gone: set[int] = set()
        self.ended = False
        self._look()

    # --- the model --------------------------------------------------------------------------------

    def counting(self, told: Told) -> dict[int, int]:
        """Rater to preference, of answers that were not set aside."""
        return {
            rater: preference
            for rater, (preference, at) in told.answers.items()
            if rater not in self.aside or at > self.aside[rater].created_at
        }

    def wanted(self, pair: int) -> int:
        votes = list(self.counting(self.pairs[pair]).values())
        queue, many = self.queue, len(votes)
        if queue.stopping == "fixed":
            return queue.overlap
        if queue.audit_percent == 100:
            return queue.audit_overlap if many < queue.audit_overlap else many
        if queue.stopping == "third":
            sides = Counter((vote > 0) - (vote < 0) for vote in votes)
            if many < 2:
                return 2
            return many if many > 2 or max(sides.values()) == 2 else 3
        least = min(max(2, queue.least), queue.most)
        if many < least:
            return least
        return many if self._enough(votes) or many >= queue.most else many + 1

    def _enough(self, votes: list[int]) -> bool:
        sided = [(USUAL, int(vote < 0)) for vote in votes if vote]
        ties = len(votes) - len(sided)
        belief = believe([*sided, *[(USUAL, 1), (USUAL, 0)] * ties], KINDS) if not ties else _with_ties(sided, ties)
        first = sum(belief[0]) if isinstance(belief, tuple) else belief.first_is_better
        if max(first, 1 - first) >= self.queue.sure:
            return True
        kinds = (
            [a + b for a, b in zip(*belief, strict=True)]
            if isinstance(belief, tuple)
            else [a + b for a, b in zip(belief.first, belief.second, strict=True)]
        )
        differ = sum(p * _bits(0.5 + (USUAL - 0.5) * pull) for p, pull in zip(kinds, PULL, strict=True))
        return len(votes) >= 4 and differ > 0.6

    def _look(self) -> None:
        self.queue.refresh_from_db()
        for pair, told in self.pairs.items():
            told.looked = self.wanted(pair)

    def _held(self, rater: User) -> Assignment | None:
        return Assignment.objects.filter(queue=self.queue, rater=rater, state="open").select_related("project").first()

    def _got(self, held: Assignment, rater: User) -> None:
        """A rater got a pair: were so many asked for, by what was known when the queue was looked at, or is by now?"""
        told = self.pairs[held.pair_id]
        assert rater.pk not in told.answers, "nobody gets a pair twice"
        assert held.pair_id not in self.hidden, "what was found broken is given to nobody"
        open_ones = Assignment.objects.filter(queue=self.queue, pair=held.pair_id, state="open").count()
        asked = len(self.counting(told)) + open_ones
        assert asked <= max(told.looked, self.wanted(held.pair_id)), "never more are asked than wanted"

    # --- what raters do ---------------------------------------------------------------------------

    @rule(who=_workers)
    def take(self, who: int) -> None:
        if who in self.gone:
            return
        rater = self.raters[who]
        had = self._held(rater)
        held = claim(queue=self.queue, rater=rater)
        if held is None or had is None:
            self._look_if_nothing(held)
        if held is not None and had is None:
            self._got(held, rater)

    def _look_if_nothing(self, held: Assignment | None) -> None:
        """A claim that found nothing at first has looked at the news."""
        if not self.queue.paused:
            before = {pair: told.looked for pair, told in self.pairs.items()}
            self._look()
            if held is not None:  # it may have found one at once
                for pair, told in self.pairs.items():
                    told.looked = max(told.looked, before[pair])

    @rule(who=_workers, preference=_sides)
    def answer(self, who: int, preference: int) -> None:
        held = self._held(self.raters[who])
        if held is not None:
            self._answer(held, self.raters[who], preference)

    def _answer(self, held: Assignment, rater: User, preference: int) -> None:
        shown = -preference if held.swapped else preference
        submit(assignment=held, rater=rater, body={"judgments": {"helpfulness": {"preference": shown}}})
        self.pairs[held.pair_id].answers[rater.pk] = (preference, timezone.now())

    @rule(first=_workers, many=st.integers(2, WORKERS), preference=_sides, agree=st.booleans(), holds=st.booleans(),
          looks=st.booleans())  # fmt: skip
    def work(self, first: int, many: int, preference: int, agree: bool, holds: bool, looks: bool) -> None:
        """Some take a pair each and answer it, alike or every other one the other way; the last may hold it still."""
        who = [(first + place) % WORKERS for place in range(many)]
        for one in who:
            self.take(one)
        for place, one in enumerate(who[:-1] if holds else who):
            self.answer(one, preference if agree or place % 2 else -preference)
        if looks:
            self.clock()

    @rule(first=_workers, rules=st.sampled_from([{"stopping": "model"}, {"stopping": "third"}]))
    def two_differ(self, first: int, rules: dict[str, Any]) -> None:
        self._change(audit_percent=0, **rules)
        self.work(first=first, many=2, preference=2, agree=False, holds=False, looks=True)

    def _who_answered(self, who: int) -> User | None:
        """One of those who judged something."""
        raters = sorted({rater for told in self.pairs.values() for rater in told.answers})
        return next(one for one in self.raters if one.pk == raters[who % len(raters)]) if raters else None

    @rule(who=_workers, preference=_sides)
    def change_mind(self, who: int, preference: int) -> None:
        rater = self._who_answered(who)
        done = Assignment.objects.filter(queue=self.queue, rater=rater, state="submitted").order_by("pk")
        held = done.select_related("project").last()
        if held is not None and rater and self.pairs[held.pair_id].answers[rater.pk][0] != preference:
            self._answer(held, rater, preference)

    @rule(who=_workers, how=st.sampled_from(["skip", "release", "expire", "leave"]), looks=st.booleans())
    def give_back(self, who: int, how: str, looks: bool) -> None:
        """Who leaves is removed: what they held runs out, and they never come back."""
        self._give_back(who, how)
        if looks:
            self.clock()

    @rule(overlap=st.integers(1, 3))
    def fewer_while_all_are_held(self, overlap: int) -> None:
        for one in range(WORKERS):
            self.take(one)
        self._change(overlap=overlap)
        for one in range(WORKERS):
            self._give_back(one, "release")
        self.clock()

    def _give_back(self, who: int, how: str) -> None:
        held = self._held(self.raters[who])
        if how == "leave":
            self.gone.add(who)
        if held is None:
            return
        if how == "skip":
            skip(assignment=held, rater=self.raters[who], reason="cannot_tell")
        elif how == "release":
            release(assignment=held, rater=self.raters[who])
        else:
            Assignment.objects.filter(pk=held.pk).update(lease_until=timezone.now() - timedelta(seconds=1))
            if how == "expire":
                expire_stale(queue=self.queue)

    # --- what managers and the clock do -----------------------------------------------------------

    @rule(
        rules=st.one_of(
            st.builds(dict, overlap=st.integers(1, 5)),
            st.builds(dict, stopping=st.sampled_from(["fixed", "third", "model"])),
            st.builds(dict, audit_percent=st.sampled_from([0, 0, 100])),
            st.sampled_from(
                [{"least": least, "most": least + more, "sure": sure}
                 for least in (1, 2, 3) for more in (0, 2) for sure in (0.6, 0.8, 0.95)]
            ),
        )
    )  # fmt: skip
    def new_rules(self, rules: dict[str, Any]) -> None:
        self._change(**rules)

    @initialize(stopping=st.sampled_from(["fixed", "third", "model"]))
    def begin(self, stopping: str) -> None:
        self._change(stopping=stopping)

    def _change(self, **rules: Any) -> None:
        """Slots follow at once."""
        change_queue(queue=self.queue, by=None, **rules)
        self._look()
        self._check_slots()

    @rule(paused=st.booleans())
    def pause(self, paused: bool) -> None:
        change_queue(queue=self.queue, by=None, paused=paused)
        self.queue.refresh_from_db()

    @rule(who=_workers, looks=st.booleans(), for_a_moment=st.booleans())
    def set_aside(self, who: int, looks: bool, for_a_moment: bool) -> None:
        rater = self._who_answered(who)
        if rater and rater.pk not in self.aside:
            self.aside[rater.pk] = Withdrawal.objects.create(
                project=self.queue.project, rater=rater, why="rater", closes=False
            )
        if looks:
            self.clock()
        if for_a_moment and self.aside:
            self.lift(looks)

    @precondition(lambda self: self.aside)
    @rule(looks=st.booleans())
    def lift(self, looks: bool) -> None:
        withdrawal = self.aside.pop(min(self.aside))
        Withdrawal.objects.filter(pk=withdrawal.pk).update(lifted_at=timezone.now())
        if looks:
            self.clock()

    @rule()
    def clock(self) -> None:
        settle(queue=self.queue)
        self._look()
        self._check_slots()

    @rule(place=st.integers(0, 2))
    def found_broken(self, place: int) -> None:
        pair = self.queue.project.pairs.order_by("pk")[place]
        if Slot.objects.filter(pair=pair, state="open").exists():
            hide(pair=pair)
            self.hidden.add(pair.pk)

    @precondition(lambda self: self.hidden)
    @rule()
    def repaired(self) -> None:
        pair = self.queue.project.pairs.get(pk=min(self.hidden))
        self.hidden.discard(pair.pk)
        if Slot.objects.filter(pair=pair, state="open", lane=HIDDEN).exists():
            bring_back(pair=pair, by=self.raters[0])
        self.clock()

    @rule(place=st.integers(0, 2), overlap=st.integers(1, 5))
    def lies_aside_under_new_rules(self, place: int, overlap: int) -> None:
        self.found_broken(place)
        self._change(overlap=overlap)
        if self.hidden:
            self.repaired()

    def _check_slots(self) -> None:
        """Right after the clock has looked: open slots are what is wanted and not had."""
        for pair, told in self.pairs.items():
            if pair not in self.hidden:
                slots = Counter(Slot.objects.filter(queue=self.queue, pair=pair).values_list("state", flat=True))
                had = len(self.counting(told)) + slots["leased"]
                assert slots["open"] == max(self.wanted(pair) - had, 0), "slots are what is wanted"

    # --- the end ----------------------------------------------------------------------------------

    def teardown(self) -> None:
        try:
            if not self.ended:
                self.ended = True
                self._finish()
        finally:
            transaction.set_rollback(True)
            self.undo.__exit__(None, None, None)

    def _finish(self) -> None:
        """Whoever claims long enough finishes everything; and no clock ticks."""
        for pair in sorted(self.hidden):
            self.hidden.discard(pair)
            found = self.queue.project.pairs.get(pk=pair)
            if Slot.objects.filter(pair=found, state="open", lane=HIDDEN).exists():
                bring_back(pair=found, by=self.raters[0])
        change_queue(queue=self.queue, by=None, paused=False)
        Assignment.objects.filter(queue=self.queue, state="open").update(
            lease_until=timezone.now() - timedelta(seconds=1)
        )
        self.queue.refresh_from_db()
        again = True
        while again:
            again = False
            for place, rater in enumerate(self.raters[WORKERS:]):
                Passage.objects.filter(rater=rater).update(swept_at=timezone.now())  # a sweep would hide a mistake
                while (held := claim(queue=self.queue, rater=rater)) is not None:
                    self._look_if_nothing(held)
                    self._got(held, rater)
                    held.project = self.queue.project
                    self._answer(held, rater, 1 if place % 2 else -1)
                    again = True
        for pair, told in self.pairs.items():
            assert len(self.counting(told)) >= self.wanted(pair), "none is stranded"
        assert not Slot.objects.filter(queue=self.queue).exclude(state="done").exists()


def _bits(chance: float) -> float:
    return -(chance * log2(chance) + (1 - chance) * log2(1 - chance))


def _with_ties(sided: list[tuple[float, int]], ties: int) -> tuple[list[float], list[float]]:
    """By hand: half a vote for each side leaves the square root of both chances."""
    found = [0.5 + (USUAL - 0.5) * pull for pull in PULL]
    first, second = [kind / 2 for kind in KINDS], [kind / 2 for kind in KINDS]
    for _, vote in sided:
        first = [one * (p if vote else 1 - p) for one, p in zip(first, found, strict=True)]
        second = [one * (1 - p if vote else p) for one, p in zip(second, found, strict=True)]
    first = [one * (p * (1 - p)) ** (ties / 2) for one, p in zip(first, found, strict=True)]
    second = [one * (p * (1 - p)) ** (ties / 2) for one, p in zip(second, found, strict=True)]
    whole = sum(first) + sum(second)
    return [one / whole for one in first], [one / whole for one in second]
