"""What a queue that adapts knows: how sure each pair is, and how far each rater is to be trusted.

Kept by the clock and by claims that find nothing, never by a submit; all of it can be computed anew from annotations.
"""

from __future__ import annotations

from django.contrib.postgres.fields import ArrayField
from django.db import models
from django.db.models import Q, Value
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from labeling.models.items import Pair
from labeling.models.projects import Criterion, Project
from labeling.models.queues import Queue
from labeling.models.users import User


class QueuedPair(models.Model):
    """What is known of a pair in a queue whose overlap adapts, and how many raters it is to have by that.

    A pair without a row is new there: it has the queue's fewest, or the audit's overlap if it is drawn for the audit.
    Kept by the clock and by claims that find nothing (labeling/actions/settle.py), never by a submit.
    """

    class State(models.TextChoices):
        COLLECTING = "collecting", _("Collecting")
        SETTLED = "settled", _("Settled")
        CONTESTED = "contested", _("Contested")
        FULL = "full", _("Not settled by the most raters")

    queue = models.ForeignKey(Queue, on_delete=models.CASCADE, related_name="queued_pairs", db_index=False)
    pair = models.ForeignKey(Pair, on_delete=models.CASCADE, related_name="queued_pairs")
    wanted = models.PositiveSmallIntegerField(help_text="Raters it is to have.")
    audit = models.BooleanField(default=False, help_text="Drawn at random to be judged outside routing and stopping.")
    state = models.CharField(max_length=10, choices=State.choices, default=State.COLLECTING)
    judgments = models.PositiveSmallIntegerField(
        default=0, help_text="Answers that counted when it was last looked at."
    )
    first_better = models.FloatField(null=True, help_text="P(the first response is the better one | votes, raters).")
    share = models.FloatField(null=True, help_text="Expected part of qualified raters who would choose the first.")
    people_differ = models.FloatField(null=True, help_text="Bits of uncertainty that more answers would not remove.")
    more_would_tell = models.FloatField(null=True, help_text="Bits of uncertainty that more answers would remove.")
    settled_at = models.DateTimeField(null=True)
    looked_at = models.DateTimeField(default=timezone.now)

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["queue", "pair"], name="queued_pair_once"),
            models.CheckConstraint(
                condition=Q(state__in=["collecting", "settled", "contested", "full"]), name="queued_pair_state"
            ),
        ]
        indexes = [models.Index(fields=["queue", "state"], name="queued_pair_state_of")]

    def __str__(self) -> str:
        return f"pair {self.pair_id} in queue {self.queue_id}"


class RaterStanding(models.Model):
    """How reliable a rater is on one preference of a project, kept up between analyses (labeling/actions/settle.py).

    Only a help to decide whom to ask and when to stop: no score of a person.
    """

    project = models.ForeignKey(Project, on_delete=models.CASCADE, related_name="standings", db_index=False)
    criterion = models.ForeignKey(Criterion, on_delete=models.CASCADE, related_name="+", db_index=False)
    rater = models.ForeignKey(User, on_delete=models.CASCADE, related_name="+", db_index=False)
    judgments = models.PositiveIntegerField(default=0, help_text="Votes that took a side and were learned from.")
    mean = models.FloatField(help_text="P(a vote is for the better side), posterior mean.")
    low = models.FloatField(help_text="5 % quantile of the posterior.")
    high = models.FloatField(help_text="95 % quantile.")
    poor = models.FloatField(help_text="P(reliability < 0.60).")
    computed_at = models.DateTimeField(default=timezone.now)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["project", "criterion", "rater"], name="rater_standing_once")]

    def __str__(self) -> str:
        return f"rater {self.rater_id}: {self.mean:.2f}"


class Settling(models.Model):
    """How far a queue has been looked at: what was answered and set aside since then is news.

    Written with the queue's row locked. A queue without a row was never looked at.
    """

    queue = models.OneToOneField(Queue, on_delete=models.CASCADE, related_name="settling")
    seen = models.BigIntegerField(default=0, help_text="Of the annotations' transactions, the first not surely seen.")
    withdrawals = ArrayField(
        models.BigIntegerField(), default=list, db_default=Value([]), help_text="That were in force, sorted."
    )
    passing = models.BigIntegerField(
        null=True, help_text="While every judged pair is looked at again: the last one that was."
    )
    unlearned = models.PositiveIntegerField(default=0, help_text="Answers since raters were last learned of.")
    learned_at = models.DateTimeField(default=timezone.now)
    kinds = ArrayField(
        models.FloatField(), default=list, db_default=Value([]), help_text="How frequent each kind of pair is."
    )
    grades = models.JSONField(
        null=True, help_text="How frequent each grade is, by side and kind of pair; and each rater's habits."
    )
    days = models.JSONField(
        default=dict, db_default=Value({}, models.JSONField()), help_text="Judgments that were news on each day (UTC)."
    )
    audit_off = models.FloatField(
        null=True, help_text="By how much what two answers foretell is off, on audited pairs: foretold less seen."
    )
    audit_answers = models.PositiveIntegerField(default=0, help_text="Answers that this was checked against.")

    def __str__(self) -> str:
        return f"queue {self.queue_id} up to {self.seen}"
