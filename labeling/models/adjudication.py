"""What a person decided where raters differ. A decision lies beside the judgments and never changes one."""

from __future__ import annotations

from django.contrib.postgres.fields import ArrayField
from django.db import models
from django.db.models import F, Q
from django.db.models.expressions import RawSQL
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from labeling.models.annotations import TransactionId
from labeling.models.items import Pair, Response
from labeling.models.projects import Criterion, Guideline, Project
from labeling.models.users import User


class Adjudication(models.Model):
    """One decision on one criterion of a pair (of one response, for safety and rating). A later one replaces it.

    `preference` is signed in stored order, as in a judgment. Rows are never changed but for `current`.
    """

    project = models.ForeignKey(Project, on_delete=models.CASCADE, related_name="adjudications", db_index=False)
    pair = models.ForeignKey(Pair, on_delete=models.CASCADE, related_name="adjudications", db_index=False)
    criterion = models.ForeignKey(Criterion, on_delete=models.PROTECT, related_name="+", db_index=False)
    response = models.ForeignKey(Response, null=True, on_delete=models.CASCADE, related_name="+", db_index=False)
    preference = models.SmallIntegerField(null=True)
    both_bad = models.BooleanField(default=False)
    rating = models.SmallIntegerField(null=True)
    safe = models.BooleanField(null=True)
    reason = models.TextField(max_length=4000, help_text="Why. Raters who differ may read it.")
    principle = models.PositiveSmallIntegerField(null=True, blank=True, help_text="Of the guideline, if one decides.")
    guideline = models.ForeignKey(Guideline, null=True, on_delete=models.PROTECT, related_name="+", db_index=False)
    current = models.BooleanField(default=True)
    in_bulk = models.BooleanField(default=False, help_text="Decided together with others, by the crowd's own majority.")
    adjudicator = models.ForeignKey(User, on_delete=models.PROTECT, related_name="adjudications", db_index=False)
    created_at = models.DateTimeField(default=timezone.now, editable=False)
    transaction = TransactionId(editable=False, db_default=RawSQL("pg_current_xact_id()", ()))

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["pair", "criterion", "response"],
                condition=Q(current=True),
                nulls_distinct=False,
                name="adjudication_one_current",
            ),
            models.CheckConstraint(
                condition=Q(preference__isnull=False, response=None)
                | Q(both_bad=True, preference=None, response=None)
                | Q(rating__isnull=False, response__isnull=False)
                | Q(safe__isnull=False, response__isnull=False),
                name="adjudication_has_value",
            ),
        ]
        indexes = [models.Index(fields=["project", "-id"], name="adjudication_newest")]

    def __str__(self) -> str:
        return f"decision on pair {self.pair_id}"


class Escalation(models.Model):
    """An adjudicator passes a pair on to the managers: the guideline does not answer it, or they should not."""

    project = models.ForeignKey(Project, on_delete=models.CASCADE, related_name="escalations", db_index=False)
    pair = models.ForeignKey(Pair, on_delete=models.CASCADE, related_name="escalations", db_index=False)
    note = models.TextField(max_length=2000)
    created_by = models.ForeignKey(User, null=True, on_delete=models.SET_NULL, related_name="+")
    created_at = models.DateTimeField(default=timezone.now, editable=False)
    closed_by = models.ForeignKey(User, null=True, on_delete=models.SET_NULL, related_name="+")
    closed_at = models.DateTimeField(null=True, blank=True)
    answer = models.TextField(blank=True, max_length=2000)

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["pair"], condition=Q(closed_at=None), name="escalation_one_open")
        ]
        indexes = [models.Index(fields=["project", "-created_at"], name="escalation_newest")]

    def __str__(self) -> str:
        return f"pair {self.pair_id} passed on"


class Disagreement(models.Model):
    """A pair on which a person has to decide, as long as nobody has. Kept by the clock and by the verbs of deciding.

    All of it can be found anew from what else is stored: labeling/actions/disagreements.py.
    """

    class Kind(models.TextChoices):
        SPLIT = "split", _("No answer has more than half of the raters")
        SAFETY = "safety", _("Safe for some, unsafe for others")
        CONTESTED = "contested", _("Contested: more answers would not tell")
        FULL = "full", _("Not settled by the most raters")
        MARKED = "marked", _("A rater could not tell, or found it broken")
        ESCALATED = "escalated", _("Passed on to the managers")

    project = models.ForeignKey(Project, on_delete=models.CASCADE, related_name="disagreements", db_index=False)
    pair = models.OneToOneField(Pair, on_delete=models.CASCADE, related_name="disagreement")
    kinds = ArrayField(models.CharField(max_length=9))
    criteria = ArrayField(models.BigIntegerField(), default=list, help_text="Those on which raters differ, by id.")
    judgments = models.PositiveSmallIntegerField(default=0, help_text="Raters whose answers count.")
    split = models.FloatField(default=0, help_text="0 to 1: how far from agreed, on the criterion that divides most.")
    found_at = models.DateTimeField(default=timezone.now)
    held_by = models.ForeignKey(User, null=True, on_delete=models.SET_NULL, related_name="+", db_index=False)
    held_until = models.DateTimeField(null=True, help_text="Until when others are told that somebody looks at it.")

    class Meta:
        # the list: most split first
        indexes = [models.Index(F("project"), F("split").desc(), F("id"), name="disagreement_order")]

    def __str__(self) -> str:
        return f"disagreement on pair {self.pair_id}"

    @property
    def is_held(self) -> bool:
        return self.held_until is not None and self.held_until > timezone.now()


class DisagreementSearch(models.Model):
    """How far the clock has looked for disagreements in a project."""

    project = models.OneToOneField(Project, on_delete=models.CASCADE, primary_key=True, related_name="+")
    up_to = models.BigIntegerField(help_text="Of the annotations' transactions, the first not looked at.")
    looked_at = models.DateTimeField(default=timezone.now)
    swept_to = models.BigIntegerField(
        null=True, default=0, help_text="Where a look through all pairs is, by id; empty when none is under way."
    )

    class Meta:
        verbose_name_plural = "disagreement searches"

    def __str__(self) -> str:
        return f"search in project {self.project_id}"
